"""Random draws and code columns: arrays of small integers in, text out as late as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.random import Generator

    from assets.simulation.course import Flags, Floats, Integers


def pick(rng: Generator, weights: Iterable[float], size: int) -> Integers:
    """Draw ``size`` positions, each with a probability in proportion to its weight."""
    edges = np.cumsum(tuple(weights))
    return np.searchsorted(edges[:-1] / edges[-1], rng.random(size), side="right")


def happens(rng: Generator, share: float | Floats, size: int) -> Flags:
    """Draw ``size`` events with probability ``share`` (a number, or one per draw)."""
    return rng.random(size, dtype=np.float32) < share


def chance(log_odds: Floats) -> Floats:
    """Probability of log odds."""
    return 1 / (1 + np.exp(-log_odds))


def nprs(pain: Floats) -> Integers:
    """Pain as a patient says it: a whole number from 0 to 10, halves up."""
    return np.floor(np.clip(pain, 0, 10) + 0.5).astype(np.int64)


def texts(names: Sequence[str | None], positions: Integers) -> pl.Series:
    """The names at ``positions``; a position of -1 is the last name."""
    return pl.Series(names, dtype=pl.String).gather(positions)


def keys(prefix: str, numbers: Integers, digits: int) -> pl.Series:
    """Surrogate keys: ``prefix`` and the number with at least ``digits`` digits."""
    return prefix + pl.Series(numbers).cast(pl.String).str.zfill(digits)


def optional_integers(values: Integers, known: Flags) -> pl.Series:
    """Int32 column, null where not ``known``."""
    return pl.select(pl.when(pl.Series(known)).then(pl.Series(values.astype(np.int32)))).to_series()
