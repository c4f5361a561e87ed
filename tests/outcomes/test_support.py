"""Episodes that can be compared: no level of a covariate tells the answer."""

from __future__ import annotations

import polars as pl

from assets.outcomes.support import by_support


def frame(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame(columns).with_row_index("row")


def test_levels_with_one_answer_are_set_apart() -> None:
    flags = [True] * 12 + [False] * 12 + [True, False] * 12
    given = frame(flag=flags, sex=["F"] * 12 + ["M"] * 12 + ["X"] * 24)
    found = by_support(given, "flag", ["sex"])
    assert found.always["sex"].unique().to_list() == ["F"]
    assert found.never["sex"].unique().to_list() == ["M"]
    assert found.undecided["row"].to_list() == list(range(24, 48))


def test_small_levels_are_let_be_unless_asked_for() -> None:
    given = frame(flag=[True] * 10 + [True, False] * 10, sex=["F"] * 10 + ["M"] * 20)
    assert by_support(given, "flag", ["sex"]).undecided.height == 30
    assert by_support(given, "flag", ["sex"], smallest=1).always.height == 10


def test_one_level_set_apart_can_leave_another_with_one_answer() -> None:
    # of the unknown payer only those of clinic a are false, and clinic a has nobody who is true
    given = frame(
        flag=[False] * 12 + [True] * 12 + [True, False] * 12,
        clinic_key=["a"] * 12 + ["b"] * 12 + ["b", "b"] * 12,
        payer=["unknown"] * 24 + ["other"] * 24,
    )
    found = by_support(given, "flag", ["clinic_key", "payer"])
    assert (found.never.height, found.always.height) == (12, 12)
    assert found.undecided["payer"].unique().to_list() == ["other"]


def test_a_missing_number_is_a_level_and_its_value_is_none() -> None:
    given = frame(flag=[True] * 12 + [True, False] * 12, age_years=[None] * 12 + list(range(24)))
    assert by_support(given, "flag", ["age_years"], smallest=1).always["row"].to_list() == list(range(12))


def test_nobody_is_no_problem() -> None:
    given = frame(flag=[True], sex=["F"]).clear()
    assert by_support(given, "flag", ["sex"]).undecided.is_empty()
