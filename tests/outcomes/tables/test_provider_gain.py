"""Adjusted gains: the rule by hand, who is not adjusted, and the gain that the source publishes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.methods.funnel import ABOVE, AS_EXPECTED, BELOW
from assets.outcomes.tables.provider_gain import NO_VARIATION, TOO_FEW_RECORDS, TOPIC, provider_gain
from tests.outcomes.printed import printed

MEASURE = CONTRACT.measures[0].measure_id


def mart(records: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> pl.DataFrame:
    """The mart of providers' baselines, later scores and predictions, higher being better."""

    def sums(clinic: str | None, before: np.ndarray, after: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        residual = after - predicted
        return {
            "measure_id": MEASURE,
            "planned_day": 182,
            "earlier_operations": "none",
            "clinic_key": clinic,
            "n": len(before),
            "baseline_sum": before.sum(),
            "value_sum": after.sum(),
            "predicted_sum": predicted.sum(),
            "gain_sum": (after - before).sum(),
            "residual_sum": residual.sum(),
            "residual_sum_squares": (residual**2).sum(),
        }

    whole = [np.concatenate(parts) for parts in zip(*records.values(), strict=True)]
    rows = [sums(None, *whole), *(sums(clinic, *parts) for clinic, parts in records.items())]
    exact = {name: pl.Decimal(38, 6) for name in rows[0] if name.endswith("_sum")}
    schema = pl.DataFrame(rows, infer_schema_length=None)
    return schema.cast({**exact, "residual_sum_squares": pl.Decimal(38, 12), "planned_day": pl.Int32})


def providers() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(20261201)
    made = {}
    for clinic, n, shift in (("a", 400, 0), ("b", 200, 3), ("c", 200, -3), ("d", 29, 9), ("e", 30, 0), ("f", 10, 0)):
        before = rng.integers(5, 30, n).astype(float)
        predicted = 0.5 * before + 25.0
        made[clinic] = (before, np.round(predicted + shift + rng.normal(0, 8, n)), predicted)
    return made


def test_the_rule_by_hand() -> None:
    records = providers()
    frame = provider_gain(mart(records), CONTRACT)
    rows = {row["clinic_key"]: row for row in frame.iter_rows(named=True)}
    before, after, predicted = (np.concatenate(parts) for parts in zip(*records.values(), strict=True))
    residual, gain = after - predicted, np.mean(after - before)
    for clinic in "abce":
        mine = records[clinic]
        adjusted = np.mean(mine[1] - mine[2]) - residual.mean() + gain
        error = residual.std(ddof=1) / np.sqrt(len(mine[0]))
        row = rows[clinic]
        assert row["adjusted_gain"] == pytest.approx(adjusted, abs=1e-8)
        assert row["z"] == pytest.approx((adjusted - gain) / error, abs=1e-8)
        assert (row["low_95"], row["high_998"]) == pytest.approx((gain - 1.96 * error, gain + 3.09 * error), abs=1e-3)
        assert row["gain_mean"] == pytest.approx(np.mean(mine[1] - mine[0]), abs=1e-8)
        assert not row["is_published_network_gain"]
    assert [rows[clinic]["zone"] for clinic in "abce"] == [AS_EXPECTED, ABOVE, BELOW, AS_EXPECTED]
    # Planted fault: the SD of the raw gain is another, and z with it
    assert np.std(after - before, ddof=1) > 1.05 * residual.std(ddof=1)


def test_few_records_are_shown_and_not_adjusted_and_fewer_hidden() -> None:
    table = printed("provider_gain", provider_gain(mart(providers()), CONTRACT))
    rows = {row["clinic_key"]: row for row in table.iter_rows(named=True)}
    assert (rows["d"]["not_adjusted"], rows["d"]["adjusted_gain"], rows["d"]["zone"]) == (TOO_FEW_RECORDS, None, None)
    assert rows["d"]["gain_mean"] is not None
    assert (rows["e"]["n"], rows["e"]["not_adjusted"]) == (30, None)
    assert rows["f"]["suppressed"]
    assert rows["f"]["gain_mean"] is rows["f"]["n"] is rows["f"]["network_gain"] is None


def test_the_published_gain_of_all_shifts_gains_and_no_zone() -> None:
    prediction = replace(
        CONTRACT.measures[0], measure_id="forecast", predicts=MEASURE, gain_of_all=(("none", Decimal("20.5")),)
    )
    own = provider_gain(mart(providers()), CONTRACT)
    published = provider_gain(mart(providers()), CONTRACT.extended(measures=[prediction]))
    assert set(published["network_gain"].drop_nulls()) == {20.5}
    assert published["is_published_network_gain"].drop_nulls().all()
    assert published["zone"].to_list() == own["zone"].to_list()
    np.testing.assert_allclose(
        (published["adjusted_gain"] - own["adjusted_gain"]).drop_nulls(),
        (published["network_gain"] - own["network_gain"]).drop_nulls()[:4],
        atol=1e-8,
    )


def test_predictions_that_are_all_right_leave_nothing_to_compare() -> None:
    before = np.arange(40.0)
    (row,) = provider_gain(mart({"a": (before, before + 5, before + 5)}), CONTRACT).iter_rows(named=True)
    assert (row["not_adjusted"], row["zone"]) == (NO_VARIATION, None)


def test_order_of_rows_and_an_empty_mart() -> None:
    rows = mart(providers())
    shuffled = rows.sample(fraction=1, shuffle=True, seed=5)
    assert provider_gain(rows, CONTRACT).equals(provider_gain(shuffled, CONTRACT))
    empty = TOPIC.build({"marts.predicted_gain": rows.clear()}, CONTRACT)["provider_gain"]
    assert empty.is_empty()
    assert empty.schema == provider_gain(rows, CONTRACT).schema
