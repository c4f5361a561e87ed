from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from assets.warehouse.connection import WarehouseError, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "it's home"
    folder.mkdir()
    return folder


@pytest.fixture
def con(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(home / "w.duckdb", home=home, memory_limit="200MB", threads=1) as con:
        yield con


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_parquet('{home}/../outside.parquet')",
        "select * from read_parquet('{home}/link.parquet')",
        "copy (select 1) to '{home}/../out.csv'",
        "attach '{home}/../other.duckdb'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set lock_configuration = false",
        "set autoload_known_extensions = true",
        "set TimeZone = 'America/New_York'",
        "set memory_limit = '1TB'",
        "select * from 'https://example.org/a.parquet'",
    ],
)
def test_locked(con: duckdb.DuckDBPyConnection, home: Path, statement: str) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(home.parent / "outside.parquet")
    (home / "link.parquet").symlink_to(home.parent / "outside.parquet")
    with pytest.raises(duckdb.Error):
        con.execute(statement.format(home=str(home).replace("'", "''")))


def test_python_variables_are_not_tables(con: duckdb.DuckDBPyConnection) -> None:
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(duckdb.CatalogException):
        con.execute("select * from frame")
    con.register("frame", frame)
    assert con.execute("select * from frame").fetchall() == [(1,)]


def test_settings(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    names = "TimeZone", "enable_progress_bar", "temp_directory", "threads", "enable_external_access"
    values = con.execute("select " + ", ".join(f"current_setting('{name}')" for name in names)).fetchone()
    assert values == ("UTC", False, str(home / "spill"), 1, False)


def test_files_below_home_can_be_read_and_written(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    folder = str(home).replace("'", "''")
    con.execute(f"copy (select 1 as a) to '{folder}/a.parquet'")
    assert con.execute(f"select a from read_parquet('{folder}/a.parquet')").fetchall() == [(1,)]


def test_spills_into_home(home: Path) -> None:
    with connect(home / "s.duckdb", home=home, memory_limit="60MB", threads=1) as con:
        con.execute("create table t as select range % 900000 as a, range as b from range(2000000)")
        assert con.execute(
            "select count(*) from (select a, b from t group by a, b order by b desc limit 1900000)"
        ).fetchone() == (1900000,)


def test_a_second_connection_shares_the_locks(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    con.execute("select 1")
    with connect(home / "w.duckdb", home=home, memory_limit="200MB", threads=1) as second:
        with pytest.raises(duckdb.Error):
            second.execute("select * from read_csv('/etc/passwd')")
        assert second.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)


def test_read_only(home: Path) -> None:
    connect(home / "w.duckdb", home=home).close()
    with connect(home / "w.duckdb", home=home, read_only=True) as con, pytest.raises(duckdb.Error):
        con.execute("create table t (a integer)")


def test_not_a_database(home: Path) -> None:
    (home / "w.duckdb").write_text("no database" * 1000)
    with pytest.raises(WarehouseError, match="cannot be opened"):
        connect(home / "w.duckdb", home=home)
