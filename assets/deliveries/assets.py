"""Dagster shell of the deliveries: one partition per delivery."""

import dagster as dg

from assets.contract import CONTRACT
from assets.deliveries.landing import PROFILE_NAME
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.profile import load_profile
from assets.deliveries.reading import read_delivery
from assets.home import Home
from assets.steps import WAREHOUSE_POOL, PermanentFailure, column_schema, failures_said

DELIVERIES = dg.DynamicPartitionsDefinition(name="deliveries")
OWNERS = ["team:data-engineering"]
ROW_SCHEMA = column_schema(
    [(f"{table.name}.{column.name}", column.duckdb_type) for table in CONTRACT.tables for column in table.columns],
    {f"{table.name}.{column.name}": column.meaning for table in CONTRACT.tables for column in table.columns},
)
"""Columns of the rows of a delivery, each with its table in front. Stated once, for the event log keeps every run's."""


@dg.asset(
    key_prefix="deliveries",
    partitions_def=DELIVERIES,
    group_name="deliveries",
    kinds={"file"},
    owners=OWNERS,
    pool=WAREHOUSE_POOL,
    code_version=CONTRACT.version,
    description="One thing a clinic sent, copied under the hash of its content and never changed.",
)
@failures_said
def delivery(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult[None]:
    """Record the landed delivery's files."""
    record = known_delivery(home, context.partition_key)
    return dg.MaterializeResult(
        metadata={
            "label": record.label,
            "files": len(record.files),
            "bytes": sum(file.size_bytes for file in record.files),
            "extract_stamp": record.extract_stamp,
            "profile": f"{record.profile} v{record.profile_version}",
        }
    )


@dg.asset(
    key_prefix="deliveries",
    deps=[delivery],
    partitions_def=DELIVERIES,
    group_name="deliveries",
    kinds={"polars", "parquet"},
    owners=OWNERS,
    pool=WAREHOUSE_POOL,
    code_version=CONTRACT.version,
    metadata={"dagster/column_schema": ROW_SCHEMA},
    description="Every row of the delivery, typed, with what is wrong with it; identifiers stop the delivery here.",
)
@failures_said
def typed_rows(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult[None]:
    """Type the delivery, or record why it is refused."""
    landed = known_delivery(home, context.partition_key)
    profile = load_profile(home.ledger.folder(landed.delivery_id) / PROFILE_NAME, CONTRACT)
    read = read_delivery(landed, home.ledger, profile, profile.extend(CONTRACT))
    if read.state is State.REJECTED:
        context.log.warning("Delivery %s was refused: %s", read.delivery_id, read.problem)
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": sum(read.rows.values()),
            "state": read.state.value,
            "problem": read.problem or "",
            "source_rows": read.ingested,
            "source_rows_set_aside": read.set_aside,
        }
    )


def known_delivery(home: Home, delivery_id: str) -> Delivery:
    """Return the record of a partition; a failure that no retry mends if it was never landed."""
    record = home.ledger.find(delivery_id)
    if record is None:
        message = (
            f"Delivery {delivery_id} has not been landed; run `needlepoint run FEED` or put it into the landing folder"
        )
        raise PermanentFailure(message)
    return record
