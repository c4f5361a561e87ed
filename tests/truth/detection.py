"""Which planted faults are found, by what and when: run with ``python -m tests.truth.detection --help``.

Sixty nights of four systems are taken in once without a fault: what is reported then is a false alarm. Then every kind
of fault is planted alone, in one night of one system whose other nights are those of the clean run, and judged against
the same night without it; last, fifty of them in one run of sixty nights.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from assets.contract import CONTRACT
from assets.contract.checks import release_checks
from assets.deliveries.ledger import State
from assets.publication.release import code_version
from assets.simulation.faults import Fault, faults
from assets.simulation.night_faults import NightFault, night_faults
from assets.simulation.nights import NIGHTS, label
from tests.truth.night_bench import Bench, Judgement, Named
from tests.truth.night_stage import SEED, Anything, Stage, bench_until, open_stage, send

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assets.deliveries.ledger import Delivery

PLANTED_IN = (30,)
"""Nights of the faults of whole nights planted alone, in turn: half of the nights are history."""
ROWS_PLANTED_IN = range(41, 51)
"""Nights of the faults of single rows that are judged when a delivery is read, whatever other deliveries hold."""
FIRST_TOGETHER, LAST_TOGETHER, TOGETHER = 20, 44, 50
FOLLOWED_NIGHTS = 2
"""A fault that its night does not show is waited for this long."""
Kind = TypeVar("Kind", Fault, NightFault)
EVERY_NIGHT_FAULT = [fault.name for fault in night_faults()]
ORPHAN = ".reference"
PHASES = ("nights", "clean", "together", "rows")


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one planted fault.

    ``by`` names the checks that gave it away, with how: the delivery ``refused`` or ``held``, an alarm (``told``), or
    rows that a check ``named``. ``after`` counts nights from its own (0), None if it was not found. ``planted`` are the
    pairs of row and check that the fault breaks, ``caught`` those that were named, ``named`` all pairs that were named
    beyond those of the same night without it; all 0 for faults of a whole night.
    """

    fault: str
    kind: str
    title: str
    night: int
    system: str
    by: tuple[str, ...]
    after: int | None
    planted: int = 0
    caught: int = 0
    named: int = 0


def row_faults(stage: Stage, kinds: Sequence[Fault], nights: Sequence[int]) -> Iterator[Found]:
    """Plant every fault in a delivery of its own, in as many deliveries of ``nights`` at once as there are.

    The release is judged after the last of them.
    """
    slots = [(night, system) for night in nights for system in stage.nights.systems]
    clean, bench = stage.until(nights[-1]), bench_until(stage, nights[-1])
    for first in range(0, len(kinds), len(slots)):
        planted = list(zip(kinds[first:], slots, strict=False))
        expected: dict[str, set[Named]] = {}
        for number, (fault, (night, system)) in enumerate(planted, start=first + 1):
            bench.forget(label(system, night))
            _, expected[label(system, night)] = send(stage, bench, fault, night, system, number)
        named = bench.judge(with_drift=False).named - clean.named
        elsewhere = {one for one in named if one[0] not in expected}
        for fault, (night, system) in planted:
            name = label(system, night)
            mine = {one for one in named if one[0] == name} | elsewhere
            yield _found_rows(fault, night, system, expected[name], mine)
            bench.forget(name)
            bench.copy_from(stage.whole, [name])


def whole_nights(stage: Stage, kinds: Sequence[NightFault], nights: Sequence[int] = PLANTED_IN) -> Iterator[Found]:
    """Plant every fault of a whole night alone."""
    for night in nights:
        before, clean, bench = stage.until(night - 1), stage.until(night), bench_until(stage, night)
        for fault in kinds:
            number = EVERY_NIGHT_FAULT.index(fault.name)
            if nights[number % len(nights)] != night:
                continue
            system = stage.nights.systems[number // len(nights) % len(stage.nights.systems)]
            name = label(system, night)
            bench.forget(name)
            record, _ = send(stage, bench, fault, night, system, 1)
            now = _refused(bench, record) or bench.judge()
            found = _found_night(fault, night, system, now, Judgement(clean.alarms | before.alarms, clean.named))
            yield found if found.by else _followed(stage, bench, found)
            bench.forget(name)
            bench.copy_from(stage.whole, [name])


def together(stage: Stage, kinds: Sequence[Anything]) -> tuple[list[Found], Counter[str]]:
    """Plant all of ``kinds`` in one run of all nights; also alarms about deliveries and clinics without a fault.

    A good row whose parent another fault kept out is named as an orphan, and rightly so: it counts for no fault.
    """
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(4,)))
    slots = [(night, system) for night in range(FIRST_TOGETHER, LAST_TOGETHER + 1) for system in stage.nights.systems]
    chosen = {slots[place]: fault for place, fault in zip(rng.permutation(len(slots)), kinds, strict=False)}
    bench, before = bench_until(stage, FIRST_TOGETHER - 1), stage.until(FIRST_TOGETHER - 1)
    found: list[Found] = []
    false: Counter[str] = Counter()
    for night in range(FIRST_TOGETHER, LAST_TOGETHER + 1):
        sent: list[tuple[Anything, str, set[Named]]] = []
        for system in stage.nights.systems:
            fault = chosen.get((night, system))
            if fault is None:
                bench.copy_from(stage.whole, [label(system, night)])
            else:
                number = 1000 + len(found) + len(sent)
                _, pairs = send(stage, bench, fault, night, system, number)
                sent.append((fault, system, pairs))
        if not sent:
            continue
        now, clean = bench.judge(), stage.until(night)
        known = Judgement(before.alarms | clean.alarms, before.named | clean.named)
        for fault, system, pairs in sent:
            mine = _about(stage, now, night, system)
            named = {one for one in mine.named - known.named if one in pairs or not one[-1].endswith(ORPHAN)}
            found.append(
                _found_rows(fault, night, system, pairs, named)
                if isinstance(fault, Fault)
                else _found_night(fault, night, system, mine, known)
            )
        told = {alarm for _, system, _ in sent for alarm in _about(stage, now, night, system).alarms}
        false.update(check for check, about in now.alarms - known.alarms - told)
        before = now
        print(f"together night {night}: {len(sent)} planted", flush=True)  # noqa: T201
    return found, false


def _about(stage: Stage, now: Judgement, night: int, system: str) -> Judgement:
    """What is said about one delivery, its clinic, and the release as a whole."""
    position = stage.nights.systems.index(system)
    clinic = stage.nights.network.clinics[position].key
    name = label(system, night)
    alarms = frozenset(one for one in now.alarms if one[1] in ("", name, system) or one[1].split("/")[0] == clinic)
    return Judgement(alarms, frozenset(one for one in now.named if one[0] == name))


def _refused(bench: Bench, record: Delivery | None) -> Judgement | None:
    """What is said of a delivery that is not used: its release need not be judged."""
    if record is None or record.state is State.ACCEPTED:
        return None
    return Judgement(frozenset((check, record.label) for check in bench.said(record).alarms), frozenset())


def _found_rows(fault: Fault, night: int, system: str, expected: set[Named], named: set[Named]) -> Found:
    right = named & expected
    by = tuple(sorted({check for *_, check in right}))
    return Found(fault.name, "row", "", night, system, by, 0 if by else None, len(expected), len(right), len(named))


def _found_night(fault: NightFault, night: int, system: str, now: Judgement, clean: Judgement) -> Found:
    told = {check for check, _ in now.alarms - clean.alarms}
    rows = {f"{check} (rows)" for *_, check in now.named - clean.named}
    by = (*sorted(told), *sorted(rows))
    return Found(fault.name, "night", fault.title, night, system, by, 0 if by else None)


def _followed(stage: Stage, bench: Bench, found: Found) -> Found:
    """The same fault some nights later, if one of them shows it."""
    shown = found
    later = range(found.night + 1, min(found.night + FOLLOWED_NIGHTS, NIGHTS) + 1)
    for night in later:
        bench.copy_from(stage.whole, stage.labels([night]))
        news = {check for check, _ in bench.judge().alarms - stage.until(night).alarms}
        if news:
            shown = replace(found, by=tuple(sorted(news)), after=night - found.night)
            break
    for name in stage.labels(later):
        bench.forget(name)
    return shown


def false_alarms(stage: Stage) -> list[tuple[int, str, str]]:
    """Night, check and subject of every alarm that was not there the night before."""
    said = [stage.until(night).alarms for night in range(NIGHTS + 1)]
    return [
        (night, check, about)
        for night in range(1, NIGHTS + 1)
        for check, about in sorted(said[night] - said[night - 1])
    ]


def main() -> None:
    """Run the phases asked for, and keep what was found in the folder; ``detection_report`` makes the table of it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, help="keeps what was done: a call goes on where another stopped")
    arguments.add_argument("phases", nargs="*", default=PHASES, help=f"of {', '.join(PHASES)}")
    how = arguments.parse_args()
    stage = open_stage(how.folder, how.folder / "-".join(["scratch", *how.phases]))
    _keep(how.folder, "about", about(stage))
    rows, nights = faults(CONTRACT, typed=False), night_faults()
    if "nights" in how.phases:
        _keep_all(how.folder, "nights", whole_nights(stage, _left(how.folder, "nights", nights)))
    if "clean" in how.phases:
        _keep(how.folder, "clean", false_alarms(stage))
    if "together" in how.phases:
        many, false = together(stage, drawn(nights, rows))
        _keep(how.folder, "together", [[asdict(one) for one in many], dict(false)])
    if "rows" in how.phases:
        between = {check.check_id for check in release_checks(CONTRACT)}
        left = _left(how.folder, "rows", rows)
        alone = [fault for fault in left if between.isdisjoint((*fault.check_ids, *fault.warnings))]
        others = [fault for fault in left if fault not in alone]
        found = row_faults(stage, others, ROWS_PLANTED_IN[-1:]), row_faults(stage, alone, ROWS_PLANTED_IN)
        _keep_all(how.folder, "rows", chain(*found))


def drawn(nights: Sequence[NightFault], rows: Sequence[Fault]) -> list[Anything]:
    """The faults planted together: half of them of whole nights, which could hide each other."""
    rng = np.random.default_rng(SEED)
    return [kinds[place] for kinds in (nights, rows) for place in rng.permutation(len(kinds))[: TOGETHER // 2]]


def about(stage: Stage) -> dict[str, object]:
    """When, of what and with which versions this was made."""
    sent = [stage.nights.tables(system, night) for night in range(1, NIGHTS + 1) for system in stage.nights.systems]
    return {
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "seed": stage.seed,
        "contract": CONTRACT.version,
        "code": code_version(),
        "versions": {name: version(name) for name in ("duckdb", "polars", "great-expectations")},
        "visits": round(sum(tables["visit"].height for tables in sent) / len(sent)),
        "scores": round(sum(tables["measurement"].height for tables in sent) / len(sent)),
    }


def _left(folder: Path, name: str, kinds: Sequence[Kind]) -> list[Kind]:
    """Kinds that an earlier call has not tried."""
    tried = {one["fault"] for one in _kept(folder, name)}
    return [fault for fault in kinds if fault.name not in tried]


def _keep_all(folder: Path, name: str, found: Iterable[Found]) -> None:
    every = _kept(folder, name)
    for one in found:
        every.append(asdict(one))
        print(one.fault, one.after, one.planted, one.caught, one.named, *one.by[:4], flush=True)  # noqa: T201
        _keep(folder, name, every)


def _kept(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _keep(folder: Path, name: str, what: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps(what, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
