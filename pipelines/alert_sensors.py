"""Tells alerts from Dagster's daemon: at once when a run fails, and every few minutes what else is wrong.

A daemon that has died tells nobody: `needlepoint alerts send`, called by a timer of the system, does.
"""

from collections.abc import Iterator

import dagster as dg

from assets.home import Home
from pipelines.alerting import send_alerts

LOOK_SECONDS = 300


@dg.run_failure_sensor(
    name="alert_failed_runs",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the channels of alerts that a run failed, unless it is tried again.",
)
def alert_failed_runs(context: dg.RunFailureSensorContext, home: dg.ResourceParam[Home]) -> None:
    """Send what is due; what cannot be sent is kept for the next time."""
    for line in _sent(home, context.instance):
        context.log.warning(line)


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the channels of alerts about checks, sources, holds and sensors that have stopped.",
)
def alerts(context: dg.SensorEvaluationContext, home: dg.ResourceParam[Home]) -> dg.SkipReason:
    """Send what is due; no run is ever requested."""
    said = list(_sent(home, context.instance))
    return dg.SkipReason("; ".join(said) or "Every channel knows what is wrong")


def _sent(home: Home, instance: dg.DagsterInstance) -> Iterator[str]:
    """Send what is due, and say what could not be sent."""
    book = send_alerts(home, lambda: instance)
    for name, (since, why) in sorted((book.unsent if book else {}).items()):
        yield f"{name} has not been reached since {since}: {why}"
