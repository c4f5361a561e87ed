"""What a kept release was made from, so that it can be made again: code, decisions and deliveries as they were read."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from assets.audit.code_copy import unpack_code
from assets.audit.ledger import FOLDER, append, entries
from assets.audit.periods import TABLES
from assets.deliveries.landing import READINGS, share
from assets.deliveries.ledger import Ledger, State
from assets.deliveries.problems import InputProblem
from assets.home import PRIVATE_FOLDER
from assets.publication.publish import STATISTICS, kept_tables
from assets.publication.publish import TABLES as PUBLISHED
from assets.publication.release import kept_releases, read_manifest
from assets.warehouse.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from assets.audit.ledger import Entry
    from assets.audit.periods import NewPeriod
    from assets.deliveries.ledger import Delivery
    from assets.home import Home

RELEASE = "release"
THRESHOLDS, OTHERS = ("threshold",), ("waiver", "rebase")
"""Kinds of entries of the ledger that decide what a release says: thresholds belong to what is defined."""
ROWS, WITHDRAWAL = "rows", "withdrawal"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a release was made from.

    ``code`` is the folder its code was unpacked to, ``packages`` the versions it ran with. ``deliveries`` come in the
    order in which later rows replace earlier ones; ``folders`` says where the rows of the accepted ones are.
    """

    release: str
    code_version: str
    code: Path
    packages: Mapping[str, str]
    deliveries: tuple[Delivery, ...]
    folders: Mapping[str, Path]
    decisions: tuple[Entry, ...]

    @property
    def accepted(self) -> tuple[Delivery, ...]:
        """The deliveries whose rows it was made from."""
        return tuple(delivery for delivery in self.deliveries if delivery.state is State.ACCEPTED)

    def rows(self, delivery: Delivery, table: str) -> pl.LazyFrame | None:
        """The accepted rows that a delivery has of a table."""
        files = sorted((self.folders[delivery.delivery_id] / ROWS).glob(f"{table}.*.parquet"))
        return pl.scan_parquet(files).filter("accepted") if files else None


def inputs_of(home: Home, release: str, code: Path) -> Inputs:
    """Find what a release was made from; its code is unpacked to the new folder ``code``.

    Raises:
        InputProblem: RELEASE: it is not kept, or was made before its inputs were recorded; CODE: see ``unpack_code``;
            READING: a delivery was read again since, and the reading before was not kept.

    """
    if release not in kept_releases(home):
        kept = ", ".join(kept_releases(home)) or "none"
        raise InputProblem("RELEASE", "release", "no release of this name is kept", f"Kept are, oldest first: {kept}")
    manifest = read_manifest(home, release)
    packages = unpack_code(home.path, manifest["code_version"], code)
    found = [_as_read(home, record, release) for record in manifest["deliveries"]]
    return Inputs(
        release,
        manifest["code_version"],
        code,
        packages,
        tuple(sorted((delivery for delivery, _ in found), key=lambda one: (one.extract_stamp, one.delivery_id))),
        {delivery.delivery_id: folder for delivery, folder in found},
        _decisions(home, release),
    )


def exact_frames(home: Home, release: str) -> dict[str, pl.DataFrame]:
    """The exact statistics of a kept release, by name."""
    with connect(home.releases / release / "warehouse.duckdb", home=home.path, read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by table_name", [STATISTICS]
        ).fetchall()
        return {name: connection.sql(f"select * from {STATISTICS}.{name}").pl() for (name,) in names}


def published_frames(home: Home, release: str) -> dict[str, pl.DataFrame]:
    """The tables that a kept release publishes, by name."""
    return kept_tables(home.releases / release / PUBLISHED)


def _as_read(home: Home, record: Mapping[str, str], release: str) -> tuple[Delivery, Path]:
    """A delivery as a release read it, and where that reading is."""
    identity, reading = record["delivery_id"], record.get("reading")
    if reading is None:
        raise InputProblem(
            "RELEASE", release, "it was made before readings were recorded", "Only later releases can be split"
        )
    state = State(record["state"])
    now = home.ledger.find(identity)
    if now is not None and (now.run_key == reading or state is not State.ACCEPTED):
        return replace(now, state=state), home.ledger.folder(identity)
    kept = Ledger(home.ledger.folder(identity) / READINGS)
    earlier = kept.find(reading)
    if earlier is None:
        raise InputProblem(
            "READING",
            record["label"],
            "it was read again since this release, and the reading before was not kept",
            "Compare releases that were made after it was read again",
        )
    return earlier, kept.folder(reading)


def _decisions(home: Home, release: str) -> tuple[Entry, ...]:
    """What had been decided when a release was sealed."""
    found: list[Entry] = []
    for entry in entries(home.path):
        if entry.kind == RELEASE and entry.body["release"] == release:
            return tuple(found)
        if entry.kind in THRESHOLDS + OTHERS:
            found.append(entry)
    raise InputProblem("RELEASE", release, "the ledger does not name this release", "Only later releases can be split")


def make_lake(place: Home, inputs: Inputs, later: frozenset[str], new: NewPeriod | None) -> int:
    """Fill an empty home with deliveries as they were read; files are shared by hard links.

    Args:
        place: the home.
        inputs: whose deliveries.
        later: ids of deliveries from which rows of the new period are left out.
        new: what the new period is; None: nothing is left out.

    Returns:
        How many rows of the later deliveries are in it.

    """
    place.lake.mkdir(parents=True, mode=PRIVATE_FOLDER)
    rows = 0
    for delivery in inputs.deliveries:
        if delivery.state is State.ACCEPTED:
            folder = place.ledger.folder(delivery.delivery_id)
            shutil.copytree(
                inputs.folders[delivery.delivery_id],
                folder,
                copy_function=share,
                ignore=shutil.ignore_patterns("raw", READINGS),
            )
            if delivery.delivery_id in later and new is not None:
                rows += _leave_out(folder / ROWS, new)
        else:
            place.ledger.save(delivery)
    return rows


def decide(place: Home, decisions: Iterable[Entry]) -> None:
    """Let these be the decisions of a home, whatever was decided there before."""
    shutil.rmtree(place.path / FOLDER, ignore_errors=True)
    for entry in decisions:
        append(place.path, entry.kind, entry.body, entry.by, datetime.fromisoformat(entry.at))


def _leave_out(folder: Path, new: NewPeriod) -> int:
    """Take the rows of the new period out of the files of a reading, and count those that stay."""
    stay = sum(pl.read_parquet(path, columns=["accepted"]).height for path in folder.glob(f"{WITHDRAWAL}.*.parquet"))
    for table in TABLES:
        for path in sorted(folder.glob(f"{table}.*.parquet")):
            rows = pl.read_parquet(path)
            kept = new.without(table, rows)
            stay += kept.height
            if kept.height < rows.height:
                temporary = path.with_suffix(".tmp")
                kept.write_parquet(temporary)
                temporary.replace(path)  # the file that was there is shared with the lake and stays as it is
    return stay
