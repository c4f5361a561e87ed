"""Watches the landing folder: HOME/landing/<profile>/ holds files or folders to be read with that profile."""

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
    """Land what lies ready and request one run per new delivery."""
    requests: list[dg.RunRequest] = []
    problems: list[str] = []
    for folder, feed in _ready(home.landing):
        try:
            profile = find_profile(folder.name, home.profiles, CONTRACT)
            for sent in find_deliveries([feed], profile):
                delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
                if is_new:
                    requests.append(dg.RunRequest(run_key=delivery.run_key, partition_key=delivery.delivery_id))
        except InputProblem as problem:
            problems.append(str(problem))
            context.log.warning("Not landed: %s", problem)
    if not requests:
        return dg.SkipReason("; ".join(problems) or "No new delivery has arrived whole")
    known = [str(request.partition_key) for request in requests]
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[DELIVERIES.build_add_request(known)])


def _ready(landing: Path) -> Iterator[tuple[Path, Path]]:
    """Profile folder and feed, for everything in which nothing has changed for a while."""
    latest = time.time() - QUIET_SECONDS
    for folder in sorted(path for path in landing.iterdir() if path.is_dir()):
        for feed in sorted(folder.iterdir()):
            files = [feed] if feed.is_file() else [path for path in feed.rglob("*") if path.is_file()]
            if files and all(path.stat().st_mtime < latest for path in files):
                yield folder, feed
