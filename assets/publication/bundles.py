"""Bundles: one folder per audience, complete, made from the release in force and switched in when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem
from assets.home import PRIVATE_FOLDER
from assets.publication.audiences import OUTCOMES, PUBLIC
from assets.publication.bundle_frames import frames_for
from assets.publication.exchange import take_place
from assets.publication.quality_log import WRITTEN
from assets.publication.site_meta import counted
from dashboards.site import build_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from assets.contract.model import Contract
    from assets.publication.audiences import Audience
    from dashboards.site import SiteMeta

MANIFEST = "manifest.json"
PLAIN_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
LOOKS_CODED = re.compile(r".*-[0-9a-f]{12}")
NOT_PLAIN = re.compile(r"[^a-z0-9]+")
CODE_DIGITS = 12
RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
"""Names that some systems keep for devices."""
OPEN_MODES, GROUP_MODES = (0o755, 0o644), (0o750, 0o640)
"""Of folders and files: a bundle for everybody may be read by everybody on the machine, others by the owner's group."""
BUILDING, LOCK = ".building", ".lock"
PAIR = 2


@dataclass(frozen=True, slots=True)
class Release:
    """What bundles are made of.

    ``frames`` are all published tables, ``public`` those of ``OUTCOMES`` that everybody may see, under the profile of
    that name. ``run_log`` (with the audit trail) and ``suppression_log`` are tables that are not published, by name,
    ``evidence_packs`` files by their place below a bundle.
    """

    frames: Mapping[str, pl.DataFrame]
    public: Mapping[str, pl.DataFrame]
    run_log: Mapping[str, pl.DataFrame]
    suppression_log: Mapping[str, pl.DataFrame]
    evidence_packs: Mapping[str, bytes]
    contract: Contract
    meta: SiteMeta


def clinic_code(key: str) -> str:
    """Name of a clinic's folder: its key if that is safe everywhere, else what is safe of it and a digest.

    Two keys never have the same code, not even where capital and small letters are one.
    """
    if PLAIN_CODE.fullmatch(key) and not LOOKS_CODED.fullmatch(key) and not RESERVED.fullmatch(key):
        return key
    words = NOT_PLAIN.sub("-", key.lower()).strip("-")[:40].strip("-") or "clinic"
    return f"{words}-{hashlib.sha256(key.encode()).hexdigest()[:CODE_DIGITS]}"


def write_bundles(
    release: Release, audiences: Sequence[Audience], clinic: str | None, out: Path
) -> tuple[list[Path], list[str]]:
    """Write the bundles of these audiences below ``out``; return their folders, and why others were not made.

    Args:
        release: What they are made of.
        audiences: Whose bundles.
        clinic: Only the bundle of the clinic with this key, where an audience has one per clinic.
        out: Folder of all bundles; made if absent.

    Raises:
        InputProblem: the clinic is not in the release, the folder cannot be used, or another is writing to it.

    """
    keys = release.frames["clinic"]["clinic_key"].to_list()
    if clinic is not None and clinic not in keys:
        raise InputProblem("CLINIC", "--clinic", "no clinic in the release has this key", "Keys are in data/clinic.csv")
    made: list[Path] = []
    not_made: list[str] = []
    with _only_writer(out):
        for audience in audiences:
            if audience.one_per_clinic and len(keys) == PAIR:
                not_made.append(f"{audience.name}: of two clinics each would see the other's numbers as the rest")
                continue
            place = out / audience.name
            parts: dict[str, str | None] = {"": None}
            if audience.one_per_clinic and clinic is not None:
                place, parts = place / clinic_code(clinic), {"": clinic}
            elif audience.one_per_clinic:
                # all together, so that no clinic of an earlier release stays
                parts = {clinic_code(key): key for key in keys}
            made += _write(release, audience, parts, place, out / BUILDING)
    return made, not_made


def _write(
    release: Release, audience: Audience, parts: Mapping[str, str | None], place: Path, building: Path
) -> list[Path]:
    """Build beside the place, switch in, and return the folders: ``parts`` below the place, with their clinic."""
    refuse_foreign(place)
    shutil.rmtree(building, ignore_errors=True)
    for part, clinic in parts.items():
        folder = building / part
        folder.mkdir(parents=True, mode=PRIVATE_FOLDER)
        _write_files(audience, release, clinic, folder)
    building.mkdir(exist_ok=True)
    building.chmod(_modes(audience)[0])
    if not place.parent.exists():
        place.parent.mkdir()
        place.parent.chmod(GROUP_MODES[0])  # whatever the umask
    switch_in(building, place)
    return [place / part for part in parts]


def _write_files(audience: Audience, release: Release, clinic: str | None, folder: Path) -> None:
    """Write the files of one bundle and its manifest into an empty folder."""
    frames = frames_for(audience, _frames(audience, release), clinic, release.meta.release)
    frames |= release.run_log if audience.has_run_log else {}
    frames |= release.suppression_log if audience.has_suppression_log else {}
    meta = replace(
        release.meta,
        pages=audience.pages,
        profile=audience.profile,
        readers=_readers(audience, clinic),
        clinic=clinic or "",
    )
    if WRITTEN in frames:
        meta = counted(meta, [*frames["check_summary"]["status"], *frames[WRITTEN]["status"]])
    build_site(frames, release.contract, meta, folder)
    for name, content in release.evidence_packs.items() if audience.has_evidence_packs else ():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    files = [
        {
            "file": path.relative_to(folder).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    said = {
        "audience": audience.name,
        "clinic": clinic,
        "profile": audience.profile,
        "release": meta.release,
        "code_version": meta.code_version,
        "contract_version": meta.contract_version,
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    folder_mode, file_mode = _modes(audience)
    for path in (folder, *folder.rglob("*")):
        path.chmod(folder_mode if path.is_dir() else file_mode)


def _frames(audience: Audience, release: Release) -> dict[str, pl.DataFrame]:
    """Return the tables under the profile of the audience: for everybody, none about patients is an internal one."""
    if audience.profile != PUBLIC:
        return dict(release.frames)
    return {**{name: frame for name, frame in release.frames.items() if name not in OUTCOMES}, **release.public}


def switch_in(built: Path, place: Path) -> None:
    """Put a bundle that is whole in its place; what was there before goes.

    Raises:
        InputProblem: NOT_A_BUNDLE: something else is there, which is left as it is.

    """
    refuse_foreign(place)
    if place.exists():
        take_place(built, place, place.with_name(f".{place.name}.retired"))
    else:
        built.rename(place)


def refuse_foreign(place: Path) -> None:
    """Refuse a place that holds something that no bundle is.

    Raises:
        InputProblem: NOT_A_BUNDLE.

    """
    if not place.is_symlink() and not place.exists():
        return
    if place.is_symlink() or not place.is_dir() or not (_is_bundle(place) or _holds_bundles_only(place)):
        raise InputProblem(
            "NOT_A_BUNDLE",
            str(place),
            "something else than a bundle is there, and it would be replaced",
            "Give another --out, or move it away",
        )


def _is_bundle(place: Path) -> bool:
    try:
        return "audience" in json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _holds_bundles_only(place: Path) -> bool:
    return all(one.is_dir() and not one.is_symlink() and _is_bundle(one) for one in place.iterdir())


def _readers(audience: Audience, clinic: str | None) -> str:
    return audience.readers if clinic is None else f"{audience.readers}, {clinic.replace('_', ' ')}"


def _modes(audience: Audience) -> tuple[int, int]:
    """Modes of folders and files."""
    return OPEN_MODES if audience.profile == PUBLIC else GROUP_MODES


@contextmanager
def _only_writer(out: Path) -> Iterator[None]:
    try:
        out.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        lock = (out / LOCK).open("w")
    except OSError:
        raise InputProblem(
            "OUT", str(out), "this folder cannot be written", "Check its permissions or give another --out"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputProblem(
                "BUSY", str(out), "another command is writing bundles here", "Wait until it has finished"
            ) from None
        yield
