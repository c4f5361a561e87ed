"""A decision to set the limits of a chart anew, checked against the charts in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.problems import InputProblem
from assets.publication.publish import TABLES
from assets.quality.rebases import CODE, REBASES, Rebase, new_rebase

if TYPE_CHECKING:
    from datetime import datetime

    from assets.home import Home


def decide(
    home: Home,
    *,
    series: str,
    condition_id: str | None,
    clinic_key: str | None,
    from_period: str,
    by: str,
    because: str,
    now: datetime,
) -> Rebase:
    """Record the decision in the home and return it.

    Raises:
        InputProblem: REBASE: there is no release yet, or the decision cannot be used (see ``new_rebase``).

    """
    charts = home.current / TABLES / "outcome_over_time.parquet"
    if not charts.exists():
        raise InputProblem(CODE, "rebase", "no release of this home has charts over time", "Run a release first")
    rebase = new_rebase(
        pl.read_parquet(charts),
        series=series,
        condition_id=condition_id,
        clinic_key=clinic_key,
        from_period=from_period,
        by=by,
        because=because,
        now=now,
    )
    REBASES.add(home.path, rebase)
    return rebase
