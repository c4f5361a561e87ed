"""Published frames of time to recovery: how many by weeks 4, 8 and 12, how long until, and whether care groups differ.

Times are those of visits. Recovery happened between the visit before and the day counted, so a group that is seen more
often is found recovered sooner; days per visit stand in the same row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.definitions import PLANNED_WINDOWS
from assets.outcomes.frames import ANY_CARE, FLOAT, INTEGER, STRING, Count, Layout, columns
from assets.outcomes.methods.multiplicity import benjamini_hochberg
from assets.outcomes.methods.restricted_mean import MeanTime, difference, mean_time_with_event
from assets.outcomes.methods.survival import (
    EPSILON,
    Risk,
    competing_incidence,
    cumulative_incidence,
    quantile,
)
from assets.outcomes.methods.survival_tests import cause_specific_log_rank, gray
from assets.outcomes.tables.followed import AT_RISK as STILL_AT_RISK
from assets.outcomes.tables.followed import CELL, DAYS, FOLLOWED, LEFT, RECOVERED, followed
from assets.outcomes.topic import Topic
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.tables.followed import Followed
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.floating]

PLANNED_DAYS = tuple(day for day, _ in PLANNED_WINDOWS)
HORIZON = PLANNED_DAYS[-1]
"""Day up to which days recovered are counted."""

SHARES = {day: (f"recovered_share_{day}", f"recovered_low_{day}", f"recovered_high_{day}") for day in PLANNED_DAYS}
AT_RISK = {day: f"at_risk_{day}" for day in PLANNED_DAYS}
MEDIAN = ("median_day", "median_low", "median_high")
LIVED = ("days_recovered", "days_recovered_error", "days_recovered_low", "days_recovered_high")
AT_HORIZON = (f"left_share_{HORIZON}", "share_if_no_leaver_recovered", "share_if_all_leavers_recovered")

TIME = Layout(
    CELL,
    {
        **columns(INTEGER, "n"),
        **{name: dtype for day in PLANNED_DAYS for name, dtype in columns(FLOAT, *SHARES[day]).items()},
        **columns(INTEGER, *AT_RISK.values()),
        **columns(FLOAT, *MEDIAN, *LIVED, *AT_HORIZON, "days_per_visit"),
    },
    groups=("n",),
    subgroups={
        AT_RISK[day]: (*SHARES[day], AT_RISK[day], *((*LIVED, *AT_HORIZON) if day == HORIZON else ()))
        for day in PLANNED_DAYS
    },
    statistic="recovery_time",
    counts={
        "n": Count(FOLLOWED),
        **{name: Count(STILL_AT_RISK, at={"day": day}) for day, name in AT_RISK.items()},
    },
    decimals=dict.fromkeys((*MEDIAN, *LIVED, "days_per_visit"), 1),
)
PAIR = columns(STRING, "condition_id", "care", "other_care") | columns(INTEGER, "from_day")


def _first(universe: str, day: int | None = None) -> Count:
    """The first group of a pair, whatever the other is, and the test that it is in."""
    return Count(universe, at={"other_care": None, "event": None, "test": None, "day": day})


def _second(universe: str, day: int | None = None) -> Count:
    """The other group of a pair."""
    return Count(universe, renamed={"other_care": "care"}, at={"event": None, "test": None, "day": day})


TEST = Layout(
    {**PAIR, **columns(STRING, "event", "test")},
    {**columns(INTEGER, "n", "other_n"), **columns(FLOAT, "chi2", "p", "q"), **columns(INTEGER, "m")},
    groups=("n", "other_n"),
    statistic="recovery_time_test",
    counts={"n": _first(FOLLOWED), "other_n": _second(FOLLOWED)},
    plain=("m",),
    decimals=dict.fromkeys(("p", "q"), 3),
)
RISKS = (AT_RISK[HORIZON], f"other_{AT_RISK[HORIZON]}")
GAP = (
    *("days_recovered", "days_recovered_low", "days_recovered_high"),
    *("other_days_recovered", "other_days_recovered_low", "other_days_recovered_high"),
    *("difference", "difference_error", "difference_low", "difference_high"),
)
DIFFERENCE = Layout(
    PAIR,
    {**columns(INTEGER, "n", "other_n", *RISKS), **columns(FLOAT, *GAP)},
    groups=("n", "other_n"),
    subgroups=dict.fromkeys(RISKS, (*RISKS, *GAP)),
    statistic="recovery_time_difference",
    counts={
        "n": _first(FOLLOWED),
        "other_n": _second(FOLLOWED),
        RISKS[0]: _first(STILL_AT_RISK, HORIZON),
        RISKS[1]: _second(STILL_AT_RISK, HORIZON),
    },
    decimals=dict.fromkeys(GAP, 1),
)

GRAY, LOG_RANK = "gray", "cause_specific_log_rank"


def recovery_time(found: Followed, visit_density: pl.DataFrame) -> pl.DataFrame:
    """Recovery by the planned days, median day, mean days recovered up to day 84, leaving, and days per visit.

    ``at_risk`` is those still in care and not recovered after the events of the day. A share is null where follow-up
    ended before its day. The median and each end of its interval are null where half is not reached, or where fewer
    than 11 were at risk just before. ``share_if_..._recovered`` bound the share at day 84: none, or all, of those who
    had left by then. ``days_per_visit`` is days from the first to the last visit by visits after the first.
    """
    risk, start = found.risk, found.cells["from_day"].to_numpy()
    recovered, left = cumulative_incidence(risk), competing_incidence(risk)
    known = (risk.entering > 0) | (recovered.share + left >= 1 - EPSILON)
    by_day = {
        name: np.where(known[:, day], values[:, day], np.nan)
        for day in PLANNED_DAYS
        for name, values in zip(SHARES[day], (recovered.share, recovered.low, recovered.high), strict=True)
    }
    median = quantile(recovered, DAYS)
    lived = mean_time_with_event(risk, DAYS, HORIZON, start)
    at_horizon = (left, recovered.share, recovered.share + left)
    frame = found.cells.with_columns(
        pl.Series("n", found.size),
        *(pl.Series(name, values) for name, values in by_day.items()),
        *(pl.Series(AT_RISK[day], risk.remaining[:, day]) for day in PLANNED_DAYS),
        *(
            pl.Series(name, _if_enough(risk, day))
            for name, day in zip(MEDIAN, (median.time, median.low, median.high), strict=True)
        ),
        *(
            pl.Series(name, values)
            for name, values in zip(LIVED, (lived.mean, lived.error, lived.low, lived.high), strict=True)
        ),
        *(
            pl.Series(name, np.where(known[:, HORIZON], values[:, HORIZON], np.nan))
            for name, values in zip(AT_HORIZON, at_horizon, strict=True)
        ),
    )
    return TIME.arrange(frame.join(_density(visit_density), on=list(CELL), how="left", nulls_equal=True))


def recovery_time_test(found: Followed) -> pl.DataFrame:
    """Gray's test, and cause-specific log-rank tests of recovery and of leaving, for each pair of care groups.

    ``event`` is what is compared. In the log-rank test the other event is taken as censoring. ``q`` is the false
    discovery rate over the ``m`` tests that the table shows. Pairs with a group under 11 are not tested.
    """
    pairs = _pairs(found)
    risk = _of_pairs(found.risk, pairs)
    left = replace(risk, event=risk.competing, competing=risk.event)
    done = [
        pairs.with_columns(
            event=pl.lit(event),
            test=pl.lit(test),
            chi2=pl.Series(result.chi2, dtype=pl.Float64),
            p=pl.Series(result.p, dtype=pl.Float64),
        )
        for event, test, result in (
            (RECOVERED, GRAY, gray(risk)),
            (RECOVERED, LOG_RANK, cause_specific_log_rank(risk)),
            (LEFT, LOG_RANK, cause_specific_log_rank(left)),
        )
    ]
    tests = pl.concat(done).sort(*TEST.keys, nulls_last=False)
    enough = (pl.min_horizontal("n", "other_n") >= MINIMUM_GROUP) & pl.col("p").is_not_nan()
    p = tests.select(pl.when(enough).then("p").otherwise(float("nan")))["p"].to_numpy()
    return TEST.arrange(
        tests.with_columns(q=pl.Series(benjamini_hochberg(p)), m=pl.Series(np.full(len(p), (~np.isnan(p)).sum())))
    )


def recovery_time_difference(found: Followed) -> pl.DataFrame:
    """Mean days recovered up to day 84 of each pair of care groups, and first less second with its interval."""
    pairs = _pairs(found)
    start = found.cells["from_day"].to_numpy()
    lived = mean_time_with_event(found.risk, DAYS, HORIZON, start)
    at_risk = found.risk.remaining[:, HORIZON]
    one, other = (pairs[name].to_numpy() for name in ("cell", "other_cell"))
    first, second = (_rows(lived, rows) for rows in (one, other))
    gap = difference(first, second)
    values = (
        *(first.mean, first.low, first.high),
        *(second.mean, second.low, second.high),
        *(gap.mean, gap.error, gap.low, gap.high),
    )
    frame = pairs.with_columns(
        *(pl.Series(name, at_risk[rows]) for name, rows in zip(RISKS, (one, other), strict=True)),
        *(pl.Series(name, column) for name, column in zip(GAP, values, strict=True)),
    )
    return DIFFERENCE.arrange(frame)


def _if_enough(risk: Risk, day: Floats) -> Floats:
    """Days on which enough were at risk, NaN for the others."""
    reached = ~np.isnan(day)
    at_risk = risk.entering[np.arange(len(day)), np.where(reached, day, 0).astype(np.int64)]
    return np.where(reached & (at_risk >= MINIMUM_GROUP), day, np.nan)


def _density(visit_density: pl.DataFrame) -> pl.DataFrame:
    """Days per visit of each group; none where it rests on too few episodes, or nobody came twice."""
    again = pl.col("visits") - pl.col("episodes")
    enough = (pl.col("episodes") >= MINIMUM_GROUP) & (again > 0)
    return visit_density.select(
        *(pl.col(name).cast(dtype) for name, dtype in CELL.items()),
        pl.when(enough).then(pl.col("days_followed") / again).alias("days_per_visit"),
    )


def _pairs(found: Followed) -> pl.DataFrame:
    """Pairs of care groups of one condition that are followed from the same day, with their rows and sizes."""
    group = found.cells.with_columns(
        pl.Series("cell", np.arange(len(found.cells)), dtype=pl.Int64), pl.Series("n", found.size, dtype=pl.Int64)
    ).filter(pl.col("clinic_key").is_null(), pl.col("care") != ANY_CARE)
    group = group.drop("clinic_key")
    other = group.rename({"care": "other_care", "cell": "other_cell", "n": "other_n"})
    pairs = group.join(other, on=["condition_id", "from_day"], how="inner", nulls_equal=True)
    return pairs.filter(pl.col("care") < pl.col("other_care")).sort(list(PAIR), nulls_last=False)


def _of_pairs(risk: Risk, pairs: pl.DataFrame) -> Risk:
    """Counts of both groups of each pair: arrays (pairs, 2, days)."""
    rows = pairs.select("cell", "other_cell").to_numpy()
    return Risk(*(part[rows] for part in (risk.entering, risk.event, risk.competing, risk.censored)))


def _rows(means: MeanTime, rows: NDArray[np.int64]) -> MeanTime:
    return MeanTime(means.mean[rows], means.error[rows], means.low[rows], means.high[rows])


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    found = followed(marts["marts.event_count"], contract)
    return {
        "recovery_time": recovery_time(found, marts["marts.visit_density"]),
        "recovery_time_difference": recovery_time_difference(found),
        "recovery_time_test": recovery_time_test(found),
    }


TOPIC = Topic(
    reads=("marts.event_count", "marts.visit_density"),
    tables={
        "recovery_time": "Recovery by weeks 4, 8 and 12, median day, days recovered, and days per visit",
        "recovery_time_difference": "Days recovered of the first 84, between groups of care",
        "recovery_time_test": "Tests that groups of care have one course of recovery, with false discovery rates",
    },
    build=_build,
    layouts={
        "recovery_time": TIME,
        "recovery_time_difference": DIFFERENCE,
        "recovery_time_test": TEST,
    },
)
