"""Writes what a run did into the run log, however it ends, and tells those who are to know."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.packages import package_versions
from assets.publication.in_force import held_back
from assets.publication.release import SITE, code_version, current_release
from assets.publication.run_log import RunRecord, RunState, new_run_id, write_record
from assets.quality.results import Status
from dashboards.status import write_status
from pipelines.alerting import send_alerts_quietly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.home import Home
    from pipelines.runner import RunOutcome

NEEDS_ATTENTION = (Status.WARN, Status.FAIL, Status.ERROR)


@contextmanager
def recorded(home: Home, kind: str, outcome: RunOutcome) -> Iterator[None]:
    """Record the run inside; the caller holds the lock of the home and fills ``outcome`` as it goes on."""
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
        write_record(home.path, _with_facts(ended, home, outcome))
        if home.site.exists():
            write_status(home.site, held_back(home))
        send_alerts_quietly(home)


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
    return RunState.HELD if outcome.exit_code else RunState.UNCHANGED


def _warnings(home: Home) -> int:
    """Checks of the release in force that warned, or failed without blocking."""
    manifest = home.current / "manifest.json"
    if not manifest.exists():
        return 0
    checks = json.loads(manifest.read_text(encoding="utf-8"))["checks"]
    return sum(checks.get(status.value, 0) for status in NEEDS_ATTENTION)
