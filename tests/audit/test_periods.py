"""New period or late: rows of a second delivery, judged by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from assets.audit.periods import EPISODE, VISIT, NewPeriod, new_period
from assets.deliveries.ledger import Delivery, State

DATED, UNDATED = "limited_data_set", "safe_harbor"
SCHEMAS = {"visit": VISIT, "episode": EPISODE, "patient": {"patient_key": pl.String()}}
EPOCH = dt.date(1970, 1, 1)


def day(text: str) -> int:
    return (dt.date.fromisoformat(text) - EPOCH).days


def delivery(name: str, stamp: str, mode: str = DATED) -> Delivery:
    return Delivery(name, name, (), stamp, "canonical", 1, name, "2", state=State.ACCEPTED, privacy_mode=mode)


def visit(key: str, episode: str, calendar: str | None = None, offset: int | None = None) -> tuple[Any, ...]:
    return (key, episode, offset, day(calendar) if calendar else None)


def episode(key: str, reason: str | None = None, last: int | None = None, clinic: str = "Harbour") -> tuple[Any, ...]:
    return (key, f"P-{key}", clinic, reason, last, None)


def judged(
    first: dict[str, list[Any]], second: dict[str, list[Any]], mode: str = DATED, stamp: str = "2026-01-01T02:00:00Z"
) -> NewPeriod:
    known, later = delivery("a", stamp, mode), delivery("b", "2026-02-01T02:00:00Z", mode)
    tables = {"a": first, "b": second}

    def rows(one: Delivery, table: str) -> pl.LazyFrame | None:
        found = tables[one.delivery_id].get(table)
        return None if found is None else pl.LazyFrame(found, schema=SCHEMAS[table], orient="row")

    return new_period([known], [later], rows)


KNOWN = {
    "patient": [("P-E1",)],
    "episode": [episode("E1", "still_open")],
    "visit": [visit("V1", "E1", "2025-12-01"), visit("V2", "E1", "2025-12-20")],
}


def test_with_dates_the_cut_is_the_day_of_the_extract() -> None:
    found = judged(
        KNOWN,
        {"visit": [visit("V3", "E1", "2025-12-31"), visit("V4", "E1", "2026-01-01"), visit("V5", "E1", "2026-01-20")]},
    )
    assert found.visits.sort().to_list() == ["V4", "V5"]


def test_a_day_whose_visits_were_known_is_no_new_period() -> None:
    known = KNOWN | {"visit": [*KNOWN["visit"], visit("V9", "E1", "2026-01-01")]}
    found = judged(known, {"visit": [visit("V4", "E1", "2026-01-01"), visit("V5", "E1", "2026-01-02")]})
    assert found.visits.to_list() == ["V5"]


def test_without_a_stamp_the_cut_is_behind_the_last_known_visit() -> None:
    found = judged(KNOWN, {"visit": [visit("V4", "E1", "2025-12-20"), visit("V5", "E1", "2025-12-21")]}, stamp="")
    assert found.visits.to_list() == ["V5"]


def test_each_clinic_has_its_own_cut() -> None:
    known = {
        "episode": [episode("E1"), episode("E2", clinic="Oakwood")],
        "visit": [visit("V1", "E1", "2025-12-20"), visit("V2", "E2", "2025-06-01")],
    }
    found = judged(known, {"visit": [visit("V3", "E1", "2025-12-05"), visit("V4", "E2", "2025-12-05")]}, stamp="")
    assert found.visits.to_list() == ["V4"]


def test_an_unknown_episode_is_new_only_if_all_of_it_is() -> None:
    later = {
        "patient": [("P-E1",), ("P-E2",), ("P-E3",)],
        "episode": [episode("E2"), episode("E3")],
        "visit": [visit("V6", "E2", "2026-01-05"), visit("V7", "E3", "2025-12-15"), visit("V8", "E3", "2026-01-05")],
    }
    found = judged(KNOWN, later)
    assert found.visits.sort().to_list() == ["V6", "V8"]
    assert found.episodes.to_list() == ["E2"]
    assert found.patients.to_list() == ["P-E2"]


@pytest.mark.parametrize(("last", "expected"), [(31, ["E1"]), (30, []), (None, ["E1"])])
def test_a_known_episode_that_ended_since_is_new_and_one_that_ended_before_is_late(
    last: int | None, expected: list[str]
) -> None:
    found = judged(KNOWN, {"episode": [episode("E1", "goals_met", last)]})  # the first visit was on 1 December
    assert found.episodes.to_list() == expected


@pytest.mark.parametrize(("known", "later"), [("goals_met", "self_discharge"), ("still_open", "still_open")])
def test_a_changed_row_of_a_known_episode_is_a_correction(known: str, later: str) -> None:
    found = judged(KNOWN | {"episode": [episode("E1", known, 40)]}, {"episode": [episode("E1", later, 41)]})
    assert found.is_empty


def test_without_dates_the_course_of_the_episode_decides() -> None:
    known = {
        "episode": [episode("E1", "still_open")],
        "visit": [visit("V1", "E1", offset=0), visit("V2", "E1", offset=20)],
    }
    later = {
        "episode": [episode("E1", "goals_met", 10), episode("E2")],
        "visit": [visit("V3", "E1", offset=10), visit("V4", "E1", offset=21), visit("V5", "E2", offset=0)],
    }
    found = judged(known, later, UNDATED)
    assert found.visits.sort().to_list() == ["V4", "V5"]
    assert found.episodes.sort().to_list() == ["E1", "E2"]


def test_what_was_known_and_is_said_again_is_not_new() -> None:
    assert judged(KNOWN, KNOWN).is_empty
    assert judged(KNOWN, {}).is_empty


@pytest.mark.parametrize(
    ("table", "column", "left"),
    [
        ("visit", "visit_key", ["V1"]),
        ("measurement", "visit_key", ["V1"]),
        ("adverse_event", "visit_key", ["V1"]),
        ("episode", "episode_key", ["E1"]),
        ("patient", "patient_key", ["P1"]),
        ("precaution", "patient_key", ["P1"]),
    ],
)
def test_what_hangs_on_something_new_is_left_out_with_it(table: str, column: str, left: list[str]) -> None:
    new = NewPeriod(*(pl.Series([f"{letter}2"]) for letter in ("V", "E", "P")))
    rows = pl.DataFrame({column: [left[0], f"{left[0][0]}2"]})
    assert new.without(table, rows)[column].to_list() == left
