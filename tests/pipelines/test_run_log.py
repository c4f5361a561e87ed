"""The run log survives whatever ends a run, adds up, and knows what is usual."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.publication.holds import held_since
from assets.publication.run_history import BASELINE_POINTS, DAYS, run_frames
from assets.publication.run_log import FILE, FOLDER, RunRecord, RunState, new_run_id, read_runs, write_record
from dashboards.status import STATUS_FILE, status_script
from pipelines.outcome import RunOutcome
from pipelines.recording import recorded

if TYPE_CHECKING:
    import polars as pl

ROOT = Path(__file__).resolve().parents[2]
FIRST = datetime(2026, 9, 1, 6, tzinfo=UTC)
KILLED = """
import os, signal, sys
from pathlib import Path
from assets.home import Home
from dashboards.status import STATUS_FILE, status_script
from pipelines.recording import recorded
from pipelines.outcome import RunOutcome
with recorded(Home(Path(sys.argv[1]), "1GB"), "run", RunOutcome()):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def record(day: int = 0, **facts: object) -> RunRecord:
    started = (FIRST + timedelta(days=day)).isoformat(timespec="seconds")
    made = RunRecord(
        run_id=f"run-{day:03}",
        kind="run",
        started=started,
        code_version="code-1",
        contract_version="1",
        packages={"polars": "2.1.0"},
        release_before=None,
        state=RunState.RELEASED,
        finished=started,
        seconds=20.0 + day % 3,
        steps={"models": 3.0 + day % 3},
    )
    return replace(made, **facts)  # type: ignore[arg-type]


def delivery(state: State, **facts: Any) -> Delivery:
    return Delivery(f"d-{state}", "clinic", (), "", "canonical", 1, "0" * 64, "2", state=state, **facts)


def test_the_last_line_of_a_run_counts(tmp_path: Path) -> None:
    write_record(tmp_path, record(state=RunState.UNFINISHED))
    write_record(tmp_path, record(1))
    write_record(tmp_path, record())
    found = read_runs(tmp_path)
    assert [item.state for item in found.records] == [RunState.RELEASED, RunState.RELEASED]
    assert found.unreadable == 0
    assert read_runs(tmp_path / "nowhere").records == ()


@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("day", [0, 1, -1])
def test_runs_keep_the_order_of_the_log(tmp_path: Path, first: str, second: str, day: int) -> None:
    """Within one second ids are drawn by lot, and a clock may be set back."""
    held, released = record(run_id=first, held_checks=("x",), state=RunState.HELD), record(day, run_id=second)
    for item in (
        replace(held, state=RunState.UNFINISHED),
        held,
        replace(released, state=RunState.UNFINISHED),
        released,
    ):
        write_record(tmp_path, item)
    assert read_runs(tmp_path).records == (held, released)
    assert held_since(read_runs(tmp_path).records) == {}
    write_record(tmp_path, replace(held, run_id="c"))
    assert held_since(read_runs(tmp_path).records) == {"x": held.started}


def test_a_line_cut_anywhere_costs_that_line_only(tmp_path: Path) -> None:
    write_record(tmp_path, record())
    path = tmp_path / FOLDER / FILE
    whole = path.read_bytes()
    write_record(tmp_path, record(1))
    longer = path.read_bytes()
    for end in range(len(whole), len(longer)):
        path.write_bytes(longer[:end])
        write_record(tmp_path, record(2))
        found = read_runs(tmp_path)
        ids = [item.run_id for item in found.records]
        # without its line break the line is whole
        assert ids in (["run-000", "run-002"], ["run-000", "run-001", "run-002"])
        assert ("run-001" in ids) is (end == len(longer) - 1)
        assert found.unreadable == (0 if end in (len(whole), len(longer) - 1) else 1)


def test_what_is_no_record_is_counted(tmp_path: Path) -> None:
    write_record(tmp_path, record())
    path = tmp_path / FOLDER / FILE
    with path.open("a", encoding="utf-8") as file:
        file.write('null\n{"state": "released"}\n[1]\n')
        file.write(json.dumps({**json.loads(path.read_text().splitlines()[0]), "state": "splendid"}) + "\n")
    found = read_runs(tmp_path)
    assert (len(found.records), found.unreadable) == (1, 4)


def test_fields_of_a_later_version_are_left_out(tmp_path: Path) -> None:
    write_record(tmp_path, record())
    path = tmp_path / FOLDER / FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "mood": "good"}) + "\n", encoding="utf-8")
    assert read_runs(tmp_path).records == (record(),)


def test_a_killed_run_is_known_as_unfinished(tmp_path: Path) -> None:
    home = Home(tmp_path, "1GB")
    home.create()
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)  # noqa: S603
    assert ended.returncode == -signal.SIGKILL
    (found,) = read_runs(tmp_path).records
    assert (found.state, found.finished, found.seconds) == (RunState.UNFINISHED, None, None)
    with recorded(home, "run", RunOutcome()):
        pass
    assert [item.state for item in read_runs(tmp_path).records] == [RunState.UNFINISHED, RunState.UNCHANGED]


@pytest.mark.parametrize(
    ("error", "problem"),
    [(RuntimeError("Anna Smith, born 1970"), "RuntimeError"), (InputProblem("NOT_FOUND", "x", "y", "z"), "NOT_FOUND")],
)
def test_an_error_is_recorded_by_its_kind_and_goes_on(tmp_path: Path, error: Exception, problem: str) -> None:
    home = Home(tmp_path, "1GB")
    home.create()
    with pytest.raises(type(error)), recorded(home, "run", RunOutcome()):
        raise error
    (found,) = read_runs(tmp_path).records
    assert (found.state, found.problems) == (RunState.FAILED, (problem,))
    assert "Anna" not in (tmp_path / FOLDER / FILE).read_text(encoding="utf-8")


def test_rows_read_add_up(tmp_path: Path) -> None:
    home = Home(tmp_path, "1GB")
    home.create()
    outcome = RunOutcome()
    with recorded(home, "retry", outcome):
        outcome.read += [
            delivery(State.ACCEPTED, ingested=100, set_aside=7),
            delivery(State.HELD, ingested=50, set_aside=40, problem="Held by measurement.rows.usable"),
        ]
        outcome.held_by.append("Held by visit.key.unique")
        outcome.steps["models"] = 1.23456
    (found,) = read_runs(tmp_path).records
    assert (found.rows_in, found.rows_used, found.rows_set_aside, found.rows_rejected) == (150, 93, 7, 50)
    assert (found.kind, found.state) == ("retry", RunState.HELD)
    assert found.held_by == ("visit.key.unique", "clinic: Held by measurement.rows.usable")
    assert found.steps == {"models": 1.235}
    assert found.seconds is not None


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"released": True}, RunState.RELEASED),
        ({"released": True, "read": [delivery(State.REJECTED)]}, RunState.WARNED),
        ({"held_by": ["Held by x"]}, RunState.HELD),
        ({"held_by": ["Held by a failure in step x"], "is_broken": True}, RunState.FAILED),
        ({"read": [delivery(State.ACCEPTED)]}, RunState.READ),
        ({"read": [delivery(State.HELD)]}, RunState.HELD),
        ({}, RunState.UNCHANGED),
    ],
)
def test_how_a_run_ended(tmp_path: Path, facts: dict[str, object], state: RunState) -> None:
    home = Home(tmp_path, "1GB")
    home.create()
    with recorded(home, "run", RunOutcome(**facts)):  # type: ignore[arg-type]
        pass
    assert read_runs(tmp_path).records[0].state is state


def frames(tmp_path: Path, *records: RunRecord, today: date = date(2026, 9, 30)) -> dict[str, pl.DataFrame]:
    for item in records:
        write_record(tmp_path, item)
    return run_frames(read_runs(tmp_path), today)


def test_usual_needs_twelve_runs_that_built_a_release(tmp_path: Path) -> None:
    records = [record(day) for day in range(BASELINE_POINTS)]
    unchanged = record(BASELINE_POINTS, state=RunState.UNCHANGED, seconds=0.5)
    slow = record(BASELINE_POINTS + 1, seconds=90.0, steps={"models": 3.5, "site": 9.0})
    made = frames(tmp_path, *records, unchanged, slow)
    run = made["run"]
    assert run["usual_high"][: BASELINE_POINTS - 1].null_count() == BASELINE_POINTS - 1
    last = run.row(-1, named=True)
    assert last["is_unusual"]
    assert last["usual_low"] < 21 < last["usual_high"] < 90
    assert run.row(-2, named=True)["is_unusual"] is None, "a run that built nothing is not compared"
    steps = {row["step"]: row for row in made["run_step"].to_dicts()}
    assert steps["models"]["is_unusual"] is False
    assert steps["site"]["usual_high"] is None
    assert steps["models"]["runs"] == BASELINE_POINTS


def test_what_changed_is_said_in_words(tmp_path: Path) -> None:
    made = frames(
        tmp_path,
        record(),
        record(1, code_version="code-2", packages={"polars": "2.2.0", "numpy": "2.4.6"}, deliveries={"d": "accepted"}),
        record(2, code_version="code-2", packages={"polars": "2.2.0", "numpy": "2.4.6"}),
    )
    assert made["run"]["changed"].to_list() == [
        "first run of this home",
        "code code-1 to code-2, numpy absent to 2.4.6, polars 2.1.0 to 2.2.0, 1 delivery read",
        "nothing",
    ]


def test_days_end_today_and_show_the_last_run_of_the_day(tmp_path: Path) -> None:
    again = record(3, run_id="zz", state=RunState.RELEASED)
    made = frames(tmp_path, record(3, state=RunState.FAILED), again, record(5), today=date(2026, 9, 7))["run_day"]
    assert (made.height, made["day"][-1]) == (DAYS, "2026-09-07")
    days = {row["day"]: (row["state"], row["runs"], row["failed"]) for row in made.to_dicts()}
    assert days["2026-09-04"] == ("released", 2, 1)
    assert days["2026-09-06"] == ("released", 1, 0)
    assert days["2026-09-07"] == (None, 0, 0)


def test_ids_sort_by_time() -> None:
    first, second = new_run_id(FIRST), new_run_id(FIRST + timedelta(seconds=1))
    assert first < second
    assert new_run_id(FIRST) != first


def test_no_runs_give_empty_frames(tmp_path: Path) -> None:
    made = frames(tmp_path)
    assert (made["run"].height, made["run_step"].height) == (0, 0)
    assert made["run_day"]["state"].null_count() == DAYS


def test_a_held_run_is_said_on_every_page_until_a_release(tmp_path: Path) -> None:
    home = Home(tmp_path, "1GB")
    home.create()
    site = home.releases / "abc" / "site"
    site.mkdir(parents=True)
    home.current.symlink_to("releases/abc")
    with recorded(home, "run", RunOutcome(held_by=["Held by visit.key.unique"], held_checks=["visit.key.unique"])):
        pass
    first = (site / STATUS_FILE).read_text(encoding="utf-8")
    assert "was not released" in first
    assert "(visit.key.unique) since" in first
    with recorded(home, "run", RunOutcome()):
        pass
    assert (site / STATUS_FILE).read_text(encoding="utf-8") == first, "nothing new releases nothing"
    with recorded(home, "run", RunOutcome(released=True)):
        pass
    assert (site / STATUS_FILE).read_bytes() == status_script("")
