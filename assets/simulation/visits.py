"""The visits of a block as one flat list, in the order a records system exports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.simulation import parameters as p
from assets.simulation.care import NEVER, true_pain
from assets.simulation.draws import happens, nprs

if TYPE_CHECKING:
    from numpy.random import Generator

    from assets.simulation.care import Care
    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Floats, Integers
    from assets.simulation.people import Episodes

KINDS = ("eval", "treat", "re_eval", "discharge", "follow_up")
EVAL, TREAT, RE_EVAL, DISCHARGE, FOLLOW_UP = range(5)
ATTENDANCE = ("attended", "cancelled", "no_show")
ATTENDED, CANCELLED, NO_SHOW = range(3)
SLOTS = 16
"""Visit numbers are episode number times this plus the visit's place; it exceeds the visits of any episode."""


@dataclass(frozen=True, slots=True)
class Visits:
    """One array entry per visit, ordered by ``number``. ``episode`` is a position in the block's episodes.

    ``place`` counts the planned visits of the episode from 0. ``needled`` marks visits with dry needling. ``asked``
    is a position in ("no", "yes", "unknown"): whether adverse events were asked for.
    """

    number: Integers
    episode: Integers
    place: Integers
    day: Integers
    kind: Integers
    attendance: Integers
    scored: Flags
    last: Flags
    pain: Floats
    score: Integers
    needled: Flags
    asked: Integers

    @property
    def attended(self) -> Flags:
        """Whether each visit took place."""
        attended: Flags = self.attendance == ATTENDED
        return attended


def draw_visits(rng: Generator, network: Network, episodes: Episodes, care: Care) -> Visits:
    """Flatten planned care and add follow-up visits after discharge."""
    episode, place = np.nonzero(care.happened)
    late = np.flatnonzero(care.follow_up_day >= 0)
    day = np.concatenate([care.day[episode, place], care.follow_up_day[late]])
    late_pain = _follow_up_pain(network, episodes, care)[late]
    pain = np.concatenate([care.pain[episode, place], late_pain])
    score = np.concatenate([care.score[episode, place], nprs(late_pain + rng.normal(0, p.PAIN_SEM, len(late)))])
    attended = np.concatenate([care.attended[episode, place], np.ones(len(late), bool)])
    scored = np.concatenate([care.scored[episode, place], np.ones(len(late), bool)])
    last = np.concatenate([place == care.last[episode], np.zeros(len(late), bool)])
    episode, place = np.concatenate([episode, late]), np.concatenate([place, np.full(len(late), p.CARE_VISITS)])

    order = np.argsort(episode * SLOTS + place, kind="stable")
    episode, place, day, attended, last = episode[order], place[order], day[order], attended[order], last[order]
    count = len(order)
    in_care = place < p.CARE_VISITS
    again = (place == care.needled_from[episode]) | happens(rng, p.NEEDLING_AGAIN, count)
    no_show = happens(rng, p.NO_SHOW_SHARE, count) | (last & care.lost[episode])
    return Visits(
        number=episodes.number[episode] * SLOTS + place,
        episode=episode,
        place=place,
        day=day,
        kind=_kinds(place, last & care.closed[episode] & attended),
        attendance=np.where(attended, ATTENDED, np.where(no_show, NO_SHOW, CANCELLED)),
        scored=scored[order],
        last=last,
        pain=pain[order],
        score=score[order],
        needled=attended & in_care & (place >= care.needled_from[episode]) & again,
        asked=_asked(rng, network, episodes.clinic[episode]),
    )


def _follow_up_pain(network: Network, episodes: Episodes, care: Care) -> Floats:
    count, most = care.day.shape
    needled_day = np.where(care.needled_from < NEVER, care.day[np.arange(count), care.needled_from % most], NEVER)
    return true_pain(network, episodes, care.follow_up_day[:, None].clip(0), needled_day)[0][:, 0]


def _kinds(place: Integers, discharged: Flags) -> Integers:
    kind = np.where(place % p.RE_EVALUATION_EVERY == 0, RE_EVAL, TREAT)
    kind[discharged] = DISCHARGE
    kind[place == 0] = EVAL
    kind[place == p.CARE_VISITS] = FOLLOW_UP
    return kind


def _asked(rng: Generator, network: Network, clinic: Integers) -> Integers:
    """Events asked for: 1 yes, else mostly 0 no, sometimes 2 unknown."""
    yes = happens(rng, np.array([c.asked for c in network.clinics])[clinic], len(clinic))
    return np.where(yes, 1, np.where(happens(rng, p.ASKED_UNKNOWN_SHARE, len(clinic)), 2, 0))
