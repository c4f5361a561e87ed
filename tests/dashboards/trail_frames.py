"""An invented audit trail: runs with what each found, decisions, sign-offs, changes and drift. Not data of anybody."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.audit.history import HISTORY_SCHEMA
from assets.audit.ledger import START, Entry
from assets.publication.quality_log import ledger_frames, run_results
from assets.publication.run_history import run_frames
from assets.publication.run_log import RunRecord, Runs, RunState

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST = datetime(2026, 10, 1, 6, 4, tzinfo=UTC)
TODAY = date(2026, 11, 9)
RUNS = 40
HELD = {33: "visit.key.unique", 39: "episode.key.unique"}
"""Runs that a check held, the last one among them."""
RELEASE = "0123456789ab"
HASH = "9f2c" * 16


def runs() -> Runs:
    """A run each night; two were held."""
    return Runs(tuple(_run(night) for night in range(RUNS)), 0)


def history(checks: pl.DataFrame) -> pl.DataFrame:
    """What each run found: checks of deliveries and of the release, as ``check_summary`` lists them."""
    draw = random.Random(5)  # noqa: S311 - repeatable, not secret
    frames = []
    for night in range(RUNS):
        at = FIRST + timedelta(days=night, seconds=30)
        held = HELD.get(night)
        status = [
            "fail" if name == held else ("pass" if draw.random() > unsteady else usual)
            for name, usual, unsteady in zip(checks["check_id"], checks["status"], _unsteady(checks), strict=True)
        ]
        judged = checks.select(
            "check_id",
            pl.lit(night + 1).alias("number"),
            pl.lit(at).alias("at"),
            pl.lit(f"job-{night:02}").alias("run_id"),
            pl.Series("status", status),
            "evaluated",
            "violated",
        )
        frames.append(judged.select(pl.all(), *_rest(judged)).select(HISTORY_SCHEMA.names()))
    return pl.concat(frames).cast(HISTORY_SCHEMA)


def entries() -> list[Entry]:
    """A waiver in force, one that expired, a threshold that replaced another, a rebase, a sign-off."""
    said: list[tuple[str, dict[str, Any]]] = [
        ("waiver", {"check_id": "visit.visit_key.required", "until": "2026-12-24", "lifts": "to_do"}),
        ("waiver", {"check_id": "visit.key.unique", "until": "2026-10-24", "lifts": "hold"}),
        ("threshold", {"check_id": "measurement.value.nprs_avg24h.plausible", "value": 0.05}),
        ("threshold", {"check_id": "measurement.value.nprs_avg24h.plausible", "value": 0.03}),
        ("rebase", {"series": "recovery", "condition_id": None, "from_period": "2026-03"}),
        ("history", {"file": "1.parquet"}),
        ("sign_off", {"release": RELEASE, "manifest_sha256": HASH, "decision": "accept"}),
        ("sign_off", {"release": "older", "manifest_sha256": HASH, "decision": "reject"}),
    ]
    words: dict[str, Any] = {"by": "Quality team", "because": "Agreed in the meeting of the quality team"}
    return [
        Entry(
            place,
            (FIRST + timedelta(days=place)).isoformat(),
            kind,
            None,
            body if kind == "history" else body | words,
            START,
            HASH,
        )
        for place, (kind, body) in enumerate(said, start=1)
    ]


def frames(checks: pl.DataFrame, found: Sequence[Entry] | None = None) -> dict[str, pl.DataFrame]:
    """All frames of the log of runs and of the trail, about the checks of a frame ``check_summary``."""
    log = runs()
    ids = checks["check_id"].to_list()
    return {
        **run_frames(log, TODAY),
        **run_results(history(checks).lazy(), log.records),
        **ledger_frames(entries() if found is None else found, RELEASE, TODAY),
        "check_delta": pl.DataFrame(
            [
                (ids[0], "Harbour", "new", 12, 0),
                (ids[0], "Northgate", "existing", 3, 5),
                (ids[1], "Harbour", "resolved", 0, 40),
                (ids[2], None, "stable", 0, 0),
            ],
            schema=["check_id", "clinic_key", "delta", "violated", "violated_before"],
            orient="row",
        ),
        "check_drift": pl.DataFrame(
            [
                ("visit.rows.drift", "Harbour", "d1", "rows", "", 9.24, 1.78, True, "more"),
                ("visit.rows.drift", "Northgate", "d2", "rows", "", 1.02, 1.78, False, "fewer"),
                ("episode.side.drift", "Northgate", "d2", "code", "left", None, 1.78, False, None),
            ],
            schema=[
                "check_id",
                "clinic_key",
                "delivery_id",
                "feature",
                "item",
                "score",
                "threshold",
                "is_flagged",
                "direction",
            ],
            orient="row",
        ),
    }


def _run(night: int) -> RunRecord:
    started = FIRST + timedelta(days=night)
    made = RunRecord(
        run_id=f"run-{night:02}",
        kind="run",
        started=started.isoformat(),
        code_version="c0de",
        contract_version="2",
        packages={},
        release_before=None,
        state=RunState.RELEASED,
        finished=(started + timedelta(minutes=4)).isoformat(),
        seconds=240.0 + night % 3,
        release=RELEASE,
    )
    held = HELD.get(night)
    return replace(made, state=RunState.HELD, held_by=(held,), held_checks=(held,)) if held else made


def _unsteady(checks: pl.DataFrame) -> list[float]:
    """How often each check ends as it did in the release: most of those that found something, always."""
    return [1.0 if place % 3 else 0.3 for place in range(checks.height)]


def _rest(judged: pl.DataFrame) -> list[pl.Expr]:
    """Columns of the history that no page looks at, empty."""
    missing = [name for name in HISTORY_SCHEMA.names() if name not in judged.columns]
    return [pl.lit(None, HISTORY_SCHEMA[name]).alias(name) for name in missing]
