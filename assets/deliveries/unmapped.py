"""Codes that the profile does not translate: which, in which column, how often.

A code is shown because somebody has to map it, and only if it can be one: short, without blanks, no identifier, and on
at least ``SHOWN_FROM`` rows. The others are counted together: a name in a column of codes is not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.checks import Kind, delivery_checks
from assets.contract.model import ColumnType
from assets.contract.vocabulary import is_listed
from assets.privacy.identifier_values import looks_identifying

if TYPE_CHECKING:
    from assets.contract.model import Contract, Table
    from assets.deliveries.profile.fields import FileSource

UNMAPPED_SCHEMA = pl.Schema(
    {"file": pl.String(), "column": pl.String(), "code": pl.String(), "rows": pl.Int64(), "fate": pl.String()}
)
CODE_FORM = r"^[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,31}$"
SHOWN_FROM = 5
MOST_CODES = 200
UNKNOWN, OUT_OF_SCOPE = "set aside", "out of scope"


def unknown_codes(bad: pl.DataFrame, file: str, contract: Contract, table: Table) -> pl.DataFrame:
    """Codes of set-aside rows that are on no list of the contract, by canonical column."""
    found = [pl.DataFrame(schema=UNMAPPED_SCHEMA)]
    for check in delivery_checks(contract, table):
        column = str(check.column)
        if check.kind is not Kind.ALLOWED or table.column(column).type is not ColumnType.CODE:
            continue
        codes = bad.lazy().filter(~pl.col(column).is_in(check.allowed)).select(pl.col(column).alias("code"))
        found.append(_counted(codes, file, f"{table.name}.{column}", UNKNOWN))
    return pl.concat(found)


def out_of_scope_codes(rows: pl.LazyFrame | None, file: str, source: FileSource) -> pl.DataFrame:
    """Codes of rows that the profile does not select, by source column."""
    found = [pl.DataFrame(schema=UNMAPPED_SCHEMA)]
    if rows is not None:
        for one in source.only:
            if one.among or one.vocabulary:
                codes = rows.select(pl.col(one.column).cast(pl.String).alias("code"))
                codes = codes.filter(~pl.col("code").is_in(one.among))
                if one.vocabulary:
                    codes = codes.filter(~is_listed(pl.col("code"), one.vocabulary))
                found.append(_counted(codes, file, one.column, OUT_OF_SCOPE))
    return pl.concat(found)


def _counted(codes: pl.LazyFrame, file: str, column: str, fate: str) -> pl.DataFrame:
    counts = codes.group_by("code").agg(pl.len().alias("rows")).collect(engine="streaming")
    shown = pl.col("code").str.contains(CODE_FORM) & (pl.col("rows") >= SHOWN_FROM) & ~looks_identifying(pl.col("code"))
    counts = counts.with_columns(pl.when(shown).then("code").alias("code"))
    counts = counts.sort("rows", "code", descending=[True, False])
    counts = counts.with_columns(pl.when(pl.int_range(pl.len()) < MOST_CODES).then("code").alias("code"))
    return (
        counts.group_by("code")
        .agg(pl.col("rows").sum().cast(pl.Int64))
        .select(pl.lit(file).alias("file"), pl.lit(column).alias("column"), "code", "rows", pl.lit(fate).alias("fate"))
    )
