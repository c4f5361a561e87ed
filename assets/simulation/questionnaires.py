"""Pain ratings and function questionnaires: what patients say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assets.contract.model import Better
from assets.simulation import parameters as p
from assets.simulation.draws import happens, nprs
from assets.simulation.motion import HUNDREDTHS, Scores
from assets.simulation.people import NO_SIDE
from assets.simulation.visits import DISCHARGE, EVAL, RE_EVAL

if TYPE_CHECKING:
    from numpy.random import Generator

    from assets.contract.model import Measure
    from assets.simulation.clinics import Network
    from assets.simulation.course import Floats, Integers
    from assets.simulation.people import Episodes
    from assets.simulation.visits import Visits


def draw_questionnaires(rng: Generator, network: Network, episodes: Episodes, visits: Visits) -> list[Scores]:
    """Primary pain at every visit where it is asked, other pain questions sometimes, function at (re-)evaluations."""
    condition = episodes.condition[visits.episode]
    scores: list[Scores] = []
    for position, (condition_id, model) in enumerate(zip(network.conditions, network.models, strict=True)):
        primary = _primary(network, condition_id)
        rows = np.flatnonzero(visits.attended & visits.scored & (condition == position))
        scores.append(Scores(primary, NO_SIDE, rows, visits.score[rows] * HUNDREDTHS))
        for measure_id, (offset, how_often) in p.PAIN_EXTRAS.items():
            if measure_id == primary:
                continue
            some = rows[happens(rng, how_often, len(rows))]
            said = nprs(visits.pain[some] + offset + rng.normal(0, p.PAIN_SEM, len(some)))
            scores.append(Scores(measure_id, NO_SIDE, some, said * HUNDREDTHS))
        formal = visits.attended & np.isin(visits.kind, (EVAL, RE_EVAL, DISCHARGE)) & (condition == position)
        rows = np.flatnonzero(formal)
        for measure_id in model.function:
            measure = network.contract.measure(measure_id)
            scores.append(Scores(measure_id, NO_SIDE, rows, _function(rng, measure, visits.pain[rows])))
        rows = np.flatnonzero(formal & (visits.kind != EVAL))
        scores.append(
            Scores("groc", NO_SIDE, rows, _change(rng, episodes.baseline[visits.episode[rows]], visits, rows))
        )
    return scores


def _primary(network: Network, condition_id: str) -> str:
    return next(c.pain_measure for c in network.contract.conditions if c.condition_id == condition_id)


def _function(rng: Generator, measure: Measure, pain: Floats) -> Integers:
    """Disability follows pain with noise; in hundredths, on the steps the instrument can take."""
    disability = np.clip(p.FUNCTION_PER_PAIN * pain / 10 + rng.normal(0, p.FUNCTION_SD, len(pain)), 0, 1)
    share = disability if measure.better is Better.LOWER else 1 - disability
    low, high = measure.possible.low, measure.possible.high
    steps = p.FUNCTION_STEPS.get(measure.measure_id, round(high - low))
    exact = low + np.rint(share * steps) * (high - low) / steps
    unit = HUNDREDTHS // 10**measure.decimals
    return np.asarray(np.rint(exact * HUNDREDTHS / unit) * unit, dtype=np.int64)


def _change(rng: Generator, baseline: Floats, visits: Visits, rows: Integers) -> Integers:
    """Global rating of change, -7 to 7: the share of pain gone, with noise."""
    gone = (baseline - visits.pain[rows]) / np.maximum(baseline, 1)
    rating = np.rint(p.CHANGE_MOST * gone + rng.normal(0, p.CHANGE_SD, len(rows)))
    return np.clip(rating, -p.CHANGE_MOST, p.CHANGE_MOST).astype(np.int64) * HUNDREDTHS
