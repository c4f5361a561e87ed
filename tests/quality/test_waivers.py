"""Waivers: what can be waived, by whom, for how long; and a broken line is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.deliveries.problems import InputProblem
from assets.quality.waivers import FILE, Waiver, add_waiver, new_waiver, read_waivers, waiver_frame, waivers_digest

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
        add_waiver(tmp_path, waiver)
    assert read_waivers(tmp_path) == waivers
    assert len((tmp_path / FILE).read_text(encoding="utf-8").splitlines()) == len(waivers)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_no_file_means_no_waivers(tmp_path: Path) -> None:
    assert read_waivers(tmp_path) == ()
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
    ],
)
def test_what_cannot_be_waived(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputProblem, match=said) as caught:
        make(**changes)
    assert caught.value.code == "WAIVER"


def test_a_waiver_of_this_very_day_is_one() -> None:
    assert make(until="2026-07-01").until.isoformat() == "2026-07-01"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"check_id": "visit.key.unique", "by": "CANARY', id="half a line"),
        pytest.param("CANARY", id="no JSON"),
        pytest.param(json.dumps(GOOD | {"added": "2026-07-01T00:00:00Z", "CANARY": 1}), id="a key too many"),
        pytest.param(json.dumps(GOOD | {"added": "CANARY"}), id="no time"),
        pytest.param(json.dumps(GOOD | {"added": "2026-07-01T00:00:00"}), id="a time without a zone"),
        pytest.param(json.dumps(GOOD), id="no time of adding"),
        pytest.param("[]", id="a list"),
    ],
)
def test_a_broken_line_is_named_and_not_quoted(tmp_path: Path, line: str) -> None:
    add_waiver(tmp_path, make())
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InputProblem, match=r"waivers\.jsonl, line 2") as caught:
        read_waivers(tmp_path)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(InputProblem, match="line 2"):
        add_waiver(tmp_path, make())
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputProblem, match="cannot be read"):
        read_waivers(tmp_path)


@given(st.permutations(["2026-12-31", "2027-01-31", "2027-02-28", "2026-12-31"]))
def test_a_release_does_not_depend_on_the_order_of_waivers_nor_on_who_gave_them(days: list[str]) -> None:
    one = [make(until=day) for day in days]
    other = [make(until=day, by="Somebody else") for day in sorted(days)]
    assert waivers_digest(one) == waivers_digest(other)
    assert waivers_digest(one) != waivers_digest(one[:0])
    assert waiver_frame(one).equals(waiver_frame(other))
    assert "by" not in waiver_frame(one).columns
