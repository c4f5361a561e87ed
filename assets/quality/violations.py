"""The SQL that lists the rows that violate a check, independent of Great Expectations.

The check catalogue shows it, the quarantine can run it, and a test holds its row count against what Great
Expectations counted. Rows are named by (delivery_id, file, row_number): no value of a row is selected.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.contract.checks import Check, Kind, Stage
from assets.contract.model import SCORE_DECIMALS, SCORE_DIGITS, Bounds
from assets.deliveries.rules import TEXT_SUFFIX, row_checks

if TYPE_CHECKING:
    from assets.contract.model import Column, Contract, Table

SCORE_SQL = f"decimal({SCORE_DIGITS}, {SCORE_DECIMALS})"
COLUMN_KINDS = frozenset({Kind.SCHEMA, Kind.TYPE})
"""Kinds that speak of columns, so that no row violates them."""
MEASURE_ATTRIBUTES = ("measure_unit", "measure_sided", "measure_step")


def violated_rows_sql(contract: Contract, check: Check, relation: str | None = None) -> str:
    """Return a query for (delivery_id, file, row_number) of every row that violates ``check``; a SQL check has its own.

    Reads ``relation`` (default ``lake.<table>``; columns as in the lake) and, for rules that need the properties of a
    measure, ``reference.measure``. Checks between rows are decided by the models, in ``audit.rule_violation``.

    Raises:
        ValueError: the check speaks of columns (``COLUMN_KINDS``) or is of a kind that has no SQL.

    """
    if check.is_sql:
        return check.violated_sql
    if check.kind in COLUMN_KINDS:
        message = f"{check.check_id} speaks of columns, no row violates it"
        raise ValueError(message)
    if check.stage is Stage.RELEASE:
        return (
            "select delivery_id, file, row_number\nfrom audit.rule_violation\n"
            f"where check_id = {literal(check.check_id)}"
        )
    source = relation or f"lake.{check.table}"
    join = ""
    if set(MEASURE_ATTRIBUTES) & set(words(check.violated or "", MEASURE_ATTRIBUTES)):
        join = (
            "\nleft join (\n"
            "    select measure_id, unit as measure_unit, sided as measure_sided,\n"
            f"        cast(power(10, -decimals) as {SCORE_SQL}) as measure_step\n"
            "    from reference.measure\n"
            ") as measure using (measure_id)"
        )
    selected = "delivery_id, file, row_number"
    return f"select {selected}\nfrom {source}{join}\nwhere {condition(contract, check)}"


def condition(contract: Contract, check: Check) -> str:
    """SQL that is true for a row that violates a check of the delivery stage, false or null for any other.

    Raises:
        ValueError: a kind that no row can violate, a check without what its kind needs, or an unknown column.

    """
    table = contract.table(check.table)
    if check.kind is Kind.STRUCTURE:
        # found in the bytes of the file: only the bit the reader set is left of it
        return f"violations & {1 << row_checks(contract, table).index(check)} <> 0"
    if check.kind is Kind.USABLE:
        return "not accepted"
    if check.kind is Kind.ROW_RULE and check.violated:
        return check.violated
    if check.column not in table.names:
        message = f"{check.check_id}: no column {check.column}"
        raise ValueError(message)
    if check.kind is Kind.REQUIRED and is_number(contract, check):
        return _not_sent(table.column(check.column), table)
    return _condition_of_column(check, check.column)


def is_number(contract: Contract, check: Check) -> bool:
    """Whether the column of ``check`` holds numbers, so that the lake keeps unreadable text beside it."""
    return contract.table(check.table).column(str(check.column)).is_number


def _not_sent(column: Column, table: Table) -> str:
    """Neither the column nor one that can stand in for it was sent."""
    # text where a number belongs is unreadable, not missing: one fault, one reason
    empty = f"{column.name} is null" + (f" and {column.name}{TEXT_SUFFIX} is null" if column.is_number else "")
    return f"{empty} and {_not_sent(table.column(column.required_unless), table)}" if column.required_unless else empty


def _condition_of_column(check: Check, column: str) -> str:
    if check.kind is Kind.REQUIRED:
        return f"{column} is null"
    if check.kind is Kind.READABLE:
        return f"{column}{TEXT_SUFFIX} is not null"
    if check.kind is Kind.PATTERN and check.pattern:
        return f"not regexp_matches({column}, {literal(check.pattern)})"
    if check.kind is Kind.ALLOWED and check.allowed:
        return f"{column} not in ({', '.join(literal(code) for code in check.allowed)})"
    if check.kind in (Kind.POSSIBLE, Kind.PLAUSIBLE) and isinstance(check.bounds, Bounds):
        outside = f"{column} < {literal(check.bounds.low)} or {column} > {literal(check.bounds.high)}"
        return outside if check.measure_id is None else f"measure_id = {literal(check.measure_id)} and ({outside})"
    message = f"{check.check_id}: kind {check.kind} has no SQL condition"
    raise ValueError(message)


def words(sql: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``names`` that occur in ``sql`` outside quoted text."""
    found = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", sql)))
    return tuple(name for name in names if name in found)


def literal(value: str | float | Decimal) -> str:
    """Return a value of the contract (text, number, yes or no) as a SQL literal."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)
