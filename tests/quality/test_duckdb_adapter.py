"""Great Expectations inside DuckDB: the parity test says when new versions stop working together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, Stage
from assets.contract.model import Bounds, Column, ColumnType, Contract, Severity, Table
from assets.quality.results import Outcome
from assets.quality.validation import evaluate

if TYPE_CHECKING:
    from pathlib import Path

THING = Table(
    "thing",
    "six rows",
    (
        Column("name", ColumnType.KEY, "key"),
        Column("code", ColumnType.CODE, "code"),
        Column("number", ColumnType.INTEGER, "number"),
        Column("score", ColumnType.SCORE, "score"),
        Column("wrong", ColumnType.CODE, "flag"),
    ),
    ("name",),
)
SMALL: Contract = replace(CONTRACT, tables=(THING,))
SIX_ROWS = """
    select * from (values
        ('a1', 'x', 1, 0.5, false), ('b 2', 'y', 2, 1.5, false), ('a3' || chr(10), 'z', 11, 10.0, true),
        (null, null, null, null, null), ('xa4', 'X', -1, 10.001, true), ('a5', 'x', 10, 0.0, false)
    ) as six (name, code, number, score, wrong)
"""
CLEAN_ROWS = "select 'a1' as name, 'x' as code, 1 as number, 1.5 as score, false as wrong from range(6)"


def typed(rows: str) -> str:
    score = THING.column("score").duckdb_type
    return f"select name, code, number::integer as number, score::{score} as score, wrong from ({rows})"


def check(kind: Kind, column: str | None = None, tolerance: float = 0.0, **how: object) -> Check:
    return Check(
        f"thing.{column}.{kind}",
        Stage.RELEASE if kind is Kind.RULE else Stage.DELIVERY,
        kind,
        "thing",
        column,
        "",
        "",
        Severity.CRITICAL,
        tolerance,
        "",
        **how,  # type: ignore[arg-type]
    )


CASES = {
    "schema": (check(Kind.SCHEMA, allowed=THING.names), Outcome(success=True, evaluated=1)),
    "type": (check(Kind.TYPE, "score"), Outcome(success=True, evaluated=1)),
    "required": (check(Kind.REQUIRED, "name"), Outcome(success=False, evaluated=6, violated=1)),
    # anchors count, a line end is no part of a key
    "pattern": (
        check(Kind.PATTERN, "name", pattern=r"^a[0-9]$"),
        Outcome(success=False, evaluated=5, violated=3),
    ),
    "pattern_search": (check(Kind.PATTERN, "name", pattern="a"), Outcome(success=False, evaluated=5, violated=1)),
    "allowed": (
        check(Kind.ALLOWED, "code", allowed=("x", "y")),
        Outcome(success=False, evaluated=5, violated=2),
    ),
    "possible": (
        check(Kind.POSSIBLE, "number", bounds=Bounds(0, 10, "")),
        Outcome(success=False, evaluated=5, violated=2),
    ),
    "decimal": (
        check(Kind.PLAUSIBLE, "score", bounds=Bounds(0, 10, "")),
        Outcome(success=False, evaluated=5, violated=1),
    ),
    "mostly": (
        check(Kind.PLAUSIBLE, "score", tolerance=0.2, bounds=Bounds(0, 10, "")),
        Outcome(success=True, evaluated=5, violated=1),
    ),
}


def counted(connection: duckdb.DuckDBPyConnection, suites: dict[str, list[Check]]) -> dict[str, Outcome]:
    """Outcomes without what Great Expectations said in its own words, which ``test_validations`` reads."""
    outcomes = evaluate(connection, SMALL, suites)
    return {check_id: replace(outcome, validation="") for check_id, outcome in outcomes.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["temp table", "temp view", "table", "view"])
def test_parity_on_six_rows(case: str, kind: str, connection: duckdb.DuckDBPyConnection) -> None:
    one, expected = CASES[case]
    connection.execute(f"create {kind} six as {typed(SIX_ROWS)}")
    connection.execute(f"create {kind} clean as {typed(CLEAN_ROWS)}")
    assert counted(connection, {"six": [one]}) == {one.check_id: expected}
    clean = counted(connection, {"clean": [one]})[one.check_id]
    assert (clean.success, clean.violated, clean.error) == (True, 0, "")


def test_schema_and_type_fail(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"create table six as select *, 1 as extra from ({typed(SIX_ROWS)})")
    schema, number = CASES["schema"][0], check(Kind.TYPE, "wrong")
    outcomes = counted(connection, {"six": [schema, number]})
    assert outcomes[schema.check_id] == Outcome(success=False, evaluated=1, violated=1)
    assert outcomes[number.check_id] == Outcome(success=False, evaluated=1, violated=1)


def test_flags_are_counted_with_their_weight(connection: duckdb.DuckDBPyConnection) -> None:
    rule = check(Kind.RULE, "wrong")
    connection.execute(
        'create temp table flags_counted as select wrong as "thing.wrong.rule", occurrences from '
        "(values (true, 3), (false, 1000000), (null, 50)) as flags (wrong, occurrences)"
    )
    assert counted(connection, {"flags_counted": [rule]}) == {
        rule.check_id: Outcome(success=False, evaluated=1_000_003, violated=3)
    }


def test_counts_of_a_plain_table_are_rows(connection: duckdb.DuckDBPyConnection) -> None:
    one, expected = CASES["allowed"]
    connection.execute(f"create table plain as select *, 7 as occurrences from ({typed(SIX_ROWS)})")
    assert counted(connection, {"plain": [one]}) == {one.check_id: expected}


def test_file_database_parquet_view_and_open_transaction(tmp_path: Path) -> None:
    one, expected = CASES["allowed"]
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute(f"copy ({typed(SIX_ROWS)}) to '{tmp_path / 'six.parquet'}' (format parquet)")
        connection.execute("begin")
        connection.execute("create table uncommitted as select 1 as one")
        connection.execute(f"create temp view six as select * from read_parquet('{tmp_path / 'six.parquet'}')")
        assert counted(connection, {"six": [one]}) == {one.check_id: expected}
        connection.execute("rollback")
        found = connection.execute("select count(*) from duckdb_tables() where table_name = 'uncommitted'").fetchall()
        assert found == [(0,)], "the transaction belongs to the pipeline"


def test_errors_carry_a_class_and_no_text(connection: duckdb.DuckDBPyConnection) -> None:
    from assets.quality import duckdb_dialect  # noqa: PLC0415 # SQLAlchemy is slow to import

    cursor = duckdb_dialect.Connection(connection).cursor()
    with pytest.raises(duckdb_dialect.OperationalError) as caught:
        cursor.execute("select cast('CANARY' as integer)")
    assert str(caught.value) == "ConversionException"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_results_outlive_the_transaction_and_names_do_not(connection: duckdb.DuckDBPyConnection) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 # slow to import

    from assets.quality.duckdb_dialect import shared  # noqa: PLC0415 # as above

    with shared(connection) as url:
        engine = sa.create_engine(url)
        with engine.connect() as lent:
            result = lent.execute(sa.text("select * from range(3)"))
        assert result.fetchall() == [(0,), (1,), (2,)]
    with pytest.raises(sa.exc.OperationalError, match="no DuckDB connection is shared"):
        sa.create_engine(url).connect()
    assert connection.execute("select 1").fetchall() == [(1,)], "the connection is still open"
