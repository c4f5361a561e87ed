"""One call of Great Expectations: suites in, counts out, and nothing else.

Errors and log lines of Great Expectations can hold values of rows. Its loggers are silent while it works, its
exceptions become ``Outcome.error`` with the class of DuckDB's error or our own words.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assets.contract.checks import Check, Kind
from assets.quality.results import Outcome
from assets.quality.suites import suite
from assets.quality.validations import validation_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb
    from great_expectations.core import ExpectationValidationResult

    from assets.contract.model import Contract

UNKNOWN_ERROR = "error inside Great Expectations"
_LIBRARIES = ("great_expectations", "sqlalchemy")
_DUCKDB_ERROR = re.compile(r"duckdb_dialect\.OperationalError\) (\w+)")


def evaluate(
    connection: duckdb.DuckDBPyConnection, contract: Contract, suites: Mapping[str, Sequence[Check]]
) -> dict[str, Outcome]:
    """Evaluate checks on relations of ``connection`` (name -> checks); return the outcome of each by check id."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when Great Expectations is imported
    import great_expectations as gx  # noqa: PLC0415 # importing it costs seconds
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415 # as above

    with _silent():  # Great Expectations warns that its expectations are replaced
        from assets.quality import duckdb_engine, duckdb_expectations  # noqa: F401, PLC0415 # as above; they register
    from assets.quality.duckdb_dialect import shared  # noqa: PLC0415 # SQLAlchemy is needed here only

    wanted = {relation: checks for relation, checks in suites.items() if checks}
    unknown = Outcome(success=False, error=UNKNOWN_ERROR)
    outcomes = {check.check_id: unknown for checks in wanted.values() for check in checks}
    with _silent(), shared(connection) as url:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        # all at once: whenever something is added, the context writes all it knows as YAML
        tables = [{"type": "table", "name": relation, "table_name": relation} for relation in wanted]
        try:
            source = context.data_sources.add_duckdb("duckdb", connection_string=url, assets=tables)
        except Exception:  # noqa: BLE001 # its text can hold values: the outcomes above are all that passes
            return outcomes
        for relation, checks in wanted.items():
            expectations = suite(relation, contract, checks)
            try:
                asset = source.get_asset(relation)
                batch = asset.get_batch(asset.build_batch_request())
                validated = batch.validate(expectations, result_format=duckdb_expectations.COUNTS)
            except Exception:  # noqa: BLE001, S112 # as above
                continue
            by_id = {check.check_id: check for check in checks}
            for one in validated.results:
                check = by_id[one.expectation_config.meta["check_id"]]
                outcomes[check.check_id] = replace(_outcome(check, one), validation=validation_json(one))
    return outcomes


def _outcome(check: Check, validated: ExpectationValidationResult) -> Outcome:
    error = _error(validated.exception_info)
    if error:
        return Outcome(success=False, error=error)
    success = bool(validated.success)
    if check.kind in (Kind.SCHEMA, Kind.TYPE):
        return Outcome(success, 1, 0 if success else 1)
    counts = validated.result
    evaluated = counts["element_count"] - counts.get("missing_count", 0)
    return Outcome(success, evaluated, counts["unexpected_count"])


def _error(info: Mapping[str, Any] | None) -> str:
    """Class of the error in an ``exception_info``, which holds one error or one per metric; empty if none."""
    entries = [info or {}, *(value for value in (info or {}).values() if isinstance(value, dict))]
    raised = [entry for entry in entries if entry.get("raised_exception")]
    if not raised:
        return ""
    known = _DUCKDB_ERROR.search(str(raised[0].get("exception_message")))
    return f"DuckDB {known[1]}" if known else UNKNOWN_ERROR


@contextmanager
def _silent() -> Iterator[None]:
    """Switch off every logger of the libraries; some have a level of their own, so their parent's is not enough."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith(_LIBRARIES)]
    switched = [logger for logger in loggers if not logger.disabled]
    for logger in switched:
        logger.disabled = True
    try:
        yield
    finally:
        for logger in switched:
            logger.disabled = False
