"""What was done at each visit, and what followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.simulation import parameters as p
from assets.simulation.draws import happens, pick
from assets.simulation.people import NO, YES
from assets.simulation.visits import FOLLOW_UP

if TYPE_CHECKING:
    from numpy.random import Generator

    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Integers
    from assets.simulation.people import Episodes
    from assets.simulation.visits import Visits

CLASSES = (*p.OTHER_CARE, "dry_needling")
NEEDLING = len(p.OTHER_CARE)
TWITCH = ("no", "yes", "not_recorded")
TWITCH_NOT_RECORDED, NOT_APPLICABLE = 2, -1
EVENTS = (*p.MINOR_EVENTS, *p.MAJOR_EVENTS)


@dataclass(frozen=True, slots=True)
class Treatments:
    """One entry per treatment, ordered by visit position; needling columns are -1 for other classes."""

    visit: Integers
    treatment: Integers
    minutes: Integers
    needles: Integers
    muscles: Integers
    technique: Integers
    twitch: Integers


@dataclass(frozen=True, slots=True)
class Events:
    """One entry per adverse event on record, ordered by visit position.

    ``true_minor`` marks, per visit, that a minor event happened, on record or not.
    """

    visit: Integers
    event: Integers
    major: Flags
    hours: Integers
    resolved: Integers
    related: Integers
    true_minor: Flags


def draw_treatments(rng: Generator, network: Network, episodes: Episodes, visits: Visits) -> Treatments:
    """Draw the treatments of every attended visit in care; at least one each."""
    in_care = visits.attended & (visits.kind != FOLLOW_UP)
    count = len(visits.number)
    given = np.zeros((count, len(CLASSES)), bool)
    for column, share in enumerate(p.OTHER_CARE.values()):
        given[:, column] = in_care & happens(rng, share, count)
    given[:, NEEDLING] = visits.needled
    given[:, CLASSES.index(p.FALLBACK_CARE)] |= in_care & ~given.any(axis=1)
    visit, treatment = np.nonzero(given)
    needling = treatment == NEEDLING
    rows = len(visit)
    seen = np.array([c.twitch_recorded for c in network.clinics])[episodes.clinic[visits.episode[visit]]]
    twitch = np.where(
        happens(rng, seen, rows), np.where(happens(rng, p.TWITCH_SHARE, rows), YES, NO), TWITCH_NOT_RECORDED
    )
    return Treatments(
        visit=visit,
        treatment=treatment,
        minutes=np.where(needling, rng.integers(*p.NEEDLING_MINUTES, rows), rng.integers(*p.CARE_MINUTES, rows)),
        needles=np.where(needling, rng.integers(*p.NEEDLES, rows), NOT_APPLICABLE),
        muscles=np.where(needling, rng.integers(*p.MUSCLES, rows), NOT_APPLICABLE),
        technique=np.where(needling, pick(rng, p.TECHNIQUE.values(), rows), NOT_APPLICABLE),
        twitch=np.where(needling, twitch, NOT_APPLICABLE),
    )


def draw_events(rng: Generator, network: Network, episodes: Episodes, visits: Visits) -> Events:
    """Draw adverse events: the true rate is the same everywhere, what reaches the record is not."""
    count = len(visits.number)
    in_care = visits.attended & (visits.kind != FOLLOW_UP)
    true_minor = in_care & happens(rng, np.where(visits.needled, p.EVENT_SHARE, p.EVENT_SHARE_WITHOUT_NEEDLING), count)
    major = visits.needled & happens(rng, p.MAJOR_SHARE, count)
    habit = np.array([c.event_recording for c in network.clinics])[episodes.clinic[visits.episode]] / p.EVENT_SHARE
    asked = visits.asked == YES
    kept = asked & (major | (true_minor & happens(rng, habit, count)))
    visit = np.flatnonzero(kept)
    rows = len(visit)
    minor_event = np.where(
        visits.needled[visit],
        pick(rng, p.MINOR_EVENTS.values(), rows),
        np.array([EVENTS.index(name) for name in p.GENTLE_EVENTS])[pick(rng, p.GENTLE_EVENTS.values(), rows)],
    )
    major_event = len(p.MINOR_EVENTS) + pick(rng, p.MAJOR_EVENTS.values(), rows)
    return Events(
        visit=visit,
        event=np.where(major[visit], major_event, minor_event),
        major=major[visit],
        hours=np.array(tuple(p.EVENT_HOURS))[pick(rng, p.EVENT_HOURS.values(), rows)],
        resolved=pick(rng, p.RESOLVED.values(), rows),
        related=pick(rng, p.RELATED.values(), rows),
        true_minor=true_minor,
    )
