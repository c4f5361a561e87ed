"""Seals: what the ledger says of a release before anybody can read it, and what the release says of the ledger.

The entry holds the hash of the manifest, which holds those of the site, and the hashes of all other files. The release
names that entry in ``seal.json``, so that a ledger whose end was cut off is missed.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from assets.audit.ledger import append, entries
from dashboards.status import STATUS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assets.audit.ledger import Entry
    from assets.home import Home

KIND, PACK_KIND = "release", "pack"
SEAL, MANIFEST, SITE = "seal.json", "manifest.json", "site"
PACKS, SUMS = "evidence", "SHA256SUMS"
CHUNK_BYTES = 1 << 20
SAYS = {
    KIND: frozenset(("release", "manifest_sha256", "files")),
    PACK_KIND: frozenset(("pack", "sums_sha256")),
    "rollback": frozenset(("release", "newest")),
    "history": frozenset(("file", "sha256")),
    "fold": frozenset(("sha256",)),
}
"""What the entries of a kind say at least, where it is a hash of something."""


def seal_release(home: Home, release: str) -> None:
    """Put the built release into the ledger; what was kept before there was a ledger goes before it, as it stands."""
    _seal_earlier(home)
    _seal(home, home.building, release, {})


def seal_of(entry: Entry) -> bytes:
    """What a release says of the entry that seals it."""
    return (json.dumps({"number": entry.number, "hash": entry.hash}, indent=1) + "\n").encode()


def file_hashes(folder: Path, is_wanted: Callable[[str], bool]) -> dict[str, str]:
    """SHA-256 of the wanted files of a folder, by their path in it."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: sha256(path) for name, path in found.items() if is_wanted(name)}


def sha256(path: Path) -> str:
    """SHA-256 of a file that may be larger than memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def is_sealed(name: str) -> bool:
    """Whether the entry of a release holds the hash of this file of it; the manifest holds those of the site."""
    return name not in (MANIFEST, SEAL) and not name.startswith(f"{SITE}/")


def is_in_manifest(name: str) -> bool:
    """Whether the manifest of a release holds the hash of this file of it: of the whole site but its status."""
    return name.startswith(f"{SITE}/") and name != f"{SITE}/{STATUS_FILE}"


def is_meant(entry: Entry) -> bool:
    """Whether an entry says all that its kind has to say."""
    return SAYS.get(entry.kind, frozenset()) <= set(entry.body)


def newest(found: tuple[Entry, ...], kind: str) -> dict[str, Entry]:
    """The last entry about each thing of a kind: releases and packs by name, history files by file."""
    name = {KIND: "release", PACK_KIND: "pack"}.get(kind, "file")
    return {str(entry.body[name]): entry for entry in found if entry.kind == kind and is_meant(entry)}


def _seal(home: Home, folder: Path, release: str, said: dict[str, bool]) -> None:
    body = {
        "release": release,
        "manifest_sha256": sha256(folder / MANIFEST),
        "files": file_hashes(folder, is_sealed),
    }
    entry = append(home.path, KIND, body | said)
    (folder / SEAL).write_bytes(seal_of(entry))


def _seal_earlier(home: Home) -> None:
    found = entries(home.path)
    if any(entry.kind == KIND for entry in found):
        return
    for folder in sorted(path for path in home.releases.iterdir() if not path.name.startswith(".")):
        _seal(home, folder, folder.name, {"was_there_before": True})
    sealed = newest(found, PACK_KIND)
    for sums in sorted((home.path / PACKS).glob(f"[!.]*/{SUMS}")):
        if sums.parent.name not in sealed:
            body = {"pack": sums.parent.name, "sums_sha256": sha256(sums), "was_there_before": True}
            append(home.path, PACK_KIND, body)
