"""Evaluate SQL checks: DuckDB counts what their queries list, Great Expectations judges the counts.

Great Expectations knows columns of rows, so it reads a table with one column per check, named like the check. It holds
two rows for each check, what violates it and what does not, with the number of rows in ``occurrences``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from assets.contract.thresholds import tolerance
from assets.quality.results import CheckResult, Outcome, not_applicable, result
from assets.quality.validation import evaluate
from assets.quality.views import COUNTED, OCCURRENCES
from assets.quality.violations import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assets.contract.checks import Check
    from assets.contract.model import Contract

RELATION = f"quality_sql{COUNTED}"
FOUND = "quality_sql_found"
NOTHING = "there is nothing to check"


@dataclass(frozen=True, slots=True)
class _Found:
    evaluated: int = 0
    violated: int = 0
    seconds: float = 0.0
    error: str = ""
    score: float | None = None


def run_sql_checks(
    connection: duckdb.DuckDBPyConnection, contract: Contract, checks: Sequence[Check]
) -> list[CheckResult]:
    """Evaluate checks that state their own queries; one result each, in their order, with its own seconds.

    Errors become results; nothing is raised for bad data.
    """
    found = {check.check_id: _count(connection, check) for check in checks}
    judged = [check for check in checks if found[check.check_id].evaluated]
    try:
        _keep(connection, judged, found)
        outcomes = evaluate(connection, contract, {RELATION: judged})
    except duckdb.Error as error:
        outcomes = {check.check_id: Outcome(success=False, error=f"DuckDB {type(error).__name__}") for check in judged}
    finally:
        for name in (RELATION, FOUND):
            connection.execute(f"drop table if exists temp.{name}")
    return [_result(contract, check, found[check.check_id], outcomes) for check in checks]


def _count(connection: duckdb.DuckDBPyConnection, check: Check) -> _Found:
    started = time.perf_counter()
    try:
        evaluated, violated, score = connection.execute(
            f"select ({check.evaluated_sql}), (select count(*) from ({check.violated_sql})), "
            f"({check.score_sql or 'select null'})"
        ).fetchall()[0]
    except duckdb.Error as error:
        return _Found(seconds=time.perf_counter() - started, error=f"DuckDB {type(error).__name__}")
    # what violates a check was looked at, whatever the other query counts
    return _Found(max(int(evaluated or 0), violated), violated, time.perf_counter() - started, score=score)


def _keep(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check], found: Mapping[str, _Found]) -> None:
    """Create the table that Great Expectations reads."""
    connection.execute(
        f"create or replace temp table {FOUND} (check_id varchar, violated boolean, {OCCURRENCES} bigint)"
    )
    rows = [
        (check.check_id, is_violated, number)
        for check in checks
        for is_violated, number in (
            (True, found[check.check_id].violated),
            (False, found[check.check_id].evaluated - found[check.check_id].violated),
        )
    ]
    values = ", ".join(f"({literal(name)}, {literal(flag)}, {number})" for name, flag, number in rows)
    if values:
        connection.execute(f"insert into {FOUND} values {values}")
    columns = "".join(
        f', case when check_id = {literal(check.check_id)} then violated end as "{check.check_id}"' for check in checks
    )
    connection.execute(f"create or replace temp table {RELATION} as select {OCCURRENCES}{columns} from {FOUND}")


def _result(contract: Contract, check: Check, found: _Found, outcomes: Mapping[str, Outcome]) -> CheckResult:
    if found.error:
        return result(check, Outcome(success=False, error=found.error), found.seconds, check.violated_sql)
    if not found.evaluated:
        return not_applicable(check, check.absent or NOTHING, check.violated_sql)
    judged = result(check, outcomes[check.check_id], found.seconds, check.violated_sql)
    if not check.score_sql:
        return judged
    return replace(judged, score=found.score, tolerance=tolerance(check.check_id, check.kind, contract.thresholds))
