"""Visits of an episode: when they happen, how pain stands at each, how the episode ends and what is never recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.simulation import parameters as p
from assets.simulation.draws import chance, happens, nprs, pick
from assets.simulation.people import ACUTE, SUBACUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator

    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Floats, Integers
    from assets.simulation.models import ConditionModel
    from assets.simulation.people import Episodes

NEVER = 10**6
DAYS_PER_WEEK = 7
LOW_PAIN = 1
REASONS = tuple(dict.fromkeys([*p.GOOD_REASONS, *p.POOR_REASONS, *p.LOST_REASONS, "still_open"]))
STILL_OPEN = REASONS.index("still_open")


@dataclass(frozen=True, slots=True)
class Care:
    """Care of a block: arrays (episode,) or (episode, visit).

    ``day`` counts from the first visit; ``happened`` marks visits on record (planned within the data period),
    ``attended`` those that took place, ``scored`` those at which pain was asked. ``pain`` is true pain in points,
    ``pain_without`` the same had the episode never been needled, ``score`` what the patient says. ``last`` is the
    final visit in care, ``needled_from`` the first visit with needling (NEVER for none). ``missing`` marks closed
    episodes whose discharge score is not on record, ``final_score`` the score it would have been.
    """

    day: Integers
    happened: Flags
    attended: Flags
    scored: Flags
    pain: Floats
    pain_without: Floats
    score: Integers
    last: Integers
    needled_from: Integers
    closed: Flags
    lost: Flags
    missing: Flags
    final_score: Integers
    discharge_day: Integers
    reason: Integers
    follow_up_day: Integers


def true_pain(network: Network, episodes: Episodes, day: Integers, needled_day: Integers) -> tuple[Floats, Floats]:
    """True pain (points) at each ``day`` (episode, visit), with the needling received and without it.

    Natural course scaled to the patient's baseline, plus active care, plus what patient and clinic add, plus the
    planted needling effect from ``needled_day`` (episode,) on.
    """
    weeks = day / DAYS_PER_WEEK
    share = np.empty_like(weeks)
    for position, model in enumerate(network.models):
        mine = episodes.condition == position
        for duration in range(len(p.DURATION)):
            rows = np.flatnonzero(mine & (episodes.duration == duration))
            share[rows] = natural_share(model, duration, weeks[rows])
    care = np.array([m.care_points for m in network.models])[episodes.condition]
    unfolded = 1 - np.exp(-weeks / p.RESPONSE_WEEKS)
    without = episodes.baseline[:, None] * share + (care + episodes.response)[:, None] * unfolded
    effect = np.array([m.needling_points for m in network.models])[episodes.condition]
    since = np.maximum(weeks - (needled_day / DAYS_PER_WEEK)[:, None], 0)
    return without + effect[:, None] * (1 - np.exp(-since / p.NEEDLING_WEEKS)), without


def natural_share(model: ConditionModel, duration: int, weeks: Floats) -> Floats:
    """Pain as a share of baseline; subacute lies half way between acute and persistent."""
    if duration == ACUTE:
        return model.acute.share(weeks)
    if duration == SUBACUTE:
        return (model.acute.share(weeks) + p.PERSISTENT_LOW_BACK.share(weeks)) / 2
    return p.PERSISTENT_LOW_BACK.share(weeks)


def draw_care(rng: Generator, network: Network, episodes: Episodes) -> Care:
    """Draw the visits of every episode."""
    count, most = len(episodes.number), p.CARE_VISITS
    visit = np.arange(most)
    gaps = np.where(
        visit <= p.EARLY_VISITS,
        rng.integers(*p.EARLY_GAP_DAYS, (count, most)),
        rng.integers(*p.LATER_GAP_DAYS, (count, most)),
    )
    gaps[:, 0] = 0
    day = np.cumsum(gaps, axis=1)
    attended = rng.random((count, most), dtype=np.float32) >= p.ABSENT_SHARE
    attended[:, 0] = True

    may_start = attended & (visit >= episodes.planned_start[:, None]) & (episodes.planned_start >= 0)[:, None]
    needled_from = np.where(may_start.any(axis=1), may_start.argmax(axis=1), NEVER)
    needled_day = np.where(needled_from < NEVER, day[np.arange(count), needled_from % most], NEVER)
    pain, without = true_pain(network, episodes, day, needled_day)
    score = nprs(pain + rng.normal(0, p.PAIN_SEM, pain.shape))

    last = _last_visit(rng, score)
    final = np.arange(count), last
    closed = episodes.start_day + day[final] <= p.PERIOD_DAYS
    missing = closed & happens(rng, missing_chance(network, episodes.clinic, score[final]), count)
    lost = missing & happens(rng, p.LOST_SHARE, count)
    discharge_day = day[final] + np.where(lost, rng.integers(*p.LOST_GAP_DAYS, count), 0)
    closed &= episodes.start_day + discharge_day <= p.PERIOD_DAYS
    lost &= closed
    missing &= closed
    attended[final] = ~lost
    happened = (visit <= last[:, None]) & (episodes.start_day[:, None] + day <= p.PERIOD_DAYS)
    unscored = (missing & ~lost)[:, None] & (day >= discharge_day[:, None] - p.DISCHARGE_WINDOW_DAYS) & (visit > 0)
    follow_up_day = discharge_day + rng.integers(*p.FOLLOW_UP_DAYS, count)
    followed = (
        closed & ~lost & happens(rng, p.FOLLOW_UP_SHARE, count) & (episodes.start_day + follow_up_day <= p.PERIOD_DAYS)
    )
    return Care(
        day=day,
        happened=happened,
        attended=attended & happened,
        scored=~unscored,
        pain=pain,
        pain_without=without,
        score=score,
        last=last,
        needled_from=needled_from,
        closed=closed,
        lost=lost,
        missing=missing,
        final_score=score[final],
        discharge_day=discharge_day,
        reason=_reasons(rng, score[final], lost, closed),
        follow_up_day=np.where(followed, follow_up_day, -1),
    )


def missing_chance(network: Network, clinic: Integers, final_score: Integers) -> Floats:
    """Probability that the discharge score is not recorded, by the clinic's habit and the score itself."""
    share = np.array([c.missing for c in network.clinics])[clinic]
    slope = np.array([c.missing_slope for c in network.clinics])[clinic]
    return chance(np.log(share / (1 - share)) + slope * (final_score - p.MISSING_CENTRE))


def _last_visit(rng: Generator, score: Integers) -> Integers:
    """Final visit in care: as planned, or one after two low scores in a row for most who are well."""
    count, most = score.shape
    visits = np.clip(np.rint(rng.normal(p.VISITS_MEAN, p.VISITS_SD, count)), p.FEWEST_VISITS, most)
    planned: Integers = visits.astype(np.int64) - 1
    low = score <= LOW_PAIN
    well = np.zeros_like(low)
    well[:, p.EARLIEST_LEAVE :] = low[:, p.EARLIEST_LEAVE :] & low[:, p.EARLIEST_LEAVE - 1 : -1]
    leaves = well.any(axis=1) & happens(rng, p.GOALS_MET_LEAVE, count)
    return np.where(leaves, np.minimum(planned, well.argmax(axis=1) + 1), planned).astype(np.int64)


def _reasons(rng: Generator, final_score: Integers, lost: Flags, closed: Flags) -> Integers:
    def drawn(shares: Mapping[str, float]) -> Integers:
        return np.array([REASONS.index(name) for name in shares])[pick(rng, shares.values(), len(final_score))]

    good, poor, gone = drawn(p.GOOD_REASONS), drawn(p.POOR_REASONS), drawn(p.LOST_REASONS)
    reason: Integers = np.where(lost, gone, np.where(final_score <= p.GOOD_LAST_PAIN, good, poor))
    reason[~closed] = STILL_OPEN
    return reason
