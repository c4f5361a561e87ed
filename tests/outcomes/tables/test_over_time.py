"""Charts over time as published: gaps, what may be shown, open windows, phases, and the sentences."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.contract.charts import CHART_SERIES
from assets.outcomes.tables.over_time import OVER_TIME, SIGNAL, over_time
from assets.outcomes.tables.time_words import Reading, signal_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS = [f"{2024 + month // 12}-{month % 12 + 1:02d}" for month in range(27)]
NO_REBASE = pl.DataFrame(schema=dict.fromkeys(("series", "condition_id", "clinic_key", "from_period"), pl.String))
FLAT = [60, 58, 61, 59, 60, 58, 62, 59, 60, 61, 60, 58]
RECOVERED, PAIN, COMPLETENESS = CHART_SERIES


def mart(
    recovered: Sequence[int | None],
    *,
    known: int | Sequence[int] = 100,
    eligible: int = 120,
    open_from: int = 99,
    clinic_key: str | None = None,
) -> pl.DataFrame:
    """Rows of ``marts.period_count`` for all clinics together; None: the month is not in the data."""
    size = [known] * len(recovered) if isinstance(known, int) else known
    return pl.DataFrame(
        [
            {
                "time_unit": "month",
                "period": period,
                "condition_id": None,
                "clinic_key": clinic_key,
                "is_window_closed": position < open_from,
                "episodes": 130,
                "eligible": max(eligible, n),
                "known": n,
                "recovered": wins,
                "pairs": n,
                "change_sum": Decimal(3 * wins) / 10,
                "change_sum_squares": Decimal(n * 20),
            }
            for position, (period, wins, n) in enumerate(zip(MONTHS, recovered, size, strict=False))
            if wins is not None
        ],
        schema_overrides={"condition_id": pl.String, "clinic_key": pl.String, "change_sum": pl.Decimal(38, 6)},
    )


def points(counts: pl.DataFrame, rebase: pl.DataFrame = NO_REBASE, series: str = "recovered") -> pl.DataFrame:
    return over_time(counts, rebase, CONTRACT)["outcome_over_time"].filter(pl.col("series") == series)


def verdict(counts: pl.DataFrame, rebase: pl.DataFrame = NO_REBASE, series: str = "recovered") -> dict[str, object]:
    signal = over_time(counts, rebase, CONTRACT)["outcome_signal"]
    (row,) = signal.filter(pl.col("series") == series, pl.col("clinic_key").is_null()).iter_rows(named=True)
    return row


def rebase(period: str, series: str = "recovered") -> pl.DataFrame:
    return pl.DataFrame([(series, None, None, period)], schema=NO_REBASE.schema, orient="row")


def test_a_stable_series_says_what_to_expect() -> None:
    found = verdict(mart(FLAT * 2))
    assert (found["verdict"], found["chart"], found["limits"], found["points"]) == ("stable", "p", "frozen", 24)
    assert found["sentence"] == (
        "Stable: month-to-month changes are ordinary variation. "
        "Expect between 45% and 74% in a month with about 100 known outcomes if nothing changes."
    )


def test_nothing_is_said_of_a_latest_month_that_is_hidden() -> None:
    exact = over_time(mart([*FLAT, *FLAT, 20]), NO_REBASE, CONTRACT)["outcome_signal"]
    assert exact.filter(pl.col("series") == "recovered")["last_n"].unique().to_list() == [100]
    finish = SIGNAL.finish or pytest.fail("no words for what is hidden")
    concern = pl.col("verdict") == "concern"
    shown = finish(exact).filter(concern).row(0, named=True)
    assert shown["rule"] == "outside"
    hidden = finish(exact.filter(concern).with_columns(last_n=pl.lit(None, pl.Int64))).row(0, named=True)
    assert (hidden["verdict"], hidden["rule"], hidden["lower"], hidden["upper"]) == ("too_few", None, None, None)
    assert hidden["sentence"].startswith("The latest point is not shown")
    assert hidden["centre"] == shown["centre"]


def test_a_run_is_named_with_its_first_month() -> None:
    found = verdict(mart([*FLAT, *FLAT[:3], *[66] * 9]))
    assert (found["verdict"], found["rule"]) == ("better", "run_of_7")
    assert found["sentence"] == "Improving: above the average in every month since March 2025."


def test_a_fall_below_the_limit_is_a_concern_and_is_named() -> None:
    found = verdict(mart([*FLAT, *FLAT, 20]))
    assert (found["verdict"], found["rule"]) == ("concern", "outside")
    assert found["sentence"] == "Concern: below the lower limit in January 2026."


def test_a_rising_run_that_starts_below_the_average_is_called_a_rise() -> None:
    found = verdict(mart([*FLAT, *FLAT[:3], 54, 55, 56, 57, 58, 59, 60]))
    assert (found["verdict"], found["rule"]) == ("better", "trend_of_7")
    assert found["sentence"] == "Improving: a rise over 7 months in a row, April 2025 to October 2025."


def test_two_of_three_near_the_limit() -> None:
    found = verdict(mart([*FLAT, 60, 71, 61, 71]))
    assert found["sentence"] == "Improving: two of three months close to the upper limit, February 2025 to April 2025."


def test_a_signal_that_is_over_does_not_make_the_verdict() -> None:
    found = verdict(mart([*FLAT, 20, *FLAT[1:6]]))
    assert (found["verdict"], found["earlier_signals"]) == ("stable", 1)
    assert str(found["sentence"]).startswith(
        "Stable now: the latest month-to-month changes are ordinary variation. 1 earlier month was a signal, the last "
        "in January 2025. Expect between"
    )


def test_eleven_points_are_too_few_and_have_trial_limits_without_signals() -> None:
    counts = mart([*FLAT[:10], 5])
    assert verdict(counts)["sentence"] == "Too few months to judge: 11 of the 12 that limits need."
    found = points(counts)
    assert set(found["limits"]) == {"trial"}
    assert set(found["point_class"]) == {"none"}
    assert found["rules"].null_count() == found.height


def test_an_open_window_has_no_value_and_moves_nothing() -> None:
    closed, with_open = mart(FLAT * 2), mart([*FLAT, *FLAT, 5, 4, 3], open_from=24)
    found = points(with_open)
    assert (
        found.tail(3).select("value", "n", "point_class", "is_window_closed").rows() == [(None, 100, "none", False)] * 3
    )
    assert found.head(24).equals(points(closed))
    assert verdict(with_open) == verdict(closed)


@pytest.mark.parametrize("small", [None, 10, 1, 0])
def test_small_and_missing_months_are_gaps(small: int | None) -> None:
    """A month that may not be shown moves no limit, and breaks the run it lies in."""
    recovered: list[int | None] = [*FLAT, *[66] * 5, small, *[66] * 5]
    known = [100] * 17 + [small or 0] + [100] * 5
    found = points(mart(recovered, known=known))
    assert found["period"].to_list() == MONTHS[:23]
    row = found.row(17, named=True)
    assert row["value"] is None
    assert row["n"] == (small or 0)
    assert found["rules"].null_count() == found.height
    whole = points(mart([*FLAT, *[66] * 11]))
    assert whole["rules"].drop_nulls().to_list() == ["run_of_7"] * 11
    assert found["centre"].drop_nulls().unique().to_list() == whole["centre"].unique().to_list()


def test_few_known_outcomes_do_not_come_out_as_completeness() -> None:
    found = points(mart(FLAT, known=[100] * 11 + [10]), series="completeness")
    assert found["value"].to_list()[-2:] == [pytest.approx(100 / 120), None]
    assert points(mart([*FLAT[:11], 0], known=[100] * 11 + [0]), series="completeness")["value"].to_list()[-1] == 0


def test_a_decision_starts_a_new_phase_and_nothing_else_does() -> None:
    counts = mart([*FLAT, *[70 + value - 60 for value in FLAT]])
    assert verdict(counts)["verdict"] == "better"
    assert points(counts)["phase"].unique().to_list() == [1]
    found = points(counts, rebase("2025-01"))
    assert found["phase"].to_list() == [1] * 12 + [2] * 12
    assert set(found["point_class"]) == {"common_cause"}
    assert found["centre"].unique().sort().to_list() == pytest.approx([0.596667, 0.696667], abs=1e-6)
    assert found.head(12).equals(points(counts).head(12))
    assert verdict(counts, rebase("2025-01"))["verdict"] == "stable"


def test_a_new_phase_needs_twelve_points_too() -> None:
    found = verdict(mart(FLAT * 2), rebase("2025-08"))
    assert (found["phase"], found["points"]) == (2, 5)
    assert found["sentence"] == (
        "Too few months to judge since the limits were set anew in August 2025: 5 of the 12 that limits need."
    )


@pytest.mark.parametrize("other", [rebase("2025-01", "pain_change"), rebase("1999-01"), rebase("2025")])
def test_a_decision_about_another_chart_changes_nothing(other: pl.DataFrame) -> None:
    assert points(mart(FLAT * 2), other).equals(points(mart(FLAT * 2)))


def test_means_are_charted_as_individual_values_in_points() -> None:
    found = verdict(mart(FLAT * 2), series="pain_change")
    assert found["chart"] == "xmr"
    assert found["centre"] == pytest.approx(sum(FLAT) / 12 * 0.3 / 100)
    assert str(found["sentence"]).endswith("Expect between 0.2 and 0.2 points in any month if nothing changes.")
    assert found["definition_id"] is None


def test_a_series_without_a_point_to_show_is_counted_but_not_drawn() -> None:
    counts = pl.concat([mart(FLAT * 2), mart([3] * 24, known=9, eligible=9, clinic_key="small")])
    found = over_time(counts, NO_REBASE, CONTRACT)
    assert "small" not in set(found["outcome_over_time"]["clinic_key"])
    small = found["outcome_signal"].filter(pl.col("clinic_key") == "small")
    assert set(small["sentence"]) == {"Too few months to judge: 0 of the 12 that limits need."}
    assert set(small["n"]) == {0}


def test_a_stray_date_makes_no_axis() -> None:
    stray = mart([11]).with_columns(period=pl.lit("1990-05"), episodes=pl.lit(10, pl.Int64))
    assert points(pl.concat([mart(FLAT * 2), stray]))["period"].to_list() == MONTHS[:24]


def test_years_have_holes_too() -> None:
    years = mart(FLAT[:2]).with_columns(time_unit=pl.lit("year"), period=pl.Series(["2021", "2023"]))
    found = points(years)
    assert found["period"].to_list() == ["2021", "2022", "2023"]
    assert found["value"].to_list() == [0.6, None, 0.58]
    assert verdict(years)["sentence"] == "Too few years to judge: 2 of the 12 that limits need."


def test_nothing_in_nothing_out() -> None:
    found = over_time(mart(FLAT).clear(), NO_REBASE, CONTRACT)
    named = ["statistic_id", "recovery_definition_id"]
    assert found["outcome_over_time"].columns == [*OVER_TIME.keys, *OVER_TIME.numbers, *named]
    assert found["outcome_signal"].columns == [*SIGNAL.keys, *SIGNAL.numbers, *named]
    assert all(frame.is_empty() for frame in found.values())


@settings(max_examples=10)
@given(st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    counts = pl.concat([mart(FLAT * 2), mart([40, 41, 42] * 8, known=70, clinic_key="c1")])
    shuffled = counts.sample(fraction=1, shuffle=True, seed=seed)
    for name, frame in over_time(counts, NO_REBASE, CONTRACT).items():
        assert over_time(shuffled, NO_REBASE, CONTRACT)[name].equals(frame)


def test_limits_that_no_month_could_leave_are_called_so() -> None:
    reading = Reading("stable", 12, limits=(-0.1, 1.2))
    assert signal_sentence(RECOVERED, "month", reading).endswith(
        "The groups are too small for limits: no single month could be outside them."
    )
    assert signal_sentence(PAIN, "year", Reading("too_few", 13)) == (
        "Too many gaps to judge: limits need years that follow each other."
    )


def test_a_stable_series_that_ends_early_says_when() -> None:
    found = verdict(mart(FLAT * 2, known=[100] * 20 + [9] * 4, eligible=9))
    assert found["last_period"] == "2025-08"
    assert str(found["sentence"]).endswith(
        "if nothing changes. The last month with enough known outcomes is August 2025."
    )


def test_a_run_that_a_gap_follows_is_told_with_its_end() -> None:
    reading = Reading("concern", 20, rule="run", pattern=["2025-03", "2025-09"], is_latest=False)
    assert signal_sentence(COMPLETENESS, "month", reading) == (
        "Concern: below the average in every month from March 2025 to September 2025."
    )
