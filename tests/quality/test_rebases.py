"""Decisions to set limits anew: what can be decided, what a release depends on, and broken lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.deliveries.problems import InputProblem
from assets.publication.release import release_id
from assets.quality.rebases import REBASES, Rebase, new_rebase, rebase_frame, rebases_digest

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
CHARTS = pl.DataFrame(
    [
        ("recovered", None, None, "2026-01"),
        ("recovered", "neck_pain", None, "2026-02"),
        ("recovered", None, None, "2025"),
    ],
    schema=["series", "condition_id", "clinic_key", "period"],
    orient="row",
)
GOOD: dict[str, Any] = {
    "series": "recovered",
    "condition_id": None,
    "clinic_key": None,
    "from_period": "2026-01",
    "by": "A. Steward",
    "because": "the clinics moved to a new questionnaire",
}


def make(**changes: Any) -> Rebase:
    return new_rebase(CHARTS, now=NOW, **(GOOD | changes))


def test_rebases_come_back_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    rebases = (make(), make(condition_id="neck_pain", from_period="2026-02"), make(from_period="2025"))
    for rebase in rebases:
        REBASES.add(tmp_path, rebase)
    assert REBASES.read(tmp_path) == rebases


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"series": "recovery"}, "series cannot be used.*recovered, pain_change", id="no such series"),
        pytest.param({"from_period": "2026-13"}, "from_period", id="no such month"),
        pytest.param({"from_period": "January"}, "YYYY-MM", id="a month in words"),
        pytest.param({"because": "too short"}, "because.*at least 10", id="a reason of nine characters"),
        pytest.param({"by": " "}, "by", id="nobody"),
        pytest.param({"condition_id": "neck"}, "no chart shows this series", id="no such condition"),
        pytest.param({"clinic_key": "c9"}, "no chart shows this series", id="no such clinic"),
        pytest.param({"from_period": "2026-02"}, "does not show this period", id="a month of another chart"),
    ],
)
def test_what_cannot_be_decided(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputProblem, match=said) as caught:
        make(**changes)
    assert caught.value.code == "REBASE"


def test_a_release_depends_on_what_was_decided_not_on_who_or_how_often() -> None:
    one, other = [make(), make(from_period="2025")], [make(from_period="2025", by="B"), make(), make()]
    assert rebases_digest(one) == rebases_digest(other)
    assert rebases_digest(one) != rebases_digest(one[:1])
    assert rebases_digest(()) == ""
    assert rebase_frame(one).columns == ["series", "condition_id", "clinic_key", "from_period"]
    before, after = (release_id((), "code", "1", decisions=[rebases_digest(found)]) for found in ((), one))
    assert before == release_id((), "code", "1")
    assert after != before
