"""Who truly recovered: the contract's default definition on what would be on record had nothing been missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assets.contract.definitions import BASELINE_MUST_EXCEED_POINTS
from assets.simulation.visits import DISCHARGE, FOLLOW_UP

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.simulation.block import Block
    from assets.simulation.course import Flags

NOT_RUNNING = -1


def eligible(block: Block) -> Flags:
    """Episodes (episode,) that are closed and began with enough pain to recover from."""
    return block.care.closed & (block.care.score[:, 0] > BASELINE_MUST_EXCEED_POINTS)


def recovered(block: Block, contract: Contract) -> Flags:
    """Whether each episode recovered, from the scores of all visits that took place, recorded or not.

    Pain at most the threshold on two occasions far enough apart with none above between, or at the discharge visit;
    and primary motion within error of its reference at the last attended visit in care.
    """
    definition = contract.default_definition
    care, visits = block.care, block.visits
    low = care.score <= definition.pain_at_most
    running = np.full(len(care.last), NOT_RUNNING)
    relieved = np.zeros(len(care.last), bool)
    for place in range(low.shape[1]):
        attended = care.attended[:, place]
        good = attended & low[:, place]
        running = np.where(good & (running == NOT_RUNNING), care.day[:, place], running)
        running = np.where(attended & ~low[:, place], NOT_RUNNING, running)
        relieved |= good & (care.day[:, place] - running >= definition.sustained_days)
    discharge = np.flatnonzero(visits.kind == DISCHARGE)
    relieved[visits.episode[discharge]] |= visits.score[discharge] <= definition.pain_at_most
    restored = np.zeros(len(care.last), bool)
    seen = np.flatnonzero(visits.attended & (visits.kind != FOLLOW_UP))
    restored[visits.episode[seen]] = block.restored[seen]  # visits are in order: the last one stays
    return relieved & restored
