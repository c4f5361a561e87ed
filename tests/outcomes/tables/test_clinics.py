"""Clinics beside the network: planted clinics are found, alike ones are not, small ones not judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.completeness import BELOW_FLOOR, BELOW_TARGET, ON_TARGET
from assets.outcomes.methods.funnel import ABOVE, AS_EXPECTED, BELOW
from assets.outcomes.methods.shrinkage import random_effects
from assets.outcomes.tables.clinics import (
    NO_VARIATION,
    PAIN_CHANGE,
    SPREAD,
    TOO_FEW_CLINICS,
    TOO_FEW_PATIENTS,
    TOO_INCOMPLETE,
    TOPIC,
    clinic_cells,
    clinic_funnel,
    clinic_shrunken,
    clinic_spread,
    funnel_line,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

as_printed = SPREAD.finish or pytest.fail("the spread has no sentence")

(DEFAULT,) = (item.definition_id for item in CONTRACT.definitions if item.is_default)
POINTS = 4
"""Squared changes are made so that every patient's change has this variance."""


def cubes(
    known: Sequence[int], recovered: Sequence[int], change: Sequence[float] | None = None, eligible: Sequence[int] = ()
) -> dict[str, pl.DataFrame]:
    """The two marts of one network without conditions; every definition gets the same counts."""
    n = np.array(known)
    room = np.array(eligible if len(eligible) else known)
    mean = np.zeros(len(n)) if change is None else np.array(change)
    total = np.round(n * mean).astype(int)
    recovery = pl.DataFrame(
        {"eligible": room, "known": n, "recovered": np.array(recovered), "episodes": room + 5, "open": 5}
    )
    squares = np.round(n * POINTS + np.divide(total**2, n, out=np.zeros(len(n)), where=n > 0)).astype(int)
    pain = pl.DataFrame({"pairs": n, "change_sum": total, "change_sum_squares": squares})
    keys = pl.Series("clinic_key", [f"c{position:02}" for position in range(len(n))])
    whole = {"condition_id": pl.lit(None, pl.String), "care": pl.lit("any"), "period": pl.lit("all")}

    def with_total(frame: pl.DataFrame) -> pl.DataFrame:
        network = frame.sum().with_columns(clinic_key=pl.lit(None, pl.String))
        return pl.concat([frame.with_columns(keys), network]).with_columns(**whole)

    definitions = pl.DataFrame({"definition_id": [item.definition_id for item in CONTRACT.definitions]})
    return {
        "marts.recovery_cube": with_total(recovery).join(definitions, how="cross"),
        "marts.pain_cube": with_total(pain),
    }


def cells(*counts: Any, **more: Any) -> pl.DataFrame:
    found = cubes(*counts, **more)
    return clinic_cells(found["marts.recovery_cube"], found["marts.pain_cube"], CONTRACT)


def of(frame: pl.DataFrame, outcome: str = DEFAULT) -> list[dict[str, Any]]:
    return frame.filter(pl.col("outcome_id") == outcome).rows(named=True)


ALIKE = [60, 45, 80, 30, 100, 55, 70, 40, 90, 65, 50, 75]
PLANTED = [36, 27, 48, 18, 60, 33, 42, 24, 54, 39, 50, 15]


def test_planted_clinics_are_above_and_below_and_the_others_as_expected() -> None:
    rows = of(clinic_funnel(cells(ALIKE, PLANTED)))
    assert [row["clinic_key"] for row in rows] == [f"c{i:02}" for i in range(12)]
    assert [row["chance_zone"] for row in rows] == [AS_EXPECTED] * 10 + [ABOVE, BELOW]
    assert [row["network"] for row in rows] == pytest.approx([sum(PLANTED) / sum(ALIKE)] * 12, abs=1e-9)
    for row in rows:
        expected = "above" if row["value"] > row["chance_high_998"] else row["chance_zone"]
        assert row["chance_zone"] == expected
        assert row["low_998"] <= row["chance_low_998"] <= row["chance_low_95"] <= row["network"]
        assert row["network"] <= row["chance_high_95"] <= row["chance_high_998"] <= row["high_998"] <= 1
        assert 0 <= row["chance_high_95"] - row["line_high_95"] < 1 / row["n"] + 1e-9
        assert row["zone"] == row["chance_zone"]
    # Two clinics that truly differ do not widen everybody's limits: z values are winsorised
    assert {row["is_widened"] for row in rows} == {False}


def test_variation_between_all_clinics_widens_the_limits_and_changes_the_word() -> None:
    """Every second clinic is high, every other low: each is usual here, though none is by chance."""
    recovered = [round(n * (0.75 if i % 2 else 0.45)) for i, n in enumerate(ALIKE)]
    rows = of(clinic_funnel(cells(ALIKE, recovered)))
    assert {row["is_widened"] for row in rows} == {True}
    assert sum(row["chance_zone"] != AS_EXPECTED for row in rows) >= 6
    assert [row["zone"] for row in rows] == [AS_EXPECTED] * 12
    assert all(row["high_95"] - row["low_95"] > row["chance_high_95"] - row["chance_low_95"] for row in rows)


def test_mean_change_in_pain_uses_the_pooled_sd() -> None:
    change = [3.0] * 11 + [0.5]
    rows = of(clinic_funnel(cells(ALIKE, PLANTED, change)), PAIN_CHANGE)
    assert rows[-1]["chance_zone"] == BELOW
    assert {row["chance_zone"] for row in rows[:-1]} == {AS_EXPECTED}
    pooled = np.sqrt(POINTS * sum(ALIKE) / (sum(ALIKE) - 12))
    half = (rows[0]["chance_high_95"] - rows[0]["chance_low_95"]) / 2
    # t with 748 degrees of freedom: 1.9631
    assert half == pytest.approx(1.9631 * pooled / np.sqrt(ALIKE[0]), rel=1e-3)
    assert rows[0]["line_high_95"] == rows[0]["chance_high_95"]


def test_small_and_incomplete_clinics_are_shown_but_not_judged() -> None:
    known = [*ALIKE[:10], 10, 11, 59, 60, 80, 0]
    eligible = [*ALIKE[:10], 40, 11, 100, 100, 100, 30]
    rows = of(clinic_funnel(cells(known, [n // 2 for n in known], eligible=eligible)))
    small, eleven, incomplete, floor, target, nobody = rows[10:]
    assert (small["not_compared"], small["zone"], small["line_low_95"]) == (TOO_FEW_PATIENTS, None, None)
    assert eleven["zone"] == AS_EXPECTED
    assert (incomplete["not_compared"], incomplete["zone"], incomplete["high_95"]) == (TOO_INCOMPLETE, None, None)
    assert incomplete["value"] is not None
    words = [row["completeness_word"] for row in (incomplete, floor, target)]
    assert words == [BELOW_FLOOR, BELOW_TARGET, ON_TARGET]
    assert (floor["not_compared"], floor["zone"]) == (None, AS_EXPECTED)
    assert (nobody["n"], nobody["value"], nobody["not_compared"], nobody["zone"]) == (0, None, TOO_FEW_PATIENTS, None)


def test_whoever_is_not_compared_has_no_part_in_the_spread() -> None:
    """A small clinic with an extreme value changes neither the spread nor another clinic's shrunken value."""
    known = [*ALIKE, 10]
    one, other = (cells(known, [*PLANTED, extreme]) for extreme in (0, 6))
    same = one.with_columns(pl.col("network", "patient_sd").first())
    swapped = other.with_columns(network=pl.lit(one["network"][0]), patient_sd=pl.lit(one["patient_sd"][0]))
    assert clinic_spread(same).equals(clinic_spread(swapped))
    others = pl.col("clinic_key") != "c12"
    assert clinic_shrunken(same).filter(others).equals(clinic_shrunken(swapped).filter(others))
    assert {row["clinics"] for row in of(clinic_spread(one))} == {12}
    assert of(clinic_shrunken(one))[-1]["not_compared"] == TOO_FEW_PATIENTS


def test_fewer_than_ten_clinics_get_limits_by_chance_and_a_reason() -> None:
    few = cells(ALIKE[:9], PLANTED[:9])
    (spread,) = of(clinic_spread(few))
    found = (spread["reason"], spread["clinics"], spread["pairs"], spread["all_alike"])
    assert found == (TOO_FEW_CLINICS, 9, 36, True)
    assert all(spread[name] is None for name in ("phi", "tau2", "icc", "patients_needed", "reliability_sentence"))
    rows = of(clinic_funnel(few))
    assert {row["is_widened"] for row in rows} == {False}
    assert all(row["low_95"] == row["chance_low_95"] for row in rows)
    assert {row["not_compared"] for row in of(clinic_shrunken(few))} == {None}
    three = cells(ALIKE[:3], PLANTED[:3])
    assert {row["not_compared"] for row in of(clinic_shrunken(three))} == {TOO_FEW_CLINICS}
    (spread,) = of(clinic_spread(three))
    assert (spread["reason"], spread["q"], spread["pairs"]) == (TOO_FEW_CLINICS, None, None)
    (constant,) = of(clinic_spread(cells(ALIKE, ALIKE)))
    assert constant["reason"] == NO_VARIATION
    assert {row["zone"] for row in of(clinic_funnel(cells(ALIKE, ALIKE)))} == {AS_EXPECTED}


def test_spread_of_alike_and_of_different_clinics() -> None:
    (alike,) = of(as_printed(clinic_spread(cells(ALIKE, [round(0.6 * n) for n in ALIKE]))))
    assert (alike["tau2"], alike["between_sd"], alike["icc"], alike["patients_needed"]) == (0, 0, 0, None)
    assert (alike["pairs"], alike["pairs_apart"], alike["all_alike"]) == (66, 0, True)
    assert alike["pairs_sentence"] == "No two clinics can be told apart (66 pairs compared)."
    assert "no number of patients" in alike["reliability_sentence"]
    assert alike["chance_p"] > 0.99
    (spread,) = of(clinic_spread(cells(ALIKE, PLANTED)))
    network = sum(PLANTED) / sum(ALIKE)
    pool = random_effects(np.array(PLANTED) / ALIKE, network * (1 - network) / np.array(ALIKE))
    # Pearson's chi-square of the twelve shares is Q
    expected = np.array(ALIKE) * network
    pearson = np.sum((np.array(PLANTED) - expected) ** 2 / (expected * (1 - network)))
    assert spread["q"] == pytest.approx(pearson, abs=1e-6)
    assert spread["between_sd"] == pytest.approx(np.sqrt(pool.tau2), abs=1e-9)
    within = network * (1 - network)
    assert spread["patients_needed"] == pytest.approx(0.7 / 0.3 * within / pool.tau2, abs=1e-6)
    assert spread["median_patients"] == 62.5
    (said,) = of(as_printed(clinic_spread(cells(ALIKE, PLANTED))))
    assert said["median_patients"] == 60
    assert said["patients_needed"] == pytest.approx(spread["patients_needed"], abs=2.5)
    assert said["patients_needed"] % 5 == 0
    assert f"about {said['patients_needed']:.0f} patients" in said["reliability_sentence"]
    assert "has about 60," in said["reliability_sentence"]
    assert not spread["all_alike"]
    assert f"{spread['pairs_apart']} of 66 pairs" in spread["pairs_sentence"]
    assert spread["network_n"] == sum(ALIKE)


def test_shrunken_values_and_what_they_differ_from() -> None:
    frame = clinic_shrunken(cells(ALIKE, PLANTED))
    rows = of(frame)
    spread = of(clinic_spread(cells(ALIKE, PLANTED)))[0]
    assert sum(row["differs_from"] for row in rows) == 2 * spread["pairs_apart"]
    for row in rows:
        assert 0 <= row["shrunken_low"] <= row["shrunken"] <= row["shrunken_high"] <= 1
        assert row["clinics"] == 12
    by_size = sorted(rows, key=lambda row: row["n"])
    weights = [row["weight"] for row in by_size]
    assert weights == sorted(weights)
    assert rows[10]["probability_best_quarter"] > 0.9
    assert rows[11]["probability_worst_quarter"] > 0.9
    for name in ("probability_best_quarter", "probability_worst_quarter"):
        assert sum(row[name] for row in rows) == pytest.approx(3)
    assert not [name for name in frame.columns if "rank" in name or "grade" in name]


def test_lines_span_the_compared_clinics_and_pass_through_their_limits() -> None:
    found = cells(ALIKE, PLANTED)
    lines, points = of(funnel_line(found)), of(clinic_funnel(found))
    sizes = [row["at_n"] for row in lines]
    assert (sizes[0], sizes[-1]) == (20, 121)
    assert sizes == sorted(set(sizes))
    # the smallest clinic may as well have 31 and the largest 99
    other = cells([99 if n == 100 else 31 if n == 30 else n for n in ALIKE], PLANTED)
    assert [row["at_n"] for row in of(funnel_line(other))] == sizes
    by_size = {row["at_n"]: row for row in lines}
    common = [(row, by_size[row["n"]]) for row in points if row["n"] in by_size]
    assert common
    for point, line in common:
        for name in ("line_low_95", "line_high_95", "line_low_998", "line_high_998"):
            assert line[name] == point[name]
        whole = np.ceil(line["at_n"] * line["line_high_95"] - 1e-6) / line["at_n"]
        assert whole == pytest.approx(point["chance_high_95"])
    widths = [row["line_high_95"] - row["line_low_95"] for row in lines]
    assert widths == sorted(widths, reverse=True)


def test_widened_lines_lie_outside_those_by_chance_and_no_clinic_means_no_line() -> None:
    differing = [round(n * share) for n, share in zip(ALIKE, np.tile([0.3, 0.5, 0.8], 4), strict=True)]
    found = cells(ALIKE, differing)
    rows = of(funnel_line(found))
    assert {row["is_widened"] for row in rows} == {True} == {row["is_widened"] for row in of(clinic_funnel(found))}
    for row in rows:
        assert row["widened_low_998"] <= row["widened_low_95"] <= row["line_low_95"] <= row["network"]
        assert row["network"] <= row["line_high_95"] <= row["widened_high_95"] <= row["widened_high_998"]
        assert row["widened_high_95"] - row["line_high_95"] > 0.01
    assert funnel_line(cells([5, 3], [2, 1])).is_empty()
    few = funnel_line(cells(ALIKE[:3], PLANTED[:3]))
    assert not few["is_widened"].any()
    assert few.select(pl.col("widened_low_95").alias("line_low_95")).equals(few.select("line_low_95"))


def test_same_frames_whatever_the_order_of_rows() -> None:
    marts = cubes(ALIKE, PLANTED, [3.0] * 11 + [0.5])
    shuffled = {name: table.sample(fraction=1, shuffle=True, seed=3) for name, table in marts.items()}
    one, two = TOPIC.build(marts, CONTRACT), TOPIC.build(shuffled, CONTRACT)
    for name in TOPIC.tables:
        assert one[name].equals(two[name]), name
        assert set(one[name]["outcome_id"]) == {PAIN_CHANGE, *(item.definition_id for item in CONTRACT.definitions)}


def test_empty_marts_give_empty_frames() -> None:
    empty = TOPIC.build({name: table.clear() for name, table in cubes(ALIKE, PLANTED).items()}, CONTRACT)
    assert all(frame.is_empty() for frame in empty.values())
    full = TOPIC.build(cubes(ALIKE, PLANTED), CONTRACT)
    assert {name: frame.schema for name, frame in empty.items()} == {n: frame.schema for n, frame in full.items()}


def test_when_no_clinic_differs_few_are_called_outside() -> None:
    """60 networks of 12 equal clinics: at most 5% of clinics leave the 95% limits, hardly any the others."""
    rng = np.random.default_rng(20261130)
    words = []
    for _ in range(60):
        known = rng.integers(11, 150, 12)
        words += [row["zone"] for row in of(clinic_funnel(cells(known, rng.binomial(known, 0.6))))]
    outside = np.array(words) != AS_EXPECTED
    assert 0.01 < outside.mean() <= 0.05
    assert np.isin(words, [ABOVE, BELOW]).mean() <= 0.005
