"""What Great Expectations reads: two relations for one table of a delivery, so that it needs two scans of the rows.

* ``quality_<table>_rows``: the columns as stored, one row per row. For columns, types, empty fields and keys.
* ``quality_<table>_counted``: every combination of the values that a check reads together, once, with the number of
  rows that have it (``occurrences``). Columns that no check reads together are counted in separate grouping sets of
  the same scan (``counted_set``) and are null in each other's rows: null means *nothing to check here*.
  Great Expectations knows only columns, so beside the contract's there are

  - ``value__<measure>``: the value where the measure is this one, null elsewhere,
  - ``<number>__unreadable``: whether text was sent that is not a number, null where nothing was sent,
  - ``<number>__empty``: whether nothing was sent,
  - ``<table>__<column>__<rule>``: whether a row rule is violated, null where it cannot be decided,
  - ``<table>__row__structure``: whether the reader found the record malformed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from assets.contract.checks import Check, Kind
from assets.deliveries.rules import TEXT_SUFFIX
from assets.quality.violations import MEASURE_ATTRIBUTES, SCORE_SQL, condition, is_number, literal, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from assets.contract.model import Contract, Table

COUNTED = "_counted"
OCCURRENCES = "occurrences"
COUNTED_SET = "counted_set"
FLAGGED = frozenset({Kind.STRUCTURE, Kind.USABLE, Kind.READABLE, Kind.REQUIRED})
"""Kinds counted as a flag of the row, because they look at what the contract's columns do not show."""
LAKE_COLUMNS = ("delivery_id", "file", "row_number", "accepted", "violations")


@dataclass(frozen=True, slots=True)
class Relations:
    """Names of the relations of one table, and the measures that occur in it.

    ``failure`` is the class of DuckDB's error where the values could not be counted, as the files lack a column that
    a check reads or hold it in another type; empty otherwise.
    """

    rows: str
    counted: str
    measures: frozenset[str] = frozenset()
    failure: str = ""


@contextmanager
def relations(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    table: Table,
    checks: Sequence[Check],
    files: Sequence[Path],
) -> Iterator[Relations]:
    """Create the relations over the lake files of ``table``; they are gone when the block ends.

    Raises:
        duckdb.Error: the files cannot be read.

    """
    source = f"read_parquet([{', '.join(literal(str(file)) for file in files)}])"
    names = [row[0] for row in connection.execute(f"describe select * from {source}").fetchall()]
    rows, counted = f"quality_{table.name}_rows", f"quality_{table.name}{COUNTED}"
    stored = ", ".join(f'"{name}"' for name in names if not _added_by_lake(table, name))
    try:
        connection.execute(f"create or replace temp view {rows} as select {stored} from {source}")
        try:
            measures = _count(connection, contract, table, checks, source, counted)
        except duckdb.Error as error:
            found = Relations(rows, counted, failure=type(error).__name__)
        else:
            found = Relations(rows, counted, measures)
        yield found
    finally:
        for kind, name in (("view", counted), ("table", f"{counted}_table"), ("view", rows)):
            connection.execute(f"drop {kind} if exists temp.{name}")


def on_rows(contract: Contract, check: Check) -> bool:
    """Whether a check is evaluated on the rows themselves; keys differ from row to row, counting them saves nothing."""
    return check.kind in (Kind.SCHEMA, Kind.TYPE, Kind.PATTERN) or (
        check.kind is Kind.REQUIRED and not is_number(contract, check)
    )


def checked_column(contract: Contract, check: Check) -> str:
    """Column of the relation that the expectation for ``check`` looks at.

    Raises:
        ValueError: the check looks at no single column.

    """
    if check.kind in (Kind.ROW_RULE, Kind.STRUCTURE, Kind.USABLE):
        return check.check_id.replace(".", "__")
    if check.column is None:
        message = f"{check.check_id} looks at no single column"
        raise ValueError(message)
    if check.kind is Kind.READABLE:
        return f"{check.column}__unreadable"
    if check.kind is Kind.REQUIRED and is_number(contract, check):
        return f"{check.column}__empty"
    return check.column if check.measure_id is None else f"{check.column}__{check.measure_id}"


def sets_of_columns(contract: Contract, table: Table, checks: Sequence[Check]) -> list[tuple[str, ...]]:
    """Columns to count together: those that some check reads together, joined where they overlap."""
    groups: list[set[str]] = []
    for check in checks:
        if on_rows(contract, check) or check.kind in FLAGGED:
            continue
        joined = {str(check.column)} if check.kind is not Kind.ROW_RULE else set()
        joined |= set(words(check.violated or "", table.names))
        if check.measure_id is not None or words(check.violated or "", MEASURE_ATTRIBUTES):
            joined.add("measure_id")
        apart = [group for group in groups if not group & joined]
        groups = [*apart, joined.union(*(group for group in groups if group & joined))]
    return [tuple(name for name in table.names if name in group) for group in groups]


def _counts_sql(contract: Contract, table: Table, checks: Sequence[Check], source: str) -> str:
    made: dict[str, str] = {}
    groups = [list(columns) for columns in sets_of_columns(contract, table, checks)]
    names = [name for group in groups for name in group]
    for check in checks:
        if on_rows(contract, check) or check.kind not in FLAGGED:
            continue
        flag = checked_column(contract, check)
        made[flag] = condition(contract, check)
        if check.kind is Kind.READABLE:
            sent = f"{check.column} is not null or {check.column}{TEXT_SUFFIX} is not null"
            made[flag] = f"case when {sent} then {made[flag]} end"
        groups.append([flag])
    columns = ", ".join(name for group in groups for name in group)
    selected = ", ".join([*names, *(f"{sql} as {name}" for name, sql in made.items())])
    sets = ", ".join(f"({', '.join(group)})" for group in groups)
    number = " ".join(f"when grouping({group[0]}) = 0 then {index}" for index, group in enumerate(groups))
    return (
        f"select {columns}, case {number} end as {COUNTED_SET}, cast(count(*) as bigint) as {OCCURRENCES}\n"
        f"from (select {selected} from {source})\ngroup by grouping sets ({sets})"
    )


def _count(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    table: Table,
    checks: Sequence[Check],
    source: str,
    counted: str,
) -> frozenset[str]:
    """Create the counted relation; return the measures that occur."""
    counts = f"{counted}_table"
    connection.execute(f"create or replace temp table {counts} as {_counts_sql(contract, table, checks, source)}")
    measures: frozenset[str] = frozenset()
    if "measure_id" in table.names:
        found = connection.execute(f"select distinct measure_id from {counts} where measure_id is not null").fetchall()
        measures = frozenset(row[0] for row in found)
    sql = _counted_sql(contract, table, checks, counts, measures)
    connection.execute(f"create or replace temp view {counted} as {sql}")
    return measures


def _counted_sql(
    contract: Contract, table: Table, checks: Sequence[Check], counts: str, measures: frozenset[str]
) -> str:
    made: dict[str, str] = {}
    for check in checks:
        if check.measure_id in measures:
            sql = f"case when measure_id = {literal(check.measure_id or '')} then {check.column} end"
            made[checked_column(contract, check)] = sql
        elif check.kind is Kind.ROW_RULE and check.violated:
            # only in the rows that count its columns: null elsewhere means "not counted here", not "empty"
            read = words(check.violated, table.names)
            groups = sets_of_columns(contract, table, checks)
            number = next(index for index, group in enumerate(groups) if set(read) & set(group))
            made[checked_column(contract, check)] = f"case when {COUNTED_SET} = {number} then ({check.violated}) end"
    columns = "".join(f",\n    {sql} as {name}" for name, sql in made.items())
    return f"select {counts}.*{columns}\nfrom {counts}{_measure_join(contract, table)}"


def _measure_join(contract: Contract, table: Table) -> str:
    if "measure_id" not in table.names:
        return ""
    values = ", ".join(
        f"({literal(m.measure_id)}, {literal(m.unit)}, {literal(m.sided)}, cast({literal(m.step)} as {SCORE_SQL}))"
        for m in contract.measures
    )
    attributes = ", ".join(MEASURE_ATTRIBUTES)
    return f"\nleft join (values {values}) as measure (measure_id, {attributes}) using (measure_id)"


def _added_by_lake(table: Table, name: str) -> bool:
    texts = {f"{c.name}{TEXT_SUFFIX}" for c in table.columns if c.is_number}
    return name in LAKE_COLUMNS or name in texts
