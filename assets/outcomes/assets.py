"""Dagster shell of the statistics: marts in, published tables out, after disclosure control."""

from collections.abc import Iterator

import dagster as dg

from assets.contract import CONTRACT
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.home import Home
from assets.outcomes.published import PUBLISHED_TABLES, READ_RELATIONS
from assets.publication.model_drift import CARDS, record_drift
from assets.publication.publish import STATISTICS as EXACT
from assets.publication.publish import write_check_tables, write_published, write_statistics
from assets.quality.assets import RELEASE_GATE, family_results, family_specs
from assets.quality.hold import holding, lifted
from assets.quality.stages import judge_stage
from assets.quality.statistic_checks import statistic_checks
from assets.steps import WAREHOUSE_POOL, column_schema, failures_said
from assets.warehouse.assets import MODEL_KEYS, column_lineage, open_building, relation_key

STATISTICS = dg.AssetKey(["statistics", "exact"])
STATISTIC_CHECKS = statistic_checks(CONTRACT)


def published_key(name: str) -> dg.AssetKey:
    """Asset key of a published table."""
    return dg.AssetKey(["published", name])


@dg.asset(
    key=STATISTICS,
    deps=[RELEASE_GATE, *(key for key in map(relation_key, READ_RELATIONS) if key in MODEL_KEYS)],
    group_name="statistics",
    kinds={"polars", "greatexpectations"},
    owners=["team:biostatistics"],
    pool=WAREHOUSE_POOL,
    check_specs=family_specs(STATISTIC_CHECKS, STATISTICS),
    description="Every number, exact and with nothing hidden: parts add up to wholes and marts give the same again.",
)
@failures_said
def statistics(
    context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Compute every table from the marts of the release being built; one that contradicts itself holds the release."""
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    with open_building(home) as connection:
        frames = write_statistics(connection, home)
        drift = record_drift(connection, home, frames)
        waived = lifted(home)
        results = judge_stage(connection, home, contract, statistic_checks(contract), context.run.run_id, waived)
    yield from family_results(STATISTIC_CHECKS, results, STATISTICS, waived)
    yield dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(frame.height for frame in frames.values()),
            "dagster/column_schema": column_schema(
                (f"{name}.{column}", str(kind))
                for name, frame in frames.items()
                for column, kind in frame.schema.items()
            ),
            "tables": len(frames),
            "checks": len(results),
            "failed": len(holding(results, waived)),
            "drift since the last release": dg.MetadataValue.json({CARDS: drift.to_dicts()}),
        }
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            published_key(name),
            deps=[STATISTICS],
            group_name="published",
            kinds={"polars", "parquet"},
            owners=["team:biostatistics"],
            description=description,
        )
        for name, description in PUBLISHED_TABLES.items()
    ],
    name="published_tables",
    pool=WAREHOUSE_POOL,
)
@failures_said
def published_tables(home: dg.ResourceParam[Home]) -> Iterator[dg.MaterializeResult[None]]:
    """Protect every table of the release being built before it is published."""
    with open_building(home) as connection:
        write_check_tables(connection, home)
        frames = write_published(connection, home)
        exact = {name: set(connection.sql(f"select * from {EXACT}.{name}").columns) for name in frames}
    for name, frame in frames.items():
        yield dg.MaterializeResult(
            asset_key=published_key(name),
            metadata={
                "dagster/row_count": frame.height,
                "dagster/column_schema": column_schema((column, str(kind)) for column, kind in frame.schema.items()),
                # what is in no exact table was added by disclosure control: that and why a number is hidden
                "dagster/column_lineage": column_lineage(
                    {
                        column: [(STATISTICS, f"{name}.{column}")] if column in exact[name] else []
                        for column in frame.columns
                    }
                ),
            },
        )
