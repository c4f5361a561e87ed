"""Whether an older release is in force because somebody put it back, as the ledger says it.

Who rolls back does not want the next run to bring the same numbers again. Runs read deliveries as before, but release
nothing until somebody says so: with ``needlepoint releases resume``, or by putting the newest release back in force.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assets.audit.seals import KIND as RELEASE_KIND
from assets.audit.seals import is_meant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.audit.ledger import Entry

KIND, RESUME_KIND = "rollback", "resume"
RESUME = "`needlepoint releases resume` lets the next run release again"


@dataclass(frozen=True, slots=True)
class RolledBack:
    """An older release in force. ``newest`` is the newest that readers have seen; ``holds``: nothing is released."""

    release: str
    newest: str
    at: str
    by: str | None
    holds: bool = True

    @property
    def sentence(self) -> str:
        """Why nothing is released, for the person who runs."""
        return f"{self.by or 'somebody'} put release {self.release} back in force on {self.at[:10]}"


def rolled_back(found: Iterable[Entry], release: str | None) -> RolledBack | None:
    """What the ledger says of the release in force, None if nobody put it back in place of a newer one.

    Args:
        found: the entries, oldest first.
        release: the one in force, or None.

    """
    back: RolledBack | None = None
    for entry in found:
        if not is_meant(entry):
            continue
        if entry.kind == KIND:
            named, newest = str(entry.body["release"]), str(entry.body["newest"])
            back = None if named == newest else RolledBack(named, newest, entry.at, entry.by)
        elif back is not None and entry.kind == RESUME_KIND:
            back = replace(back, holds=False)
        elif back is not None and entry.kind == RELEASE_KIND and entry.body["release"] == back.release:
            back = None  # it was made anew since
    return back if back is not None and back.release == release else None


def put_in_force(found: Iterable[Entry]) -> str | None:
    """The release that was put in force last, by a run or a person, as the ledger says it."""
    named = [str(entry.body["release"]) for entry in found if entry.kind in (KIND, RELEASE_KIND) and is_meant(entry)]
    return named[-1] if named else None
