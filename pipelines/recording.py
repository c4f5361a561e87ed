"""Writes what a run did into the run log, however it ends, and tells those who are to know.

A call of the command line is one run of this log, whatever it executes; of the daemon, every run of Dagster is one.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assets.audit.ledger import append
from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import SETTLED
from assets.packages import package_versions
from assets.publication.in_force import held_back
from assets.publication.release import OVERTAKEN, SITE, code_version, current_release, is_overtaken
from assets.publication.run_log import RunRecord, RunState, new_run_id, write_record
from assets.quality.results import Status
from dashboards.status import write_status
from pipelines.alerting import send_alerts_quietly
from pipelines.outcome import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dagster import AssetCheckEvaluation, DagsterEvent, DagsterRun

    from assets.deliveries.ledger import Delivery
    from assets.home import Home

NEEDS_ATTENTION = (Status.WARN, Status.FAIL, Status.ERROR)
PARTITION_TAG = "dagster/partition"


@contextmanager
def recorded(home: Home, kind: str, outcome: RunOutcome, dagster_run: str | None = None) -> Iterator[None]:
    """Record the run inside; the caller holds the lock of the home and fills ``outcome`` as it goes on.

    ``kind`` is what somebody called, or the job of ``dagster_run``, a run of the daemon.
    """
    now = datetime.now(UTC)
    clock = time.perf_counter()
    begun = RunRecord(
        run_id=new_run_id(now),
        kind=kind,
        started=now.isoformat(timespec="seconds"),
        code_version=code_version(),
        contract_version=CONTRACT.version,
        packages=package_versions(),
        release_before=current_release(home),
        dagster_run=dagster_run,
    )
    write_record(home.path, begun)
    problem = None
    try:
        yield
    except BaseException as error:
        problem = error.code if isinstance(error, InputProblem) else type(error).__name__
        raise
    finally:
        ended = replace(
            begun,
            state=RunState.FAILED if problem else _state(home, outcome),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            release=current_release(home),
            problems=tuple(filter(None, (*(item.code for item in (*outcome.not_landed, *outcome.failed)), problem))),
        )
        if outcome.held_checks:
            append(home.path, "held", {"checks": outcome.held_checks, "release": ended.release})
        write_record(home.path, _with_facts(ended, home, outcome))
        if home.site.exists():
            write_status(home.site, held_back(home))
        send_alerts_quietly(home)


def recorded_run(home: Home, run: DagsterRun, events: Iterable[DagsterEvent]) -> Iterator[DagsterEvent]:
    """Pass on the events of a run of the daemon, and record what it did. The caller holds the lock of the home."""
    from pipelines.jobs import RELEASE_JOB  # noqa: PLC0415 Dagster comes with it

    outcome = RunOutcome()
    seen: list[DagsterEvent] = []
    with recorded(home, run.job_name, outcome, run.run_id):
        for event in events:
            seen.append(event)
            yield event
        checks, faults = note_events(seen, run.run_id, outcome)
        delivery = home.ledger.find(run.tags[PARTITION_TAG]) if PARTITION_TAG in run.tags else None
        if delivery is not None:
            note_delivery(home, delivery, outcome)
        elif run.job_name == RELEASE_JOB:
            note_release(outcome, checks, faults)
            if faults and is_overtaken(home):
                outcome.failed.append(InputProblem("OVERTAKEN", RELEASE_JOB, *OVERTAKEN))


def note_events(events: Iterable[DagsterEvent], run_id: str, outcome: RunOutcome) -> tuple[list[str], list[str]]:
    """Note how long the steps of a run took; return the blocking checks that failed, and if none did, the faults."""
    from dagster import AssetCheckSeverity, DagsterEventType  # noqa: PLC0415 one second that --help need not pay

    checks, failed = [], []
    for event in events:
        step = event.step_key or ""
        if event.is_step_success:
            seconds = event.step_success_data.duration_ms / 1000
            outcome.steps[step] = outcome.steps.get(step, 0.0) + seconds
        elif event.is_step_failure:
            failed.append(step)
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            found = event.asset_check_evaluation_data
            if not found.passed and found.blocking and found.severity is AssetCheckSeverity.ERROR:
                checks += _names(found)
    if not failed:
        return [], []
    outcome.is_broken = outcome.is_broken or not checks
    return checks, [] if checks else [f"a failure in step {step} (see Dagster run {run_id})" for step in failed]


def _names(evaluation: AssetCheckEvaluation) -> list[str]:
    """The checks that an evaluation speaks of: itself, or those that it found to hold."""
    said = evaluation.metadata.get("held_by")
    named = [str(name) for name in said.value] if said and isinstance(said.value, list) else []
    return named or [evaluation.check_name.replace("__", ".")]


def note_delivery(home: Home, delivery: Delivery, outcome: RunOutcome) -> None:
    """Note what became of a delivery."""
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


def note_release(outcome: RunOutcome, checks: list[str], faults: list[str]) -> None:
    """Note how building a release ended: held by checks, broken by faults, or released."""
    outcome.held_checks = checks
    outcome.held_by = [f"Held by {name}" for name in (*checks, *faults)]
    outcome.released = not (outcome.held_by or outcome.is_broken)


def _with_facts(record: RunRecord, home: Home, outcome: RunOutcome) -> RunRecord:
    ingested = sum(one.ingested for one in outcome.read)
    rejected = sum(one.rejected for one in outcome.read)
    aside = sum(one.set_aside for one in outcome.read if not one.rejected)
    return replace(
        record,
        deliveries={one.delivery_id: one.state.value for one in outcome.read},
        known=len(outcome.known),
        rows_in=ingested,
        rows_used=ingested - aside - rejected,
        rows_set_aside=aside,
        rows_rejected=rejected,
        held_by=(*(name.removeprefix("Held by ") for name in outcome.held_by), *outcome.held),
        held_checks=tuple(outcome.held_checks),
        warnings=_warnings(home),
        site_bytes=sum(path.stat().st_size for path in (home.current / SITE).rglob("*") if path.is_file()),
        steps={name: round(seconds, 3) for name, seconds in sorted(outcome.steps.items())},
    )


def _state(home: Home, outcome: RunOutcome) -> RunState:
    if outcome.failed or outcome.is_broken:
        return RunState.FAILED
    refused = any(one.state is not State.ACCEPTED for one in outcome.read) or outcome.not_landed
    if outcome.released:
        return RunState.WARNED if refused or _warnings(home) else RunState.RELEASED
    if outcome.exit_code:
        return RunState.HELD
    return RunState.READ if outcome.read else RunState.UNCHANGED


def _warnings(home: Home) -> int:
    """Checks of the release in force that warned, or failed without blocking."""
    manifest = home.current / "manifest.json"
    if not manifest.exists():
        return 0
    checks = json.loads(manifest.read_text(encoding="utf-8"))["checks"]
    return sum(checks.get(status.value, 0) for status in NEEDS_ATTENTION)
