"""One process, measured: CPU seconds and peak memory of it and of every process it waits for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
KIB = 1024
WATCH_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system), wall seconds, peak resident bytes, spilled bytes and output of a process."""

    cpu: float
    wall: float
    peak: int
    spilled: int
    output: str


class ProcessError(RuntimeError):
    """A measured process failed; the message ends with the last lines it wrote."""


def measure(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, spill: Path | None = None
) -> Cost:
    """Run a Python script or module of this project from the root and measure it.

    The caller must stay small: a new process starts with the peak memory of the one it was made from.

    Args:
        arguments: what follows ``python``.
        log: where standard output and error go (``.out`` and ``.err`` are added).
        environment: variables added to those of this process.
        spill: a folder whose largest size, looked at five times a second, is reported.

    Raises:
        ProcessError: an exit code other than 0.

    """
    out, err = log.with_suffix(".out"), log.with_suffix(".err")
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own scripts, named in this folder
            [sys.executable, *arguments], cwd=ROOT, env=variables, stdout=stdout, stderr=stderr
        )
        ended, spilled = threading.Event(), [0]
        watcher = threading.Thread(target=_watch, args=(spill, ended, spilled))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        ended.set()
        watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = (*out.read_text(errors="replace").splitlines()[-3:], *err.read_text(errors="replace").splitlines()[-12:])
        last = "\n".join(said)
        message = f"{Path(arguments[0]).name} ended with exit code {process.returncode}\n{last}"
        raise ProcessError(message)
    text = out.read_text(errors="replace")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * KIB, spilled[0], text)


def _watch(folder: Path | None, ended: threading.Event, largest: list[int]) -> None:
    while folder is not None and not ended.wait(WATCH_SECONDS):
        sizes = (_size(path) for path in (folder.iterdir() if folder.exists() else ()))
        largest[0] = max(largest[0], sum(sizes))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # deleted since it was listed
        return 0
