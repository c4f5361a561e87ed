"""Thresholds are data: every check has one, with a reason and an owner, and the special comes after the general."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract.checks import Kind
from assets.contract.thresholds import KIND, THRESHOLDS, Threshold, read_thresholds, threshold, tolerance

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "pattern,value,reason,owner,since\n"


@pytest.mark.parametrize("one", THRESHOLDS, ids=lambda one: one.pattern)
def test_each_line_says_why_and_whose(one: Threshold) -> None:
    assert one.value >= 0
    assert len(one.reason.split()) >= 6
    assert one.owner.startswith("team:")
    if one.pattern.startswith(KIND):
        assert one.pattern.removeprefix(KIND) in set(Kind)


def test_patterns_are_stated_once() -> None:
    patterns = [one.pattern for one in THRESHOLDS]
    assert len(set(patterns)) == len(patterns)


def test_the_special_counts_more_than_the_general() -> None:
    assert threshold("treatment.ltr_elicited.stated", "row_rule").value == 0.02
    assert threshold("treatment.needle_count.only_needling", "row_rule").value == 0.5
    assert threshold("a.check.nobody.wrote", "a_kind_nobody_wrote").value == 0


def test_the_last_line_that_fits_counts(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.csv"
    path.write_text(HEAD + 'visit.*,0.1,"one, two",team:a,2026-01-31\n*,0.2,b,team:b,2026-02-28\n', encoding="utf-8")
    first, last = read_thresholds(path)
    assert (first.reason, first.since.isoformat()) == ("one, two", "2026-01-31")
    assert first.fits("visit.day.type", "type")
    assert not first.fits("episode.day.type", "type")
    assert last.fits("visit.day.type", "type")


def test_a_decision_replaces_the_number_of_one_check_only() -> None:
    decided = {"visit.day_offset.plausible": 0.3}
    assert tolerance("visit.day_offset.plausible", "plausible", decided) == 0.3
    assert tolerance("visit.other.plausible", "plausible", decided) == 0.02
    assert tolerance("visit.day_offset.plausible", "plausible", {}) == 0.02
