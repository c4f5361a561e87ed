"""Bundles are made of the release in force, and of nothing else."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.publication import in_force
from assets.publication.in_force import OUTDATED, release_in_force
from assets.publication.public_tables import PUBLIC_TABLES
from assets.publication.publish import SUPPRESSION, TABLES
from assets.publication.release import code_version

if TYPE_CHECKING:
    from pathlib import Path

TODAY = dt.date(2026, 11, 26)
CHECKS = pl.DataFrame({"status": ["pass", "pass_with_violations", "warn", "not_applicable"]})
DELIVERIES = pl.DataFrame({"extract_stamp": ["2026-07-01", "2026-08-01"], "label": ["north", "simulated-south"]})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one small release, made by this code from what the home holds."""
    made = Home(tmp_path, "1GB")
    made.create()
    folder = made.releases / "one"
    for place, frames in (
        (TABLES, {"check_summary": CHECKS, "conservation": DELIVERIES}),
        (PUBLIC_TABLES, {"clinic": CHECKS}),
    ):
        (folder / place).mkdir(parents=True)
        for name, frame in frames.items():
            frame.write_parquet(folder / place / f"{name}.parquet")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema audit")
        connection.execute(
            f"create table audit.{SUPPRESSION} as select 'internal' as profile, 'pain_change' as table_name, "
            "'primary' as kind, 'too small' as reason, 'n' || place as keys from range(7) as places(place)"
        )
    write_manifest(made, code_version())
    made.current.symlink_to("releases/one")
    (tmp_path / "evidence" / "a").mkdir(parents=True)
    (tmp_path / "evidence" / "a" / "index.html").write_text("pack")
    (tmp_path / "evidence" / ".b").mkdir()
    (tmp_path / "evidence" / ".b" / "index.html").write_text("half")
    monkeypatch.setattr(in_force, "next_release", lambda _: "one")
    return made


def write_manifest(home: Home, code: str) -> None:
    said = {"code_version": code, "contract_version": CONTRACT.version, "deliveries": []}
    (home.releases / "one" / "manifest.json").write_text(json.dumps(said))


def test_everything_is_read_from_the_release(home: Home) -> None:
    release = release_in_force(home, TODAY)
    assert set(release.frames) == {"check_summary", "conservation"}
    assert set(release.public) == {"clinic"}
    assert release.suppression_log[SUPPRESSION].rows() == [("internal", "pain_change", "primary", "too small", 10)]
    assert "run" in release.run_log
    meta = release.meta
    assert (meta.release, meta.stamp, meta.is_simulated, meta.banner) == ("one", "2026-08-01", True, "")
    assert (meta.checks_total, meta.checks_passed, meta.warnings) == (3, 2, 1)
    assert (meta.code_version, meta.contract_version) == (code_version(), CONTRACT.version)


def test_kept_evidence_packs_go_along_and_half_ones_do_not(home: Home) -> None:
    assert release_in_force(home, TODAY).evidence_packs == {"evidence/a/index.html": b"pack"}


def test_a_release_that_is_behind_what_the_home_holds_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "next_release", lambda _: "two")
    assert release_in_force(home, TODAY).meta.banner == OUTDATED


def test_a_release_of_other_code_is_refused(home: Home) -> None:
    write_manifest(home, "older")
    with pytest.raises(InputProblem, match="another version of this program"):
        release_in_force(home, TODAY)


def test_without_a_release_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="no release yet"):
        release_in_force(Home(tmp_path, "1GB"), TODAY)
