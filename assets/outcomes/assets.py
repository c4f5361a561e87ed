"""Dagster shell of the statistics: marts in, published tables out, after disclosure control."""

from collections.abc import Iterator

import dagster as dg

from assets.home import Home
from assets.outcomes.published import PUBLISHED_TABLES
from assets.publication.model_drift import CARDS, record_drift
from assets.publication.publish import write_published, write_statistics
from assets.warehouse.assets import open_building

RELEASE_GATE = dg.AssetKey(["quality", "release_gate"])


def published_key(name: str) -> dg.AssetKey:
    """Asset key of a published table."""
    return dg.AssetKey(["published", name])


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            published_key(name),
            deps=[RELEASE_GATE],
            group_name="published",
            kinds={"polars", "parquet"},
            owners=["team:biostatistics"],
            description=description,
        )
        for name, description in PUBLISHED_TABLES.items()
    ],
    name="published_tables",
)
def published_tables(home: dg.ResourceParam[Home]) -> Iterator[dg.MaterializeResult[None]]:
    """Compute every table from the marts of the release being built, and protect it before it is published."""
    with open_building(home) as connection:
        drift = record_drift(connection, home, write_statistics(connection, home))
        frames = write_published(connection, home)
    for name, frame in frames.items():
        yield dg.MaterializeResult(
            asset_key=published_key(name),
            metadata={
                "dagster/row_count": frame.height,
                "dagster/column_schema": dg.TableSchema(
                    columns=[dg.TableColumn(column, str(kind)) for column, kind in frame.schema.items()]
                ),
                **({"drift since the last release": dg.MetadataValue.json(drift.to_dicts())} if name == CARDS else {}),
            },
        )
