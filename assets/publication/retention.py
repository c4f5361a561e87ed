"""How many releases are kept, and which never go: the one in force, the newest, and those that these two follow.

A release that another one follows is needed to make that one again byte for byte. What goes is named in the ledger
first, then taken out of sight in one step, then deleted: a process that dies meanwhile leaves no half release.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from assets.audit.ledger import append
from assets.publication.release import (
    RETIRED,
    current_release,
    kept_releases,
    newest_release,
    read_manifest,
)

if TYPE_CHECKING:
    from assets.home import Home

KIND = "prune"
DROPPED = ".dropped-"


def droppable(home: Home, keep: int) -> tuple[str, ...]:
    """Kept releases beyond the last ``keep``, oldest first, without those that never go."""
    kept = kept_releases(home)
    stays = {*kept[-keep:], *_needed(home)}
    return tuple(release for release in kept if release not in stays)


def prune(home: Home, keep: int, by: str | None = None) -> tuple[str, ...]:
    """Drop releases beyond the last ``keep``, and return their ids. The caller is the only writer of the home.

    ``by`` is who asked for it, None for the setting of the home.
    """
    dropped = droppable(home, keep)
    if dropped:
        append(home.path, KIND, {"releases": list(dropped), "keep": keep}, by)
    for release in dropped:
        (home.releases / release).rename(home.releases / f"{DROPPED}{release}")
    sweep_releases(home)
    return dropped


def sweep_releases(home: Home) -> None:
    """Finish what a process that died while it replaced or dropped a release left behind."""
    release = current_release(home)
    if release is not None and not (home.releases / release).exists():
        retired = home.releases / f"{RETIRED}{release}"
        if retired.exists():  # it was being replaced by itself, built anew
            retired.rename(home.releases / release)
    for prefix in (DROPPED, RETIRED):
        for left in home.releases.glob(f"{prefix}*"):
            shutil.rmtree(left)


def _needed(home: Home) -> set[str]:
    shown = {release for release in (current_release(home), newest_release(home)) if release is not None}
    followed = {read_manifest(home, release).get("predecessor") for release in shown}
    return shown | {release for release in followed if release is not None}
