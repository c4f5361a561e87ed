"""The contract's row rules as Polars expressions, so that one pass over a delivery types it and finds what is wrong.

Great Expectations evaluates the same checks again in SQL; the two must agree on every count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.checks import Check, Kind, delivery_checks
from assets.contract.model import SCORE_DECIMALS, SCORE_DIGITS, ColumnType
from assets.deliveries.formats import STRUCTURE

if TYPE_CHECKING:
    from assets.contract.model import Bounds, Column, Contract, Table

SCORE_TYPE = pl.Decimal(SCORE_DIGITS, SCORE_DECIMALS)
TEXT_SUFFIX = "__text"
MEASURE_COLUMNS = ("measure_unit", "measure_sided", "measure_step", "measure_low", "measure_high")


def polars_type(column: Column) -> pl.DataType:
    """The column's type in a frame."""
    if column.type in (ColumnType.INTEGER, ColumnType.DAY):
        return pl.Int32()
    return SCORE_TYPE if column.type is ColumnType.SCORE else pl.String()


def row_checks(contract: Contract, table: Table) -> tuple[Check, ...]:
    """The checks that set a row of ``table`` aside, in the order of the bits of ``violations``.

    The per-measure ranges of ``measurement.value`` share one bit.
    """
    checks = [check for check in delivery_checks(contract, table) if check.sets_aside and check.measure_id is None]
    if table.name == "measurement":
        checks.append(_any_measure_range(contract, table))
    return tuple(checks)


def _any_measure_range(contract: Contract, table: Table) -> Check:
    one = next(c for c in delivery_checks(contract, table) if c.kind is Kind.POSSIBLE and c.measure_id is not None)
    return Check(
        "measurement.value.possible",
        one.stage,
        one.kind,
        one.table,
        one.column,
        "Every score is possible for its measure",
        "Every score lies within the possible bounds of its measure.",
        one.severity,
        one.tolerance,
        one.reason,
    )


def measure_frame(contract: Contract) -> pl.DataFrame:
    """What row rules need to know of a measure: one row per measure, keyed by ``measure_id``."""
    return pl.DataFrame(
        {
            "measure_id": [measure.measure_id for measure in contract.measures],
            "measure_unit": [measure.unit for measure in contract.measures],
            "measure_sided": [measure.sided for measure in contract.measures],
            "measure_step": [measure.step for measure in contract.measures],
            "measure_low": [measure.possible.low for measure in contract.measures],
            "measure_high": [measure.possible.high for measure in contract.measures],
        },
        schema_overrides={"measure_step": SCORE_TYPE, "measure_low": pl.Float64, "measure_high": pl.Float64},
    ).with_columns(pl.col("measure_low", "measure_high").cast(SCORE_TYPE))


def violations(checks: tuple[Check, ...], table: Table) -> pl.Expr:
    """Int64 with bit i set where check i is violated; 0 for a row that nothing is wrong with."""
    bits = [
        pl.when(violated(check, table)).then(pl.lit(1 << bit, pl.Int64)).otherwise(pl.lit(0, pl.Int64))
        for bit, check in enumerate(checks)
    ]
    return pl.sum_horizontal(bits)


def violated(check: Check, table: Table) -> pl.Expr:  # noqa: PLR0911 one return per kind reads best
    """Boolean, true where the row violates ``check``; null or false where it does not.

    Works on the typed columns of the check's table, with ``<column>__text`` for unreadable numbers and, for
    measurements, the columns of ``measure_frame``.
    """
    if check.kind is Kind.STRUCTURE:
        return pl.col(STRUCTURE)
    if check.violated:
        return pl.sql_expr(check.violated)
    column = str(check.column)
    value = pl.col(column)
    if check.kind is Kind.REQUIRED:
        return _not_sent(table.column(column), table)
    if check.kind is Kind.READABLE:
        return pl.col(f"{column}{TEXT_SUFFIX}").is_not_null()
    if check.kind is Kind.PATTERN:
        return ~value.str.contains(str(check.pattern))
    if check.kind is Kind.ALLOWED:
        return ~value.is_in(check.allowed)
    if check.kind is Kind.POSSIBLE and check.bounds is not None:
        return ~_between(value, check.bounds)
    if check.kind is Kind.POSSIBLE:
        return (value < pl.col("measure_low")) | (value > pl.col("measure_high"))
    message = f"{check.kind} does not set rows aside"
    raise ValueError(message)


def _not_sent(column: Column, table: Table) -> pl.Expr:
    """Neither the column nor one that can stand in for it was sent."""
    empty = pl.col(column.name).is_null()
    if column.is_number:
        # text where a number belongs is unreadable, not missing: one fault, one reason
        empty &= pl.col(f"{column.name}{TEXT_SUFFIX}").is_null()
    return empty & _not_sent(table.column(column.required_unless), table) if column.required_unless else empty


def _between(value: pl.Expr, bounds: Bounds) -> pl.Expr:
    return value.is_between(bounds.low, bounds.high)
