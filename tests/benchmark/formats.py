"""How much memory reading takes: a large file of each format, each opened and read in a process of its own.

    python tests/benchmark/formats.py [--gigabytes 2] [--rows 1000000] [case ...]

Files are made in a temporary folder. Not a test: it takes minutes and several gigabytes of disk.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.deliveries.formats import open_table
from assets.deliveries.profile.fields import FileSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = ("visit_key", "measure_id", "side", "active_passive", "method", "rater_key", "value", "unit")
BLOCK = 10_000


def _blocks(rows: int) -> Iterator[list[tuple[str, ...]]]:
    random = np.random.default_rng(1)
    for first in range(0, rows, BLOCK):
        values = random.integers(0, 101, BLOCK) / 10
        yield [
            (
                f"V{first + i:09}",
                "nprs_avg24h",
                "none",
                "active",
                "questionnaire",
                f"R{i % 97:03}",
                f"{value}",
                "points",
            )
            for i, value in enumerate(values[: rows - first])
        ]


def _text(rows: int) -> Iterator[str]:
    yield ",".join(HEADER) + "\r\n"
    for block in _blocks(rows):
        yield "".join(",".join(row) + "\r\n" for row in block)


def write_utf16_gz(path: Path, rows: int) -> None:
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-16", newline="") as file:
        file.writelines(_text(rows))


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(_text(rows))


def write_xlsx(path: Path, rows: int) -> None:
    """A workbook as small exporters write it, all texts in the cells."""
    parts = {
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" Type="x/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="scores" r:id="r1"/></sheets></workbook>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(b"<worksheet><sheetData>")
            sheet.write(_sheet_row(HEADER).encode())
            for block in _blocks(rows):
                sheet.write("".join(map(_sheet_row, block)).encode())
            sheet.write(b"</sheetData></worksheet>")


def _sheet_row(row: tuple[str, ...]) -> str:
    cells = (
        f"<c><v>{text}</v></c>" if text[0].isdigit() else f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in row
    )
    return f"<row>{''.join(cells)}</row>"


def write_parquet(path: Path, rows: int) -> None:
    frames = [pl.DataFrame(block, schema=HEADER, orient="row").lazy() for block in _blocks(rows)]
    pl.concat(frames).with_columns(pl.col("value").cast(pl.Float64)).sink_parquet(path)


def write_sav(path: Path, rows: int) -> None:
    import pyreadstat  # noqa: PLC0415 slow, and only needed here

    frame = pl.concat(pl.DataFrame(block, schema=HEADER, orient="row") for block in _blocks(rows))
    frame = frame.with_columns(pl.col("value").cast(pl.Float64))
    write = pyreadstat.write_sav if path.suffix == ".sav" else pyreadstat.write_dta
    write(frame.to_pandas(), str(path))


ROW_BYTES = 65
CASES: dict[str, tuple[FileSource, str, Callable[[Path, int], None]]] = {
    "csv": (FileSource(match="*"), "scores.csv", write_csv),
    "utf16gz": (FileSource(match="*", encoding="utf-16"), "scores.csv.gz", write_utf16_gz),
    "parquet": (FileSource(match="*", format="parquet"), "scores.parquet", write_parquet),
    "xlsx": (FileSource(match="*", format="excel"), "scores.xlsx", write_xlsx),
    "sav": (FileSource(match="*", format="spss"), "scores.sav", write_sav),
    "dta": (FileSource(match="*", format="stata"), "scores.dta", write_sav),
}
GROWING = ("csv", "utf16gz")


def _read(path: Path, source: FileSource, scratch: Path) -> None:
    before = _peak()
    start = time.perf_counter()
    table = open_table(path, path.name, source, scratch, "safe_harbor")
    opened = time.perf_counter()
    table.rows.sink_parquet(scratch / "read.parquet")
    read = pl.scan_parquet(scratch / "read.parquet").select(pl.len()).collect().item()
    if read != table.records:
        message = f"{table.records:,} records, {read:,} read"
        raise SystemExit(message)
    print(  # noqa: T201 this is what the program is for
        f"{path.name}: {path.stat().st_size / 1e6:,.0f} MB, {read:,} rows; opened in {opened - start:.1f} s, "
        f"read in {time.perf_counter() - opened:.1f} s, peak {_peak():,.0f} MB ({before:,.0f} before)"
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    """Make and read the files asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", choices=[*CASES, []])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    for case in options.cases or CASES:
        source, file, write = CASES[case]
        bytes_per_row = ROW_BYTES * (2 if case == "utf16gz" else 1)
        rows = int(options.gigabytes * 1e9 / bytes_per_row) if case in GROWING else options.rows
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file
            for target, arguments in ((write, (path, rows)), (_read, (path, source, Path(folder)))):
                process = spawn.Process(target=target, args=arguments)
                process.start()
                process.join()


if __name__ == "__main__":
    main()
