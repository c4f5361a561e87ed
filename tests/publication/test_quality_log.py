"""The trail of the bundle for quality teams: every result in the run that found it, every decision in its state."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from assets.audit.ledger import append, entries
from assets.publication.quality_log import MOST_RUNS, audit_frame, ledger_frames, run_results
from tests.dashboards import trail_frames

if TYPE_CHECKING:
    from pathlib import Path

    from assets.publication.run_log import RunRecord

CHECKS = pl.DataFrame(
    {
        "check_id": ["visit.key.unique", "episode.key.unique", "patient.schema"],
        "status": ["pass", "pass", "warn"],
        "evaluated": [100, 50, 1],
        "violated": [0, 0, 1],
    }
)


@pytest.fixture(scope="module")
def records() -> tuple[RunRecord, ...]:
    return trail_frames.runs().records


def test_what_was_found_belongs_to_the_run_in_which_it_was_found(records: tuple[RunRecord, ...]) -> None:
    made = run_results(trail_frames.history(CHECKS).lazy(), records)
    assert made["check_run"]["run_id"].to_list() == [record.run_id for record in records[-MOST_RUNS:]]
    held = made["check_by_run"].filter(pl.col("status") == "fail").select("run_id", "check_id").sort("run_id").rows()
    assert held == [(f"run-{night}", check_id) for night, check_id in sorted(trail_frames.HELD.items())]
    states = dict(made["check_run"].select("run_id", "state").rows())
    assert {states[run_id] for run_id, _ in held} == {"held"}
    assert made["check_by_run"].height == MOST_RUNS * CHECKS.height


def test_several_jobs_of_a_run_are_one_with_the_worst_result(records: tuple[RunRecord, ...]) -> None:
    history = trail_frames.history(CHECKS).filter(pl.col("run_id") == "job-39")
    other = history.with_columns(
        run_id=pl.lit("another job"),
        at=pl.col("at") + timedelta(seconds=40),
        status=pl.lit("pass"),
        evaluated=pl.lit(7, pl.Int64),
    )
    made = run_results(pl.concat([history, other]).lazy(), records)
    assert made["check_run"]["run_id"].to_list() == ["run-39"]
    found = {row["check_id"]: row for row in made["check_by_run"].to_dicts()}
    assert found["episode.key.unique"]["status"] == "fail"
    assert found["visit.key.unique"]["evaluated"] == 107


def test_a_job_outside_of_all_runs_is_a_run_of_its_own(records: tuple[RunRecord, ...]) -> None:
    history = trail_frames.history(CHECKS).filter(pl.col("run_id") == "job-39")
    late = history.with_columns(at=pl.col("at") + timedelta(hours=3))
    made = run_results(late.lazy(), records)["check_run"].row(0, named=True)
    assert made == {"run_id": "job-39", "started": "2026-11-09T09:04:30+00:00", "state": None}
    killed = (*records[:-1], replace(records[-1], finished=None))
    assert run_results(late.lazy(), killed)["check_run"]["run_id"].to_list() == ["run-39"]


def test_without_a_history_there_is_no_run(records: tuple[RunRecord, ...]) -> None:
    made = run_results(trail_frames.history(CHECKS).clear().lazy(), records)
    assert [frame.height for frame in made.values()] == [0, 0]


def test_decisions_expire_and_are_replaced() -> None:
    made = ledger_frames(trail_frames.entries(), trail_frames.RELEASE, date(2026, 12, 24))
    assert made["decision"].select("number", "state").rows() == [
        (1, "in force"),
        (2, "expired"),
        (3, "replaced"),
        (4, "in force"),
        (5, "in force"),
    ]
    later = ledger_frames(trail_frames.entries(), trail_frames.RELEASE, date(2026, 12, 25))
    assert later["decision"]["state"][0] == "expired", "its last day was the day before"
    assert made["decision"]["about"][1] == "check id visit.key.unique, lifts hold"
    assert made["sign_off"].select("release", "decision", "by", "is_in_force").rows() == [
        (trail_frames.RELEASE, "accept", "Quality team", True),
        ("older", "reject", "Quality team", False),
    ]
    assert made["ledger_head"].row(0)[:2] == (8, trail_frames.HASH)
    assert [frame.height for frame in ledger_frames([], "", date(2026, 12, 25)).values()] == [0, 0, 0]


def test_of_words_about_going_back_the_last_one_is_in_force(tmp_path: Path) -> None:
    for kind, body in (
        ("rollback", {"release": "aaa", "newest": "bbb", "because": "an old file was sent"}),
        ("resume", {"release": "aaa", "because": "the right file has come"}),
    ):
        append(tmp_path, kind, body, "A. Steward")
    made = ledger_frames(entries(tmp_path), "aaa", date(2026, 12, 24))["decision"]
    assert made.select("kind", "about", "state", "by").rows() == [
        ("rollback", "newest bbb, release aaa", "replaced", "A. Steward"),
        ("resume", "release aaa", "in force", "A. Steward"),
    ]


def test_a_warehouse_of_before_has_no_such_table() -> None:
    with duckdb.connect() as connection:
        assert audit_frame(connection, "drift") is None
        connection.execute("create schema audit; create table audit.drift as select 1 as score")
        made = audit_frame(connection, "drift")
        assert made is not None
        assert made.rows() == [(1,)]
