"""From a path somebody named to an immutable copy with a content address.

Copying to a name of our own ends globbing, quoting, path tricks and double delivery at once. Nothing here opens a file
with a parser.
"""

from __future__ import annotations

import datetime as dt
import errno
import fnmatch
import getpass
import hashlib
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assets.deliveries.ledger import RECORD, DeliveredFile, Delivery, State, read_record, write_delivery
from assets.deliveries.limits import LIMITS
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import save_profile
from assets.deliveries.reading_history import HISTORY, remember_reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assets.deliveries.ledger import Ledger
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile.fields import FileSource

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,()+-]{0,127}")
"""Names that need no quoting in a table, a page or a spreadsheet; blanks are usual in exports."""
STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z")
CHUNK_BYTES = 1 << 20
MANIFEST_BYTES = 1 << 24
DEEPEST_FOLDER = 32
"""Folders within each other that are looked into."""
ID_DIGITS = 16
INCOMING = ".incoming-"
PROFILE_NAME = "profile.yaml"
"""The profile a delivery was read with lies beside its files, so that it can be read again."""
KEPT_ON_REREADING = ("checks.parquet", HISTORY)
"""What earlier readings of a delivery found: history, which a new reading adds to."""
READINGS = "readings"
"""Earlier readings, each in a folder named by its profile and contract: what a release was made from can be made from
again. Without raw copies, which every reading shares."""
MANIFESTS = ("manifest.sha256", "SHA256SUMS")
"""Lists of hashes (as sha256sum writes them) that a folder may carry; a single file carries ``<name>.sha256``."""
KEPT = "kept"
"""In an ``.incoming-`` folder: a reading set by while the delivery is read again; see ``pipelines/retry.py``."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Files that belong together, not yet copied."""

    label: str
    files: tuple[tuple[FileSource, Path], ...]
    manifest: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at the paths of a call: deliveries, and what cannot be one and why."""

    sent: tuple[Sent, ...]
    problems: tuple[InputProblem, ...]


def find_deliveries(feeds: Iterable[Path], profile: Profile) -> Found:
    """Group what lies at the given paths into deliveries.

    A profile with one file makes every matching file a delivery of its own; a profile with several makes a folder one.
    What cannot be a delivery (an unsafe name, a symbolic link, a folder that cannot be read) delays no other.

    Raises:
        InputProblem: a path of the call itself is none: NOT_FOUND (also a folder in which nothing fits the profile),
            NOT_A_FILE, SYMLINK.

    """
    sent: list[Sent] = []
    problems: list[InputProblem] = []
    for feed in feeds:
        for found in _find(feed, profile):
            (problems if isinstance(found, InputProblem) else sent).append(found)  # type: ignore[arg-type]
    return Found(tuple(sent), tuple(problems))


def _find(feed: Path, profile: Profile) -> Iterator[Sent | InputProblem]:
    if feed.is_symlink():
        raise InputProblem("SYMLINK", str(feed), "this is a symbolic link", "Name the file or folder itself")
    if not feed.exists():
        raise InputProblem("NOT_FOUND", str(feed), "there is no such file or folder", "Check the path")
    if feed.is_file():
        yield _single(feed, profile)
        return
    if not feed.is_dir():
        raise InputProblem("NOT_A_FILE", str(feed), "this is neither a file nor a folder", "Name a file or folder")
    found = list(_in_folder(feed, profile))
    if not found:
        raise InputProblem(
            "NOT_FOUND",
            str(feed),
            f"nothing in this folder fits profile {profile.profile}",
            f"Expected are {', '.join(file.match for file in profile.files)}",
        )
    yield from found


def _single(feed: Path, profile: Profile) -> Sent | InputProblem:
    source = _matching(feed.name, profile)
    if source is None and len(profile.files) > 1:
        return InputProblem(
            "FILENAME",
            _said(feed),
            f"no file of profile {profile.profile} has this name",
            f"Expected is a folder with {', '.join(file.match for file in profile.files)}",
        )
    # one file was named and one is declared: there is nothing to confuse
    return _bad_name(feed) or _one_file(source or profile.files[0], feed)


def _in_folder(folder: Path, profile: Profile, depth: int = 1) -> Iterator[Sent | InputProblem]:
    if depth > DEEPEST_FOLDER:
        yield InputProblem("UNREADABLE", _said(folder), "it lies too deep in other folders", "Put it nearer to the top")
        return
    try:
        children = sorted(folder.iterdir())
    except OSError:
        yield InputProblem("UNREADABLE", _said(folder), "the folder cannot be read", "Check its permissions")
        return
    # hidden: an upload under way or a trace of an operating system
    fitting = [
        (source, child)
        for child in children
        if not child.name.startswith(".") and (source := _matching(child.name, profile))
    ]
    for _, child in fitting:
        if child.is_symlink():
            yield InputProblem("SYMLINK", _said(child), "this is a symbolic link", "Send the file itself")
    files = [(source, child) for source, child in fitting if stat.S_ISREG(child.lstat().st_mode)]
    if len(profile.files) == 1:
        yield from (_bad_name(child) or _one_file(source, child) for source, child in files)
    elif files:
        bad = next(filter(None, (_bad_name(path) for path in (folder, *(child for _, child in files)))), None)
        manifest = next((folder / name for name in MANIFESTS if (folder / name).is_file()), None)
        yield bad or Sent(folder.resolve().name, tuple(files), manifest)
    for child in children:
        if child.is_dir() and not child.is_symlink():
            yield from _in_folder(child, profile, depth + 1)


def _one_file(source: FileSource, path: Path) -> Sent:
    manifest = path.with_name(f"{path.name}.sha256")
    return Sent(path.name, ((source, path),), manifest if manifest.is_file() else None)


def _matching(name: str, profile: Profile) -> FileSource | None:
    """The part of the profile whose pattern fits the name, with or without ``.gz`` or ``.zip`` beyond it."""
    plain = name.removesuffix(".gz").removesuffix(".zip")
    return next(
        (file for file in profile.files if any(fnmatch.fnmatchcase(form, file.match) for form in (name, plain))), None
    )


def source_of(name: str, profile: Profile) -> FileSource:
    """The part of the profile that describes a landed file; the only part, if there is but one."""
    return _matching(name, profile) or profile.files[0]


def _bad_name(path: Path) -> InputProblem | None:
    if SAFE_NAME.fullmatch(path.resolve().name):
        return None
    return InputProblem(
        "FILENAME",
        _said(path),
        "its name begins with something other than a letter or digit, is longer than 128 characters, or holds others "
        "than letters, digits, blanks and _ . , ( ) + -",
        "Rename it",
    )


def _said(path: Path) -> str:
    """A file for a sentence: by its name if that is a plain one, for a name can hold anything."""
    name = path.resolve().name
    return name if SAFE_NAME.fullmatch(name) else "a file or folder of the feed"


def land(sent: Sent, profile: Profile, contract_version: str, ledger: Ledger) -> tuple[Delivery, bool]:
    """Copy a delivery into the lake under the hash of its content.

    Returns:
        The delivery's record and whether there is something to do: a delivery that was read before under the same
        profile and contract is not read again.

    Raises:
        InputProblem: UNREADABLE, if a file may not be opened; TOO_LARGE; INCOMPLETE, if it is still being written or is
            not what its manifest says.

    """
    ledger.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    incoming = Path(tempfile.mkdtemp(prefix=INCOMING, dir=ledger.lake))
    (incoming / "raw").mkdir(mode=0o700)
    try:
        copied = tuple(DeliveredFile(path.name, *_copy(path, incoming / "raw" / path.name)) for _, path in sent.files)
        if sent.manifest:
            _compare_manifest(sent.manifest, {file.name: file.sha256 for file in copied})
        delivery = Delivery(
            delivery_id=identity(copied),
            label=sent.label,
            files=copied,
            extract_stamp=_stamp(sent.label, profile),
            profile=profile.profile,
            profile_version=profile.version,
            profile_digest=profile.digest,
            contract_version=contract_version,
            privacy_mode=profile.privacy_mode,
            landed_at=dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            landed_by=getpass.getuser(),
        )
        known = ledger.find(delivery.delivery_id)
        if known and _same_reading(known, delivery):
            return known, False
        if known:
            delivery = replace(delivery, landed_at=known.landed_at, landed_by=known.landed_by)
            remember_reading(ledger.folder(known.delivery_id), known)
            _keep_readings(ledger.folder(known.delivery_id), incoming, known)
        save_profile(profile, incoming)
        # last: a folder with a record is whole, whoever finds it after a crash
        write_delivery(incoming, delivery)
        _replace(ledger.folder(delivery.delivery_id), incoming)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return delivery, True


def sweep(ledger: Ledger) -> None:
    """Finish or undo what processes that died while copying left behind. The caller is the only writer of the home.

    Raw files in the lake may be the only ones there are: a whole folder that was about to take its place is put there,
    and a reading that was set by comes back.
    """
    left_behind = sorted(ledger.lake.glob(f"{INCOMING}*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for left in left_behind:
        if (left / KEPT / RECORD).is_file():
            _put_back(ledger.folder(read_record(left / KEPT / RECORD).delivery_id), left / KEPT)
        elif (left / RECORD).is_file():
            folder = ledger.folder(read_record(left / RECORD).delivery_id)
            if not folder.exists():
                left.replace(folder)
        shutil.rmtree(left, ignore_errors=True)


def _put_back(folder: Path, kept: Path) -> None:
    retired = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder.parent))
    if folder.exists():
        folder.replace(retired)
    kept.replace(folder)
    shutil.rmtree(retired, ignore_errors=True)


def _keep_readings(folder: Path, incoming: Path, known: Delivery) -> None:
    """Share the reading that is about to be replaced, and those before it, by hard links."""
    if (folder / READINGS).exists():
        shutil.copytree(folder / READINGS, incoming / READINGS, copy_function=share)
    if known.state is State.ACCEPTED:
        target = incoming / READINGS / known.run_key
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target, copy_function=share, ignore=shutil.ignore_patterns("raw", READINGS))


def share(source: str, target: str) -> str:
    """Copy a file by a hard link where that is possible; for ``shutil.copytree``."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
    return target


def _replace(folder: Path, incoming: Path) -> None:
    if not folder.exists():
        incoming.replace(folder)
        return
    for name in KEPT_ON_REREADING:
        if (folder / name).exists():
            shutil.copyfile(folder / name, incoming / name)
    retired = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder.parent))
    folder.replace(retired)
    incoming.replace(folder)
    shutil.rmtree(retired, ignore_errors=True)


def _compare_manifest(manifest: Path, hashes: Mapping[str, str]) -> None:
    """Each line of a manifest: a SHA-256, blanks, the name of a file that must be there with that content."""
    incomplete = InputProblem(
        "INCOMPLETE", manifest.name, "the files are not what the manifest says", "Wait for the upload or send it again"
    )
    try:
        with _opened(manifest) as file:
            content = file.read(MANIFEST_BYTES + 1)
        lines = content.decode().splitlines() if len(content) <= MANIFEST_BYTES else ["too long"]
    except (OSError, UnicodeDecodeError):
        raise incomplete from None
    listed = {name.lstrip("*"): digest.lower() for digest, _, name in (line.partition("  ") for line in lines if line)}
    if any(listed.get(name) != digest for name, digest in hashes.items()) or set(listed) - set(hashes):
        raise incomplete


def _same_reading(known: Delivery, now: Delivery) -> bool:
    settled = known.state in (State.ACCEPTED, State.REJECTED, State.HELD)
    return settled and (known.profile_digest, known.contract_version) == (now.profile_digest, now.contract_version)


def _opened(path: Path) -> BinaryIO:
    """A file that was found to be a plain one, and is one still: whoever sent it may have replaced it since.

    Raises:
        OSError: it is a link, or nothing that can be copied; a pipe does not keep us waiting.

    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return os.fdopen(descriptor, "rb")


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    try:
        LIMITS.check_file(source, source.name)
        reader = _opened(source)
    except OSError:
        raise InputProblem("UNREADABLE", source.name, "the file cannot be opened", "Check its permissions") from None
    with reader, target.open("wb") as writer:
        before = os.fstat(reader.fileno())
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
        after = os.fstat(reader.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputProblem(
            "INCOMPLETE", source.name, "the file is still being written", "Run again when it has been copied"
        )
    target.chmod(0o600)
    return digest.hexdigest(), size


def identity(files: tuple[DeliveredFile, ...]) -> str:
    """The id of a delivery: its files' content decides, and their names where there are several."""
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
