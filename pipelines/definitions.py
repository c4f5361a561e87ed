"""What Dagster loads: assets, jobs, the nightly schedule and the landing sensor."""

import dagster as dg

from assets.deliveries.assets import delivery, typed_rows
from assets.outcomes.assets import published_tables, statistics
from assets.publication.assets import release, site
from assets.quality.assets import accepted_rows, release_gate
from assets.warehouse.assets import models
from pipelines.jobs import INGEST, RELEASE
from pipelines.schedules import NIGHTLY_RELEASE
from pipelines.sensors import decided_deliveries, new_deliveries
from pipelines.settings import home_from_environment

defs = dg.Definitions(
    assets=[delivery, typed_rows, accepted_rows, models, release_gate, statistics, published_tables, site, release],
    jobs=[INGEST, RELEASE],
    schedules=[NIGHTLY_RELEASE],
    sensors=[decided_deliveries, new_deliveries],
    resources={"home": home_from_environment()},
    executor=dg.in_process_executor,  # DuckDB has one writer; a process per step would also cost twice the CPU
)
