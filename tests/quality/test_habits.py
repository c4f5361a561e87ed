"""Who runs a release is told which group shows which habit, with share and n."""

from __future__ import annotations

import duckdb
import pytest

from assets.quality.habits import reported_habits


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for schema in ("audit", "reference", "lake"):
        con.execute(f"create schema {schema}")
    con.execute("create table reference.quality_check as select 'a.b.c' as check_id, 'Motion is measured' as title")
    con.execute(
        "create table audit.behaviour (check_id varchar, clinic_key varchar, recorder_key varchar, n bigint,"
        " shown bigint, limit_percent integer, is_flagged boolean)"
    )
    con.execute("create table lake.delivery (delivery_id varchar, label varchar, ingested bigint)")
    con.execute(
        "create table audit.delivery_volume (delivery_id varchar, ingested bigint, other_deliveries bigint,"
        " twice_usual bigint, is_unusual boolean)"
    )
    return con


def test_a_release_without_habits_says_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into audit.behaviour values ('a.b.c', 'east', null, 100, 10, 50, false)")
    warehouse.execute("insert into lake.delivery values ('d1', 'east_1', 10)")
    warehouse.execute("insert into audit.delivery_volume values ('d1', 10, 2, 20, false)")
    assert reported_habits(warehouse) == ()


def test_groups_and_deliveries_are_named_with_their_counts(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into audit.behaviour values ('a.b.c', 'east', 'T2', 1200, 1188, 50, true)")
    warehouse.execute("insert into audit.behaviour values ('a.b.c', 'east', null, 2000, 1400, 50, true)")
    warehouse.execute("insert into lake.delivery values ('d1', 'east_1', 10)")
    warehouse.execute("insert into audit.delivery_volume values ('d1', 10, 4, 2401, true)")
    assert reported_habits(warehouse) == (
        "east: Motion is measured: not so in 1,400 of 2,000 cases (70%, limit 50%)",
        "east, T2: Motion is measured: not so in 1,188 of 1,200 cases (99%, limit 50%)",
        "east_1: 10 rows, usual are 1,200 (median of 4 other deliveries of this source)",
    )
