"""What was planted can be found again in 20,000 patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from assets.contract import CONTRACT
from assets.simulation import parameters as p
from assets.simulation.care import NEVER, true_pain
from assets.simulation.people import CHRONIC, YES
from assets.simulation.recovery import eligible, recovered
from assets.simulation.tally import Tally
from assets.simulation.truth import planted
from assets.simulation.visits import ATTENDED, FOLLOW_UP

if TYPE_CHECKING:
    from assets.simulation.block import Block
    from assets.simulation.clinics import Network


def test_persistent_low_back_pain_is_near_what_was_published() -> None:
    pain = p.PERSISTENT_LOW_BACK.pain(np.array([0.0, 6.0, 26.0, 52.0]))
    assert pain == pytest.approx((51, 33, 26, 23), abs=1.5)


def test_acute_low_back_pain_is_exact() -> None:
    pain = p.ACUTE_LOW_BACK.pain(np.array([0.0, 6.0, 26.0, 52.0]))
    assert pain == pytest.approx((52, 23, 12, 6), abs=0.005)


def test_natural_course_of_acute_neck_pain() -> None:
    assert p.ACUTE_NECK.pain(np.array([0.0])) == pytest.approx(64)
    assert p.ACUTE_NECK.pain(np.array([6.5, 52.0])) == pytest.approx((39.5, 38.5), abs=0.1)


def test_baseline_pain(block: Block) -> None:
    first = block.care.score[:, 0]
    assert first.mean() == pytest.approx(5.5, abs=0.15)
    assert first.std() == pytest.approx(2.0, abs=0.1)
    assert first.min() == 0
    assert first.max() == 10


def test_clinic_share_of_variance(network: Network, block: Block) -> None:
    """One-way analysis of variance of the response, net of what is known about the patient."""
    weights = np.array([clinic.weight for clinic in network.clinics])
    assert np.average(network.clinic_points, weights=weights) == pytest.approx(0)
    athlete = block.patients.population[block.episodes.patient] == len(p.WORK)
    response = block.episodes.response - p.FEAR_POINTS * block.episodes.fear - p.ATHLETE_POINTS * athlete
    clinic = block.episodes.clinic
    size = np.bincount(clinic)
    means = np.bincount(clinic, weights=response) / size
    within = ((response - means[clinic]) ** 2).sum() / (len(clinic) - len(size))
    between = np.average((means - response.mean()) ** 2, weights=size)
    assert between / (between + within) == pytest.approx(p.CLINIC_SHARE, abs=0.01)


def test_needling_effect_is_what_was_planted(network: Network, block: Block) -> None:
    """Needled and not needled from day 0, the same patients differ by the planted effect once it has unfolded."""
    count = len(block.episodes.number)
    day = np.full((count, 1), 365)
    with_it, without = true_pain(network, block.episodes, day, np.zeros(count, dtype=np.int64))
    never, same = true_pain(network, block.episodes, day, np.full(count, NEVER))
    assert np.array_equal(never, same)
    assert np.array_equal(without, same)
    for position, model in enumerate(network.models):
        mine = block.episodes.condition == position
        assert (with_it - without)[mine].mean() == pytest.approx(model.needling_points, abs=1e-6)
        assert -0.5 <= model.needling_points <= 0


def test_needling_effect_is_recoverable_by_adjusting(network: Network, block: Block) -> None:
    """Regression of the final score on needling and its confounders, in eight-week patients; crude means mislead."""
    episodes, care = block.episodes, block.care
    needled = np.zeros(len(care.last), bool)
    needled[block.visits.episode[block.visits.needled & (block.visits.day <= 14)]] = True
    later = np.zeros(len(care.last), bool)
    later[block.visits.episode[block.visits.needled & (block.visits.day > 14)]] = True
    rows = care.closed & (needled | ~later)
    pain = np.clip(care.pain[np.arange(len(care.last)), 7], 0, 10)
    athlete = block.patients.population[episodes.patient] == len(p.WORK)
    cell = episodes.condition * 3 + episodes.duration
    columns = [needled, care.score[:, 0], episodes.fear, athlete]
    columns += [episodes.clinic == k for k in range(12)] + [cell == k for k in range(1, 27)]
    design = np.column_stack(columns).astype(float)[rows]
    adjusted = np.linalg.lstsq(design, pain[rows], rcond=None)[0][0]
    expected = np.array([m.needling_points for m in network.models])[episodes.condition][rows & needled].mean()
    crude = pain[rows & needled].mean() - pain[rows & ~needled].mean()
    assert adjusted == pytest.approx(expected, abs=0.12)
    assert abs(crude - adjusted) > 0.05


def test_needling_is_given_by_indication(block: Block) -> None:
    wanted = block.episodes.planned_start >= 0
    chronic = block.episodes.duration == CHRONIC
    assert wanted[chronic].mean() > wanted[~chronic].mean() + 0.1
    assert wanted[block.episodes.fear].mean() < wanted[~block.episodes.fear].mean() - 0.1


def test_between_a_third_and_two_thirds_recover(network: Network, block: Block) -> None:
    may, did = eligible(block), recovered(block, CONTRACT)
    for position in range(len(network.conditions)):
        mine = may & (block.episodes.condition == position)
        assert 0.35 <= did[mine].mean() <= 0.65


def test_missing_scores_follow_each_clinics_mechanism(network: Network, block: Block) -> None:
    closed, missing, score = block.care.closed, block.care.missing, block.care.final_score
    for position, clinic in enumerate(network.clinics):
        mine = closed & (block.episodes.clinic == position)
        share = missing[mine].mean()
        assert 0.1 <= share <= 0.65
        difference = score[mine & missing].mean() - score[mine & ~missing].mean()
        if clinic.missing_slope:
            assert np.sign(difference) == np.sign(clinic.missing_slope)
            assert abs(difference) > 0.5
        else:
            assert abs(difference) < 0.25
            assert share == pytest.approx(clinic.missing, abs=0.04)
    assert {np.sign(clinic.missing_slope) for clinic in network.clinics} == {-1.0, 0.0, 1.0}


def test_missing_means_no_score_near_discharge(block: Block) -> None:
    visits, care = block.visits, block.care
    asked = visits.attended & visits.scored & (visits.kind != FOLLOW_UP) & (visits.day > 0)
    near = visits.day >= (care.discharge_day - p.DISCHARGE_WINDOW_DAYS)[visits.episode]
    recorded = np.zeros(len(care.last), bool)
    recorded[visits.episode[asked & near]] = True
    assert not (recorded & care.missing).any()
    assert recorded[care.closed & ~care.missing].all()


def chance_error(count: int) -> float:
    """Four standard errors of a share among ``count``."""
    return 4 * (0.25 / count) ** 0.5


def test_true_event_rate_is_equal_and_recording_is_not(network: Network, block: Block) -> None:
    tally = Tally(network)
    tally.add(block)
    clinics = planted(network, tally)["clinics"]
    for clinic in network.clinics:
        counted = clinics[clinic.key]["counted"]
        true_share = counted["needling_sessions_true_event"] / counted["needling_sessions"]
        assert true_share == pytest.approx(p.EVENT_SHARE, abs=chance_error(counted["needling_sessions"]))
        if clinic.asked:
            recorded = counted["needling_sessions_recorded_event"] / counted["needling_sessions_asked"]
            asked = counted["needling_sessions_asked"]
            assert recorded == pytest.approx(clinic.event_recording, abs=chance_error(asked))
        else:
            assert counted["needling_sessions_recorded_event"] == 0
        stated = counted["twitch_stated"] / (counted["twitch_stated"] + counted["twitch_not_recorded"])
        assert stated == pytest.approx(clinic.twitch_recorded, abs=0.04)
    sessions = sum(clinics[c.key]["counted"]["needling_sessions_asked"] for c in network.clinics)
    assert block.events.major.sum() / sessions == pytest.approx(p.MAJOR_SHARE, rel=0.4)


def test_visits_look_like_a_course_of_care(block: Block) -> None:
    in_care = block.visits.kind != FOLLOW_UP
    episodes = len(block.care.last)
    assert 7 <= (block.visits.attended & in_care).sum() / episodes <= 9
    rows = sum(len(score.visit) for score in block.scores)
    assert 8 <= rows / block.visits.attended.sum() <= 10
    weeks = block.care.day[np.arange(episodes), block.care.last] / 7
    assert 8 <= weeks.mean() <= 10
    assert set(block.visits.asked[block.visits.attendance == ATTENDED]) == {0, YES, 2}


def test_truth_counts_every_closed_episode_once(network: Network, block: Block) -> None:
    tally = Tally(network)
    tally.add(block)
    truth = planted(network, tally)
    closed = int(block.care.closed.sum())
    assert sum(condition["closed"] for condition in truth["conditions"].values()) == closed
    scores = [c["discharge_scores_recorded"] + c["discharge_scores_missing"] for c in truth["clinics"].values()]
    assert np.sum(scores) == closed
    for condition in truth["conditions"].values():
        assert condition["needling_points"] <= condition["needling_points_on_scale"] <= 0
