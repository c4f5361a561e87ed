"""Check results on disk and in the warehouse: one row per check, delivery and run, never a value of a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from assets.contract.checks import delivery_checks
from assets.deliveries.ledger import State
from assets.deliveries.state import row_files
from assets.quality.results import not_applicable
from assets.quality.run import run_delivery_suite, run_release_suite
from assets.warehouse.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import duckdb

    from assets.contract.model import Contract
    from assets.deliveries.ledger import Delivery
    from assets.home import Home
    from assets.quality.results import CheckResult

RESULT_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "delivery_id": pl.String(),
        "run_id": pl.String(),
        "table_name": pl.String(),
        "kind": pl.String(),
        "stage": pl.String(),
        "severity": pl.String(),
        "status": pl.String(),
        "evaluated": pl.Int64(),
        "violated": pl.Int64(),
        "threshold": pl.Float64(),
        "seconds": pl.Float64(),
        "sql_hash": pl.String(),
        "reason": pl.String(),
        "contract_version": pl.String(),
        "blocks": pl.Boolean(),
        "score": pl.Float64(),
    }
)
FILE = "checks.parquet"
REFUSED = "the delivery was refused"
"""Why no check could look at a delivery that was refused before its rows were read."""


def delivery_results(home: Home, delivery: Delivery, contract: Contract) -> list[CheckResult]:
    """Evaluate every delivery-stage check on the typed rows of one delivery, set-aside rows included."""
    read = replace(delivery, state=State.ACCEPTED)
    with connect(None, home=home.path, memory_limit=home.memory_limit, threads=home.threads) as connection:
        return [
            result
            for table in contract.tables
            for result in run_delivery_suite(
                connection, contract, table.name, row_files(home.ledger, (read,), table.name)
            )
        ]


def refused_results(contract: Contract) -> list[CheckResult]:
    """Return the results of a delivery that was refused: no check was applicable, which is not the same as passed."""
    return [
        not_applicable(check, REFUSED, "") for table in contract.tables for check in delivery_checks(contract, table)
    ]


def release_results(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[CheckResult]:
    """Evaluate every release-stage check in the warehouse being built."""
    return run_release_suite(connection, contract)


def result_frame(
    results: Iterable[CheckResult], contract: Contract, delivery_id: str | None, run_id: str
) -> pl.DataFrame:
    """Results as rows of ``audit.check_result``; ``delivery_id`` null stands for all deliveries together."""
    return pl.DataFrame(
        [
            (
                result.check_id,
                delivery_id,
                run_id,
                result.table,
                result.kind.value,
                result.stage.value,
                result.severity.value,
                result.status.value,
                result.evaluated,
                result.violated,
                result.tolerance,
                result.seconds,
                result.sql_hash,
                result.reason,
                contract.version,
                result.blocks,
                result.score,
            )
            for result in results
        ],
        schema=RESULT_SCHEMA,
        orient="row",
    )


def save_results(folder: Path, frame: pl.DataFrame) -> None:
    """Add the results of a run to the history of a delivery."""
    path = folder / FILE
    temporary = path.with_suffix(".tmp")
    pl.concat([*_saved(path), frame]).write_parquet(temporary)
    temporary.replace(path)


def unbalanced_deliveries(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """How many deliveries there are, and of how many the rows do not add up to what was ingested."""
    row = connection.execute(
        "select count(*), count(*) filter (where ingested <> accepted + quarantined + superseded + rejected) "
        "from audit.conservation"
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def write_history(connection: duckdb.DuckDBPyConnection, home: Home, deliveries: Sequence[Delivery]) -> None:
    """Make ``audit.check_result`` from the history of every delivery.

    ``is_latest`` marks the results of the newest reading of a delivery, the last in its file: what earlier readings
    found is history and must not decide what is published.
    """
    readings = (
        frame.with_columns(is_latest=pl.col("run_id") == pl.col("run_id").last())
        for delivery in deliveries
        for frame in _saved(home.ledger.folder(delivery.delivery_id) / FILE)
    )
    empty = pl.DataFrame(schema={**RESULT_SCHEMA, "is_latest": pl.Boolean()})
    _add(connection, pl.concat([empty, *readings]), create=True)


def _saved(path: Path) -> list[pl.DataFrame]:
    """What earlier readings found; columns that were added since are null."""
    if not path.exists():
        return []
    return [pl.concat([pl.DataFrame(schema=RESULT_SCHEMA), pl.read_parquet(path)], how="diagonal")]


def append(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> None:
    """Add results of a release to ``audit.check_result``; those of an earlier try of its step are no longer latest."""
    connection.register("new_results", frame)
    connection.execute(
        "update audit.check_result set is_latest = false "
        "where delivery_id is null and check_id in (select check_id from new_results)"
    )
    connection.unregister("new_results")
    _add(connection, frame.with_columns(is_latest=pl.lit(value=True)))


def _add(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, *, create: bool = False) -> None:
    connection.register("new_results", frame)
    if create:
        connection.execute("create or replace table audit.check_result as select * from new_results")
    else:
        connection.execute("insert into audit.check_result select * from new_results")
    connection.unregister("new_results")
