"""The doctor and Dagster's storage against a real PostgreSQL on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from assets.home import Home
from pipelines.dagster_settings import SERVER
from pipelines.doctor_dagster import postgres
from pipelines.doctor_findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("dagster_postgres", reason="the extra `server` is not installed")
ACCOUNT = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""
PASSWORD = "of this test only"  # noqa: S105 the database lives for a few seconds


def program(name: str) -> str:
    """A program of the distribution's package, which are not always on the path; the newest version."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        pytest.skip("no PostgreSQL")
    return found


@pytest.fixture(scope="module")
def database() -> Iterator[int]:
    """The port of an empty database. It lies outside of pytest's folders, which its account cannot enter."""
    with tempfile.TemporaryDirectory(prefix="needlepoint-test-") as name, socket.socket() as probe:
        folder = Path(name)
        if ACCOUNT:
            shutil.chown(folder, ACCOUNT)
        secret = folder / "secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        make = [program("initdb"), "--no-sync", "--auth=scram-sha-256", "--username=needlepoint"]
        run([*make, f"--pwfile={secret}", "--pgdata", str(folder / "data")])
        probe.close()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [program("pg_ctl"), "--wait", "--silent", "--pgdata", str(folder / "data")]
        run([*control, "--log", str(folder / "log"), "--options", options, "start"])
        try:
            yield port
        finally:
            run([*control, "--mode=immediate", "stop"])


def run(command: list[str]) -> None:
    subprocess.run(  # noqa: S603 our own command
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=ACCOUNT, cwd="/", timeout=60
    )


@pytest.fixture
def home(tmp_path: Path, database: int, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home", memory_limit="1GB")
    made.create()
    shutil.copyfile(SERVER, made.dagster / "dagster.yaml")
    parts = {"HOST": "127.0.0.1", "PORT": str(database), "DB": "postgres", "USER": "needlepoint", "PASSWORD": PASSWORD}
    for name, text in parts.items():
        monkeypatch.setenv(f"NEEDLEPOINT_POSTGRES_{name}", text)
    return made


def test_database_is_reached_and_the_daemon_is_watched(home: Home, database: int) -> None:
    reached, daemon = postgres(home)
    assert (reached.verdict, reached.found) == (Verdict.GOOD, f"connected to 127.0.0.1:{database}")
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
