"""Case-mix models against those of the release in force: recorded in the warehouse, not published.

What is published depends on the deliveries and the code alone, whatever was released before; so the comparison goes to
``audit.model_drift`` and to Dagster. A run that leads to the release already in force takes over what that recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.outcomes.drift import PublishedModels, model_drift
from assets.publication.publish import TABLES
from assets.publication.release import current_release, next_release
from assets.warehouse.connection import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from assets.home import Home

CARDS, COEFFICIENTS = "case_mix_model", "case_mix_coefficient"


def record_drift(
    connection: duckdb.DuckDBPyConnection, home: Home, published: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Write ``audit.model_drift`` into the warehouse being built, and return it."""
    drift = _recorded(home) if current_release(home) == next_release(home) else None
    if drift is None:
        now = PublishedModels(published[CARDS], published[COEFFICIENTS])
        drift = model_drift(now, _in_force(home), connection.sql("select * from marts.case_mix").pl())
    connection.register("model_drift_frame", drift)
    connection.execute("create or replace table audit.model_drift as select * from model_drift_frame")
    connection.unregister("model_drift_frame")
    return drift


def _in_force(home: Home) -> PublishedModels | None:
    """The models of the release in force; None before the first and where it has none."""
    paths = [home.current / TABLES / f"{name}.parquet" for name in (CARDS, COEFFICIENTS)]
    if not all(path.exists() for path in paths):
        return None
    return PublishedModels(*(pl.read_parquet(path) for path in paths))


def _recorded(home: Home) -> pl.DataFrame | None:
    with connect(home.warehouse, home=home.path, read_only=True) as connection:
        known = connection.execute(
            "select 1 from information_schema.tables where table_schema = 'audit' and table_name = 'model_drift'"
        ).fetchall()
        if not known:
            return None
        recorded: pl.DataFrame = connection.sql(
            "select * from audit.model_drift order by condition_id, outcome_id"
        ).pl()
        return recorded
