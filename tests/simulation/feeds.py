"""Simulated networks on disk, read back as text."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.contract import CONTRACT
from assets.simulation.network import SimulationSummary, simulate_network

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, str]


@dataclass(frozen=True)
class Written:
    """A simulated network on disk."""

    summary: SimulationSummary
    truth: dict[str, Any]

    def lines(self, delivery: Path, table: str) -> list[list[str]]:
        with (delivery / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))[1:]

    def rows(self, delivery: Path, table: str) -> list[Row]:
        names = CONTRACT.table(table).layout
        return [dict(zip(names, line, strict=True)) for line in self.lines(delivery, table)]


def write(out: Path, patients: int, **how: Any) -> Written:
    summary = simulate_network(out, contract=CONTRACT, patients=patients, **how)
    return Written(summary, json.loads(summary.truth.read_text(encoding="utf-8")))
