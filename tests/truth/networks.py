"""Simulated networks with known truth, each run once through the whole pipeline."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.outcomes.published import LAYOUTS
from assets.privacy.disclosure.profiles import MINIMUM_GROUP
from assets.simulation.block import draw_blocks
from assets.simulation.clinics import Network, build_network
from assets.simulation.network import write_network
from assets.simulation.recovery import eligible, recovered
from assets.warehouse.connection import connect
from pipelines.runner import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SEEDS = range(20)
PATIENTS = 4000
TRUTH_PATIENTS = 400_000
"""Patients drawn from the same network to know what it plants: their error is a tenth of that of ``PATIENTS``."""
OTHER_STREAM = 1_000_000
"""Added to the seed of a network, so that the patients behind the truth are not those that are judged."""


@dataclass(frozen=True)
class Judged:
    """One network: what it plants by clinic and condition, and what the pipeline finds in it.

    ``found`` are the exact statistics, which the printed decimals would blur, of groups that are large enough to show.
    """

    seed: int
    truth: pl.DataFrame
    found: dict[str, pl.DataFrame]


def missing_at_random(network: Network) -> Network:
    """The network with discharge scores missing by clinic, but not by score: else no method can know the truth."""
    return replace(network, clinics=tuple(replace(clinic, missing_slope=0.0) for clinic in network.clinics))


def with_needling(network: Network, points: float) -> Network:
    """The network with the same effect of needling in every condition, in points of pain (negative = less pain)."""
    return replace(network, models=tuple(replace(model, needling_points=points) for model in network.models))


def without_clinic_differences(network: Network) -> Network:
    """The network with clinics that differ in habits and size only."""
    return replace(network, clinic_points=np.zeros_like(network.clinic_points))


def judged(
    folder: Path, changed: Callable[[Network], Network], tables: Sequence[str], seeds: Sequence[int] = SEEDS
) -> Iterator[Judged]:
    """Run one network per seed through the pipeline and keep the named tables."""
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    for seed in seeds:
        network = changed(missing_at_random(build_network(CONTRACT, seed, 1)))
        feed, home = folder / f"feed-{seed}", Home(folder / f"home-{seed}", memory_limit="1GB")
        summary = write_network(feed, network, patients=PATIENTS, clean=True)
        outcome = run(home, list(summary.deliveries), profile, lambda _: None)
        assert outcome.exit_code == 0, outcome
        with connect(home.warehouse, home=home.path, read_only=True) as connection:
            found = {
                name: connection.sql(f"select * from statistics.{name} order by all nulls first")
                .pl()
                .filter(pl.all_horizontal(pl.col(LAYOUTS[name].groups) >= MINIMUM_GROUP))
                for name in tables
            }
        yield Judged(seed, planted_shares(network), found)
        shutil.rmtree(feed)
        shutil.rmtree(home.path)


def together(networks: Sequence[Judged], name: str) -> pl.DataFrame:
    """One table of all networks, with ``seed``, and ``planted`` where the truth knows the group."""
    keys = ["clinic_key", "condition_id"]
    parts = []
    for network in networks:
        frame = network.found[name].with_columns(seed=pl.lit(network.seed))
        if set(keys) <= set(frame.columns):
            frame = frame.join(network.truth, on=keys, how="left", nulls_equal=True)
        parts.append(frame)
    return pl.concat(parts)


def covered(frame: pl.DataFrame, low: str, high: str, truth: str = "planted") -> tuple[float, int]:
    """Share of intervals that hold the truth, and how many there are."""
    shown = frame.drop_nulls([low, high, truth])
    return float(shown.select(pl.col(truth).is_between(pl.col(low), pl.col(high)).mean()).item()), shown.height


def planted_shares(network: Network) -> pl.DataFrame:
    """Probability of recovery by clinic and condition, with all totals (null), from many patients of the network.

    Of those whose discharge score is on record: here it is missing by chance within a clinic, and who never came to the
    last visit could not reach the goal there, which is no property of the care. Totals weigh the cells by all eligible.
    """
    shape = (len(network.clinics), len(network.conditions))
    may, seen, did = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    for block in draw_blocks(replace(network, seed=network.seed + OTHER_STREAM), TRUTH_PATIENTS):
        cell = block.episodes.clinic, block.episodes.condition
        counted = eligible(block)
        known = counted & ~block.care.missing
        for counts, which in ((may, counted), (seen, known), (did, known & recovered(block, network.contract))):
            np.add.at(counts, tuple(part[which] for part in cell), 1)
    cells = pl.DataFrame(
        {
            "clinic_key": np.repeat([clinic.key for clinic in network.clinics], shape[1]),
            "condition_id": np.tile(network.conditions, shape[0]),
            "eligible": may.ravel(),
            "recovered": (may * did / seen).ravel(),
        }
    )
    totals = [
        cells.group_by(keys).agg(pl.col("eligible", "recovered").sum())
        for keys in (["clinic_key", "condition_id"], ["clinic_key"], ["condition_id"])
    ]
    whole = pl.concat([*totals, cells.select(pl.col("eligible", "recovered").sum())], how="diagonal_relaxed")
    return whole.select("clinic_key", "condition_id", planted=pl.col("recovered") / pl.col("eligible"))
