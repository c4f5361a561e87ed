"""One writer per home: at the command line, in the daemon's runs, and when the landing folder is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.simulation.network import simulate_network
from pipelines import landing_folder, one_writer, runner, sensors
from pipelines.definitions import defs
from pipelines.executor import one_writer_executor
from pipelines.one_writer import holder, only_writer
from pipelines.preflight_home import no_run
from pipelines.processes import is_dead, process_of
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDS = """
import sys
from pathlib import Path
from assets.home import Home
from pipelines.one_writer import only_writer
with only_writer(Home(Path(sys.argv[1]), "1GB"), "a test"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


@pytest.fixture
def other_writer(home: Home) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the home until its input ends."""
    command = [sys.executable, "-c", HOLDS, str(home.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 our own
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def ends_when_waited_for(other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the other writer end at the moment at which somebody begins to wait for it."""

    def sleep(_: float) -> None:
        other.kill()
        other.wait()

    monkeypatch.setattr(one_writer, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))


def test_a_second_writer_is_told_who_writes_and_changes_nothing(
    home: Home, other_writer: subprocess.Popen[str]
) -> None:
    with pytest.raises(InputProblem) as busy, only_writer(home, "me"):
        pytest.fail("two writers")
    assert busy.value.code == "BUSY"
    assert f"(a test, process {other_writer.pid}, since 20" in str(busy.value)
    assert holder(home) is not None
    with pytest.raises(InputProblem, match="a run is writing"), no_run(home):
        pytest.fail("a reader of what is being written")


def test_a_killed_writer_holds_nothing(home: Home, other_writer: subprocess.Popen[str]) -> None:
    other_writer.kill()
    other_writer.wait()
    with only_writer(home, "me"):
        assert str(holder(home)).startswith(f"me, process {os.getpid()}, since 20")
    assert holder(home) is None


def test_who_may_wait_says_so_once_and_goes_on(
    home: Home, other_writer: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_when_waited_for(other_writer, monkeypatch)
    said: list[str] = []
    with only_writer(home, "me", wait_seconds=30, say=said.append):
        assert len(said) == 1
    assert said[0].startswith("BUSY ")


def test_the_command_line_says_busy(home: Home, other_writer: subprocess.Popen[str]) -> None:
    assert other_writer.poll() is None
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    with pytest.raises(InputProblem) as busy:
        runner.run(home, [home.landing], profile, lambda _: None)
    assert busy.value.code == "BUSY"
    assert not (home.path / "runs").exists()


def test_the_landing_folder_is_looked_at_again_when_nobody_writes(
    home: Home, other_writer: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_folder, "QUIET_SECONDS", -60)
    monkeypatch.setattr(sensors, "WAIT_SECONDS", 0)
    simulate_network(home.landing / "canonical", patients=20, seed=5, contract=CONTRACT, clean=True, sources=1)

    def look() -> dg.SensorResult | dg.SkipReason:
        with (
            dg.instance_for_test() as instance,
            dg.build_sensor_context(instance=instance, resources={"home": home}) as context,
        ):
            found = sensors.new_deliveries(context)
            assert isinstance(found, (dg.SensorResult, dg.SkipReason))
            return found

    busy = look()
    assert isinstance(busy, dg.SkipReason)
    assert str(busy.skip_message).startswith("BUSY: ")
    assert home.ledger.all() == ()
    other_writer.kill()
    other_writer.wait()
    assert isinstance(look(), dg.SensorResult)


@dg.asset
def who_writes() -> dg.MaterializeResult[None]:
    """Say who holds the home while a step is at work."""
    from pipelines.settings import home_from_environment  # noqa: PLC0415 Dagster loads this module in its own way

    return dg.MaterializeResult(metadata={"holder": str(holder(home_from_environment()))})


def small_job() -> dg.JobDefinition:
    """A job of one step under our executor; a module-level name lets Dagster find it again."""
    return dg.Definitions(
        assets=[who_writes], jobs=[dg.define_asset_job("small")], executor=one_writer_executor
    ).resolve_job_def("small")


def test_a_run_of_the_daemon_waits_writes_alone_and_names_its_process(
    home: Home, other_writer: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    ends_when_waited_for(other_writer, monkeypatch)
    with (
        dg.instance_for_test() as instance,
        dg.execute_job(dg.reconstructable(small_job), instance=instance) as result,
    ):
        assert result.success
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert is_dead(str(process_of(run))) is False
        log = [entry.user_message for entry in instance.all_logs(result.run_id)]
        (event,) = result.get_asset_materialization_events()
        written = event.materialization.metadata["holder"].value
    assert any(message.startswith("BUSY ") and "a test" in message for message in log)
    assert str(written).startswith(f"Dagster run {result.run_id}")
    assert holder(home) is None


def test_every_step_is_in_the_pool_and_every_run_has_an_end() -> None:
    assert defs.executor is one_writer_executor
    for name in ("ingest", "release"):
        job = defs.resolve_job_def(name)
        assert [pool for node in job.nodes for pool in node.definition.pools] == ["warehouse"] * len(job.nodes)
        assert int(job.tags["dagster/max_runtime"]) > 0
        assert job.tags["dagster/retry_strategy"] == "ALL_STEPS"
