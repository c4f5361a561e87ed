"""The targets T1 to T8 of the benchmark, judged by what one run measured."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from processes import Cost

GB = 1_000_000_000
THOUSAND_100, MILLION_10, MILLION_100 = 100_000, 10_000_000, 100_000_000
NEAR = 0.15
"""A feed has about the asked number of rows; a target holds for sizes within this share of its own."""
ORCHESTRATION = ("import dagster", "definitions of Dagster", "Dagster, command line, ledger")


@dataclass(slots=True)
class Measured:
    """What was measured for one size."""

    rows: int
    file_format: str
    memory_limit: str
    costs: Mapping[str, Sequence[Cost]]
    rival_stages: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[str, Any] = field(default_factory=dict)
    day: dict[str, Any] = field(default_factory=dict)

    def best(self) -> dict[str, Cost]:
        """The cheapest repeat of each case."""
        return {name: min(costs, key=lambda cost: cost.cpu) for name, costs in self.costs.items()}

    @property
    def floor(self) -> float:
        """CPU seconds of the scan; 0 if it was not run."""
        return self.best()["floor"].cpu if "floor" in self.costs else 0.0

    @property
    def rival_cpu(self) -> float:
        """CPU seconds of the rival."""
        return self.best()["rival"].cpu

    def is_size(self, rows: int, file_format: str) -> bool:
        """Whether this is the size and format a target speaks of."""
        return self.file_format == file_format and abs(self.rows / rows - 1) < NEAR

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON; of the processes without their output."""
        costs = {name: [asdict(cost) | {"output": None} for cost in runs] for name, runs in self.costs.items()}
        return {
            "rows": self.rows,
            "format": self.file_format,
            "costs": costs,
            "rival_stages": self.rival_stages,
            "agreement": self.agreement,
            "stages": self.stages,
            "day": self.day,
        }


def judge(measured: Sequence[Measured]) -> Iterator[str]:
    """One line per target: its number, whether it is met, and what was measured.

    At other sizes than a target's own the numbers are printed without a verdict.
    """
    for found in measured:
        if "main" in found.costs:
            yield from _cost(found)
    yield from _growth([found for found in measured if "main" in found.costs])
    for found in measured:
        yield from _orchestration(found)
        yield from _day(found)
        yield from _same(found)


def _line(name: str, *, met: bool | None, text: str) -> str:
    verdict = {True: "met", False: "NOT MET", None: "-"}[met]
    return f"{name:3} {verdict:8} {text}"


def _cost(found: Measured) -> Iterable[str]:
    best = found.best()
    main, where = best["main"], f"{found.rows:,} rows {found.file_format}"
    full = found.is_size(MILLION_10, "csv")
    if found.floor and found.file_format == "csv":
        limit = 5 * found.floor + 8
        text = f"{where}: {main.cpu:.1f} CPU s <= 5 x scan + 8 = {limit:.1f}"
        yield _line("T1", met=main.cpu <= limit if full else None, text=text)
    if "rival" in best:
        cpu, wall = main.cpu / best["rival"].cpu, main.wall / best["rival"].wall
        other = main.cpu / (best["rival"].cpu - found.rival_stages.get("curves", 0.0))
        text = f"{where}: {cpu:.2f} <= 0.6 x CPU and {wall:.2f} <= 0.5 x wall of the rival"
        text += f" ({other:.2f} x CPU of the rival without curves)"
        yield _line("T1", met=cpu <= 0.6 and wall <= 0.5 if full else None, text=text)
    if found.is_size(MILLION_100, "parquet"):
        text = f"{where}: peak {main.peak / GB:.2f} <= 3 GB, spilled {main.spilled / GB:.2f} GB at {found.memory_limit}"
        yield _line("T2", met=main.peak <= 3 * GB and main.spilled == 0, text=text)
    text = f"{where}: peak {main.peak / GB:.2f} <= 0.8 GB"
    yield _line("T3", met=main.peak <= 0.8 * GB if full else None, text=text)
    if found.is_size(THOUSAND_100, "csv"):
        yield _line("T4", met=main.cpu <= 8, text=f"{where}: {main.cpu:.1f} <= 8 CPU s")


def _growth(measured: Sequence[Measured]) -> Iterable[str]:
    for small, large in pairwise(measured):
        growth = math.log(large.best()["main"].cpu / small.best()["main"].cpu) / math.log(large.rows / small.rows)
        judged = small.rows >= MILLION_10 * (1 - NEAR)
        text = f"CPU grows with rows to the power {growth:.2f} <= 1.05 from {small.rows:,} to {large.rows:,}"
        yield _line("T6", met=growth <= 1.05 if judged else None, text=text)


def _orchestration(found: Measured) -> Iterable[str]:
    if not found.stages:
        return
    stages = found.stages["stages"]
    fixed, rest = sum(stages[name][0] for name in ORCHESTRATION[:2]), stages[ORCHESTRATION[2]][0]
    step = 1000 * rest / max(found.stages["steps"], 1)
    text = f"{found.rows:,} rows: {fixed + rest:.1f} <= 2.5 CPU s ({fixed:.1f} imports, {rest:.1f} at work), "
    text += f"{step:.0f} <= 45 ms a step ({found.stages['steps']} steps, {found.stages['check_results']} check results)"
    yield _line("T7", met=fixed + rest <= 2.5 and step <= 45, text=text)


def _day(found: Measured) -> Iterable[str]:
    if not found.day:
        return
    day, beyond = found.day, found.day["on_top"] - found.day["alone"]
    correct = day["unchanged"] and day["rebuilt"]["equal"]
    text = f"{day['rows']:,} rows on top of {found.rows:,}: {beyond:.1f} <= 2 CPU s beyond {day['alone']:.1f} alone; "
    text += f"equal to a rebuild: {day['rebuilt']['equal']}; repeated for {day['again']:.1f} s without change: "
    text += f"{day['unchanged']}"
    met = (beyond <= 2 and correct) if found.rows >= MILLION_100 * (1 - NEAR) or not correct else None
    yield _line("T5", met=met, text=text)


def _same(found: Measured) -> Iterable[str]:
    for other, compared in found.agreement.items():
        cells = sum(table["cells"] for table in compared["tables"].values())
        different = sum(table["different"] for table in compared["tables"].values())
        text = f"{found.rows:,} rows: main job and {other}: {different:,} of {cells:,} cells differ"
        yield _line("T8", met=bool(compared["equal"]), text=text)
