"""When a release is built without being asked for."""

import dagster as dg

from pipelines.jobs import RELEASE

NIGHTLY_RELEASE = dg.ScheduleDefinition(
    name="nightly_release",
    job=RELEASE,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    description="A release every morning from whatever has been accepted by then.",
)
