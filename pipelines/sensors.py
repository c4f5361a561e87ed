"""What starts runs without being asked for.

The landing folder is watched: HOME/landing/<profile>/ holds files or folders to be read with that profile. What was
decided about is judged again, what a failed run left is tried once a day, and what a killed run holds is freed.
"""

import json
import os
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.contract import CONTRACT
from assets.deliveries.assets import DELIVERIES
from assets.deliveries.landing import land
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import left_deliveries
from assets.home import Home
from assets.quality.hold import to_judge_again
from pipelines.jobs import INGEST, UNFINISHED
from pipelines.landing_folder import Arrived, arrived, deliveries_in
from pipelines.one_writer import only_writer
from pipelines.unlock import free_dead_runs

POLL_SECONDS = 60
WAIT_SECONDS = 20
"""How long a look waits for the run that is writing; Dagster gives it a minute in all."""
SAID = "not landed: "
"""In the cursor, before the name of what could not be landed: a problem is said once, not every minute."""
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
    known: dict[str, str] = json.loads(context.cursor or "{}")
    seen = {name: state for name, state in known.items() if os.path.lexists(home.landing / name.removeprefix(SAID))}
    ready = [one for one in arrived(home) if seen.get(one.name) != one.signature]
    if not ready:
        return dg.SkipReason("No new delivery has arrived whole")
    try:
        # a delivery that is read again is moved: not while a run reads it
        with only_writer(home, "landing", WAIT_SECONDS):
            requests, problems = _land(context, home, ready, seen)
    except InputProblem as busy:
        return dg.SkipReason(f"{busy.with_code} What has arrived is landed at the next look")
    context.update_cursor(json.dumps(seen, sort_keys=True))
    if not requests:
        return dg.SkipReason("; ".join(problems) or "What has arrived was read before")
    new = [str(request.partition_key) for request in requests]
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[DELIVERIES.build_add_request(new)])


def _land(
    context: dg.SensorEvaluationContext, home: Home, ready: list[Arrived], seen: dict[str, str]
) -> tuple[list[dg.RunRequest], list[str]]:
    requests: list[dg.RunRequest] = []
    problems: list[str] = []
    for one in ready:
        found_wrong: list[str] = []
        try:
            profile, found = deliveries_in(home, one)
            found_wrong += [problem.with_code for problem in found.problems]
            for sent in found.sent:
                delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
                if is_new:
                    requests.append(dg.RunRequest(run_key=delivery.run_key, partition_key=delivery.delivery_id))
            seen[one.name] = one.signature
        except InputProblem as problem:  # it may pass without a change in the feed: it is looked at again
            found_wrong.append(problem.with_code)
        said = "; ".join(found_wrong)
        if said and seen.get(SAID + one.name) != said:
            context.log.warning("Not landed: %s", said)
            seen[SAID + one.name] = said
        problems += found_wrong
    return requests, problems


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
    unfinished = dg.RunsFilter(tags={"dagster/partition": delivery_id}, statuses=UNFINISHED)
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
