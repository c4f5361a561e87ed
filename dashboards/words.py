"""Numbers and codes as words. One function per kind of number, so that every page says it the same way."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from assets.contract.charts import MONTHS
from dashboards.markup import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.contract.model import Contract

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"
DOT = "\N{MIDDLE DOT}"

ANY_CARE = "any"
ROUTINE_CARE = {"dry_needling": "With dry needling", "other_care": "Without dry needling"}

STATUS = {
    "pass": "✓ Passed",
    "pass_with_violations": "✓ Passed, with exceptions",
    "warn": "! Warning",
    "fail": "✕ Failed",
    "error": "✕ Could not run",
    "not_applicable": f"{DASH} Not applicable",
}
SEVERITY = {"critical": "Sets rows aside", "warning": "Warns"}

_NAME_STAMP = re.compile(r"[-_. ]*\d{4}-?\d{2}-?\d{2}(T?\d{6}Z?)?")
"""The part of a delivery's name that says when it was taken."""
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}).*)?")


def whole(share: float | None) -> int | None:
    """Return a share of 1 as a whole percent, halves up."""
    return None if share is None else math.floor(share * 100 + 0.5)


def tenth(share: float | None) -> float | None:
    """Return a share of 1 in percent with one decimal, for the place of a mark."""
    return None if share is None else round(share * 100, 1)


def rounded(value: float | None, decimals: int = 1) -> float | None:
    """Return a value with the decimals it is shown with; never minus zero."""
    return None if value is None else round(value, decimals) + 0.0


def percent(share: float | None) -> str:
    """``0.643`` as ``64%``; a dash for nothing."""
    number = whole(share)
    return DASH if number is None else f"{number}%"


def count(number: int | None) -> str:
    """``5200`` as ``5,200``; a dash for nothing."""
    return DASH if number is None else f"{number:,}"


def decimal(value: float | None, decimals: int = 1) -> str:
    """Return a number with a true minus sign; a dash for nothing."""
    number = rounded(value, decimals)
    return DASH if number is None else f"{number:.{decimals}f}".replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    """Return an interval of shares as ``63 to 65%``."""
    return f"{whole(low)} to {whole(high)}%"


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 clinic``, ``12 clinics``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def across(clinics: int | None) -> str:
    """``across 12 clinics``; all of them where the reader is not told of the others (None)."""
    return "across all clinics" if clinics is None else f"across {plural(clinics, 'clinic')}"


def listing(items: Iterable[str]) -> str:
    """``a, b and c``."""
    *head, last = list(items) or [""]
    return f"{', '.join(head)} and {last}" if head else last


def stamp_text(stamp: str) -> str:
    """``2026-10-31`` as ``31 October 2026``; anything else as it is."""
    match = _ISO_DATE.fullmatch(stamp.strip())
    if not match or not 1 <= int(match[2]) <= len(MONTHS):
        return clean(stamp.strip())
    text = f"{int(match[3])} {MONTHS[int(match[2]) - 1]} {match[1]}"
    return f"{text}, {match[4]}" if match[4] and match[4] != "00:00" else text


def spoken(code: str) -> str:
    """Return a code as words: ``usual_care`` becomes ``Usual care``."""
    text = clean(code).replace("_", " ").strip()
    return text[:1].upper() + text[1:] if text else "Not stated"


def care_label(care: str) -> str:
    """What a value of ``care`` is called on a page; trial arms keep the name the profile gave them."""
    return "Any care" if care == ANY_CARE else ROUTINE_CARE.get(care, spoken(care))


def planned_label(day: int | None) -> str:
    """Return a planned follow-up time in words; null stands for the last comparable score."""
    if day is None:
        return "Last score"
    if day == 0:
        return "First visit"
    weeks = round(day / 7)
    return f"Week {weeks}" if weeks and abs(day - 7 * weeks) <= 1 else f"Day {day}"


def side_label(side: str | None) -> str:
    """Return the side of a score in words; null stands for all sides together."""
    return {None: "All sides", "none": "No side", "left": "Left", "right": "Right"}.get(side, spoken(side or ""))


def improvement_label(contract: Contract) -> str:
    """Name the smallest important change of the conditions' pain scales, from the contract."""
    scales = [contract.measure(condition.pain_measure) for condition in contract.conditions]
    changes = {(scale.mcid.value, scale.unit) for scale in scales if scale.mcid}
    if len(changes) == 1:
        value, unit = changes.pop()
        return f"Better by {value:g} {unit} or more"
    return "Better by the smallest important change or more"


def unknown_reason_label(reason: str) -> str:
    """Why an episode has no known outcome."""
    return UNKNOWN_REASONS.get(reason, spoken(reason))


UNKNOWN_REASONS = {
    "still_open": "Still in care",
    "baseline_too_low": "Pain at the first visit too low to recover from",
    "no_baseline": "No pain score at the first visit",
    "no_comparable_pair": "No later score on the same pain scale",
    "rom_not_measured": "Range of motion not measured",
}
"""Reasons in the order in which pages list them."""

OUTSIDE_THE_RATE = ("still_open", "baseline_too_low")
"""Reasons that take an episode out of the denominator; the others leave its outcome unknown."""


def source_name(label: str) -> str:
    """The source of a delivery: its name without the stamp in it, where something is left."""
    return _NAME_STAMP.sub("", label) or label
