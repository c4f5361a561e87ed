"""The release suite judges what the models found, and does not take silence for a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.contract.checks import release_checks
from assets.quality.results import Status
from assets.quality.run import run_release_suite
from assets.quality.violations import violated_rows_sql

if TYPE_CHECKING:
    import duckdb


@pytest.fixture
def audited(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("create schema audit")
    connection.execute("create table audit.rule_evaluated (check_id varchar, evaluated bigint)")
    connection.execute(
        "create table audit.rule_violation"
        " (delivery_id varchar, file varchar, row_number bigint, table_name varchar, check_id varchar)"
    )
    connection.executemany(
        "insert into audit.rule_evaluated values (?, 100)", [(check.check_id,) for check in release_checks(CONTRACT)]
    )
    return connection


def violate(connection: duckdb.DuckDBPyConnection, check_id: str, rows: int) -> None:
    connection.execute(
        "insert into audit.rule_violation select 'd1', 'f.csv', range, 't', ? from range(?)", [check_id, rows]
    )


def test_all_pass(audited: duckdb.DuckDBPyConnection) -> None:
    results = run_release_suite(audited, CONTRACT)
    assert [r.check_id for r in results] == [check.check_id for check in release_checks(CONTRACT)]
    assert {(r.status, r.evaluated, r.violated) for r in results} == {(Status.PASS, 100, 0)}


def test_violations_are_counted_and_judged_by_tolerance(audited: duckdb.DuckDBPyConnection) -> None:
    violate(audited, "visit.key.unique", 50)
    violate(audited, "episode.patient_key.reference", 51)
    violate(audited, "visit.day_offset.starts_at_zero", 5)
    violate(audited, "measurement.measure_id.same_at_both_ends", 6)
    results = {r.check_id: r for r in run_release_suite(audited, CONTRACT)}
    seen = {check_id: (r.status, r.violated, r.holds) for check_id, r in results.items() if r.status is not Status.PASS}
    assert seen == {
        "visit.key.unique": (Status.PASS_WITH_VIOLATIONS, 50, False),
        "episode.patient_key.reference": (Status.FAIL, 51, True),
        "visit.day_offset.starts_at_zero": (Status.PASS_WITH_VIOLATIONS, 5, False),
        "measurement.measure_id.same_at_both_ends": (Status.WARN, 6, False),
    }
    for check in release_checks(CONTRACT):
        rows = audited.execute(violated_rows_sql(CONTRACT, check)).fetchall()
        assert len(rows) == results[check.check_id].violated


def test_a_rule_nobody_evaluated_is_an_error(audited: duckdb.DuckDBPyConnection) -> None:
    audited.execute("delete from audit.rule_evaluated where check_id = 'visit.key.unique'")
    audited.execute("update audit.rule_evaluated set evaluated = 0 where check_id = 'patient.key.unique'")
    results = {r.check_id: r for r in run_release_suite(audited, CONTRACT)}
    assert (results["visit.key.unique"].status, results["visit.key.unique"].holds) == (Status.ERROR, True)
    assert results["patient.key.unique"].status is Status.NOT_APPLICABLE


def test_no_audit_tables_is_an_error_of_every_check(connection: duckdb.DuckDBPyConnection) -> None:
    assert {r.status for r in run_release_suite(connection, CONTRACT)} == {Status.ERROR}
