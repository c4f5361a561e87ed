"""Checks of the contract as Great Expectations suites.

Only the expectation types of ``TYPES`` are used. They compare each value or column with the contract and answer with
counts; types that report an aggregate of the data (a maximum, the most common value) would show values of patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.contract.checks import Check, Kind, Stage
from assets.quality.views import checked_column
from assets.quality.violations import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from great_expectations import ExpectationSuite

    from assets.contract.model import Contract

TYPES = frozenset(
    {
        "expect_table_columns_to_match_set",
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_between",
    }
)
"""Expectation types that give no value of a row away."""

FLAGS = frozenset(
    {
        Kind.STRUCTURE,
        Kind.USABLE,
        Kind.READABLE,
        Kind.ROW_RULE,
        Kind.UNIQUE,
        Kind.REFERENCE,
        Kind.RULE,
        Kind.BEHAVIOUR,
        Kind.VOLUME,
    }
)
"""Kinds that are a yes or no per row already."""


def expectation_type_and_arguments(contract: Contract, check: Check) -> tuple[str, dict[str, Any]]:
    """Return the name and arguments of the expectation that evaluates ``check``.

    For SQL checks, the kinds of ``FLAGS`` and a required number the relation has a column of *violated* flags that must
    all be false. ``mostly`` is the share of rows that must be right.

    Raises:
        ValueError: a kind that no expectation evaluates, or a check without what its kind needs.

    """
    if check.kind is Kind.SCHEMA and check.allowed:
        return "expect_table_columns_to_match_set", {"column_set": list(check.allowed), "exact_match": True}
    if check.kind is Kind.TYPE and check.column:
        stored = contract.table(check.table).column(check.column).duckdb_type
        return "expect_column_values_to_be_of_type", {"column": check.column, "type_": stored}
    column = checked_column(contract, check) if check.stage is Stage.DELIVERY else check.check_id
    kind, arguments = _row_expectation(contract, check)
    return kind, {"column": column, "mostly": 1 - check.tolerance, **arguments}


def _row_expectation(contract: Contract, check: Check) -> tuple[str, dict[str, Any]]:
    if check.kind is Kind.REQUIRED and not is_number(contract, check):
        return "expect_column_values_to_not_be_null", {}
    if check.kind is Kind.PATTERN and check.pattern:
        return "expect_column_values_to_match_regex", {"regex": check.pattern}
    if check.kind is Kind.ALLOWED and check.allowed:
        return "expect_column_values_to_be_in_set", {"value_set": list(check.allowed)}
    if check.kind in (Kind.POSSIBLE, Kind.PLAUSIBLE) and check.bounds:
        limits = {"min_value": check.bounds.low, "max_value": check.bounds.high}
        return "expect_column_values_to_be_between", limits
    if check.is_sql or check.kind in FLAGS or check.kind is Kind.REQUIRED:
        return "expect_column_values_to_be_in_set", {"value_set": [False]}
    message = f"{check.check_id}: no expectation evaluates kind {check.kind}"
    raise ValueError(message)


def suite(name: str, contract: Contract, checks: Sequence[Check]) -> ExpectationSuite:
    """Return an ``ExpectationSuite`` with one expectation per check; ``meta`` carries the check's id.

    Great Expectations leaves out what it does not know without a word, so the length is compared.

    Raises:
        ValueError: an expectation type outside ``TYPES``, or an expectation that did not make it into the suite.

    """
    import great_expectations as gx  # noqa: PLC0415 # importing it costs seconds
    from great_expectations.expectations.metadata_types import FailureSeverity  # noqa: PLC0415 # as above
    from great_expectations.expectations.registry import get_expectation_impl  # noqa: PLC0415 # as above

    expectations = []
    for check in checks:
        kind, arguments = expectation_type_and_arguments(contract, check)
        if kind not in TYPES:
            message = f"{check.check_id}: {kind} could show values of patients"
            raise ValueError(message)
        make = get_expectation_impl(kind)
        expectations.append(
            make(**arguments, severity=FailureSeverity(check.severity), meta={"check_id": check.check_id})
        )
    made = gx.ExpectationSuite(name=name, expectations=expectations)
    if [(expectation.meta or {}).get("check_id") for expectation in made.expectations] != [
        check.check_id for check in checks
    ]:
        message = f"suite {name}: {len(checks)} checks became {len(made.expectations)} expectations"
        raise ValueError(message)
    return made
