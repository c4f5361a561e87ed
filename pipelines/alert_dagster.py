"""What alerts are about in Dagster: runs that failed, and sensors, schedules or a daemon that have stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType, TickStatus
from dagster._core.storage.tags import WILL_RETRY_TAG

from assets.deliveries.state import SETTLED
from dashboards.markup import clean
from pipelines.alerts import Alert, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from dagster._core.scheduler.instigation import InstigatorState

    from assets.home import Home

FAILURES = 100
"""How many of the latest failed runs are looked at."""
FAILED_TICKS = 3
"""One failed tick passes by itself; so many in a row do not."""
SILENT = timedelta(minutes=15)
"""A sensor looks every minute, and a daemon says every half minute that it lives."""


def dagster_watches(
    home: Home, storage: Callable[[], dg.DagsterInstance], now: datetime
) -> Mapping[Kind, Callable[[], Iterable[Alert]]]:
    """What there is to look at, by kind. A storage that cannot be opened is an alert like any other."""
    return {
        Kind.JOB: lambda: failed_jobs(home, storage()),
        Kind.SENSOR: lambda: stopped_sensors(storage(), now),
    }


def failed_jobs(home: Home, instance: dg.DagsterInstance) -> list[Alert]:
    """Jobs, by partition, whose last run failed and is not tried again.

    Runs of the command line are in the run log. A run of a delivery that was held or refused failed because of that,
    which is told by itself.
    """
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=FAILURES)
    alerts: dict[str, Alert] = {}
    for run in failed:
        if run.remote_job_origin is None or run.tags.get(WILL_RETRY_TAG) == "true" or not _is_last(instance, run):
            continue
        partition = run.tags.get("dagster/partition", "")
        delivery = home.ledger.find(partition) if partition else None
        if delivery and delivery.state in SETTLED:
            continue
        about = f" of delivery {clean(delivery.label)}" if delivery else ""
        says = f"Job {run.job_name}{about} failed in Dagster (run {run.run_id})"
        to_do = "Open the run in Dagster; when its reason is gone, launch it again."
        alert = Alert(Kind.JOB, f"{run.job_name} {partition}".strip(), says, to_do, urgent=True)
        alerts.setdefault(alert.fingerprint, alert)
    return list(alerts.values())


def stopped_sensors(instance: dg.DagsterInstance, now: datetime) -> list[Alert]:
    """The daemon, if it ran once and does not any more; else each sensor or schedule that was stopped or fails."""
    beats = instance.get_daemon_heartbeats()
    oldest = min(
        (beats[kind].timestamp for kind in instance.get_required_daemon_types() if kind in beats), default=None
    )
    if oldest is not None and now.timestamp() - oldest > SILENT.total_seconds():
        says = "The Dagster daemon has stopped: nothing that arrives is read, and no schedule runs"
        return [Alert(Kind.SENSOR, "daemon", says, "Start the service of the daemon again.", urgent=True)]
    names = _our_names()
    found = (_stopped(instance, state, now) for state in instance.all_instigator_state() if state.name in names)
    return sorted((alert for alert in found if alert), key=lambda alert: alert.subject)


def _stopped(instance: dg.DagsterInstance, state: InstigatorState, now: datetime) -> Alert | None:
    is_sensor = state.instigator_type is InstigatorType.SENSOR
    named = f"{'Sensor' if is_sensor else 'Schedule'} {state.name}"
    if state.status is InstigatorStatus.STOPPED:
        return _sensor_alert(state.name, f"{named} is switched off", "Switch it on in Dagster, under Automation.")
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=FAILED_TICKS)
    if len(ticks) == FAILED_TICKS and all(tick.status is TickStatus.FAILURE for tick in ticks):
        return _sensor_alert(state.name, f"{named} fails again and again", "Its last tick in Dagster says why.")
    if is_sensor and ticks and now.timestamp() - ticks[0].timestamp > SILENT.total_seconds():
        return _sensor_alert(state.name, f"{named} does not look any more", "Start the service of the daemon again.")
    return None


def _sensor_alert(name: str, says: str, to_do: str) -> Alert:
    return Alert(Kind.SENSOR, name, says, to_do, urgent=True)


def _is_last(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether nothing of the same job and partition was started since."""
    partition = run.tags.get("dagster/partition")
    tags = {"dagster/partition": partition} if partition else {}
    (last,) = instance.get_runs(dg.RunsFilter(job_name=run.job_name, tags=tags), limit=1)
    return last.run_id == run.run_id


def _our_names() -> set[str]:
    """Sensors and schedules that the code has now: Dagster keeps the state of earlier ones."""
    from pipelines.definitions import defs  # noqa: PLC0415 the definitions hold the sensor that asks this

    return {one.name for one in (*(defs.sensors or ()), *(defs.schedules or ()))}
