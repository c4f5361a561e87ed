"""Runs the jobs in this process: what the command line does, and nothing else."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assets.audit.ledger import append
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import SETTLED, left_deliveries
from assets.failures import is_disk_full, may_pass
from assets.publication.release import OVERTAKEN, current_release, is_overtaken, kept_from_building, next_release
from assets.quality.hold import to_judge_again
from pipelines.one_writer import only_writer
from pipelines.processes import PROCESS_TAG, this_process
from pipelines.recording import recorded
from pipelines.retry import Kept, land_again, retries
from pipelines.unlock import clear_away, free_dead_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dagster import AssetCheckEvaluation, DagsterInstance

    from assets.deliveries.profile import Profile
    from assets.home import Home

DAGSTER_SETTINGS = Path(__file__).parent / "deploy" / "dagster.yaml"
BUILDS_AT_MOST = 3
DISK_REMEDY = (
    "See that the disk has room and is sound, then run the same command again; the release in force is as it was"
)
KEEPS = "The reading before it stays in force; correct the profile"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(slots=True)
class RunOutcome:
    """What a call to ``run`` did. ``release`` is the release in force afterwards.

    ``held`` are sentences about deliveries that a blocking check keeps out of the release, ``held_by`` what keeps the
    release itself back, ``held_checks`` the checks among that, ``not_landed`` what could not become a delivery,
    ``failed`` what went wrong for no reason in the data. None of them delays another delivery. ``is_broken``: a step
    of the release failed, not a check. ``steps`` are the seconds that each step took, all deliveries together.
    """

    known: list[Delivery] = field(default_factory=list)
    read: list[Delivery] = field(default_factory=list)
    released: bool = False
    release: str | None = None
    held: list[str] = field(default_factory=list)
    held_by: list[str] = field(default_factory=list)
    held_checks: list[str] = field(default_factory=list)
    not_landed: list[InputProblem] = field(default_factory=list)
    failed: list[InputProblem] = field(default_factory=list)
    is_broken: bool = False
    steps: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 done, 1 a delivery or the release is held back, 2 nothing of the input could be used."""
        if self.held or self.held_by or self.failed:
            return 1
        refused = [delivery.state is State.REJECTED for delivery in (*self.read, *self.known)]
        refused += [True for _ in self.not_landed]
        return 2 if refused and all(refused) else 0


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
    outcome.held = [f"{one.label}: {one.problem}" for one in deliveries if one.state is State.HELD]
    usable = any(delivery.state is State.ACCEPTED for delivery in deliveries)
    is_due = usable and next_release(home) != current_release(home)
    problem = kept_from_building(home) if is_due else None
    if problem is not None:
        outcome.held_by = [str(problem)]
    elif is_due:
        say("Building the release: models, statistics, pages")
        _build(home, instance, outcome, say)
    outcome.release = current_release(home)
    if outcome.held_checks:
        append(home.path, "held", {"checks": outcome.held_checks, "release": outcome.release})


def _build(home: Home, instance: DagsterInstance, outcome: RunOutcome, say: Callable[[str], None]) -> None:
    """Build and switch in a release; begin again where a decision was made meanwhile."""
    for _ in range(BUILDS_AT_MOST):
        outcome.is_broken = False
        outcome.held_checks, faults = _execute("release", home, instance, None, outcome)
        if not (faults and is_overtaken(home)):
            outcome.held_by = [f"Held by {name}" for name in (*outcome.held_checks, *faults)]
            outcome.released = not (outcome.held_by or outcome.is_broken)
            return
        say("Something was decided while the release was built; building it again")
    outcome.failed.append(InputProblem("OVERTAKEN", "release", *OVERTAKEN))


def _ingest(home: Home, instance: DagsterInstance, delivery: Delivery, outcome: RunOutcome) -> None:
    instance.add_dynamic_partitions("deliveries", [delivery.delivery_id])
    _execute("ingest", home, instance, delivery.delivery_id, outcome)
    settled = home.ledger.find(delivery.delivery_id)
    if settled and settled.state in SETTLED:
        outcome.read.append(settled)
        return
    outcome.failed.append(
        InputProblem(
            "FAILED",
            delivery.label,
            "reading this delivery failed for a reason that is not in the data",
            "Open the failed run in Dagster, then run the same command again",
        )
    )


def _execute(
    job: str, home: Home, instance: DagsterInstance, partition: str | None, outcome: RunOutcome
) -> tuple[list[str], list[str]]:
    """Run a job, note how long its steps took; return the blocking checks that failed, and if none did, the faults."""
    from dagster import AssetCheckSeverity  # noqa: PLC0415 importing Dagster and its definitions costs a second

    from pipelines.definitions import defs  # noqa: PLC0415

    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition,
        resources={"home": home},
        tags={PROCESS_TAG: this_process()},
        raise_on_error=False,
        run_config=QUIET,
    )
    for event in result.all_events:
        if event.is_step_success and event.step_key:
            seconds = event.step_success_data.duration_ms / 1000
            outcome.steps[event.step_key] = outcome.steps.get(event.step_key, 0.0) + seconds
    if result.success:
        return [], []
    checks = [
        name
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.blocking and evaluation.severity is AssetCheckSeverity.ERROR
        for name in _names(evaluation)
    ]
    steps = [event.step_key or "" for event in result.all_events if event.is_step_failure]
    outcome.is_broken = outcome.is_broken or not checks
    faults = [f"a failure in step {step} (see Dagster run {result.run_id})" for step in steps]
    return checks, [] if checks else faults


def _names(evaluation: AssetCheckEvaluation) -> list[str]:
    """The checks that an evaluation speaks of: itself, or those that it found to hold."""
    said = evaluation.metadata.get("held_by")
    named = [str(name) for name in said.value] if said and isinstance(said.value, list) else []
    return named or [evaluation.check_name.replace("__", ".")]


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
    """Dagster's storage of a home, with the settings of one machine if it has none."""
    import dagster as dg  # noqa: PLC0415 one second that --help need not pay

    settings = home.dagster / "dagster.yaml"
    if not settings.exists():
        shutil.copyfile(DAGSTER_SETTINGS, settings)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        yield instance
