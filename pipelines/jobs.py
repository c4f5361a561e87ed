"""The two jobs: read one delivery, and build a release from all of them.

What may pass is tried again at once, step by step. A run that died is begun anew by the daemon, from its first step:
what it had half built was swept away or overwritten meanwhile. One that lasts too long is ended by the daemon.
"""

import dagster as dg

RELEASE_JOB = "release"
INGEST_SELECTION = dg.AssetSelection.groups("deliveries") | dg.AssetSelection.assets(["quality", "accepted_rows"])
RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
FROM_THE_START = {"dagster/retry_strategy": "ALL_STEPS"}
WHAT_MATTERS = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}
"""Dagster keeps every event; the journal of a server gets no line for each check that passed."""
INGEST_SECONDS = 2 * 3600
RELEASE_SECONDS = 6 * 3600
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""States of a run that waits or is at work."""

INGEST = dg.define_asset_job(
    "ingest",
    selection=INGEST_SELECTION,
    tags=FROM_THE_START | {"dagster/max_runtime": str(INGEST_SECONDS)},
    op_retry_policy=RETRIES,
    config=WHAT_MATTERS,
    description="Read, check and gate one delivery.",
)
RELEASE = dg.define_asset_job(
    RELEASE_JOB,
    selection=dg.AssetSelection.all() - INGEST_SELECTION,
    tags=FROM_THE_START | {"dagster/max_runtime": str(RELEASE_SECONDS)},
    op_retry_policy=RETRIES,
    config=WHAT_MATTERS,
    description="Models, statistics, published tables and site from every accepted delivery.",
)
