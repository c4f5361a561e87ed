"""What is kept of the releases: which are there, from what and when they were made, and who signed them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assets.audit.findings import read_object
from assets.audit.ledger import entries
from assets.audit.rolled_back import KIND as ROLLBACK
from assets.audit.rolled_back import rolled_back
from assets.audit.seals import KIND as RELEASE
from assets.audit.seals import newest
from assets.audit.sign_off import signed
from assets.contract import CONTRACT
from assets.publication.release import MANIFEST, code_version, current_release, kept_releases

if TYPE_CHECKING:
    from assets.audit.ledger import Entry
    from assets.home import Home

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class KeptRelease:
    """One kept release.

    ``sealed_at`` and ``entry`` are those of its seal in the ledger, None where that does not name it. ``is_put_back``:
    it is in force in place of a newer one. ``is_whole``: its manifest can be read; the rest says ``audit verify``.
    ``is_of_this_code``: bundles can be made of it. ``signed`` is the decision of the newest sign-off and whose it is.
    ``deliveries`` are label, state and extract stamp; ``put_back`` the moments and persons of earlier roll-backs to it.
    """

    release: str
    is_in_force: bool
    is_put_back: bool
    is_whole: bool
    sealed_at: str | None
    entry: int | None
    code_version: str
    contract_version: str
    is_of_this_code: bool
    follows: str | None
    checks: dict[str, int]
    deliveries: tuple[tuple[str, str, str], ...]
    signed: str | None
    put_back: tuple[tuple[str, str], ...]
    files: int
    size_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)

    @property
    def line(self) -> str:
        """One line for people."""
        if not self.is_whole:
            return f"{self.release}  cannot be read: run `needlepoint audit verify`"
        stamps = sorted(filter(None, (stamp for _, _, stamp in self.deliveries)))
        parts = (
            self.release,
            self.sealed_at or "not sealed",
            f"{len(self.deliveries):,} deliveries{f' to {stamps[-1]}' if stamps else ''}",
            f"{self.size_bytes / MEGABYTE:,.1f} MB",
            self.signed or "not signed",
            "" if self.is_of_this_code else "other code",
            ("in force, put back" if self.is_put_back else "in force") if self.is_in_force else "",
        )
        return "  ".join(filter(None, parts))

    @property
    def text(self) -> str:
        """All of it for people."""
        states = Counter(state for _, state, _ in self.deliveries)
        rows = (
            ("Contract", f"version {self.contract_version}"),
            ("Code", f"{self.code_version}{'' if self.is_of_this_code else ', not that of this program'}"),
            ("Seal", f"entry {self.entry:,} of the ledger" if self.entry else "none in the ledger"),
            ("Follows", self.follows or "none, it is the first"),
            ("Checks", _counted(self.checks)),
            ("Files", f"{self.files:,}"),
            ("Deliveries", _counted(states)),
            *(
                (f"  {label}", f"{state}, extract of {stamp or 'no known moment'}")
                for label, state, stamp in self.deliveries
            ),
            *(("Put back", f"{at} by {by}") for at, by in self.put_back),
        )
        return "\n".join([self.line, *(f"{name}: {said}" for name, said in rows)])


def listed(home: Home) -> tuple[KeptRelease, ...]:
    """Every kept release, oldest first.

    Raises:
        InputProblem: LEDGER: the ledger is broken.

    """
    found = entries(home.path)
    code = code_version()
    return tuple(_described(home, release, found, code) for release in kept_releases(home))


def _described(home: Home, release: str, found: tuple[Entry, ...], code: str) -> KeptRelease:
    folder = home.releases / release
    manifest = read_object(folder / MANIFEST)
    seal = newest(found, RELEASE).get(release)
    in_force = current_release(home)
    back = rolled_back(found, in_force)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    said = manifest or {}
    return KeptRelease(
        release=release,
        is_in_force=release == in_force,
        is_put_back=back is not None and back.release == release,
        is_whole=manifest is not None,
        sealed_at=seal.at if seal else None,
        entry=seal.number if seal else None,
        code_version=said.get("code_version", ""),
        contract_version=said.get("contract_version", ""),
        is_of_this_code=(said.get("code_version"), said.get("contract_version")) == (code, CONTRACT.version),
        follows=said.get("predecessor"),
        checks=said.get("checks", {}),
        deliveries=tuple((one["label"], one["state"], one["extract_stamp"]) for one in said.get("deliveries", ())),
        signed=_signature(home, release) if manifest else None,
        put_back=tuple(
            (entry.at, entry.by or "")
            for entry in found
            if entry.kind == ROLLBACK and entry.body.get("release") == release
        ),
        files=len(sizes),
        size_bytes=sum(sizes),
    )


def _signature(home: Home, release: str) -> str | None:
    found = signed(home, release)
    return f"{found.decision.value}ed by {found.by}" if found else None


def _counted(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(counts.items())) or "none"
