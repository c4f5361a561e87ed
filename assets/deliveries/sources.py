"""Opens a landed file against its profile: header by name, identifier gate, joins, rows in scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.contract.vocabulary import is_listed
from assets.deliveries.formats import ROW_NUMBER, STRUCTURE, open_table
from assets.deliveries.gate import agreed_on, gate_names, gate_values
from assets.deliveries.header import Columns, check_header_line, compare_header
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile.fields import FileSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assets.deliveries.emitters import Emitter
    from assets.deliveries.formats import TextTable
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile.fields import Join, Selection


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file ready for the typing pass.

    ``rows`` are those in scope: source columns, joined columns, ``row_number`` (from 1) and ``structure`` (true where
    the record is malformed); ``out_of_scope`` are the others, None where the profile takes all. ``records`` counts all
    records of the file. ``numeric`` names columns that are numbers already; ``present`` all columns there are.
    """

    rows: pl.LazyFrame
    out_of_scope: pl.LazyFrame | None
    records: int
    numeric: frozenset[str]
    present: frozenset[str]


REFERENCE_FORMAT = FileSource(match="reference")


class DeliveryTables:
    """The files of one delivery and the reference lists of its profile, each opened once."""

    def __init__(
        self, raw: Mapping[str, tuple[Path, FileSource]], profile: Profile, folder: Path, scratch: Path
    ) -> None:
        """``raw`` maps a file's name to its landed copy and description; ``folder`` holds the reference lists."""
        self._raw = raw
        self._profile = profile
        self._folder = folder
        self._scratch = scratch
        self._opened: dict[str, TextTable] = {}

    def open(self, name: str) -> TextTable:
        """The file called ``name``. Raises InputProblem if it cannot be opened."""
        if name not in self._opened:
            path, source = self._raw[name]
            self._opened[name] = open_table(path, name, source, self._scratch, self._profile.privacy_mode)
        return self._opened[name]

    def joined(self, join: Join) -> pl.LazyFrame:
        """Key and taken columns of every table that ``join`` names, one row per key."""
        tables = [self._reference(join.reference)] if join.reference else self._matching(str(join.file))
        columns = dict(zip(join.key, (f"join {name}" for name in join.on), strict=True)) | join.take
        parts = []
        for table in tables:
            missing = sorted({*columns, *(one.column for one in join.only)} - set(table.header))
            if missing:
                raise InputProblem(
                    "SCHEMA_MISSING",
                    f"{join.reference or join.file}",
                    f"column {missing[0]!r} is missing",
                    "Send it or change the join in the profile",
                )
            parts.append(
                table.rows.filter(~pl.col(STRUCTURE), *map(_selected, join.only)).select(
                    ROW_NUMBER, *(pl.col(old).cast(pl.String).alias(new) for old, new in columns.items())
                )
            )
        keys = [f"join {name}" for name in join.on]
        empty = pl.LazyFrame(schema={ROW_NUMBER: pl.Int64, **dict.fromkeys(columns.values(), pl.String)})
        rows = pl.concat([empty, *parts]).filter(pl.all_horizontal(pl.col(key).is_not_null() for key in keys))
        return rows.unique(subset=keys, keep="first", maintain_order=True).drop(ROW_NUMBER)

    def _matching(self, match: str) -> list[TextTable]:
        return [self.open(name) for name, (_, source) in self._raw.items() if source.match == match]

    def _reference(self, name: str | None) -> TextTable:
        reference = next(found for found in self._profile.references if found.name == name)
        path = self._folder / reference.file
        return open_table(path, path.name, REFERENCE_FORMAT, self._scratch, self._profile.privacy_mode)


def open_file(
    name: str, source: FileSource, tables: DeliveryTables, emitters: tuple[Emitter, ...], profile: Profile
) -> OpenedFile:
    """Open one landed file and pass it through the identifier gate.

    Raises:
        InputProblem: anything for which the whole delivery must be refused.

    """
    table = tables.open(name)
    brought = {new for join in source.joins for new in join.take.values()}
    used = {column for emitter in emitters for column in emitter.used_columns}
    used |= {column for join in source.joins for column in join.on} | {one.column for one in source.only}
    lent = [join for other in profile.files for join in other.joins if join.file == source.match]
    used |= {column for join in lent for column in (*join.key, *join.take, *(one.column for one in join.only))}
    optional = {column for emitter in emitters for column in emitter.optional}
    columns = Columns(used - brought - optional, optional, set(source.ignored))
    check_header_line(table.header, columns, name, source.delimiter)
    agreed = agreed_on(source, emitters, profile)
    gate_names(table, name, agreed)
    compare_header(table.header, columns, name)
    gate_values(table, name, agreed)
    rows, skipped = rows_in_scope(table, source, tables)
    return OpenedFile(rows, skipped, table.records, table.numeric, frozenset(table.header) | brought)


def rows_in_scope(
    table: TextTable, source: FileSource, tables: DeliveryTables
) -> tuple[pl.LazyFrame, pl.LazyFrame | None]:
    """Rows of a file with what its joins bring: those in scope and the others, None where the profile takes all."""
    rows = table.rows
    for join in source.joins:
        other = tables.joined(join)
        keys = [f"join {column}" for column in join.on]
        rows = rows.with_columns(pl.col(old).cast(pl.String).alias(key) for old, key in zip(join.on, keys, strict=True))
        rows = rows.join(other, on=keys, how="left", maintain_order="left").drop(keys)
    if not source.only:
        return rows, None
    # a malformed row is never out of scope: its blanks mean nothing
    in_scope = pl.col(STRUCTURE) | pl.all_horizontal(_selected(one) for one in source.only)
    return rows.filter(in_scope), rows.filter(~in_scope)


def _selected(selection: Selection) -> pl.Expr:
    text = pl.col(selection.column).cast(pl.String).str.strip_chars()
    if selection.vocabulary:
        found = text.is_in(selection.among) | is_listed(text, selection.vocabulary)
    else:
        found = text.is_in(selection.among) if selection.among else text != ""
    return found.fill_null(value=False)
