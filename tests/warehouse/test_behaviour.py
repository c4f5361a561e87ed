"""Habits planted in one clinic or one person of a simulated network are found there, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.behaviour import BEHAVIOURS, SMALLEST_GROUP
from assets.deliveries.rules import polars_type
from assets.simulation.network import simulate_network
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.lake import FRAMES, create_lake
from assets.warehouse.models import load_models
from assets.warehouse.reference import write_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from assets.warehouse.models import Model

MODELS = {model.relation: model for model in load_models()}
PATIENTS = 1500
CLINIC, PERSON = "Parkside", "Kingsway-T2"
SCORES = pl.col("measure_id").str.starts_with("nprs")
ANGLES = pl.col("unit") == "deg"

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Network:
    """Frames by table, and scores with the episode they belong to."""

    frames: Frames

    def scores(self) -> pl.DataFrame:
        episodes = self.frames["episode"].select("episode_key", "clinic_key", "therapist_key", "condition_id")
        visits = self.frames["visit"].select("visit_key", "episode_key", "day_offset", "visit_type")
        return self.frames["measurement"].join(visits, on="visit_key").join(episodes, on="episode_key")

    def with_scores(self, scores: pl.DataFrame) -> Network:
        return Network(self.frames | {"measurement": scores.select(self.frames["measurement"].columns)})

    def with_values(self, value: pl.Expr, where: pl.Expr) -> Network:
        scores = self.scores().sort("episode_key", "measure_id", "side", "day_offset", "visit_key")
        changed = pl.when(where).then(value).otherwise("value").cast(scores.schema["value"])
        return self.with_scores(scores.with_columns(value=changed))


def clean_network(folder: Path, patients: int, seed: int) -> Network:
    """A network without a planted fault, whose visits know the minute at which they were recorded."""
    feed = simulate_network(folder, contract=CONTRACT, patients=patients, seed=seed, file_format="parquet", clean=True)
    frames = {
        table.name: pl.concat([pl.read_parquet(path / f"{table.name}.parquet") for path in feed.deliveries])
        for table in CONTRACT.tables
    }
    minute = np.random.default_rng(seed).integers(8 * 60, 18 * 60, len(frames["visit"]))
    frames["visit"] = frames["visit"].with_columns(recorded_minute=pl.Series(minute, dtype=pl.Int32))
    return Network(frames)


def audited(network: Network, home: Path) -> pl.DataFrame:
    """``audit.behaviour`` of a network, by the models it needs and no others."""
    home.mkdir()
    files = {}
    for table in CONTRACT.tables:
        rows = network.frames[table.name]
        path = home / f"{table.name}.parquet"
        rows.with_columns(
            *(pl.col(column.name).cast(polars_type(column)) for column in table.columns if column.name in rows.columns),
            *(pl.lit(None, pl.String).alias(f"{column.name}__text") for column in table.columns if column.is_number),
            *(
                pl.lit(None, polars_type(column)).alias(column.name)
                for column in table.columns
                if column.name not in rows.columns
            ),
            delivery_id=pl.lit("d1"),
            file=pl.lit(f"{table.name}.csv"),
            row_number=pl.int_range(1, pl.len() + 1),
            accepted=pl.lit(value=True),
            violations=pl.lit(0, pl.Int64),
        ).write_parquet(path)
        files[table.name] = [path]
    empty = {name: pl.DataFrame(schema=dict.fromkeys(columns, pl.String)) for name, columns in FRAMES.items()}
    with connect(None, home=home, threads=1) as con:
        write_reference(con, CONTRACT)
        create_lake(con, CONTRACT, files, source_rows=(), deliveries=empty["delivery"], violations=empty["violation"])
        build_warehouse(con, _needed("audit.behaviour"))
        return con.sql("select * from audit.behaviour").pl()


def _needed(relation: str) -> Iterable[Model]:
    found: set[str] = set()
    ahead = [relation]
    while ahead:
        name = ahead.pop()
        if name in MODELS and name not in found:
            found.add(name)
            ahead += [f"{schema}.{table}" for schema, table in MODELS[name].depends_on]
    return [model for model in MODELS.values() if model.relation in found]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return clean_network(tmp_path_factory.mktemp("behaviour") / "feed", PATIENTS, 7)


def carried_forward(network: Network) -> Network:
    """Most scores are those of the visit before."""
    first = pl.col("value").first().over("episode_key", "measure_id")
    copied = pl.col("day_offset").hash(seed=1) % 10 < 8
    return network.with_values(first, SCORES & (pl.col("clinic_key") == CLINIC) & copied)


def unchanged_at_discharge(network: Network) -> Network:
    """Three of four patients end with the score they began with."""
    first = pl.col("value").first().over("episode_key", "measure_id")
    last = pl.col("visit_key") == pl.col("visit_key").last().over("episode_key", "measure_id")
    some = pl.col("episode_key").hash(seed=2) % 4 > 0
    return network.with_values(first, SCORES & (pl.col("clinic_key") == CLINIC) & last & some)


def sides_copied(network: Network) -> Network:
    """The right side is written down as the left."""
    one = pl.col("value").first().over("visit_key", "measure_id", "active_passive", "method")
    return network.with_values(one, (pl.col("side") != "none") & (pl.col("clinic_key") == CLINIC))


def rounded(step: int) -> Callable[[Network], Network]:
    """One rater reads two angles in three to ``step`` degrees."""

    def plant(network: Network) -> Network:
        some = pl.struct("visit_key", "measure_id").hash(seed=3) % 3 > 0
        value = (pl.col("value").cast(pl.Float64) / step).round() * step
        return network.with_values(value, ANGLES & (pl.col("rater_key") == PERSON) & some)

    return plant


def piled_at_mcid(network: Network) -> Network:
    """Half of the patients end exactly 2 points below their first score."""
    first = pl.col("value").first().over("episode_key", "measure_id")
    last = pl.col("visit_key") == pl.col("visit_key").last().over("episode_key", "measure_id")
    some = (pl.col("episode_key").hash(seed=4) % 2 == 0) & (first >= 2)
    return network.with_values(first - 2, SCORES & (pl.col("clinic_key") == CLINIC) & last & some)


def one_score_for_all(network: Network) -> Network:
    """A therapist gives every patient the same rating of change."""
    return network.with_values(pl.lit(5), (pl.col("measure_id") == "groc") & (pl.col("therapist_key") == PERSON))


def changed_question(network: Network) -> Network:
    """Worst pain at the first visit, current pain later."""
    scores = network.scores()
    first = pl.col("day_offset") == 0
    asked = pl.when(first).then(pl.lit("nprs_worst24h")).otherwise(pl.lit("nprs_current"))
    here = SCORES & (pl.col("clinic_key") == CLINIC)
    changed = scores.with_columns(measure_id=pl.when(here).then(asked).otherwise("measure_id"))
    return network.with_scores(changed.unique(["visit_key", "measure_id", "side", "active_passive", "method"]))


def entered_in_one_batch(network: Network) -> Network:
    """A therapist enters three of four discharges at 16:55."""
    mine = network.frames["episode"].filter(pl.col("therapist_key") == PERSON)["episode_key"].implode()
    batch = (
        pl.col("episode_key").is_in(mine)
        & (pl.col("visit_type") == "discharge")
        & (pl.col("visit_key").hash(seed=5) % 4 > 0)
    )
    visits = network.frames["visit"].with_columns(
        recorded_minute=pl.when(batch).then(pl.lit(16 * 60 + 55, pl.Int32)).otherwise("recorded_minute")
    )
    return Network(network.frames | {"visit": visits})


def flags(found: pl.DataFrame) -> set[tuple[str, str, str | None]]:
    flagged = found.filter("is_flagged").select("check_id", "clinic_key", "recorder_key")
    return set(flagged.iter_rows())


def test_a_clean_network_shows_no_habit(network: Network, tmp_path: Path) -> None:
    found = audited(network, tmp_path / "home")
    assert set(found["check_id"]) == {habit.check_id for habit in BEHAVIOURS}
    assert flags(found) == set()
    assert found.filter(pl.col("n") < SMALLEST_GROUP).is_empty()


@pytest.mark.parametrize(
    ("plant", "name", "whole_clinic"),
    [
        (carried_forward, "value.varies_within_clinic", True),
        (unchanged_at_discharge, "value.changes_by_discharge", True),
        (sides_copied, "value.differs_between_sides", True),
        (rounded(5), "value.no_heaping_at_5", False),
        (rounded(10), "value.no_heaping_at_10", False),
        (piled_at_mcid, "value.no_pile_at_mcid", True),
        (one_score_for_all, "value.varies_within_therapist", False),
        (changed_question, "measure_id.kept_within_clinic", True),
        (entered_in_one_batch, "recorded_minute.spread_over_day", False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_planted_habit_is_found_where_it_is(
    plant: Callable[[Network], Network],
    name: str,
    whole_clinic: bool,  # noqa: FBT001 # a column of the table above
    network: Network,
    tmp_path: Path,
) -> None:
    found = audited(plant(network), tmp_path / "home")
    check_id = f"visit.{name}" if name.startswith("recorded") else f"measurement.{name}"
    clinic = CLINIC if whole_clinic else PERSON.partition("-")[0]
    assert (check_id, clinic, None if whole_clinic else PERSON) in flags(found)
    assert {flagged_clinic for _, flagged_clinic, _ in flags(found)} == {clinic}
