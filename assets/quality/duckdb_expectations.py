"""The row-wise expectations of ``suites``, planned once and without fetching values.

To find out which metrics an expectation needs, Great Expectations rebuilds its configuration about a hundred times:
more CPU than DuckDB takes to count ten thousand rows. These subclasses name the three counts outright. They carry the
names of the classes they inherit from and so stand in for them in every suite of this process; the verdict on the
counts, ``mostly`` included, is the inherited one.
"""

from __future__ import annotations

from types import new_class
from typing import Any

from great_expectations.expectations.registry import get_expectation_impl
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

ROWS = "table.row_count"
EMPTY = "column_values.nonnull.unexpected_count"
COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""The result format of every suite: counts, no values."""


class _CountsOnly:
    """Mixin for a column map expectation: rows, empty rows and violating rows are all it asks for."""

    def get_validation_dependencies(self: Any, *_: object, **__: object) -> ValidationDependencies:
        """Metrics to compute. ``self`` is the expectation this is mixed into."""
        batch = {"batch_id": self.batch_id}
        column = {**batch, "column": self.column}
        arguments = {key: getattr(self, key) for key in self.success_keys if key != "mostly"}
        violated = f"{self.map_metric}.unexpected_count"
        return ValidationDependencies(
            {
                ROWS: MetricConfiguration(ROWS, batch),
                EMPTY: MetricConfiguration(EMPTY, column),
                violated: MetricConfiguration(violated, column, arguments),
            },
            dict(COUNTS),
        )


def _replace(expectation_type: str) -> None:
    kind = get_expectation_impl(expectation_type)
    # making the class registers it under its name
    new_class(kind.__name__, (_CountsOnly, kind), exec_body=lambda body: body.update(__module__=__name__))


for _type in (
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_between",
):
    _replace(_type)
