"""Whether the packages that are installed are those that were measured to work together."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.doctor_findings import Finding, good, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCK = Path(__file__).parents[1] / "requirements.lock.txt"
"""Beside the code in a checkout; a package installed from a wheel has its own pins only."""
PYTHON = (3, 11)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
EXTRA = re.compile(r"extra *== *['\"]")
REINSTALL = "Install again as the README says, with `pip install --require-hashes -r requirements.lock.txt`"
SHOWN = 3


def python() -> Iterator[Finding]:
    """The interpreter."""
    found = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info < PYTHON:
        yield wrong(found, f"Use Python {PYTHON[0]}.{PYTHON[1]} or newer")
    else:
        yield good(found)


def packages() -> Iterator[Finding]:
    """Every package that is needed is there, in the version of its pin or of the lock."""
    try:
        needed = [one for one in requires("needlepoint") or [] if not EXTRA.search(one)]
    except PackageNotFoundError:
        yield wrong("needlepoint itself is not installed, only its files are here", REINSTALL)
        return
    lock = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    yield from judged(pins("\n".join(needed)), pins(lock))


def pins(text: str) -> dict[str, frozenset[str]]:
    """Names and their versions in lines as ``name==version``; a lock may have one version per system."""
    found: dict[str, frozenset[str]] = {}
    for name, pinned in PIN.findall(text):
        found[name] = found.get(name, frozenset()) | {pinned}
    return found


def judged(needed: dict[str, frozenset[str]], locked: dict[str, frozenset[str]]) -> Iterator[Finding]:
    """Compare pins with what is installed. What only the lock names may be missing: tests or other systems need it."""
    wanted = locked | needed
    there = {name: _installed(name) for name in wanted}
    missing = sorted(name for name in needed if there[name] is None)
    other = sorted(
        f"{name} {have} instead of {' or '.join(sorted(wanted[name]))}"
        for name, have in there.items()
        if have is not None and have not in wanted[name]
    )
    if missing:
        yield wrong(f"not installed: {_some(missing)}", REINSTALL)
    if other:
        yield wrong(f"other versions than were tested together: {_some(other)}", REINSTALL)
    if not missing and not other:
        yield good(f"{sum(have is not None for have in there.values())} packages are in their tested versions")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")
