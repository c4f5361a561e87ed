"""A home as runs leave it, made in a moment: two releases, a pack, history, a delivery, decisions; nothing computed."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.audit import history
from assets.audit.ledger import append, entries
from assets.audit.seals import seal_release
from assets.audit.typed_rows import write_rows
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.publication.release import switch_in, write_manifest
from assets.quality.history import RESULT_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from assets.deliveries.ledger import Delivery

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
PACK = "2026-07-01_bbbb"
RESULT = {"check_id": "visit.schema", "run_id": "r1", "table_name": "visit", "status": "pass", "evaluated": 3}


@pytest.fixture
def sealed_home(tmp_path: Path, sealed_template: Home) -> Home:
    """A copy of it that a test may change."""
    copied = shutil.copytree(sealed_template.path, tmp_path / "home", symlinks=True)
    return replace(sealed_template, path=copied)


@pytest.fixture(scope="session")
def sealed_template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two releases ("aaaa", then "bbbb", which is in force), one delivery, two history files, one pack."""
    place = tmp_path_factory.mktemp("sealed")
    home = Home(place / "home", memory_limit="1GB")
    home.create()
    delivery = _landed(home, place / "feed" / "visits_20260701T000000Z")
    history.record(home, pl.DataFrame([RESULT], schema=RESULT_SCHEMA), "r1", delivery.delivery_id)
    for release in ("aaaa", "bbbb"):
        release_of(home, release, delivery)
    history.record(home, pl.DataFrame([RESULT], schema=RESULT_SCHEMA), "r1", None, "bbbb")
    _pack(home)
    append(home.path, "waiver", {"check_id": "visit.schema", "until": "2026-12-31"}, "A. Steward", NOW)
    return home


def release_of(home: Home, release: str, *deliveries: Delivery) -> None:
    """Put a release in force that holds a file of each kind."""
    for name, content in (
        ("site/index.html", f"<p>{release}</p>"),
        ("site/status.js", ""),
        ("site/data/clinic.csv", "clinic_key\nnorth\n"),
        ("tables/clinic.parquet", "rows"),
        ("public/clinic.parquet", "fewer rows"),
        ("evidence-restricted/failing-keys/visit.schema.csv", "visit_key\nv1\n"),
        ("warehouse.duckdb", f"tables of {release}"),
    ):
        path = home.building / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    write_rows(home, deliveries)
    write_manifest(home.building, release, deliveries, "0123456789ab", CONTRACT.version, {}, None)
    seal_release(home, release)
    switch_in(home, release)


def _landed(home: Home, feed: Path) -> Delivery:
    feed.mkdir(parents=True)
    for table in CONTRACT.tables:
        (feed / f"{table.name}.csv").write_text(f"{','.join(table.names)}\n", encoding="utf-8")
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    (sent,) = find_deliveries([feed], profile).sent
    accepted = replace(land(sent, profile, CONTRACT.version, home.ledger)[0], state=State.ACCEPTED)
    home.ledger.save(accepted)
    rows = home.ledger.folder(accepted.delivery_id) / "rows"
    rows.mkdir()
    (rows / "visit.0.parquet").write_text("typed rows", encoding="utf-8")
    return accepted


def _pack(home: Home) -> None:
    head = entries(home.path)[-1]
    trail = {"ledger_head": {"number": head.number, "hash": head.hash}, "decisions": []}
    files = {"index.html": b"<p>signed here: </p>", "trail.json": json.dumps(trail).encode()}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()).encode()
    folder = home.path / "evidence" / PACK
    folder.mkdir(parents=True)
    for name, content in (files | {"SHA256SUMS": sums}).items():
        (folder / name).write_bytes(content)
    append(home.path, "pack", {"pack": PACK, "sums_sha256": hashlib.sha256(sums).hexdigest()})
