"""When a release is built: a setting, which Dagster has to be able to read."""

import dagster as dg

from assets.deliveries.problems import InputProblem
from pipelines.settings import DEFAULT_RELEASE_TIMES, RELEASE_TIMES_VARIABLE, value


def release_times() -> str:
    """Minute, hour, day, month and day of the week in UTC, as in cron.

    Raises:
        InputProblem: SETTING: Dagster cannot read it.

    """
    times = value(RELEASE_TIMES_VARIABLE) or DEFAULT_RELEASE_TIMES
    try:
        dg.ScheduleDefinition(name="times", job_name="times", cron_schedule=times)
    except dg.DagsterInvalidDefinitionError:
        raise InputProblem(
            "SETTING",
            RELEASE_TIMES_VARIABLE,
            "it is no time in the five fields of cron",
            f"Give one as `{DEFAULT_RELEASE_TIMES}`: minute, hour, day, month, day of the week, in UTC",
        ) from None
    return times
