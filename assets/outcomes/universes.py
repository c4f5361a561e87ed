"""Names of the groups that are counted in more than one table.

Two columns that count the same people name the same universe, so that disclosure control hides, or prints, the same
number of them everywhere; it refuses frames in which they differ. Places (condition, clinic, care, period) come beside
the name, see ``assets.privacy.disclosure.layout``.
"""

from __future__ import annotations

from assets.contract import CONTRACT
from assets.contract.definitions import DETERIORATION
from assets.contract.model import Occasion
from assets.privacy.disclosure.layout import Count

PAIN_CHANGE = "pain_change"
"""``outcome_id`` of the mean change in pain beside the recovery definitions."""

EPISODES, CLOSED, ELIGIBLE = "episodes", "closed", "eligible"
"""All; those that have ended; of these all but those with too little pain at first to recover from it."""
MCID_ROOM, MCID_RESPONDERS = "mcid_room", "mcid_responders"
"""Episodes with pain at both ends and room for the smallest important change; those that reached it."""
FIRST_CLOSED = "first_closed"
"""Closed episodes of routine care, the first of each patient."""


def _known_alike() -> dict[str, str]:
    """Recovery definition -> the first that knows the outcome of the same episodes: they look at the same scores."""
    first: dict[tuple[str, bool], str] = {}
    alike = {}
    for item in sorted(CONTRACT.definitions, key=lambda item: not item.is_default):
        looks_at = (item.rom_rule, item.occasion is Occasion.DISCHARGE)
        alike[item.definition_id] = first.setdefault(looks_at, item.definition_id)
    return alike


DEFAULT = CONTRACT.default_definition.definition_id
KNOWN_ALIKE = _known_alike()
ELIGIBLE_NAMES = {**dict.fromkeys(KNOWN_ALIKE, ELIGIBLE), PAIN_CHANGE: CLOSED}
KNOWN = f"known_{DEFAULT}"
"""Episodes whose outcome is known by the default definition."""
PAIRS = f"known_{PAIN_CHANGE}"
"""Closed episodes with pain at both ends."""
RECOVERED = f"recovered_{DEFAULT}"
DETERIORATED = Count("in_band", at={"band_id": DETERIORATION.rule_id})


def known_by(column: str, **at: None) -> Count:
    """Episodes whose outcome, named in a key column, is known; ``at`` takes keys away."""
    return Count("known_{}", by=(column,), names=KNOWN_ALIKE, at=at)


def eligible_by(column: str) -> Count:
    """Episodes whose outcome, named in a key column, could be known."""
    return Count("{}", by=(column,), names=ELIGIBLE_NAMES)


IF_ALL_RECOVERED = {"rate_if_missing_all": ({"recovered": 1, "eligible": 1, "n": -1}, "eligible")}
"""The share that is the recovered and the unknown together, among those whose outcome could be known."""
BY_MONTH = "by_month_"


def _nested() -> tuple[tuple[str, str], ...]:
    """Universes of which, at every place, the first is among the second.

    Who is known by a stricter definition is known by a weaker one too. That is not here: of a group of fewer than 11 it
    tells nothing (the larger one is shown only from 11 on), and hiding beside it took whole clinics off the pages.
    """
    return (
        *((f"known_{alike}", ELIGIBLE) for alike in dict.fromkeys(KNOWN_ALIKE.values())),
        (ELIGIBLE, CLOSED),
        (CLOSED, EPISODES),
        *((f"captured_{stage}", CLOSED) for stage in ("baseline", "motion", "follow_up")),
        ("captured_discharge", "captured_baseline"),
        (PAIRS, "captured_discharge"),
        (MCID_ROOM, PAIRS),
        (MCID_RESPONDERS, MCID_ROOM),
        ("banded", PAIRS),
        ("worsened", "measured"),
        ("responders", "response_room"),
        ("needled_with_precaution", "with_precaution"),
        ("recorded_patients", "patients"),
        ("recorded_patients", "recorded_sessions"),
        ("event_patients", "event_sessions"),
        ("event_sessions", "events"),
        ("unasked_patients", "unasked_events"),
        *((f"{BY_MONTH}{who}", who) for who in (KNOWN, PAIRS, ELIGIBLE)),
    )


NESTED = _nested()
