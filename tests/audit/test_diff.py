"""Numbers that moved, on frames small enough to be worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.audit.diff import (
    CAUSES,
    CODE,
    DECISIONS,
    DEFINITIONS,
    LATE,
    PARTS,
    PERIOD,
    PRINTING,
    Route,
    Step,
    first_keys,
    moved_numbers,
)

KEYS = {"rates": ("clinic", "care")}
STEPS = (CODE, LATE, PERIOD, DECISIONS, DEFINITIONS, CODE)


def rates(n: int | None, rate: float | None = None, *, suppressed: bool = False) -> dict[str, pl.DataFrame]:
    row = {"clinic": "Harbour", "care": None, "n": n, "rate": rate, "note": "word", "suppressed": suppressed}
    schema = dict.fromkeys(("clinic", "care"), pl.String()) | {"n": pl.Int64(), "rate": pl.Float64()}
    return {"rates": pl.DataFrame([row], schema=schema | {"note": pl.String(), "suppressed": pl.Boolean()})}


def route(*states: dict[str, pl.DataFrame], new_on_old: dict[str, pl.DataFrame] | None = None) -> Route:
    """The first state is the start; the others come after the steps, the last is the end."""
    start, *after = states
    steps = [Step(part, frames) for part, frames in zip(STEPS, after, strict=True)]
    return Route(start, steps, after[2], new_on_old or start)


def moved(before: Any, after: Any, way: Route, column: str) -> dict[str, Any]:
    found = moved_numbers(before, after, way, KEYS, are_deliveries_new=True)
    return found.row(by_predicate=pl.col("column") == column, named=True)


def test_every_step_has_its_part_and_code_has_both_of_its_steps() -> None:
    way = route(*(rates(n) for n in (100, 101, 103, 143, 144, 139, 150)), new_on_old=rates(111))
    row = moved(rates(100), rates(150), way, "n")
    assert {part: row[part] for part in PARTS} == {LATE: 2, PERIOD: 40, DECISIONS: 1, DEFINITIONS: -5, CODE: 12}
    assert row["moved"] == 50
    assert row[PRINTING] == 0
    assert row["cause"] == PERIOD
    assert row["row"] == '{"clinic":"Harbour","care":null}'


def test_rules_are_judged_on_old_and_new_deliveries() -> None:
    way = route(*(rates(n) for n in (100, 100, 103, 143, 144, 139, 150)), new_on_old=rates(111))
    row = moved(rates(100), rates(150), way, "n")
    assert (row["rules_on_old"], row["rules_on_new"], row["interaction"]) == (11, 7, -4)


def test_what_printing_adds_is_a_part_of_its_own() -> None:
    exact = [rates(n) for n in (102, 102, 102, 104, 104, 104, 104)]
    row = moved(rates(100), rates(105), route(*exact), "n")
    assert (row["moved"], row[PERIOD], row[PRINTING], row["cause"]) == (5, 2, 3, PRINTING)


def test_a_number_printed_alike_has_not_moved_though_the_exact_one_did() -> None:
    exact = [rates(n, 0.5) for n in (101, 101, 101, 102, 102, 102, 102)]
    assert moved_numbers(rates(100, 0.5), rates(100, 0.5), route(*exact), KEYS, are_deliveries_new=True).is_empty()


def test_a_hidden_number_keeps_its_parts_and_hiding_is_the_cause() -> None:
    exact = [rates(n) for n in (30, 30, 31, 35, 35, 35, 35)]
    row = moved(rates(30), rates(None, suppressed=True), route(*exact), "n")
    assert (row["shown_before"], row["shown_after"], row["cause"]) == ("number", "hidden", PRINTING)
    assert (row[LATE], row[PERIOD], row["moved"]) == (1, 4, None)


def test_a_new_row_comes_with_its_step_and_has_no_parts() -> None:
    nothing = {"rates": rates(1)["rates"].clear()}
    way = route(nothing, nothing, nothing, rates(20), rates(20), rates(20), rates(20))
    row = moved(nothing, rates(20), way, "n")
    assert (row["cause"], row["shown_before"], row["before"], row[PERIOD]) == (PERIOD, "none", None, None)
    later = route(nothing, nothing, nothing, rates(20), rates(25), rates(25), rates(25))
    assert moved(nothing, rates(25), later, "n")[DECISIONS] is None
    gone = moved(rates(20), nothing, route(*[rates(20)] * 5, nothing, nothing), "n")
    assert (gone["cause"], gone["shown_after"]) == (DEFINITIONS, "none")


def test_a_state_without_the_number_is_no_change() -> None:
    way = route(rates(10), rates(10), rates(None), rates(14), rates(14), rates(14), rates(15))
    row = moved(rates(10), rates(15), way, "n")
    assert (row[LATE], row[PERIOD], row[CODE]) == (0, 4, 1)


def counts(rows: int) -> dict[str, pl.DataFrame]:
    return {"deliveries": pl.DataFrame({"state": ["accepted"], "rows": [rows]})}


@pytest.mark.parametrize(("are_new", "expected"), [(True, (0, 9)), (False, (9, 0))])
def test_what_counts_deliveries_is_of_no_period(are_new: bool, expected: tuple[int, int]) -> None:  # noqa: FBT001
    way = route(*(counts(rows) for rows in (1, 1, 4, 10, 10, 10, 10)))
    found = moved_numbers(counts(1), counts(10), way, KEYS, are_deliveries_new=are_new)
    assert found.select(LATE, PERIOD).row(0) == expected


def test_a_table_that_only_one_release_has() -> None:
    way = route({}, {}, {}, {}, {}, {}, counts(3))
    row = moved({}, counts(3), way, "rows")
    assert (row["table_name"], row["after"], row["cause"]) == ("deliveries", 3, CODE)


def test_keys_are_the_first_columns_that_identify_a_row() -> None:
    frame = pl.DataFrame({"check": ["a", "a"], "delivery": ["x", "y"], "words": ["p", "q"], "n": [1, 2]})
    assert first_keys([frame]) == ("check", "delivery")
    assert first_keys([frame.head(1)]) == ("check",)


def test_a_table_whose_keys_were_others_is_still_compared() -> None:
    old, new = ({"rates": rates(n)["rates"].drop("care")} for n in (1, 2))
    row = moved(old, new, route(old, old, old, new, new, new, new), "n")
    assert (row["row"], row[PERIOD]) == ('{"clinic":"Harbour"}', 1)


@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 9)), min_size=9, max_size=9))
def test_parts_sum_exactly(values: list[float]) -> None:
    before, after, *states = values
    way = route(*(rates(1, value) for value in states))
    found = moved_numbers(rates(1, before), rates(1, after), way, KEYS, are_deliveries_new=True)
    for row in found.iter_rows(named=True):
        assert sum((row[part] for part in PARTS), Decimal(0)) == row["exact_after"] - row["exact_before"]
        assert sum((row[cause] for cause in CAUSES), Decimal(0)) == row["moved"] == row["after"] - row["before"]
    assert found.height == (round(before, 9) != round(after, 9))
