from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.measures import MEASURES
from assets.contract.model import Better, Bounds, Measure
from assets.warehouse.build import build_warehouse, run_model
from assets.warehouse.connection import WarehouseError, connect
from assets.warehouse.lake import FILES_AT_MOST, FRAMES, create_lake, lake_columns
from assets.warehouse.models import load_models, read_model
from assets.warehouse.reference import column_comments, write_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from assets.warehouse.models import Model

FRAME = {name: pl.DataFrame(schema=dict.fromkeys(columns, pl.String)) for name, columns in FRAMES.items()}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(None, home=tmp_path, threads=1) as con:
        yield con


def lake(
    con: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[Path]] | None = None, **frames: pl.DataFrame
) -> None:
    given = {"deliveries": FRAME["delivery"], "violations": FRAME["violation"]} | frames
    create_lake(con, CONTRACT, files or {}, source_rows=(), **given)


def model(tmp_path: Path, text: str) -> Model:
    (tmp_path / "marts").mkdir(exist_ok=True)
    path = tmp_path / "marts" / "m.sql"
    path.write_text(text)
    return read_model(path)


def test_a_model_becomes_exactly_its_file(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    made = model(tmp_path, "-- Two rows.\n-- grain: a\nselect 1 as a, 'x' as b\nunion all\nselect 2 as a, 'y' as b\n")
    run = run_model(con, made, {"a": "It's a number", "c": "not there"})
    assert (run.relation, run.rows, run.columns) == ("marts.m", 2, (("a", "INTEGER"), ("b", "VARCHAR")))
    assert con.execute(
        "select column_name, comment from duckdb_columns() where table_name = 'm' order by 1"
    ).fetchall() == [("a", "It's a number"), ("b", None)]
    assert con.execute("select comment from duckdb_tables() where table_name = 'm'").fetchone() == ("Two rows.",)


def test_rows_of_a_view_are_counted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    made = model(tmp_path, "-- One.\n-- materialised: view\n-- grain: a\nselect 1 as a")
    assert run_model(con, made).rows == 1
    assert con.execute("select * from marts.m").fetchall() == [(1,)]


def test_no_value_of_the_data_in_an_error(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("create schema lake")
    con.execute("create table lake.t as select 'canary' as a")
    made = model(tmp_path, "-- Cast.\n-- grain: a\nselect cast(a as integer) as a from lake.t")
    with pytest.raises(WarehouseError, match=r"marts\.m failed with ConversionException") as error:
        run_model(con, made)
    assert "canary" not in repr(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_empty_warehouse_has_every_table_and_no_row(con: duckdb.DuckDBPyConnection) -> None:
    write_reference(con, CONTRACT)
    lake(con)
    runs = build_warehouse(con, load_models(), lambda schema, name: column_comments(CONTRACT, schema, name))
    filled = {run.relation for run in runs if run.rows}
    assert filled == {"audit.rule_evaluated"}
    assert con.execute(
        "select comment from duckdb_columns() where schema_name = 'staging' and table_name = 'episode'"
        " and column_name = 'side'"
    ).fetchone() == ("Affected side of the body",)


def test_integers_are_not_huge(con: duckdb.DuckDBPyConnection) -> None:
    write_reference(con, CONTRACT)
    lake(con)
    build_warehouse(con, load_models())
    assert (
        con.execute(
            """select schema_name, table_name, column_name, data_type from duckdb_columns()
        where (data_type in ('HUGEINT', 'DOUBLE', 'FLOAT')) and schema_name in ('marts', 'audit', 'intermediate')"""
        ).fetchall()
        == []
    )


def test_reference_of_the_contract(con: duckdb.DuckDBPyConnection) -> None:
    write_reference(con, CONTRACT)
    assert (
        con.execute("select * from reference.responder_rule where measure_id = 'vas_mm' order by 1").fetchall()[0][5]
        == 15
    )
    assert con.execute(
        "select measure_id from reference.pain_preference where condition_id = 'sciatica' order by preference"
    ).fetchall() == [("nprs_worst24h",), ("nprs_avg24h",), ("nprs_current",)]
    slots = con.execute("select slot, sided from reference.measure order by slot").fetchall()
    used = [slot + side for slot, sided in slots for side in range(2 if sided else 1)]
    assert used == list(range(len(used)))


def test_an_extended_contract_reaches_the_reference(con: duckdb.DuckDBPyConnection) -> None:
    score = Measure("headache", "Headache score", "pain", "points", Better.LOWER, Bounds(0, 100, "scale"), decimals=2)
    write_reference(con, CONTRACT.extended(measures=[score]))
    assert con.execute("select max(measure_no) from reference.measure").fetchone() == (len(MEASURES) + 1,)


def test_too_many_windows(con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = ((28, 7), (56, 10), (84, 14), (168, 21))
    monkeypatch.setattr("assets.contract.definitions.PLANNED_WINDOWS", windows)
    with pytest.raises(ValueError, match="3 planned windows"):
        write_reference(con, CONTRACT)


def test_lake_reads_what_is_there_and_can_be_made_again(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "visit.0.parquet"
    columns = lake_columns(CONTRACT.table("visit"))
    empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    con.execute(f"copy (select {empty}) to '{path}'")
    for _ in range(2):
        lake(con, {"visit": [path]})
        assert con.execute("select count(*) from lake.visit").fetchone() == (1,)
        assert con.execute("select count(*) from lake.episode").fetchone() == (0,)
        lake(con)
        assert con.execute("select count(*) from lake.visit").fetchone() == (0,)


def test_many_small_files_are_opened_once(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    paths = [tmp_path / f"visit.{number}.parquet" for number in range(FILES_AT_MOST + 1)]
    columns = lake_columns(CONTRACT.table("visit"))
    for number, path in enumerate(paths):
        row = ", ".join(
            f"cast({number if name == 'row_number' else 'null'} as {kind}) as {name}" for name, kind in columns.items()
        )
        con.execute(f"copy (select {row}) to '{path}'")
    found = {}
    for kind, some in (("VIEW", paths[:-1]), ("BASE TABLE", paths)):
        lake(con, {"visit": some})
        made = con.execute("select table_type from information_schema.tables where table_name = 'visit'").fetchone()
        assert made == (kind,)
        found[kind] = con.execute("select * from lake.visit order by row_number").fetchall()
        kinds = {name: str(type_) for name, type_, *_ in con.execute("describe lake.visit").fetchall()}
        assert kinds == columns
    assert found["BASE TABLE"][:-1] == found["VIEW"]
    for path in paths:
        path.unlink()
    with pytest.raises(WarehouseError, match=r"lake\.visit: a Parquet file"):
        lake(con, {"visit": paths})


@pytest.mark.parametrize("content", ["missing", "damaged", "lacking"])
def test_unusable_parquet(con: duckdb.DuckDBPyConnection, tmp_path: Path, content: str) -> None:
    path = tmp_path / "visit.0.parquet"
    if content == "damaged":
        path.write_text("no parquet")
    if content == "lacking":
        pl.DataFrame({"visit_key": ["canary"]}).write_parquet(path)
    with pytest.raises(WarehouseError, match=r"lake\.visit: a Parquet file") as error:
        lake(con, {"visit": [path]})
    assert "canary" not in str(error.value)


def test_paths_are_not_patterns(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot lie below"):
        lake(con, {"visit": [tmp_path / "*.parquet"]})


def test_frames_have_the_agreed_columns(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(WarehouseError, match=r"lake\.delivery"):
        lake(con, deliveries=pl.DataFrame({"delivery": ["d1"]}))
