"""Files of every format as one kind of table: named columns of text, rows in order, records counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.deliveries.formats.delimited import count_lines, open_csv
from assets.deliveries.formats.table import ROW_NUMBER, STRUCTURE, TextTable
from assets.deliveries.formats.unpack import unpacked
from assets.deliveries.limits import LIMITS, Limits
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

    from assets.deliveries.profile.fields import FileSource
    from assets.deliveries.profile.loading import PrivacyMode

__all__ = ["ROW_NUMBER", "STRUCTURE", "TextTable", "count_records", "open_table"]

_LINES = ("csv", "fhir")


def open_table(
    path: Path, name: str, source: FileSource, scratch: Path, mode: PrivacyMode, limits: Limits = LIMITS
) -> TextTable:
    """Open a landed file.

    Args:
        path: the landed copy.
        name: what the clinic called the file, for messages; its ending says whether it is packed.
        source: format, delimiter, encoding ... as the profile declares them; nothing is guessed.
        scratch: a private folder for what has to be unpacked or rewritten; the caller empties it after reading.
        mode: the profile's privacy mode, for formats that name what they hold.
        limits: what a file may ask of this machine.

    Raises:
        InputProblem: anything for which the whole delivery must be refused.

    """
    # readers of single formats are imported where they are needed: together they take a second
    limits.check_file(path, name)
    if source.format == "fhir":
        from assets.deliveries.formats.fhir import open_fhir  # noqa: PLC0415

        return open_fhir(path, name, source, scratch, mode)
    content = unpacked(path, name, scratch, zipped=source.format == "excel", limits=limits)
    if not content.stat().st_size:
        raise InputProblem("EMPTY", name, "the file is empty", "Send it again")
    if source.format == "csv":
        return open_csv(content, name, source, scratch, limits)
    if source.format == "parquet":
        from assets.deliveries.formats.columnar import open_parquet  # noqa: PLC0415

        return open_parquet(content, name, source, limits)
    if source.format == "excel":
        from assets.deliveries.formats.excel import open_excel  # noqa: PLC0415

        return open_excel(content, name, source, scratch, limits)
    from assets.deliveries.formats.statistical import open_statistical  # noqa: PLC0415

    return open_statistical(content, name, source, scratch, limits)


def count_records(path: Path, name: str, source: FileSource, scratch: Path, mode: PrivacyMode) -> int:
    """Records of a file of a refused delivery, for its account.

    Exactly, or else what the file states, or lines without the header. A file that cannot be counted at all has none.
    """
    try:
        return open_table(path, name, source, scratch, mode).records
    except (InputProblem, OSError):
        pass
    try:
        content = unpacked(path, name, scratch, zipped=source.format == "excel")
    except (InputProblem, OSError):
        return 0
    if source.format == "parquet":
        from assets.deliveries.formats.columnar import stated_records  # noqa: PLC0415

        return stated_records(content)
    return max(count_lines(content) - (source.format == "csv"), 0) if source.format in _LINES else 0
