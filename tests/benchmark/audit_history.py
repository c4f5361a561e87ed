"""A year of nightly runs in the history of checks: what it costs to record, to query and to look at.

    python tests/benchmark/audit_history.py [--nights 365] [--deliveries 13]

Every night has one reading of every delivery and one release, with all checks of the contract. Nights are recorded by
``record`` itself, so that ledger, files and fold are those of a real home. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.audit.history import fold_is_true, history, record, standing, summarise
from assets.audit.ledger import entries
from assets.audit.what_if import what_if
from assets.contract import CONTRACT
from assets.contract.checks import Stage
from assets.home import Home
from assets.outcomes.tables.quality import check_summary
from assets.publication.quality_log import run_results
from assets.publication.run_log import RunRecord, RunState
from assets.quality.catalogue import all_checks, catalogue_frame
from assets.quality.history import result_frame
from assets.quality.results import Outcome, result
from dashboards.pages.quality import build
from dashboards.published import Published
from dashboards.site import SiteMeta

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.contract.checks import Check

FIRST = datetime(2025, 11, 26, 4, 0, tzinfo=UTC)
RUNS_SHOWN = 30
META = SiteMeta("Clinic outcomes", "2026-11-25", "", "2", 1, 1, 0, is_simulated=True, minimum_group=10)
DELIVERY = {
    "delivery_id": "d",
    "label": "simulated-north_20251126",
    "extract_stamp": "2025-11-26",
    "state": "accepted",
    "problem_code": None,
    "ingested": 100,
    "accepted": 100,
    "quarantined": 0,
    "superseded": 0,
    "rejected": 0,
    "out_of_scope": 0,
}
ASKED = "measurement.value.plausible.ankle_df_nwb"


def main() -> None:
    """Make a year, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--deliveries", type=int, default=13)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home", memory_limit="1GB")
        home.create()
        lines = [*_made(home, asked.nights, asked.deliveries), *_measured(home)]
    sys.stdout.write("| what | measured |\n| --- | --- |\n" + "".join(f"| {a} | {b} |\n" for a, b in lines))


def _made(home: Home, nights: int, deliveries: int) -> list[tuple[str, str]]:
    draws = random.Random(6)  # noqa: S311 - no secret
    checks = all_checks(CONTRACT)
    readings = _frame([check for check in checks if check.stage is Stage.DELIVERY], draws)
    releases = _frame([check for check in checks if check.stage is not Stage.DELIVERY], draws)
    started = time.perf_counter()
    slowest = 0.0
    for night in range(nights):
        now = FIRST + timedelta(days=night)
        for number in range(deliveries):
            name = f"{night:04d}{number:012d}"
            begun = time.perf_counter()
            record(home, _drawn(readings, draws, name, f"run-{night}-{number}"), f"run-{night}-{number}", name, now=now)
            slowest = max(slowest, time.perf_counter() - begun)
        record(home, _drawn(releases, draws, None, f"run-{night}"), f"run-{night}", None, f"{night:012d}", now=now)
    spent = time.perf_counter() - started
    files = list((home.path / "audit" / "history").glob("*.parquet"))
    return [
        ("checks of the catalogue", f"{len(checks):,}"),
        ("results recorded", f"{history(home).select(pl.len()).collect().item():,} in {len(files):,} files"),
        ("recording, a night", f"{1000 * spent / nights:.0f} ms"),
        ("recording, the slowest file (with a new fold)", f"{1000 * slowest:.0f} ms"),
        ("files", f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB"),
        ("fold", f"{(home.path / 'audit' / 'history.parquet').stat().st_size / 1e6:.1f} MB"),
        ("ledger", f"{(home.path / 'audit' / 'ledger.jsonl').stat().st_size / 1e6:.1f} MB"),
    ]


def _frame(checks: list[Check], draws: random.Random) -> pl.DataFrame:
    results = [
        result(check, Outcome(success=True, evaluated=draws.randrange(1, 10_000)), 0.002, check.check_id)
        for check in checks
    ]
    return result_frame(results, CONTRACT, None, "")


def _drawn(frame: pl.DataFrame, draws: random.Random, delivery: str | None, run: str) -> pl.DataFrame:
    """The same checks with other counts: one in a hundred warns."""
    violated = [draws.randrange(1, 400) if draws.random() < 1 / 20 else 0 for _ in range(frame.height)]
    status = ["warn" if n > 320 else "pass_with_violations" if n else "pass" for n in violated]
    return frame.with_columns(
        pl.lit(delivery, pl.String()).alias("delivery_id"),
        pl.lit(run).alias("run_id"),
        pl.Series("violated", violated, pl.Int64()),
        pl.Series("status", status),
        pl.Series("evaluated", [draws.randrange(400, 10_000) for _ in violated], pl.Int64()),
        pl.Series("seconds", [draws.random() / 100 for _ in violated]),
    )


def _measured(home: Home) -> list[tuple[str, str]]:
    found = history(home)
    runs = _runs(found)
    rows = standing(found).filter(pl.col("stage") != Stage.PUBLISHED).collect()
    summary = check_summary(rows, catalogue_frame(CONTRACT).filter(pl.col("stage") != Stage.PUBLISHED))
    frames = {"check_summary": summary, "conservation": pl.DataFrame(DELIVERY), **run_results(found, runs)}
    page = Published(frames, CONTRACT)
    return [
        ("query: how things stand now, and their counts", _timed(lambda: summarise(standing(history(home))))),
        ("query: every check of the last 30 releases (heat map)", _timed(lambda: _heat(found))),
        ("query: one check, its last 30 results", _timed(lambda: _last(found))),
        ("query: results by month and status, the whole year", _timed(lambda: _by_month(found))),
        ("what-if: one threshold over the whole year", _timed(lambda: what_if(history(home), {ASKED: 0.01}))),
        ("query: the last 30 runs, for the quality page", _timed(lambda: run_results(history(home), runs))),
        ("render: the quality page with the last 30 runs", _timed(lambda: build(page, META))),
        ("verify: the hash of the fold", _timed(lambda: fold_is_true(home))),
        ("verify: every entry of the ledger", _timed(lambda: entries(home.path))),
        ("peak memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"),
    ]


def _runs(found: pl.LazyFrame) -> list[RunRecord]:
    """The log of the runs that the history tells of: one a night."""
    nights = found.select("at").unique().sort("at").collect().to_series()
    return [
        RunRecord(
            run_id=f"night-{number}",
            kind="run",
            started=(night - timedelta(minutes=1)).isoformat(),
            code_version="",
            contract_version="",
            packages={},
            release_before=None,
            state=RunState.RELEASED,
            finished=(night + timedelta(minutes=1)).isoformat(),
        )
        for number, night in enumerate(nights)
    ]


def _heat(found: pl.LazyFrame) -> pl.DataFrame:
    releases = found.filter(pl.col("delivery_id").is_null())
    newest = releases.select("number").unique().sort("number").tail(RUNS_SHOWN)
    return releases.join(newest, on="number").select("number", "check_id", "status").collect()


def _last(found: pl.LazyFrame) -> pl.DataFrame:
    return found.filter(pl.col("check_id") == ASKED).sort("number").tail(RUNS_SHOWN).collect()


def _by_month(found: pl.LazyFrame) -> pl.DataFrame:
    return found.group_by(pl.col("at").dt.truncate("1mo"), "status").len().collect()


def _timed(work: Callable[[], object]) -> str:
    taken, busy = [], []
    for _ in range(3):
        begun, before = time.perf_counter(), time.process_time()
        work()
        taken.append(time.perf_counter() - begun)
        busy.append(time.process_time() - before)
    return f"{1000 * min(taken):.0f} ms ({1000 * min(busy):.0f} ms of CPU)"


if __name__ == "__main__":
    main()
