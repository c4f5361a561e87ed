"""Suites are the contract's checks, one expectation each, of types that show no values."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, Stage, delivery_checks, release_checks
from assets.contract.model import Severity
from assets.quality import suites
from assets.quality.results import Outcome, Status, not_applicable, result
from assets.quality.violations import violated_rows_sql

CHECKS = [check for table in CONTRACT.tables for check in delivery_checks(CONTRACT, table)]
CHECK = CHECKS[0]


def test_one_expectation_per_check() -> None:
    checks = [*CHECKS, *release_checks(CONTRACT)]
    made = suites.suite("all", CONTRACT, checks)
    assert len(made.expectations) == len(checks) >= 60
    assert {e.expectation_type for e in made.expectations} == suites.TYPES
    assert [e.severity for e in made.expectations] == [str(check.severity) for check in checks]
    assert not any(getattr(e, "row_condition", None) for e in made.expectations)


def test_unknown_kinds_raise() -> None:
    unknown: Any = "nonsense"
    check = replace(CHECKS[-1], kind=unknown)
    with pytest.raises(ValueError, match="no expectation evaluates"):
        suites.suite("x", CONTRACT, [check])
    with pytest.raises(ValueError, match="no SQL condition"):
        violated_rows_sql(CONTRACT, check)


@pytest.mark.parametrize("kind", [Kind.PATTERN, Kind.ALLOWED, Kind.POSSIBLE, Kind.PLAUSIBLE])
def test_a_check_without_what_its_kind_needs_raises(kind: Kind) -> None:
    check = replace(CHECKS[-1], kind=kind, allowed=(), bounds=None, pattern=None)
    with pytest.raises(ValueError, match="no expectation evaluates"):
        suites.suite("x", CONTRACT, [check])
    with pytest.raises(ValueError, match="no SQL condition"):
        violated_rows_sql(CONTRACT, check)


def test_types_that_show_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        suites, "expectation_type_and_arguments", lambda *_: ("expect_column_max_to_be_between", {"column": "value"})
    )
    with pytest.raises(ValueError, match="could show values"):
        suites.suite("x", CONTRACT, [CHECK])


def test_lost_expectations_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations as gx  # noqa: PLC0415 # slow to import

    monkeypatch.setattr(gx, "ExpectationSuite", lambda **_: type("Empty", (), {"expectations": []})())
    with pytest.raises(ValueError, match="1 checks became 0 expectations"):
        suites.suite("x", CONTRACT, [CHECK])


@pytest.mark.parametrize(
    ("severity", "outcome", "status", "holds"),
    [
        (Severity.CRITICAL, Outcome(success=True, evaluated=10), Status.PASS, False),
        (Severity.CRITICAL, Outcome(success=True, evaluated=10, violated=1), Status.PASS_WITH_VIOLATIONS, False),
        (Severity.CRITICAL, Outcome(success=False, evaluated=10, violated=9), Status.FAIL, True),
        (Severity.WARNING, Outcome(success=True, evaluated=10), Status.PASS, False),
        (Severity.WARNING, Outcome(success=True, evaluated=10, violated=1), Status.PASS_WITH_VIOLATIONS, False),
        (Severity.WARNING, Outcome(success=False, evaluated=10, violated=9), Status.WARN, False),
        (Severity.CRITICAL, Outcome(success=True), Status.NOT_APPLICABLE, False),
        (Severity.CRITICAL, Outcome(success=False, error="DuckDB BinderException"), Status.ERROR, True),
        (Severity.WARNING, Outcome(success=False, error="DuckDB BinderException"), Status.ERROR, False),
    ],
)
def test_status(severity: Severity, outcome: Outcome, status: Status, holds: bool) -> None:  # noqa: FBT001 # a column of the table above
    made = result(replace(CHECK, severity=severity), outcome, 0.1, "select 1")
    assert (made.status, made.holds) == (status, holds)
    assert len(made.sql_hash) == 16


def test_not_applicable_says_why() -> None:
    made = not_applicable(CHECK, "the measure does not occur", "")
    assert (made.status, made.reason, made.sql_hash) == (Status.NOT_APPLICABLE, "the measure does not occur", "")


def test_release_checks_look_at_the_column_of_their_name() -> None:
    check = Check("a.b.c", Stage.RELEASE, Kind.RULE, "a", "b", "t", "s", Severity.WARNING, 0.05, "R")
    kind, arguments = suites.expectation_type_and_arguments(CONTRACT, check)
    assert (kind, arguments) == (
        "expect_column_values_to_be_in_set",
        {"column": "a.b.c", "mostly": 0.95, "value_set": [False]},
    )


def test_great_expectations_is_imported_only_when_a_suite_runs() -> None:
    slow = "{'great_expectations', 'sqlalchemy', 'dagster'}"
    code = f"import sys, assets.quality.run; sys.exit(bool({slow} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 # fixed command
