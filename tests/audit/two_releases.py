"""A clinic network that sends twice: what it knew at one day, and later what happened since, with late records."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from assets.audit.code_copy import code_archive, code_digest, pack_code
from assets.audit.rebuild import rebuild
from assets.audit.seals import seal_release
from assets.audit.states import run_code
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.reading import read_delivery
from assets.deliveries.state import settled_deliveries
from assets.packages import package_versions
from assets.publication.publish import TABLES
from assets.publication.release import switch_in, write_manifest
from assets.simulation.network import simulate_network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assets.home import Home

CUT = dt.date(2026, 1, 1)
FIRST, SECOND, ONLY_LATE = "first_20260101T020000Z", "second_20260701T020000Z", "late_20260701T020000Z"
OF_VISIT = ("measurement", "treatment", "adverse_event")
LATE = 5
"""Visits before the cut that are only in the second delivery."""


def send_twice(out: Path, patients: int, seed: int) -> tuple[Path, Path, Path]:
    """Write two deliveries of a small dated network, and what of the second is late.

    The second is no full extract: it has what is new or changed, and all patients and episodes again.
    """
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
    only_late = {
        **{name: _among(tables[name], "visit_key", late) for name in OF_VISIT},
        "visit": late,
        "episode": _among(tables["episode"], "episode_key", late).join(begun, on="episode_key", how="anti"),
    }
    for name in ("patient", "precaution"):
        only_late[name] = _among(tables[name], "patient_key", only_late["episode"])
    return _written(out / FIRST, first), _written(out / SECOND, second), _written(out / ONLY_LATE, only_late)


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


def receive(home: Home, folder: Path) -> None:
    """Take a delivery in without its checks: what they find is not what these tests are about."""
    profile = load_profile(PROFILE_FOLDER / "canonical_dates.yaml", CONTRACT)
    (sent,) = find_deliveries([folder], profile).sent
    landed, _ = land(sent, profile, CONTRACT.version, home.ledger)
    read = read_delivery(landed, home.ledger, profile, profile.extend(CONTRACT))
    home.ledger.save(replace(read, state=State.ACCEPTED))


def release(home: Home, identity: str, code: Mapping[str, bytes], tree: Path | None = None) -> dict[str, pl.DataFrame]:
    """Release what a home holds, with the code in ``tree`` or else that of this process; return the exact statistics.

    Published are these statistics with the decimals they are printed with; nothing is hidden.
    """
    out = home.path / f"out-{identity}"
    out.mkdir()
    if tree is None:
        rebuild(home, out)
    else:
        assert run_code(tree, home, out)
    frames = {path.stem: pl.read_parquet(path) for path in out.glob("*.parquet")}
    (home.building / TABLES).mkdir()
    for name, frame in frames.items():
        frame.with_columns(pl.selectors.float().round(2)).write_parquet(home.building / TABLES / f"{name}.parquet")
    packages = package_versions()
    version = code_digest(packages, code)
    write_manifest(home.building, identity, settled_deliveries(home.ledger), version, CONTRACT.version, {}, None)
    code_archive(home.path, version).parent.mkdir(exist_ok=True)
    pack_code(code_archive(home.path, version), packages, code)
    seal_release(home, identity)
    switch_in(home, identity)
    return frames
