"""One stage of a release judged: its checks evaluated, and what they found kept, before anything is held or goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.audit import history
from assets.publication.release import next_release
from assets.quality.history import append, result_frame
from assets.quality.sql_checks import run_sql_checks
from assets.quality.validations import save_validations

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import duckdb

    from assets.contract.checks import Check
    from assets.contract.model import Contract
    from assets.home import Home
    from assets.quality.results import CheckResult


def judge_stage(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    checks: Sequence[Check],
    run_id: str,
    waived: Collection[str] = (),
) -> list[CheckResult]:
    """Evaluate SQL checks in the warehouse being built, and keep what they found."""
    results = run_sql_checks(connection, contract, checks)
    keep_results(connection, home, contract, results, run_id, waived)
    return results


def keep_results(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    results: Sequence[CheckResult],
    run_id: str,
    waived: Collection[str],
) -> None:
    """Keep results in the warehouse being built, beside it, and in the history, which a held release leaves too."""
    save_validations(home.building, results)
    frame = result_frame(results, contract, None, run_id)
    append(connection, frame)
    history.record(home, frame, run_id, None, next_release(home), waived)
