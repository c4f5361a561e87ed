"""What other thresholds would have done: alarms and holds follow from the counts that the history keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.audit.history import HISTORY_SCHEMA
from assets.audit.what_if import WhatIf, what_if
from assets.contract.model import Severity
from assets.deliveries.problems import InputProblem
from assets.quality.history import REFUSED
from assets.quality.results import Status

START = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
PLAUSIBLE = {"check_id": "visit.day_offset.plausible", "kind": "plausible", "severity": "warning"}
USABLE = {"check_id": "visit.rows.usable", "kind": "usable", "severity": "critical", "blocks": True}


def row(night: int, *, delivery: str | None = "d", violated: int | None = 0, **fields: Any) -> dict[str, Any]:
    """One result on 100 rows; its status is the one it had under a threshold of 0.02, or 0.5 if critical."""
    plain = {
        "number": night + 1,
        "at": START + timedelta(days=night),
        "run_id": f"r{night}",
        "release": None if delivery else f"release{night}",
        "delivery_id": delivery and f"{delivery}{night}",
        "evaluated": 100,
        "violated": violated,
        "blocks": False,
        "waived": False,
        "severity": "warning",
        "reason": "",
    } | fields
    limit, alarm = (0.02, "warn") if plain["severity"] == "warning" else (0.5, "fail")
    share = (violated or 0) / plain["evaluated"]
    status = alarm if share > limit else "pass_with_violations" if share else "pass"
    return {"threshold": limit, "status": status} | plain


def told(rows: list[dict[str, Any]], since: date | None = None, **thresholds: float) -> WhatIf:
    names = {"plausible": PLAUSIBLE["check_id"], "usable": USABLE["check_id"], "drift": "clinic.nprs.drift"}
    return what_if(
        pl.DataFrame(rows, schema=HISTORY_SCHEMA).lazy(),
        {names[key]: value for key, value in thresholds.items()},
        since,
    )


def test_alarms_are_counted_again_and_a_month_is_stated() -> None:
    rows = [row(night, violated=violated, **PLAUSIBLE) for night, violated in enumerate((0, 1, 2, 3, 4, 5))]
    rows.append(row(29, violated=9, check_id="visit.other.plausible", kind="plausible"))
    found = told(rows, plausible=0.03)
    one, everything = found.alarms
    assert (one.before, one.after) == (3, 2)  # 3, 4 and 5 of 100, against 4 and 5
    assert (one.thresholds_were, one.threshold) == ((0.02,), 0.03)
    assert (everything.before, everything.after) == (4, 3)
    assert found.days == 30
    assert one.before_a_month == pytest.approx(3 / (30 / 30.4375), abs=0.005)
    assert (found.readings, found.releases) == (7, 0)
    assert (found.held, found.let_through) == ((), ())


def test_a_stricter_threshold_holds_what_passed() -> None:
    rows = [
        row(0, violated=10, **USABLE),
        row(1, violated=30, **USABLE),
        row(2, violated=60, **USABLE),
        row(3, delivery=None, violated=30, **USABLE),
    ]
    found = told(rows, usable=0.2)
    assert [(one.name, one.checks) for one in found.held] == [
        ("delivery d1", (USABLE["check_id"],)),
        ("release release3", (USABLE["check_id"],)),
    ]
    assert found.held[0].at == "2026-11-02T04:00:00+00:00"
    assert found.let_through == ()


def test_a_looser_threshold_lets_through_what_nothing_else_holds() -> None:
    other = {"check_id": "visit.schema", "kind": "schema", "severity": "critical", "blocks": True}
    rows = [
        row(0, violated=60, **USABLE),
        row(1, violated=60, **USABLE),
        row(1, violated=100, **other),
    ]
    found = told(rows, usable=0.9)
    assert [(one.name, one.checks) for one in found.let_through] == [("delivery d0", (USABLE["check_id"],))]
    assert found.held == ()


def test_a_failed_check_whose_hold_was_lifted_holds_nothing() -> None:
    assert told([row(0, violated=60, **(USABLE | {"waived": True}))], usable=0.1).held == ()


def test_a_drift_check_is_judged_by_its_score() -> None:
    drift = {"check_id": "clinic.nprs.drift", "kind": "drift", "threshold": 3.0, "violated": 1}
    rows = [
        row(0, **(drift | {"score": 2.0, "violated": 0})),
        row(1, **(drift | {"score": 3.5, "status": "warn"})),
        row(2, **(drift | {"score": 9.0, "status": "warn"})),
    ]
    assert [told(rows, drift=limit).alarms[0].after for limit in (1.0, 3.0, 4.0, 9.0)] == [3, 2, 1, 0]


@pytest.mark.parametrize("status", ["error", "not_applicable"])
def test_no_threshold_changes_what_was_not_counted(status: str) -> None:
    counts = {"violated": None, "evaluated": None} if status == "error" else {"violated": 0, "evaluated": 0}
    rows = [row(0, **USABLE), row(1, **USABLE) | counts | {"status": status}]
    found = told(rows, usable=0.0)
    assert found.alarms[0].before == found.alarms[0].after == (status == "error")
    assert (found.held, found.let_through) == ((), ())


def test_a_missing_column_stays_wrong_under_any_threshold() -> None:
    schema = {"kind": "type", "evaluated": 1, "violated": 1, "status": "fail", "threshold": 0.0}
    assert told([row(0) | USABLE | schema], usable=1.0).let_through == ()


def test_a_refused_delivery_and_a_step_that_was_tried_again_are_no_alarms() -> None:
    rows = [
        row(0, violated=3, **PLAUSIBLE),
        row(0, violated=0, **PLAUSIBLE) | {"number": 2},
        row(0, **USABLE) | {"status": "error"},
        row(0, **USABLE) | {"number": 2},
        row(5, **PLAUSIBLE) | {"status": "not_applicable", "reason": REFUSED},
    ]
    found = told(rows, plausible=0.02)
    assert [one.before for one in found.alarms] == [0, 0]
    assert found.readings == 1


def test_only_days_since_are_counted() -> None:
    rows = [row(night, violated=5, **PLAUSIBLE) for night in range(10)]
    found = told(rows, since=date(2026, 11, 8), plausible=0.02)
    assert (found.first_day, found.days, found.alarms[0].before) == ("2026-11-08", 3, 3)


def test_what_the_history_does_not_know_is_refused() -> None:
    with pytest.raises(InputProblem, match=r"no result of visit\.rows\.usable"):
        told([row(0, **PLAUSIBLE)], usable=0.1)
    with pytest.raises(InputProblem, match="holds no result"):
        told([], usable=0.1)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60), st.sampled_from(Severity)), min_size=1, max_size=20),
    st.sampled_from((0.0, 0.02, 0.05, 0.1, 0.3, 0.5, 0.7, 1.0)),
)
def test_the_threshold_that_was_gives_the_status_that_was(
    counts: list[tuple[int, int, Severity]], limit: float
) -> None:
    """The oracle is the comparison of Great Expectations: the share of right rows is at least ``1 - limit``."""
    rows = []
    for night, (violated, more, severity) in enumerate(counts):
        evaluated = violated + more
        is_right = (evaluated - violated) / evaluated >= 1 - limit
        alarm = Status.FAIL if severity is Severity.CRITICAL else Status.WARN
        status = (Status.PASS_WITH_VIOLATIONS if violated else Status.PASS) if is_right else alarm
        counted = {"evaluated": evaluated, "violated": violated, "severity": severity, "status": status}
        rows.append(row(night) | USABLE | counted | {"threshold": limit})
    found = told(rows, usable=limit)
    assert found.alarms[0].before == found.alarms[0].after
    assert (found.held, found.let_through) == ((), ())
