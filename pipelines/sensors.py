"""What starts runs without being asked for.

The landing folder is watched: HOME/landing/<profile>/ holds files or folders to be read with that profile. What was
decided about is judged again, what a failed run left is tried once a day, and what a killed run holds is freed.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from assets.contract import CONTRACT
from assets.deliveries.assets import DELIVERIES
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import find_profile
from assets.deliveries.state import left_deliveries
from assets.home import Home
from assets.quality.hold import to_judge_again
from pipelines.jobs import INGEST
from pipelines.one_writer import only_writer
from pipelines.unlock import free_dead_runs

QUIET_SECONDS = 30
"""A file that changed more recently may still be being copied."""
POLL_SECONDS = 60
WAIT_SECONDS = 20
"""How long a look waits for the run that is writing; Dagster gives it a minute in all."""
UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
LEFT_AFTER = timedelta(hours=1)
"""A delivery that was landed so long ago and is read by no run was left behind."""


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run for every delivery that has arrived whole and was not read before.",
)
def new_deliveries(
    context: dg.SensorEvaluationContext, home: dg.ResourceParam[Home]
) -> dg.SensorResult | dg.SkipReason:
    """Land what lies ready and request one run per new delivery.

    The cursor remembers what was landed, by name, size and time of change, so that nothing is copied twice.
    """
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    ready = [found for found in _ready(home.landing) if seen.get(_name(found)) != found[-1]]
    if not ready:
        return dg.SkipReason("No new delivery has arrived whole")
    try:
        # a delivery that is read again is moved: not while a run reads it
        with only_writer(home, "landing", WAIT_SECONDS):
            requests, problems = _land(context, home, ready, seen)
    except InputProblem as busy:
        return dg.SkipReason(f"{busy.code}: {busy} What has arrived is landed at the next look")
    context.update_cursor(json.dumps(seen, sort_keys=True))
    if not requests:
        return dg.SkipReason("; ".join(problems) or "What has arrived was read before")
    known = [str(request.partition_key) for request in requests]
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[DELIVERIES.build_add_request(known)])


def _land(
    context: dg.SensorEvaluationContext, home: Home, ready: list[tuple[Path, Path, str]], seen: dict[str, str]
) -> tuple[list[dg.RunRequest], list[str]]:
    requests: list[dg.RunRequest] = []
    problems: list[str] = []
    for found_feed in ready:
        folder, feed, signature = found_feed
        try:
            profile = find_profile(folder.name, home.profiles, CONTRACT)
            found = find_deliveries([feed], profile)
            problems.extend(str(problem) for problem in found.problems)
            for sent in found.sent:
                delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
                if is_new:
                    requests.append(dg.RunRequest(run_key=delivery.run_key, partition_key=delivery.delivery_id))
            seen[_name(found_feed)] = signature
        except InputProblem as problem:
            problems.append(str(problem))
            context.log.warning("Not landed: %s", problem)
    return requests, problems


def _name(found: tuple[Path, Path, str]) -> str:
    folder, feed, _ = found
    return f"{folder.name}/{feed.name}"


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run for every held delivery about which a waiver or a threshold was decided since.",
)
def decided_deliveries(home: dg.ResourceParam[Home]) -> dg.SensorResult | dg.SkipReason:
    """Request one run per decision and delivery, to judge it again."""
    requests = [
        dg.RunRequest(run_key=f"{delivery.run_key}-{number}", partition_key=delivery.delivery_id)
        for delivery, number in to_judge_again(home)
    ]
    return (
        dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("Nothing was decided about what is held")
    )


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run, once a day, for every delivery that was landed and whose reading did not end.",
)
def left_behind(context: dg.SensorEvaluationContext, home: dg.ResourceParam[Home]) -> dg.SensorResult | dg.SkipReason:
    """Request one run per day and delivery that no run is reading or will read."""
    now = datetime.now(UTC)
    left = [
        one
        for one in left_deliveries(home.ledger)
        if one.landed_at < f"{now - LEFT_AFTER:%Y-%m-%dT%H:%M:%SZ}" and not _is_awaited(context, one.delivery_id)
    ]
    if not left:
        return dg.SkipReason("No delivery was left behind")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"{one.run_key}-left-{now:%Y-%m-%d}", partition_key=one.delivery_id) for one in left
        ],
        dynamic_partitions_requests=[DELIVERIES.build_add_request([one.delivery_id for one in left])],
    )


def _is_awaited(context: dg.SensorEvaluationContext, delivery_id: str) -> bool:
    """Whether a run of this delivery is queued or at work."""
    unfinished = dg.RunsFilter(tags={"dagster/partition": delivery_id}, statuses=list(UNFINISHED))
    return context.instance.get_runs_count(unfinished) > 0


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Says of runs whose process has ended that they failed, so that the queue behind them goes on.",
)
def killed_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Free what killed runs hold; requests nothing."""
    freed = free_dead_runs(context.instance)
    for run in freed:
        context.log.warning("KILLED: run %s had ended without a word; what it held is free", run)
    return dg.SkipReason(f"{len(freed)} killed runs freed" if freed else "No run was killed")


def _ready(landing: Path) -> Iterator[tuple[Path, Path, str]]:
    """Profile folder, feed and its signature, for everything in which nothing has changed for a while."""
    latest = time.time() - QUIET_SECONDS
    folders = sorted(path for path in landing.iterdir() if path.is_dir()) if landing.is_dir() else []
    for folder in folders:
        for feed in sorted(folder.iterdir()):
            files = [feed] if feed.is_file() else [path for path in feed.rglob("*") if path.is_file()]
            states = [path.stat() for path in files]
            if files and all(state.st_mtime < latest for state in states):
                yield folder, feed, f"{sum(s.st_size for s in states)} {max(s.st_mtime_ns for s in states)}"
