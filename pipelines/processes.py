"""Which process executes a Dagster run, and whether it still lives.

Dagster learns of a run's death from the process that started it. After a power cut, or for a run started at the command
line, there is none: the run would stay "started" for good, and the queue behind it. So every run names its process,
and itself with it: a run that the daemon begins again bears the tags of the one that died.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterRun

PROCESS_TAG = "needlepoint/process"
ZOMBIE = "Z"
UNKNOWN = "unknown"
START_TIME_FIELD = 19
"""Field 22 of /proc/PID/stat, counted after the name of the program, which may hold blanks."""


def process_tags(run_id: str) -> dict[str, str]:
    """The tags with which a run says that this process executes it."""
    return {PROCESS_TAG: f"{run_id} {this_process()}"}


def process_of(run: DagsterRun) -> str | None:
    """The process that a run has named; None if it has not yet, whatever tags it was given when it was made."""
    run_id, _, process = run.tags.get(PROCESS_TAG, "").partition(" ")
    return process if run_id == run.run_id else None


def this_process() -> str:
    """Machine, number and start of this process; a number alone may be given to another process later."""
    return f"{socket.gethostname()} {os.getpid()} {_started(os.getpid())}"


def is_dead(process: str) -> bool | None:
    """Whether a process has ended; None if that cannot be known here, because it ran on another machine."""
    host, number, started = process.rsplit(" ", 2)
    if host != socket.gethostname():
        return None
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives and belongs to somebody else
    return _started(int(number)) not in (started, UNKNOWN)


def _started(number: int) -> str:
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except OSError:
        return UNKNOWN  # a system without /proc
    state, *fields = text.rsplit(")", 1)[-1].split()
    return "ended" if state == ZOMBIE else fields[START_TIME_FIELD - 1]
