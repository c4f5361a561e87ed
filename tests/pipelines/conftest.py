"""One small network, run once through the whole pipeline, for every test that looks at the result."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.simulation.network import simulate_network
from pipelines.runner import RunOutcome, run
from pipelines.settings import HOME_VARIABLE
from tests.made_once import made_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPISODES = 900


@dataclass(frozen=True)
class Installation:
    """A home after a run."""

    home: Home
    feed: Path
    outcome: RunOutcome

    def query(self, sql: str) -> pl.DataFrame:
        """Rows of the warehouse in force."""
        with duckdb.connect(str(self.home.current / "warehouse.duckdb"), read_only=True) as connection:
            return connection.sql(sql).pl()

    def exact(self, name: str) -> pl.DataFrame:
        """A table of the statistics before disclosure control: what a number out of the literature is compared with."""
        return self.query(f"select * from statistics.{name} order by all nulls first")

    def published(self, name: str) -> pl.DataFrame:
        """A published table as the site ships it."""
        return pl.read_parquet(self.home.site / "data" / f"{name}.parquet")


def silent(text: str) -> None:
    """Report progress to nobody."""


@pytest.fixture(scope="session")
def make_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Installation]]:
    """Run feeds in a home of their own and return what came of it."""
    before = dict(os.environ)

    def make(feeds: list[Path], profile: Path | None = None, home: Home | None = None) -> Installation:
        place = home or Home(tmp_path_factory.mktemp("home"), memory_limit="1GB")
        os.environ[HOME_VARIABLE] = str(place.path)
        loaded = load_profile(profile or PROFILE_FOLDER / "canonical.yaml", CONTRACT)
        return Installation(place, feeds[0], run(place, feeds, loaded, silent))

    yield make
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def network_feed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The feed of a small simulated network, dirty rows included; made once for all workers, so only to be read."""

    def make(out: Path) -> Path:
        simulate_network(out, patients=EPISODES, seed=7, contract=CONTRACT)
        return out

    return made_once(tmp_path_factory, worker_id, "network-feed", make)


@pytest.fixture(scope="session")
def network(
    make_installation: Callable[..., Installation],
    network_feed: Path,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Installation:
    """The small network, released; run once for all workers, of which each has a copy of its own."""

    def make(folder: Path) -> Installation:
        feeds = sorted(path for path in network_feed.iterdir() if path.is_dir())
        made = make_installation(feeds, home=Home(folder / "home", memory_limit="1GB"))
        assert made.outcome.released, made.outcome
        return made

    made = made_once(tmp_path_factory, worker_id, "network", make)
    own = tmp_path_factory.mktemp("network") / "home"
    shutil.copytree(made.home.path, own, symlinks=True)
    return replace(made, home=replace(made.home, path=own))


@pytest.fixture(scope="session")
def profiles() -> Path:
    """Profiles of the shared data sets."""
    return Path(__file__).parents[1] / "profiles"
