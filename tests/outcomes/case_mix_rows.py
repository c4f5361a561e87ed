"""Rows of ``marts.case_mix`` with planted truth."""

from __future__ import annotations

import numpy as np
import polars as pl

CHRONIC = -0.8
"""Log odds of recovery, and points of pain, of chronic against acute symptoms."""
AGE = -0.3
"""Log odds of recovery, and points of pain, per 15 years."""
PAIN = 0.9
"""Points of pain change per 2 points of baseline."""


def planted(
    n: int = 3000,
    seed: int = 1,
    *,
    clinics: int = 20,
    clinic_sd: float = 0.5,
    confounded: float = 0.0,
    condition_id: str = "neck_pain",
    shift: float = 0.0,
) -> pl.DataFrame:
    """Closed first episodes of routine care. ``confounded``: points of baseline pain per clinic effect."""
    rng = np.random.default_rng(seed)
    clinic = rng.integers(0, clinics, n)
    effect = rng.normal(0, clinic_sd, clinics)[clinic] if clinic_sd else np.zeros(n)
    age = rng.integers(16, 80, n)
    chronic = rng.random(n) < 0.4
    baseline = np.clip(np.round(rng.normal(5.5, 1.6, n) + confounded * effect), 0, 10)
    linear = shift + AGE * (age - 45) / 15 + CHRONIC * chronic + effect
    recovered = rng.random(n) < 1 / (1 + np.exp(-linear))
    change = PAIN * (baseline - 5) / 2 + 2.5 + linear + rng.normal(0, 1, n)
    function = 300 + 50 * linear + rng.normal(0, 60, n)
    exact = pl.Decimal(12, 6)
    return pl.DataFrame(
        {
            "episode_key": [f"e{seed}_{i:05d}" for i in range(n)],
            "patient_key": [f"p{seed}_{i:05d}" for i in range(n)],
            "clinic_key": [f"c{i:02d}" for i in clinic],
            "condition_id": condition_id,
            "is_trial": False,
            "is_closed": True,
            "is_first_episode": True,
            "fold": np.arange(n) % 5,
            "age_years": age,
            "sex": rng.choice(["F", "M"], n),
            "symptom_duration": np.where(chronic, "chronic", "acute"),
            "surgery_count": rng.integers(0, 2, n),
            "comorbidity_count": rng.integers(0, 5, n),
            "fear_avoidance": rng.choice(["yes", "no", "unknown"], n),
            "prior_episode": rng.choice(["yes", "no"], n),
            "payer": rng.choice(["commercial", "medicare"], n),
            "population": rng.choice(["athlete", "other"], n),
            "side": "none",
            "anticoagulant": "no",
            "needle_phobia": "no",
            "start_year": rng.integers(2023, 2026, n),
            "baseline_pain": pl.Series(baseline).cast(exact),
            "baseline_function_permille": rng.integers(200, 700, n),
            "baseline_rom_permille": rng.integers(500, 1000, n),
            "pain_change": pl.Series(np.round(change, 6)).cast(exact),
            "latest_pain_change": pl.Series(np.round(change, 6)).cast(exact),
            "function_change_permille": np.round(function).astype(int),
            "predicted_function_change_permille": pl.Series([None] * n, dtype=pl.Int32),
            "recovered": np.where(recovered, "yes", "no"),
            "unknown_reason": pl.Series([None] * n, dtype=pl.String),
        }
    )
