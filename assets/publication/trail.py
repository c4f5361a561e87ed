"""What a kept evidence pack says beyond the pack in the site: what went before the release, and who decided what.

The same inputs and code give the same release, so nothing of this may be in it: where the ledger stood, the decisions
with names and reasons, and what is new against the release before. ``trail.json`` is for
machines, ``trail.html`` for people. Pure.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assets.publication.evidence_page import document, table
from dashboards.markup import esc
from dashboards.words import DASH, spoken, stamp_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assets.audit.ledger import Entry

Row = dict[str, Any]
JSON, PAGE = "trail.json", "trail.html"
TRAIL_FILES = (JSON, PAGE)
FORMAT = "needlepoint-trail/1"
DECISIONS = ("waiver", "threshold", "rebase", "rollback", "resume")
CHANGES = ("new", "existing", "resolved")
"""What is told of the changes; what is stable is only counted."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What a pack says of its past. Rows are those of ``audit.check_delta``.

    ``before`` is the release that was in force before, None for the first.
    """

    release: str
    before: str | None
    head: Entry | None
    decisions: Sequence[Entry]
    delta: Sequence[Row]


def trail_files(trail: Trail) -> dict[str, bytes]:
    """Return the files by name."""
    text = json.dumps(_document(trail), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return {JSON: f"{text}\n".encode(), PAGE: _page(trail).encode()}


def _document(trail: Trail) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "release": trail.release,
        "release_before": trail.before,
        "ledger_head": None if trail.head is None else _place(trail.head),
        "decisions": [asdict(entry) for entry in trail.decisions],
        "delta": list(trail.delta),
    }


def _place(entry: Entry) -> Row:
    return {"number": entry.number, "hash": entry.hash, "at": entry.at}


def _page(trail: Trail) -> str:
    head = trail.head
    rows = (
        ("Release", trail.release),
        ("Release before", trail.before or "none"),
        ("Head of the ledger", "empty" if head is None else f"entry {head.number:,} of {stamp_text(head.at)} UTC"),
        ("Hash of the head", DASH if head is None else head.hash),
    )
    about = (
        "<p>This page and trail.json are in the kept pack only. The release says nothing of its past, because the "
        "same inputs and the same code must give the same release. Give the hash of the head to "
        "<code>needlepoint audit verify --head</code>: it finds whether the ledger has lost its end since.</p>"
    )
    parts = (
        about,
        table("Where the ledger stood", ("", ""), rows, heads=False),
        _decisions(trail.decisions),
        _delta(trail.delta),
    )
    return document(f"Trail of release {esc(trail.release)}", parts)


def _decisions(decisions: Sequence[Entry]) -> str:
    rows = [
        (
            entry.number,
            spoken(entry.kind),
            decided(entry),
            str(entry.body.get("until", DASH)),
            entry.by or str(entry.body.get("by", DASH)),
            str(entry.body.get("because", "")),
            stamp_text(entry.at),
        )
        for entry in decisions
    ]
    head = ("Entry", "Decision", "About", "Until", "By", "Because", "Taken (UTC)")
    return _section("Decisions", "Decisions of people, as they stand in the ledger", head, rows)


def decided(entry: Entry) -> str:
    """What a decision is about, in words: everything it says but who, why, when and until when."""
    left_out = ("by", "because", "added", "until", "note")
    said = {name: value for name, value in entry.body.items() if name not in left_out and value is not None}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())


def _delta(delta: Sequence[Row]) -> str:
    rows = [
        (row["check_id"], row["clinic_key"] or "all", row["delta"], row["violated"], row["violated_before"])
        for row in delta
        if row["delta"] in CHANGES
    ]
    head = ("Check", "Clinic", "Against the release before", "Rows violating", "Before")
    return _section(
        "Changes", "What the checks find that they did not find before, and the other way round", head, rows
    )


def _section(title: str, caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    rows = list(rows)
    return f"<h2>{esc(title)}</h2>" + (table(caption, head, rows) if rows else "<p>None.</p>")
