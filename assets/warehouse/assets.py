"""Dagster shell of the SQL models: one asset per file of ``sql/``, one step that runs them in order."""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg
import duckdb

from assets.contract import CONTRACT
from assets.home import Home
from assets.publication.release import start_building
from assets.quality.loading import load_lake
from assets.steps import WAREHOUSE_POOL, column_schema, failures_said
from assets.warehouse.build import run_model
from assets.warehouse.connection import connect
from assets.warehouse.models import Model, load_models
from assets.warehouse.reference import LAYOUT, column_comments

MODELS = load_models()
MODEL_KEYS = [dg.AssetKey([model.schema, model.name]) for model in MODELS]
OWNERS = ["team:data-engineering"]
LAKE_SCHEMA, REFERENCE_SCHEMA = "lake", "reference"
ACCEPTED_ROWS = dg.AssetKey(["quality", "accepted_rows"])
TEXT_SUFFIX = "__text"
"""Ends the name of the column that keeps what could not be read as a number."""
SOURCES = {
    **{f"{LAKE_SCHEMA}.{table.name}": table.meaning for table in CONTRACT.tables},
    "lake.source_row": "What became on reading of source rows that feed several tables.",
    "lake.withdrawal": "Keys of rows that a delivery takes back.",
    "lake.delivery": "Every delivery, refused ones too, with where its source rows went.",
    "lake.violation": "Rows that were set aside on reading, one line per row and check.",
    "lake.reading_history": "Rows that earlier readings of the same deliveries set aside.",
    "lake.waiver": "What need not be corrected, and until when.",
    "lake.rebase": "From when the limits of which chart are set anew.",
    **{
        f"{REFERENCE_SCHEMA}.{name}": f"The contract as a table that SQL joins: {name.replace('_', ' ')}."
        for name in LAYOUT
    },
}
"""Relations that the models read and no file of ``sql/`` makes, with what they hold."""


def relation_key(relation: str) -> dg.AssetKey:
    """Asset key of a relation of the warehouse (``schema.table``)."""
    return dg.AssetKey(relation.split("."))


def _source_spec(relation: str, meaning: str) -> dg.AssetSpec:
    schema = relation.partition(".")[0]
    return dg.AssetSpec(
        relation_key(relation),
        deps=[ACCEPTED_ROWS],
        group_name=schema,
        kinds={"duckdb", "parquet"} if schema == LAKE_SCHEMA else {"duckdb"},
        owners=OWNERS,
        description=meaning,
    )


def _spec(model: Model) -> dg.AssetSpec:
    return dg.AssetSpec(
        relation_key(model.relation),
        deps=[dg.AssetKey(read) for read in model.depends_on],
        group_name=model.schema,
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        description=model.description,
        code_version=model.code_version,
        metadata={"grain": ", ".join(model.grain), "file": f"sql/{model.schema}/{model.name}.sql"},
    )


@dg.multi_asset(
    specs=[*(_source_spec(*source) for source in SOURCES.items()), *(_spec(model) for model in MODELS)],
    name="models",
    pool=WAREHOUSE_POOL,
)
@failures_said
def models(home: dg.ResourceParam[Home]) -> Iterator[dg.MaterializeResult[None]]:
    """Build the warehouse of the next release from every accepted delivery."""
    start_building(home)
    with open_building(home) as connection:
        load_lake(connection, home)
        for relation in SOURCES:
            found = described(connection, relation)
            yield dg.MaterializeResult(asset_key=relation_key(relation), metadata=found | _source_lineage(relation))
        for model in MODELS:
            meanings = column_comments(CONTRACT, model.schema, model.name)
            result = run_model(connection, model, meanings)
            yield dg.MaterializeResult(
                asset_key=relation_key(model.relation),
                metadata={
                    "dagster/row_count": result.rows,
                    "seconds": round(result.seconds, 3),
                    "dagster/column_schema": column_schema(result.columns, meanings),
                    "dagster/column_lineage": column_lineage(
                        {
                            column: [(relation_key(read), name) for read, name in origins]
                            for column, origins in model.column_lineage.items()
                        }
                    ),
                },
            )


def described(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, dg.MetadataValue]:
    """Rows and columns of a relation, for Dagster."""
    rows = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
    columns = [(name, kind) for name, kind, *_ in connection.execute(f"describe {relation}").fetchall()]
    return {
        "dagster/row_count": dg.MetadataValue.int(rows),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            column_schema(columns, column_comments(CONTRACT, *relation.split(".")))
        ),
    }


def column_lineage(origins: Mapping[str, Iterable[tuple[dg.AssetKey, str]]]) -> dg.TableColumnLineage:
    """From which columns of which assets each column is made."""
    return dg.TableColumnLineage(
        deps_by_column={
            column: [dg.TableColumnDep(asset_key=key, column_name=name) for key, name in found]
            for column, found in origins.items()
        }
    )


def open_building(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the warehouse of the release being built."""
    return connect(
        home.building / "warehouse.duckdb", home=home.path, memory_limit=home.memory_limit, threads=home.threads
    )


def _source_lineage(relation: str) -> dict[str, dg.MetadataValue]:
    """Columns of the contract come out of the deliveries; nothing else of a source was sent by anybody."""
    schema, name = relation.split(".")
    columns = [column for table in CONTRACT.tables if table.name == name for column in table.columns]
    if schema != LAKE_SCHEMA or not columns:
        return {}
    origins = {column.name: [(ACCEPTED_ROWS, f"{name}.{column.name}")] for column in columns}
    origins |= {f"{column.name}{TEXT_SUFFIX}": origins[column.name] for column in columns if column.is_number}
    return {"dagster/column_lineage": dg.MetadataValue.column_lineage(column_lineage(origins))}
