"""Published frame of recovery over time: one curve per condition, clinic and care, on a weekly grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Layout, columns
from assets.outcomes.methods.survival import (
    Risk,
    competing_incidence,
    cumulative_incidence,
    one_minus_kaplan_meier,
    risk_table,
)
from assets.outcomes.tables.rates import default_definition
from assets.outcomes.topic import Topic
from assets.privacy.disclosure import MINIMUM_GROUP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

LAST_DAY = 168
STEP_DAYS = 7
GRID = np.arange(0, LAST_DAY + 1, STEP_DAYS)
"""Days at which a curve is published: weeks 0 to 24."""

RECOVERED, LEFT, OPEN, UNKNOWN = "recovered", "left", "open", "unknown"
FOLLOWED = (RECOVERED, LEFT, OPEN)
"""Kinds of event in a curve. ``unknown``: motion was never measured, so there is no event and no honest censoring."""

CELL = columns(STRING, "condition_id", "clinic_key", "care")
REST = (
    *("recovered_share", "recovered_low", "recovered_high", "left_share", "km_share", "km_low", "km_high"),
    *("at_risk", "recovered_so_far", "left_so_far", "censored_so_far"),
)
CURVE = Layout(
    {**CELL, **columns(INTEGER, "day")},
    {**columns(INTEGER, "n"), **columns(FLOAT, *REST[:7]), **columns(INTEGER, *REST[7:])},
    groups=("n",),
    subgroups={"at_risk": REST},
    statistic="recovery_curve",
)
"""``shown`` is added once the numbers at risk are suppressed."""


def recovery_curve(event_count: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Cumulative recovery by day: Aalen-Johansen with leaving as the competing event, 1 - Kaplan-Meier beside it.

    ``n`` is the episodes of the curve. ``at_risk`` is those still in care and not recovered after the events of the
    day, so that at_risk + recovered_so_far + left_so_far + censored_so_far = n. Where it is 1 to 10 the numbers of
    that day are null; ``shown`` says where a curve may be drawn (at_risk of at least 11).

    Raises:
        ValueError: an unknown kind of event, or an event without a day, before day 0 or with a negative count.

    """
    counts = event_count.filter(pl.col("definition_id") == default_definition(contract))
    cells, risk = _risk(_checked(counts))
    recovered = cumulative_incidence(risk)
    kaplan_meier = one_minus_kaplan_meier(risk)
    frame = cells.select(pl.all().repeat_by(len(GRID)).explode()).with_columns(
        day=pl.Series(np.tile(GRID, len(cells))),
        n=_on_grid(np.repeat(risk.entering[:, :1], LAST_DAY + 1, axis=1)),
        recovered_share=_on_grid(recovered.share),
        recovered_low=_on_grid(_from_zero(recovered.share, recovered.low)),
        recovered_high=_on_grid(_from_zero(recovered.share, recovered.high)),
        left_share=_on_grid(competing_incidence(risk)),
        km_share=_on_grid(kaplan_meier.share),
        km_low=_on_grid(_from_zero(kaplan_meier.share, kaplan_meier.low)),
        km_high=_on_grid(_from_zero(kaplan_meier.share, kaplan_meier.high)),
        at_risk=_on_grid(risk.remaining),
        recovered_so_far=_on_grid(np.cumsum(risk.event, axis=1)),
        left_so_far=_on_grid(np.cumsum(risk.competing, axis=1)),
        censored_so_far=_on_grid(np.cumsum(risk.censored, axis=1)),
    )
    published = CURVE.publish(frame)
    shown = (pl.col("at_risk") >= MINIMUM_GROUP).fill_null(value=False).cast(BOOLEAN)
    return published.select(pl.exclude("suppressed"), shown.alias("shown"), pl.col("suppressed"))


def _checked(counts: pl.DataFrame) -> pl.DataFrame:
    """Rows that belong in a curve."""
    strange = set(counts["event_kind"].drop_nulls().unique()) - {*FOLLOWED, UNKNOWN}
    if strange:
        message = f"unknown kind of event: {', '.join(sorted(strange))}"
        raise ValueError(message)
    followed = counts.filter(pl.col("event_kind").is_in(FOLLOWED))
    day, episodes = followed["event_day"], followed["episodes"]
    if day.null_count() or (day < 0).any() or episodes.null_count() or (episodes < 0).any():
        message = "an event has no day, lies before day 0 or has no count"
        raise ValueError(message)
    return followed


def _risk(counts: pl.DataFrame) -> tuple[pl.DataFrame, Risk]:
    """Cells in order and their counts by day; events after the last day only keep the cell at risk."""
    keys = list(CELL)
    cells = counts.select(keys).unique().sort(keys, nulls_last=False)
    index = cells.with_row_index("cell")
    placed = counts.join(index, on=keys, how="left", nulls_equal=True)
    days = LAST_DAY + 2
    shape = (len(cells), len(FOLLOWED), days)
    kind = placed["event_kind"].replace_strict(FOLLOWED, range(len(FOLLOWED)), return_dtype=pl.Int64).to_numpy()
    day = np.minimum(placed["event_day"].to_numpy(), LAST_DAY + 1)
    table = np.zeros(shape, dtype=np.int64)
    np.add.at(table, (placed["cell"].to_numpy(), kind, day), placed["episodes"].to_numpy())
    recovered, left, still_open = (table[:, position, :-1] for position in range(len(FOLLOWED)))
    return cells, risk_table(recovered, left, still_open, table[:, :, -1].sum(axis=1))


def _from_zero(share: NDArray[np.floating], limit: NDArray[np.floating]) -> NDArray[np.floating]:
    """On day 0 a share of 0 is certain, not estimated: the band starts there."""
    started = limit.copy()
    started[:, 0] = np.where(share[:, 0] == 0, 0.0, limit[:, 0])
    return started


def _on_grid(values: NDArray[np.floating] | NDArray[np.int64]) -> pl.Series:
    return pl.Series(values[:, GRID].ravel())


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {"recovery_curve": recovery_curve(marts["marts.event_count"], contract)}


TOPIC = Topic(
    reads=("marts.event_count",),
    tables={"recovery_curve": "Recovery by day with leaving as a competing event, and numbers at risk"},
    build=_build,
)
