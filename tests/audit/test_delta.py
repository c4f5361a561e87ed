"""New, existing, resolved and stable: by check and clinic, against the release before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.audit import delta
from assets.audit.delta import DELTA_SCHEMA, FOUND_SCHEMA, check_delta, write_delta
from assets.contract import CONTRACT
from assets.home import Home
from assets.warehouse.connection import WarehouseError, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

Rows = list[tuple[str, str | None, int]]
TABLES = """
create schema audit;
create schema lake;
create table lake.delivery as select * from (values ('d1', 'accepted'), ('d2', 'accepted'), ('d3', 'held'))
    as delivery(delivery_id, state);
create table audit.delivery_clinic as select * from (values ('d1', 'c1'), ('d2', 'c1'), ('d2', 'c2'), ('d3', 'c1'))
    as sent(delivery_id, clinic_key);
create table audit.violation_clinic as select * from (values ('row', 'c1', 4), ('row', null, 2), ('habit', 'c2', 1))
    as listed(check_id, clinic_key, violated);
create table audit.drift as select * from (values ('drifts', 'c1', true), ('drifts', 'c2', false))
    as drift(check_id, clinic_key, is_flagged);
create table audit.check_result as select * from (values
    ('row', null, 'release', 'critical', 'unique', 6, true),
    ('habit', null, 'release', 'warning', 'behaviour', 1, true),
    ('drifts', null, 'release', 'warning', 'drift', 1, true),
    ('odd', 'd1', 'delivery', 'warning', 'plausible', 5, true),
    ('odd', 'd1', 'delivery', 'warning', 'plausible', 9, false),
    ('odd', 'd2', 'delivery', 'warning', 'plausible', 3, true),
    ('odd', 'd3', 'delivery', 'warning', 'plausible', 8, true),
    ('model', null, 'model', 'critical', 'grain', 7, true),
    ('quiet', null, 'model', 'critical', 'grain', 0, true),
    ('silent', null, 'model', 'critical', 'grain', null, true)
) as result(check_id, delivery_id, stage, severity, kind, violated, is_latest);
"""


def found(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=FOUND_SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ([("a", "c1", 2)], [("a", None, 0)], [("a", "c1", "new", 2, 0)]),
        ([("a", "c1", 2)], [("a", "c1", 5)], [("a", "c1", "existing", 2, 5)]),
        ([("a", None, 0)], [("a", "c1", 5)], [("a", "c1", "resolved", 0, 5)]),
        ([("a", None, 0)], [("a", None, 0)], [("a", None, "stable", 0, 0)]),
        ([("a", "c1", 1)], [("a", "c2", 1)], [("a", "c1", "new", 1, 0), ("a", "c2", "resolved", 0, 1)]),
        ([("a", None, 3)], [("a", None, 1)], [("a", None, "existing", 3, 1)]),
        ([("a", None, 0)], [], [("a", None, "stable", 0, 0)]),
        ([("a", "c1", 1)], [], [("a", "c1", "new", 1, 0)]),
        ([], [("gone", "c1", 1)], []),
    ],
)
def test_each_delta(now: Rows, before: Rows, expected: list[tuple[str, str | None, str, int, int]]) -> None:
    assert check_delta(found(now), found(before)).rows() == expected


@pytest.fixture
def building(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(None, home=tmp_path) as connection:
        connection.execute(TABLES)
        yield connection


def test_what_each_check_found_by_clinic(
    building: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta, "predecessor", lambda _: None)
    assert write_delta(building, Home(tmp_path, "1GB")).is_empty()
    assert building.sql("select * from audit.check_delta").pl().schema == DELTA_SCHEMA
    assert building.sql("select * from audit.check_clinic order by all").fetchall() == [
        ("drifts", "c1", 1),
        ("habit", "c2", 1),
        ("model", None, 7),
        ("odd", "c1", 5),
        ("odd", None, 3),
        ("quiet", None, 0),
        ("row", "c1", 4),
        ("row", None, 2),
        ("silent", None, 0),
    ]


def test_the_release_before_is_read(
    building: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path, "1GB")
    folder = home.releases / "r1"
    folder.mkdir(parents=True)
    with connect(folder / "warehouse.duckdb", home=home.path) as before:
        before.execute("create schema audit")
    (folder / "manifest.json").write_text(json.dumps({"contract_version": CONTRACT.version}), encoding="utf-8")
    monkeypatch.setattr(delta, "predecessor", lambda _: "r1")
    assert write_delta(building, home).is_empty(), "a release made before this was kept"
    with connect(folder / "warehouse.duckdb", home=home.path) as before:
        before.execute("create table audit.check_clinic (check_id varchar, clinic_key varchar, violated bigint)")
        before.execute("insert into audit.check_clinic values ('row', 'c1', 1), ('quiet', null, 9), ('habit', 'c1', 2)")
    told = {(row[0], row[1]): row[2] for row in write_delta(building, home).rows()}
    assert told == {
        ("drifts", "c1"): "new",
        ("habit", "c1"): "resolved",
        ("habit", "c2"): "new",
        ("model", None): "new",
        ("odd", None): "new",
        ("odd", "c1"): "new",
        ("quiet", None): "resolved",
        ("row", None): "new",
        ("row", "c1"): "existing",
        ("silent", None): "stable",
    }


def test_an_error_of_the_database_is_ours(building: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    building.execute("drop table audit.violation_clinic")
    with pytest.raises(WarehouseError, match=r"audit\.check_delta failed with CatalogException"):
        write_delta(building, Home(tmp_path, "1GB"))
