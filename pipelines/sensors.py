"""Watches the landing folder: HOME/landing/<profile>/ holds files or folders to be read with that profile."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.contract import CONTRACT
from assets.deliveries.assets import DELIVERIES
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import find_profile
from assets.home import Home
from assets.quality.hold import to_judge_again
from pipelines.jobs import INGEST

QUIET_SECONDS = 30
"""A file that changed more recently may still be being copied."""
POLL_SECONDS = 60


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=POLL_SECONDS,
    description="Starts a run for every delivery that has arrived whole and was not read before.",
)
def new_deliveries(
    context: dg.SensorEvaluationContext, home: dg.ResourceParam[Home]
) -> dg.SensorResult | dg.SkipReason:
    """Land what lies ready and request one run per new delivery.

    The cursor remembers what was landed, by name, size and time of change, so that nothing is copied twice.
    """
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    requests: list[dg.RunRequest] = []
    problems: list[str] = []
    for folder, feed, signature in _ready(home.landing):
        name = f"{folder.name}/{feed.name}"
        if seen.get(name) == signature:
            continue
        try:
            profile = find_profile(folder.name, home.profiles, CONTRACT)
            found = find_deliveries([feed], profile)
            problems.extend(str(problem) for problem in found.problems)
            for sent in found.sent:
                delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
                if is_new:
                    requests.append(dg.RunRequest(run_key=delivery.run_key, partition_key=delivery.delivery_id))
            seen[name] = signature
        except InputProblem as problem:
            problems.append(str(problem))
            context.log.warning("Not landed: %s", problem)
    context.update_cursor(json.dumps(seen, sort_keys=True))
    if not requests:
        return dg.SkipReason("; ".join(problems) or "No new delivery has arrived whole")
    known = [str(request.partition_key) for request in requests]
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[DELIVERIES.build_add_request(known)])


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=POLL_SECONDS,
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
