"""Sentences that several pages share. No ranking, no word that claims an effect: tests read every page for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards.words import ARROW, DASH, DOT, decimal, percent, plural, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

ALMOST = "\N{ALMOST EQUAL TO} "
NOT_RANDOMISED = (
    "Patients were not assigned to treatments at random. A difference between patients with and without dry needling "
    "cannot show that needling caused it."
)


def about(number: int | None, one: str) -> str:
    """``about 4,150 episodes``: published counts are rounded; without one, the noun alone."""
    return f"{one}s" if number is None else f"about {plural(number, one)}"


def rate_text(row: Row) -> str:
    """``54%``; with a sign before it where disclosure control made the rate from rounded parts."""
    return f"{ALMOST if row.get('approximate') else ''}{percent(row['rate'])}"


def missing_notice(row: Row | None) -> str:
    """Warn where so many outcomes are unknown that the rate could be quite another; empty otherwise."""
    if row is None or row["rate"] is None or not is_below_target(row):
        return ""
    return f"{missing_bounds(row)} Treat comparisons with care."


def is_below_target(row: Row) -> bool:
    """Whether too few outcomes are known; a share that is not published is not judged."""
    known = whole(row["completeness"])
    return known is not None and known < COMPLETENESS_TARGET_PERCENT


def missing_bounds(row: Row) -> str:
    """Say between what values the rate lies, whatever happened to the others."""
    known = f"Outcomes are known for {percent(row['completeness'])} of {about(row['eligible'], 'closed episode')}."
    if row["rate_if_missing_none"] is None or row["rate_if_missing_all"] is None:
        return known
    return (
        f"{known} If no episode with an unknown outcome had recovered the rate would be "
        f"{percent(row['rate_if_missing_none'])}; if all had, {percent(row['rate_if_missing_all'])}."
    )


def hidden_groups(rows: Sequence[Row | None], one: str, many: str, meta: SiteMeta) -> str:
    """Count the groups that are hidden; empty if none is."""
    hidden = sum(row is not None and bool(row["suppressed"]) for row in rows)
    return f" {plural(hidden, one, many)} not shown: {meta.too_few}." if hidden else ""


def pain(row: Row | None) -> tuple[str, str]:
    """Return number and explanation of the tile on pain."""
    if row is None or row["change_mean"] is None:
        return "", ""
    ends = f"{decimal(row['baseline_mean'])} {ARROW} {decimal(row['last_mean'])} on the scale 0{DASH}10"
    low, high = row["change_low"], row["change_high"]
    error = "" if low is None or high is None else f" {DOT} 95% CI {fall(high)} to {fall(low)}"
    return fall(row["change_mean"]), f"{ends}{error} {DOT} {about(row['n'], 'episode')}"


def fall(change: float) -> str:
    """Return a change for the better as the change of the score: pain falls."""
    return decimal(-change)
