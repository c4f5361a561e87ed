"""Numbers, codes and sentences in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from assets.contract import CONTRACT
from dashboards import sentences, words
from dashboards.markup import clean, is_formula, script_json

if TYPE_CHECKING:
    from dashboards.site import SiteMeta

ROW: dict[str, Any] = {
    "n": 1000,
    "recovered": 640,
    "rate": 0.64,
    "rate_low": 0.61,
    "rate_high": 0.669,
    "eligible": 1300,
    "completeness": 1000 / 1300,
    "rate_if_missing_none": 640 / 1300,
    "rate_if_missing_all": 940 / 1300,
    "suppressed": False,
}
HIDDEN = {**dict.fromkeys(ROW), "suppressed": True}


@pytest.mark.parametrize(
    ("share", "text"), [(0.125, "13%"), (0.6449, "64%"), (0, "0%"), (1, "100%"), (None, words.DASH)]
)
def test_percent_rounds_halves_up(share: float | None, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ("2026-10-31", "31 October 2026"),
        ("2026-10-01T06:10:00Z", "1 October 2026, 06:10"),
        ("2026-10-01T00:00:00", "1 October 2026"),
        ("2026-13-01", "2026-13-01"),
        ("week 44", "week 44"),
    ],
)
def test_stamp(stamp: str, text: str) -> None:
    assert words.stamp_text(stamp) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [(None, "Last score"), (0, "First visit"), (28, "Week 4"), (365, "Week 52"), (17, "Day 17"), (1, "Day 1")],
)
def test_planned_time(day: int | None, text: str) -> None:
    assert words.planned_label(day) == text


def test_decimal_has_a_true_minus_and_no_minus_zero() -> None:
    assert words.decimal(-3.64) == f"{words.MINUS}3.6"
    assert words.decimal(-0.01) == "0.0"


def test_the_important_change_comes_from_the_contract() -> None:
    assert words.improvement_label(CONTRACT) == "Better by 2 points or more"


def test_listing() -> None:
    assert [words.listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_missing_outcomes_are_pointed_out_below_the_target_only() -> None:
    assert "49%; if all had, 72%" in sentences.missing_notice(ROW)
    assert sentences.missing_notice({**ROW, "completeness": 0.8}) == ""
    assert sentences.missing_notice({**ROW, "completeness": 0.795}) == "", "80% as it is printed"
    assert sentences.missing_notice({**ROW, "completeness": None}) == ""
    assert sentences.missing_notice(HIDDEN) == sentences.missing_notice(None) == ""
    assert "if all" not in sentences.missing_notice({**ROW, "rate_if_missing_all": None}), "no bound without the other"


@pytest.mark.parametrize(
    ("number", "words"), [(4150, "about 4,150 episodes"), (1, "about 1 episode"), (None, "episodes")]
)
def test_counts_are_rounded_and_said_so(number: int | None, words: str) -> None:
    assert sentences.about(number, "episode") == words


def test_pain_tile_shows_a_fall_as_negative_with_ordered_interval() -> None:
    row = {"baseline_mean": 5.8, "last_mean": 2.2, "change_mean": 3.6, "change_low": 3.5, "change_high": 3.7, "n": 90}
    number, text = sentences.pain(row)
    assert number == f"{words.MINUS}3.6"
    assert f"95% CI {words.MINUS}3.7 to {words.MINUS}3.5" in text
    assert sentences.pain(None) == ("", "")


def test_hidden_groups_are_counted_not_passed_over(meta: SiteMeta) -> None:
    text = sentences.hidden_groups([HIDDEN, ROW, None], "clinic is", "clinics are", meta)
    assert text == " 1 clinic is not shown: fewer than 11 episodes, or beside such a group."


@pytest.mark.parametrize(
    ("text", "formula"), [("=1+1", True), ("@x", True), ("-x", True), ("-5", False), ("+3.2", False), ("a=1", False)]
)
def test_formulas_are_recognised(text: str, formula: bool) -> None:  # noqa: FBT001 - a parametrised truth
    assert is_formula(text) is formula


def test_clean_makes_direction_characters_visible() -> None:
    assert clean("a\u202eb\x00c\n") == "a\ufffdb\ufffdc\ufffd"


def test_script_json_cannot_end_its_script() -> None:
    text = script_json({"a": "</script><!--&\u2028"})
    assert not set("<>&\u2028") & set(text)
