"""A waiver lets a failed check pass for its days, on the delivery it names; then the check holds again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from assets.audit.ledger import append, entries
from assets.contract import CONTRACT
from assets.contract.checks import delivery_checks
from assets.deliveries.ledger import Delivery, State
from assets.home import Home
from assets.quality.hold import holding, lapsed, lifted, to_judge_again
from assets.quality.results import Outcome, Status, result
from assets.quality.thresholds import THRESHOLDS, ThresholdDecision
from assets.quality.waivers import WAIVERS, Lifts, new_waiver

if TYPE_CHECKING:
    from pathlib import Path

    from assets.quality.results import CheckResult

CHECK = "visit.rows.usable"
NOW = datetime(2026, 7, 1, tzinfo=UTC)
DELIVERY = Delivery("d1", "north", (), "2026-07-10T00:00:00Z", "p", 1, "x", "2", state=State.ACCEPTED)
USABLE = next(check for check in delivery_checks(CONTRACT, CONTRACT.table("visit")) if check.check_id == CHECK)
RESULT = result(USABLE, Outcome(success=False, evaluated=4, violated=3), 0.0, "")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path, memory_limit="1GB")
    made.create()
    return made


def waive(home: Home, until: str = "2026-07-31", lifts: Lifts = Lifts.HOLD, **narrowed: Any) -> None:
    WAIVERS.add(
        home.path,
        new_waiver(
            CHECK,
            lifts=lifts,
            by="A. Steward",
            because="a known gap of the export",
            until=until,
            now=NOW,
            known_checks=[CHECK],
            **narrowed,
        ),
    )


def test_without_a_waiver_nothing_is_lifted(home: Home) -> None:
    waive(home, lifts=Lifts.TO_DO)
    assert lifted(home, DELIVERY) == lifted(home) == frozenset()


@pytest.mark.parametrize(
    ("stamp", "landed", "is_lifted"),
    [
        pytest.param("2026-07-31T23:59:59Z", "", True, id="the last day"),
        pytest.param("2026-08-01T00:00:00Z", "", False, id="an extract of the day after"),
        pytest.param("", "2026-08-01T00:00:00Z", False, id="no stamp, landed the day after"),
        pytest.param("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z", False, id="an old extract, landed late"),
    ],
)
def test_days_are_those_of_the_deliveries(home: Home, stamp: str, landed: str, *, is_lifted: bool) -> None:
    waive(home)
    now = replace(DELIVERY, extract_stamp=stamp, landed_at=landed)
    assert (CHECK in lifted(home, now)) is is_lifted
    home.ledger.save(now)
    assert (CHECK in lifted(home)) is is_lifted
    home.ledger.save(replace(now, state=State.HELD))
    assert CHECK in lifted(home), "a delivery that is not in the release does not age its waivers"


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        pytest.param(RESULT, False, id="waived"),
        pytest.param(replace(RESULT, check_id="visit.schema"), True, id="another check"),
        pytest.param(replace(RESULT, status=Status.ERROR), True, id="it could not be evaluated"),
        pytest.param(replace(RESULT, status=Status.PASS), False, id="it passed"),
    ],
)
def test_what_holds_beside_a_waiver(found: CheckResult, *, holds: bool) -> None:
    assert holding([found], {CHECK}) == ([found] if holds else [])


def results_of(state: str = "accepted", status: str = "fail", *, is_latest: bool = True) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema audit")
    connection.execute("create schema lake")
    connection.execute(
        "create table lake.delivery as select 'd1' as delivery_id, 'north' as label, ? as state", [state]
    )
    connection.execute(
        "create table audit.check_result as select ? as check_id, 'd1' as delivery_id, ? as status, true as blocks, "
        "? as is_latest",
        [CHECK, status, is_latest],
    )
    return connection


@pytest.mark.parametrize(
    ("until", "narrowed", "ended"),
    [
        pytest.param("2026-07-10", {}, [], id="in force"),
        pytest.param("2026-07-09", {}, [("north", CHECK)], id="ended"),
        pytest.param("2026-07-31", {"delivery_id": "d1"}, [], id="in force for this delivery"),
        pytest.param("2026-07-31", {"delivery_id": "d2"}, [("north", CHECK)], id="of another delivery"),
    ],
)
def test_what_was_let_in_holds_the_release_when_its_waiver_has_ended(
    home: Home, until: str, narrowed: dict[str, str], ended: list[tuple[str, str]]
) -> None:
    home.ledger.save(DELIVERY)
    waive(home, until, **narrowed)
    with results_of() as connection:
        assert lapsed(connection, home) == ended


@pytest.mark.parametrize(
    "results",
    [{"state": "held"}, {"status": "pass"}, {"status": "warn"}, {"is_latest": False}],
    ids=["held anyway", "passed", "warned", "an earlier reading"],
)
def test_what_no_waiver_was_needed_for_holds_nothing(home: Home, results: dict[str, Any]) -> None:
    home.ledger.save(DELIVERY)
    with results_of(**results) as connection:
        assert lapsed(connection, home) == []


def threshold(home: Home) -> None:
    decision = {"check_id": CHECK, "value": 0.9, "by": "A. Steward", "because": "a known gap", "added": NOW}
    THRESHOLDS.add(home.path, ThresholdDecision.model_validate(decision))


def test_a_held_delivery_is_judged_again_once_something_was_decided_about_it(home: Home) -> None:
    held = replace(DELIVERY, state=State.HELD, problem_code="CHECK")
    home.ledger.save(held)

    def judge() -> None:
        append(home.path, "history", {"file": "f", "delivery_id": "d1"})

    judge()
    assert to_judge_again(home) == ()
    waive(home, lifts=Lifts.TO_DO)
    waive(home, delivery_id="d2")
    assert to_judge_again(home) == (), "nothing of it is about what holds this delivery"
    for decide in (waive, threshold, lambda home: waive(home, delivery_id="d1")):
        decide(home)
        assert to_judge_again(home) == ((held, entries(home.path)[-1].number),)
        judge()
        assert to_judge_again(home) == ()


@pytest.mark.parametrize("changes", [{"state": State.ACCEPTED}, {"problem_code": "SCALE"}])
def test_what_no_check_holds_is_left_alone(home: Home, changes: dict[str, Any]) -> None:
    home.ledger.save(replace(DELIVERY, **({"state": State.HELD, "problem_code": "CHECK"} | changes)))
    waive(home)
    assert to_judge_again(home) == ()
