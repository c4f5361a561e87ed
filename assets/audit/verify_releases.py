"""Recomputes every hash of the kept releases and packs, and holds it against the ledger."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from assets.audit.code_copy import code_archive, unpack_code
from assets.audit.findings import CHANGED, MISSING, UNSEALED, Broken, compared, read_object
from assets.audit.rolled_back import put_in_force
from assets.audit.seals import (
    KIND,
    MANIFEST,
    PACK_KIND,
    PACKS,
    SEAL,
    SUMS,
    file_hashes,
    is_in_manifest,
    is_sealed,
    newest,
    seal_of,
    sha256,
)
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.audit.ledger import Entry
    from assets.home import Home


ELSEWHERE = (
    "it does not lead to the release that the ledger says was put in force last: somebody moved it, or a run died; run "
    "again, or use `needlepoint releases rollback`"
)
TRAIL = "trail.json"
"""What a pack says of the ledger."""


def release_folders(home: Home) -> list[Path]:
    """The kept releases; what begins with a dot is being built or dropped."""
    return sorted(path for path in home.releases.glob("[!.]*") if path.is_dir())


def broken_releases(home: Home, found: tuple[Entry, ...]) -> Iterator[Broken]:
    """Everything of the kept releases that is not as it was sealed."""
    for folder in release_folders(home):
        yield from broken_release(folder, found)
    if home.current.is_symlink() and not home.current.is_dir():
        yield Broken(home.current.name, "it leads to a release that is gone")
    elif not _is_where_the_ledger_put_it(home, found):
        yield Broken(home.current.name, ELSEWHERE)


def _is_where_the_ledger_put_it(home: Home, found: tuple[Entry, ...]) -> bool:
    """Whether the release in force is the one put there last; a run that died between seal and switch is no fault."""
    put = put_in_force(found)
    if put is None or (home.current.is_symlink() and home.current.readlink().name == put):
        return True
    seal = home.building / SEAL
    return seal.exists() and seal.read_bytes() == seal_of(next(one for one in reversed(found) if one.kind == KIND))


def broken_release(folder: Path, found: tuple[Entry, ...]) -> Iterator[Broken]:
    """Everything of one kept release that is not as it was sealed."""
    place = f"{folder.parent.name}/{folder.name}"
    entry = newest(found, KIND).get(folder.name)
    yield from _seal(folder, place, found)
    if entry is None:
        yield Broken(place, UNSEALED)
        return
    manifest = folder / MANIFEST
    if not manifest.exists():
        yield Broken(f"{place}/{MANIFEST}", MISSING)
    elif sha256(manifest) != entry.body["manifest_sha256"]:
        yield Broken(f"{place}/{MANIFEST}", CHANGED)
    else:
        listed: dict[str, str] = (read_object(manifest) or {})["files"]
        yield from compared(place, listed, file_hashes(folder, is_in_manifest))
    yield from compared(place, entry.body["files"], file_hashes(folder, is_sealed))


def _seal(folder: Path, place: str, found: tuple[Entry, ...]) -> Iterator[Broken]:
    """The entry that a release names must be in the chain: a ledger that was cut off no longer has it."""
    path = folder / SEAL
    if not path.exists():
        yield Broken(f"{place}/{SEAL}", MISSING)
    elif path.read_bytes() not in [seal_of(entry) for entry in found if entry.kind == KIND]:
        yield Broken(f"{place}/{SEAL}", "the entry it names is not in the ledger: that lost its end, or this changed")


def broken_packs(home: Home, found: tuple[Entry, ...]) -> Iterator[Broken]:
    """Everything of the kept evidence packs that is not as it was sealed."""
    sealed = newest(found, PACK_KIND)
    folder = home.path / PACKS
    kept = {path.name for path in folder.glob("[!.]*") if path.is_dir()}
    for name in sorted({*sealed, *kept}):
        place = f"{PACKS}/{name}"
        # a writer that died before it gave the pack its name
        pack = folder / (name if name in kept else f".{name}")
        if name not in sealed:
            yield Broken(place, UNSEALED)
        elif not pack.exists():
            yield Broken(place, MISSING)
        else:
            broken = list(_pack(pack, place, sealed[name].body["sums_sha256"]))
            yield from broken or _trail(pack, place, found)


def _pack(pack: Path, place: str, sums_sha256: str) -> Iterator[Broken]:
    if not (pack / SUMS).exists():
        yield Broken(f"{place}/{SUMS}", MISSING)
    elif sha256(pack / SUMS) != sums_sha256:
        yield Broken(f"{place}/{SUMS}", CHANGED)
    else:
        yield from compared(place, _listed(pack / SUMS), file_hashes(pack, lambda one: one != SUMS))


def _trail(pack: Path, place: str, found: tuple[Entry, ...]) -> Iterator[Broken]:
    """What a pack quotes from the ledger must still be in it."""
    trail = read_object(pack / TRAIL) or {}
    quoted = [*([trail["ledger_head"]] if trail.get("ledger_head") else []), *trail.get("decisions", ())]
    known = {(entry.number, entry.hash) for entry in found}
    gone = sum((one["number"], one["hash"]) not in known for one in quoted)
    if gone:
        yield Broken(
            f"{place}/{TRAIL}",
            f"of the entries it quotes {gone:,} are not in the ledger: that changed, or lost its end",
        )


def _listed(sums: Path) -> dict[str, str]:
    """Hashes by name, from a file as ``sha256sum`` writes it."""
    lines = (line.partition("  ") for line in sums.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, _, name in lines}


def broken_code(home: Home) -> Iterator[Broken]:
    """Kept code that does not give the version it is named after."""
    folder = code_archive(home.path, "").parent
    for archive in sorted(folder.glob("*.zip")):
        with tempfile.TemporaryDirectory() as target:
            try:
                unpack_code(home.path, archive.stem, Path(target))
            except InputProblem as problem:
                yield Broken(problem.where, problem.what)
