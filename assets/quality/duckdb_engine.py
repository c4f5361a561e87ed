"""Great Expectations inside DuckDB: execution engine, data source ``add_duckdb`` and the metrics that differ.

Three metrics are our own, for the expectations in ``suites``:

* A pattern is searched with ``regexp_matches`` (RE2, anchors count); the operator ``~`` changed its meaning between
  DuckDB versions.
* A *counted* table (name ends with ``COUNTED``) holds every combination of values once, with the number of rows that
  have it in ``occurrences``. Rows and violations of such a table are sums of ``occurrences``, so ten million rows are
  judged as some ten thousand combinations, and the counts are those of the rows.
* Unexpected values are not fetched: no value of a patient leaves the database, whatever the result format.

Importing this module imports Great Expectations (seconds, 250 MB): import it inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import sqlalchemy as sa
from great_expectations.core.metric_function_types import MetricFunctionTypes, MetricPartialFunctionTypes
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.column_map_metrics.column_values_between import ColumnValuesBetween
from great_expectations.expectations.metrics.column_map_metrics.column_values_in_set import ColumnValuesInSet
from great_expectations.expectations.metrics.column_map_metrics.column_values_match_regex import ColumnValuesMatchRegex
from great_expectations.expectations.metrics.column_map_metrics.column_values_non_null import ColumnValuesNonNull
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.table_metrics.table_row_count import TableRowCount
from great_expectations.expectations.registry import register_metric

from assets.quality.duckdb_dialect import TypeNames
from assets.quality.views import COUNTED, OCCURRENCES

if TYPE_CHECKING:
    from types import ModuleType

    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData

Engine = type["DuckDBExecutionEngine"]
Partial = tuple[sa.ColumnElement[Any], dict[str, Any], dict[str, Any]]
"""A metric that joins others in one select: its expression, its domain, the part of the domain it looks up."""


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Runs the SQL of expectations on a shared DuckDB connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # whatever the parent class takes
        """Take the arguments of the parent class."""
        super().__init__(*args, **kwargs)
        self.dialect_module = cast("ModuleType", TypeNames())

    def occurrences(self, domain: dict[str, Any]) -> sa.ColumnElement[int]:
        """How many rows one row of the batch in ``domain`` stands for."""
        batch = cast("SqlAlchemyBatchData", self.batch_manager.batch_data_cache[domain["batch_id"]])
        table = str(batch.source_table_name)
        return sa.column(OCCURRENCES) if table.endswith(COUNTED) else sa.literal_column("1")


class DuckDBDatasource(SQLDatasource):
    """Data source over a shared DuckDB connection; defining it adds ``context.data_sources.add_duckdb``."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment] # as the data sources of Great Expectations do

    @property
    def execution_engine_type(self) -> Engine:
        """The engine above."""
        return DuckDBExecutionEngine


@column_condition_partial(engine=DuckDBExecutionEngine)
def _matches(
    _cls: object,
    column: sa.ColumnClause[str],
    regex: str,
    **_: object,
) -> sa.ColumnElement[bool]:
    return sa.func.regexp_matches(column, sa.literal(regex))


def _violations(
    execution_engine: DuckDBExecutionEngine, metric_domain_kwargs: dict[str, Any], metrics: dict[str, Any], **_: object
) -> Partial:
    condition, compute_domain, accessor_domain = metrics["unexpected_condition"]
    rows = execution_engine.occurrences(metric_domain_kwargs)
    counted = sa.func.coalesce(sa.func.sum(sa.case((condition, rows), else_=0)), 0)
    return counted, compute_domain, accessor_domain


def _rows(execution_engine: DuckDBExecutionEngine, metric_domain_kwargs: dict[str, Any], **_: object) -> Partial:
    rows = execution_engine.occurrences(metric_domain_kwargs)
    return sa.func.coalesce(sa.func.sum(rows), 0), metric_domain_kwargs, {}


def _no_values(**_: object) -> list[Any]:
    return []


def _register() -> None:
    for metric in (ColumnValuesNonNull, ColumnValuesInSet, ColumnValuesBetween, ColumnValuesMatchRegex):
        name, domain, value = metric.condition_metric_name, metric.condition_domain_keys, metric.condition_value_keys
        for suffix, keys, provider, kind in (
            ("unexpected_count.aggregate_fn", value, _violations, MetricPartialFunctionTypes.AGGREGATE_FN),
            ("unexpected_values", (*value, "result_format"), _no_values, MetricFunctionTypes.VALUE),
        ):
            register_metric(f"{name}.{suffix}", domain, keys, DuckDBExecutionEngine, metric, provider, kind)
    register_metric(
        f"{ColumnValuesMatchRegex.condition_metric_name}.condition",
        ColumnValuesMatchRegex.condition_domain_keys,
        ColumnValuesMatchRegex.condition_value_keys,
        DuckDBExecutionEngine,
        ColumnValuesMatchRegex,
        _matches,
        MetricPartialFunctionTypes.MAP_CONDITION_FN,
    )
    register_metric(
        f"{TableRowCount.metric_name}.aggregate_fn",
        TableRowCount.domain_keys,
        TableRowCount.value_keys,
        DuckDBExecutionEngine,
        TableRowCount,
        _rows,
        MetricPartialFunctionTypes.AGGREGATE_FN,
    )


_register()
