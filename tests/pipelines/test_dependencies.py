"""What is installed is what was looked at: pinned, hashed, installed as locked, under licences that go with ours."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+?)(?:\s*;.*?)?\s*\\?$")
STRONG = re.compile(r"\b(?:AGPL|GPL|SSPL)|Affero|GNU General Public|Server Side Public|Business Source", re.IGNORECASE)
LICENCE_NAME = 80
"""Licences whose terms reach what is linked with them or offered as a service. The LGPL is none of them."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, tuple[frozenset[str], bool]]:
    """Versions of every package of the lock (a system may have its own), and whether each of them has a hash."""
    found: dict[str, tuple[frozenset[str], bool]] = {}
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock.txt").read_text(encoding="utf-8"))
    for entry in entries:
        if entry.startswith("#"):
            continue
        match = PINNED.match(entry.partition("\n")[0])
        assert match, entry
        versions, is_hashed = found.get(plain(match[1]), (frozenset(), True))
        found[plain(match[1])] = (versions | {match[2]}, is_hashed and "--hash=sha256:" in entry)
    return found


def installed() -> dict[str, Distribution]:
    """The packages of the lock that this system needs."""
    found = {}
    for name in locked():
        with suppress(PackageNotFoundError):
            found[name] = distribution(name)
    return found


def licences(about: PackageMetadata) -> list[str]:
    """What a package says of its licence, in the form that says it best."""
    classifiers = [one for one in about.get_all("Classifier") or [] if one.startswith("License")]
    expression = about.get("License-Expression")
    return [expression] if expression else classifiers or [(about.get("License") or "")[:LICENCE_NAME]]


def test_every_package_of_the_lock_has_a_version_and_a_hash() -> None:
    found = locked()
    assert len(found) > 100
    assert not [name for name, (_, is_hashed) in found.items() if not is_hashed]


def test_what_the_project_asks_for_is_what_the_lock_holds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    found = locked()
    assert not [
        one for one in asked if (pin := one.partition("==")) and {pin[2]} != found.get(plain(pin[0]), (frozenset(),))[0]
    ]


def test_what_is_installed_is_what_the_lock_holds() -> None:
    found = locked()
    assert len(installed()) > 100
    assert not [name for name, one in installed().items() if one.version not in found[name][0]]


def test_no_package_has_a_licence_that_reaches_ours() -> None:
    reaching = {
        name: said for name, one in installed().items() if any(map(STRONG.search, said := licences(one.metadata)))
    }
    assert not reaching


@pytest.mark.parametrize(
    ("licence", "reaches"),
    [
        ("GPL-3.0-or-later", True),
        ("License :: OSI Approved :: GNU Affero General Public License v3", True),
        ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)", True),
        ("SSPL-1.0", True),
        ("LGPL-3.0-only", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("License :: OSI Approved :: GNU Library or Lesser General Public License (LGPL)", False),
        ("MIT", False),
    ],
)
def test_such_licences_are_told_apart(licence: str, *, reaches: bool) -> None:
    assert bool(STRONG.search(licence)) is reaches
