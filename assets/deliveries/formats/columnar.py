"""Parquet: columns keep their types, so that numbers are not written as text and read back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.deliveries.formats.table import ROW_NUMBER, STRUCTURE, TextTable, frame_names
from assets.deliveries.problems import InputProblem, said_column
from assets.deliveries.structure import USUAL_FIELD_BYTES, USUAL_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from assets.deliveries.limits import Limits
    from assets.deliveries.profile.fields import FileSource

_BATCH_ROWS = 1 << 17
_BUFFER_BYTES = 1 << 20
_END_BYTES = 8
"""Of the footer's length and the signature, with which a file ends."""
_POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
_FIRST_YEAR, _LAST_YEAR = 1, 9999
_TIME = "%H:%M:%S%.f"


def open_parquet(path: Path, name: str, source: FileSource, limits: Limits) -> TextTable:
    """Open a Parquet file.

    Raises:
        InputProblem: TRUNCATED, if it is damaged or no Parquet file; SCHEMA_TYPE, if a column that is read holds
            lists, structures or bytes; TOO_MANY_ROWS, TOO_MANY_COLUMNS, TOO_LARGE, COMPRESSION.

    """
    records = _records(path, name, limits)
    _check_pages(path, records, name, source.ignored, limits)
    try:
        rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = rows.collect_schema()
    except _POLARS_ERRORS:
        raise _damaged(name) from None
    header = tuple(schema.names())
    names = frame_names(header, source.ignored, name)
    columns = []
    for position, (column, new, kind) in enumerate(zip(header, names, schema.dtypes(), strict=True), start=1):
        text = _plain(pl.col(column), kind)
        if text is None and column in source.ignored:
            text = pl.lit(None, pl.String)
        if text is None:
            raise InputProblem(
                "SCHEMA_TYPE",
                f"{name}, {said_column(column, position)}",
                f"it holds {_SAID.get(kind.base_type(), 'something that is neither text nor number nor date')}",
                "Write it as text, numbers or dates, or list it under 'ignored' in the profile",
            )
        columns.append(text.alias(new))
    numeric = frozenset(column for column, kind in schema.items() if kind.is_numeric())
    texts = [pl.col(new) for column, new in zip(header, names, strict=True) if column not in numeric]
    longest = max(USUAL_LINE_BYTES, USUAL_FIELD_BYTES * len(header))
    overlong = pl.sum_horizontal(text.str.len_bytes().cast(pl.Int64) for text in texts) > longest
    numbered = (
        rows.select(columns)
        .with_row_index(ROW_NUMBER, offset=1)
        .with_columns(pl.col(ROW_NUMBER).cast(pl.Int64), (overlong if texts else pl.lit(value=False)).alias(STRUCTURE))
    )
    _check_columns(numbered, records, name)
    return TextTable(header, numbered, records, numeric)


_SAID: dict[type[pl.DataType], str] = {
    pl.List: "lists",
    pl.Array: "lists",
    pl.Struct: "structures",
    pl.Binary: "bytes",
    pl.Object: "objects",
}


def _plain(column: pl.Expr, kind: pl.DataType) -> pl.Expr | None:
    """A column as text, or as numbers if it holds some; None if it is neither."""
    if kind.is_numeric() or kind == pl.String:
        return column
    if isinstance(kind, pl.Null | pl.Boolean | pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(kind, pl.Date):
        return _dated(column, "%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        # the day and time that clocks on the spot showed
        return _dated(column, f"%Y-%m-%dT{_TIME}{'%:z' if kind.time_zone else ''}")
    if isinstance(kind, pl.Time):
        return column.dt.strftime(_TIME)
    return None


def _dated(column: pl.Expr, style: str) -> pl.Expr:
    """Dates as text; what lies before or after all of them as the number it is stored as, which is no date."""
    possible = column.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)
    return pl.coalesce(pl.when(possible).then(column).dt.strftime(style), column.to_physical().cast(pl.String))


def stated_records(path: Path) -> int:
    """Rows as the footer of a file states them that may be damaged elsewhere; 0 if it is unreadable."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return 0


def _records(path: Path, name: str, limits: Limits) -> int:
    """Rows as the footer states them, after a look at what it would take to read them."""
    _check_footer(path, name, limits)
    try:
        footer = pq.read_metadata(path)
        size = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
    except (pa.ArrowException, ValueError, OSError):
        raise _damaged(name) from None
    limits.check_rows(footer.num_rows, name)
    limits.check_columns(footer.num_columns, name)
    limits.check_unpacked(size, path.stat().st_size, name)
    return int(footer.num_rows)


def _check_footer(path: Path, name: str, limits: Limits) -> None:
    """Refuse a footer that lists more columns and groups of rows than can be kept in memory, before it is read."""
    with path.open("rb") as file:
        file.seek(-min(_END_BYTES, path.stat().st_size), os.SEEK_END)
        length = int.from_bytes(file.read(4), "little")
    if limits.footer_bytes < length < path.stat().st_size:  # a longer one is damage
        raise InputProblem(
            "TOO_LARGE",
            name,
            f"its footer has more than {limits.footer_bytes:,} bytes",
            "Write it with fewer columns, or with more rows in each group of rows",
        )


def _check_pages(path: Path, records: int, name: str, ignored: Collection[str], limits: Limits) -> None:
    """Decode the whole file once with Arrow: Polars ends the process on some damaged files, Arrow says so.

    One column after the other, so that no more than a page of each is in memory, whatever the footer states; texts are
    left as dictionaries, which takes a hundredth of what is done with them later. Nested columns that the profile
    ignores are never decoded. What a file of few bytes says over and over counts as often as it is said.
    """
    packed = path.stat().st_size
    size = 0
    before = pa.total_allocated_bytes()
    try:
        with pq.ParquetFile(path) as footer:
            fields = list(footer.schema_arrow)
        texts = [field.name for field in fields if field.type in (pa.string(), pa.large_string())]
        with pq.ParquetFile(path, read_dictionary=texts, buffer_size=_BUFFER_BYTES) as file:
            for field in fields:
                if pa.types.is_nested(field.type) and field.name in ignored:
                    continue
                found = 0
                for batch in file.iter_batches(_BATCH_ROWS, columns=[field.name], use_threads=False):
                    found += batch.num_rows
                    size += batch.num_rows + _characters(batch.column(0))
                    limits.check_unpacked(size, packed, name)
                    if pa.total_allocated_bytes() - before > limits.part_bytes:
                        raise InputProblem(
                            "TOO_LARGE",
                            name,
                            f"reading a part of it takes more than {limits.part_bytes:,} bytes",
                            "Write it with smaller pages",
                        )
                if found != records:
                    raise _damaged(name)
    except (pa.ArrowException, ValueError, OSError):
        raise _damaged(name) from None


def _characters(column: pa.Array) -> int:
    """Bytes of a column of text; of others 0."""
    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = pc.binary_length(column.dictionary)
    longest = pc.max(lengths).as_py() or 0
    if longest <= USUAL_FIELD_BYTES:
        return int(longest * len(column))
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _check_columns(rows: pl.LazyFrame, records: int, name: str) -> None:
    """Decode it as it will be read: what Arrow lets pass and Polars does not is found here and not half way."""
    try:
        found = rows.select(pl.exclude(ROW_NUMBER).null_count(), pl.col(ROW_NUMBER).max()).collect(engine="streaming")
    except _POLARS_ERRORS:
        raise _damaged(name) from None
    if (found[ROW_NUMBER].item() or 0) != records:
        raise _damaged(name)


def _damaged(name: str) -> InputProblem:
    return InputProblem("TRUNCATED", name, "this is not a complete Parquet file", "Send it again")
