"""From a path somebody named to an immutable copy with a content address.

Copying to a name of our own ends globbing, quoting, path tricks and double delivery at once. Nothing here opens a file
with a parser.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.ledger import DeliveredFile, Delivery, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import save_profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from assets.deliveries.ledger import Ledger
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile_fields import FileSource

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z")
CHUNK_BYTES = 1 << 20
ID_DIGITS = 16
PROFILE_NAME = "profile.yaml"
"""The profile a delivery was read with lies beside its files, so that it can be read again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Files that belong together, not yet copied."""

    label: str
    files: tuple[tuple[FileSource, Path], ...]


def find_deliveries(feeds: Iterable[Path], profile: Profile) -> tuple[Sent, ...]:
    """Group what lies at the given paths into deliveries.

    A profile with one file makes every matching file a delivery of its own; a profile with several makes a folder one.

    Raises:
        InputProblem: NOT_FOUND (also a folder in which nothing fits the profile), NOT_A_FILE, UNREADABLE, SYMLINK,
            FILENAME.

    """
    return tuple(sent for feed in feeds for sent in _find(feed, profile))


def _find(feed: Path, profile: Profile) -> Iterator[Sent]:
    if feed.is_symlink():
        raise InputProblem("SYMLINK", str(feed), "this is a symbolic link", "Name the file or folder itself")
    if not feed.exists():
        raise InputProblem("NOT_FOUND", str(feed), "there is no such file or folder", "Check the path")
    if not (feed.is_file() or feed.is_dir()):
        raise InputProblem("NOT_A_FILE", str(feed), "this is neither a file nor a folder", "Name a file or folder")
    if feed.is_file():
        _check_name(feed)
        source = _matching(feed.name, profile)
        if source is None:
            if len(profile.files) > 1:
                raise InputProblem(
                    "FILENAME",
                    feed.name,
                    f"no file of profile {profile.profile} has this name",
                    f"Expected is a folder with {', '.join(file.match for file in profile.files)}",
                )
            source = profile.files[0]  # one file was named and one is declared: there is nothing to confuse
        yield Sent(feed.name, ((source, feed),))
        return
    found = list(_in_folder(feed, profile))
    if not found:
        raise InputProblem(
            "NOT_FOUND",
            str(feed),
            f"nothing in this folder fits profile {profile.profile}",
            f"Expected are {', '.join(file.match for file in profile.files)}",
        )
    yield from found


def _in_folder(folder: Path, profile: Profile) -> Iterator[Sent]:
    try:
        children = sorted(folder.iterdir())
    except OSError:
        raise InputProblem("UNREADABLE", str(folder), "the folder cannot be read", "Check its permissions") from None
    files = [(source, child) for child in children if _sent(child) and (source := _matching(child.name, profile))]
    for _, child in files:
        _check_name(child)
    if files and len(profile.files) == 1:
        for source, child in files:
            yield Sent(child.name, ((source, child),))
    elif files:
        _check_name(folder)
        yield Sent(folder.resolve().name, tuple(files))
    for child in children:
        if child.is_dir() and not child.is_symlink():
            yield from _in_folder(child, profile)


def _sent(path: Path) -> bool:
    """A regular file. Hidden ones are uploads under way or traces of an operating system."""
    return stat.S_ISREG(path.lstat().st_mode) and not path.name.startswith(".")


def _matching(name: str, profile: Profile) -> FileSource | None:
    return next((file for file in profile.files if fnmatch.fnmatchcase(name, file.match)), None)


def source_of(name: str, profile: Profile) -> FileSource:
    """The part of the profile that describes a landed file; the only part, if there is but one."""
    return _matching(name, profile) or profile.files[0]


def _check_name(path: Path) -> None:
    if not SAFE_NAME.fullmatch(path.resolve().name):
        raise InputProblem(
            "FILENAME",
            "a file or folder of the feed",
            "its name holds something other than letters, digits, dot, dash and underscore",
            "Rename it",
        )


def land(sent: Sent, profile: Profile, contract_version: str, ledger: Ledger) -> tuple[Delivery, bool]:
    """Copy a delivery into the lake under the hash of its content.

    Returns:
        The delivery's record and whether there is something to do: a delivery that was read before under the same
        profile and contract is not read again.

    Raises:
        InputProblem: UNREADABLE, if a file may not be opened.

    """
    incoming = ledger.lake / ".incoming" / f"{os.getpid()}"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True, mode=0o700)
    (incoming / "raw").mkdir(mode=0o700)
    try:
        copied = tuple(DeliveredFile(path.name, *_copy(path, incoming / "raw" / path.name)) for _, path in sent.files)
        delivery = Delivery(
            delivery_id=_identity(copied),
            label=sent.label,
            files=copied,
            extract_stamp=_stamp(sent.label, profile),
            profile=profile.profile,
            profile_version=profile.version,
            profile_digest=profile.digest,
            contract_version=contract_version,
        )
        known = ledger.find(delivery.delivery_id)
        if known and _same_reading(known, delivery):
            return known, False
        save_profile(profile, incoming / PROFILE_NAME)
        folder = ledger.folder(delivery.delivery_id)
        shutil.rmtree(folder, ignore_errors=True)
        incoming.replace(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    ledger.save(delivery)
    return delivery, True


def _same_reading(known: Delivery, now: Delivery) -> bool:
    settled = known.state in (State.ACCEPTED, State.REJECTED, State.HELD)
    return settled and (known.profile_digest, known.contract_version) == (now.profile_digest, now.contract_version)


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    try:
        reader = source.open("rb")
    except OSError:
        raise InputProblem("UNREADABLE", source.name, "the file cannot be opened", "Check its permissions") from None
    with reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
    target.chmod(0o600)
    return digest.hexdigest(), size


def _identity(files: tuple[DeliveredFile, ...]) -> str:
    if len(files) == 1:
        return files[0].sha256[:ID_DIGITS]
    listing = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return hashlib.sha256(listing.encode()).hexdigest()[:ID_DIGITS]


def _stamp(label: str, profile: Profile) -> str:
    found = STAMP.search(label)
    if found:
        year, month, day, hour, minute, second = found.groups()
        return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
    return profile.extract_stamp or ""
