"""Rebases: who decided that the limits of a chart are set anew, of which series, from which period, and why.

They are entries of the ledger. Limits are never set anew by a rule: a chart that
adapts to what it sees shows no change. A rebase of a series that has no chart changes nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import polars as pl
from pydantic import AfterValidator, StringConstraints, ValidationError

from assets.contract.charts import CHART_SERIES
from assets.deliveries.problems import InputProblem
from assets.quality.decisions import SHORTEST_REASON, Decision, Decisions, Name

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = "REBASE"
FRAME_SCHEMA = pl.Schema(dict.fromkeys(("series", "condition_id", "clinic_key", "from_period"), pl.String()))


def _charted(series: str) -> str:
    if series not in {item.series_id for item in CHART_SERIES}:
        message = "no chart has this series"
        raise ValueError(message)
    return series


Series = Annotated[str, AfterValidator(_charted)]
Period = Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}(-(0[1-9]|1[0-2]))?$")]


class Rebase(Decision):
    """One decision. Without ``condition_id`` or ``clinic_key`` it is about the series of all of them."""

    series: Series
    condition_id: Name | None = None
    clinic_key: Name | None = None
    from_period: Period


REBASES = Decisions("rebase", CODE, Rebase, earlier="rebases.jsonl")


def new_rebase(
    charts: pl.DataFrame,
    *,
    series: str,
    condition_id: str | None,
    clinic_key: str | None,
    from_period: str,
    by: str,
    because: str,
    now: datetime,
) -> Rebase:
    """Return a rebase of a series of ``charts``, the published table outcome_over_time.

    Raises:
        InputProblem: REBASE: a field cannot be used, no chart has this series, or it does not show this period.

    """
    try:
        rebase = Rebase.model_validate(
            {
                "series": series,
                "condition_id": condition_id,
                "clinic_key": clinic_key,
                "from_period": from_period,
                "by": by,
                "because": because,
                "added": now.astimezone(UTC),
            }
        )
    except ValidationError as error:
        names = ", ".join(item.series_id for item in CHART_SERIES)
        raise InputProblem(
            CODE,
            "rebase",
            REBASES.said(error),
            f"Give a series ({names}), a period as YYYY-MM or YYYY, who, and a reason of at least {SHORTEST_REASON} "
            "characters",
        ) from None
    mine = charts.filter(
        pl.col("series") == rebase.series,
        pl.col("condition_id").eq_missing(rebase.condition_id),
        pl.col("clinic_key").eq_missing(rebase.clinic_key),
    )
    if mine.is_empty():
        raise InputProblem(
            CODE, "rebase", "no chart shows this series", "Conditions and clinics are those of outcome_over_time"
        )
    if rebase.from_period not in set(mine["period"]):
        raise InputProblem(CODE, "rebase", "the chart does not show this period", "Give one of its months or years")
    return rebase


def rebase_frame(rebases: Iterable[Rebase]) -> pl.DataFrame:
    """Rebases as rows of ``lake.rebase``: which series from when, not who decided it."""
    rows = [(rebase.series, rebase.condition_id, rebase.clinic_key, rebase.from_period) for rebase in rebases]
    return pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row").unique().sort(FRAME_SCHEMA.names())


def rebases_digest(rebases: Iterable[Rebase]) -> str:
    """What of the rebases a release depends on, as a hash; empty without rebases."""
    rows = rebase_frame(rebases).rows()
    return hashlib.sha256(repr(rows).encode()).hexdigest() if rows else ""
