"""A clinic network that sends twice: what it knew at one day, and later what happened since, with late records."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.simulation.network import simulate_network

if TYPE_CHECKING:
    from pathlib import Path

CUT = dt.date(2026, 1, 1)
FIRST, SECOND = "first_20260101T020000Z", "second_20260701T020000Z"
OF_VISIT = ("measurement", "treatment", "adverse_event")
LATE = 5
"""Visits before the cut that are only in the second delivery."""


def send_twice(out: Path, patients: int, seed: int) -> tuple[Path, Path]:
    """Write the two deliveries of a small dated network; the second is no full extract but what is new or changed."""
    whole = out / "whole"
    simulate_network(whole, patients=patients, seed=seed, contract=CONTRACT, dated=True)
    tables = {
        table.name: pl.concat(
            # of malformed rows, which are planted too, what is there
            pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True)
            for path in sorted(whole.glob(f"*/{table.name}.csv"))
        )
        for table in CONTRACT.tables
    }
    visits = tables["visit"]
    early = visits.filter(pl.col("calendar_day") < CUT.isoformat())
    late = early.tail(LATE)
    known = early.head(-LATE)
    begun = tables["episode"].filter(pl.col("episode_key").is_in(known["episode_key"].implode()))
    first = {
        "patient": _among(tables["patient"], "patient_key", begun),
        "precaution": _among(tables["precaution"], "patient_key", begun),
        "episode": _open(begun, visits),
        "visit": known,
        **{name: _among(tables[name], "visit_key", known) for name in OF_VISIT},
    }
    rest = visits.filter(pl.col("calendar_day") >= CUT.isoformat())
    sent = pl.concat([rest, late])
    second = {
        "patient": tables["patient"],
        "precaution": tables["precaution"],
        "episode": tables["episode"],
        "visit": sent,
        **{name: _among(tables[name], "visit_key", sent) for name in OF_VISIT},
    }
    return _written(out / FIRST, first), _written(out / SECOND, second)


def _among(rows: pl.DataFrame, key: str, others: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col(key).is_in(others[key].implode()))


def _open(episodes: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Episodes as they stood at the cut: those with a visit since had not ended."""
    went_on = visits.filter(pl.col("calendar_day") >= CUT.isoformat())["episode_key"].implode()
    is_open = pl.col("episode_key").is_in(went_on)
    return episodes.with_columns(
        discharge_day=pl.when(is_open).then(None).otherwise("discharge_day"),
        discharge_reason=pl.when(is_open).then(pl.lit("still_open")).otherwise("discharge_reason"),
    )


def _written(folder: Path, tables: dict[str, pl.DataFrame]) -> Path:
    folder.mkdir()
    for name, rows in tables.items():
        rows.write_csv(folder / f"{name}.csv")
    return folder
