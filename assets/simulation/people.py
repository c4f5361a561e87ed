"""Patients and their episodes, before any visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.contract.tables import AGE_TOP_CODE_YEARS
from assets.simulation import parameters as p
from assets.simulation.draws import chance, happens, pick

if TYPE_CHECKING:
    from numpy.random import Generator

    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Floats, Integers

ATHLETE = len(p.WORK)
POPULATIONS = (*p.WORK, "athlete")
NOT_ASKED, ABSENT, PRESENT, NOT_KNOWN = 0, 1, 2, 3
NO, YES, UNKNOWN = 0, 1, 2
YES_NO_UNKNOWN = ("no", "yes", "unknown")
ACUTE, SUBACUTE, CHRONIC = 0, 1, 2
LEFT, RIGHT, NO_SIDE, SIDE_NOT_RECORDED = 0, 1, 2, 3
PREGNANCY_AGES = (18, 45)
EPISODES_PER_PATIENT = 2


@dataclass(frozen=True, slots=True)
class Patients:
    """One array entry per patient; codes are positions in the code lists of ``parameters``.

    ``precautions`` has one row per patient and one column per kind.
    """

    number: Integers
    clinic: Integers
    condition: Integers
    sex: Integers
    age: Integers
    zip3: Integers
    population: Integers
    precautions: Integers


@dataclass(frozen=True, slots=True)
class Episodes:
    """One array entry per episode, ordered by ``number``. ``patient`` is a position in the block's patients.

    ``baseline`` is true pain in points, ``response`` how many points more pain than the course says the patient ends
    with for reasons of the patient and the clinic (unfolds over weeks), ``planned_start`` the first visit at which
    needling is meant to happen, -1 for never. ``side`` is the true one, ``side_recorded`` what the record says.
    """

    number: Integers
    patient: Integers
    clinic: Integers
    condition: Integers
    therapist: Integers
    start_day: Integers
    start_year: Integers
    duration: Integers
    duration_recorded: Integers
    surgery: Integers
    comorbidity: Integers
    fear: Flags
    fear_recorded: Integers
    prior: Integers
    payer: Integers
    side: Integers
    side_recorded: Integers
    baseline: Floats
    response: Floats
    needling_chance: Floats
    planned_start: Integers


def draw_patients(rng: Generator, network: Network, first: int, count: int) -> Patients:
    """Draw ``count`` patients numbered from ``first``."""
    clinic = pick(rng, (c.weight for c in network.clinics), count)
    condition = pick(rng, (m.mix for m in network.models), count)
    sex = pick(rng, p.SEX.values(), count)
    athlete = happens(rng, np.array([m.athlete_share for m in network.models])[condition], count)
    age = np.where(
        athlete, rng.normal(p.ATHLETE_AGE_MEAN, p.ATHLETE_AGE_SD, count), rng.normal(p.AGE_MEAN, p.AGE_SD, count)
    )
    age = np.clip(age, p.AGE_LOWEST, AGE_TOP_CODE_YEARS).astype(np.int64)
    precautions = np.empty((count, len(p.PRECAUTIONS)), dtype=np.int64)
    may_be_pregnant = (sex == tuple(p.SEX).index("F")) & (age >= PREGNANCY_AGES[0]) & (age <= PREGNANCY_AGES[1])
    for column, (kind, (share, asked)) in enumerate(p.PRECAUTIONS.items()):
        present = happens(rng, share, count) & (may_be_pregnant if kind == "pregnancy" else True)
        otherwise = np.where(happens(rng, p.PRECAUTION_UNKNOWN_SHARE, count), NOT_KNOWN, ABSENT)
        precautions[:, column] = np.where(present, PRESENT, otherwise if asked else NOT_ASKED)
    return Patients(
        number=first + np.arange(count),
        clinic=clinic,
        condition=condition,
        sex=sex,
        age=age,
        zip3=pick(rng, p.ZIP3.values(), count),
        population=np.where(athlete, ATHLETE, pick(rng, p.WORK.values(), count)),
        precautions=precautions,
    )


def draw_episodes(rng: Generator, network: Network, patients: Patients) -> Episodes:
    """Draw the first and, for a few patients, a second episode of each."""
    everyone = np.arange(len(patients.number))
    first_start = rng.integers(0, p.PERIOD_DAYS, len(everyone))
    second_start = first_start + rng.integers(*p.SECOND_EPISODE_DAYS, len(everyone))
    again = happens(rng, p.SECOND_EPISODE_SHARE, len(everyone)) & (second_start < p.PERIOD_DAYS)
    order = np.argsort(np.concatenate([everyone, everyone[again]]), kind="stable")
    patient = np.concatenate([everyone, everyone[again]])[order]
    start_day = np.concatenate([first_start, second_start[again]])[order]
    second = np.concatenate([np.zeros(len(everyone), bool), np.ones(int(again.sum()), bool)])[order]
    count = len(patient)

    clinic = patients.clinic[patient]
    condition = np.where(second, pick(rng, (m.mix for m in network.models), count), patients.condition[patient])
    chronicity = np.cumsum([m.chronicity for m in network.models], axis=1)[condition]
    duration = (rng.random(count)[:, None] > chronicity[:, :-1]).sum(axis=1)
    fear = happens(rng, p.FEAR_SHARE, count)
    athlete = patients.population[patient] == ATHLETE
    means = np.array([m.baseline_mean for m in network.models])
    response = (
        network.clinic_points[clinic]
        + rng.normal(0, p.PATIENT_SD, count)
        + p.FEAR_POINTS * fear
        + p.ATHLETE_POINTS * athlete
    )
    needling_chance = _needling_chance(network, patients, patient, clinic, duration, fear)
    start = pick(rng, p.NEEDLING_START, count)
    sided = np.array([network.contract.conditions[i].sided for i in _contract_positions(network)])[condition]
    side = np.where(sided, rng.integers(LEFT, NO_SIDE, count), NO_SIDE)
    return Episodes(
        number=patients.number[patient] * EPISODES_PER_PATIENT + second,
        patient=patient,
        clinic=clinic,
        condition=condition,
        therapist=(rng.random(count) * np.array([c.therapists for c in network.clinics])[clinic]).astype(np.int64),
        start_day=start_day,
        start_year=p.FIRST_YEAR + np.searchsorted(p.YEAR_ENDS, start_day, side="right"),
        duration=duration,
        duration_recorded=np.where(happens(rng, p.DURATION_UNKNOWN_SHARE, count), len(p.DURATION), duration),
        surgery=np.minimum(rng.poisson(p.SURGERY_RATE, count), p.SURGERY_MOST),
        comorbidity=np.minimum(rng.poisson(p.COMORBIDITY_RATE, count), p.COMORBIDITY_MOST),
        fear=fear,
        fear_recorded=np.where(happens(rng, p.FEAR_UNKNOWN_SHARE, count), UNKNOWN, fear),
        prior=np.where(second | happens(rng, p.PRIOR_SHARE, count), YES, NO),
        payer=pick(rng, p.PAYER.values(), count),
        side=side,
        side_recorded=np.where(sided & happens(rng, p.SIDE_MISSING_SHARE, count), SIDE_NOT_RECORDED, side),
        baseline=np.clip(rng.normal(means[condition], p.PAIN_SD * p.PAIN_RETEST_RELIABILITY**0.5), 0, 10),
        response=response,
        needling_chance=needling_chance,
        planned_start=np.where(happens(rng, needling_chance, count), start, -1),
    )


def _needling_chance(
    network: Network, patients: Patients, patient: Integers, clinic: Integers, duration: Integers, fear: Flags
) -> Floats:
    """Probability of being meant for needling: it depends on what also shapes the outcome (confounding)."""
    phobia = patients.precautions[patient, tuple(p.PRECAUTIONS).index("needle_phobia")] == PRESENT
    return chance(
        np.array([c.needling for c in network.clinics])[clinic]
        + p.NEEDLING_CHRONIC * (duration == CHRONIC)
        + p.NEEDLING_FEAR * fear
        + p.NEEDLING_PHOBIA * phobia
    )


def _contract_positions(network: Network) -> list[int]:
    ids = [condition.condition_id for condition in network.contract.conditions]
    return [ids.index(condition_id) for condition_id in network.conditions]
