"""When a release is built without being asked for."""

import dagster as dg

from assets.deliveries.ledger import State
from assets.home import Home
from assets.publication.release import current_release, kept_from_building, next_release
from pipelines.jobs import RELEASE, RELEASE_JOB, UNFINISHED
from pipelines.release_times import release_times


@dg.schedule(
    name="nightly_release",
    job=RELEASE,
    cron_schedule=release_times(),
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A release every morning from whatever has been accepted by then, if anything has changed.",
)
def nightly_release(
    context: dg.ScheduleEvaluationContext, home: dg.ResourceParam[Home]
) -> dg.RunRequest | dg.SkipReason:
    """Request a run, unless there is nothing for it to do or one is at it already."""
    if not any(delivery.state is State.ACCEPTED for delivery in home.ledger.all()):
        return dg.SkipReason("No delivery has been accepted yet")
    if (problem := kept_from_building(home)) is not None:
        return dg.SkipReason(problem.with_code)
    if next_release(home) == current_release(home):
        return dg.SkipReason("Nothing has changed since the release in force")
    building = dg.RunsFilter(job_name=RELEASE_JOB, statuses=UNFINISHED)
    if context.instance.get_runs_count(building):
        return dg.SkipReason("A release is being built")
    return dg.RunRequest()
