"""Runs the jobs in this process: what the command line does, and nothing else."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import left_deliveries
from assets.failures import is_disk_full, may_pass
from assets.publication.release import OVERTAKEN, current_release, is_overtaken, kept_from_building, next_release
from assets.quality.hold import to_judge_again
from pipelines.dagster_settings import put_settings
from pipelines.one_writer import only_writer
from pipelines.outcome import RunOutcome
from pipelines.processes import process_tags
from pipelines.recording import note_delivery, note_events, note_release, recorded
from pipelines.retry import Kept, land_again, retries
from pipelines.unlock import clear_away, free_dead_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dagster import DagsterInstance

    from assets.deliveries.profile import Profile
    from assets.home import Home

BUILDS_AT_MOST = 3
DISK_REMEDY = (
    "See that the disk has room and is sound, then run the same command again; the release in force is as it was"
)
STORAGE_TO_DO = "Call `needlepoint doctor`: it looks at Dagster's settings and its database"
KEEPS = "The reading before it stays in force; correct the profile"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run(home: Home, feeds: Sequence[Path], profile: Profile, say: Callable[[str], None]) -> RunOutcome:
    """Read what is new in the feeds and build a release from it.

    Raises:
        InputProblem: the call cannot be carried out; nothing was changed.

    """
    with _begun(home, "run") as (instance, outcome):
        for held, _ in to_judge_again(home):
            say(f"Checking {held.label} again, for something was decided about what holds it")
            _ingest(home, instance, held, outcome)
        tried: set[str] = set()
        found = find_deliveries(feeds, profile)
        outcome.not_landed.extend(found.problems)
        for sent in found.sent:
            say(f"Copying {sent.label}")
            try:
                delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
            except InputProblem as problem:
                outcome.not_landed.append(problem)
                continue
            if not is_new:
                outcome.known += [] if delivery in outcome.read else [delivery]
                continue
            say(f"Reading and checking {sent.label}")
            tried.add(delivery.delivery_id)
            _ingest(home, instance, delivery, outcome)
        for left in left_deliveries(home.ledger):
            if left.delivery_id not in tried:
                say(f"Reading and checking {left.label} again, for an earlier run did not come to its end")
                _ingest(home, instance, left, outcome)
        _release(home, instance, outcome, say)
    return outcome


def retry(
    home: Home, delivery_ids: Sequence[str], say: Callable[[str], None], *, keeps_refused: bool = True
) -> RunOutcome:
    """Read deliveries again under their profiles as they are now, and build a release from it.

    Without ids, all deliveries with rows in quarantine that wait. One whose profile has not changed is left alone.
    Where the new reading is refused the one before stays in force, unless ``keeps_refused`` is false.

    Raises:
        InputProblem: the call cannot be carried out; nothing was changed.

    """
    with _begun(home, "retry") as (instance, outcome):
        for one in retries(home, delivery_ids):
            if not one.is_changed:
                outcome.known.append(one.delivery)
                continue
            say(f"Reading and checking {one.delivery.label} again")
            kept = Kept(home, one.delivery)
            try:
                delivery, _ = land_again(home, one)
                _ingest(home, instance, delivery, outcome)
                if keeps_refused:
                    _keep_unless_read(kept, one.delivery, outcome)
            finally:
                kept.drop()
        _release(home, instance, outcome, say)
    return outcome


def _keep_unless_read(kept: Kept, before: Delivery, outcome: RunOutcome) -> None:
    """Where the new reading was refused, the one before stays in force."""
    if outcome.read and outcome.read[-1].delivery_id == before.delivery_id:
        refused = outcome.read[-1]
        if refused.state is not State.REJECTED:
            return
        outcome.read.pop()
        outcome.failed.append(
            InputProblem(
                "PROFILE", before.label, f"under the profile as it is now it is refused ({refused.problem})", KEEPS
            )
        )
    outcome.known.append(before)
    kept.restore()


def _release(home: Home, instance: DagsterInstance, outcome: RunOutcome, say: Callable[[str], None]) -> None:
    """Build and switch in the next release, unless nothing has changed; a held delivery is left out of it."""
    deliveries = (*outcome.read, *outcome.known)
    usable = any(delivery.state is State.ACCEPTED for delivery in deliveries)
    is_due = usable and next_release(home) != current_release(home)
    problem = kept_from_building(home) if is_due else None
    if problem is not None:
        outcome.held_by = [problem.with_code]
    elif is_due:
        say("Building the release: models, statistics, pages")
        _build(home, instance, outcome, say)
    outcome.release = current_release(home)


def _build(home: Home, instance: DagsterInstance, outcome: RunOutcome, say: Callable[[str], None]) -> None:
    """Build and switch in a release; begin again where a decision was made meanwhile."""
    for _ in range(BUILDS_AT_MOST):
        outcome.is_broken = False
        checks, faults = _execute("release", home, instance, None, outcome)
        if not (faults and is_overtaken(home)):
            note_release(outcome, checks, faults)
            return
        say("Something was decided while the release was built; building it again")
    outcome.failed.append(InputProblem("OVERTAKEN", "release", *OVERTAKEN))


def _ingest(home: Home, instance: DagsterInstance, delivery: Delivery, outcome: RunOutcome) -> None:
    instance.add_dynamic_partitions("deliveries", [delivery.delivery_id])
    _execute("ingest", home, instance, delivery.delivery_id, outcome)
    note_delivery(home, delivery, outcome)


def _execute(
    job: str, home: Home, instance: DagsterInstance, partition: str | None, outcome: RunOutcome
) -> tuple[list[str], list[str]]:
    """Run a job, note how long its steps took; return the blocking checks that failed, and if none did, the faults."""
    from pipelines.definitions import defs  # noqa: PLC0415 importing Dagster and its definitions costs a second

    run_id = str(uuid.uuid4())
    result = defs.resolve_job_def(job).execute_in_process(
        run_id=run_id,
        instance=instance,
        partition_key=partition,
        resources={"home": home},
        tags=process_tags(run_id),
        raise_on_error=False,
        run_config=QUIET,
    )
    return note_events(result.all_events, result.run_id, outcome)


@contextmanager
def _begun(home: Home, kind: str) -> Iterator[tuple[DagsterInstance, RunOutcome]]:
    """A run as the only writer of the home, written down however it ends; what died before it is cleared away first.

    Raises:
        InputProblem: BUSY: somebody else is writing. DISK: no space is left.

    """
    home.create()
    outcome = RunOutcome()
    with (
        only_writer(home, f"needlepoint {kind}"),
        _disk_said(home),
        recorded(home, kind, outcome),
        dagster_instance(home) as instance,
    ):
        free_dead_runs(instance)
        clear_away(home)
        yield instance, outcome


@contextmanager
def _disk_said(home: Home) -> Iterator[None]:
    try:
        yield
    except InputProblem:
        raise  # it says in words of its own what could not be written or read
    except Exception as error:
        if is_disk_full(error):
            raise InputProblem("DISK", str(home.path), "no space is left on the disk", DISK_REMEDY) from None
        if may_pass(error):  # SQLite says no more than this when the disk is full
            raise InputProblem("DISK", str(home.path), "a file could not be written or read", DISK_REMEDY) from None
        raise


@contextmanager
def dagster_instance(home: Home) -> Iterator[DagsterInstance]:
    """Dagster's storage of a home, with the settings of one machine if it has none.

    Raises:
        InputProblem: STORAGE: it cannot be opened. What Dagster or a database said of it may hold an account.

    """
    import dagster as dg  # noqa: PLC0415 one second that --help need not pay

    put_settings(home)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    try:
        opened = dg.DagsterInstance.from_config(str(home.dagster))
    except Exception as error:
        if may_pass(error) or is_disk_full(error):
            raise  # it is of the disk, and the same in whatever writes next
        raise InputProblem("STORAGE", "Dagster's records", "they cannot be opened", STORAGE_TO_DO) from None
    with opened as instance:
        yield instance
