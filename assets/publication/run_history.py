"""The run log as frames for the page of the bundle for engineers: runs, steps and days.

Columns:

* ``run``, one row per run in the order of time: the facts of ``RunRecord`` (``deliveries`` as their number, lists as
  text); ``usual_low``, ``usual_high`` and ``is_unusual``: between what a run takes as a rule, in
  seconds; ``changed``: what is new against the run before, in words.
* ``run_step``, one row per step of the last run that built a release: ``step``, ``seconds``, ``usual_low``,
  ``usual_high``, ``is_unusual``, ``runs`` (how many the limits rest on).
* ``run_day``, one row for each of the last 60 days (UTC), today the last: ``day``, ``state`` of the last run of the
  day (null: no run), ``runs``, ``failed`` (those that failed, were held or did not finish).

Usual are limits of an XmR chart over the runs before it that built a release too, up to 30 of them and no fewer than
12; null before that.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assets.outcomes.methods.control_charts import BASELINE_POINTS, xmr_limits
from assets.publication.run_log import RunState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.publication.run_log import RunRecord, Runs

DAYS = 60
MOST_POINTS = 30
BUILT = (RunState.RELEASED, RunState.WARNED)
NOT_WELL = (RunState.HELD, RunState.FAILED, RunState.UNFINISHED)
ID_LETTERS = 7
USUAL = {"usual_low": pl.Float64(), "usual_high": pl.Float64(), "is_unusual": pl.Boolean()}
RUN_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("run_id", "kind", "state", "started", "finished"), pl.String()),
        "seconds": pl.Float64(),
        **USUAL,
        **dict.fromkeys(("deliveries", "known"), pl.Int64()),
        **dict.fromkeys(("rows_in", "rows_used", "rows_set_aside", "rows_rejected"), pl.Int64()),
        **dict.fromkeys(("release_before", "release", "held_by", "problems"), pl.String()),
        "warnings": pl.Int64(),
        **dict.fromkeys(("code_version", "contract_version", "changed"), pl.String()),
        "site_bytes": pl.Int64(),
    }
)
STEP_SCHEMA = pl.Schema({"step": pl.String(), "seconds": pl.Float64(), **USUAL, "runs": pl.Int64()})
DAY_SCHEMA = pl.Schema({"day": pl.String(), "state": pl.String(), "runs": pl.Int64(), "failed": pl.Int64()})


def run_frames(runs: Runs, today: date) -> dict[str, pl.DataFrame]:
    """Return the frames ``run``, ``run_step`` and ``run_day``."""
    records = runs.records
    return {
        "run": pl.DataFrame(_runs(records), schema=RUN_SCHEMA, orient="row"),
        "run_step": pl.DataFrame(_steps(records), schema=STEP_SCHEMA, orient="row"),
        "run_day": pl.DataFrame(_days(records, today), schema=DAY_SCHEMA, orient="row"),
    }


def _runs(records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    built: list[float] = []
    before: RunRecord | None = None
    for record in records:
        is_built = record.state in BUILT and record.seconds is not None
        rows.append(
            {
                **{name: getattr(record, name) for name in RUN_SCHEMA if hasattr(record, name)},
                "state": record.state.value,
                "deliveries": len(record.deliveries),
                "held_by": "; ".join(record.held_by),
                "problems": "; ".join(record.problems),
                "changed": _changed(before, record),
                **_usual(built, record.seconds if is_built else None),
            }
        )
        if is_built and record.seconds is not None:
            built.append(record.seconds)
        before = record
    return rows


def _steps(records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    built = [record for record in records if record.state in BUILT]
    if not built:
        return []
    *earlier, last = built
    seconds: dict[str, list[float]] = defaultdict(list)
    for record in earlier:
        for step, taken in record.steps.items():
            seconds[step].append(taken)
    return [
        {"step": step, "seconds": taken, **_usual(seconds[step], taken), "runs": len(seconds[step][-MOST_POINTS:])}
        for step, taken in sorted(last.steps.items(), key=lambda item: (-item[1], item[0]))
    ]


def _days(records: Sequence[RunRecord], today: date) -> list[dict[str, Any]]:
    by_day: dict[str, list[RunRecord]] = defaultdict(list)
    for record in records:
        by_day[record.started[:10]].append(record)
    days = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    return [
        {
            "day": day,
            "state": by_day[day][-1].state.value if by_day[day] else None,
            "runs": len(by_day[day]),
            "failed": sum(record.state in NOT_WELL for record in by_day[day]),
        }
        for day in days
    ]


def _usual(before: Sequence[float], seconds: float | None) -> dict[str, Any]:
    if len(before) < BASELINE_POINTS:
        return dict.fromkeys(USUAL)
    limits = xmr_limits(np.array([before[-MOST_POINTS:]]))
    low, high = max(float(limits.lower[0, 0]), 0.0), float(limits.upper[0, 0])
    return {
        "usual_low": round(low, 3),
        "usual_high": round(high, 3),
        "is_unusual": None if seconds is None else not low <= seconds <= high,
    }


def _changed(before: RunRecord | None, record: RunRecord) -> str:
    """What is new against the run before, in words."""
    if before is None:
        return "first run of this home"
    found = []
    if before.code_version != record.code_version:
        found.append(f"code {before.code_version[:ID_LETTERS]} to {record.code_version[:ID_LETTERS]}")
    if before.contract_version != record.contract_version:
        found.append(f"contract version {before.contract_version} to {record.contract_version}")
    for name in sorted({*before.packages, *record.packages}):
        old, new = before.packages.get(name), record.packages.get(name)
        if old != new:
            found.append(f"{name} {old or 'absent'} to {new or 'absent'}")
    if record.deliveries:
        read = len(record.deliveries)
        found.append(f"{read} {'delivery' if read == 1 else 'deliveries'} read")
    return ", ".join(found) or "nothing"
