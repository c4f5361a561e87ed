"""Text to typed rows, with reasons: the one pass over what a clinic sent.

``typed_rows`` turns a lazy frame of source text into canonical rows of one table. Nothing is dropped: a value that
cannot be read stays beside its empty column as text, and ``violations`` says what is wrong with the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.model import ColumnType
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
    from assets.deliveries.profile import FieldSource

ROW_NUMBER = "row_number"


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
        text = pl.when(_blank_to_null(pl.col(field.missing_when_blank)).is_not_null()).then(text)
    if field.codes:
        text = text.replace(field.codes)
    if field.prefix or field.suffix:
        text = pl.concat_str([pl.lit(field.prefix), text, pl.lit(field.suffix)])
    return text


def _blank_to_null(column: pl.Expr) -> pl.Expr:
    text = column.cast(pl.String)
    return pl.when(text != "").then(text)


def _typed(column: Column, field: FieldSource | None, numeric: frozenset[str]) -> list[pl.Expr]:
    if column.type in (ColumnType.KEY, ColumnType.CODE):
        return [text_of(field).alias(column.name)]
    target = polars_type(column)
    text_name = f"{column.name}{TEXT_SUFFIX}"
    if field is not None and field.column in numeric:
        value = pl.col(field.column).cast(target, strict=False)
        text = pl.when(pl.col(field.column).is_not_null() & value.is_null()).then(pl.col(field.column).cast(pl.String))
    else:
        source = text_of(field)
        value = source.cast(target, strict=False)
        text = pl.when(source.is_not_null() & value.is_null()).then(source)
    # DECIMAL keeps six decimals; digits beyond them are below the resolution of any instrument and are rounded off
    return [value.alias(column.name), text.alias(text_name)]
