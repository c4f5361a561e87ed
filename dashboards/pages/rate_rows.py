"""A published rate as a table row and as a row of the dot chart, or the words why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.words import whole

if TYPE_CHECKING:
    from dashboards.figures import recovery_dot
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

NO_EPISODES = "no episodes"
NOT_KNOWN = "no known outcome"


def rate_words(row: Row | None, meta: SiteMeta) -> str:
    """Return why a row has no rate; empty if it has one."""
    if row is None:
        return NO_EPISODES
    if row["suppressed"]:
        return meta.too_few
    return NOT_KNOWN if row["rate"] is None else ""


def rate_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    """Return n, recovered, rate and interval of a row as table cells."""
    if row is None:
        return [0, None, None, None, None]
    if row["suppressed"]:
        return [meta.hidden, *["not shown"] * 4]
    return [row["n"], row["recovered"], whole(row["rate"]), whole(row["rate_low"]), whole(row["rate_high"])]


def dot_row(row: Row | None, label: str, note: str, network: Row | None, meta: SiteMeta) -> recovery_dot.RateRow:
    """Return a row of the dot chart."""
    get = row or {}
    return {
        "label": label,
        "note": note,
        "rate": get.get("rate"),
        "rate_low": get.get("rate_low"),
        "rate_high": get.get("rate_high"),
        "n": get.get("n"),
        "network": network["rate"] if network else None,
        "words": rate_words(row, meta),
    }
