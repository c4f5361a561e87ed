"""Frames by subgroup against single episodes, and small groups hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assets.contract import CONTRACT
from assets.outcomes.tables.subgroups import (
    TOPIC,
    care_mix,
    subgroup_outcome,
    twitch_difference,
    twitch_outcome,
)
from tests.outcomes.printed import printed

EXACT, SQUARES = pl.Decimal(38, 6), pl.Decimal(38, 12)
TWITCH_COLUMNS = {
    **dict.fromkeys(("condition_id", "outcome", "twitch"), pl.String),
    **dict.fromkeys(("patients", "pair_patients", "units", "pairs"), pl.Int64),
    **dict.fromkeys(("baseline_sum", "change_sum"), EXACT),
    "change_by_change": SQUARES,
    "change_by_pairs": EXACT,
    **dict.fromkeys(("pairs_by_pairs", "mcid_eligible", "mcid_responders", "mcid_patients"), pl.Int64),
    "change_by_no_change": SQUARES,
    **dict.fromkeys(("change_by_no_pairs", "pairs_by_no_change"), EXACT),
    **dict.fromkeys(("pairs_by_no_pairs", "patients_also_no"), pl.Int64),
}
SUBGROUP_COLUMNS = {
    **dict.fromkeys(("condition_id", "dimension", "subgroup"), pl.String),
    **dict.fromkeys(("episodes", "eligible", "known", "recovered", "pairs"), pl.Int64),
    **dict.fromkeys(("baseline_sum", "change_sum"), EXACT),
    "change_sum_squares": SQUARES,
    **dict.fromkeys(("mcid_eligible", "mcid_responders"), pl.Int64),
}
CARE_COLUMNS = {
    **dict.fromkeys(("condition_id", "treatment_class"), pl.String),
    **dict.fromkeys(("episodes", "needled", "with_class", "needled_with_class", "sessions"), pl.Int64),
}


def table(schema: dict[str, Any], *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def twitch_row(
    change: np.ndarray, patient: np.ndarray, keys: tuple[str | None, str, str], responders: int = 0
) -> tuple[Any, ...]:
    totals, n = np.bincount(patient, weights=change), np.bincount(patient)
    totals, n = totals[n > 0], n[n > 0]
    return (
        *keys,
        *(len(n) + 5, len(n), len(change) + 20, len(change), 6 * len(change), int(change.sum())),
        *(int((totals**2).sum()), int((totals * n).sum()), int((n**2).sum())),
        *((len(change), responders, len(n)) if responders else (0, 0, 0)),
        *(0, 0, 0, 0, 0),
    )


@pytest.fixture(scope="module")
def changes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20261125)
    return {"yes": rng.integers(-3, 7, 200), "no": rng.integers(-3, 5, 80)}


@pytest.fixture(scope="module")
def twitch_cube(changes: dict[str, np.ndarray]) -> pl.DataFrame:
    """At discharge one episode per patient; sessions come four to a patient."""
    return table(
        TWITCH_COLUMNS,
        *(
            twitch_row(change, np.arange(len(change)), (None, "discharge", answer), 30)
            for answer, change in changes.items()
        ),
        *(
            twitch_row(change, np.arange(len(change)) // 4, (None, "immediate", answer))
            for answer, change in changes.items()
        ),
        twitch_row(np.array([3] * 40), np.arange(40) // 4, ("sciatica", "immediate", "yes")),
    )


def test_twitch_at_discharge(twitch_cube: pl.DataFrame, changes: dict[str, np.ndarray]) -> None:
    frame = twitch_outcome(twitch_cube)
    got = frame.row(by_predicate=(pl.col("outcome") == "discharge") & (pl.col("twitch") == "yes"), named=True)
    change = changes["yes"]
    expected = stats.t.interval(0.95, 199, loc=change.mean(), scale=stats.sem(change))
    assert (got["pairs"], got["pair_share"], got["baseline_mean"]) == (200, pytest.approx(200 / 220), 6.0)
    assert [got["change_mean"], got["change_low"], got["change_high"]] == pytest.approx(
        [change.mean(), *expected], abs=1e-8
    )
    assert (got["mcid_n"], got["mcid_rate"]) == (200, 0.15)


def test_sessions_of_one_patient_are_alike(twitch_cube: pl.DataFrame, changes: dict[str, np.ndarray]) -> None:
    frame = twitch_outcome(twitch_cube).filter(pl.col("condition_id").is_null(), pl.col("twitch") == "yes")
    by_outcome = {key: frame.row(by_predicate=pl.col("outcome") == key, named=True) for key in frame["outcome"]}
    immediate = by_outcome["immediate"]
    assert (immediate["pair_patients"], immediate["pairs"]) == (50, 200)
    means = changes["yes"].reshape(50, 4).mean(axis=1)
    expected = stats.t.interval(0.95, 49, loc=means.mean(), scale=stats.sem(means))
    assert [immediate["change_low"], immediate["change_high"]] == pytest.approx(expected, abs=1e-8)
    assert immediate["mcid_rate"] is None


def test_many_sessions_of_few_patients_are_hidden(twitch_cube: pl.DataFrame) -> None:
    got = printed("twitch_outcome", twitch_outcome(twitch_cube)).row(
        by_predicate=pl.col("condition_id") == "sciatica", named=True
    )
    assert (got["patients"], got["units"], got["suppressed"]) == (15, 60, False)
    assert [got[name] for name in ("pair_patients", "pairs", "change_mean", "change_low")] == [None] * 4


def test_twitch_seen_minus_not_seen(twitch_cube: pl.DataFrame, changes: dict[str, np.ndarray]) -> None:
    frame = twitch_difference(twitch_cube)
    assert frame.select("outcome", "quantity").rows() == [
        ("discharge", "mcid_rate"),
        ("discharge", "pain_change"),
        ("immediate", "pain_change"),
    ]
    rate, change, session = frame.rows(named=True)
    yes, no = changes["yes"], changes["no"]
    assert change["difference"] == session["difference"] == pytest.approx(yes.mean() - no.mean(), abs=1e-9)
    # No patient on both sides: variances add, here with 280 patients and divisors n instead of n - 1
    error = np.sqrt(280 / 279 * (yes.var() / 200 + no.var() / 80))
    half = stats.t.ppf(0.975, 279) * error
    assert [change["low"], change["high"]] == pytest.approx(
        [change["difference"] - half, change["difference"] + half], abs=1e-8
    )
    assert (rate["yes_n"], rate["no_n"]) == (200, 80)
    assert [rate["yes"], rate["no"], rate["difference"]] == pytest.approx([0.15, 0.375, -0.225])
    assert rate["low"] < -0.225 < rate["high"]
    assert "not adjusted" in CONTRACT.statistic("twitch_difference").label


def test_patients_on_both_sides_of_a_difference(changes: dict[str, np.ndarray]) -> None:
    """One session of each of 80 patients with a twitch, one without: the interval of the paired t test."""
    yes, no = changes["yes"][:80], changes["no"]
    rows = table(
        TWITCH_COLUMNS,
        *(
            twitch_row(values, np.arange(80), (None, "immediate", answer))
            for answer, values in (("yes", yes), ("no", no))
        ),
    ).with_columns(
        change_by_no_change=pl.lit(int((yes * no).sum())).cast(SQUARES),
        change_by_no_pairs=pl.lit(int(yes.sum())).cast(EXACT),
        pairs_by_no_change=pl.lit(int(no.sum())).cast(EXACT),
        pairs_by_no_pairs=80,
        patients_also_no=80,
    )
    got = twitch_difference(rows).row(0, named=True)
    expected = stats.ttest_rel(yes, no).confidence_interval(0.95)
    assert [got["low"], got["high"]] == pytest.approx([expected.low, expected.high], abs=1e-8)


def test_no_difference_from_few_patients(twitch_cube: pl.DataFrame) -> None:
    few = twitch_cube.with_columns(pair_patients=pl.when(pl.col("twitch") == "no").then(10).otherwise("pair_patients"))
    change = printed("twitch_difference", twitch_difference(few)).row(
        by_predicate=(pl.col("quantity") == "pain_change") & (pl.col("outcome") == "discharge"), named=True
    )
    assert change["suppressed"]
    assert [change[name] for name in ("yes", "no", "difference", "low", "high", "yes_n")] == [None] * 6


def test_subgroup_outcome() -> None:
    rng = np.random.default_rng(7)
    change = rng.integers(-2, 8, 60)
    sums = (360, int(change.sum()), int((change**2).sum()))
    frame = subgroup_outcome(
        table(
            SUBGROUP_COLUMNS,
            (None, "population", "athlete", 120, 100, 80, 48, 60, *sums, 55, 33),
            (None, "population", "unknown", 30, 25, 10, 9, 4, 20, 3, 5, 4, 1),
            (None, "twitch", "not_recorded", 14, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            ("sciatica", "population", "athlete", 10, 9, 9, 9, 9, 60, 30, 100, 9, 9),
        )
    )
    athlete, unrecorded = (
        frame.row(by_predicate=predicate, named=True)
        for predicate in (
            pl.col("condition_id").is_null() & (pl.col("subgroup") == "athlete"),
            pl.col("subgroup") == "not_recorded",
        )
    )
    assert (athlete["n"], athlete["rate"], athlete["completeness"], athlete["pair_share"]) == (80, 0.6, 0.8, 0.5)
    assert (athlete["rate_if_missing_none"], athlete["rate_if_missing_all"]) == (0.48, 0.68)
    expected = stats.t.interval(0.95, 59, loc=change.mean(), scale=stats.sem(change))
    assert [athlete["change_low"], athlete["change_high"]] == pytest.approx(expected, abs=1e-8)
    assert (athlete["mcid_n"], athlete["mcid_rate"]) == (55, 0.6)
    protected = printed("subgroup_outcome", frame)
    unknown = protected.row(by_predicate=pl.col("subgroup") == "unknown", named=True)
    small = protected.row(by_predicate=pl.col("condition_id") == "sciatica", named=True)
    assert (unknown["episodes"], unknown["eligible"]) == (30, 25)
    hidden = ("n", "recovered", "rate", "completeness", "rate_if_missing_all", "pairs", "change_mean", "mcid_rate")
    assert {name: unknown[name] for name in hidden} == dict.fromkeys(hidden)
    assert (unrecorded["episodes"], unrecorded["n"], unrecorded["rate"], unrecorded["change_mean"]) == (
        14,
        0,
        None,
        None,
    )
    assert small["suppressed"]
    assert small["episodes"] is None


def test_what_goes_with_needling() -> None:
    frame = care_mix(
        table(
            CARE_COLUMNS,
            (None, "dry_needling", 200, 80, 80, 80, 240),
            (None, "massage", 200, 80, 100, 60, 300),
            (None, "modality", 200, 80, 20, 3, 25),
            (None, "sham", 200, 80, 4, 0, 9),
            ("sciatica", "massage", 40, 0, 20, 0, 60),
        )
    )
    rows = {(key, name): got for key, name, *got in frame.drop("statistic_id").rows()}
    assert rows[None, "massage"] == [200, 100, 0.5, 300, 80, 60, 0.75]
    assert rows[None, "modality"] == [200, 20, 0.1, 25, 80, 3, 0.0375]
    assert rows["sciatica", "massage"] == [40, 20, 0.5, 60, 0, 0, None]
    protected = {(key, name): got for key, name, *got in printed("care_mix", frame).drop("statistic_id").rows()}
    assert protected[None, "modality"] == [200, 20, 0.1, 25, 80, None, None, False]
    assert protected[None, "sham"] == [None] * 7 + [True]


def test_empty_marts_give_empty_frames() -> None:
    marts = {
        "marts.subgroup_cube": table(SUBGROUP_COLUMNS),
        "marts.twitch_cube": table(TWITCH_COLUMNS),
        "marts.care_mix_cube": table(CARE_COLUMNS),
    }
    frames = TOPIC.build(marts, CONTRACT)
    assert set(frames) == set(TOPIC.tables)
    assert all(frame.is_empty() for frame in frames.values())
