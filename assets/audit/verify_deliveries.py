"""Holds the raw files of every delivery against its record, and the records against the releases made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.audit.findings import CHANGED, MISSING, Broken, compared, read_object
from assets.audit.seals import KIND, MANIFEST, file_hashes, newest, sha256
from assets.audit.typed_rows import ROWS, rows_digest
from assets.contract import CONTRACT
from assets.deliveries.landing import PROFILE_NAME, READINGS, identity
from assets.deliveries.ledger import RECORD, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import load_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.audit.ledger import Entry
    from assets.deliveries.ledger import Delivery
    from assets.home import Home

RAW = "raw"
SAME_READING = ("label", "extract_stamp", "profile", "profile_version")
"""What a release says of a delivery as it was read, and what its record says as long as it is not read again."""


def broken_deliveries(home: Home, found: tuple[Entry, ...]) -> Iterator[Broken]:
    """Everything of the deliveries that is not as it was landed, or not as the sealed releases tell of it."""
    records: dict[str, Delivery] = {}
    for path in sorted(home.lake.glob(f"[!.]*/{RECORD}")):
        delivery_id = path.parent.name
        record = _record(home, delivery_id)
        if record is None:
            yield Broken(f"{home.lake.name}/{delivery_id}/{RECORD}", "it is not the record of a delivery")
            continue
        records[delivery_id] = record
        yield from _delivery(home.ledger.folder(delivery_id), record, f"{home.lake.name}/{delivery_id}")
    yield from _told_by_releases(home, records, found)
    yield from _rows(home, records, found)


def _record(home: Home, delivery_id: str) -> Delivery | None:
    """The record of a delivery, None if what stands there cannot be one."""
    try:
        record = home.ledger.find(delivery_id)
    except (InputProblem, OSError):
        return None
    if record is None or not all(isinstance(text, str) for file in record.files for text in (file.name, file.sha256)):
        return None
    return record


def _delivery(folder: Path, record: Delivery, place: str) -> Iterator[Broken]:
    said = {file.name: file.sha256 for file in record.files}
    found = file_hashes(folder / RAW, lambda _: True)
    if found or record.state is not State.REJECTED:  # of what was refused nothing is kept
        yield from compared(f"{place}/{RAW}", said, found)
    if folder.name != record.delivery_id or identity(record.files) != record.delivery_id:
        yield Broken(f"{place}/{RECORD}", "its id is not that of its files")
    try:
        digest = load_profile(folder / PROFILE_NAME, CONTRACT).digest
    except InputProblem:
        digest = ""
    if digest != record.profile_digest:
        yield Broken(f"{place}/{PROFILE_NAME}", "it is not the profile the delivery was read with")


def _told_by_releases(home: Home, records: dict[str, Delivery], found: tuple[Entry, ...]) -> Iterator[Broken]:
    """What the kept releases say of deliveries; their manifests are sealed, the records are not."""
    told: dict[str, list[dict[str, Any]]] = {}
    for release, entry in newest(found, KIND).items():
        path = home.releases / release / MANIFEST
        if path.exists() and sha256(path) == entry.body["manifest_sha256"]:
            for one in (read_object(path) or {})["deliveries"]:
                told.setdefault(one["delivery_id"], []).append(one)
    for delivery_id, said in sorted(told.items()):
        place = f"{home.lake.name}/{delivery_id}"
        record = records.get(delivery_id)
        if record is None:
            if not (home.ledger.folder(delivery_id) / RECORD).exists():
                yield Broken(f"{place}/{RECORD}", MISSING)
        elif not all(_agrees(record, one) for one in said):
            yield Broken(f"{place}/{RECORD}", CHANGED)


def _agrees(record: Delivery, said: dict[str, Any]) -> bool:
    if {file.name: file.sha256 for file in record.files} != said["files"]:
        return False
    return record.run_key != said.get("reading") or all(getattr(record, name) == said[name] for name in SAME_READING)


def _rows(home: Home, records: dict[str, Delivery], found: tuple[Entry, ...]) -> Iterator[Broken]:
    """Typed rows, of the reading in force or of a kept earlier one, that are not those a release was made from."""
    sealed: dict[str, set[str]] = {}
    for release, entry in newest(found, KIND).items():
        path = home.releases / release / ROWS
        if path.exists() and sha256(path) == entry.body["files"].get(ROWS):
            for reading, digest in (read_object(path) or {}).items():
                sealed.setdefault(reading, set()).add(digest)
    for delivery_id, record in records.items():
        folder = home.ledger.folder(delivery_id)
        kept = {path.name: path for path in sorted((folder / READINGS).glob("*"))} | {record.run_key: folder}
        for reading, place in kept.items():
            if reading in sealed and sealed[reading] != {rows_digest(place)}:
                name = place.relative_to(home.path).as_posix()
                yield Broken(f"{name}/rows", "these are not the rows that a release was made from")
