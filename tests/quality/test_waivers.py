"""Waivers: what can be waived, by whom, for how long, and what they lift."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.deliveries.problems import InputProblem
from assets.quality.waivers import WAIVERS, Lifts, Waiver, lifted_holds, new_waiver, waiver_frame, waivers_digest

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "check_id": "visit.key.unique",
    "by": "A. Steward",
    "because": "the clinic closed and cannot resend",
    "until": "2026-12-31",
}


def make(**changes: Any) -> Waiver:
    return new_waiver(now=NOW, known_checks=["visit.key.unique"], **(GOOD | changes))


def test_waivers_come_back_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    waivers = (make(), make(delivery_id="d1", file="visit.csv", row_number=3), make(until="2027-01-01"))
    for waiver in waivers:
        WAIVERS.add(tmp_path, waiver)
    assert WAIVERS.read(tmp_path) == waivers


def test_no_ledger_means_no_waivers(tmp_path: Path) -> None:
    assert WAIVERS.read(tmp_path) == ()
    assert waivers_digest(()) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"check_id": "visit.key.uniqe"}, "no check of this name", id="unknown check"),
        pytest.param({"because": "too short"}, "because", id="a reason of nine characters"),
        pytest.param({"because": " " * 30}, "because", id="a blank reason"),
        pytest.param({"by": ""}, "by", id="nobody"),
        pytest.param({"until": "soon"}, "until", id="no date"),
        pytest.param({"until": "2026-06-30"}, "its last day has passed", id="a day gone by"),
        pytest.param({"row_number": 3}, "not a waiver", id="a row of no delivery"),
        pytest.param({"delivery_id": "d1", "row_number": 0}, "row_number", id="row 0"),
        pytest.param({"lifts": "hold", "delivery_id": "d1", "file": "a.csv"}, "not a waiver", id="the hold of a file"),
    ],
)
def test_what_cannot_be_waived(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputProblem, match=said) as caught:
        make(**changes)
    assert caught.value.code == "WAIVER"


def test_a_waiver_of_this_very_day_is_one() -> None:
    assert make(until="2026-07-01").until.isoformat() == "2026-07-01"


@pytest.mark.parametrize(
    ("changes", "day", "delivery_id", "lifted"),
    [
        pytest.param({}, "2026-12-31", "d1", True, id="the last day"),
        pytest.param({}, "2027-01-01", "d1", False, id="the day after"),
        pytest.param({}, "2026-12-31", None, True, id="the release"),
        pytest.param({"delivery_id": "d1"}, "2026-12-31", "d1", True, id="of this delivery"),
        pytest.param({"delivery_id": "d1"}, "2026-12-31", "d2", False, id="of another delivery"),
        pytest.param({"delivery_id": "d1"}, "2026-12-31", None, False, id="of a delivery, not of the release"),
        pytest.param({"lifts": Lifts.TO_DO}, "2026-12-31", "d1", False, id="of rows only"),
    ],
)
def test_what_a_waiver_of_a_hold_lifts(
    changes: dict[str, Any], day: str, delivery_id: str | None, *, lifted: bool
) -> None:
    waiver = make(**({"lifts": Lifts.HOLD} | changes))
    assert lifted_holds([waiver], day, delivery_id) == (frozenset({"visit.key.unique"}) if lifted else frozenset())


@given(st.permutations(["2026-12-31", "2027-01-31", "2027-02-28", "2026-12-31"]))
def test_a_release_does_not_depend_on_the_order_of_waivers_nor_on_who_gave_them(days: list[str]) -> None:
    one = [make(until=day) for day in days]
    other = [make(until=day, by="Somebody else") for day in sorted(days)]
    assert waivers_digest(one) == waivers_digest(other)
    assert waivers_digest(one) != waivers_digest(one[:0])
    assert waiver_frame(one).equals(waiver_frame(other))
    assert "by" not in waiver_frame(one).columns
