"""Checks that state their own queries: counted by DuckDB, judged by Great Expectations, never silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, Stage
from assets.contract.model import Severity
from assets.quality.results import Status
from assets.quality.sql_checks import run_sql_checks

if TYPE_CHECKING:
    import duckdb


def check(name: str, violated: int, evaluated: int, severity: Severity = Severity.CRITICAL, **how: object) -> Check:
    stated: dict[str, object] = {
        "violated_sql": f"select range as key from range({violated})",
        "evaluated_sql": f"select {evaluated}",
    }
    return Check(
        f"marts.thing.{name}",
        Stage.MODEL,
        Kind.GRAIN,
        "marts.thing",
        None,
        name,
        name,
        severity,
        **{"tolerance": 0.0, "reason": "GRAIN", **stated, **how},  # type: ignore[arg-type]
    )


def test_each_status(connection: duckdb.DuckDBPyConnection) -> None:
    checks = [
        check("clean", 0, 10),
        check("broken", 1, 10),
        check("tolerated", 1, 10, tolerance=0.1),
        check("reported", 3, 10, Severity.WARNING, tolerance=0.1),
        check("absent", 0, 0, absent="no clinic has sent anything"),
        check("wrong", 0, 10, violated_sql="select nothing from nowhere"),
        check("undercounted", 4, 0),
        check("scored", 0, 10, score_sql="select 1.5"),
    ]
    results = {r.check_id.rpartition(".")[2]: r for r in run_sql_checks(connection, CONTRACT, checks)}
    assert list(results) == [c.title for c in checks]
    assert {name: (r.status, r.holds) for name, r in results.items()} == {
        "clean": (Status.PASS, False),
        "broken": (Status.FAIL, True),
        "tolerated": (Status.PASS_WITH_VIOLATIONS, False),
        "reported": (Status.WARN, False),
        "absent": (Status.NOT_APPLICABLE, False),
        "wrong": (Status.ERROR, True),
        "undercounted": (Status.FAIL, True),
        "scored": (Status.PASS, False),
    }
    assert (results["broken"].evaluated, results["broken"].violated) == (10, 1)
    assert (results["undercounted"].evaluated, results["undercounted"].violated) == (4, 4)
    assert (results["scored"].score, results["clean"].score) == (1.5, None)
    assert results["absent"].reason == "no clinic has sent anything"
    assert results["wrong"].reason == "not evaluated: DuckDB CatalogException"
    assert all(r.seconds > 0 for r in results.values() if r.status is not Status.NOT_APPLICABLE)
    assert connection.execute("select count(*) from duckdb_tables() where temporary").fetchall() == [(0,)]


def test_no_checks_no_results(connection: duckdb.DuckDBPyConnection) -> None:
    assert run_sql_checks(connection, CONTRACT, []) == []
