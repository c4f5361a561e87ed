"""What may pass is tried again, what will not is not; neither says a value of a row."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator  # noqa: TC003 Dagster looks at the types of steps
from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, Profile, load_profile
from assets.deliveries.state import left_deliveries
from assets.failures import is_disk_full, may_pass
from assets.home import Home
from assets.publication import release
from assets.quality.assets import none_left
from assets.steps import failures_said
from assets.warehouse.connection import WarehouseError
from pipelines import runner, schedules
from pipelines.executor import one_writer_executor
from pipelines.jobs import RELEASE_JOB
from pipelines.schedules import nightly_release
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "Kanarienvogel-4711"
NO_WAIT = dg.RetryPolicy(max_retries=2)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


def cast_error() -> None:
    """An error whose text quotes a value."""
    duckdb.execute(f"select cast('{CANARY}' as integer)").fetchall()


def hidden_lock() -> None:
    """An error of a lock, with words of ours over it."""
    try:
        raise duckdb.IOException(CANARY)
    except duckdb.Error:
        message = "the warehouse cannot be opened"
        raise WarehouseError(message) from None


def raises(error: Exception) -> Callable[[], None]:
    """A step that ends with this error."""

    def step() -> None:
        raise error

    return step


def runs(step: Callable[[], None], *, as_generator: bool) -> tuple[dg.ExecuteInProcessResult, list[int]]:
    """Run a step that raises at its first attempt and succeeds at its second."""
    attempts: list[int] = []

    @failures_said
    def produce() -> Iterator[dg.MaterializeResult[None]]:
        attempts.append(1)
        if len(attempts) == 1:
            step()
        yield dg.MaterializeResult(metadata={"attempt": len(attempts)})

    @failures_said
    def call() -> dg.MaterializeResult[None]:
        attempts.append(1)
        if len(attempts) == 1:
            step()
        return dg.MaterializeResult(metadata={"attempt": len(attempts)})

    asset = dg.asset(name="step")(produce if as_generator else call)
    job = dg.Definitions(assets=[asset], jobs=[dg.define_asset_job("job", op_retry_policy=NO_WAIT)]).resolve_job_def(
        "job"
    )
    return job.execute_in_process(raise_on_error=False), attempts


@pytest.mark.parametrize("as_generator", [True, False])
@pytest.mark.parametrize(
    ("step", "word"),
    [
        (raises(OSError(errno.ENOSPC, "No space left on device", CANARY)), "DISK: "),
        (raises(OSError(errno.EIO, "broken", CANARY)), "IO: "),
        (raises(duckdb.IOException(f"Could not set lock on {CANARY}")), "IO: "),
        (raises(sqlite3.OperationalError(f"database is locked {CANARY}")), "IO: "),
        (hidden_lock, "IO: "),
    ],
)
def test_what_may_pass_is_tried_again(step: Callable[[], None], word: str, *, as_generator: bool) -> None:
    result, attempts = runs(step, as_generator=as_generator)
    assert result.success
    assert len(attempts) == 2
    (event,) = [one for one in result.all_events if one.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert word in str(event.event_specific_data)
    assert CANARY not in str(result.all_events)


@pytest.mark.parametrize("as_generator", [True, False])
@pytest.mark.parametrize(
    ("step", "word"),
    [
        (cast_error, "PROGRAM: an error of the program (ConversionException)"),
        (raises(pl.exceptions.ComputeError(CANARY)), "PROGRAM: an error of the program (ComputeError)"),
        (raises(FileNotFoundError(CANARY)), "PROGRAM: an error of the program (FileNotFoundError)"),
        (raises(KeyError(CANARY)), "PROGRAM: an error of the program (KeyError)"),
        (raises(InputProblem("HOME", "here", "it cannot be", "Mend it")), "HOME: here: it cannot be. Mend it."),
        (raises(dg.Failure("as it was", allow_retries=False)), "as it was"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(step: Callable[[], None], word: str, *, as_generator: bool) -> None:
    result, attempts = runs(step, as_generator=as_generator)
    assert not result.success
    assert len(attempts) == 1
    (event,) = [one for one in result.all_events if one.is_step_failure]
    assert word in str(event.step_failure_data)
    assert CANARY not in str(result.all_events)


def test_kinds_of_errors() -> None:
    assert is_disk_full(sqlite3.OperationalError("database or disk is full"))
    assert is_disk_full(duckdb.FatalException("Failed to create checkpoint: No space left on device"))
    assert not is_disk_full(OSError(errno.EIO, "broken"))
    assert not may_pass(PermissionError(errno.EACCES, "no"))
    assert may_pass(BlockingIOError())


def delivery(state: State) -> Delivery:
    return Delivery("d1", "clinic", (), "2026-01-01T00:00:00Z", "canonical", 1, "p", "2", state=state)


def test_deliveries_left_failed_are_listed(home: Home) -> None:
    for state in State:
        home.ledger.save(replace(delivery(state), delivery_id=state.value))
    assert [one.delivery_id for one in left_deliveries(home.ledger)] == ["landed", "typed"]
    found = none_left(home)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.metadata["left"].value == ["clinic, landed ", "clinic, landed "]
    for state in (State.LANDED, State.TYPED):
        home.ledger.save(replace(delivery(State.ACCEPTED), delivery_id=state.value))
    assert none_left(home).passed


def test_a_run_reads_what_an_earlier_one_left(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.ledger.save(delivery(State.TYPED))
    tried: list[str] = []
    monkeypatch.setattr(runner, "_ingest", lambda *args: tried.append(args[2].delivery_id))
    (home.landing / "none").mkdir()
    said: list[str] = []
    with pytest.raises(InputProblem, match="nothing in this folder"):
        runner.run(home, [home.landing / "none"], profile(), said.append)
    assert tried == []  # the call itself was wrong
    runner.run(home, [], profile(), said.append)
    assert tried == ["d1"]
    assert "an earlier run did not come to its end" in said[0]


def profile() -> Profile:
    return load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", CANARY), "no space is left on the disk"),
        (sqlite3.OperationalError("disk I/O error", CANARY), "a file could not be written or read"),
    ],
)
def test_a_full_disk_is_said_in_words(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("pipelines.recording.write_record", full)
    with pytest.raises(InputProblem) as problem:
        runner.run(home, [], profile(), lambda _: None)
    assert (problem.value.code, problem.value.what) == ("DISK", words)
    assert CANARY not in str(problem.value)


def test_what_has_words_of_its_own_keeps_them(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwritable(*_: object) -> None:
        try:
            raises(OSError(errno.ENOSPC, "No space left on device"))()
        except OSError:
            raise InputProblem("HISTORY", "here", "it cannot be", "Do") from None

    monkeypatch.setattr("pipelines.recording.write_record", unwritable)
    with pytest.raises(InputProblem) as problem:
        runner.run(home, [], profile(), lambda _: None)
    assert problem.value.code == "HISTORY"


def test_a_release_that_was_overtaken_is_built_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def overtaken_twice(*args: object) -> tuple[list[str], list[str]]:
        built.append(1)
        (home.building).mkdir(exist_ok=True)
        (home.building / release.IDENTITY).write_text("aaa" if len(built) < 3 else release.next_release(home))
        outcome = args[-1]
        assert isinstance(outcome, runner.RunOutcome)
        outcome.is_broken = len(built) < 3
        return [], ["a failure in step release"] if len(built) < 3 else []

    monkeypatch.setattr(runner, "_execute", overtaken_twice)
    outcome = runner.RunOutcome(known=[delivery(State.ACCEPTED)])
    runner._release(home, None, outcome, lambda _: None)  # type: ignore[arg-type]  # noqa: SLF001 # no Dagster is asked
    assert (len(built), outcome.released, outcome.failed) == (3, True, [])


@pytest.mark.parametrize(("begun_for", "is_retried"), [("something else", True), (None, False)])
def test_the_daemon_begins_an_overtaken_release_again(home: Home, begun_for: str | None, *, is_retried: bool) -> None:
    release.start_building(home)
    if begun_for:
        (home.building / release.IDENTITY).write_text(begun_for, encoding="utf-8")
    with (
        dg.instance_for_test(
            overrides={"run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}}
        ) as instance,
        dg.execute_job(dg.reconstructable(broken_release), instance=instance) as result,
    ):
        assert not result.success
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["dagster/will_retry"] == str(is_retried).lower()


@dg.asset
@failures_said
def broken() -> None:
    """Fail for good."""
    raise InputProblem("OVERTAKEN", "release", *release.OVERTAKEN)


def broken_release() -> dg.JobDefinition:
    """A job of the release's name, found again by Dagster through this function."""
    return dg.Definitions(
        assets=[broken], jobs=[dg.define_asset_job(RELEASE_JOB)], executor=one_writer_executor
    ).resolve_job_def(RELEASE_JOB)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, CANARY), "DISK"),
        (sqlite3.OperationalError("database or disk is full"), "DISK"),
        (ValueError(CANARY), "STORAGE"),
    ],
)
def test_what_keeps_dagsters_records_away_is_said_as_what_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, code: str
) -> None:
    def opened(_: str) -> None:
        raise error

    monkeypatch.setenv("DAGSTER_HOME", "")  # put back what the run sets
    monkeypatch.setattr(dg.DagsterInstance, "from_config", opened)
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    with pytest.raises(InputProblem) as raised:
        runner.run(home, [tmp_path], profile, lambda _: None)
    assert raised.value.code == code
    assert CANARY not in str(raised.value)


def test_the_night_builds_nothing_where_nothing_has_changed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def night(status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS) -> dg.RunRequest | dg.SkipReason:
        with (
            dg.instance_for_test() as instance,
            dg.build_schedule_context(instance=instance, resources={"home": home}) as context,
        ):
            instance.add_run(dg.DagsterRun(job_name=RELEASE_JOB, status=status))
            asked = nightly_release(context)
            assert isinstance(asked, (dg.RunRequest, dg.SkipReason))
            return asked

    assert isinstance(night(), dg.SkipReason)  # nothing was accepted yet
    home.ledger.save(delivery(State.ACCEPTED))
    assert isinstance(night(), dg.RunRequest)
    for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED):
        building = night(status)
        assert isinstance(building, dg.SkipReason)
        assert building.skip_message == "A release is being built"
    with monkeypatch.context() as patch:
        patch.setattr(schedules, "kept_from_building", lambda _: InputProblem("ROLLED_BACK", "here", "so", "Do"))
        rolled_back = night()
    assert isinstance(rolled_back, dg.SkipReason)
    assert rolled_back.skip_message == "ROLLED_BACK: here: so. Do."
    identity = release.next_release(home)
    (home.releases / identity).mkdir()
    home.current.symlink_to(f"releases/{identity}")
    assert isinstance(night(), dg.SkipReason)
