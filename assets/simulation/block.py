"""One block of patients with everything that happens to them: the unit in which a network is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.simulation.care import draw_care
from assets.simulation.motion import draw_motion
from assets.simulation.people import draw_episodes, draw_patients
from assets.simulation.questionnaires import draw_questionnaires
from assets.simulation.treatments import draw_events, draw_treatments
from assets.simulation.visits import draw_visits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.simulation.care import Care
    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags
    from assets.simulation.motion import Scores
    from assets.simulation.people import Episodes, Patients
    from assets.simulation.treatments import Events, Treatments
    from assets.simulation.visits import Visits

BLOCK_PATIENTS = 10_000
"""Part of what a seed means: another size draws other patients. Bounds memory to about half a gigabyte."""


@dataclass(frozen=True, slots=True)
class Block:
    """Patients and all that belongs to them; ``restored`` says per visit whether primary motion was normal."""

    patients: Patients
    episodes: Episodes
    care: Care
    visits: Visits
    scores: list[Scores]
    restored: Flags
    treatments: Treatments
    events: Events


def draw_blocks(network: Network, patients: int) -> Iterator[Block]:
    """Draw ``patients`` patients block by block; each block has a random stream of its own."""
    for index, first in enumerate(range(0, patients, BLOCK_PATIENTS)):
        yield draw_block(network, index, first, min(BLOCK_PATIENTS, patients - first))


def draw_block(network: Network, index: int, first: int, count: int) -> Block:
    """Draw block ``index``: ``count`` patients numbered from ``first``."""
    rng = np.random.default_rng(np.random.SeedSequence(network.seed, spawn_key=(1, index)))
    patients = draw_patients(rng, network, first, count)
    episodes = draw_episodes(rng, network, patients)
    care = draw_care(rng, network, episodes)
    visits = draw_visits(rng, network, episodes, care)
    scores = draw_questionnaires(rng, network, episodes, visits)
    motion, restored = draw_motion(rng, network, episodes, visits)
    treatments = draw_treatments(rng, network, episodes, visits)
    events = draw_events(rng, network, episodes, visits)
    return Block(patients, episodes, care, visits, [*scores, *motion], restored, treatments, events)
