"""Kill -9 and a full disk at any moment: the old release stays whole, and the next run gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from assets.contract import CONTRACT
from assets.simulation.network import simulate_network
from tests.pipelines import killing
from tests.pipelines.killing import BUILD, LOAD, PHASES, PUBLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENTS = 250
SEED = 20261126
KILLS = 51
FAULTS = 9
FAULT = -1
"""Seconds that mean a fault of the disk instead of a kill."""
LATEST_SECONDS = 1.5
OF_THE_CHANGES = 0.9
"""A run that follows a killed one finds some of its files in place and makes fewer changes."""
OLD = "0123456789ab"


@dataclass(frozen=True)
class Undisturbed:
    """A feed, its first release, a home in which it was run over that one, and how often each phase changed a file.

    Disclosure control looks at the release before: what a killed run is compared with follows the same one.
    """

    feed: Path
    first: Path
    home: Path
    changes: dict[str, int]


def start(home: Path, feed: Path, *at: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own."""
    command = [sys.executable, killing.__file__, str(home), str(feed), *at]
    root = str(Path(killing.__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 our own


def completed(home: Path, feed: Path) -> dict[str, Any]:
    """Run to the end and return what it said."""
    done = start(home, feed)
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    base = tmp_path_factory.mktemp("undisturbed")
    simulate_network(base / "feed", patients=PATIENTS, seed=5, contract=CONTRACT, clean=True, sources=1)
    (feed,) = (path for path in (base / "feed").iterdir() if path.is_dir())
    assert completed(base / "first", feed)["released"]
    first = (base / "first" / "current").resolve()
    said = completed(with_release(first, base / "home"), feed)
    assert said["released"], said
    return Undisturbed(feed, first, base / "home", {phase: said[phase] for phase in PHASES})


def with_old_release(undisturbed: Undisturbed, home: Path) -> Path:
    """A home without deliveries whose release in force is called old."""
    return with_release(undisturbed.first, home)


def with_release(release: Path, home: Path) -> Path:
    (home / "releases").mkdir(parents=True)
    shutil.copytree(release, home / "releases" / OLD)
    (home / "current").symlink_to(f"releases/{OLD}")
    return home


def assert_whole(home: Path) -> str:
    """Whoever opens the release in force now finds all of it; return its name."""
    current = (home / "current").resolve(strict=True)
    manifest = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((current / name).read_bytes()).hexdigest() == digest, name
    with duckdb.connect(str(current / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.episode_outcome").fetchall() != [(0,)]
    return current.name


def content(home: Path) -> dict[str, str]:
    """What the home says: the release with its pages and tables, and the rows of the lake.

    Without the evidence pack, whose bytes have tests of their own.
    """
    current = (home / "current").resolve(strict=True)
    files = [*(current / "site").rglob("*"), *(current / "tables").rglob("*")]
    files = [path for path in files if "evidence" not in path.parts]
    rows = (home / "lake").glob("[!.]*/rows/*.parquet")
    named = {path.relative_to(current.parent if current in path.parents else home): path for path in (*files, *rows)}
    return {str(name): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named.items() if path.is_file()}


def kill(home: Path, undisturbed: Undisturbed, phase: str, chance: random.Random) -> None:
    """Kill a run in a phase, and look at what it leaves."""
    number = chance.randint(1, int(undisturbed.changes[phase] * OF_THE_CHANGES))
    seconds = chance.choice([0, round(chance.uniform(0, LATEST_SECONDS), 3)])
    died = start(home, undisturbed.feed, phase, str(number), str(seconds))
    assert died.returncode == -signal.SIGKILL or seconds, (phase, number, seconds, died.stderr[-2000:])
    assert_whole(home)


@pytest.mark.long
def test_the_judge_sees_a_broken_release(undisturbed: Undisturbed, tmp_path: Path) -> None:
    home = with_old_release(undisturbed, tmp_path / "home")
    assert assert_whole(home) == OLD
    (home / "current" / "site" / "index.html").write_text("half", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"index\.html"):
        assert_whole(home)
    (home / "current" / "site" / "index.html").unlink()
    with pytest.raises(FileNotFoundError):
        assert_whole(home)


@pytest.mark.long
def test_kills_one_after_the_other_and_then_the_same_bytes(undisturbed: Undisturbed, tmp_path: Path) -> None:
    home = with_old_release(undisturbed, tmp_path / "home")
    chance = random.Random(SEED)  # noqa: S311 no secret
    kill(home, undisturbed, LOAD, chance)
    kill(home, undisturbed, BUILD, chance)
    assert assert_whole(home) == OLD
    kill(home, undisturbed, PUBLISH, chance)
    completed(home, undisturbed.feed)
    assert content(home) == content(undisturbed.home)
    assert [path.name for path in (home / "lake").iterdir() if path.name.startswith(".")] == []


@pytest.mark.kills
@pytest.mark.parametrize("number", range(KILLS))
def test_a_kill_at_any_moment(undisturbed: Undisturbed, tmp_path: Path, number: int) -> None:
    home = with_old_release(undisturbed, tmp_path / "home")
    kill(home, undisturbed, PHASES[number % len(PHASES)], random.Random(f"{SEED} {number}"))  # noqa: S311 no secret
    completed(home, undisturbed.feed)
    assert content(home) == content(undisturbed.home)
    shutil.rmtree(home)


@pytest.mark.kills
@pytest.mark.parametrize("number", range(FAULTS))
def test_a_fault_of_the_disk_at_any_moment(undisturbed: Undisturbed, tmp_path: Path, number: int) -> None:
    home = with_old_release(undisturbed, tmp_path / "home")
    phase, chance = PHASES[number % len(PHASES)], random.Random(f"{SEED} {number}")  # noqa: S311 no secret
    change = chance.randint(1, int(undisturbed.changes[phase] * OF_THE_CHANGES))
    start(home, undisturbed.feed, phase, str(change), str(FAULT))
    assert_whole(home)
    completed(home, undisturbed.feed)
    assert content(home) == content(undisturbed.home)


def is_done(command: list[str]) -> bool:
    """Whether a command of the system succeeds."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 our own


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[int], None]]]:
    """A file system of a few megabytes, where this user may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", "size=2g", "tmpfs", str(place)]
    if mount is None or umount is None or not is_done([mount, *options]):
        pytest.skip("only root may mount a small file system here")

    def resize(size: int) -> None:
        assert is_done([mount, "-o", f"remount,size={size}", str(place)])

    yield place, resize
    assert is_done([umount, str(place)])


@pytest.mark.kills
@pytest.mark.parametrize("free", [200_000, 3_000_000, 15_000_000, 40_000_000])
def test_a_full_disk(undisturbed: Undisturbed, small_disk: tuple[Path, Callable[[int], None]], free: int) -> None:
    place, resize = small_disk
    home = with_old_release(undisturbed, place / "home")
    used = shutil.disk_usage(place).used
    resize(used + free)
    failed = start(home, undisturbed.feed)
    assert failed.returncode or not json.loads(failed.stdout)["released"]
    assert failed.returncode == 0 or "InputProblem: " in failed.stderr.splitlines()[-1], failed.stderr[-2000:]
    assert assert_whole(home) == OLD
    resize(2 << 30)
    completed(home, undisturbed.feed)
    assert content(home) == content(undisturbed.home)
