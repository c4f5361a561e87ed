"""Counts by night of three clinics, as ``delivery_profile`` makes them, drawn without a warehouse.

Every night brings about 90 visits and 15 episodes to each clinic, with a share of nights of its own: nights differ by
more than chance of single rows. ``Fault`` changes the last night of the first clinic.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.audit.delivery_profile import PROFILE_SCHEMA
from assets.contract.drift import ATTENDANCE, START_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

CLINICS = ("Harbour", "Millbrook", "Northgate")
FIRST = date(2026, 1, 1)
REASONS = ("goals_met", "plateau", "self_discharge", "still_open")
REASON_SHARES = (0.4, 0.1, 0.1, 0.4)
SENT_SCHEMA = pl.Schema(
    {
        "delivery_id": pl.String(),
        "clinic_key": pl.String(),
        "episode_rows": pl.Int64(),
        "profile": pl.String(),
        "extract_stamp": pl.String(),
        "file_count": pl.Int64(),
    }
)


@dataclass
class Night:
    """What one clinic sends in one night."""

    visits: int
    scores: NDArray[np.int64]
    before: NDArray[np.int64]
    motion: NDArray[np.int64]
    other_side: NDArray[np.int64]
    reasons: list[str]
    empty_raters: int
    changed: int = 0
    set_aside: int = 0
    missed: int = 0
    bare: int = 0
    ahead: int = 0
    files: int = 7
    lines: list[tuple[str, str, str, float | None, int, int]] = field(default_factory=list)


def draw(rng: Generator, size: float = 90.0) -> Night:
    """An ordinary night."""
    visits = int(rng.poisson(size * rng.gamma(50, 1 / 50)))
    before = np.clip(np.round(rng.normal(5, 2, visits)), 0, 10).astype(int)
    other = np.round(rng.normal(150, 12, visits // 3)).astype(int)
    return Night(
        visits,
        np.clip(before - rng.integers(-1, 3, visits), 0, 10),
        before,
        other - np.round(rng.normal(20, 8, visits // 3)).astype(int),
        other,
        rng.choice(REASONS, max(int(rng.poisson(size / 5)), 1), p=REASON_SHARES).tolist(),
        int(rng.binomial(visits, 0.03)),
        set_aside=int(rng.binomial(visits, 0.01)),
        missed=int(rng.binomial(visits, 0.09)),
    )


def counted(night: Night) -> Iterator[tuple[str, str, str, float | None, int, int]]:
    """Lines of one night: check, feature, item, value, n, rows."""
    scores = "measurement.value.drift.nprs_avg24h"
    motion = "measurement.value.drift.shoulder_flexion"
    yield "visit.rows.drift", "volume", "", None, night.visits, night.visits
    yield "visit.rows.drift", "changed", "", None, night.visits, night.changed
    if night.set_aside:
        yield "visit.rows.drift", "set_aside", "visit.day_offset.possible", None, 0, night.set_aside
    yield "measurement.rater_key.drift", "empty", "", None, night.visits, night.empty_raters
    yield ATTENDANCE, "unit", "", None, night.visits, night.visits
    yield ATTENDANCE, "code", "attended", None, 0, night.visits - night.missed
    if night.missed:
        yield ATTENDANCE, "code", "no_show", None, 0, night.missed
    yield ATTENDANCE, "bare", "", None, night.visits - night.missed, night.bare
    yield START_YEAR, "ahead", "", None, len(night.reasons), night.ahead
    reasons = "episode.discharge_reason.drift"
    yield reasons, "unit", "", None, len(night.reasons), len(night.reasons)
    for code, rows in sorted(Counter(night.reasons).items()):
        yield reasons, "code", code, None, 0, rows
    for check, feature, values in (
        (scores, "level", night.scores),
        (scores, "step", np.abs(night.scores - night.before)),
        (motion, "level", np.concatenate([night.motion, night.other_side])),
        (motion, "gap", night.motion - night.other_side),
    ):
        for value, rows in sorted(Counter(values.tolist()).items()):
            yield check, feature, "", float(value), 0, rows


def network(
    seed: int, nights: int = 30, fault: Callable[[Night], None] | None = None, earlier: dict[int, float] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was sent, and the counts by night; night 0 is the past. ``earlier``: nights of another size, as a factor."""
    rng = np.random.default_rng(seed)
    sent, lines = [], []
    for clinic in CLINICS:
        for number in range(nights + 1):
            day = (FIRST + timedelta(days=number)).isoformat()
            is_faulty = clinic == CLINICS[0] and number == nights
            factor = (earlier or {}).get(number, 1.0) if clinic == CLINICS[0] else 1.0
            night = draw(rng, 90.0 * factor * (100 if number == 0 else 1))
            if is_faulty and fault is not None:
                fault(night)
            sent.append((f"{clinic}-{number}", clinic, 5, "canonical", f"{day}T02:00:00Z", night.files))
            lines += [
                (check, feature, item, clinic, "canonical", day, value, n, rows)
                for check, feature, item, value, n, rows in counted(night)
            ]
    return (
        pl.DataFrame(sent, schema=SENT_SCHEMA, orient="row"),
        pl.DataFrame(lines, schema=PROFILE_SCHEMA, orient="row"),
    )
