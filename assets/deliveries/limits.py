"""How much a file may ask of this machine, checked before and while it is read.

The limits are far above any delivery a clinic sends and below what would fill a disk: a file of 100 million rows and
6 GB loads, packed a hundredfold or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may hold.

    Attributes:
        file_bytes: size on disk. Ten times the largest export we know of.
        unpacked_bytes: size after unpacking or rewriting; the scratch folder has to hold it.
        ratio: unpacked size over packed size. Exports of codes and numbers pack 5 to 100 times; what packs better
            holds one thing over and over. Checked from ``ratio_bytes`` on, because below that size nothing is gained
            by refusing a small file that repeats itself.
        ratio_bytes: see ``ratio``.
        rows: records. Ten times the largest export we know of.
        columns: as many as a sheet of Excel can have.
        part_bytes: a part of a file that has to be kept in memory: of a workbook the table of texts above all, of a
            Parquet file a page.
        footer_bytes: the list of columns and groups of rows at the end of a Parquet file. A billion rows in groups of
            usual size have 20 MB.
        malformed_rows: rows with the wrong shape, whose numbers are kept. A file with more has another shape than the
            profile says.

    """

    file_bytes: int = 64 * _GIB
    unpacked_bytes: int = 64 * _GIB
    ratio: int = 250
    ratio_bytes: int = _GIB // 4
    rows: int = 1_000_000_000
    columns: int = 16_384
    part_bytes: int = _GIB // 2
    footer_bytes: int = _GIB // 32
    malformed_rows: int = 5_000_000

    def check_file(self, path: Path, name: str) -> None:
        """Refuse a file for its size on disk."""
        size = path.stat().st_size
        if size > self.file_bytes:
            raise _too_large(name, f"the file has {size:,} bytes, {self.file_bytes:,} are allowed")

    def check_unpacked(self, unpacked: int, packed: int, name: str) -> None:
        """Refuse a file for what unpacking it gives, or has given so far."""
        if unpacked > self.ratio_bytes and unpacked > self.ratio * packed:
            raise InputProblem(
                "COMPRESSION",
                name,
                f"unpacked it is more than {self.ratio} times as large, as no real export is",
                "Send it without packing it",
            )
        if unpacked > self.unpacked_bytes:
            raise _too_large(name, f"unpacked it has more than {self.unpacked_bytes:,} bytes")

    def check_rows(self, rows: int, name: str) -> None:
        """Refuse a file for its records."""
        if rows > self.rows:
            raise InputProblem(
                "TOO_MANY_ROWS", name, f"it has more than {self.rows:,} rows", "Send it in parts, each a delivery"
            )

    def check_columns(self, columns: int, name: str) -> None:
        """Refuse a file for its columns."""
        if columns > self.columns:
            raise InputProblem(
                "TOO_MANY_COLUMNS",
                f"{name}, header",
                f"it has more than {self.columns:,} columns",
                "Send only columns that the profile names",
            )


def _too_large(name: str, what: str) -> InputProblem:
    return InputProblem("TOO_LARGE", name, what, "Send it in parts, each a delivery")


LIMITS = Limits()
