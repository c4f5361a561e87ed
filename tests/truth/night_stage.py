"""The clean run of sixty nights, and what systems send of it with a fault."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract import CONTRACT
from assets.contract.drift import FEWEST_NIGHTS
from assets.simulation.dirt import plant
from assets.simulation.faults import Fault, Shape
from assets.simulation.folders import DeliveryFolder
from assets.simulation.night_faults import NightFault, Sending
from assets.simulation.nights import NIGHTS, Nights, label
from tests.truth.night_bench import SUPERSEDED, Bench, Judgement, Named, new_bench

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from assets.deliveries.ledger import Delivery

SEED = 20260701
INSTANCES = 3
"""Rows of a row fault in its night: few enough that no share of all rows gives them away."""
Anything = Fault | NightFault


@dataclass(slots=True)
class Stage:
    """The clean run that everything is compared with: all nights of it, and what each said, judged when asked for.

    ``scratch`` is where homes with faults are made, one after the other; ``judged`` keeps what each night said: another
    judge needs another folder.
    """

    nights: Nights
    scratch: Path
    judged: Path
    seed: int
    whole: Bench
    growing: Bench
    clean: dict[int, Judgement] = field(default_factory=dict)

    def until(self, night: int) -> Judgement:
        """What the clean run says in ``night``; cheapest where nights are asked for in order."""
        path = self.judged / f"{night}.json"
        if night not in self.clean and path.exists():
            alarms, named = json.loads(path.read_text(encoding="utf-8"))
            self.clean[night] = Judgement(frozenset(map(tuple, alarms)), frozenset(map(tuple, named)))
        if night not in self.clean:
            there = {record.label for record in self.growing.home.ledger.all()}
            wanted = set(self.labels(range(night + 1)))
            for name in there - wanted:
                self.growing.forget(name)
            self.growing.copy_from(self.whole, wanted - there)
            said = self.clean[night] = self.growing.judge(with_drift=night > FEWEST_NIGHTS)
            self.judged.mkdir(exist_ok=True)
            path.with_suffix(".tmp").write_text(json.dumps([sorted(said.alarms), sorted(said.named)]), encoding="utf-8")
            path.with_suffix(".tmp").replace(path)
            print(f"clean {night}: {len(said.alarms)} alarms", flush=True)  # noqa: T201
        return self.clean[night]

    def labels(self, nights: Iterable[int]) -> list[str]:
        """Names of all deliveries of some nights."""
        return [label(system, night) for night in nights for system in self.nights.systems]

    def write(self, place: Path, system: str, night: int, planted: Fault | None = None, number: int = 1) -> set[Named]:
        """Write what ``system`` sends in ``night``, a row fault with it; returns the pairs that are to be named."""
        name = label(system, night)
        expected: set[Named] = set()
        with DeliveryFolder(place / name, CONTRACT, "csv") as folder:
            for table, rows in self.nights.tables(system, night).items():
                folder.append(table, rows)
            clinic = self.nights.network.clinics[self.nights.systems.index(system)].key
            soils = plant(CONTRACT, [planted], {planted.name: INSTANCES}, [clinic], first=number) if planted else []
            for soil in soils:
                for table, lines in soil.lines.items():
                    before = folder.rows[table]
                    folder.append_lines(table, lines)
                    for place_in_file, checks in enumerate(soil.broken[table], start=before + 1):
                        expected |= {(name, f"{table}.csv", place_in_file, check) for check in checks}
                    if planted and planted.shape is Shape.REPEAT and table == planted.table:
                        last = range(before + len(lines), before, -1)[: 2 * INSTANCES : 2]
                        expected |= {(name, f"{table}.csv", row, SUPERSEDED) for row in last}
        return expected

    def damage(self, place: Path, system: str, night: int, fault: NightFault) -> None:
        """Write what ``system`` sends in ``night`` and damage it."""
        self.write(place, system, night)
        systems = self.nights.systems
        position = systems.index(system)
        earlier: dict[str, list[pl.DataFrame]] = {}
        for before in range(night):
            for table, rows in self.nights.tables(system, before).items():
                earlier.setdefault(table, []).append(rows)
        stream = np.random.SeedSequence(SEED, spawn_key=(3, night, position))
        fault.damage(
            Sending(
                place / label(system, night),
                self.nights.tables(system, night - 1),
                {table: pl.concat(rows) for table, rows in earlier.items()},
                self.nights.network.clinics[(position + 1) % len(systems)].key,
                np.random.default_rng(stream),
            )
        )


def open_stage(folder: Path, scratch: Path, seed: int = SEED, last: int = NIGHTS) -> Stage:
    """The clean run in ``folder``; what of it is not there yet is taken in. ``scratch`` is emptied."""
    shutil.rmtree(scratch, ignore_errors=True)
    judged = folder / "judged"
    whole, growing = new_bench(folder / "clean"), new_bench(scratch / "growing")
    stage = Stage(Nights(CONTRACT, seed), scratch, judged, seed, whole, growing)
    there = {record.label for record in stage.whole.home.ledger.all()}
    for night in range(last + 1):
        for system in stage.nights.systems:
            if label(system, night) not in there:
                shutil.rmtree(scratch / "feed", ignore_errors=True)
                stage.write(scratch / "feed", system, night)
                stage.whole.take_in(scratch / "feed" / label(system, night))
    return stage


def bench_until(stage: Stage, night: int) -> Bench:
    """A home with all clean deliveries up to a night."""
    shutil.rmtree(stage.scratch / "bench", ignore_errors=True)
    bench = new_bench(stage.scratch / "bench")
    bench.copy_from(stage.whole, stage.labels(range(night + 1)))
    return bench


def send(
    stage: Stage, bench: Bench, fault: Anything, night: int, system: str, number: int
) -> tuple[Delivery | None, set[Named]]:
    """Take in what ``system`` sends with a fault; returns its record and the pairs that are to be named."""
    place = stage.scratch / "faulty"
    shutil.rmtree(place, ignore_errors=True)
    expected: set[Named] = set()
    if isinstance(fault, Fault):
        expected = stage.write(place, system, night, fault, number)
    else:
        stage.damage(place, system, night, fault)
    return bench.take_in(place / label(system, night)), expected
