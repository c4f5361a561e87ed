"""Sign-off: who looked at a release and took it, or did not, and why.

A sign-off names the manifest it is about, and so every published number. A release that is made again with other bytes
has not been signed. The newest sign-off of a release counts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints, ValidationError

from assets.audit.ledger import inspected
from assets.audit.seals import MANIFEST, sha256
from assets.audit.verify_releases import broken_release
from assets.deliveries.problems import InputProblem
from assets.quality.decisions import SHORTEST_REASON, Decision, Decisions, Name

if TYPE_CHECKING:
    from datetime import datetime

    from assets.audit.ledger import Entry
    from assets.home import Home

CODE = "SIGN_OFF"
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Verdict(StrEnum):
    """What was decided about a release."""

    ACCEPT = "accept"
    REJECT = "reject"


class SignOff(Decision):
    """One decision about one release, as it was then; ``because`` is what the person found."""

    release: Name
    manifest_sha256: Digest
    decision: Verdict


SIGN_OFFS = Decisions("sign_off", CODE, SignOff)


def sign(home: Home, release: str, *, decision: Verdict, by: str, note: str, now: datetime) -> Entry:
    """Put a decision about a kept release into the ledger.

    Raises:
        InputProblem: SIGN_OFF: there is no such release, it is not as it was sealed, or a field cannot be used.
            LEDGER: the ledger is broken.

    """
    folder = home.releases / release
    if release.startswith(".") or not (folder / MANIFEST).is_file():
        raise InputProblem(
            CODE, "release", "no release of this name is kept", "Names are in `needlepoint audit log --kind release`"
        )
    broken = list(broken_release(folder, inspected(home.path)[0]))
    if broken:
        raise InputProblem(
            CODE,
            broken[0].where,
            f"{broken[0].what}; what was changed is not signed",
            "Run `needlepoint audit verify`, and build the release again",
        )
    try:
        made = SignOff.model_validate(
            {
                "release": release,
                "manifest_sha256": sha256(folder / MANIFEST),
                "decision": decision,
                "by": by,
                "because": note,
                "added": now,
            }
        )
    except ValidationError as error:
        raise InputProblem(
            CODE,
            "sign-off",
            SIGN_OFFS.said(error).replace("because", "note"),
            f"Give who, and a note of at least {SHORTEST_REASON} characters",
        ) from None
    return SIGN_OFFS.add(home.path, made)


def signed(home: Home, release: str) -> SignOff | None:
    """The sign-off in force of a kept release as it is now, None if nobody has signed it.

    Raises:
        InputProblem: LEDGER or SIGN_OFF: the ledger is broken.

    """
    digest = sha256(home.releases / release / MANIFEST)
    mine = [one for one in SIGN_OFFS.read(home.path) if (one.release, one.manifest_sha256) == (release, digest)]
    return mine[-1] if mine else None


def not_signed(home: Home, release: str) -> str:
    """Why a release may not go to readers who are promised a signature; empty if it may."""
    found = signed(home, release)
    if found is None:
        return f"release {release} has not been signed: `needlepoint audit sign {release}`"
    return "" if found.decision is Verdict.ACCEPT else f"release {release} was rejected by the one who signed it"
