"""The draft as text: YAML with a question beside each line that somebody has to decide."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
RESERVED = re.compile(r"(?i:y|yes|n|no|true|false|on|off|null|nan|inf)")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry and what has to be asked about it. An entry without ``text`` is a question alone."""

    text: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class TableDraft:
    """A table that a file feeds: its fields, or the ones of the canonical layout."""

    table: str
    fields: tuple[Line, ...] | None = None
    more: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitDraft:
    """A planned visit with its scores."""

    name: Line
    day: Line
    visit_type: str
    scores: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FileDraft:
    """All that is proposed for one file. ``identifying``: columns that must go, and what they seem to hold."""

    settings: tuple[Line, ...]
    tables: tuple[TableDraft, ...] = ()
    scores: tuple[Line, ...] = ()
    visits: tuple[VisitDraft, ...] = ()
    ignored: tuple[Line, ...] = ()
    identifying: Mapping[str, str] = field(default_factory=dict)
    has_dates: bool = False


def scalar(text: str) -> str:
    """A text as YAML, in quotes where it could be read as something else."""
    if PLAIN.fullmatch(text) and not RESERVED.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'


def flow(entries: Mapping[str, str]) -> str:
    """A mapping on one line; its values are YAML already."""
    return "{" + ", ".join(f"{scalar(key)}: {value}" for key, value in entries.items()) + "}"


def sequence(texts: tuple[str, ...]) -> str:
    """A list of texts on one line."""
    return "[" + ", ".join(scalar(text) for text in texts) + "]"


def together(asks: Sequence[str]) -> str:
    """Several questions about one line."""
    return "; ".join(ask for ask in asks if ask).replace("?; ", "? ")


def file_lines(draft: FileDraft) -> Iterator[str]:
    """The entry of one file under ``files``."""
    if draft.identifying:
        yield "  # These columns may identify people. Remove them at the source or run needlepoint deidentify;"
        yield "  # a delivery that has them is refused:"
        yield from (f"  #   {scalar(name)}: {what}" for name, what in draft.identifying.items())
    for position, line in enumerate(draft.settings):
        yield _line("  - " if position == 0 else "    ", line)
    if draft.tables:
        yield "    tables:"
    for table in draft.tables:
        yield from _table(table)
    if draft.scores:
        yield "    scores:"
        yield from (_line("      - ", score) for score in draft.scores)
    if draft.visits:
        yield "    visits:"
    for visit in draft.visits:
        yield _line("      - ", visit.name)
        yield _line("        ", visit.day)
        yield f"        visit_type: {visit.visit_type}"
        yield "        scores:"
        yield from (_line("          - ", score) for score in visit.scores)
    if draft.ignored:
        yield "    ignored:"
        yield from (_line("      - ", line) for line in draft.ignored)


def _table(draft: TableDraft) -> Iterator[str]:
    yield f"      - table: {draft.table}"
    if draft.fields is None:
        yield "        fields: same_names"
    else:
        yield "        fields:"
        yield from (_line("          ", line) for line in draft.fields)
    yield from (_line("        ", line) for line in draft.more)


def _line(indent: str, line: Line) -> str:
    if not line.text:
        return f"{indent}# QUESTION: {line.question}"
    return f"{indent}{line.text}" + (f"  # QUESTION: {line.question}" if line.question else "")
