"""What is kept of a check: counts and a status, never a value of a row and never a foreign error text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from assets.contract.model import Severity

if TYPE_CHECKING:
    from assets.contract.checks import Check, Kind, Stage


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 # not a password
    PASS_WITH_VIOLATIONS = "pass_with_violations"  # noqa: S105 # not a password
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one delivery or release.

    ``evaluated`` rows had a value to check, ``violated`` of them violate it; both are null in an error. For checks of
    columns both count columns (1). ``seconds`` is the check's equal share of its suite, because a suite is one scan.
    ``violated_sql`` lists the rows (empty where there are none to list). ``blocks``: a failure holds the delivery or
    release. ``reason`` says why a check was not applicable or could not be evaluated. ``score``: what a check compares
    with its threshold where that is not the share of violated in evaluated; above it the check is violated.
    ``validation`` is what Great Expectations said, as JSON without a value of a row; empty where it was not asked.
    """

    check_id: str
    table: str
    stage: Stage
    kind: Kind
    severity: Severity
    status: Status
    evaluated: int | None
    violated: int | None
    tolerance: float
    seconds: float
    violated_sql: str
    blocks: bool
    reason: str = ""
    score: float | None = None
    validation: str = ""

    @property
    def sql_hash(self) -> str:
        """Short digest of ``violated_sql``: two results with the same digest asked the same question."""
        return hashlib.sha256(self.violated_sql.encode()).hexdigest()[:16] if self.violated_sql else ""

    @property
    def holds(self) -> bool:
        """Whether the delivery or release is held here."""
        if self.status is Status.ERROR:
            return self.severity is Severity.CRITICAL
        return self.blocks and self.status is Status.FAIL


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Great Expectations said of one check. ``error`` is the class of its error, empty if there was none.

    ``validation`` is its own result as JSON, without a value of a row; empty where it gave none.
    """

    success: bool
    evaluated: int = 0
    violated: int = 0
    error: str = ""
    validation: str = ""


def result(check: Check, outcome: Outcome, seconds: float, violated_sql: str) -> CheckResult:
    """Turn what Great Expectations said into a result."""
    return replace(_judged(check, outcome, seconds, violated_sql), validation=outcome.validation)


def _judged(check: Check, outcome: Outcome, seconds: float, violated_sql: str) -> CheckResult:
    if outcome.error:
        return _result(check, Status.ERROR, None, None, seconds, violated_sql, f"not evaluated: {outcome.error}")
    if outcome.evaluated == 0:
        return _result(check, Status.NOT_APPLICABLE, 0, 0, seconds, violated_sql, "no row has a value to check")
    if outcome.violated == 0 and outcome.success:
        status = Status.PASS
    elif outcome.success:
        status = Status.PASS_WITH_VIOLATIONS
    else:
        status = Status.FAIL if check.severity is Severity.CRITICAL else Status.WARN
    return _result(check, status, outcome.evaluated, outcome.violated, seconds, violated_sql, "")


def not_applicable(check: Check, reason: str, violated_sql: str) -> CheckResult:
    """Return the result of a check that has nothing to look at. An empty column has not passed."""
    return _result(check, Status.NOT_APPLICABLE, 0, 0, 0.0, violated_sql, reason)


def _result(
    check: Check, status: Status, evaluated: int | None, violated: int | None, seconds: float, sql: str, reason: str
) -> CheckResult:
    return CheckResult(
        check.check_id,
        check.table,
        check.stage,
        check.kind,
        check.severity,
        status,
        evaluated,
        violated,
        check.tolerance,
        seconds,
        sql,
        check.blocks,
        reason,
    )
