"""The doctor and Dagster's storage against a real PostgreSQL on loopback."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._daemon.types import DaemonHeartbeat

from assets.deliveries.problems import InputProblem
from assets.home import Home
from pipelines.cli import cli
from pipelines.dagster_settings import SERVER
from pipelines.doctor_dagster import postgres
from pipelines.doctor_findings import Verdict
from tests.pipelines.postgres_server import PASSWORD, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("dagster_postgres", reason="the extra `server` is not installed")


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """The settings that lead to an empty database."""
    with postgres_server() as settings:
        yield settings


@pytest.fixture
def home(tmp_path: Path, database: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home", memory_limit="1GB")
    made.create()
    shutil.copyfile(SERVER, made.dagster / "dagster.yaml")
    for name, text in database.items():
        monkeypatch.setenv(name, text)
    return made


def test_database_is_reached_and_the_daemon_is_watched(home: Home, database: dict[str, str]) -> None:
    reached, daemon = postgres(home)
    assert (reached.verdict, reached.found) == (
        Verdict.GOOD,
        f"connected to 127.0.0.1:{database['NEEDLEPOINT_POSTGRES_PORT']}",
    )
    assert "and never was" in daemon.found
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        assert type(instance.event_log_storage).__module__.startswith("dagster_postgres")
        for ago, verdict in ((3600, Verdict.WRONG), (10, Verdict.GOOD)):
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - ago, "SENSOR", "one", []))
            _, daemon = postgres(home)
            assert daemon.verdict is verdict


@pytest.mark.parametrize(("name", "wrong"), [("PASSWORD", "another"), ("PORT", "1"), ("DB", "no-such")])
def test_what_keeps_the_database_away_is_said_without_its_words(
    home: Home, monkeypatch: pytest.MonkeyPatch, name: str, wrong: str
) -> None:
    monkeypatch.setenv(f"NEEDLEPOINT_POSTGRES_{name}", wrong)
    (found,) = postgres(home)
    assert found.verdict is Verdict.WRONG
    assert found.found.startswith("no connection to 127.0.0.1:")
    assert PASSWORD not in str(found)
    assert "another" not in str(found)


def test_commands_say_in_words_that_dagsters_records_are_out_of_reach(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NEEDLEPOINT_POSTGRES_PASSWORD", "another")
    for name in ("DAGSTER_HOME", "NEEDLEPOINT_HOME"):
        monkeypatch.setenv(name, "")  # put back what the command sets
    done = CliRunner().invoke(cli, ["unlock", "--home", str(home.path)])
    assert isinstance(done.exception, InputProblem)
    assert done.exception.with_code.startswith("STORAGE: Dagster's records: they cannot be opened. Call")
    assert "another" not in done.output + caplog.text
