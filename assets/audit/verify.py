"""Proof that nobody changed what was decided, found and published: ``needlepoint audit verify``.

What is recomputed: the chain of the ledger; every history file; every file of every kept release and evidence pack; the
kept code; every raw file of every delivery, against its record; records and typed rows, against the releases made from
them.

What this cannot prove: a chain shows that no line was changed, moved or taken out, but whoever may write to the whole
home can cut lines off its end and take away whatever names them. Only a head that is known from elsewhere shows that:
print it with a pack, or keep it with the signatures, and give it to ``verify``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.audit.findings import CHANGED, MISSING, UNSEALED, Broken
from assets.audit.history import FOLD, FOLD_KIND
from assets.audit.history import FOLDER as HISTORY
from assets.audit.history import KIND as HISTORY_KIND
from assets.audit.ledger import FILE, FOLDER, LOST, cut_line, inspected
from assets.audit.seals import is_meant, newest, sha256
from assets.audit.verify_deliveries import broken_deliveries
from assets.audit.verify_releases import broken_code, broken_packs, broken_releases, release_folders
from assets.deliveries.ledger import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.audit.ledger import Entry
    from assets.home import Home

LEDGER = f"{FOLDER}/{FILE}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at and what of it is broken. ``head`` is the hash of the last entry, None without any."""

    head: str | None
    entries: int
    releases: int
    history_files: int
    deliveries: int
    broken: tuple[Broken, ...]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "head": self.head,
            "entries": self.entries,
            "releases": self.releases,
            "history_files": self.history_files,
            "deliveries": self.deliveries,
            "broken": [{"where": one.where, "what": one.what} for one in self.broken],
        }

    def as_text(self) -> str:
        """For people."""
        lines = [f"{one.where}: {one.what}" for one in self.broken]
        lines.append(
            f"Looked at {self.entries:,} entries of the ledger, {self.history_files:,} history files, "
            f"{self.releases:,} releases and {self.deliveries:,} deliveries: "
            f"{f'{len(self.broken):,} broken' if self.broken else 'nothing is broken'}."
        )
        if self.head:
            lines.append(f"Head of the ledger: {self.head}")
        return "\n".join(lines)


def verify(home: Home, head: str | None = None) -> Verdict:
    """Recompute every hash of a home. ``head`` is an earlier head of its ledger, or the beginning of one."""
    found, problems = inspected(home.path)
    broken = [Broken(problem.where, problem.what) for problem in problems]
    broken += _ledger(home, found, head)
    broken += _history(home, found)
    broken += broken_releases(home, found)
    broken += broken_packs(home, found)
    broken += broken_code(home)
    broken += broken_deliveries(home, found)
    return Verdict(
        head=found[-1].hash if found else None,
        entries=len(found),
        releases=len(release_folders(home)),
        history_files=sum(entry.kind == HISTORY_KIND for entry in found),
        deliveries=len(list(home.lake.glob(f"[!.]*/{RECORD}"))),
        broken=tuple(broken),
    )


def _ledger(home: Home, found: tuple[Entry, ...], head: str | None) -> Iterator[Broken]:
    for entry in found:
        if not is_meant(entry):
            yield Broken(f"{LEDGER}, line {entry.number}", "it does not say what an entry of its kind says")
    if cut_line(home.path):
        yield Broken(LEDGER, "its last line was not written to its end; the next entry will say so")
    if head is not None and not any(entry.hash.startswith(head) for entry in found):
        yield Broken(LEDGER, "the entry with the head that was given is not in it: its end was cut off, or it changed")


def _history(home: Home, found: tuple[Entry, ...]) -> Iterator[Broken]:
    folder = home.path / FOLDER / HISTORY
    sealed = newest(found, HISTORY_KIND)
    lost = {entry.body.get("file") for entry in found if entry.kind == LOST}
    kept = {path.name for path in folder.glob("[!.]*")}
    broken = []
    for name in sorted({*sealed, *kept}):
        place = f"{FOLDER}/{HISTORY}/{name}"
        # a writer that died before it gave the file its name; the next one finishes it
        path = folder / (name if name in kept else f".{name}")
        if name not in sealed:
            broken.append(Broken(place, UNSEALED))
        elif path.exists():
            broken += [Broken(place, CHANGED)] if sha256(path) != sealed[name].body["sha256"] else []
        elif name not in lost:
            broken.append(Broken(place, MISSING))
    yield from broken
    fold = home.path / FOLDER / FOLD
    made = {entry.body["sha256"] for entry in found if entry.kind == FOLD_KIND and is_meant(entry)}
    if fold.exists() and sha256(fold) not in made:
        yield Broken(f"{FOLDER}/{FOLD}", f"{CHANGED}; delete it, and it is made again from the history files")
