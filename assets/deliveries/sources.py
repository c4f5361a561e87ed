"""Opens a landed file as text: header against profile, identifier gate, lazy frame.

Nothing infers: every column is read as text (or, from Parquet, with the type it has) and the parser binds by position
to a header that was compared with the profile by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import polars as pl

from assets.contract.model import ColumnType
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile_fields import Delimiter
from assets.deliveries.rules import STRUCTURE
from assets.deliveries.structure import CHUNK_BYTES, read_structure
from assets.deliveries.typing_pass import ROW_NUMBER
from assets.privacy.identifiers import identifying_column, identifying_values

if TYPE_CHECKING:
    from pathlib import Path

    from assets.contract.model import Contract
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.profile_fields import FileSource

SAMPLE_ROWS = 10_000
COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file ready for the typing pass.

    ``rows`` has the source columns, ``row_number`` (from 1) and ``structure`` (true where the record is malformed).
    ``numeric`` names columns that are numbers already.
    """

    rows: pl.LazyFrame
    records: int
    numeric: frozenset[str]


def open_file(
    path: Path, name: str, source: FileSource, emitters: tuple[Emitter, ...], contract: Contract
) -> OpenedFile:
    """Open one landed file and pass it through the identifier gate.

    Raises:
        InputProblem: anything for which the whole delivery must be refused.

    """
    declared = {column for emitter in emitters for column in emitter.used_columns} | set(source.ignored)
    opened = _open_csv(path, name, source, declared) if source.format == "csv" else _open_parquet(path, name, declared)
    _gate_values(opened, name, emitters, contract)
    return opened


def count_records(path: Path, source: FileSource) -> int:
    """Records of a file of a refused delivery: its lines without the header where nothing better can be known."""
    try:
        if source.format == "parquet":
            return int(pl.scan_parquet(path, glob=False, hive_partitioning=False).select(pl.len()).collect().item())
        return read_structure(path, path.name, source.delimiter).records
    except (InputProblem, pl.exceptions.PolarsError, OSError):
        return 0 if source.format == "parquet" else max(_count_lines(path) - 1, 0)


def _count_lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")


def _open_csv(path: Path, name: str, source: FileSource, declared: set[str]) -> OpenedFile:
    structure = read_structure(path, name, source.delimiter)
    _compare_header(structure.header, declared, name, source.delimiter)
    rows = pl.scan_csv(
        path,
        has_header=False,
        skip_rows=1,
        separator=source.delimiter,
        schema=dict.fromkeys(structure.header, pl.String()),
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
    return OpenedFile(rows.with_columns(number, in_malformed.alias(STRUCTURE)), structure.records, frozenset())


def _open_parquet(path: Path, name: str, declared: set[str]) -> OpenedFile:
    try:
        rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = rows.collect_schema()
        records = int(rows.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        raise InputProblem("TRUNCATED", name, "this is not a complete Parquet file", "Send it again") from None
    _compare_header(tuple(schema.names()), declared, name, ",")
    numeric = frozenset(column for column, kind in schema.items() if kind.is_numeric())
    rows = rows.with_row_index(ROW_NUMBER, offset=1)
    return OpenedFile(
        rows.with_columns(pl.col(ROW_NUMBER).cast(pl.Int64), pl.lit(value=False).alias(STRUCTURE)), records, numeric
    )


def _compare_header(header: tuple[str, ...], declared: set[str], name: str, delimiter: str) -> None:
    where = f"{name}, header"
    if len(header) == 1 and len(declared) > 1:
        other = next((d for d in get_args(Delimiter) if d != delimiter and d in header[0]), None)
        if other:
            raise InputProblem(
                "DELIMITER",
                where,
                f"fields are not separated by {delimiter!r}",
                f"Declare delimiter: {other!r} in the profile if that is what this source sends",
            )
    if not set(header) & declared:
        raise InputProblem("HEADER", where, "none of the expected columns is there", "Send a file with a header line")
    _gate_names(header, where)
    for position, column in enumerate(header, start=1):
        if column in header[: position - 1]:
            raise InputProblem(
                "SCHEMA_DUPLICATE", where, f"{_said(column, position)} occurs more than once", "Send each column once"
            )
    missing = sorted(declared - set(header))
    if missing:
        raise InputProblem(
            "SCHEMA_MISSING", where, f"column {missing[0]!r} is missing", "Send it or change the profile"
        )
    for position, column in enumerate(header, start=1):
        if column not in declared:
            raise InputProblem(
                "SCHEMA_EXTRA",
                where,
                f"{_said(column, position)} is not in the profile",
                "Leave it out or list it under 'ignored' in the profile",
            )


def _gate_names(header: tuple[str, ...], where: str) -> None:
    """No column may be named after an identifier, not even one that the profile lists: its values would be copied."""
    for position, column in enumerate(header, start=1):
        what = identifying_column(column)
        if what:
            raise InputProblem(
                "PHI_SUSPECTED",
                f"{where}, {_said(column, position)}",
                f"the column looks like {what}",
                "Send the file without it",
            )


def _said(column: str, position: int) -> str:
    """A column for a sentence: by its name if it can be one, for without a header line it would be a value."""
    return f"column {column!r}" if COLUMN_NAME.fullmatch(column) else f"column {position}"


def _gate_values(opened: OpenedFile, name: str, emitters: tuple[Emitter, ...], contract: Contract) -> None:
    """Look for identifying values: in every row of columns that make keys, in the first rows of all others.

    A key that only points to another table needs no look at every row: one that is not in that table is set aside.
    """
    text = [column for column in opened.rows.collect_schema().names() if column not in (ROW_NUMBER, STRUCTURE)]
    columns = tuple(column for column in text if column not in opened.numeric)
    key_columns = {column for emitter in emitters for column in _own_key_columns(emitter, contract)}
    everywhere = tuple(column for column in columns if column in key_columns)
    as_text = opened.rows.with_columns(_unlisted(column, emitters) for column in columns)
    try:
        found = identifying_values(as_text.head(SAMPLE_ROWS), columns, ROW_NUMBER) if columns else None
        if found is None and everywhere:
            found = identifying_values(as_text, everywhere, ROW_NUMBER)
    except pl.exceptions.PolarsError:
        raise InputProblem("STRUCTURE", name, "the file cannot be parsed", "Check quotes and line ends") from None
    if found:
        column, row, what = found
        raise InputProblem(
            "PHI_SUSPECTED",
            f"{name}, row {row}, column {column!r}",
            f"the values look like {what}",
            "Send surrogate keys and day offsets instead",
        )


def _unlisted(column: str, emitters: tuple[Emitter, ...]) -> pl.Expr:
    """A column's text without the codes that the profile lists: "Usual Care" looks like a name but was agreed on."""
    listed = {
        text
        for emitter in emitters
        for source in emitter.fields.values()
        if column in source.used_columns
        for text in (*source.codes, *source.missing)
    }
    text = pl.col(column).cast(pl.String)
    return pl.when(~text.is_in(sorted(listed))).then(text).alias(column) if listed else text


def _own_key_columns(emitter: Emitter, contract: Contract) -> tuple[str, ...]:
    table = contract.table(emitter.table.name)
    foreign = {reference.column for reference in table.references}
    return tuple(
        column
        for field, source in emitter.fields.items()
        if table.column(field).type is ColumnType.KEY and field not in foreign
        for column in source.used_columns
    )
