"""Evaluate all checks of a delivery's table or of a release.

Nothing here imports Great Expectations before a suite runs; it is imported once per process (seconds, 250 MB).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import duckdb

from assets.contract.checks import Check, delivery_checks, release_checks
from assets.quality.results import CheckResult, Outcome, not_applicable, result
from assets.quality.validation import evaluate
from assets.quality.views import COUNTED, OCCURRENCES, on_rows, relations
from assets.quality.violations import COLUMN_KINDS, literal, violated_rows_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from assets.contract.model import Contract

RELEASE = f"quality_release{COUNTED}"


def run_delivery_suite(
    connection: duckdb.DuckDBPyConnection, contract: Contract, table: str, files: Sequence[Path]
) -> list[CheckResult]:
    """Evaluate every delivery-stage check of ``table`` on its lake files, set-aside rows included.

    ``connection`` needs to read the files and to create temporary relations, which are dropped again. One result per
    check, in the order of the contract. A check of a measure that does not occur, or of a column without a value, is
    not applicable; so are all checks if there are no files. Errors become results; nothing is raised for bad data.
    """
    known = contract.table(table)
    checks = delivery_checks(contract, known)
    if not files:
        return [not_applicable(check, f"no rows of {table} were sent", _sql(contract, check)) for check in checks]
    started = time.perf_counter()
    outcomes: dict[str, Outcome] = {}
    absent: set[str] = set()
    try:
        with relations(connection, contract, known, checks, files) as found:
            plain = [check for check in checks if on_rows(contract, check)]
            counted = [check for check in checks if not on_rows(contract, check)]
            if found.failure:
                outcomes.update(_failed(counted, found.failure))
                counted = []
            else:
                absent = {
                    c.check_id for c in counted if c.measure_id is not None and c.measure_id not in found.measures
                }
            present = [check for check in counted if check.check_id not in absent]
            outcomes.update(evaluate(connection, contract, {found.rows: plain, found.counted: present}))
    except duckdb.Error as error:
        outcomes = _failed(checks, type(error).__name__)
    results = _results(contract, [c for c in checks if c.check_id not in absent], outcomes, started)
    missing = {
        c.check_id: not_applicable(c, "the measure does not occur", _sql(contract, c))
        for c in checks
        if c.check_id in absent
    }
    return [results.get(check.check_id) or missing[check.check_id] for check in checks]


def run_release_suite(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[CheckResult]:
    """Evaluate every release-stage check on what the models found in all accepted rows.

    Reads ``audit.rule_evaluated`` (check_id, evaluated) and counts the rows of ``audit.rule_violation`` by check_id.
    A check the models say nothing about is an error: a rule that was not evaluated has not passed.
    """
    checks = release_checks(contract)
    started = time.perf_counter()
    try:
        said = {row[0] for row in connection.execute("select check_id from audit.rule_evaluated").fetchall()}
        connection.execute(f"create or replace temp table {RELEASE} as {_release_sql(checks)}")
        present = [check for check in checks if check.check_id in said]
        outcomes = evaluate(connection, contract, {RELEASE: present})
        silent = Outcome(success=False, error="the models did not evaluate it")
        outcomes.update({check.check_id: silent for check in checks if check.check_id not in said})
    except duckdb.Error as error:
        outcomes = _failed(checks, type(error).__name__)
    finally:
        connection.execute(f"drop table if exists temp.{RELEASE}")
    return list(_results(contract, checks, outcomes, started).values())


def _release_sql(checks: Sequence[Check]) -> str:
    """Two rows per check: how many rows violate it and how many do not, as flags in a column named like the check."""
    columns = ", ".join(
        f'case when check_id = {literal(check.check_id)} then violated end as "{check.check_id}"' for check in checks
    )
    return (
        "with violated as (select check_id, count(*) as n from audit.rule_violation group by check_id), "
        "counted as ("
        "select check_id, true as violated, n from violated union all "
        "select check_id, false, evaluated - coalesce(n, 0) "
        "from audit.rule_evaluated left join violated using (check_id)"
        f") select {columns}, cast(n as bigint) as {OCCURRENCES} from counted"
    )


def _failed(checks: Sequence[Check], error: str) -> dict[str, Outcome]:
    return {check.check_id: Outcome(success=False, error=f"DuckDB {error}") for check in checks}


def _results(
    contract: Contract, checks: Sequence[Check], outcomes: Mapping[str, Outcome], started: float
) -> dict[str, CheckResult]:
    seconds = (time.perf_counter() - started) / max(len(checks), 1)
    return {c.check_id: result(c, outcomes[c.check_id], seconds, _sql(contract, c)) for c in checks}


def _sql(contract: Contract, check: Check) -> str:
    return "" if check.kind in COLUMN_KINDS else violated_rows_sql(contract, check)
