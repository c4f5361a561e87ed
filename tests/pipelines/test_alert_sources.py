"""What alerts are about: each kind on a home that is well, and on one with a planted fault."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.audit.history import record
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.publication.run_log import RunRecord, RunState, write_record
from assets.quality.history import RESULT_SCHEMA
from pipelines.alert_sources import LONGEST_RUN, home_watches, look, stale_sources
from pipelines.alerting import send_alerts, standing_alerts
from pipelines.alerts import Kind
from pipelines.recording import recorded
from pipelines.runner import RunOutcome
from pipelines.settings import PREFIX, SETTINGS
from tests.audit.results import PASSED
from tests.pipelines.receivers import http_receiver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.alerts import Alert

NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)
STALE_AFTER = timedelta(days=4)
NOT_BLOCKING = {**PASSED, "blocks": False}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in SETTINGS:
        monkeypatch.delenv(one.name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "north", memory_limit="1GB")
    place.create()
    return place


def says(home: Home, kind: Kind) -> list[str]:
    return [one.says for one in look(home_watches(home, NOW, STALE_AFTER))[kind]]


def ran(home: Home, state: RunState, hours_ago: float = 1, **facts: Any) -> None:
    started = (NOW - timedelta(hours=hours_ago)).isoformat(timespec="seconds")
    finished = None if state is RunState.UNFINISHED else started
    made = RunRecord(f"run-{started}", "run", started, "code", "2", {}, None, state=state, finished=finished)
    write_record(home.path, replace(made, **facts))


def released(home: Home, hours_ago: float) -> None:
    """A release of which the run log says nothing."""
    folder = home.releases / "abc"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    moment = (NOW - timedelta(hours=hours_ago)).timestamp()
    os.utime(folder / "manifest.json", (moment, moment))
    home.current.symlink_to("releases/abc")


def sent(days_ago: float, source: str = "east", state: State = State.ACCEPTED, **facts: Any) -> Delivery:
    moment = (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    label = f"{source}_{moment.replace('-', '').replace(':', '')}"
    made = Delivery(f"{source}{days_ago}", label, (), moment, "canonical", 1, "0" * 64, "2", state=state)
    return replace(made, **{"landed_at": moment, **facts})


def judged(home: Home, *rows: dict[str, Any], delivery: Delivery | None = None, waived: Iterable[str] = ()) -> None:
    about = {"run_id": "r1", "delivery_id": delivery.delivery_id if delivery else None}
    frame = pl.DataFrame([NOT_BLOCKING | about | row for row in rows], schema=RESULT_SCHEMA)
    record(home, frame, "r1", about["delivery_id"], None if delivery else "abc", tuple(waived), NOW)


def test_a_new_home_has_nothing_to_tell(home: Home) -> None:
    found = standing_alerts(home, None, NOW)
    assert set(found) == {Kind.CHECK, Kind.RUN, Kind.STALE, Kind.LEFT, Kind.HELD, Kind.HOME}
    assert not any(found.values())


def test_checks_of_the_release_and_of_the_newest_delivery_of_each_source(home: Home) -> None:
    old, new, west = sent(2), sent(1), sent(1, "west")
    for one in (old, new, west):
        home.ledger.save(one)
    warns = {"check_id": "visit.rows.drift", "status": "warn", "evaluated": 400, "violated": 3}
    judged(home, {}, warns, delivery=old)
    judged(home, {}, warns | {"violated": 4}, delivery=new)
    judged(home, {}, {"check_id": "visit.day.range", "status": "pass_with_violations"}, delivery=west)
    error = {"check_id": "no.such.check", "status": "error", "evaluated": None, "violated": None}
    fails = {"check_id": "visit.key.unique", "status": "fail", "evaluated": 9, "violated": 1}
    judged(home, {}, error, fails)
    told = says(home, Kind.CHECK)
    assert told == [
        "Check no.such.check could not be evaluated in the last release",
        told[1],
        f"{told[2].partition(' warns')[0]} warns in delivery {new.label}, 4 of 400",
    ]
    assert told[1].startswith("Check visit.key.unique \N{LEFT DOUBLE QUOTATION MARK}")
    assert told[1].endswith("failed in the last release, 1 of 9")


def test_the_same_check_of_the_next_delivery_is_the_same_alert(home: Home) -> None:
    warns = {"check_id": "visit.rows.drift", "status": "warn"}
    prints = set()
    for days in (3, 2, 1):
        home.ledger.save(sent(days))
        judged(home, warns, delivery=sent(days))
        (alert,) = look(home_watches(home, NOW, STALE_AFTER))[Kind.CHECK]
        prints.add(alert.fingerprint)
    assert len(prints) == 1


def test_a_waived_failure_is_not_told(home: Home) -> None:
    judged(home, {"check_id": "visit.key.unique", "status": "fail"}, waived=["visit.key.unique"])
    assert says(home, Kind.CHECK) == []


def test_what_holds_the_release_is_told_once_and_until_a_release(home: Home) -> None:
    judged(home, {"check_id": "visit.key.unique", "status": "fail"})
    ran(home, RunState.HELD, 5, held_checks=("visit.key.unique",))
    (told,) = says(home, Kind.HELD)
    assert told == "No release since 2026-11-26T01:00:00+00:00: check visit.key.unique holds it back"
    assert says(home, Kind.CHECK) == []
    ran(home, RunState.RELEASED, 4)
    assert says(home, Kind.HELD) == []


def test_a_release_of_the_daemon_ends_a_hold_and_a_failure(home: Home) -> None:
    ran(home, RunState.HELD, 5, held_checks=("visit.key.unique",))
    ran(home, RunState.FAILED, 4, problems=("DISK",))
    released(home, hours_ago=6)
    assert len(says(home, Kind.HELD)) == len(says(home, Kind.RUN)) == 1
    os.utime(home.current / "manifest.json", ((NOW - timedelta(hours=1)).timestamp(),) * 2)
    ran(home, RunState.RELEASED, dagster_run="a-b-c")
    assert says(home, Kind.HELD) == says(home, Kind.RUN) == []


def test_runs_of_the_daemon_hide_no_failure_of_the_command_line_and_are_told_by_dagster(home: Home) -> None:
    ran(home, RunState.FAILED, 4, problems=("DISK",))
    ran(home, RunState.READ, 3, dagster_run="a-b-c")
    ran(home, RunState.FAILED, 2, problems=("FAILED",), dagster_run="d-e-f")
    (told,) = says(home, Kind.RUN)
    assert told.endswith("failed (DISK)")


@pytest.mark.parametrize(
    ("state", "hours_ago", "told"),
    [
        (RunState.RELEASED, 1, []),
        (RunState.HELD, 1, []),
        (RunState.FAILED, 1, ["The run of 2026-11-26T05:00:00+00:00 failed (DISK, FAILED)"]),
        (RunState.UNFINISHED, 1, []),
        (RunState.UNFINISHED, 7, ["The run of 2026-11-25T23:00:00+00:00 never ended"]),
    ],
)
def test_the_last_run(home: Home, state: RunState, hours_ago: float, told: list[str]) -> None:
    ran(home, RunState.FAILED, 9, problems=("OLD",))
    ran(home, state, hours_ago, problems=("DISK", "FAILED") if state is RunState.FAILED else ())
    assert says(home, Kind.RUN) == told


def test_what_cannot_be_landed_is_told_by_profile_and_reason(home: Home) -> None:
    for folder in ("canonical", "no_such_profile"):
        (home.landing / folder).mkdir()
        (home.landing / folder / "Anna Smith").symlink_to("/")
        os.utime(home.landing / folder / "Anna Smith", (0, 0), follow_symlinks=False)
    assert says(home, Kind.LEFT) == [
        "Something in the landing folder of canonical cannot be read (SYMLINK)",
        "Something in the landing folder of no_such_profile cannot be read (PROFILE)",
    ]


@pytest.mark.parametrize(
    ("days", "is_stale"),
    [
        ((30, 20, 10, 3), False),
        ((9, 8, 7, 6, 5), True),
        ((9, 8, 7, 6, 3.9), False),
        ((95, 65, 35), False),
        ((161, 131, 101, 71), True),
        ((400,), False),
        ((), False),
    ],
    ids=["recent", "nightly and silent", "after a weekend", "monthly", "monthly and silent", "sent once", "nothing"],
)
def test_a_source_is_stale_when_its_silence_is_long_and_unusual(days: tuple[float, ...], *, is_stale: bool) -> None:
    alerts = stale_sources([sent(one) for one in (*sorted(days, reverse=True),)], NOW, STALE_AFTER)
    assert len(alerts) == is_stale


def test_each_source_is_judged_by_itself(home: Home) -> None:
    for one in (sent(9), sent(8), sent(2, "west"), sent(1, "west"), sent(1, "south", extract_stamp="", landed_at="")):
        home.ledger.save(one)
    (told,) = says(home, Kind.STALE)
    assert told == "Source east has sent nothing for 8 days; its last extract is of 2026-11-18"


def test_held_and_refused_deliveries(home: Home) -> None:
    east = sent(1, state=State.HELD, problem="Held by visit.key.unique", problem_code="CHECK")
    west = sent(1, "west", State.REJECTED, problem="a column is unknown", problem_code="COLUMNS")
    for one in (sent(2), east, sent(2, "west"), west, sent(1, "south", State.REJECTED), sent(0.5, "south")):
        home.ledger.save(one)
    assert says(home, Kind.HELD) == [
        f"Delivery {east.label} is held back (visit.key.unique)",
        f"Delivery {west.label} is refused (COLUMNS)",
    ]


def test_a_delivery_that_was_left_behind(home: Home) -> None:
    home.ledger.save(sent(0.1, state=State.LANDED))
    home.ledger.save(sent(1, "west"))
    assert says(home, Kind.LEFT) == []
    left = sent(LONGEST_RUN / timedelta(days=1) + 0.1, state=State.TYPED)
    home.ledger.save(left)
    assert says(home, Kind.LEFT) == [f"Delivery {left.label} was landed at {left.landed_at} and never read to its end"]


@pytest.mark.parametrize(
    "error", [InputProblem("LEDGER", "x", "y", "z"), KeyError("Anna Smith"), ZeroDivisionError("Anna")]
)
def test_what_cannot_be_looked_at_is_told_and_keeps_nothing_else_back(home: Home, error: Exception) -> None:
    def broken() -> list[Alert]:
        raise error

    ran(home, RunState.FAILED)
    found = look({**home_watches(home, NOW, STALE_AFTER), Kind.HELD: broken})
    assert Kind.HELD not in found, "it is not known to be over"
    assert len(found[Kind.RUN]) == 1
    (told,) = found[Kind.HOME]
    assert told.says.endswith("so that nothing is known of: held")
    assert "Anna" not in told.says


def test_a_damaged_record_and_history_are_told(home: Home) -> None:
    judged(home, {})
    home.ledger.save(sent(1))
    next(home.lake.glob("*/delivery.json")).write_text("{", encoding="utf-8")
    (told,) = look(home_watches(home, NOW, STALE_AFTER))[Kind.HOME]
    assert told.says.endswith("(RECORD), so that nothing is known of: check, stale, left, held")
    home.ledger.save(sent(1))
    next((home.path / "audit" / "history").glob("*.parquet")).write_bytes(b"PAR1")
    (told,) = look(home_watches(home, NOW, STALE_AFTER))[Kind.HOME]
    assert told.says.endswith("(HISTORY), so that nothing is known of: check")


def test_a_failed_run_tells_at_once_and_no_value(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    error, ids = RuntimeError("Anna Smith, born 1970"), iter("abc")
    monkeypatch.setattr("pipelines.recording.new_run_id", lambda _: next(ids))  # all within one second
    with http_receiver() as got:
        monkeypatch.setenv(f"{PREFIX}ALERT_WEBHOOK", got.url)
        with pytest.raises(RuntimeError), recorded(home, "run", RunOutcome()):
            raise error
        with recorded(home, "run", RunOutcome()):
            pass
        with recorded(home, "run", RunOutcome()):
            pass
    first, second = got.bodies
    assert [(one["kind"], one["state"]) for one in first["alerts"]] == [("run", "open")]
    assert [(one["kind"], one["state"]) for one in second["alerts"]] == [("run", "over")]
    assert "RuntimeError" in first["text"]
    assert "Anna" not in f"{got.bodies}"


@pytest.mark.parametrize(
    "settings",
    [{"WEBHOOK": "http://127.0.0.1:9/secret-room"}, {"WEBHOOK": "no address"}, {"DIGEST_HOURS": "x", "FILE": "f"}],
)
def test_a_receiver_or_a_setting_that_fails_does_not_change_how_a_run_ends(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    for name, text in settings.items():
        monkeypatch.setenv(f"{PREFIX}ALERT_{name}", text)
    with pytest.raises(ZeroDivisionError), recorded(home, "run", RunOutcome()):
        raise ZeroDivisionError
    written = capsys.readouterr().err
    assert written.startswith("Alerts were not sent. ")
    assert "secret-room" not in written


def test_whatever_goes_wrong_in_alerts_does_not_fail_a_run(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        message = "Anna Smith"
        raise RuntimeError(message)

    monkeypatch.setattr("pipelines.alerting.send_alerts", broken)
    with recorded(home, "run", RunOutcome()):
        pass
    assert capsys.readouterr().err == "Alerts were not sent. RuntimeError. Try `needlepoint alerts send`\n"


def test_nothing_is_kept_where_nobody_is_told(home: Home) -> None:
    ran(home, RunState.FAILED)
    assert send_alerts(home) is None
    assert not (home.path / "alerts").exists()
