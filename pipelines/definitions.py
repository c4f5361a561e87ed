"""What Dagster loads: assets, jobs, the nightly schedule and the sensors."""

import dagster as dg

from assets.deliveries.assets import delivery, typed_rows
from assets.outcomes.assets import published_tables, statistics
from assets.publication.assets import release, site
from assets.quality.assets import accepted_rows, release_gate
from assets.warehouse.assets import models
from pipelines.alert_sensors import alert_failed_runs, alerts
from pipelines.executor import one_writer_executor
from pipelines.jobs import INGEST, RELEASE
from pipelines.schedules import nightly_release
from pipelines.sensors import decided_deliveries, killed_runs, left_behind, new_deliveries
from pipelines.settings import home_from_environment
from pipelines.standing import with_standing

ASSETS = [delivery, typed_rows, accepted_rows, models, release_gate, statistics, published_tables, site, release]

defs = dg.Definitions(
    assets=with_standing(ASSETS),
    jobs=[INGEST, RELEASE],
    schedules=[nightly_release],
    sensors=[alert_failed_runs, alerts, decided_deliveries, killed_runs, left_behind, new_deliveries],
    resources={"home": home_from_environment()},
    executor=one_writer_executor,
)
