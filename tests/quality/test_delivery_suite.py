"""Every check of the contract: it passes good rows, finds the broken one, and agrees with two independent counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, delivery_checks
from assets.deliveries.rules import measure_frame, row_checks, violated
from assets.quality.results import Status
from assets.quality.run import run_delivery_suite
from assets.quality.violations import COLUMN_KINDS, violated_rows_sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb


def having_a_value(check: Check, violated_sql: str) -> str:
    """The query for the rows that a check can decide, made from the query for those that violate it."""
    source, condition = violated_sql.split("\nwhere ")
    if check.kind is Kind.READABLE:
        return f"{source}\nwhere {check.column} is not null or {check.column}__text is not null"
    if check.measure_id is not None:
        return f"{source}\nwhere measure_id = '{check.measure_id}' and {check.column} is not null"
    return f"{source}\nwhere ({condition}) is not null"


TABLES = [table.name for table in CONTRACT.tables]


@pytest.mark.parametrize("table", TABLES)
def test_good_rows_pass_every_check_once(
    table: str, good: Callable[[str], Path], connection: duckdb.DuckDBPyConnection
) -> None:
    results = run_delivery_suite(connection, CONTRACT, table, [good(table)])
    expected = [check.check_id for check in delivery_checks(CONTRACT, CONTRACT.table(table))]
    assert [result.check_id for result in results] == expected
    assert {r.check_id: r.status for r in results if r.status is not Status.PASS} == {}
    assert all(r.evaluated and r.violated == 0 and not r.holds for r in results)


@pytest.mark.parametrize("table", TABLES)
def test_broken_rows_are_counted_exactly(
    table: str, broken: Callable[[str], Path], connection: duckdb.DuckDBPyConnection
) -> None:
    path = broken(table)
    results = {r.check_id: r for r in run_delivery_suite(connection, CONTRACT, table, [path])}
    relation = f"read_parquet('{path}')"
    frame = pl.read_parquet(path).with_columns(structure=pl.col("violations") == 1)
    if table == "measurement":
        frame = frame.join(measure_frame(CONTRACT), on="measure_id", how="left")
    typing_pass = {check.check_id for check in row_checks(CONTRACT, CONTRACT.table(table))}
    for check in delivery_checks(CONTRACT, CONTRACT.table(table)):
        result = results[check.check_id]
        if check.kind in COLUMN_KINDS:
            assert result.status is Status.PASS
            continue
        sql = violated_rows_sql(CONTRACT, check, relation)
        rows = connection.execute(sql).fetchall()
        decided = connection.execute(having_a_value(check, sql)).fetchall()
        assert result.evaluated == len(decided), check.check_id
        assert result.violated == len(rows) > 0, check.check_id
        assert result.status in (Status.PASS_WITH_VIOLATIONS, Status.WARN, Status.FAIL)
        if check.check_id in typing_pass:
            assert result.violated == frame.select(violated(check, CONTRACT.table(table)).sum()).item(), check.check_id


def test_rows_are_read_in_two_scans_and_keys_once(
    broken: Callable[[str], Path], connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assets.quality.duckdb_dialect import Cursor  # noqa: PLC0415 # SQLAlchemy is slow to import

    seen: list[str] = []
    execute = Cursor.execute

    def spy(self: Cursor, operation: str, parameters: tuple[object, ...] = ()) -> None:
        seen.append(operation)
        execute(self, operation, parameters)

    monkeypatch.setattr(Cursor, "execute", spy)
    run_delivery_suite(connection, CONTRACT, "measurement", [broken("measurement")])
    reading = [sql for sql in seen if "quality_measurement_rows" in sql and '"visit_key"' in sql]
    assert len(reading) == 1
    assert len(seen) <= 10


def test_several_files_are_one_suite(
    tmp_path: Path, good: Callable[[str], Path], connection: duckdb.DuckDBPyConnection
) -> None:
    first = good("visit")
    second = tmp_path / "it's another.parquet"
    second.write_bytes(first.read_bytes())
    results = {r.check_id: r for r in run_delivery_suite(connection, CONTRACT, "visit", [first, second])}
    assert results["visit.visit_key.required"].evaluated == 2
    assert results["visit.visit_type.allowed"].evaluated == 2


def test_what_is_absent_has_not_passed(write_lake: Callable[..., Path], connection: duckdb.DuckDBPyConnection) -> None:
    row = {"measure_id": "nprs_avg24h", "visit_key": "v1", "side": "none", "unit": "points", "value": 3}
    results = {
        r.check_id: r
        for r in run_delivery_suite(connection, CONTRACT, "measurement", [write_lake("measurement", [row])])
    }
    assert results["measurement.value.possible.nprs_avg24h"].status is Status.PASS
    assert results["measurement.value.possible.nprs_avg24h"].evaluated == 1
    other = results["measurement.value.possible.vas_mm"]
    assert (other.status, other.reason) == (Status.NOT_APPLICABLE, "the measure does not occur")
    empty = results["measurement.method.allowed"]
    assert (empty.status, empty.reason) == (Status.NOT_APPLICABLE, "no row has a value to check")


@pytest.mark.parametrize("rows", [0, None])
def test_no_rows_is_not_applicable(
    rows: int | None, write_lake: Callable[..., Path], connection: duckdb.DuckDBPyConnection
) -> None:
    files = [] if rows is None else [write_lake("visit", [])]
    results = run_delivery_suite(connection, CONTRACT, "visit", files)
    of_rows = {r.status for r in results if not r.check_id.endswith((".schema", ".type"))}
    assert of_rows == {Status.NOT_APPLICABLE}


def test_a_missing_column_fails_the_schema_and_errs_where_it_is_read(
    good: Callable[[str], Path], connection: duckdb.DuckDBPyConnection
) -> None:
    path = good("visit")
    pl.read_parquet(path).drop("visit_type").write_parquet(path)
    results = {r.check_id: r for r in run_delivery_suite(connection, CONTRACT, "visit", [path])}
    assert (results["visit.schema"].status, results["visit.schema"].holds) == (Status.FAIL, True)
    allowed = results["visit.visit_type.allowed"]
    assert (allowed.status, allowed.evaluated, allowed.violated) == (Status.ERROR, None, None)
    assert allowed.reason == "not evaluated: DuckDB BinderException"


def test_a_file_that_cannot_be_read_is_an_error_of_every_check(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "visit.0.parquet"
    path.write_text("no parquet")
    results = run_delivery_suite(connection, CONTRACT, "visit", [path])
    assert {r.status for r in results} == {Status.ERROR}
    assert all("no parquet" not in repr(r) for r in results)


def test_a_crash_of_great_expectations_is_an_error_without_its_text(
    good: Callable[[str], Path], connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from great_expectations.datasource.fluent.interfaces import Batch  # noqa: PLC0415 # slow to import

    def crash(*_: object, **__: object) -> None:
        message = "CANARY"
        raise RuntimeError(message)

    monkeypatch.setattr(Batch, "validate", crash)
    results = run_delivery_suite(connection, CONTRACT, "visit", [good("visit")])
    assert {(r.status, r.reason) for r in results} == {(Status.ERROR, "not evaluated: error inside Great Expectations")}


def test_nothing_is_left_behind(good: Callable[[str], Path], connection: duckdb.DuckDBPyConnection) -> None:
    before = connection.execute("select count(*) from duckdb_views() where not internal").fetchall()
    run_delivery_suite(connection, CONTRACT, "visit", [good("visit")])
    assert connection.execute("select count(*) from duckdb_views() where not internal").fetchall() == before
    assert connection.execute("select count(*) from duckdb_tables() where temporary").fetchall() == [(0,)]


def test_columns_have_no_rows_to_list() -> None:
    for check in delivery_checks(CONTRACT, CONTRACT.table("visit")):
        if check.kind in (Kind.SCHEMA, Kind.TYPE):
            with pytest.raises(ValueError, match="speaks of columns"):
                violated_rows_sql(CONTRACT, check)
        else:
            assert "from lake.visit" in violated_rows_sql(CONTRACT, check)
