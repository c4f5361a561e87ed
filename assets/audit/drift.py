"""Drift: the latest night of every clinic beside its own nights before, as ``audit.drift``.

``drift`` is pure: it takes what was sent and what was counted, and says what stands out. How often it does so when
nothing has changed is stated in ``assets.contract.drift``, and was simulated: see the numbers in the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np
import polars as pl

from assets.audit.delivery_profile import delivery_profile
from assets.audit.drift_facts import drift_facts, years_ahead
from assets.audit.drift_features import EMPTY_TABLES, FEATURE, NIGHT, ONE_CODE, SERIES, families, one_code, window_of
from assets.audit.drift_statistics import absences, adjusted, judge
from assets.contract.check_kinds import Kind
from assets.contract.thresholds import tolerance
from assets.warehouse.connection import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.audit.drift_features import Family
    from assets.audit.drift_statistics import Floats, Nights
    from assets.contract.model import Contract

DRIFT_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "clinic_key": pl.String(),
        "profile": pl.String(),
        "delivery_id": pl.String(),
        "feature": pl.String(),
        "item": pl.String(),
        "direction": pl.String(),
        "earlier_nights": pl.Int64(),
        "score": pl.Float64(),
        "threshold": pl.Float64(),
        "is_flagged": pl.Boolean(),
    }
)
"""One row per check, clinic and source: the feature of the check that is most unusual."""

RATE = 1 / 60
"""What can be rejected at all is asked for at this rate; the threshold of a check may be stricter."""
FACT = 99.0
"""Score of what needs no statistics."""


def write_drift(connection: duckdb.DuckDBPyConnection, contract: Contract) -> pl.DataFrame:
    """Create ``audit.drift`` in the warehouse being built, from ``audit.delivery_clinic`` and the rows; return it.

    Raises:
        WarehouseError: a query failed. DuckDB's own message is dropped: it quotes values.

    """
    try:
        return _write_drift(connection, contract)
    except duckdb.Error as error:
        message = f"audit.drift failed with {type(error).__name__}: call write_drift by hand to see why"
        raise WarehouseError(message) from None


def _write_drift(connection: duckdb.DuckDBPyConnection, contract: Contract) -> pl.DataFrame:
    sent: pl.DataFrame = connection.sql("select * from audit.delivery_clinic").pl()
    window = window_of(sent)
    deliveries = (
        sent.with_columns(sent_on=pl.col("extract_stamp").str.slice(0, 10))
        .join(window, on=[*SERIES, "sent_on"], how="semi")
        .select("delivery_id", "profile", "sent_on")
        .unique()
    )
    found = drift(sent, delivery_profile(connection, contract, deliveries), contract.thresholds)
    connection.register("drift_frame", found)
    connection.execute("create or replace table audit.drift as select * from drift_frame")
    connection.unregister("drift_frame")
    return found


def drift(sent: pl.DataFrame, profile: pl.DataFrame, decided: Mapping[str, float]) -> pl.DataFrame:
    """What stands out in the latest night of each clinic.

    Args:
        sent: rows of ``audit.delivery_clinic``.
        profile: counts by night (``PROFILE_SCHEMA``).
        decided: thresholds that people of this home decided.

    """
    window = window_of(sent)
    tonight = window.filter(pl.col("place") == pl.col("place").max())
    latest = tonight.select(*SERIES, "delivery_id", earlier_nights=pl.col("nights") - 1)
    volume, *others = families(window, profile)
    absent = _absent(volume.features, volume.nights, "empty_table", EMPTY_TABLES)
    single = _absent(*one_code(window, profile), "one_code", ONE_CODE)
    judged = [absent, single, *(_judged(family) for family in (volume, *others))]
    ahead = years_ahead(profile.join(tonight, on=NIGHT, how="semi"))
    facts = (
        pl.concat([drift_facts(sent), ahead])
        .with_columns(score=pl.col("is_found").cast(pl.Float64) * FACT)
        .drop("is_found")
    )
    everything = pl.concat([*judged, facts.select(*FEATURE, "direction", "score")])
    limits = [(name, tolerance(name, Kind.DRIFT.value, decided)) for name in everything["check_id"].unique()]
    return (
        everything.join(latest, on=SERIES)
        .sort("check_id", *SERIES, "score", "feature", "item", descending=[False, False, False, True, False, False])
        .unique(["check_id", *SERIES], keep="first", maintain_order=True)
        .join(
            pl.DataFrame(limits, schema={"check_id": pl.String, "threshold": pl.Float64}, orient="row"),
            on="check_id",
            maintain_order="left",
        )
        .with_columns(is_flagged=pl.col("score") > pl.col("threshold"))
        .select(pl.col(name).cast(kind) for name, kind in DRIFT_SCHEMA.items())
    )


def _judged(family: Family) -> pl.DataFrame:
    verdict = judge(family.measure, family.nights)
    low, high = ("fewer", "more") if family.name != "scores" else ("lower", "higher")
    return _scored(
        family.features.with_columns(direction=pl.Series(np.where(verdict.rises, high, low))),
        adjusted(verdict, RATE * family.weight) / family.weight,
    )


def _absent(features: pl.DataFrame, nights: Nights, feature: str, weight: float) -> pl.DataFrame:
    return _scored(features.with_columns(feature=pl.lit(feature), direction=pl.lit("none")), absences(nights) / weight)


def _scored(features: pl.DataFrame, p: Floats) -> pl.DataFrame:
    score = np.round(-np.log10(np.minimum(p, 1.0)) + 0.0, 6)
    return features.with_columns(score=pl.Series(score, dtype=pl.Float64)).filter(pl.col("score").is_not_nan())
