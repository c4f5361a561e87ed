"""A small network, released twice: the second delivery brings a few patients more. Run once for all tests here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.outcomes.published import LAYOUTS
from assets.privacy.disclosure.profiles import MINIMUM_GROUP
from assets.publication.publish import STATISTICS, TABLES
from assets.publication.release import SITE
from assets.publication.site_meta import site_meta
from assets.simulation.network import simulate_network
from dashboards.site import build_site
from pipelines.runner import run
from pipelines.settings import HOME_VARIABLE
from tests.made_once import made_once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENTS, LATER = 300, 5
"""Patients of the network, and how many of them only the second delivery brings."""
FIRST_STAMP = "20260601T020000Z"
ODD_SCORE = "83.57"
"""A value that one patient has and nobody else, and that no statistic gives."""


@dataclass(frozen=True)
class Release:
    """A release as it lies in its home."""

    folder: Path

    @property
    def site(self) -> Path:
        """The written site."""
        return self.folder / SITE

    @property
    def published(self) -> dict[str, pl.DataFrame]:
        """The protected tables, from which the site was built."""
        return {path.stem: pl.read_parquet(path) for path in sorted((self.folder / TABLES).glob("*.parquet"))}

    @property
    def code(self) -> str:
        """The code that made it."""
        manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest["code_version"])

    @property
    def exact(self) -> dict[str, pl.DataFrame]:
        """The statistics before disclosure control."""
        return {name: self.query(f"select * from {STATISTICS}.{name}") for name in self.published}

    def query(self, sql: str) -> pl.DataFrame:
        """Rows of the warehouse of the release."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            return connection.sql(sql).pl()


def primary_only(exact: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The same tables as they would be if only groups of 1 to 10 were left out: the control of the attack."""
    frames = {}
    for name, frame in exact.items():
        layout = LAYOUTS.get(name)
        if layout is None:
            frames[name] = frame
            continue
        small = {count: pl.col(count).is_between(1, MINIMUM_GROUP - 1) for count in layout.counts}
        gone = pl.any_horizontal(*(small[count] for count in layout.groups)) if layout.groups else pl.lit(value=False)
        resting = {
            number: pl.any_horizontal(gone, *(small[size] for size, on in layout.subgroups.items() if number in on))
            for number in layout.numbers
        }
        frames[name] = frame.with_columns(
            *(pl.when(~hidden).then(pl.col(number)).alias(number) for number, hidden in resting.items()),
            suppressed=gone,
        )
    return frames


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Release, Release]:
    """Both releases, the first one first."""
    before = dict(os.environ)
    first, second = made_once(tmp_path_factory, worker_id, "attack", _release_twice)
    os.environ.clear()
    os.environ.update(before)
    return Release(first), Release(second)


@pytest.fixture(scope="session")
def control(releases: tuple[Release, Release], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Sites of both releases with primary suppression only."""
    made = []
    for release in releases:
        frames = primary_only(release.exact)
        out = tmp_path_factory.mktemp("control")
        build_site(frames, CONTRACT, site_meta(release.published, "control", release.code), out)
        made.append(out)
    return made[0], made[1]


def _release_twice(root: Path) -> tuple[Path, Path]:
    simulate_network(root / "feed", patients=PATIENTS, seed=7, contract=CONTRACT, sources=1, clean=True)
    (whole,) = (path for path in (root / "feed").iterdir() if path.is_dir())
    label, _, _ = whole.name.rpartition("_")
    part = root / "before" / f"{label}_{FIRST_STAMP}"
    _leave_out_last_patients(whole, part)
    home = Home(root / "home", memory_limit="1GB")
    os.environ[HOME_VARIABLE] = str(home.path)
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    made = []
    for feed in (part, whole):
        outcome = run(home, [feed], profile, lambda _: None)
        assert outcome.released, (outcome.held, outcome.held_by, outcome.failed)
        made.append(home.current.resolve())
    return made[0], made[1]


def _leave_out_last_patients(whole: Path, part: Path) -> None:
    part.mkdir(parents=True)
    tables = {path.stem: pl.read_csv(path, infer_schema=False) for path in whole.glob("*.csv")}
    _plant_odd_score(whole, tables)
    gone = tables["patient"]["patient_key"].sort().tail(LATER)
    episodes = tables["episode"].filter(pl.col("patient_key").is_in(gone.implode()))["episode_key"]
    visits = tables["visit"].filter(pl.col("episode_key").is_in(episodes.implode()))["visit_key"]
    keys = {"patient_key": gone, "episode_key": episodes, "visit_key": visits}
    for name, table in tables.items():
        key = next(key for key in keys if key in table.columns)
        table.filter(~pl.col(key).is_in(keys[key].implode())).write_csv(part / f"{name}.csv")


def _plant_odd_score(whole: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Give one score of function a value of its own, in both deliveries."""
    score = tables["measurement"].with_row_index()
    row = score.filter(pl.col("measure_id") == "quickdash")["index"][0]
    tables["measurement"] = score.with_columns(
        value=pl.when(pl.col("index") == row).then(pl.lit(ODD_SCORE)).otherwise(pl.col("value"))
    ).drop("index")
    tables["measurement"].write_csv(whole / "measurement.csv")
