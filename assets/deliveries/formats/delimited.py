"""CSV and its relatives: text with a delimiter, every column read as text, bound by position to the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.formats.encoding import as_utf8, check_start
from assets.deliveries.formats.scratch import CHUNK_BYTES
from assets.deliveries.formats.table import ROW_NUMBER, STRUCTURE, TextTable, frame_names
from assets.deliveries.structure import read_structure

if TYPE_CHECKING:
    from pathlib import Path

    from assets.deliveries.limits import Limits
    from assets.deliveries.profile.fields import FileSource


def open_csv(path: Path, name: str, source: FileSource, scratch: Path, limits: Limits) -> TextTable:
    """Open a delimited file.

    Raises:
        InputProblem: EMPTY, ENCODING, HEADER, STRUCTURE, TOO_LARGE, TOO_MANY_ROWS, TOO_MANY_COLUMNS.

    """
    check_start(path, name, source.encoding)
    if source.encoding != "utf-8":
        path = as_utf8(path, name, source.encoding, scratch, limits)
    structure = read_structure(path, name, source.delimiter, limits)
    names = frame_names(structure.header, source.ignored, name)
    rows = pl.scan_csv(
        path,
        has_header=False,
        skip_rows=1,
        separator=source.delimiter,
        schema=dict.fromkeys(names, pl.String()),
        missing_columns="insert",
        extra_columns="ignore",
        empty_string_is_null=False,
        row_index_name=ROW_NUMBER,
        row_index_offset=1,
        glob=False,
    )
    malformed = pl.Series(structure.malformed, dtype=pl.Int64)
    number = pl.col(ROW_NUMBER).cast(pl.Int64)
    in_malformed = number.is_in(malformed.implode()) if len(malformed) else pl.lit(value=False)
    return TextTable(structure.header, rows.with_columns(number, in_malformed.alias(STRUCTURE)), structure.records)


def count_lines(path: Path) -> int:
    """Lines of a file, an unfinished last one among them."""
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")
