"""Sixty nights: what is sent when, and that whole nights can be damaged in every way that is listed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.simulation.folders import DeliveryFolder
from assets.simulation.night_faults import NightFault, Sending, night_faults
from assets.simulation.nights import LATE_NIGHTS, NIGHTS, Nights, Tables, label

if TYPE_CHECKING:
    from pathlib import Path

PATIENTS = 12_000
NIGHT = 30


@pytest.fixture(scope="module")
def nights() -> Nights:
    return Nights(CONTRACT, 5, PATIENTS)


def until(nights: Nights, system: str, night: int) -> Tables:
    sent = [nights.tables(system, number) for number in range(night + 1)]
    return {table.name: pl.concat(tables[table.name] for tables in sent) for table in CONTRACT.tables}


@pytest.fixture(scope="module")
def earlier(nights: Nights) -> Tables:
    return until(nights, nights.systems[0], NIGHT - 1)


def test_every_child_has_its_parent_by_the_night_it_is_sent(nights: Nights) -> None:
    for system in nights.systems:
        sent = until(nights, system, NIGHT)
        for table in CONTRACT.tables:
            assert sent[table.name].height > 0
            for reference in table.references:
                known = sent[reference.parent][reference.parent_column]
                assert sent[table.name][reference.column].is_in(known.implode()).all()


def test_an_episode_is_sent_when_it_begins_and_when_it_is_closed(nights: Nights) -> None:
    episodes = until(nights, nights.systems[0], NIGHTS)["episode"]
    times = episodes.group_by("episode_key").agg(
        sent=pl.len(), still_open=(pl.col("discharge_reason") == "still_open").sum()
    )
    assert set(times["sent"]) == {1, 2}
    assert times.filter(sent=2)["still_open"].unique().to_list() == [1]


def test_nights_are_alike_and_the_history_is_not_one_of_them(nights: Nights) -> None:
    for system in nights.systems:
        visits = np.array([nights.tables(system, night)["visit"].height for night in range(NIGHTS + 1)])
        assert visits[0] > 20 * visits[1:].max()
        early, late = visits[1:21].mean(), visits[-20:].mean()
        assert abs(early - late) < 4 * np.sqrt((early + late) / 20)


def test_some_visits_come_late(nights: Nights) -> None:
    days = {
        (row["episode_key"], row["day_offset"] - night)
        for system in nights.systems
        for night in range(1, NIGHTS + 1)
        for row in nights.tables(system, night)["visit"].iter_rows(named=True)
    }
    starts: dict[str, list[int]] = {}
    for episode, start in days:
        starts.setdefault(episode, []).append(start)
    delays = [max(found) - one for found in starts.values() for one in found]
    assert 0 < sum(delay > 0 for delay in delays) < 0.05 * len(delays)
    assert max(delays) < LATE_NIGHTS[1]


def test_the_stamp_is_the_morning_after() -> None:
    assert label("simulated-north", 1) == "simulated-north_20260503T020000Z"


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.csv")}


@pytest.mark.parametrize("fault", night_faults(), ids=lambda fault: fault.name)
def test_every_fault_changes_what_is_sent(nights: Nights, earlier: Tables, tmp_path: Path, fault: NightFault) -> None:
    system = nights.systems[0]
    place = tmp_path / label(system, NIGHT)
    with DeliveryFolder(place, CONTRACT, "csv") as folder:
        for table, rows in nights.tables(system, NIGHT).items():
            folder.append(table, rows)
    before = digest(place)
    yesterday = nights.tables(system, NIGHT - 1)
    fault.damage(Sending(place, yesterday, earlier, "Elsewhere", np.random.default_rng(1)))
    assert digest(place) != before


def test_names_of_faults_are_told_apart() -> None:
    names = [fault.name for fault in night_faults()]
    assert len(set(names)) == len(names) >= 40
