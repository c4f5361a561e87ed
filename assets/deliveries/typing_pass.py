"""Text to typed rows, with reasons: the one pass over what a clinic sent.

``typed_rows`` turns a lazy frame of source text into canonical rows of one table. Nothing is dropped: a value that
cannot be read stays beside its empty column as text, and ``violations`` says what is wrong with the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.model import SCORE_DECIMALS, SCORE_DIGITS, ColumnType
from assets.deliveries.rules import (
    MEASURE_COLUMNS,
    STRUCTURE,
    TEXT_SUFFIX,
    measure_frame,
    polars_type,
    row_checks,
    violations,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import Column, Contract, Table
    from assets.deliveries.profile_fields import FieldSource

ROW_NUMBER = "row_number"
SCORE_LIMIT = 10.0 ** (SCORE_DIGITS - SCORE_DECIMALS)


def typed_rows(
    source: pl.LazyFrame, contract: Contract, table: Table, fields: Mapping[str, FieldSource], numeric: frozenset[str]
) -> pl.LazyFrame:
    """Canonical columns of ``table`` plus ``<number>__text``, ``row_number``, ``violations``.

    ``source`` holds the source columns, ``row_number`` and ``structure``. ``numeric`` names source columns that are
    numbers already (Parquet); all others are text.
    """
    typed = [expression for column in table.columns for expression in _typed(column, fields.get(column.name), numeric)]
    rows = source.select(*typed, ROW_NUMBER, STRUCTURE)
    if table.name == "measurement":
        rows = rows.join(measure_frame(contract).lazy(), on="measure_id", how="left", maintain_order="left")
    rows = rows.with_columns(violations=violations(row_checks(contract, table), table))
    return rows.drop(STRUCTURE, *(MEASURE_COLUMNS if table.name == "measurement" else ()))


def text_of(field: FieldSource | None) -> pl.Expr:
    """The text a field holds, null where blank or missing."""
    if field is None:
        return pl.lit(None, pl.String)
    if field.constant is not None:
        return pl.lit(str(field.constant), pl.String)
    if field.column is not None:
        text = _blank_to_null(pl.col(field.column))
    else:
        # a composite key with a blank part is no key
        text = pl.concat_str([_blank_to_null(pl.col(name)) for name in field.columns], separator=field.separator)
    if field.missing:
        text = pl.when(~text.is_in(field.missing)).then(text)
    if field.missing_when_blank is not None:
        text = pl.when(_sibling_has_value(field)).then(text)
    if field.codes:
        text = text.replace(field.codes)
    if field.prefix or field.suffix:
        text = pl.concat_str([pl.lit(field.prefix), text, pl.lit(field.suffix)])
    return text


def _blank_to_null(column: pl.Expr) -> pl.Expr:
    text = column.cast(pl.String)
    return pl.when(text != "").then(text)


def has_value(field: FieldSource, numeric: frozenset[str]) -> pl.Expr:
    """Whether a field holds anything but blank or missing."""
    return (_number(field) if _is_number(field, numeric) else text_of(field)).is_not_null()


def _is_number(field: FieldSource, numeric: frozenset[str]) -> bool:
    return field.column in numeric and not (field.codes or field.prefix or field.suffix)


def _number(field: FieldSource) -> pl.Expr:
    """The number a field of a numeric column holds, null where missing; 9 and 9.0 are the same missing code."""
    number = pl.col(str(field.column))
    if field.missing:
        number = pl.when(~_is_missing_number(number, field)).then(number)
    if field.missing_when_blank is not None:
        number = pl.when(_sibling_has_value(field)).then(number)
    return number


def _sibling_has_value(field: FieldSource) -> pl.Expr:
    sibling = pl.col(str(field.missing_when_blank))
    text = sibling.cast(pl.String).str.strip_chars()
    blank = text.is_null() | text.is_in(("", *field.missing))
    return ~(blank | _is_missing_number(sibling, field)) if field.missing else ~blank


def _is_missing_number(column: pl.Expr, field: FieldSource) -> pl.Expr:
    codes = [code for code in map(_float, field.missing) if code is not None]
    return column.cast(pl.Float64, strict=False).is_in(codes).fill_null(value=False)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _typed(column: Column, field: FieldSource | None, numeric: frozenset[str]) -> list[pl.Expr]:
    if column.type in (ColumnType.KEY, ColumnType.CODE):
        return [text_of(field).alias(column.name)]
    target = polars_type(column)
    text_name = f"{column.name}{TEXT_SUFFIX}"
    if field is not None and _is_number(field, numeric):
        number = _number(field)
        if column.type is ColumnType.INTEGER:
            value = number.cast(target, strict=False)
            value = pl.when(value == number).then(value)  # the cast cuts decimals off
        else:
            fits = number.cast(pl.Float64).abs() < SCORE_LIMIT  # the cast fails beyond it instead of giving null
            value = pl.when(fits).then(number).cast(target, strict=False)
        text = pl.when(number.is_not_null() & value.is_null()).then(number.cast(pl.String))
    else:
        source = text_of(field)
        value = source.cast(target, strict=False)
        text = pl.when(source.is_not_null() & value.is_null()).then(source)
    # DECIMAL keeps six decimals; digits beyond them are below the resolution of any instrument and are rounded off
    return [value.alias(column.name), text.alias(text_name)]
