"""The code that releases were made with, one archive per version: ``HOME/code/<code version>.zip``.

Only with the code of a release can its numbers be made again from other data. An archive is deterministic, and what it
holds must still give the version it is named after, so that nobody runs code that was changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem
from assets.home import PRIVATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CODE_ROOT = Path(__file__).resolve().parents[2]
CODE_PATTERNS = (
    "assets/**/*.py",
    "assets/**/*.yaml",
    "assets/**/*.csv",
    "assets/**/*.txt",
    "dashboards/**/*.*",
    "sql/**/*.sql",
)
"""Everything that decides what a release says: Python, SQL, page files, and the tables they read."""
FOLDER = "code"
PACKAGES = "packages.json"
ID_DIGITS = 12
DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in an archive: the earliest that the format can say."""
PRIVATE_FILE = 0o600


def code_files(root: Path = CODE_ROOT) -> tuple[Path, ...]:
    """Files below ``root`` that decide what a release says, sorted."""
    found = {path for pattern in CODE_PATTERNS for path in root.glob(pattern) if "__pycache__" not in path.parts}
    return tuple(sorted(path for path in found if path.is_file()))


def code_contents(root: Path = CODE_ROOT) -> dict[str, bytes]:
    """What these files hold, by their path below ``root``."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in code_files(root)}


def code_digest(packages: Mapping[str, str], contents: Mapping[str, bytes]) -> str:
    """Version of code with these contents and these versions of packages."""
    digest = hashlib.sha256(json.dumps(packages).encode())
    for name, content in contents.items():
        digest.update(f"{name}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:ID_DIGITS]


def code_archive(home: Path, version: str) -> Path:
    """Where the archive of a version is."""
    return home / FOLDER / f"{version}.zip"


def keep_code(home: Path, version: str, packages: Mapping[str, str], in_use: Collection[str]) -> None:
    """Keep the running code under its version, and drop archives of versions not ``in_use`` by a kept release.

    Code that somebody has exchanged while it ran is not kept: it is not that of the release.
    """
    folder = home / FOLDER
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    target = code_archive(home, version)
    contents = code_contents()
    if not target.exists() and code_digest(packages, contents) == version:
        pack_code(target, packages, contents)
    for path in folder.glob("*.zip"):
        if path.stem not in {version, *in_use}:
            path.unlink()


def pack_code(target: Path, packages: Mapping[str, str], contents: Mapping[str, bytes]) -> None:
    """Write an archive; the same contents give the same bytes."""
    temporary = target.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry(PACKAGES), json.dumps(packages))
        for name, content in contents.items():
            archive.writestr(_entry(name), content)
    temporary.replace(target)


def unpack_code(home: Path, version: str, target: Path) -> dict[str, str]:
    """Put the code of a version into the new folder ``target`` and return the versions of its packages.

    Raises:
        InputProblem: CODE: it was not kept, cannot be read, or is not what the version says.

    """
    archive = code_archive(home, version)
    where = f"{FOLDER}/{archive.name}"
    if not archive.exists():
        raise InputProblem(
            "CODE", where, "the code of this version was not kept", "Only releases made since code is kept can be split"
        )
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)  # names that lead out of the folder are made harmless by zipfile
        packages: dict[str, str] = json.loads((target / PACKAGES).read_bytes())
        is_whole = code_digest(packages, code_contents(target)) == version
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        is_whole = False
    if not is_whole:
        raise InputProblem(
            "CODE", where, "the code is not that of its version", "Put the archive of your last backup back"
        )
    return packages


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = PRIVATE_FILE << 16
    return entry
