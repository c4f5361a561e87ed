"""Rows that take back what was sent under their key: tombstones.

A withdrawal counts with the extract stamp of its delivery, as every row does: it takes back what an earlier extract
said and nothing that a later one says again. It needs nothing but the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.model import KEY_PATTERN, ColumnType
from assets.deliveries.formats import ROW_NUMBER, STRUCTURE
from assets.deliveries.typing_pass import text_of

if TYPE_CHECKING:
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.profile.fields import Withdrawal

KEY_COLUMNS = ("key_1", "key_2", "key_3", "key_4", "key_5")
"""No canonical table has a longer key."""


def without_withdrawn(rows: pl.LazyFrame, emitter: Emitter) -> pl.LazyFrame:
    """The source rows that say something; those that take something back are ``withdrawal_rows``."""
    return rows.filter(~_is_withdrawn(emitter.withdrawn)) if emitter.withdrawn else rows


def withdrawal_rows(rows: pl.LazyFrame, emitter: Emitter, numeric: frozenset[str]) -> pl.LazyFrame:
    """``table_name``, ``key_1`` to ``key_5``, ``row_number`` and ``violations`` of the rows that take something back.

    A part of the key that need not be filled in is '' where it is not. ``violations`` is 1 where the row is malformed
    or does not name its key.
    """
    if emitter.withdrawn is None:
        message = f"{emitter.table.name} declares no withdrawals"
        raise ValueError(message)
    table = emitter.table
    required = pl.lit(value=False)
    keys: list[pl.Expr] = []
    for position, name in enumerate(KEY_COLUMNS):
        if position >= len(table.key):
            keys.append(pl.lit("").alias(name))
            continue
        column = table.column(table.key[position])
        text = text_of(emitter.fields.get(column.name), numeric)
        if column.required:
            required |= text.is_null()
        if column.type is ColumnType.KEY:
            required |= ~text.str.contains(KEY_PATTERN)
        keys.append(text.fill_null("").alias(name))
    return rows.filter(_is_withdrawn(emitter.withdrawn)).select(
        pl.lit(table.name).alias("table_name"),
        *keys,
        ROW_NUMBER,
        (pl.col(STRUCTURE) | required.fill_null(value=True)).cast(pl.Int64).alias("violations"),
    )


def _is_withdrawn(withdrawn: Withdrawal) -> pl.Expr:
    return pl.col(withdrawn.column).cast(pl.String).is_in(withdrawn.codes).fill_null(value=False)
