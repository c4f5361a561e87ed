"""Nights of a network: every night each records system sends what was new that day.

Each of four clinics has a system of its own. Night 0 is its history: everything since ``HISTORY_DAYS`` before, longer
than an episode lasts, so that the nights after it are all alike. A later night holds the visits of its day with
their scores, treatments and events, the patients and episodes that began, and again the episodes that were closed.
Now and then a visit is written down some nights late. Every day is a working day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.simulation import parameters as p
from assets.simulation.block import draw_blocks
from assets.simulation.clinics import Network, build_network
from assets.simulation.rendering import DATE, FIRST_DATE, Renderer

if TYPE_CHECKING:
    from assets.contract.model import Contract

NIGHTS = 60
HISTORY_DAYS = 120
PATIENTS = 40_000
"""Of the whole simulated period; about 100 visits a night and system are left of them."""
LATE_SHARE, LATE_NIGHTS = 0.01, (1, 4)
OF_VISIT = ("measurement", "treatment", "adverse_event")
NIGHT, DAY = "night", "day"

Tables = dict[str, pl.DataFrame]
"""What one system sends in one night: a frame of text per canonical table."""


class Nights:
    """What the records systems of a small network send, night by night. The same seed gives the same rows."""

    def __init__(self, contract: Contract, seed: int, patients: int = PATIENTS, nights: int = NIGHTS) -> None:
        """Simulate that many nights, the last of them on the last day of the simulated period."""
        self.network = four_clinics(build_network(contract, seed, len(p.SOURCES)))
        renderer = Renderer(self.network, typed=False, dated=True)
        blocks = [renderer.render(block) for block in draw_blocks(self.network, patients)]
        late = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
        self._sent: dict[tuple[str, int], Tables] = {}
        for number, system in enumerate(self.systems):
            whole = {table.name: pl.concat(block[number][table.name] for block in blocks) for table in contract.tables}
            for table, rows in by_night(whole, late, nights).items():
                for night in range(nights + 1):
                    of_night = rows.filter(pl.col(NIGHT) == night).select(contract.table(table).layout)
                    self._sent.setdefault((system, night), {})[table] = of_night

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the records systems."""
        return self.network.sources

    def tables(self, system: str, night: int) -> Tables:
        """What ``system`` sends in ``night``; night 0 is its history."""
        return dict(self._sent[system, night])


def four_clinics(network: Network) -> Network:
    """The network with one clinic for each records system."""
    kept = [network.clinic_source.tolist().index(source) for source in range(len(network.sources))]
    return replace(
        network,
        clinics=tuple(network.clinics[position] for position in kept),
        clinic_points=network.clinic_points[kept],
        clinic_source=np.arange(len(kept)),
    )


def label(system: str, night: int, nights: int = NIGHTS) -> str:
    """Name of the delivery, with the stamp of its extract: two o'clock in the morning after."""
    day = _last_of_history(nights) + dt.timedelta(days=night + 1)
    return f"{system}_{day:%Y%m%d}T020000Z"


def by_night(tables: Tables, rng: np.random.Generator, nights: int) -> Tables:
    """All rows of one system with the night in which each is sent; those from before the history are left out."""
    first = tables["visit"].filter(pl.col("day_offset") == 0).select("episode_key", started=_night_of(DATE, nights))
    first = first.filter(pl.col("started") > -HISTORY_DAYS)
    episodes = tables["episode"].join(first, on="episode_key")
    visits = tables["visit"].join(first, on="episode_key").with_columns(night=_night_of(DATE, nights))
    delay = np.where(rng.random(visits.height) < LATE_SHARE, rng.integers(*LATE_NIGHTS, visits.height), 0)
    visits = visits.with_columns(
        night=pl.col(NIGHT) + pl.when(pl.col("day_offset") > 0).then(pl.Series(delay)).otherwise(0)
    )
    of_visit = visits.select("visit_key", NIGHT)
    came = episodes.group_by("patient_key").agg(pl.col("started").min().alias(NIGHT))
    sent = {
        "patient": tables["patient"].join(came, on="patient_key", maintain_order="left"),
        "episode": _opened_and_closed(episodes),
        "visit": visits,
        **{name: tables[name].join(of_visit, on="visit_key", maintain_order="left") for name in OF_VISIT},
        "precaution": tables["precaution"].join(came, on="patient_key", maintain_order="left"),
    }
    return {name: rows.with_columns(pl.col(NIGHT).clip(lower_bound=0)) for name, rows in sent.items()}


def _night_of(date: str, nights: int) -> pl.Expr:
    """The night of a date, counted from the last day of the history."""
    return (pl.col(date).str.to_date("%Y-%m-%d") - _last_of_history(nights)).dt.total_days()


def _last_of_history(nights: int) -> dt.date:
    return FIRST_DATE + dt.timedelta(days=p.PERIOD_DAYS - 1 - nights)


def _opened_and_closed(episodes: pl.DataFrame) -> pl.DataFrame:
    """Each episode as it stands when it begins, and once more when it is closed; in the history as it stands then."""
    ends = (pl.col("started") + pl.col("discharge_day")).clip(lower_bound=0)
    begins = pl.col("started").clip(lower_bound=0)
    closed = episodes.filter(pl.col("discharge_day").is_not_null()).with_columns(ends.alias(NIGHT))
    opened = episodes.filter((ends > begins).fill_null(value=True)).with_columns(
        begins.alias(NIGHT),
        discharge_day=pl.lit(None, pl.Int32),
        discharge_reason=pl.lit("still_open"),
    )
    return pl.concat([closed, opened]).sort("episode_key", NIGHT)
