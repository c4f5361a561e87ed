"""Frees what a killed run still holds.

The lock of the home is freed by the system. What stays is what Dagster believes (a run that is "started" for good holds
its place in the pool, and the queue behind it) and what was being written: all of it is in folders that nobody reads.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from assets.deliveries.landing import INCOMING, sweep
from assets.publication.retention import sweep_releases
from pipelines.one_writer import only_writer
from pipelines.processes import is_dead, process_of

if TYPE_CHECKING:
    from pathlib import Path

    from dagster import DagsterInstance
    from dagster._core.storage.dagster_run import RunRecord

    from assets.home import Home

LAKE = "lake"
NAMES_ITSELF_WITHIN = timedelta(minutes=3)
"""A run names its process as soon as it has loaded the program, for which Dagster's settings give it as long."""
HALF_WRITTEN = ((LAKE, f"{INCOMING}*"), (LAKE, "*/delivery.json.tmp"), ("releases", ".building"), ("", ".current.new"))


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What was freed: runs that are now said to have failed, and files and folders that were thrown away."""

    runs: tuple[str, ...]
    half_written: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def unlock(home: Home, instance: DagsterInstance) -> Unlocked:
    """Free everything that a killed run left behind in a home.

    Raises:
        InputProblem: BUSY: a run is alive and writing; nothing was touched.

    """
    with only_writer(home, "needlepoint unlock"):
        return Unlocked(free_dead_runs(instance), _sweep(home))


def free_dead_runs(instance: DagsterInstance) -> tuple[str, ...]:
    """Say of every run whose process has ended that it failed, and free its places; return their ids."""
    import dagster as dg  # noqa: PLC0415 one second that --help need not pay

    at_work = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    )
    dead = [record.dagster_run for record in instance.get_run_records(at_work) if _is_dead(record)]
    for run in dead:
        instance.report_run_failed(run, "KILLED: the process of this run has ended without a word. Run it again.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return tuple(sorted(run.run_id for run in dead))


def clear_away(home: Home) -> None:
    """Finish or undo what a process that died was moving about. The caller is the only writer of the home."""
    sweep(home.ledger)
    sweep_releases(home)


def _is_dead(record: RunRecord) -> bool:
    process = process_of(record.dagster_run)
    if process is not None:
        return bool(is_dead(process))
    last = record.update_timestamp.replace(tzinfo=record.update_timestamp.tzinfo or UTC)
    return datetime.now(UTC) - last > NAMES_ITSELF_WITHIN


def _sweep(home: Home) -> tuple[str, ...]:
    found = [path for folder, pattern in HALF_WRITTEN for path in sorted((home.path / folder).glob(pattern))]
    clear_away(home)
    for path in found:
        _remove(path)
    return tuple(path.relative_to(home.path).as_posix() for path in found)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
