"""Every check there is, in one list: whatever shows, counts or explains checks reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.checks import Check, delivery_checks, release_checks
from assets.contract.drift import drift_checks
from assets.contract.thresholds import threshold
from assets.quality.model_checks import model_checks
from assets.quality.published_checks import published_checks
from assets.quality.statistic_checks import statistic_checks
from assets.quality.violations import COLUMN_KINDS, violated_rows_sql

if TYPE_CHECKING:
    import duckdb

    from assets.contract.model import Contract

CATALOGUE = "audit.check_catalogue"
SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("check_id", "title", "sentence", "table_name", "column_name"), pl.String()),
        **dict.fromkeys(("kind", "stage", "severity", "category", "dimension"), pl.String()),
        "blocks": pl.Boolean(),
        "tolerance": pl.Float64(),
        **dict.fromkeys(("tolerance_reason", "tolerance_owner", "tolerance_since"), pl.String()),
        **dict.fromkeys(("owner", "since", "changed", "violated_sql"), pl.String()),
    }
)


def all_checks(contract: Contract) -> tuple[Check, ...]:
    """Every check: of deliveries, between and over them, of models, of statistics, and of published files."""
    by_table = (check for table in contract.tables for check in delivery_checks(contract, table))
    return (
        *by_table,
        *release_checks(contract),
        *gate_checks(contract),
        *statistic_checks(contract),
        *published_checks(contract),
    )


def gate_checks(contract: Contract) -> tuple[Check, ...]:
    """SQL checks of the gate that a release passes before statistics are made of it."""
    return (*drift_checks(contract), *model_checks(contract))


def catalogue_frame(contract: Contract) -> pl.DataFrame:
    """The catalogue as a table."""
    return pl.DataFrame([_row(contract, check) for check in all_checks(contract)], schema=SCHEMA, orient="row")


def write_catalogue(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Put the catalogue into the warehouse being built, for those who read it later and for the statistics."""
    connection.register("catalogue_frame", catalogue_frame(contract))
    connection.execute(f"create or replace table {CATALOGUE} as select * from catalogue_frame")
    connection.unregister("catalogue_frame")


def _row(contract: Contract, check: Check) -> tuple[object, ...]:
    limit = threshold(check.check_id, check.kind)
    return (
        *(check.check_id, check.title, check.sentence, check.table, check.column),
        *(check.kind.value, check.stage.value, check.severity.value, check.category.value, check.dimension.value),
        *(check.blocks, check.tolerance, limit.reason, limit.owner, limit.since.isoformat()),
        *(check.facts.owner, check.facts.since, check.facts.changed or None),
        violated_sql(contract, check),
    )


def violated_sql(contract: Contract, check: Check) -> str | None:
    """The query that lists what violates a check; None for one that speaks of a whole column."""
    return None if check.kind in COLUMN_KINDS else violated_rows_sql(contract, check)
