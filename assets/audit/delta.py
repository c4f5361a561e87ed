"""What is new: the violations of every check and clinic beside those of the release before.

* new: violated now and not before
* existing: violated now and before
* resolved: violated before and not now
* stable: violated neither now nor before; one row for the check, without a clinic

A clinic is named where what violates a check leads to one: rows to the clinic of their episode, habits and drift to the
clinic they were found in, warnings on reading to the clinic of a delivery that speaks of one only. Checks of models,
statistics and published files are about no clinic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl

from assets.contract.check_kinds import Kind, Stage
from assets.contract.model import Severity
from assets.publication.kept_warehouse import is_of_our_contract
from assets.publication.release import predecessor
from assets.warehouse.connection import WarehouseError, connect

if TYPE_CHECKING:
    from assets.home import Home

FOUND, DELTA = "check_clinic", "check_delta"
KEY = ["check_id", "clinic_key"]
FOUND_SCHEMA = pl.Schema({"check_id": pl.String(), "clinic_key": pl.String(), "violated": pl.Int64()})
DELTA_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "clinic_key": pl.String(),
        "delta": pl.String(),
        "violated": pl.Int64(),
        "violated_before": pl.Int64(),
    }
)

_FOUND_SQL = f"""
    with only_clinic as (
        select delivery_id, min(clinic_key) as clinic_key from audit.delivery_clinic group by delivery_id
        having count(*) = 1
    ), accepted as (
        select delivery_id from lake.delivery where state = 'accepted'
    ), found as (
        select check_id, clinic_key, violated from audit.violation_clinic
        union all
        select check_id, clinic_key, 1 from audit.drift where is_flagged
        union all
        select result.check_id, only_clinic.clinic_key, result.violated
        from audit.check_result as result
        inner join accepted on result.delivery_id = accepted.delivery_id
        left join only_clinic on result.delivery_id = only_clinic.delivery_id
        where result.is_latest and result.stage = '{Stage.DELIVERY}' and result.severity = '{Severity.WARNING}'
        union all
        select result.check_id, null, result.violated
        from audit.check_result as result
        left join audit.violation_clinic as listed on result.check_id = listed.check_id
        where result.is_latest and result.delivery_id is null and result.kind <> '{Kind.DRIFT}'
            and listed.check_id is null
    ), judged as (
        select distinct check_id from audit.check_result where is_latest
    ), counted as (
        select check_id, clinic_key, sum(violated) as violated from found where violated > 0
        group by check_id, clinic_key
    )
    select check_id, clinic_key, cast(violated as bigint) as violated from counted
    union all
    select judged.check_id, null, cast(0 as bigint)
    from judged left join counted on judged.check_id = counted.check_id
    where counted.check_id is null
    order by check_id, clinic_key nulls first
"""
"""What every judged check found, by clinic; one row with 0 for a check that found nothing."""


def write_delta(connection: duckdb.DuckDBPyConnection, home: Home) -> pl.DataFrame:
    """Create ``audit.check_clinic`` and ``audit.check_delta`` once every check of the release has been judged.

    Before the first release there is nothing to compare with, and the table is empty.

    Raises:
        WarehouseError: a query failed. DuckDB's own message is dropped: it quotes values.

    """
    try:
        return _write_delta(connection, home)
    except duckdb.Error as error:
        message = f"audit.{DELTA} failed with {type(error).__name__}: call write_delta by hand to see why"
        raise WarehouseError(message) from None


def _write_delta(connection: duckdb.DuckDBPyConnection, home: Home) -> pl.DataFrame:
    now: pl.DataFrame = connection.sql(_FOUND_SQL).pl()
    before = _found_before(home)
    delta = pl.DataFrame(schema=DELTA_SCHEMA) if before is None else check_delta(now, before)
    for name, frame in ((FOUND, now), (DELTA, delta)):
        connection.register("delta_frame", frame)
        connection.execute(f"create or replace table audit.{name} as select * from delta_frame")
        connection.unregister("delta_frame")
    return delta


def check_delta(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Compare what the checks of two releases found (``FOUND_SCHEMA``)."""
    together = now.join(
        before.rename({"violated": "violated_before"}), on=KEY, how="full", nulls_equal=True, coalesce=True
    )
    counted = together.with_columns(pl.col("violated", "violated_before").fill_null(0))
    is_now, was_before = pl.col("violated") > 0, pl.col("violated_before") > 0
    says = (
        pl.when(is_now & was_before)
        .then(pl.lit("existing"))
        .when(is_now)
        .then(pl.lit("new"))
        .when(was_before)
        .then(pl.lit("resolved"))
        .otherwise(pl.lit("stable"))
    )
    moved = (pl.col("delta") != "stable").any().over("check_id")
    judged = set(now["check_id"].to_list())
    return (
        counted.with_columns(delta=says)
        .filter(~moved | (pl.col("delta") != "stable"))
        .filter(pl.col("check_id").is_in(judged))
        .select(DELTA_SCHEMA.names())
        .sort(KEY, nulls_last=False)
    )


def _found_before(home: Home) -> pl.DataFrame | None:
    """What the release before found; None before the first, and where that is not kept or of another contract."""
    release = predecessor(home)
    if release is None or not is_of_our_contract(home, release):
        return None
    with connect(home.releases / release / "warehouse.duckdb", home=home.path, read_only=True) as connection:
        kept = connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'audit' and table_name = ?", [FOUND]
        ).fetchall()
        if kept == [(0,)]:
            return None
        found: pl.DataFrame = connection.sql(f"select * from audit.{FOUND}").pl()
        return found
