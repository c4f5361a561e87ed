"""What a home gives away to whoever looks beside the pages: permissions, pickles, secrets, names that lead out."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from assets.home import Home
from pipelines.runner import dagster_instance
from pipelines.settings import HOME_VARIABLE, SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long
CALL = "from pipelines.cli import main; main()"
PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04\x95", b"\x80\x05\x95")
"""How what pickle writes begins."""
STRANGE_KEYS = ("../../escaped", "/escaped", "a\nb", "x" * 300, "' or 1=1; drop table lake.delivery; --", ".")


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """Every secret setting with a word of its own, at receivers that are not there."""
    canaries = {one.name: f"canary{number}Secret" for number, one in enumerate(SETTINGS) if one.is_secret}
    return canaries | {
        "NEEDLEPOINT_ALERT_WEBHOOK": f"http://127.0.0.1:9/{canaries['NEEDLEPOINT_ALERT_WEBHOOK']}",
        "NEEDLEPOINT_ALERT_SMTP": "127.0.0.1:9",
        "NEEDLEPOINT_ALERT_SMTP_USER": "user",
        "NEEDLEPOINT_ALERT_EMAIL": "to@example.org",
        "NEEDLEPOINT_ALERT_FROM": "from@example.org",
        "NEEDLEPOINT_POSTGRES_HOST": "127.0.0.1",
        "NEEDLEPOINT_POSTGRES_PORT": "9",
        "NEEDLEPOINT_POSTGRES_DB": "db",
        "NEEDLEPOINT_POSTGRES_USER": "user",
    }


@pytest.fixture(scope="module")
def run_openly(
    network_feed: Path, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A home that a process filled whose umask hides nothing, and all that the process said."""
    home = tmp_path_factory.mktemp("open") / "home"
    feed = next(path for path in sorted(network_feed.iterdir()) if path.is_dir())
    said = []
    for call in (("run", str(feed)), ("doctor",), ("alerts", "test"), ("releases", "show", "../x")):
        done = subprocess.run(  # noqa: S603 our own command
            [sys.executable, "-c", CALL, *call, "--home", str(home)],
            check=False,
            capture_output=True,
            text=True,
            umask=0,
            env=os.environ | secrets,
        )
        assert "Traceback" not in done.stderr
        said.append(done.stdout + done.stderr)
    assert (home / "site" / "index.html").is_file()
    return home, said


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]


def test_nobody_else_can_read_a_home(run_openly: tuple[Path, list[str]]) -> None:
    home, _ = run_openly
    open_to_others = {
        str(path.relative_to(home))
        for path in (home, *home.rglob("*"))
        if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    }
    assert not open_to_others
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_nothing_is_pickled(run_openly: tuple[Path, list[str]]) -> None:
    home, _ = run_openly
    for path in files(home):
        assert path.suffix not in (".pkl", ".pickle"), path
        with path.open("rb") as file:
            assert not file.read(4).startswith(PICKLE), path


def test_no_secret_is_said_or_kept(run_openly: tuple[Path, list[str]], secrets: dict[str, str]) -> None:
    home, said = run_openly
    canaries = [f"canary{number}Secret" for number, one in enumerate(SETTINGS) if one.is_secret]
    assert len(canaries) >= 4
    assert all(any(canary in value for value in secrets.values()) for canary in canaries)
    everything = "".join(said).encode() + b"".join(path.read_bytes() for path in files(home))
    assert not [canary for canary in canaries if canary.encode() in everything]


@pytest.mark.parametrize("key", STRANGE_KEYS)
def test_a_partition_that_somebody_makes_up_leads_nowhere(
    run_openly: tuple[Path, list[str]], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster takes any text as the key of a dynamic partition."""
    from pipelines.definitions import defs  # noqa: PLC0415 it reads the home from the environment

    path, _ = run_openly
    home = Home(path, memory_limit="1GB")
    monkeypatch.setenv(HOME_VARIABLE, str(path))
    before = {one for one in path.parent.rglob("*") if "dagster" not in one.parts}
    with dagster_instance(home) as instance:
        instance.add_dynamic_partitions("deliveries", [key])
        result = defs.resolve_job_def("ingest").execute_in_process(
            instance=instance, partition_key=key, resources={"home": home}, raise_on_error=False
        )
        instance.delete_dynamic_partition("deliveries", key)
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert not result.success
    assert "has not been landed" in str(failure.step_failure_data.user_failure_data or failure.step_failure_data.error)
    assert {one for one in path.parent.rglob("*") if "dagster" not in one.parts} == before


def test_a_release_that_leads_out_is_not_found(run_openly: tuple[Path, list[str]]) -> None:
    _, said = run_openly
    assert said[-1].startswith("needlepoint: ")


def test_the_record_of_a_delivery_outside_the_lake_is_none(run_openly: tuple[Path, list[str]], tmp_path: Path) -> None:
    path, _ = run_openly
    record = next((path / "lake").glob("*/delivery.json"))
    shutil.copytree(record.parent, tmp_path / "outside")
    ledger = Home(path, memory_limit="1GB").ledger
    assert ledger.find(record.parent.name) is not None
    assert ledger.find(os.path.relpath(tmp_path / "outside", path / "lake")) is None
    assert ledger.find(str(tmp_path / "outside")) is None
