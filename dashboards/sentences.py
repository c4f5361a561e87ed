"""Sentences about one selection. No ranking, no word that claims an effect: tests read every page for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards.words import (
    ANY_CARE,
    ARROW,
    DASH,
    DOT,
    care_label,
    count,
    decimal,
    interval,
    listing,
    percent,
    plural,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

NOT_RANDOMISED = (
    "Patients were not assigned to treatments at random. A difference between patients with and without dry needling "
    "cannot show that needling caused it."
)
CURVE_DAYS = (28, 56, 84)


@dataclass(frozen=True, slots=True)
class Scope:
    """A selection: the clinic's label (None = all of ``clinics`` clinics) and the care."""

    clinic: str | None
    care: str
    clinics: int

    @property
    def words(self) -> str:
        """The selection inside a sentence."""
        where = f"at {self.clinic}" if self.clinic else f"across {plural(self.clinics, 'clinic')}"
        return where if self.care == ANY_CARE else f"{where}, {_inside(care_label(self.care))}"


def lead(row: Row | None, network: Row | None, scope: Scope, meta: SiteMeta) -> tuple[str, str]:
    """Return the headline and the rest of the first sentence."""
    if row is None:
        return "No episodes of care", f" {scope.words}."
    if row["suppressed"]:
        return (
            "Too few episodes to show",
            (
                f" {scope.words}: {meta.too_few}. Small groups are hidden so that no one can be recognised. "
                "Choose any care or the whole network."
            ),
        )
    if row["rate"] is None:
        return (
            "Recovery is not known for any episode",
            f" {scope.words}. The reasons stand below.",
        )
    sentence = (
        f" (95% CI {interval(row['rate_low'], row['rate_high'])}) {scope.words}: {count(row['recovered'])} of "
        f"{plural(row['n'], 'closed episode')} with a known outcome."
    )
    if scope.clinic and network and network["rate"] is not None:
        sentence += f" For all clinics together it is {percent(network['rate'])}."
    return f"{percent(row['rate'])} of episodes of care ended in recovery", sentence


def missing_notice(row: Row | None) -> str:
    """Warn where so many outcomes are unknown that the rate could be quite another; empty otherwise."""
    if row is None or row["rate"] is None or (whole(row["completeness"]) or 0) >= COMPLETENESS_TARGET_PERCENT:
        return ""
    return f"{missing_bounds(row)} Treat comparisons with care."


def missing_bounds(row: Row) -> str:
    """Say between what values the rate lies, whatever happened to the others."""
    return (
        f"Outcomes are known for {percent(row['completeness'])} of {plural(row['eligible'], 'closed episode')}. "
        f"If no episode with an unknown outcome had recovered the rate would be "
        f"{percent(row['rate_if_missing_none'])}; if all had, {percent(row['rate_if_missing_all'])}."
    )


def hidden_groups(rows: Sequence[Row | None], one: str, many: str, meta: SiteMeta) -> str:
    """Count the groups that are hidden; empty if none is."""
    hidden = sum(row is not None and bool(row["suppressed"]) for row in rows)
    return f" {plural(hidden, one, many)} not shown: {meta.too_few}." if hidden else ""


def curve(rows: Sequence[Row], scope: Scope, note: str = "") -> str:
    """Say how many had recovered at the planned weeks, and of whom if not of all; empty without a curve."""
    found = {row["day"]: row for row in rows if row["shown"] and not row["suppressed"]}
    points = [f"{percent(found[day]['recovered_share'])} by week {day // 7}" for day in CURVE_DAYS if day in found]
    start = max((row["from_day"] for row in rows), default=0)
    among = f", of those still in care and not recovered on day {start}" if start else ""
    return f"Recovered {scope.words}{among}: {listing(points)}.{note}" if points else ""


def pain(row: Row | None) -> tuple[str, str]:
    """Return number and explanation of the tile on pain."""
    if row is None or row["change_mean"] is None:
        return "", ""
    low, high = decimal(-row["change_high"]), decimal(-row["change_low"])
    ends = f"{decimal(row['baseline_mean'])} {ARROW} {decimal(row['last_mean'])} on the scale 0{DASH}10"
    return decimal(-row["change_mean"]), f"{ends} {DOT} 95% CI {low} to {high} {DOT} {plural(row['n'], 'episode')}"


def better(row: Row | None) -> tuple[str, str]:
    """Return number and explanation of the tile on responders; who got worse stands beside them."""
    if row is None or row["mcid_rate"] is None:
        return "", ""
    text = f"95% CI {interval(row['mcid_low'], row['mcid_high'])} {DOT} {plural(row['mcid_n'], 'episode')}"
    if row["deteriorated_rate"] is not None:
        text += f" {DOT} {percent(row['deteriorated_rate'])} got worse by 2 points or more"
    return percent(row["mcid_rate"]), text


def motion(row: Row | None) -> tuple[str, str]:
    """Return number and explanation of the tile on range of motion."""
    if row is None or row["last_percent"] is None:
        return "", ""
    first, last = whole(row["baseline_percent"] / 100), percent(row["last_percent"] / 100)
    return f"{first} {ARROW} {last}", f"of normal, first to last visit {DOT} {plural(row['n'], 'episode')}"


def _inside(label: str) -> str:
    """Return a label as it stands inside a sentence; names of arms keep their case."""
    return label[:1].lower() + label[1:] if label.startswith(("With ", "Without ")) else f"arm {label}"
