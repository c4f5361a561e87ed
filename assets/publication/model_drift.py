"""Case-mix models against those of the release in force: recorded in the warehouse, not published.

What is published depends on the deliveries and the code, and on the release before only as far as something must be
hidden because of it; so the comparison goes to ``audit.model_drift`` and to Dagster. Both models are the exact ones of
the schema ``statistics``. A run that leads to the release already in force takes over what that recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.outcomes.drift import ReleasedModels, model_drift
from assets.publication.kept_warehouse import is_of_our_contract
from assets.publication.publish import STATISTICS
from assets.publication.release import current_release, next_release
from assets.warehouse.connection import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import polars as pl

    from assets.home import Home

CARDS, COEFFICIENTS = "case_mix_model", "case_mix_coefficient"


def record_drift(
    connection: duckdb.DuckDBPyConnection, home: Home, statistics: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Write ``audit.model_drift`` into the warehouse being built, and return it."""
    drift = _recorded(home) if current_release(home) == next_release(home) else None
    if drift is None:
        now = ReleasedModels(statistics[CARDS], statistics[COEFFICIENTS])
        drift = model_drift(now, _in_force(home), connection.sql("select * from marts.case_mix").pl())
    connection.register("model_drift_frame", drift)
    connection.execute("create or replace table audit.model_drift as select * from model_drift_frame")
    connection.unregister("model_drift_frame")
    return drift


def _in_force(home: Home) -> ReleasedModels | None:
    """The models of the release in force; None before the first, if it has none, and if it is of another contract."""
    release = current_release(home)
    if release is None or not is_of_our_contract(home, release):
        return None
    with connect(home.warehouse, home=home.path, read_only=True) as connection:
        if not all(_has(connection, STATISTICS, name) for name in (CARDS, COEFFICIENTS)):
            return None
        return ReleasedModels(
            *(connection.sql(f"select * from {STATISTICS}.{name} order by all").pl() for name in (CARDS, COEFFICIENTS))
        )


def _recorded(home: Home) -> pl.DataFrame | None:
    with connect(home.warehouse, home=home.path, read_only=True) as connection:
        if not _has(connection, "audit", "model_drift"):
            return None
        recorded: pl.DataFrame = connection.sql(
            "select * from audit.model_drift order by condition_id, outcome_id"
        ).pl()
        return recorded


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    found = connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [schema, table]
    ).fetchall()
    return bool(found)
