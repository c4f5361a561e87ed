"""Sentences of the page on recovery. Comparison words follow one rule: the zone of the funnel, where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words
from dashboards.sentences import about, fall, is_below_target, missing_bounds, rate_text
from dashboards.words import (
    ANY_CARE,
    ARROW,
    DASH,
    DOT,
    ROUTINE_CARE,
    across,
    care_label,
    decimal,
    interval,
    listing,
    percent,
    rounded,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

NOT_SHOWN, NOT_REACHED = "Not shown", "Not reached"
CURVE_DAYS = (28, 56, 84)
ALL_YEARS = "all"
VERDICTS = {
    "above": "That is above the {network} of all clinics: outside the 99.8% limits for a clinic of this size{by}.",
    "below": "That is below the {network} of all clinics: outside the 99.8% limits for a clinic of this size{by}.",
    "possibly_above": (
        "That is possibly above the {network} of all clinics: between the 95% and the 99.8% limits for a clinic of "
        "this size{by}."
    ),
    "possibly_below": (
        "That is possibly below the {network} of all clinics: between the 95% and the 99.8% limits for a clinic of "
        "this size{by}."
    ),
    clinic_words.AS_EXPECTED: (
        "That is not clearly different from the {network} of all clinics: within the 95% limits for a clinic of this "
        "size{by}."
    ),
}
"""Zone of the funnel -> the sentence about it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A selection in words: the clinic's label (None = all of ``clinics``), the condition's name within a sentence."""

    clinic: str | None
    clinics: int | None
    condition: str | None = None
    period: str = ALL_YEARS
    care: str = ANY_CARE

    @property
    def where(self) -> str:
        """Whose patients."""
        return f"at {self.clinic}" if self.clinic else across(self.clinics)

    @property
    def words(self) -> str:
        """The selection inside a sentence; what is not narrowed is not named."""
        parts = [] if self.condition is None else [self.condition]
        parts += [] if self.period == ALL_YEARS else [f"first visit in {self.period}"]
        parts += [] if self.care == ANY_CARE else [inside(care_label(self.care))]
        return f"{self.where}: {', '.join(parts)}" if parts else self.where

    @property
    def wider(self) -> str:
        """What a reader can choose to see more patients."""
        ways = ["all years"] if self.period != ALL_YEARS else []
        ways += ["all conditions"] if self.condition else []
        ways += ["any care"] if self.care != ANY_CARE else []
        ways += ["all clinics"] if self.clinic else []
        *head, last = ways or [""]
        return f"{', '.join(head)} or {last}" if head else last


def inside(label: str) -> str:
    """Return a kind of care as it stands inside a sentence; names of arms keep their case."""
    return label[:1].lower() + label[1:] if label in ROUTINE_CARE.values() else f"arm {label}"


def lead(row: Row | None, scope: Scope, meta: SiteMeta) -> tuple[str, str]:
    """Return the headline and the rest of the first sentence."""
    if row is None:
        return "No episodes of care", f" {scope.words}."
    if row["suppressed"]:
        return "Too few episodes to show", f" {scope.words}."
    if row["rate"] is None:
        if row["n"] is None:
            return "Too few known outcomes to show", f" {scope.words}: {meta.too_few}."
        return "Recovery is not known for any episode", f" {scope.words}. The reasons stand below."
    ends = _between(row, "rate_low", "rate_high", " (", ")")
    approximately = "About " if row.get("approximate") else ""
    return (
        f"{approximately}{percent(row['rate'])} of episodes of care ended in recovery",
        f"{ends} {scope.words}; {about(row['n'], 'closed episode')} with a known outcome.",
    )


def _between(row: Row, low: str, high: str, before: str, after: str) -> str:
    """Return an interval with what stands around it; nothing where an end is not shown."""
    if row[low] is None or row[high] is None:
        return ""
    return f"{before}95% CI {interval(row[low], row[high])}{after}"


def few(row: Row | None, scope: Scope, meta: SiteMeta) -> str:
    """What stands in the box of a selection that is hidden as a whole; empty for others."""
    if row is None or not row["suppressed"]:
        return ""
    choose = f" Choose {scope.wider}." if scope.wider else ""
    size = meta.too_few[:1].upper() + meta.too_few[1:]
    return f"{size}. Small groups are hidden so that no one can be recognised.{choose}"


def comparison(row: Row | None, network: Row | None, funnel: Row | None, scope: Scope, meta: SiteMeta) -> str:
    """Say where a clinic lies beside all clinics, by the zone of the funnel; else only how many recovered in all.

    The funnel is of any care and all years.
    """
    if scope.clinic is None or row is None or row["rate"] is None or network is None or network["rate"] is None:
        return ""
    everywhere = f"Across all clinics it is {percent(network['rate'])}"
    if funnel is None:
        return f" {everywhere}."
    if scope.care != ANY_CARE or scope.period != ALL_YEARS:
        return f" {everywhere}; whether clinics differ is judged for any care and all years together."
    if funnel["suppressed"] or funnel["zone"] not in VERDICTS:
        reason = clinic_words.not_compared(funnel, meta)
        return f" {everywhere}. The clinic is not compared: {reason}."
    by = ", which allow for the usual variation between clinics" if funnel["is_widened"] else ""
    return f" {VERDICTS[funnel['zone']].format(network=percent(funnel['network']), by=by)}"


def badge(funnel: Row | None, scope: Scope) -> str:
    """The zone in a word, for the tile; empty where there is none."""
    if scope.clinic is None or scope.care != ANY_CARE or scope.period != ALL_YEARS:
        return ""
    if funnel is None or funnel["suppressed"] or funnel["zone"] not in VERDICTS:
        return ""
    beside = "" if funnel["zone"] == clinic_words.AS_EXPECTED else " the network"
    return f" {DOT} {clinic_words.zone_words(funnel['zone'])}{beside}"


def recovered(row: Row, funnel: Row | None, scope: Scope) -> tuple[str, str]:
    """Return number and explanation of the tile on recovery."""
    ends = _between(row, "rate_low", "rate_high", "", f" {DOT} ")
    return rate_text(row), f"{ends}{about(row['n'], 'episode')}{badge(funnel, scope)}"


def known(row: Row) -> tuple[str, str]:
    """Return number and explanation of the tile on known outcomes, with the bounds."""
    text = f"of {about(row['eligible'], 'closed episode')} {DOT} target {COMPLETENESS_TARGET_PERCENT}%"
    if row["rate_if_missing_none"] is not None and row["rate_if_missing_all"] is not None:
        ends = interval(row["rate_if_missing_none"], row["rate_if_missing_all"])
        text += f" {DOT} recovered {ends} if none or all of the others had"
    below = "\N{BLACK DOWN-POINTING TRIANGLE} Below target, "
    return percent(row["completeness"]), f"{below}{text}" if is_below_target(row) else text


def median(row: Row | None, scope: Scope) -> tuple[str, str, str]:
    """Return number, unit and explanation of the tile on time to recovery."""
    if scope.period != ALL_YEARS:
        return NOT_SHOWN, "", "Computed for all years together: choose all years."
    if row is None:
        if scope.clinic and scope.care != ANY_CARE:
            return NOT_SHOWN, "", "By care received it is computed for all clinics together."
        return NOT_SHOWN, "", "No episode has a pain score to start from, or too few have."
    if row["suppressed"]:
        return NOT_SHOWN, "", "Too few patients to follow."
    among = f" {DOT} of those not recovered on day {row['from_day']}" if row["from_day"] else ""
    if row["median_day"] is None:
        return NOT_REACHED, "", f"{_not_half(row)}{among}"
    return weeks(row["median_day"]), "weeks", f"{time_interval(row)} {DOT} {about(row['n'], 'episode')}{among}"


def weeks(day: float | None) -> str:
    """Days as weeks with one decimal."""
    return DASH if day is None else decimal(day / 7)


def time_interval(row: Row) -> str:
    """The interval of a median, with what is not known of it."""
    low, high = row["median_low"], row["median_high"]
    if high is None:
        return f"95% CI from {weeks(low)} weeks, upper end not reached" if low is not None else "95% CI not reached"
    return f"95% CI {weeks(low)} to {weeks(high)} weeks"


def _not_half(row: Row) -> str:
    """Say how far recovery came where half was not reached; the share at week 12, else the last that is known."""
    for day in reversed(CURVE_DAYS):
        if row[f"recovered_share_{day}"] is not None:
            return f"Fewer than half had recovered while enough were followed: {_by_week(row, day)}"
    return "Fewer than half had recovered while enough were followed"


def _by_week(row: Row, day: int) -> str:
    return f"{percent(row[f'recovered_share_{day}'])} by week {day // 7}"


def not_reached(row: Row) -> str:
    """The same, in the row of a chart."""
    day = next((day for day in reversed(CURVE_DAYS) if row[f"recovered_share_{day}"] is not None), None)
    return NOT_REACHED if day is None else f"{NOT_REACHED}: {_by_week(row, day)}"


def time_sentence(row: Row | None, scope: Scope, meta: SiteMeta) -> str:
    """Say when half had recovered."""
    if row is None or row["suppressed"]:
        return f"No time to recovery is shown {scope.words} (all years): {meta.too_few_patients} can be followed."
    among = f", of those still in care and not recovered on day {row['from_day']}" if row["from_day"] else ""
    if row["median_day"] is None:
        return f"{_not_half(row)}, {scope.words} (all years){among}."
    by_week = f"by week {weeks(row['median_day'])} ({time_interval(row)})"
    return f"Half of the patients {scope.words} (all years){among} had recovered {by_week}."


def better(row: Row | None) -> tuple[str, str]:
    """Return number and explanation of the tile on responders; who got worse stands beside them."""
    if row is None or row["mcid_rate"] is None:
        return "", ""
    ends = _between(row, "mcid_low", "mcid_high", "", f" {DOT} ")
    text = f"{ends}{about(row['mcid_n'], 'episode')}"
    if row["deteriorated_rate"] is not None:
        text += f" {DOT} {percent(row['deteriorated_rate'])} got worse by 2 points or more"
    return percent(row["mcid_rate"]), text


def motion(row: Row | None) -> tuple[str, str]:
    """Return number and explanation of the tile on range of motion."""
    ends = _motion_ends(row)
    if row is None or ends is None:
        return "", ""
    return f"{ends[0]} {ARROW} {ends[1]}%", f"of normal, first to last visit {DOT} {about(row['n'], 'episode')}"


def _motion_ends(row: Row | None) -> tuple[int | None, int | None] | None:
    """Both means in whole percent of normal; None unless both are shown."""
    if row is None or row["baseline_percent"] is None or row["last_percent"] is None:
        return None
    return whole(row["baseline_percent"] / 100), whole(row["last_percent"] / 100)


def pain_sentence(row: Row | None, scope: Scope) -> str:
    """Say how far pain fell, of the patients with both scores."""
    if row is None or row["change_mean"] is None:
        return f"No change in pain can be shown {scope.words}."
    low, high = row["change_low"], row["change_high"]
    error = "" if low is None or high is None else f" (95% CI of the change {fall(high)} to {fall(low)})"
    ends = f"{decimal(row['baseline_mean'])} to {decimal(row['last_mean'])} of 10"
    said = f"Pain went from {ends}{error} {scope.words}."
    if row["mcid_rate"] is not None:
        said += f" {percent(row['mcid_rate'])} had at least the smallest change that patients call important."
    return said


def motion_sentence(row: Row | None, scope: Scope) -> str:
    """Say how far motion returned."""
    ends = _motion_ends(row)
    if ends is None:
        return f"No range of motion can be shown {scope.words}."
    return f"Range of motion went from {ends[0]}% to {ends[1]}% of normal {scope.words}."


def curve(rows: Sequence[Row], scope: Scope, note: str = "") -> str:
    """Say how many had recovered at the planned weeks, and of whom if not of all; empty without a curve."""
    found = {row["day"]: row for row in rows if row["shown"] and not row["suppressed"]}
    points = [f"{percent(found[day]['recovered_share'])} by week {day // 7}" for day in CURVE_DAYS if day in found]
    start = max((row["from_day"] for row in rows), default=0)
    among = f", of those still in care and not recovered on day {start}" if start else ""
    return f"Recovered {scope.words} (all years){among}: {listing(points)}.{note}" if points else ""


def population(label: str, row: Row | None, condition: str, meta: SiteMeta) -> str:
    """Say how many of a group of patients recovered, in the whole network."""
    of = f"{label}, {condition}, all clinics, all years, any care"
    if row is None or row["suppressed"]:
        reason = meta.too_few if row is not None else "no episodes"
        return f"{of}: {reason}."
    if row["rate"] is None:
        return f"{of}: {meta.too_few if row['n'] is None else 'no known outcome'}."
    ends = _between(row, "rate_low", "rate_high", " (", ")")
    bounds = f" {missing_bounds(row)}" if row["completeness"] is not None else ""
    return (
        f"{of}: {percent(row['rate'])}{ends} of {about(row['n'], 'closed episode')} with a known outcome ended in "
        f"recovery.{bounds}"
    )


def in_weeks(day: float | None) -> float | None:
    """Days as weeks, for the place of a mark."""
    return None if day is None else rounded(day / 7)
