"""The landing folder ``HOME/landing/<profile>/``: what has arrived whole, and what of it cannot be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import find_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.deliveries.landing import Found
    from assets.deliveries.profile import Profile
    from assets.home import Home

QUIET_SECONDS = 30
"""A file that changed more recently may still be being copied."""


class Arrived(NamedTuple):
    """A file or folder in the folder of a profile; ``signature`` are its size and the time of its last change."""

    folder: Path
    feed: Path
    signature: str

    @property
    def name(self) -> str:
        """Its place in the landing folder."""
        return f"{self.folder.name}/{self.feed.name}"


def arrived(home: Home) -> Iterator[Arrived]:
    """Everything in which nothing has changed for a while."""
    latest = time.time() - QUIET_SECONDS
    for folder in sorted(path for path in home.landing.glob("*") if path.is_dir()):
        for feed in sorted(folder.glob("*")):
            signature = _signature(feed, latest)
            if signature:
                yield Arrived(folder, feed, signature)


def deliveries_in(home: Home, one: Arrived) -> tuple[Profile, Found]:
    """Return the profile and the deliveries of what has arrived.

    Raises:
        InputProblem: there is no such profile, or nothing in it can be a delivery.

    """
    profile = find_profile(one.folder.name, home.profiles, CONTRACT)
    return profile, find_deliveries([one.feed], profile)


def unreadable(home: Home) -> Iterator[tuple[Arrived, InputProblem]]:
    """What has arrived and cannot become a delivery, with the reason."""
    for one in arrived(home):
        try:
            _, found = deliveries_in(home, one)
        except InputProblem as problem:
            yield one, problem
        else:
            yield from ((one, problem) for problem in found.problems)


def _signature(feed: Path, latest: float) -> str | None:
    """Size and last change of a feed; None while it is empty, being sent, or being taken away."""
    try:
        if feed.is_symlink():  # it is refused: nothing is looked for behind it
            states = [feed.lstat()]
        else:
            files = [feed] if feed.is_file() else [path for path in feed.rglob("*") if path.is_file()]
            states = [path.stat() for path in files]
    except OSError:
        return None
    if not states or any(state.st_mtime >= latest for state in states):
        return None
    return f"{sum(state.st_size for state in states)} {max(state.st_mtime_ns for state in states)}"
