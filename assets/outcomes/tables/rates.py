"""Published frames about groups of episodes at their end: recovery, pain, motion, unknown outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.outcomes.frames import ALL_PERIODS, ANY_CARE, FLOAT, INTEGER, STRING, Layout, columns
from assets.outcomes.methods.means import deviation, mean, t_interval
from assets.outcomes.methods.proportions import missing_bounds, share, wilson
from assets.outcomes.topic import Topic

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
)
PAIN = Layout(
    GROUP,
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, "baseline_mean", "last_mean", "change_mean", "change_low", "change_high"),
        **columns(INTEGER, "mcid_n"),
        **columns(FLOAT, "mcid_rate", "mcid_low", "mcid_high", "deteriorated_rate"),
    },
    groups=("n",),
    subgroups={"mcid_n": ("mcid_n", "mcid_rate", "mcid_low", "mcid_high")},
    statistic="pain_change",
)
MOTION = Layout(
    GROUP,
    {**columns(INTEGER, "n"), **columns(FLOAT, "baseline_percent", "last_percent")},
    groups=("n",),
    statistic="rom_change",
)
MEASURES = Layout(
    MEASURE,
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, "baseline_mean", "baseline_sd", "value_mean", "value_sd", "change_mean", "change_sd"),
        **columns(INTEGER, "worsened"),
    },
    groups=("n",),
    statistic="measure_summary",
)
RESPONSE = Layout(
    {**MEASURE, **columns(STRING, "rule_id")},
    {**columns(INTEGER, "n", "responders"), **columns(FLOAT, "rate", "rate_low", "rate_high")},
    groups=("n",),
    statistic="response",
)
UNKNOWN = Layout(
    columns(STRING, "condition_id", "clinic_key", "reason"),
    {**columns(INTEGER, "episodes", "n"), **columns(FLOAT, "share")},
    groups=("n", "episodes"),
    statistic="unknown_outcome",
)

UNKNOWN_REASONS = {
    "open": "still_open",
    "baseline_too_low": "baseline_too_low",
    "no_baseline": "no_baseline",
    "no_comparable_pair": "no_comparable_pair",
    "rom_not_measured": "rom_not_measured",
}
"""Count column of ``marts.recovery_cube`` -> the reason that it counts."""


def recovery_by_condition(recovery_cube: pl.DataFrame) -> pl.DataFrame:
    """Recovery rate of the episodes with a known outcome, how many these are, and the two extremes of the rest."""
    cube = recovery_cube
    rate, low, high = wilson(cube["recovered"], cube["known"])
    none, every = missing_bounds(cube["recovered"], cube["known"], cube["eligible"])
    return RECOVERY.publish(
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
    return PAIN.publish(
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
    return MOTION.publish(
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
    return MEASURES.publish(summary.with_columns(**statistics))


def response(response_summary: pl.DataFrame) -> pl.DataFrame:
    """Share of responders among those who had room to respond."""
    rate, low, high = wilson(response_summary["responders"], response_summary["eligible"])
    return RESPONSE.publish(
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
    return UNKNOWN.publish(long.with_columns(share=pl.Series(share(long["episodes"], long["n"]))))


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
)
