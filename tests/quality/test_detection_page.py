"""The page of planted faults speaks of every kind that the simulator knows: a new kind asks for a new run."""

from __future__ import annotations

import re
from pathlib import Path

from assets.contract import CONTRACT
from assets.simulation.faults import faults
from assets.simulation.night_faults import night_faults

PAGE = Path(__file__).parents[2] / "assets" / "quality" / "DETECTION.md"


def test_every_kind_of_fault_is_on_the_page() -> None:
    alone = PAGE.read_text(encoding="utf-8").split("together\n\nDrawn")[0]
    named = set(re.findall(r"^\| (\S+) \|", alone, re.MULTILINE))
    every = {fault.name for fault in faults(CONTRACT, typed=False)} | {fault.name for fault in night_faults()}
    assert every <= named
