"""Puts a kept release back in force: said in the ledger first, on its pages next, then done in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.audit.ledger import append, entries
from assets.audit.rolled_back import KIND, RESUME_KIND, rolled_back
from assets.audit.verify_releases import broken_release
from assets.deliveries.problems import InputProblem
from assets.publication.in_force import held_back
from assets.publication.release import SITE, current_release, kept_releases, newest_release, point_to
from assets.quality.decisions import LONGEST_TEXT, SHORTEST_REASON
from dashboards.status import write_status

if TYPE_CHECKING:
    from datetime import datetime

    from assets.audit.ledger import Entry
    from assets.home import Home

CODE = "ROLLBACK"


def roll_back(home: Home, release: str, *, by: str, because: str, now: datetime) -> Entry:
    """Put a kept release in force, whole and as it was sealed. The caller is the only writer of the home.

    Until somebody resumes, or puts the newest release back, runs release nothing.

    Raises:
        InputProblem: RELEASE: it is not kept. ROLLBACK: it is in force, it is not as it was sealed, or a field cannot
            be used. LEDGER: the ledger is broken.

    """
    must_be_kept(home, release)
    if release == current_release(home):
        raise InputProblem(
            CODE, "release", "this release is in force", "Name another one of `needlepoint releases list`"
        )
    broken = next(iter(broken_release(home.releases / release, entries(home.path))), None)
    if broken:
        raise InputProblem(
            CODE, broken.where, f"{broken.what}; what was changed is not put in force", "Run `needlepoint audit verify`"
        )
    body = {
        "release": release,
        "before": current_release(home),
        "newest": newest_release(home) or release,
        "because": _reason(because),
    }
    entry = append(home.path, KIND, body, _person(by), now)
    write_status(home.releases / release / SITE, held_back(home, release))
    point_to(home, release)
    return entry


def resume(home: Home, *, by: str, because: str, now: datetime) -> Entry:
    """Let the next run release again after a roll-back. The caller is the only writer of the home.

    Raises:
        InputProblem: ROLLBACK: nothing is held by a roll-back, or a field cannot be used. LEDGER: the ledger is broken.

    """
    back = rolled_back(entries(home.path), current_release(home))
    if back is None or not back.holds:
        raise InputProblem(CODE, "resume", "no roll-back keeps releases back", "There is nothing to do")
    entry = append(home.path, RESUME_KIND, {"release": back.release, "because": _reason(because)}, _person(by), now)
    write_status(home.site, held_back(home))
    return entry


def must_be_kept(home: Home, release: str) -> None:
    """Refuse a name that no kept release has.

    Raises:
        InputProblem: RELEASE: there is none, and which there are.

    """
    kept = kept_releases(home)
    if release not in kept:
        named = ", ".join(kept) or "none"
        raise InputProblem("RELEASE", "release", "no release of this name is kept", f"Kept are, oldest first: {named}")


def _person(by: str) -> str:
    if not 0 < len(by.strip()) <= LONGEST_TEXT:
        raise InputProblem(CODE, "--by", "it names nobody", "Give who answers for it")
    return by.strip()


def _reason(because: str) -> str:
    if not SHORTEST_REASON <= len(because.strip()) <= LONGEST_TEXT:
        raise InputProblem(CODE, "--because", "it is no reason", f"Give at least {SHORTEST_REASON} characters")
    return because.strip()
