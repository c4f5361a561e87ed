"""A change of unit is found against the source's own history; another mix of patients is not taken for one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.drift import (
    FACTORS,
    HISTORY_DELIVERIES,
    SUMMARY,
    SUMMARY_SCHEMA,
    Drift,
    compare_scale,
    pooled,
    scale_drift,
    source_history,
    summarise,
)
from assets.deliveries.ledger import Delivery, Ledger, State
from assets.deliveries.profile.loading import PROFILE_FOLDER, AcceptedDrift, load_profile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator

CANONICAL = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
POPULATIONS = {  # mean, deviation, ends of the scale and its step: pain in points and mm, a disability index, an angle
    "nprs_avg24h": (4.2, 2.4, 0, 10, 1),
    "vas_mm": (42.0, 24.0, 0, 100, 1),
    "odi": (35.0, 16.0, 0, 100, 2),
    "slr": (66.0, 13.0, 0, 130, 1),
    "ankle_df_wblt_cm": (9.0, 2.6, 0, 25, 0.1),
}


def draw(rng: Generator, measure_id: str, rows: int, shift: float = 0.0) -> list[float]:
    """Scores of a measure, shifted by so many standard deviations, on the steps and between the ends of its scale."""
    mean, deviation, low, high, step = POPULATIONS[measure_id]
    exact = rng.normal(mean + shift * deviation, deviation, rows)
    return list(np.clip(np.rint(exact / step) * step, low, high))


def summary(measure_id: str, values: list[float]) -> pl.DataFrame:
    frame = pl.DataFrame({"measure_id": measure_id, "value": values, "rows": 1}, schema=SUMMARY_SCHEMA)
    return pooled([frame])


def found(measure_id: str, new: list[float], old: list[float]) -> list[Drift]:
    return scale_drift(summary(measure_id, new), summary(measure_id, old), [])


@pytest.mark.parametrize("factor", FACTORS)
def test_a_change_of_unit_is_found_and_said_without_a_value(factor: float) -> None:
    rng = np.random.default_rng(1)
    old = draw(rng, "vas_mm", 400)
    new = [value * factor for value in draw(rng, "vas_mm", 300)]
    (drift,) = found("vas_mm", new, old)
    assert (drift.measure_id, drift.rows, drift.history_rows) == ("vas_mm", 300, 400)
    assert drift.factor == factor
    assert drift.sentence.startswith("vas_mm: 300 scores are about ")


def test_the_sentence_names_measure_factor_and_counts() -> None:
    assert Drift("odi", 0.5, 31, 1200).sentence == (
        "odi: 31 scores are about 1/2 of what this source sent before (1,200 scores)"
    )
    assert "2.54 times" in Drift("odi", 2.54, 31, 1200).sentence
    assert "1/2.54 of" in Drift("odi", 1 / 2.54, 31, 1200).sentence


def test_false_alarms_are_rare_and_big_changes_found() -> None:
    rng = np.random.default_rng(20260701)
    alarms = compared = missed = doubled = halves = 0
    for _ in range(60):
        for measure_id in POPULATIONS:
            rows = int(rng.choice([30, 50, 100, 200, 500]))
            old = draw(rng, measure_id, int(rng.choice([100, 300, 1000])))
            for shift in (0.0, -1.0, float(rng.uniform(-1, 1)), 1.0):
                compared += 1
                alarms += bool(found(measure_id, draw(rng, measure_id, rows, shift), old))
            new = draw(rng, measure_id, rows)
            missed += not found(measure_id, [value * 10 for value in new], old)
            if rows >= 100:
                halves += 1
                doubled += bool(found(measure_id, [value / 2 for value in new], old))
    assert compared == 1200
    assert alarms == 0
    assert missed == 0
    assert doubled / halves > 0.9


@given(st.lists(st.floats(0, 100, allow_nan=False), min_size=30, max_size=200))
@settings(max_examples=50)
def test_a_source_never_drifts_from_itself(values: list[float]) -> None:
    assert found("vas_mm", values, values * 4) == []


@pytest.mark.parametrize(("rows", "history_rows"), [(29, 400), (300, 99)])
def test_few_scores_say_nothing(rows: int, history_rows: int) -> None:
    rng = np.random.default_rng(2)
    new = [value * 10 for value in draw(rng, "vas_mm", rows)]
    assert found("vas_mm", new, draw(rng, "vas_mm", history_rows)) == []


def test_what_cannot_tell_a_factor_is_not_compared() -> None:
    around_zero = [float(value) for value in range(-7, 8)] * 20
    assert found("groc", [2 * value for value in around_zero], around_zero) == []
    assert found("groc", [5.0] * 50, [10.0] * 200) == []
    assert found("ftf_cm", [-value for value in range(50)], [2.0 * value for value in range(200)]) == []


def test_an_accepted_drift_is_exempt() -> None:
    rng = np.random.default_rng(3)
    old, new = draw(rng, "vas_mm", 400), [value / 10 for value in draw(rng, "vas_mm", 100)]
    assert scale_drift(summary("vas_mm", new), summary("vas_mm", old), ["vas_mm"]) == []


def delivered(ledger: Ledger, name: str, values: list[float], state: State, **more: str) -> Delivery:
    rows = ledger.folder(name) / "rows"
    rows.mkdir(parents=True)
    pl.DataFrame(
        {"measure_id": "vas_mm", "value": [Decimal(f"{value:.1f}") for value in values], "accepted": True},
        schema={"measure_id": pl.String, "value": pl.Decimal(11, 6), "accepted": pl.Boolean},
    ).write_parquet(rows / "measurement.0.parquet")
    delivery = Delivery(
        delivery_id=name,
        label=name,
        files=(),
        extract_stamp=more.get("stamp", "2026-01-01T00:00:00Z"),
        profile=more.get("profile", "canonical"),
        profile_version=1,
        profile_digest="0" * 64,
        contract_version="1",
        state=state,
    )
    ledger.save(delivery)
    return delivery


def test_a_delivery_is_held_against_the_history_of_its_source_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    ledger = Ledger(tmp_path)
    usual, centimetres = draw(rng, "vas_mm", 200), [value / 10 for value in draw(rng, "vas_mm", 200)]
    first = delivered(ledger, "first", usual, State.TYPED)
    assert compare_scale(first, ledger, CANONICAL).compared_with == ()
    delivered(ledger, "second", usual, State.ACCEPTED)
    delivered(ledger, "held", centimetres, State.HELD)
    delivered(ledger, "elsewhere", centimetres, State.ACCEPTED, profile="other_source")
    new = delivered(ledger, "new", centimetres, State.TYPED)
    comparison = compare_scale(new, ledger, CANONICAL)
    assert comparison.compared_with == ("second",)
    problem = comparison.problem("new")
    assert problem is not None
    assert problem.code == "SCALE_DRIFT"
    assert str(problem) == (
        "new: vas_mm: 200 scores are about 1/10 of what this source sent before (200 scores). Declare the unit of the "
        "source in the profile, or list the measure under accept_drift with the reason."
    )
    because = AcceptedDrift(measure="vas_mm", because="The clinic has bought another instrument")
    accepting = CANONICAL.model_copy(update={"accept_drift": (because,)})
    assert compare_scale(new, ledger, accepting).problem("new") is None


def test_history_is_read_from_summaries_and_is_as_long_as_is_needed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for day in range(HISTORY_DELIVERIES + 5):
        delivered(ledger, f"d{day:02}", [40.0, 60.0], State.ACCEPTED, stamp=f"2026-01-{day + 1:02}T00:00:00Z")
    new = delivered(ledger, "new", [40.0], State.TYPED, stamp="2026-03-01T00:00:00Z")
    history = source_history(new, ledger)
    assert [delivery.delivery_id for delivery in history] == [f"d{day:02}" for day in range(5, HISTORY_DELIVERIES + 5)]
    compare_scale(new, ledger, CANONICAL)
    for delivery in history:
        kept = pl.read_parquet(ledger.folder(delivery.delivery_id) / SUMMARY)
        assert kept.rows() == [("vas_mm", 40.0, 1), ("vas_mm", 60.0, 1)]
        (ledger.folder(delivery.delivery_id) / "rows" / "measurement.0.parquet").unlink()
    assert compare_scale(new, ledger, CANONICAL).compared_with == tuple(d.delivery_id for d in history)


def test_only_accepted_scores_are_counted_and_a_delivery_may_have_none(tmp_path: Path) -> None:
    path = tmp_path / "measurement.0.parquet"
    pl.DataFrame(
        {"measure_id": ["odi", "odi", "odi"], "value": ["33.333333", "33.3", "90"], "accepted": [True, True, False]}
    ).cast({"value": pl.Decimal(11, 6)}).write_parquet(path)
    assert summarise([path]).rows() == [("odi", 33.3, 2)]
    assert summarise([]).schema == SUMMARY_SCHEMA
