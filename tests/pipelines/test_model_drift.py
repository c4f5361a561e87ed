"""Case-mix models between releases of one home: a first one, one in which all fare better, and the same built again."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.home import Home
from assets.outcomes.published import exact_frames
from assets.outcomes.tables import case_mix
from assets.publication import model_drift
from assets.publication.release import start_building
from assets.warehouse.connection import connect
from tests.outcomes.case_mix_rows import planted

if TYPE_CHECKING:
    from pathlib import Path

BETTER = 0.8


def release(home: Home, identity: str, episodes: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    """Build and switch in a release of nothing but case-mix models; what its warehouse says of drift."""
    monkeypatch.setattr(model_drift, "next_release", lambda _: identity)
    folder = start_building(home)
    frames = exact_frames({"marts.case_mix": episodes}.__getitem__, CONTRACT, [case_mix.TOPIC])
    with connect(folder / "warehouse.duckdb", home=home.path) as connection:
        connection.register("given", episodes)
        connection.execute("create schema marts; create schema audit; create schema statistics")
        connection.execute("create table marts.case_mix as select * from given")
        returned = model_drift.record_drift(connection, home, frames)
        recorded = connection.sql("select * from audit.model_drift order by condition_id, outcome_id").pl()
        for name, frame in frames.items():
            connection.register("kept", frame)
            connection.execute(f"create table statistics.{name} as select * from kept")
    assert recorded.equals(returned)
    target = home.releases / identity
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)
    (target / "manifest.json").write_text(json.dumps({"contract_version": CONTRACT.version}), encoding="utf-8")
    home.current.unlink(missing_ok=True)
    home.current.symlink_to(target.relative_to(home.path))
    return recorded


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


def test_three_releases_in_one_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before, now = (planted(300, seed, clinics=4, clinic_sd=0.2, shift=by) for seed, by in ((1, 0.0), (2, BETTER)))
    first = release(home, "aaa", before, monkeypatch)
    assert set(first["reason"]) == {"no_earlier_release"}
    second = release(home, "bbb", now, monkeypatch)
    moved = second.filter(pl.col("reason").is_null()).rows_by_key("outcome_id", named=True, unique=True)
    assert moved["pain_change"]["old_in_the_large"] == pytest.approx(BETTER, abs=0.3)
    assert moved["function_change"]["old_in_the_large"] == pytest.approx(5 * BETTER, abs=1.5)
    assert moved["recovered"]["old_ratio"] > 1.15
    # the second built again, whole, with itself in force: it says what it said
    third = release(home, "bbb", now, monkeypatch)
    assert third.equals(second)
    # and whatever comes next is compared with the second, which has not moved
    fourth = release(home, "ccc", now, monkeypatch)
    same = fourth.filter(pl.col("reason").is_null())
    assert same["moved_errors"].abs().max() == 0
    assert same["discrimination_change"].abs().max() == 0


def test_a_release_in_force_without_these_tables_is_no_earlier_release(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    episodes = planted(120, clinics=3)
    release(home, "aaa", episodes, monkeypatch)
    with connect(home.warehouse, home=home.path) as connection:
        connection.execute("drop table statistics.case_mix_model")
    assert set(release(home, "bbb", episodes, monkeypatch)["reason"]) == {"no_earlier_release"}


def test_a_release_in_force_of_another_contract_is_no_earlier_release(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    episodes = planted(120, clinics=3)
    release(home, "aaa", episodes, monkeypatch)
    (home.current / "manifest.json").write_text(json.dumps({"contract_version": "1"}), encoding="utf-8")
    assert set(release(home, "bbb", episodes, monkeypatch)["reason"]) == {"no_earlier_release"}
