"""A published rate as a table row and as a row of the dot chart, or the words why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.sentences import rate_text
from dashboards.words import DOT, count, percent, whole

if TYPE_CHECKING:
    from dashboards.figures import recovery_dot
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

HIDDEN = "not shown"
NO_EPISODES = "no episodes"
NOT_KNOWN = "no known outcome"


def rate_words(row: Row | None, meta: SiteMeta) -> str:
    """Return why a row has no rate; empty if it has one."""
    if row is None:
        return NO_EPISODES
    if row["suppressed"]:
        return meta.too_few
    if row["rate"] is None:
        return meta.too_few if row["n"] is None else NOT_KNOWN
    return ""


def rate_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    """Return n, rate, interval, completeness and both bounds of a row as table cells."""
    if row is None:
        return [0, *[None] * 6]
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 6]
    names = ("rate_low", "rate_high", "completeness", "rate_if_missing_none", "rate_if_missing_all")
    rate: Cell = rate_text(row) if row.get("approximate") and row["rate"] is not None else whole(row["rate"])
    return [meta.hidden if row["n"] is None else row["n"], rate, *(whole(row[name]) for name in names)]


def rate_note(row: Row | None) -> str:
    """Return what a rate rests on, for the label of its row; empty without a rate."""
    if row is None or row["suppressed"] or row["rate"] is None:
        return ""
    parts = [] if row["n"] is None else [f"n {count(row['n'])}"]
    parts += [] if row["completeness"] is None else [f"{percent(row['completeness'])} known"]
    parts += ["approximate"] if row.get("approximate") else []
    return f" {DOT} ".join(parts)


def dot_row(row: Row | None, label: str, note: str, network: Row | None, meta: SiteMeta) -> recovery_dot.RateRow:
    """Return a row of the dot chart; where words stand, nothing else does."""
    get = row or {}
    return {
        "label": label,
        "note": note,
        "rate": get.get("rate"),
        "rate_low": get.get("rate_low"),
        "rate_high": get.get("rate_high"),
        "n": get.get("n"),
        "network": network["rate"] if network and get.get("rate") is not None else None,
        "words": rate_words(row, meta),
    }
