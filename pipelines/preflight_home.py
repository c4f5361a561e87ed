"""Homes and folders that are thrown away: what is only tried leaves nothing behind."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assets.audit.ledger import ledger_file
from assets.deliveries.landing import share
from assets.deliveries.problems import InputProblem
from assets.quality.waivers import EARLIER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.home import Home

PREFIX = ".check-"
STALE_SECONDS = 24 * 3600


@contextmanager
def empty_home(settings: Home) -> Iterator[Home]:
    """A home in which nothing was ever delivered. ``settings`` gives memory and threads."""
    with tempfile.TemporaryDirectory(prefix="needlepoint-check-") as folder:
        yield _made(replace(settings, path=Path(folder).resolve()))


@contextmanager
def shared_home(home: Home) -> Iterator[Home]:
    """A home that holds what ``home`` holds. Files are shared by hard links and never written to.

    It lies inside ``home``: there the links are possible, and what is read again stays where it may be.

    Raises:
        InputProblem: HOME: there is no lake, or the folder cannot be written. BUSY: a run is writing.

    """
    if not home.lake.is_dir():
        raise InputProblem(
            "HOME", str(home.path), "nothing was delivered here yet", "Leave --home out, or name the home of your runs"
        )
    with scratch_folder(home) as folder:
        with no_run(home):
            shutil.copytree(
                home.lake, folder / "lake", copy_function=share, ignore=shutil.ignore_patterns(".incoming*")
            )
            _copy_decisions(home.path, folder)
        yield _made(replace(home, path=folder))


@contextmanager
def scratch_folder(home: Home) -> Iterator[Path]:
    """A folder inside a home, where links to its files are possible; it is thrown away.

    Raises:
        InputProblem: HOME: the home cannot be written.

    """
    _sweep(home)
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home.path))
    except OSError:
        raise InputProblem(
            "HOME", str(home.path), "this folder cannot be written", "Check its permissions or leave --home out"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_decisions(home: Path, folder: Path) -> None:
    """Copy what was decided, for it is judged with; a link would let the other home grow with this one."""
    ledger_file(folder).parent.mkdir(mode=0o700)
    for path in (ledger_file(home), home / EARLIER):
        if path.exists():
            shutil.copyfile(path, folder / path.relative_to(home))


def _made(home: Home) -> Home:
    home.lake.mkdir(exist_ok=True, mode=0o700)
    return home


def _sweep(home: Home) -> None:
    """Remove what somebody who was killed left behind."""
    for left in home.path.glob(f"{PREFIX}*"):
        if left.stat().st_mtime < time.time() - STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def no_run(home: Home) -> Iterator[None]:
    """While this is open no run begins to write.

    Raises:
        InputProblem: BUSY: a run is writing.

    """
    with (home.path / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputProblem(
                "BUSY", str(home.path), "a run is writing to this home", "Wait until it has finished"
            ) from None
        yield
