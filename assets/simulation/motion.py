"""Range of motion: what each joint motion reads at each attended visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.contract.model import Better
from assets.simulation import parameters as p
from assets.simulation.care import DAYS_PER_WEEK
from assets.simulation.draws import happens
from assets.simulation.people import LEFT, NO_SIDE, RIGHT

if TYPE_CHECKING:
    from numpy.random import Generator

    from assets.contract.model import Bounds, Measure
    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Floats, Integers
    from assets.simulation.people import Episodes
    from assets.simulation.visits import Visits

HUNDREDTHS = 100
WHOLE_DEGREES = 100
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one measure on one side: ``visit`` positions and ``value`` in hundredths of the unit.

    ``side`` is LEFT, RIGHT or NO_SIDE. ``other_rater`` marks scores taken by a colleague (None for questionnaires).
    """

    measure_id: str
    side: int
    visit: Integers
    value: Integers
    other_rater: Flags | None = None


def draw_motion(rng: Generator, network: Network, episodes: Episodes, visits: Visits) -> tuple[list[Scores], Flags]:
    """Scores on record, and per visit whether the primary motion was within error of its reference.

    The second is true motion as it was or would have been measured, on record or not; False where nobody came.
    """
    count = len(visits.number)
    last_habit = np.array([c.motion_missing_last for c in network.clinics])[episodes.clinic[visits.episode]]
    session = happens(rng, p.MOTION_SESSION_SHARE, count) & ~(visits.last & happens(rng, last_habit, count))
    stature = rng.normal(0, 1, len(episodes.number))
    loss = np.clip(rng.normal(1, p.MOTION_DEFICIT_SD, len(episodes.number)), 0.2, 1.8)
    worse_direction = rng.integers(LEFT, NO_SIDE, len(episodes.number))
    restored = np.zeros(count, bool)
    scores: list[Scores] = []
    for position, model in enumerate(network.models):
        rows = np.flatnonzero(visits.attended & (episodes.condition[visits.episode] == position))
        joint = _Joint(rng, episodes, visits, rows, stature, loss, worse_direction)
        primary = _primary(network, position)
        within = np.ones(len(rows), bool)
        for measure_id, lost_share, how_often in model.motions:
            measure = network.contract.measure(measure_id)
            sides = (LEFT, RIGHT) if measure.sided else (NO_SIDE,)
            read = {side: joint.read(measure, lost_share, side) for side in sides}
            if measure_id in primary:
                within &= joint.within_error(measure, {side: value for side, (value, _) in read.items()})
            for side, (value, other) in read.items():
                kept = session[rows] & happens(rng, how_often, len(rows))
                scores.append(Scores(measure_id, side, rows[kept], value[kept], other[kept]))
        restored[rows] = within
    return scores, restored


def _primary(network: Network, position: int) -> tuple[str, ...]:
    wanted = network.conditions[position]
    return next(c.rom_measures for c in network.contract.conditions if c.condition_id == wanted)


def normal_value(measure: Measure) -> float:
    """Published normal value, or the simulator's own where the contract has none."""
    return measure.reference.value if measure.reference else p.NORMAL[measure.measure_id]


def span(measure: Measure) -> float:
    """What a share of lost motion refers to, in the unit of the measure."""
    return p.MOTION_SPAN.get(measure.measure_id, normal_value(measure))


def error(measure: Measure) -> float:
    """Standard error of one reading, in the unit of the measure."""
    return measure.mdc.value * p.ERROR_PER_MDC if measure.mdc else p.ERROR_WITHOUT_MDC * span(measure)


class _Joint:
    """Readings at the attended visits (``rows``) of the episodes of one condition."""

    def __init__(
        self,
        rng: Generator,
        episodes: Episodes,
        visits: Visits,
        rows: Integers,
        stature: Floats,
        loss: Floats,
        worse_direction: Integers,
    ) -> None:
        episode = visits.episode[rows]
        self._rng = rng
        self._side = episodes.side[episode]
        self._stature = stature[episode]
        self._worse_direction = worse_direction[episode]
        pain = np.clip(visits.pain[rows] / np.maximum(episodes.baseline[episode], 1), 0, 1)
        stiffness = np.exp(-visits.day[rows] / DAYS_PER_WEEK / p.MOTION_WEEKS)
        weight = p.MOTION_PAIN_WEIGHT
        self._remaining = loss[episode] * (weight * pain + (1 - weight) * stiffness)

    def read(self, measure: Measure, lost_share: float, side: int) -> tuple[Integers, Flags]:
        """Readings in hundredths of the unit, and which of them a colleague took."""
        count = len(self._remaining)
        other = happens(self._rng, p.OTHER_RATER_SHARE, count)
        noise = self._rng.standard_normal(count) * error(measure) * np.where(other, p.OTHER_RATER_ERROR, 1)
        healthy = normal_value(measure) + span(measure) * _towards(measure) * (
            p.MOTION_SURPLUS + p.MOTION_SD * self._stature
        )
        deficit = span(measure) * lost_share * self._affected(measure, side) * self._remaining
        value = healthy - _towards(measure) * deficit + noise
        step = WHOLE_DEGREES if measure.unit == "deg" else TENTHS
        hundredths = np.rint(value * (HUNDREDTHS / step)).astype(np.int64) * step
        return _clip(hundredths, measure.plausible or measure.possible), other

    def within_error(self, measure: Measure, read: dict[int, Integers]) -> Flags:
        """Whether readings reach the reference minus the MDC: the opposite side, else the published normal value."""
        allowed = round((measure.mdc.value if measure.mdc else 0.0) * HUNDREDTHS)
        if measure.sided:
            left = self._side == LEFT
            affected = np.where(left, read[LEFT], read[RIGHT])
            reference = np.where(left, read[RIGHT], read[LEFT])
            return affected >= reference - allowed
        return read[NO_SIDE] >= round(normal_value(measure) * HUNDREDTHS) - allowed

    def _affected(self, measure: Measure, side: int) -> Floats:
        """How much of the loss this side or direction carries, 0 to 1."""
        if measure.sided:
            return np.where((self._side == side) | (self._side == NO_SIDE), 1.0, 0.0)
        for name, direction in (("_left", LEFT), ("_right", RIGHT)):
            if measure.measure_id.endswith(name):
                return np.where(self._worse_direction == direction, 1.0, p.WEAKER_SIDE)
        return np.ones(len(self._side))


def _towards(measure: Measure) -> int:
    return 1 if measure.better is Better.HIGHER else -1


def _clip(hundredths: Integers, bounds: Bounds) -> Integers:
    return np.clip(hundredths, round(bounds.low * HUNDREDTHS), round(bounds.high * HUNDREDTHS))
