"""Dagster shell of the SQL models: one asset per file of ``sql/``, one step that runs them in order."""

from collections.abc import Iterator

import dagster as dg
import duckdb

from assets.contract import CONTRACT
from assets.home import Home
from assets.publication.release import start_building
from assets.quality.loading import load_lake
from assets.steps import WAREHOUSE_POOL, failures_said
from assets.warehouse.build import run_model
from assets.warehouse.connection import connect
from assets.warehouse.models import Model, load_models
from assets.warehouse.reference import column_comments

MODELS = load_models()
MODEL_KEYS = [dg.AssetKey([model.schema, model.name]) for model in MODELS]
LAKE_SCHEMA, REFERENCE_SCHEMA = "lake", "reference"
_SOURCE = dg.AssetKey(["quality", "accepted_rows"])


def _spec(model: Model) -> dg.AssetSpec:
    deps = {
        _SOURCE if schema in (LAKE_SCHEMA, REFERENCE_SCHEMA) else dg.AssetKey([schema, name])
        for schema, name in model.depends_on
    }
    return dg.AssetSpec(
        dg.AssetKey([model.schema, model.name]),
        deps=sorted(deps),
        group_name=model.schema,
        kinds={"duckdb", "sql"},
        owners=["team:data-engineering"],
        description=model.description,
        code_version=model.code_version,
        metadata={"grain": ", ".join(model.grain), "file": f"sql/{model.schema}/{model.name}.sql"},
    )


@dg.multi_asset(specs=[_spec(model) for model in MODELS], name="models", pool=WAREHOUSE_POOL)
@failures_said
def models(home: dg.ResourceParam[Home]) -> Iterator[dg.MaterializeResult[None]]:
    """Build the warehouse of the next release from every accepted delivery."""
    start_building(home)
    with open_building(home) as connection:
        load_lake(connection, home)
        for model in MODELS:
            result = run_model(connection, model, column_comments(CONTRACT, model.schema, model.name))
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey([model.schema, model.name]),
                metadata={
                    **({} if result.rows is None else {"dagster/row_count": result.rows}),
                    "seconds": round(result.seconds, 3),
                    "dagster/column_schema": dg.TableSchema(
                        columns=[dg.TableColumn(name, kind) for name, kind in result.columns]
                    ),
                    "dagster/column_lineage": _lineage(model),
                },
            )


def open_building(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the warehouse of the release being built."""
    return connect(
        home.building / "warehouse.duckdb", home=home.path, memory_limit=home.memory_limit, threads=home.threads
    )


def _lineage(model: Model) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        deps_by_column={
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(table.split(".")), column_name=source)
                for table, source in sources
            ]
            for column, sources in model.column_lineage.items()
        }
    )
