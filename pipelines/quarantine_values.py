"""The values behind entries of the quarantine, for a clinic's own eyes: read only where they were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl

from assets.contract.checks import Kind, delivery_checks, release_checks
from assets.deliveries.problems import InputProblem
from assets.deliveries.rules import TEXT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.checks import Check
    from assets.contract.model import Contract

PLACE = ("delivery_id", "file", "row_number")


def with_values(connection: duckdb.DuckDBPyConnection, contract: Contract, entries: pl.DataFrame) -> pl.DataFrame:
    """Add ``value``: what stands in the column a check looks at, as it was sent as far as it was kept.

    Several values of one source row are joined with a semicolon; a rule about whole rows has none.

    Raises:
        InputProblem: UNREADABLE: rows of the lake are missing or damaged.

    """
    checks = {check.check_id: check for table in contract.tables for check in delivery_checks(contract, table)}
    checks |= {check.check_id: check for check in release_checks(contract)}
    parts = [entries.clear().with_columns(value=pl.lit(None, pl.String))]
    for (check_id,), rows in entries.group_by("check_id", maintain_order=True):
        check = checks.get(str(check_id))
        selected = ", ' / ', ".join(_expressions(contract, check)) if check else ""
        if check is None or not selected:
            parts.append(rows.with_columns(value=pl.lit(None, pl.String)))
            continue
        parts.append(rows.join(_values(connection, check, selected, rows), on=PLACE, how="left", maintain_order="left"))
    return pl.concat(parts).sort("clinic", *PLACE, "table_name", "check_id")


def _values(connection: duckdb.DuckDBPyConnection, check: Check, selected: str, rows: pl.DataFrame) -> pl.DataFrame:
    place = ", ".join(f"lake_row.{name}" for name in PLACE)
    connection.register("asked", rows.select(PLACE).unique())
    try:
        found: pl.DataFrame = connection.sql(
            f"select {place}, concat({selected}) as value from lake.{check.table} as lake_row "
            f"inner join asked on {' and '.join(f'lake_row.{name} = asked.{name}' for name in PLACE)}"
        ).pl()
    except duckdb.Error:
        raise InputProblem(
            "UNREADABLE", f"lake, {check.table}", "rows are missing or damaged", "Run the delivery again"
        ) from None
    finally:
        connection.unregister("asked")
    return found.unique().sort("value").group_by(PLACE).agg(pl.col("value").str.join("; "))


def _expressions(contract: Contract, check: Check) -> Iterator[str]:
    """SQL texts of the columns a check looks at."""
    table = contract.table(check.table)
    for name in table.key if check.kind is Kind.UNIQUE else (check.column,):
        if name is not None and name in table.names:
            text = f"cast(lake_row.{name} as varchar)"
            yield f"coalesce(lake_row.{name}{TEXT_SUFFIX}, {text})" if table.column(name).is_number else text
