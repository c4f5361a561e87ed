"""The run log ``HOME/runs/runs.jsonl``: what each run read, what became of it, and when.

The pages of a release depend on inputs and code alone, so nothing of this enters them; the bundle for engineers shows
it. The file only ever grows. A run writes one line when it starts and one when it ends: of a run that was killed the
second is missing or cut short, and the reader says so. No line names a row or a value.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assets.home import PRIVATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER, FILE = "runs", "runs.jsonl"
PRIVATE_FILE = 0o600
NEWLINE = b"\n"


class RunState(StrEnum):
    """How a run ended."""

    RELEASED = "released"
    WARNED = "warned"
    """Released, but a check warned or a delivery was refused or held."""
    READ = "read"
    """Deliveries were read and accepted; a later run builds the release of them."""
    UNCHANGED = "unchanged"
    """Nothing new: the release in force is what these inputs lead to."""
    HELD = "held"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    """Killed, or still running."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. Times are UTC in ISO 8601.

    ``kind`` is the verb that somebody called, or the job of ``dagster_run``, a run of Dagster's daemon.

    ``deliveries`` gives the state of each delivery that was read; of their source rows ``rows_in`` = ``rows_used`` +
    ``rows_set_aside`` + ``rows_rejected``, as they were on reading. ``held_by`` names the blocking checks, or the step
    that failed, and says which deliveries are held and why; ``held_checks`` are the blocking checks that hold the
    release. ``problems`` are codes. ``warnings`` are checks of the release that warned or failed without blocking.
    """

    run_id: str
    kind: str
    started: str
    code_version: str
    contract_version: str
    packages: Mapping[str, str]
    release_before: str | None
    state: RunState = RunState.UNFINISHED
    finished: str | None = None
    seconds: float | None = None
    release: str | None = None
    deliveries: Mapping[str, str] = field(default_factory=dict)
    known: int = 0
    rows_in: int = 0
    rows_used: int = 0
    rows_set_aside: int = 0
    rows_rejected: int = 0
    held_by: tuple[str, ...] = ()
    held_checks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: int = 0
    site_bytes: int = 0
    steps: Mapping[str, float] = field(default_factory=dict)
    dagster_run: str | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """The records in the order in which the runs started, and how many lines could not be read."""

    records: tuple[RunRecord, ...]
    unreadable: int


def new_run_id(now: datetime) -> str:
    """Return an id that sorts by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def write_record(home: Path, record: RunRecord) -> None:
    """Add a line; the last one of a run is what counts. The caller is the only writer of the home.

    Raises:
        OSError: the file cannot be written.

    """
    folder = home / FOLDER
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    line = json.dumps(asdict(record), sort_keys=True, separators=(",", ":")).encode() + NEWLINE
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
    try:
        size = os.fstat(descriptor).st_size
        # a line that a dead run cut short must not swallow this one
        is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != NEWLINE
        os.write(descriptor, (NEWLINE if is_cut else b"") + line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_runs(home: Path) -> Runs:
    """Return every run of a home; none if it has not run yet.

    Their order is that of the log, for one run at a time writes to a home. Times do not tell it: two runs may start
    within one second, and a clock may be set back.
    """
    path = home / FOLDER / FILE
    records: dict[str, RunRecord] = {}
    unreadable = 0
    for line in path.read_bytes().split(NEWLINE) if path.exists() else ():
        if not line:
            continue
        record = _record(line)
        if record is None:
            unreadable += 1
        else:
            records[record.run_id] = record
    return Runs(tuple(records.values()), unreadable)


def _record(line: bytes) -> RunRecord | None:
    """Return the record of a line; fields that a later version added are left out."""
    known = {item.name for item in fields(RunRecord)}
    try:
        content: dict[str, Any] = {name: value for name, value in json.loads(line).items() if name in known}
        content["state"] = RunState(content["state"])
        content |= {name: tuple(content.get(name, ())) for name in ("held_by", "held_checks", "problems")}
        datetime.fromisoformat(content["started"])
        return RunRecord(**content)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
