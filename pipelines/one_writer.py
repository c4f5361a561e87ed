"""One writer per home, whoever it is: a person at the command line, a schedule, or the run of a sensor.

The kernel frees the lock when its holder ends, however it ends, so that nobody ever has to remove it. What it says
about its holder is for people; only the lock itself counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assets.home import Home

LOCK = ".lock"
PRIVATE_FILE = 0o600
LOOK_AGAIN_SECONDS = 2.0
HOLDER_BYTES = 4096


@contextmanager
def only_writer(
    home: Home, what: str, wait_seconds: float = 0, say: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """While this is open nobody else writes to the home. ``say`` hears once that somebody else is waited for.

    Raises:
        InputProblem: BUSY: somebody else is still writing after ``wait_seconds``.

    """
    until = time.monotonic() + wait_seconds
    descriptor = os.open(home.path / LOCK, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        is_said = False
        while not _taken(descriptor):
            busy = _busy(home, descriptor)
            if time.monotonic() >= until:
                raise busy
            if not is_said:
                say(f"BUSY {busy}")
                is_said = True
            time.sleep(LOOK_AGAIN_SECONDS)
        _write_holder(descriptor, what)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(home: Home) -> str | None:
    """Who writes to the home now, in words; None if nobody does."""
    try:
        descriptor = os.open(home.path / LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said(descriptor)
    finally:
        os.close(descriptor)
    return None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_holder(descriptor: int, what: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = json.dumps({"what": what, "process": os.getpid(), "since": now})
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
    except OSError:
        return  # a full disk: the lock holds without words, and the run itself says what is wrong


def _said(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, HOLDER_BYTES, 0))
        return f"{found['what']}, process {found['process']}, since {found['since']}"
    except (ValueError, KeyError, TypeError):  # being written this moment, or a reader of a pre-flight
        return "another run"


def _busy(home: Home, descriptor: int) -> InputProblem:
    return InputProblem(
        "BUSY",
        str(home.path),
        f"another run is writing to this home ({_said(descriptor)})",
        "Wait until it has finished",
    )
