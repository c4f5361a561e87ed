"""What the simulated network really holds, counted while it is made."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from assets.contract.definitions import LANDMARK_DAY
from assets.simulation.people import NO, YES
from assets.simulation.recovery import eligible, recovered
from assets.simulation.treatments import TWITCH_NOT_RECORDED
from assets.simulation.visits import FOLLOW_UP

if TYPE_CHECKING:
    from assets.simulation.block import Block
    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Floats, Integers

SCORES = 11  # 0 to 10


class Tally:
    """Running sums over blocks: by condition, by clinic, and closed episodes by clinic, final score and missing."""

    def __init__(self, network: Network) -> None:
        """Start at zero."""
        self._network = network
        self.by_condition: dict[str, Floats] = defaultdict(lambda: np.zeros(len(network.conditions)))
        self.by_clinic: dict[str, Floats] = defaultdict(lambda: np.zeros(len(network.clinics)))
        self.final_scores = np.zeros((len(network.clinics), SCORES, 2), dtype=np.int64)

    def add(self, block: Block) -> None:
        """Count one more block."""
        self._add_conditions(block)
        self._add_clinics(block)

    def _add_conditions(self, block: Block) -> None:
        episodes, care, visits = block.episodes, block.care, block.visits
        may, did = eligible(block), recovered(block, self._network.contract)
        count = len(care.last)
        final = np.arange(count), care.last
        by_landmark = np.zeros(count, bool)
        by_landmark[visits.episode[visits.needled & (visits.day <= LANDMARK_DAY)]] = True
        ever = np.zeros(count, bool)
        ever[visits.episode[visits.needled]] = True
        gain = np.clip(care.pain[final], 0, 10) - np.clip(care.pain_without[final], 0, 10)
        measured = care.closed & ever
        for name, value in {
            "episodes": np.ones(count),
            "closed": care.closed,
            "eligible": may,
            "recovered": may & did,
            "needled": ever,
            "needled_by_landmark": by_landmark,
            "needled_closed": measured,
            "needling_points_sum": np.where(measured, gain, 0.0),
        }.items():
            self.by_condition[name] += self._sums(episodes.condition, value, len(self._network.conditions))

    def _add_clinics(self, block: Block) -> None:
        episodes, care, visits = block.episodes, block.care, block.visits
        of_visit = episodes.clinic[visits.episode]
        session = visits.needled & (visits.asked == YES)
        reported = np.zeros(len(of_visit), bool)
        reported[block.events.visit] = True
        major = np.zeros(len(of_visit), bool)
        major[block.events.visit[block.events.major]] = True
        twitch = block.treatments.twitch
        twitch_clinic = of_visit[block.treatments.visit]
        count = len(self._network.clinics)
        for name, where, value in (
            ("episodes", episodes.clinic, np.ones(len(episodes.clinic))),
            ("closed", episodes.clinic, care.closed),
            ("discharge_score_missing", episodes.clinic, care.missing),
            ("lost", episodes.clinic, care.lost),
            ("attended_visits", of_visit, visits.attended & (visits.kind != FOLLOW_UP)),
            ("needling_sessions", of_visit, visits.needled),
            ("needling_sessions_asked", of_visit, session),
            ("needling_sessions_true_event", of_visit, visits.needled & block.events.true_minor),
            ("needling_sessions_recorded_event", of_visit, session & reported),
            ("major_events", of_visit, major),
            ("twitch_stated", twitch_clinic, (twitch == NO) | (twitch == YES)),
            ("twitch_not_recorded", twitch_clinic, twitch == TWITCH_NOT_RECORDED),
        ):
            self.by_clinic[name] += self._sums(where, value, count)
        closed = care.closed
        np.add.at(
            self.final_scores,
            (episodes.clinic[closed], care.final_score[closed], care.missing[closed].astype(np.int64)),
            1,
        )

    @staticmethod
    def _sums(where: Integers, value: Flags | Floats, size: int) -> Floats:
        return np.bincount(where, weights=value.astype(np.float64), minlength=size).astype(np.float64)
