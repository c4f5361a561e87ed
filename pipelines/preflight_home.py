"""A home that is thrown away: what the pre-flight works in, so that nothing of it stays."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem
from assets.quality import waivers

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
    _sweep(home)
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home.path))
    except OSError:
        raise InputProblem(
            "HOME", str(home.path), "this folder cannot be written", "Check its permissions or leave --home out"
        ) from None
    try:
        with _no_run(home):
            shutil.copytree(
                home.lake, folder / "lake", copy_function=share, ignore=shutil.ignore_patterns(".incoming*")
            )
            if (home.path / waivers.FILE).exists():
                shutil.copyfile(home.path / waivers.FILE, folder / waivers.FILE)
        yield _made(replace(home, path=folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(home: Home) -> Home:
    home.lake.mkdir(exist_ok=True, mode=0o700)
    return home


def share(source: str, target: str) -> str:
    """Copy a file by a hard link where that is possible; for ``shutil.copytree``."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
    return target


def _sweep(home: Home) -> None:
    """Remove what a pre-flight that was killed left behind."""
    for left in home.path.glob(f"{PREFIX}*"):
        if left.stat().st_mtime < time.time() - STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _no_run(home: Home) -> Iterator[None]:
    with (home.path / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputProblem(
                "BUSY", str(home.path), "a run is writing to this home", "Wait until it has finished"
            ) from None
        yield
