"""Nights taken into a home without Dagster: ``nightly_history.py HOME FEED FIRST LAST``.

Deliveries are landed, typed, judged and recorded by the functions that the assets call. Great Expectations is asked
about the nights before FIRST only, which ``needlepoint run`` has taken in: what it found in the last of them is
repeated, and so are the lines that its release left in ledger and run log, so that a home of two years has as many of
each as if there had been a run every night.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.audit import history
from assets.audit.ledger import append, entries
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.reading import read_delivery
from assets.home import Home
from assets.publication.run_log import new_run_id, read_runs, write_record
from assets.quality.history import FILE as CHECKS
from assets.quality.history import RESULT_SCHEMA, save_results
from assets.quality.validations import FOLDER as SAID
from assets.quality.verdict import judged

if TYPE_CHECKING:
    from assets.deliveries.ledger import Delivery

FILES_OF_RELEASE = 3
"""That a release adds to the history of checks: what was found of its rows and models, its statistics, its pages."""


def main() -> None:
    """Take the nights in."""
    home, feed, first, last = Home(Path(sys.argv[1]), memory_limit="4GB"), Path(sys.argv[2]), *map(int, sys.argv[3:5])
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    before = home.ledger.all()[-1]
    checks = pl.read_parquet(home.ledger.folder(before.delivery_id) / CHECKS)
    seal = next(entry for entry in reversed(entries(home.path)) if entry.kind == "release")
    found = history.history(home).filter(pl.col("delivery_id").is_null()).collect()
    of_release = found.partition_by("number", maintain_order=True)[-FILES_OF_RELEASE:]
    run = read_runs(home.path).records[-1]
    for night in range(first, last + 1):
        (sent,) = find_deliveries([feed / f"{night:04d}"], profile).sent
        landed, _ = land(sent, profile, CONTRACT.version, home.ledger)
        read = read_delivery(landed, home.ledger, profile, profile.extend(CONTRACT))
        _judge(home, before, read, checks)
        for results in of_release:
            history.record(home, results.select(RESULT_SCHEMA.names()), f"night {night}", None, f"night {night}")
        append(home.path, seal.kind, seal.body | {"release": f"night {night}"})
        write_record(home.path, replace(run, run_id=new_run_id(datetime.now(UTC))))


def _judge(home: Home, before: Delivery, read: Delivery, checks: pl.DataFrame) -> None:
    """Say of a delivery what was found in the one before, and accept it."""
    run_id = f"reading {read.label}"
    found = checks.with_columns(pl.lit(read.delivery_id).alias("delivery_id"), pl.lit(run_id).alias("run_id")).select(
        RESULT_SCHEMA.names()
    )
    folder = home.ledger.folder(read.delivery_id)
    save_results(folder, found)
    history.record(home, found, run_id, read.delivery_id)
    shutil.copytree(home.ledger.folder(before.delivery_id) / SAID, folder / SAID)
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    record = judged(read, [], home.ledger, profile)
    if record.state is not State.ACCEPTED:
        sys.exit(f"{record.label}: {record.problem}")
    home.ledger.save(record)


if __name__ == "__main__":
    main()
