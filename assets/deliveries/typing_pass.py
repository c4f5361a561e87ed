"""Text to typed rows, with reasons: the one pass over what a clinic sent.

``typed_rows`` turns a lazy frame of source text into canonical rows of one table. Nothing is dropped: a value that
cannot be read stays beside its empty column as text, and ``violations`` says what is wrong with the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.contract.model import SCORE_DECIMALS, SCORE_DIGITS, ColumnType
from assets.contract.vocabulary import translate
from assets.deliveries.formats import ROW_NUMBER, STRUCTURE
from assets.deliveries.rules import (
    MEASURE_COLUMNS,
    TEXT_SUFFIX,
    measure_frame,
    polars_type,
    row_checks,
    violations,
)
from assets.deliveries.scaling import flip_columns, rescaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import Column, Contract
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.profile.fields import FieldSource

SCORE_LIMIT = 10.0 ** (SCORE_DIGITS - SCORE_DECIMALS)
DECIMAL_COMMA = r"^\s*[-+]?[0-9]+(?:,[0-9]+)?\s*$"
ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.*)?$"
FIRST_YEAR = 1900
"""An earlier year was written with two digits, or is a placeholder."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How a file writes values: ``numeric`` columns are numbers already, all others are text."""

    numeric: frozenset[str] = frozenset()
    decimal: str = "."
    privacy_mode: str = "safe_harbor"


def typed_rows(source: pl.LazyFrame, contract: Contract, emitter: Emitter, notation: Notation) -> pl.LazyFrame:
    """Canonical columns of the emitter's table plus ``<number>__text``, ``row_number``, ``violations``.

    ``source`` holds the source columns, ``row_number`` and ``structure``.
    """
    table, fields = emitter.table, emitter.fields
    typed = [expression for column in table.columns for expression in _typed(column, fields.get(column.name), notation)]
    rows = source.select(*typed, ROW_NUMBER, STRUCTURE, *flip_columns(emitter.scaling))
    if table.name == "measurement":
        rows = rescaled(rows, emitter.scaling, contract)
        rows = rows.join(measure_frame(contract).lazy(), on="measure_id", how="left", maintain_order="left")
    rows = rows.with_columns(violations=violations(row_checks(contract, table), table))
    return rows.drop(STRUCTURE, *(MEASURE_COLUMNS if table.name == "measurement" else ()))


def text_of(field: FieldSource | None, numeric: frozenset[str] = frozenset()) -> pl.Expr:
    """The text a field holds, null where blank or missing; a number of a ``numeric`` column as people write it."""
    if field is None:
        return pl.lit(None, pl.String)
    if field.constant is not None:
        return pl.lit(str(field.constant), pl.String)
    if field.row_number:
        text = pl.col(ROW_NUMBER).cast(pl.String)
    elif field.column is not None:
        text = _text(field.column, field, numeric)
    else:
        # a composite key with a blank part is no key
        parts = [_looked_up(_text(name, field, numeric), field) for name in field.columns]
        text = pl.concat_str(parts, separator=field.separator)
    if field.missing:
        text = pl.when(~text.is_in(field.missing)).then(text)
    if field.missing_when_blank is not None:
        text = pl.when(_sibling_has_value(field)).then(text)
    if field.codes:
        text = _translated(text, field.codes)
    if field.column is not None:
        text = _looked_up(text, field)
    if field.prefix or field.suffix:
        text = pl.concat_str([pl.lit(field.prefix), text, pl.lit(field.suffix)])
    return text if field.if_blank is None else text.fill_null(field.if_blank)


def _text(column: str, field: FieldSource, numeric: frozenset[str]) -> pl.Expr:
    text = _blank_to_null(pl.col(column))
    if column in numeric:
        text = text.str.strip_suffix(".0")  # a code that a file keeps as a floating-point number
    for old, new in field.replace.items():
        text = text.str.replace_all(old, new, literal=True)
    return text


def _translated(text: pl.Expr, codes: Mapping[str, str]) -> pl.Expr:
    """Codes replaced batch by batch: Polars' own expression would hold the whole column in memory."""
    return text.map_batches(lambda batch: batch.replace(codes), return_dtype=pl.String, is_elementwise=True)


def _looked_up(text: pl.Expr, field: FieldSource) -> pl.Expr:
    return translate(text, field.vocabulary) if field.vocabulary else text


def _blank_to_null(column: pl.Expr) -> pl.Expr:
    text = column.cast(pl.String)
    return pl.when(text != "").then(text)


def has_value(field: FieldSource, numeric: frozenset[str]) -> pl.Expr:
    """Whether a field holds anything but blank or missing."""
    return (_number(field) if _is_number(field, numeric) else text_of(field, numeric)).is_not_null()


def _is_number(field: FieldSource, numeric: frozenset[str]) -> bool:
    return field.column in numeric and not (field.codes or field.prefix or field.suffix or field.replace)


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


def _typed(column: Column, field: FieldSource | None, notation: Notation) -> list[pl.Expr]:
    if not column.is_number:
        return [text_of(field, notation.numeric).alias(column.name)]
    text_name = f"{column.name}{TEXT_SUFFIX}"
    if column.type is not ColumnType.DAY and field is not None and _is_number(field, notation.numeric):
        number = _number(field)
        value = _exact(number, column)
        text = pl.when(number.is_not_null() & value.is_null()).then(number.cast(pl.String))
    else:
        source = text_of(field, notation.numeric)
        value = _read(source, column, field, notation)
        text = pl.when(source.is_not_null() & value.is_null()).then(source)
    # DECIMAL keeps six decimals; digits beyond them are below the resolution of any instrument and are rounded off
    return [value.alias(column.name), text.alias(text_name)]


def _exact(number: pl.Expr, column: Column) -> pl.Expr:
    target = polars_type(column)
    if column.type is ColumnType.INTEGER:
        value = number.cast(target, strict=False)
        return pl.when(value == number).then(value)  # the cast cuts decimals off
    fits = number.cast(pl.Float64).abs() < SCORE_LIMIT  # the cast fails beyond it instead of giving null
    return pl.when(fits).then(number).cast(target, strict=False)


def _read(text: pl.Expr, column: Column, field: FieldSource | None, notation: Notation) -> pl.Expr:
    dated = notation.privacy_mode == "limited_data_set" and (field is None or field.constant is None)
    if column.type is ColumnType.DAY and dated:
        return day_number(text, field.date_format if field else None)
    if notation.decimal == "," and field is not None and field.constant is None:
        # a point would be a thousands separator, which is not declared: 1.234 is refused, not guessed
        text = pl.when(text.str.contains(DECIMAL_COMMA)).then(text.str.replace(",", ".", literal=True))
    return text.cast(polars_type(column), strict=False)


def day_number(text: pl.Expr, date_format: str | None) -> pl.Expr:
    """Days since 1970-01-01 of a date as written; the time of day and its zone do not move it."""
    if date_format is None:
        date = pl.when(text.str.contains(ISO_DAY)).then(text.str.slice(0, 10)).str.to_date("%Y-%m-%d", strict=False)
    else:
        date = text.str.to_date(date_format, strict=False)
    return pl.when(date.dt.year() >= FIRST_YEAR).then(date).cast(pl.Int32)
