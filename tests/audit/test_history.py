"""The history of checks: complete, in order, never written again, and settled after a crash."""

from __future__ import annotations

import hashlib
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.audit import history as store
from assets.audit.history import HISTORY_SCHEMA, fold_is_true, history, readable, record, standing, summarise
from assets.audit.ledger import entries
from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.quality.history import REFUSED, RESULT_SCHEMA
from tests.audit.results import PASSED

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)


def results(*rows: dict[str, Any], run: str = "r1", delivery: str | None = "d1") -> pl.DataFrame:
    return pl.DataFrame(
        [PASSED | {"run_id": run, "delivery_id": delivery} | row for row in rows or ({},)], schema=RESULT_SCHEMA
    )


def note(home: Home, *rows: dict[str, Any], run: str = "r1", delivery: str | None = "d1", night: int = 0) -> Path:
    frame = results(*rows, run=run, delivery=delivery)
    release = None if delivery else f"release-{run}"
    return record(home, frame, run, delivery, release, now=START + timedelta(days=night))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home", memory_limit="1GB")
    made.create()
    return made


def test_what_was_recorded_is_there_in_order(home: Home) -> None:
    note(home, {"status": "fail", "violated": 9})
    note(home, {"score": 2.5}, run="r2", delivery=None, night=1)
    found = history(home).collect()
    assert found.schema == HISTORY_SCHEMA
    assert found["number"].to_list() == [1, 2]
    assert found["at"].to_list() == [START, START + timedelta(days=1)]
    assert found["release"].to_list() == [None, "release-r2"]
    assert found.select("status", "violated", "score").rows() == [("fail", 9, None), ("pass", 0, 2.5)]


def test_what_people_had_waived_is_said(home: Home) -> None:
    frame = results({"check_id": "a", "status": "fail"}, {"check_id": "b", "status": "fail"})
    record(home, frame, "r1", "d1", waived=frozenset({"b"}))
    assert history(home).select("check_id", "waived").collect().rows() == [("a", False), ("b", True)]


def test_a_home_without_a_run_has_an_empty_history(home: Home) -> None:
    assert history(home).collect().schema == HISTORY_SCHEMA
    assert standing(history(home)).collect().is_empty()


def test_the_ledger_names_every_file_with_its_hash(home: Home) -> None:
    paths = [note(home), note(home, run="r2", delivery=None)]
    bodies = [entry.body for entry in entries(home.path) if entry.kind == "history"]
    assert [body["file"] for body in bodies] == [path.name for path in paths]
    assert [body["sha256"] for body in bodies] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert [(body["rows"], body["run_id"], body["delivery_id"]) for body in bodies] == [
        (1, "r1", "d1"),
        (1, "r2", None),
    ]


def test_files_are_for_their_owner_only(home: Home) -> None:
    path = note(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_fold_changes_nothing_that_a_reader_sees(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FOLD_AFTER", 3)
    numbers = []
    for night in range(10):
        note(home, run=f"r{night}", night=night)
        numbers.append(night + 1)
        assert history(home).collect()["number"].to_list() == numbers
    assert (home.path / "audit" / "history.parquet").exists()
    assert fold_is_true(home)
    (home.path / "audit" / "history.parquet").unlink()
    assert history(home).collect()["number"].to_list() == numbers


def test_a_fold_that_was_changed_is_made_again_from_the_files(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FOLD_AFTER", 2)
    for night in range(3):
        note(home, {"status": "fail"}, night=night)
    fold = home.path / "audit" / "history.parquet"
    pl.read_parquet(fold).with_columns(status=pl.lit("pass")).write_parquet(fold)
    for night in range(3, 6):
        note(home, {"status": "fail"}, night=night)
    assert fold_is_true(home)
    assert history(home).collect()["status"].to_list() == ["fail"] * 6


def test_a_damaged_file_is_said_in_our_words(home: Home) -> None:
    path = note(home)
    path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)
    with pytest.raises(InputProblem, match="not what was written"), readable():
        history(home).collect()


def test_a_longer_fold_does_not_show_rows_twice(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FOLD_AFTER", 1)
    for night in range(2):
        note(home, night=night)
    before = history(home)  # lazy: read when the writer below has been there
    for night in range(2, 4):
        note(home, night=night)
    assert before.collect()["number"].to_list() == [1, 2]


def test_a_file_of_before_a_column_there_is_now_can_be_read(home: Home) -> None:
    path = note(home)
    pl.read_parquet(path).drop("waived", "score").write_parquet(path)
    note(home, run="r2")
    assert history(home).select("run_id", "waived").collect().rows() == [("r1", None), ("r2", False)]


def test_a_changed_fold_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FOLD_AFTER", 1)
    for night in range(2):
        note(home, {"status": "fail"}, night=night)
    fold = home.path / "audit" / "history.parquet"
    assert fold_is_true(home)
    pl.read_parquet(fold).with_columns(status=pl.lit("pass")).write_parquet(fold)
    assert not fold_is_true(home)


def test_a_writer_that_died_before_the_name_is_finished_by_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.replace", _dies)
        _note_in_vain(home)
    assert history(home).collect().is_empty()
    note(home, run="r2")
    assert history(home).collect()["run_id"].to_list() == ["r1", "r2"]


def test_a_writer_that_died_before_the_ledger_left_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store, "append", _dies)
        _note_in_vain(home)
    note(home, run="r2")
    assert history(home).collect().select("number", "run_id").rows() == [(1, "r2")]
    assert len(entries(home.path)) == 1


def test_a_file_that_the_disk_lost_is_said_to_be_lost(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(path: Path, _: Path) -> None:
        path.write_bytes(path.read_bytes()[:-1])
        _dies()

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.replace", dies)
        _note_in_vain(home)
    note(home, run="r2")
    kinds = [entry.kind for entry in entries(home.path)]
    assert kinds == ["history", "lost", "history"]
    assert history(home).collect()["run_id"].to_list() == ["r2"]


def test_standing_is_the_newest_reading_of_each_delivery_and_the_newest_release(home: Home) -> None:
    note(home, {"status": "warn"}, run="a", delivery="d1")
    note(home, run="b", delivery="d2")
    note(home, {"check_id": "visit.key.unique", "status": "warn"}, run="first", delivery=None)
    note(home, {"status": "pass"}, run="c", delivery="d1")
    note(home, {"check_id": "visit.key.unique"}, run="second", delivery=None)
    note(home, {"check_id": "published.sums", "status": "fail"}, run="second", delivery=None)
    note(home, {"status": "fail"}, run="later", delivery="d2")
    assert _told(standing(history(home))) == {
        ("d1", "visit.day.type", "pass"),
        ("d2", "visit.day.type", "pass"),
        (None, "visit.key.unique", "pass"),
        (None, "published.sums", "fail"),
    }
    assert _told(standing(history(home), "first")) == {
        ("d1", "visit.day.type", "warn"),
        ("d2", "visit.day.type", "pass"),
        (None, "visit.key.unique", "warn"),
    }


def test_a_reading_that_was_refused_leaves_the_one_before_it_in_force(home: Home) -> None:
    note(home, {"status": "warn"}, run="a")
    note(home, {"status": "not_applicable", "reason": REFUSED}, run="b")
    assert _told(standing(history(home))) == {("d1", "visit.day.type", "warn")}


def test_a_step_that_was_tried_again_counts_once(home: Home) -> None:
    note(home, {"status": "error"}, run="again", delivery=None)
    note(home, {"status": "pass"}, run="again", delivery=None)
    assert _told(standing(history(home))) == {(None, "visit.day.type", "pass")}


def test_a_check_counts_once_with_its_worst_result() -> None:
    frame = results(
        {"check_id": "a", "status": "pass"},
        {"check_id": "a", "status": "warn"},
        {"check_id": "b", "status": "pass_with_violations"},
        {"check_id": "c", "status": "error"},
        {"check_id": "c", "status": "fail"},
    )
    counts = summarise(frame, ["a", "b", "c", "never_ran"])
    assert {status: n for status, n in counts.items() if n} == {
        "warn": 1,
        "pass_with_violations": 1,
        "error": 1,
        "not_applicable": 1,
    }


def _told(frame: pl.LazyFrame) -> set[tuple[Any, ...]]:
    rows = frame.select("delivery_id", "check_id", "status").collect().rows()
    assert len(rows) == len(set(rows))
    return set(rows)


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _note_in_vain(home: Home) -> None:
    with pytest.raises(KeyboardInterrupt):
        note(home)
