"""What a killed run still holds is freed; what a living one holds is left alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner

from assets.contract import CONTRACT
from assets.deliveries.landing import INCOMING, KEPT, find_deliveries, land, sweep
from assets.deliveries.ledger import State, write_delivery
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.simulation.network import simulate_network
from pipelines import unlock as unlocking
from pipelines.cli import cli
from pipelines.one_writer import only_writer
from pipelines.processes import PROCESS_TAG, is_dead, process_tags, this_process
from pipelines.retry import Kept
from pipelines.runner import dagster_instance
from pipelines.sensors import killed_runs, left_behind
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.deliveries.ledger import Delivery

IN_PROGRESS = dg.DagsterRunStatus.STARTED


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with dagster_instance(home) as found:
        yield found


@pytest.fixture
def landed(home: Home, tmp_path: Path) -> Delivery:
    """A delivery that was landed and not read."""
    simulate_network(tmp_path / "feed", patients=20, seed=5, contract=CONTRACT, clean=True, sources=1)
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    (sent,) = find_deliveries([path for path in (tmp_path / "feed").iterdir() if path.is_dir()], profile).sent
    delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
    assert is_new
    return delivery


def dead_process() -> str:
    """A process that has ended, as a run names it."""
    command = "from pipelines.processes import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 our own


@dg.op(pool="warehouse")
def nothing() -> None:
    """Do nothing, in the pool."""


@dg.job
def pooled() -> None:
    """A job whose run can be left behind."""
    nothing()


def started(instance: dg.DagsterInstance, process: str | None) -> str:
    """A run that Dagster believes to be at work, with a place in the pool."""
    run = instance.create_run_for_job(pooled, status=IN_PROGRESS)
    if process:
        instance.add_run_tags(run.run_id, {PROCESS_TAG: f"{run.run_id} {process}"})
    instance.event_log_storage.set_concurrency_slots("warehouse", 1)
    instance.event_log_storage.claim_concurrency_slot("warehouse", run.run_id, "nothing")
    return run.run_id


def places_taken(instance: dg.DagsterInstance) -> int:
    return instance.event_log_storage.get_concurrency_info("warehouse").active_slot_count


def test_a_killed_run_is_said_to_have_failed_and_its_place_is_free(home: Home, instance: dg.DagsterInstance) -> None:
    run_id = started(instance, dead_process())
    assert places_taken(instance) == 1
    (home.building / "site").mkdir(parents=True)
    result = CliRunner().invoke(cli, ["unlock", "--home", str(home.path), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"runs": [run_id], "half_written": ["releases/.building"]}
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert places_taken(instance) == 0
    assert not home.building.exists()
    again = CliRunner().invoke(cli, ["unlock", "--home", str(home.path)])
    assert again.stdout == "Nothing was held\n"


def test_a_living_run_keeps_what_it_holds(home: Home, instance: dg.DagsterInstance) -> None:
    started(instance, this_process())
    started(instance, f"another-machine {os.getpid()} 1")
    started(instance, None)  # it has only just begun and has not named its process yet
    assert unlocking.unlock(home, instance) == unlocking.Unlocked((), ())
    assert places_taken(instance) == 1


def test_a_run_that_is_begun_again_is_not_taken_for_the_one_that_died(instance: dg.DagsterInstance) -> None:
    """Dagster gives it the tags of the run before, so that it names a dead process until it names its own."""
    killed = instance.get_run_by_id(started(instance, dead_process()))
    assert killed is not None
    again = instance.create_run_for_job(
        pooled,
        status=dg.DagsterRunStatus.STARTING,
        tags=killed.tags,
        parent_run_id=killed.run_id,
        root_run_id=killed.run_id,
    )
    assert unlocking.free_dead_runs(instance) == (killed.run_id,)
    instance.add_run_tags(again.run_id, process_tags(again.run_id))
    assert unlocking.free_dead_runs(instance) == ()
    instance.add_run_tags(again.run_id, {PROCESS_TAG: f"{again.run_id} {dead_process()}"})
    assert unlocking.free_dead_runs(instance) == (again.run_id,)


def test_while_a_run_writes_nothing_is_touched(home: Home, instance: dg.DagsterInstance) -> None:
    run_id = started(instance, dead_process())
    home.building.mkdir()
    with only_writer(home, "a run"), pytest.raises(InputProblem) as busy:
        unlocking.unlock(home, instance)
    assert busy.value.code == "BUSY"
    assert home.building.exists()
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is IN_PROGRESS


def test_a_run_that_never_named_its_process_died_before_it_could(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = started(instance, None)
    monkeypatch.setattr(unlocking, "NAMES_ITSELF_WITHIN", timedelta(seconds=-5))
    assert unlocking.free_dead_runs(instance) == (run_id,)


def test_the_daemon_frees_killed_runs_by_itself(instance: dg.DagsterInstance) -> None:
    run_id = started(instance, dead_process())
    with dg.build_sensor_context(instance=instance) as context:
        first, second = killed_runs(context), killed_runs(context)
    assert isinstance(first, dg.SkipReason)
    assert isinstance(second, dg.SkipReason)
    assert (first.skip_message, second.skip_message) == ("1 killed runs freed", "No run was killed")
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE


def test_a_number_that_another_process_was_given_is_a_dead_run() -> None:
    assert is_dead(this_process()) is False
    assert is_dead(f"{socket.gethostname()} {os.getpid()} 1") is True
    assert is_dead("another-machine 1 1") is None


def test_no_home_is_said_in_words(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["unlock", "--home", str(tmp_path / "nowhere")])
    assert isinstance(result.exception, InputProblem)
    assert result.exception.code == "HOME"


def test_a_delivery_that_is_left_is_read_once_a_day(home: Home, instance: dg.DagsterInstance, landed: Delivery) -> None:
    def look() -> dg.SensorResult | dg.SkipReason:
        with dg.build_sensor_context(instance=instance, resources={"home": home}) as context:
            found = left_behind(context)
            assert isinstance(found, (dg.SensorResult, dg.SkipReason))
            return found

    assert isinstance(look(), dg.SkipReason)  # its run may only just begin
    write_delivery(home.ledger.folder(landed.delivery_id), replace(landed, landed_at="2026-01-01T00:00:00Z"))
    found = look()
    assert isinstance(found, dg.SensorResult)
    (request,) = found.run_requests or []
    assert request.run_key == f"{landed.run_key}-left-{datetime.now(UTC):%Y-%m-%d}"
    instance.create_run_for_job(pooled, status=IN_PROGRESS, tags={"dagster/partition": landed.delivery_id})
    assert isinstance(look(), dg.SkipReason)  # a run is reading it
    home.ledger.save(replace(landed, state=State.ACCEPTED, landed_at="2026-01-01T00:00:00Z"))
    assert isinstance(look(), dg.SkipReason)


def test_a_delivery_killed_while_it_takes_its_place_is_put_there(home: Home, landed: Delivery) -> None:
    folder = home.ledger.folder(landed.delivery_id)
    folder.rename(home.lake / f"{INCOMING}new")
    (home.lake / f"{INCOMING}half" / "raw").mkdir(parents=True)
    assert home.ledger.all() == ()
    sweep(home.ledger)
    assert home.ledger.all() == (landed,)
    assert (folder / "raw").is_dir()
    assert list(home.lake.glob(f"{INCOMING}*")) == []


def test_a_reading_set_by_comes_back_after_a_kill(home: Home, landed: Delivery) -> None:
    accepted = replace(landed, state=State.ACCEPTED)
    home.ledger.save(accepted)
    Kept(home, accepted)
    home.ledger.save(replace(landed, state=State.REJECTED))  # the new reading; then the process dies
    sweep(home.ledger)
    assert home.ledger.all() == (accepted,)
    assert list(home.lake.glob(f"{INCOMING}*")) == []


def test_a_half_copied_reading_does_not_replace_the_whole_one(home: Home, landed: Delivery) -> None:
    half = home.lake / f"{INCOMING}half"
    (half / "copying").mkdir(parents=True)
    write_delivery(half / "copying", replace(landed, state=State.HELD))
    assert not (half / KEPT).exists()
    sweep(home.ledger)
    assert home.ledger.all() == (landed,)
