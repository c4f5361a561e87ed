"""What a network of four clinics sends night by night: ``nightly_feed.py OUT --patients N --nights N``.

One delivery a night, in a folder per night below OUT; night 0 holds what was before the first. Prints the rows of each.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import polars as pl

from assets.contract import CONTRACT
from assets.simulation.folders import DeliveryFolder
from assets.simulation.nights import Nights, label

SEED = 20260701
NETWORK = "simulated-network"


def main() -> None:
    """Write all nights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patients", type=int, required=True)
    parser.add_argument("--nights", type=int, required=True)
    asked = parser.parse_args()
    made = Nights(CONTRACT, SEED, asked.patients, asked.nights)
    rows = [_write(asked.out, made, night, asked.nights) for night in range(asked.nights + 1)]
    sys.stdout.write(json.dumps(rows) + "\n")


def _write(out: Path, nights: Nights, night: int, last: int) -> int:
    sent = [nights.tables(system, night) for system in nights.systems]
    with DeliveryFolder(out / f"{night:04d}" / label(NETWORK, night, last), CONTRACT, "csv") as folder:
        for table in CONTRACT.tables:
            folder.append(table.name, pl.concat(tables[table.name] for tables in sent))
        return sum(folder.rows.values())


if __name__ == "__main__":
    main()
