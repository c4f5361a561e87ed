"""Published frame of recovery over time: one curve per condition, clinic and care, on a weekly grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, Count, Layout, Sum, columns
from assets.outcomes.methods.survival import competing_incidence, cumulative_incidence, one_minus_kaplan_meier
from assets.outcomes.tables.followed import AT_RISK, CELL, FOLLOWED, LAST_DAY, followed
from assets.outcomes.topic import Topic
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

STEP_DAYS = 7
GRID = np.arange(0, LAST_DAY + 1, STEP_DAYS)
"""Days at which a curve is published: weeks 0 to 24, from the day on from which its episodes are followed."""

REST = (
    *("recovered_share", "recovered_low", "recovered_high", "left_share", "km_share", "km_low", "km_high"),
    *("at_risk", "recovered_so_far", "left_so_far", "censored_so_far"),
)


def _drawn(protected: pl.DataFrame) -> pl.DataFrame:
    """A curve is drawn where somebody is still at risk and the number of them is not hidden."""
    return protected.with_columns(shown=(pl.col("at_risk") > 0).fill_null(value=False))


CURVE = Layout(
    {**CELL, **columns(INTEGER, "day")},
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, *REST[:7]),
        **columns(INTEGER, *REST[7:]),
        **columns(BOOLEAN, "shown"),
    },
    groups=("n",),
    subgroups={"at_risk": REST},
    statistic="recovery_curve",
    counts={
        "n": Count(FOLLOWED, at={"day": None}),
        "at_risk": Count(AT_RISK),
        **{name: Count(name) for name in REST[8:]},
    },
    sums=(Sum("n", REST[7:]),),
    finish=_drawn,
)
"""``shown`` says where a curve may be drawn."""


def recovery_curve(event_count: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Cumulative recovery by day: Aalen-Johansen with leaving as the competing event, 1 - Kaplan-Meier beside it.

    ``day`` counts from the first visit. By care received in routine data, a curve starts on ``from_day`` with those
    still in care and not recovered then; everybody else's starts on day 0. ``n`` is the episodes of the curve.
    ``at_risk`` is those still in care and not recovered after the events of the day, so that at_risk +
    recovered_so_far + left_so_far + censored_so_far = n. ``shown`` says where a curve may be drawn (at_risk of at least
    11).

    Raises:
        ValueError: as ``followed``.

    """
    found = followed(event_count, contract)
    risk, start = found.risk, found.cells["from_day"].to_numpy()
    recovered = cumulative_incidence(risk)
    kaplan_meier = one_minus_kaplan_meier(risk)
    frame = (
        found.cells.select(pl.all().repeat_by(len(GRID)).explode())
        .with_columns(
            day=pl.Series(np.tile(GRID, len(found.cells))),
            n=pl.Series(np.repeat(found.size, len(GRID))),
            recovered_share=_on_grid(recovered.share),
            recovered_low=_on_grid(_from_zero(recovered.share, recovered.low, start)),
            recovered_high=_on_grid(_from_zero(recovered.share, recovered.high, start)),
            left_share=_on_grid(competing_incidence(risk)),
            km_share=_on_grid(kaplan_meier.share),
            km_low=_on_grid(_from_zero(kaplan_meier.share, kaplan_meier.low, start)),
            km_high=_on_grid(_from_zero(kaplan_meier.share, kaplan_meier.high, start)),
            at_risk=_on_grid(risk.remaining),
            recovered_so_far=_on_grid(np.cumsum(risk.event, axis=1)),
            left_so_far=_on_grid(np.cumsum(risk.competing, axis=1)),
            censored_so_far=_on_grid(np.cumsum(risk.censored, axis=1)),
        )
        .with_columns(shown=pl.col("at_risk") >= MINIMUM_GROUP)
    )
    return CURVE.arrange(frame.filter(pl.col("day") >= pl.col("from_day")))


def _from_zero(
    share: NDArray[np.floating], limit: NDArray[np.floating], start: NDArray[np.int64]
) -> NDArray[np.floating]:
    """On the first day a share of 0 is certain, not estimated: the band starts there."""
    started = limit.copy()
    first = (np.arange(len(start)), start)
    started[first] = np.where(share[first] == 0, 0.0, limit[first])
    return started


def _on_grid(values: NDArray[np.floating] | NDArray[np.int64]) -> pl.Series:
    return pl.Series(values[:, GRID].ravel())


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {"recovery_curve": recovery_curve(marts["marts.event_count"], contract)}


TOPIC = Topic(
    reads=("marts.event_count",),
    tables={"recovery_curve": "Recovery by day with leaving as a competing event, and numbers at risk"},
    build=_build,
    layouts={
        "recovery_curve": CURVE,
    },
)
