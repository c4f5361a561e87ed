"""Published frames about groups of episodes at their end: recovery, pain, motion, unknown outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.outcomes.frames import ALL_PERIODS, ANY_CARE, FLOAT, INTEGER, STRING, Count, Layout, Sum, columns
from assets.outcomes.methods.means import deviation, mean, t_interval
from assets.outcomes.methods.proportions import missing_bounds, share, wilson
from assets.outcomes.topic import Topic
from assets.outcomes.universes import (
    CLOSED,
    DEFAULT,
    DETERIORATED,
    ELIGIBLE,
    EPISODES,
    IF_ALL_RECOVERED,
    KNOWN,
    MCID_RESPONDERS,
    MCID_ROOM,
    PAIRS,
    eligible_by,
    known_by,
)

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

GROUP = columns(STRING, "condition_id", "clinic_key", "care", "period")
MEASURE = {
    **columns(STRING, "condition_id", "care", "measure_id", "side"),
    **columns(INTEGER, "planned_day"),
}

RECOVERY = Layout(
    {**GROUP, **columns(STRING, "definition_id")},
    {
        **columns(INTEGER, "n", "recovered"),
        **columns(FLOAT, "rate", "rate_low", "rate_high"),
        **columns(INTEGER, "eligible"),
        **columns(FLOAT, "completeness", "rate_if_missing_none", "rate_if_missing_all"),
    },
    groups=("n", "eligible"),
    statistic="recovery_rate",
    counts={
        "n": known_by("definition_id"),
        "recovered": Count("recovered_{}", by=("definition_id",)),
        "eligible": eligible_by("definition_id"),
    },
    ratios={
        "rate": ("recovered", "n"),
        "completeness": ("n", "eligible"),
        "rate_if_missing_none": ("recovered", "eligible"),
    },
    mixed=IF_ALL_RECOVERED,
)
PAIN = Layout(
    GROUP,
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, "baseline_mean", "last_mean", "change_mean", "change_low", "change_high"),
        **columns(INTEGER, "mcid_n", "mcid_responders"),
        **columns(FLOAT, "mcid_rate", "mcid_low", "mcid_high"),
        **columns(INTEGER, "deteriorated"),
        **columns(FLOAT, "deteriorated_rate"),
    },
    groups=("n",),
    subgroups={"mcid_n": ("mcid_n", "mcid_responders", "mcid_rate", "mcid_low", "mcid_high")},
    statistic="pain_change",
    counts={
        "n": Count(PAIRS),
        "mcid_n": Count(MCID_ROOM),
        "mcid_responders": Count(MCID_RESPONDERS),
        "deteriorated": DETERIORATED,
    },
    ratios={"mcid_rate": ("mcid_responders", "mcid_n"), "deteriorated_rate": ("deteriorated", "n")},
    decimals=dict.fromkeys(("baseline_mean", "last_mean", "change_mean", "change_low", "change_high"), 1),
)
MOTION = Layout(
    GROUP,
    {**columns(INTEGER, "n"), **columns(FLOAT, "baseline_percent", "last_percent")},
    groups=("n",),
    statistic="rom_change",
    counts={"n": Count("motion_pairs")},
    decimals=dict.fromkeys(("baseline_percent", "last_percent"), 1),
)
MOMENTS = ("baseline_mean", "baseline_sd", "value_mean", "value_sd", "change_mean", "change_sd")
MEASURES = Layout(
    MEASURE,
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, *MOMENTS),
        **columns(INTEGER, "worsened"),
    },
    groups=("n",),
    statistic="measure_summary",
    counts={"n": Count("measured"), "worsened": Count("worsened")},
    decimals=dict.fromkeys(MOMENTS, 1),
)
RESPONSE = Layout(
    {**MEASURE, **columns(STRING, "rule_id")},
    {**columns(INTEGER, "n", "responders"), **columns(FLOAT, "rate", "rate_low", "rate_high")},
    groups=("n",),
    statistic="response",
    counts={"n": Count("response_room"), "responders": Count("responders")},
    ratios={"rate": ("responders", "n")},
)


def _among(universe: str) -> Count:
    """Episodes of any reason, in the table of reasons."""
    return Count(universe, at={"reason": None})


UNKNOWN = Layout(
    columns(STRING, "condition_id", "clinic_key", "reason"),
    {**columns(INTEGER, "episodes", "n"), **columns(FLOAT, "share")},
    groups=("n",),
    statistic="unknown_outcome",
    counts={"n": Count(EPISODES, at={"reason": None}), "episodes": Count("{}", by=("reason",))},
    ratios={"share": ("episodes", "n")},
    sums=(
        Sum("n", (_among("still_open"), _among(CLOSED))),
        Sum(_among(CLOSED), (_among("baseline_too_low"), _among(ELIGIBLE))),
        Sum(_among(ELIGIBLE), tuple(map(_among, (KNOWN, "no_baseline", "no_comparable_pair", "rom_not_measured")))),
    ),
)
"""Who is not eligible, and whose outcome is not known, is what is left of all episodes."""

UNKNOWN_REASONS = {
    "open": "still_open",
    "baseline_too_low": "baseline_too_low",
    "no_baseline": "no_baseline",
    "no_comparable_pair": "no_comparable_pair",
    "rom_not_measured": "rom_not_measured",
}
"""Count column of ``marts.recovery_cube`` -> the reason that it counts."""


def recovery_by_condition(recovery_cube: pl.DataFrame) -> pl.DataFrame:
    """Recovery rate of the episodes with a known outcome, how many these are, and the two extremes of the rest.

    By period for the default definition only: the others are there to be compared with it, over all periods. The fewer
    numbers are published, the fewer have to be hidden.
    """
    cube = recovery_cube.filter((pl.col("period") == ALL_PERIODS) | (pl.col("definition_id") == DEFAULT))
    rate, low, high = wilson(cube["recovered"], cube["known"])
    none, every = missing_bounds(cube["recovered"], cube["known"], cube["eligible"])
    return RECOVERY.arrange(
        cube.with_columns(
            n=pl.col("known"),
            rate=pl.Series(rate),
            rate_low=pl.Series(low),
            rate_high=pl.Series(high),
            completeness=pl.Series(share(cube["known"], cube["eligible"])),
            rate_if_missing_none=pl.Series(none),
            rate_if_missing_all=pl.Series(every),
        )
    )


def pain_change(pain_cube: pl.DataFrame) -> pl.DataFrame:
    """Pain at both ends, its mean change (positive = less pain) and the share of responders, in points of 0 to 10."""
    cube = pain_cube
    n = cube["pairs"]
    change = mean(cube["change_sum"], n)
    low, high = t_interval(change, deviation(cube["change_sum"], cube["change_sum_squares"], n), n)
    rate, rate_low, rate_high = wilson(cube["mcid_responders"], cube["mcid_eligible"])
    return PAIN.arrange(
        cube.with_columns(
            n=n,
            baseline_mean=pl.Series(mean(cube["baseline_sum"], n)),
            last_mean=pl.Series(mean(cube["last_sum"], n)),
            change_mean=pl.Series(change),
            change_low=pl.Series(low),
            change_high=pl.Series(high),
            mcid_n=pl.col("mcid_eligible"),
            mcid_rate=pl.Series(rate),
            mcid_low=pl.Series(rate_low),
            mcid_high=pl.Series(rate_high),
            deteriorated_rate=pl.Series(share(cube["deteriorated"], n)),
        )
    )


def rom_change(rom_cube: pl.DataFrame) -> pl.DataFrame:
    """Range of motion at both ends, in percent of the reference."""
    n = rom_cube["pairs"]
    return MOTION.arrange(
        rom_cube.with_columns(
            n=n,
            baseline_percent=pl.Series(mean(rom_cube["baseline_permille_sum"], n, divisor=10)),
            last_percent=pl.Series(mean(rom_cube["last_permille_sum"], n, divisor=10)),
        )
    )


def measure_summary(summary: pl.DataFrame) -> pl.DataFrame:
    """Mean and standard deviation of every measure at both ends and of its change (positive = better), in its unit."""
    n = summary["n"]
    statistics = {
        f"{name}_{statistic}": pl.Series(values)
        for name in ("baseline", "value", "change")
        for statistic, values in (
            ("mean", mean(summary[f"{name}_sum"], n)),
            ("sd", deviation(summary[f"{name}_sum"], summary[f"{name}_sum_squares"], n)),
        )
    }
    return MEASURES.arrange(summary.with_columns(**statistics))


def response(response_summary: pl.DataFrame) -> pl.DataFrame:
    """Share of responders among those who had room to respond."""
    rate, low, high = wilson(response_summary["responders"], response_summary["eligible"])
    return RESPONSE.arrange(
        response_summary.with_columns(
            n=pl.col("eligible"), rate=pl.Series(rate), rate_low=pl.Series(low), rate_high=pl.Series(high)
        )
    )


def unknown_reason(recovery_cube: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Why recovery is unknown: ``episodes`` by reason of ``n`` in all; all periods, any care, default definition."""
    cube = recovery_cube.filter(
        (pl.col("period") == ALL_PERIODS)
        & (pl.col("care") == ANY_CARE)
        & (pl.col("definition_id") == contract.default_definition.definition_id)
    ).rename({"episodes": "n", **UNKNOWN_REASONS})
    long = cube.unpivot(
        on=list(UNKNOWN_REASONS.values()),
        index=["condition_id", "clinic_key", "n"],
        variable_name="reason",
        value_name="episodes",
    )
    return UNKNOWN.arrange(long.with_columns(share=pl.Series(share(long["episodes"], long["n"]))))


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    cube = marts["marts.recovery_cube"]
    return {
        "measure_summary": measure_summary(marts["marts.measure_summary"]),
        "pain_change": pain_change(marts["marts.pain_cube"]),
        "recovery_by_condition": recovery_by_condition(cube),
        "response": response(marts["marts.response_summary"]),
        "rom_change": rom_change(marts["marts.rom_cube"]),
        "unknown_reason": unknown_reason(cube, contract),
    }


TOPIC = Topic(
    reads=(
        "marts.recovery_cube",
        "marts.pain_cube",
        "marts.rom_cube",
        "marts.measure_summary",
        "marts.response_summary",
    ),
    tables={
        "measure_summary": "Mean and standard deviation of every measure at both ends and of its change",
        "pain_change": "Pain at both ends, mean change with 95% interval, responders",
        "recovery_by_condition": "Recovery rate with Wilson interval, completeness, and bounds for unknown outcomes",
        "response": "Share of responders by rule, among those who had room to respond",
        "rom_change": "Range of motion at both ends in percent of the reference",
        "unknown_reason": "Why recovery is unknown: episodes by reason",
    },
    build=_build,
    layouts={
        "measure_summary": MEASURES,
        "pain_change": PAIN,
        "recovery_by_condition": RECOVERY,
        "response": RESPONSE,
        "rom_change": MOTION,
        "unknown_reason": UNKNOWN,
    },
)
