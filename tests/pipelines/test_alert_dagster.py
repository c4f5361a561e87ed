"""Alerts about Dagster: failed runs that are not tried again, and sensors, schedules and a daemon that have stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo

from assets.deliveries.ledger import Delivery, State
from assets.home import Home
from pipelines.alert_dagster import FAILED_TICKS, failed_jobs, stopped_sensors
from pipelines.alert_sensors import alert_failed_runs, alerts
from pipelines.cli import cli
from pipelines.settings import HOME_VARIABLE, PREFIX, SETTINGS
from tests.pipelines.receivers import http_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC)
REPOSITORY = RemoteRepositoryOrigin(
    InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="x")), "__repository__"
)
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in SETTINGS:
        monkeypatch.delenv(one.name, raising=False)
    monkeypatch.setenv("DAGSTER_HOME", "")  # the command line sets it; the next test must not see that


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "north", memory_limit="1GB")
    place.create()
    return place


@pytest.fixture(scope="module")
def storage() -> Iterator[dg.DagsterInstance]:
    """Real storage; making it costs seconds."""
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def instance(storage: dg.DagsterInstance) -> dg.DagsterInstance:
    """Storage with nothing in it."""
    storage.wipe()
    storage.wipe_all_schedules()
    storage.wipe_daemon_heartbeats()
    return storage


def ran(
    instance: dg.DagsterInstance,
    job: str,
    status: dg.DagsterRunStatus = FAILURE,
    partition: str = "",
    *,
    by_daemon: bool = True,
    **tags: str,
) -> dg.DagsterRun:
    origin = RemoteJobOrigin(REPOSITORY, job) if by_daemon else None
    about = {"dagster/partition": partition} if partition else {}
    run = dg.DagsterRun(job_name=job, status=status, tags=about | tags, remote_job_origin=origin)
    return instance.add_run(run)


def switched(
    instance: dg.DagsterInstance, name: str, status: InstigatorStatus, kind: InstigatorType = InstigatorType.SENSOR
) -> InstigatorState:
    data = ScheduleInstigatorData("0 6 * * *") if kind is InstigatorType.SCHEDULE else None
    state = InstigatorState(RemoteInstigatorOrigin(REPOSITORY, name), kind, status, data)
    return instance.add_instigator_state(state)


def looked(instance: dg.DagsterInstance, state: InstigatorState, status: TickStatus, minutes_ago: float) -> None:
    moment = (NOW - timedelta(minutes=minutes_ago)).timestamp()
    facts = {"run_ids": []} if status is TickStatus.SUCCESS else {}
    facts |= {"error": SerializableErrorInfo("broken", [], None)} if status is TickStatus.FAILURE else {}
    about = (state.instigator_origin_id, state.name, state.instigator_type)
    instance.create_tick(TickData(*about, status, moment, selector_id=state.selector_id, **facts))


def beats(instance: dg.DagsterInstance, minutes_ago: float) -> None:
    moment = (NOW - timedelta(minutes=minutes_ago)).timestamp()
    for kind in instance.get_required_daemon_types():
        instance.run_storage.add_daemon_heartbeat(DaemonHeartbeat(moment, kind, "daemon", []))


def told(instance: dg.DagsterInstance) -> list[str]:
    return [one.says for one in stopped_sensors(instance, NOW)]


def test_a_failed_run_is_told_until_one_after_it(home: Home, instance: dg.DagsterInstance) -> None:
    assert failed_jobs(home, instance) == []
    ran(instance, "release", SUCCESS)
    first = ran(instance, "release")
    (alert,) = failed_jobs(home, instance)
    assert (alert.subject, alert.urgent) == ("release", True)
    assert first.run_id in alert.says
    second = ran(instance, "release")
    (again,) = failed_jobs(home, instance)
    assert again.fingerprint == alert.fingerprint, "a storm of failures is one alert"
    assert second.run_id in again.says
    ran(instance, "release", dg.DagsterRunStatus.STARTED)
    assert failed_jobs(home, instance) == []


def test_a_run_that_is_tried_again_is_not_told(home: Home, instance: dg.DagsterInstance) -> None:
    ran(instance, "release", **{WILL_RETRY_TAG: "true"})
    assert failed_jobs(home, instance) == []


def test_a_run_of_the_command_line_is_in_the_run_log(home: Home, instance: dg.DagsterInstance) -> None:
    ran(instance, "release", by_daemon=False)
    assert failed_jobs(home, instance) == []


@pytest.mark.parametrize(("state", "alerts"), [(State.LANDED, 1), (State.HELD, 0), (State.REJECTED, 0)])
def test_a_held_delivery_is_told_as_held(home: Home, instance: dg.DagsterInstance, state: State, alerts: int) -> None:
    made = Delivery("d1", "east_20261125", (), "2026-11-25", "canonical", 1, "0" * 64, "2")
    home.ledger.save(replace(made, state=state))
    ran(instance, "ingest", partition="d1")
    found = failed_jobs(home, instance)
    assert [one.subject for one in found] == ["ingest d1"] * alerts
    assert all("delivery east_20261125" in one.says for one in found)


def test_each_partition_is_its_own(home: Home, instance: dg.DagsterInstance) -> None:
    ran(instance, "ingest", partition="d1")
    ran(instance, "ingest", partition="d2")
    ran(instance, "ingest", SUCCESS, partition="d2")
    assert [one.subject for one in failed_jobs(home, instance)] == ["ingest d1"]


def test_without_a_daemon_nothing_has_stopped(instance: dg.DagsterInstance) -> None:
    assert told(instance) == []


def test_a_dead_daemon_is_one_alert(instance: dg.DagsterInstance) -> None:
    switched(instance, "new_deliveries", InstigatorStatus.STOPPED)
    beats(instance, 1)
    assert told(instance) == ["Sensor new_deliveries is switched off"]
    beats(instance, 60)
    assert told(instance) == ["The Dagster daemon has stopped: nothing that arrives is read, and no schedule runs"]


def test_sensors_and_schedules_that_are_switched_off(instance: dg.DagsterInstance) -> None:
    switched(instance, "new_deliveries", InstigatorStatus.RUNNING)
    switched(instance, "decided_deliveries", InstigatorStatus.DECLARED_IN_CODE)
    switched(instance, "of_an_earlier_version", InstigatorStatus.STOPPED)
    assert told(instance) == []
    switched(instance, "alerts", InstigatorStatus.STOPPED)
    switched(instance, "nightly_release", InstigatorStatus.STOPPED, InstigatorType.SCHEDULE)
    assert told(instance) == ["Sensor alerts is switched off", "Schedule nightly_release is switched off"]


def test_a_sensor_that_fails_again_and_again(instance: dg.DagsterInstance) -> None:
    state = switched(instance, "new_deliveries", InstigatorStatus.RUNNING)
    looked(instance, state, TickStatus.SUCCESS, 9)
    for minutes in range(FAILED_TICKS - 1):
        looked(instance, state, TickStatus.FAILURE, 5 - minutes)
    assert told(instance) == []
    looked(instance, state, TickStatus.FAILURE, 1)
    assert told(instance) == ["Sensor new_deliveries fails again and again"]
    looked(instance, state, TickStatus.SKIPPED, 0)
    assert told(instance) == []


def test_a_sensor_that_does_not_look_any_more(instance: dg.DagsterInstance) -> None:
    state = switched(instance, "new_deliveries", InstigatorStatus.RUNNING)
    looked(instance, state, TickStatus.SKIPPED, 60)
    assert told(instance) == ["Sensor new_deliveries does not look any more"]


def test_both_sensors_tell_and_do_not_fail_where_nobody_listens(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.op
    def breaks() -> None:
        raise ValueError

    @dg.job
    def release() -> None:
        breaks()

    result = release.execute_in_process(instance=instance, raise_on_error=False)
    event = result.get_run_failure_event()
    ran(instance, "release")
    with http_receiver() as got:
        monkeypatch.setenv(f"{PREFIX}ALERT_WEBHOOK", got.url)
        with dg.build_run_status_sensor_context(
            "alert_failed_runs", event, instance, result.dagster_run, resources={"home": home}
        ) as context:
            alert_failed_runs(context.for_run_failure())
        assert [one["subject"] for one in got.bodies[0]["alerts"]] == ["release"]
        ran(instance, "release", SUCCESS)
        got.status = 503
        assert "webhook has not been reached since" in look(home, instance)
        got.status = 200
        assert look(home, instance) == "Every channel knows what is wrong"
    assert [one["state"] for one in got.bodies[-1]["alerts"]] == ["over"]


def look(home: Home, instance: dg.DagsterInstance) -> str:
    with dg.build_sensor_context(instance=instance, resources={"home": home}) as context:
        skipped = alerts(context)
    assert isinstance(skipped, dg.SkipReason)
    return skipped.skip_message or ""


def call(*arguments: str, home: Home, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["alerts", *arguments, "--home", str(home.path)])
    assert done.exit_code == code, done.output
    return done.output


def test_command_line(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    assert call("list", home=home).startswith("Nothing is wrong.\nNobody is told: no channel is set.")
    assert call("send", home=home).startswith("Nobody is told")
    assert call("test", home=home, code=1).startswith("Nobody is told")
    made = Delivery("d1", "east", (), "2026-11-25", "canonical", 1, "0" * 64, "2", state=State.HELD)
    home.ledger.save(replace(made, problem="Held by visit.key.unique"))
    file = tmp_path / "alerts.jsonl"
    with http_receiver() as got:
        monkeypatch.setenv(f"{PREFIX}ALERT_WEBHOOK", got.url)
        monkeypatch.setenv(f"{PREFIX}ALERT_FILE", str(file))
        assert call("test", home=home) == "webhook: sent.\nfile: sent.\n"
        got.status = 500
        assert call("test", home=home, code=1) == "webhook: it answered 500.\nfile: sent.\n"
        assert "webhook has not been reached since" in call("send", home=home, code=1)
        listed = call("list", home=home)
        assert "Delivery east is held back (visit.key.unique). Told: file" in listed
        assert "it answered 500" in listed
        got.status = 200
        assert call("send", home=home) == "1 open; every channel knows of them.\n"
        found: dict[str, Any] = json.loads(call("list", "--json", home=home))
        assert [one["told"] for one in found["alerts"]] == [["file", "webhook"]]
        assert (found["channels"], found["unsent"]) == (["webhook", "file"], {})
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3


def test_storage_that_cannot_be_opened_is_told(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    monkeypatch.setenv(f"{PREFIX}ALERT_FILE", str(tmp_path / "alerts.jsonl"))
    (tmp_path / "Anna").write_text("a file stands where the storage should be", encoding="utf-8")
    settings = f"storage: {{sqlite: {{base_dir: {tmp_path / 'Anna'}}}}}"
    (home.dagster / "dagster.yaml").write_text(settings, encoding="utf-8")
    assert call("send", home=home) == "1 open; every channel knows of them.\n"
    (sent,) = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert "so that nothing is known of: job, sensor" in sent
    assert "Anna" not in sent


def test_no_home_yet_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "")
    nowhere = Home(tmp_path / "nowhere", memory_limit="1GB")
    assert call("send", home=nowhere).startswith("There is no home at")
    assert not nowhere.path.exists()
