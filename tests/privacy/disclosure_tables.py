"""Small tables with every margin, and an attacker who knows only what is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.optimize import linprog

from assets.privacy.disclosure.layout import Count, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEYS = ("condition_id", "clinic_key", "care")
ALL: dict[str, str | None] = {"condition_id": None, "clinic_key": None, "care": "any"}
Leaves = "Mapping[tuple[str, ...], tuple[int, int]]"
"""Place -> patients and how many of them recovered."""


@dataclass(frozen=True)
class Layout:
    """What disclosure control asks of a layout."""

    keys: Mapping[str, pl.DataType]
    numbers: Mapping[str, pl.DataType]
    groups: tuple[str, ...] = ("n",)
    subgroups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, Count] = field(default_factory=dict)
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    mixed: Mapping[str, tuple[Mapping[str, int], str]] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    sums: tuple[Sum, ...] = ()
    finish: Callable[[pl.DataFrame], pl.DataFrame] | None = None


def rates(dimensions: int = 2) -> Layout:
    """Layout of a table of recovery rates by condition, clinic and, with three dimensions, care."""
    return Layout(
        dict.fromkeys(KEYS[:dimensions], pl.String()),
        {"n": pl.Int64(), "recovered": pl.Int64(), "rate": pl.Float64()},
        counts={"n": Count("known"), "recovered": Count("recovered")},
        ratios={"rate": ("recovered", "n")},
    )


def with_margins(leaves: Leaves) -> pl.DataFrame:
    """Return the table of all leaves and all sums of them along each dimension."""
    keys = KEYS[: len(next(iter(leaves)))]
    sums: dict[tuple[str | None, ...], list[int]] = {}
    for place, (n, recovered) in leaves.items():
        for chosen in product(*((value, ALL[key]) for key, value in zip(keys, place, strict=True))):
            total = sums.setdefault(chosen, [0, 0])
            total[0] += n
            total[1] += recovered
    rows = [(*place, n, x, x / n if n else None) for place, (n, x) in sums.items()]
    schema = {**dict.fromkeys(keys, pl.String), "n": pl.Int64, "recovered": pl.Int64, "rate": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(keys, nulls_last=False)


def leaves_of(sizes: Sequence[Sequence[int]]) -> Leaves:
    """Conditions by row and clinics by column; half of each group recovered."""
    return {(f"condition {i}", f"clinic {j}"): (n, n // 2) for i, row in enumerate(sizes) for j, n in enumerate(row)}


def printed_limits(size: int | None) -> tuple[float, float]:
    """Counts behind a printed one: multiples of 5, and 15 from 11 on."""
    if size is None:
        return 0, 10_000
    if size == 0:
        return 0, 0
    return (11 if size == 15 else size - 2), size + 2


def attack(frame: pl.DataFrame, *, rounded: bool = True) -> dict[tuple[str | None, ...], tuple[int, int]]:
    """Limits of every hidden group: an attacker who adds up margins and uses the printed rates.

    Args:
        frame: A table as published. Who is hidden is somebody.
        rounded: Whether printed counts are rounded; if not, they are the true ones.

    """
    keys = [key for key in KEYS if key in frame.columns]
    places = [tuple(row) for row in frame.select(keys).iter_rows()]
    size = len(places)  # groups first, then the recovered among them
    bounds: list[tuple[float, float]] = [printed_limits(n) if rounded or n is None else (n, n) for n in frame["n"]]
    bounds = [(1.0, high) if frame["n"][i] is None else (low, high) for i, (low, high) in enumerate(bounds)]
    bounds += [(0.0, 10_000.0)] * size
    equal, limits = [], []
    for i, place in enumerate(places):
        for d, key in enumerate(keys):
            if place[d] != ALL[key]:
                continue
            parts = [
                j for j, p in enumerate(places) if p[d] != ALL[key] and p[:d] + p[d + 1 :] == place[:d] + place[d + 1 :]
            ]
            for shift in (0, size):
                row = np.zeros(2 * size)
                row[i + shift] = -1
                row[[j + shift for j in parts]] = 1
                equal.append(row)
        limits += _rate_limits(frame.row(i, named=True), i, size)
    out = {}
    for i, place in enumerate(places):
        if frame["n"][i] is None:
            ends = []
            a, b = np.array([row for row, _ in limits]), np.array([limit for _, limit in limits])
            for sign in (1, -1):
                goal = np.zeros(2 * size)
                goal[i] = sign
                found = linprog(
                    goal,
                    A_ub=a,
                    b_ub=b,
                    A_eq=np.array(equal) if equal else None,
                    b_eq=np.zeros(len(equal)) if equal else None,
                    bounds=bounds,
                )
                assert found.status == 0, found.message
                ends.append(found.x[i])
            out[place] = (int(np.ceil(ends[0] - 1e-6)), int(np.floor(ends[1] + 1e-6)))
    return out


def _rate_limits(group: dict[str, float | None], at: int, size: int) -> list[tuple[np.ndarray, float]]:
    """What a printed rate says of a group and the recovered among them: rows and limits of "no more than"."""
    rate = group["rate"]
    least, most, few = 0.0, 1.0, 0.0
    if rate is not None and group.get("approximate"):
        least, most, few = (0.0, 0.0, 10.0) if rate < 1 / 2 else (1.0, 1.0, 10.0)
    elif rate is not None:
        least, most = rate - 0.005 - 1e-9, rate + 0.005 + 1e-9
    out = []
    for sign, share in ((1, most), (-1, least)):
        row = np.zeros(2 * size)
        row[at + size], row[at] = sign, -sign * share
        out.append((row, few))
    return out


def pinned(frame: pl.DataFrame, width: int, *, rounded: bool = True) -> list[tuple[str | None, ...]]:
    """Hidden groups of which the attacker knows too much."""
    found = attack(frame, rounded=rounded)
    return [place for place, (low, high) in found.items() if high - low + 1 < width]
