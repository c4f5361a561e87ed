"""The two jobs: read one delivery, and build a release from all of them."""

import dagster as dg

INGEST_SELECTION = dg.AssetSelection.groups("deliveries") | dg.AssetSelection.assets(["quality", "accepted_rows"])

INGEST = dg.define_asset_job(
    "ingest",
    selection=INGEST_SELECTION,
    description="Read, check and gate one delivery.",
)
RELEASE = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.all() - INGEST_SELECTION,
    description="Models, statistics, published tables and site from every accepted delivery.",
)
