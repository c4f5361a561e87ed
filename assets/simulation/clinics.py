"""The clinics, their places in records systems, and how each one differs."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from assets.simulation import parameters as p

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.simulation.course import Floats, Integers
    from assets.simulation.models import Clinic, ConditionModel

ALL_IN_ONE = "simulated-network"


@dataclass(frozen=True, slots=True)
class Network:
    """What stays the same for every patient of one simulation.

    ``clinic_points`` is how many points worse patients of each clinic end (planted, mean 0);
    ``clinic_source`` the position in ``sources`` of the records system of each clinic.
    """

    contract: Contract
    seed: int
    clinics: tuple[Clinic, ...]
    clinic_points: Floats
    clinic_source: Integers
    sources: tuple[str, ...]
    conditions: tuple[str, ...]
    models: tuple[ConditionModel, ...]

    def deliveries(self) -> tuple[str, ...]:
        """Folder name of each records system's delivery."""
        return tuple(f"{source}_{p.STAMP}" for source in self.sources)


def clinic_sd() -> float:
    """SD between clinics, in points, that gives them their share of the variance between episodes."""
    return float(p.PATIENT_SD * (p.CLINIC_SHARE / (1 - p.CLINIC_SHARE)) ** 0.5)


def build_network(contract: Contract, seed: int, sources: int) -> Network:
    """Clinics with their planted effects.

    The effects are normal quantiles in an order drawn from the seed, scaled so that their variance, weighted by
    clinic size, is exact.

    Raises:
        ValueError: ``sources`` is not between 1 and the number of records systems.

    """
    if not 1 <= sources <= len(p.SOURCES):
        message = f"sources must lie between 1 and {len(p.SOURCES)}"
        raise ValueError(message)
    count = len(p.CLINICS)
    quantiles = np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])
    quantiles = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))).permutation(quantiles)
    weights = np.array([clinic.weight for clinic in p.CLINICS])
    quantiles -= np.average(quantiles, weights=weights)
    quantiles *= clinic_sd() / np.sqrt(np.average(quantiles**2, weights=weights))
    known = tuple(c.condition_id for c in contract.conditions if c.condition_id in p.CONDITIONS)
    return Network(
        contract=contract,
        seed=seed,
        clinics=p.CLINICS,
        clinic_points=quantiles,
        clinic_source=np.arange(count) * sources // count,
        sources=p.SOURCES[:sources] if sources > 1 else (ALL_IN_ONE,),
        conditions=known,
        models=tuple(p.CONDITIONS[condition_id] for condition_id in known),
    )
