"""Disclosure control: no published number rests on a group of 1 to 10 patients.

The threshold follows the cell suppression policy of the Centers for Medicare & Medicaid Services (no cell of 1 to
10, zero allowed). It binds users of their data and is adopted here as the convention. Applied once, to every
published frame, after the statistics and before anything is written. Numerators, complements and differences
between rows are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MINIMUM_GROUP = 11
"""Smallest group, in patients or episodes, about which a number is published."""


def suppress(
    frame: pl.DataFrame,
    counts: Sequence[str],
    numbers: Sequence[str],
    subgroups: Mapping[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Add ``suppressed`` and set to null what rests on too small a group.

    Args:
        frame: One row per group; returned with the same rows in the same order.
        counts: Integer columns with the size of the row's group. If any of them is 1 to 10 the row is suppressed.
        numbers: Every column with a number that a suppressed row must not show (the counts among them).
        subgroups: Integer column with the size of a part of the group -> the numbers that rest on that part. Where
            it is 1 to 10 only these are set to null.

    Raises:
        ValueError: a column is missing, ``suppressed`` exists already, or a size is null, negative or not an integer.

    """
    subgroups = subgroups or {}
    _require(frame, [*counts, *numbers, *subgroups, *(name for names in subgroups.values() for name in names)])
    for name in [*counts, *subgroups]:
        _require_sizes(frame, name)
    hidden = {name: pl.any_horizontal(*(_too_small(count) for count in counts)) for name in numbers}
    for size, names in subgroups.items():
        for name in names:
            hidden[name] = hidden.get(name, pl.lit(value=False)) | _too_small(size)
    return frame.with_columns(
        *(pl.when(~condition).then(pl.col(name)).alias(name) for name, condition in hidden.items()),
        suppressed=pl.any_horizontal(*(_too_small(count) for count in counts)),
    )


def _too_small(count: str) -> pl.Expr:
    return (pl.col(count) > 0) & (pl.col(count) < MINIMUM_GROUP)


def _require(frame: pl.DataFrame, names: Sequence[str]) -> None:
    missing = sorted(set(names) - set(frame.columns))
    if missing:
        message = f"cannot suppress: no column {', '.join(missing)}"
        raise ValueError(message)
    if "suppressed" in frame.columns:
        message = "cannot suppress: the frame went through disclosure control before"
        raise ValueError(message)


def _require_sizes(frame: pl.DataFrame, name: str) -> None:
    sizes = frame[name]
    if not sizes.dtype.is_integer():
        message = f"cannot suppress: {name} must be a whole number, not {sizes.dtype}"
        raise ValueError(message)
    if sizes.null_count() or (sizes < 0).any():
        message = f"cannot suppress: {name} holds a null or a negative size"
        raise ValueError(message)
