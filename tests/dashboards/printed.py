"""Invented tables as they would be printed: small groups hidden, counts in fives, numbers with their decimals.

What would follow from what is hidden is no matter here: pages show what they are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.privacy.disclosure.profiles import HALF_BASE, MINIMUM_GROUP, ROUNDING_BASE, SMALLEST_PRINTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.outcomes.frames import Layout

DECIMALS = 2


def printed(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Return a table as a release for the clinics' own staff prints it."""
    exact = layout.arrange(frame)
    hidden = pl.any_horizontal(pl.lit(value=False), *(_is_small(name) for name in layout.groups)).fill_null(value=False)
    made = exact.with_columns(suppressed=hidden)
    made = made.with_columns(_unless(pl.col("suppressed"), name) for name in layout.numbers)
    for size, rest in layout.subgroups.items():
        made = made.with_columns(_unless(_is_small(size), name) for name in rest)
    made = made.with_columns(_in_fives(name) for name in layout.counts)
    floats = [name for name, dtype in layout.numbers.items() if dtype.is_float()]
    made = made.with_columns(pl.col(name).round(layout.decimals.get(name, DECIMALS)) + 0.0 for name in floats)
    return layout.finish(made) if layout.finish else made


def all_printed(frames: Mapping[str, pl.DataFrame], layouts: Mapping[str, Layout]) -> dict[str, pl.DataFrame]:
    """Return the tables of a topic as they are printed; those that are not about patients as they are."""
    return {name: printed(frame, layouts[name]) if name in layouts else frame for name, frame in frames.items()}


def _is_small(name: str) -> pl.Expr:
    return pl.col(name).is_between(1, MINIMUM_GROUP - 1)


def _unless(condition: pl.Expr, name: str) -> pl.Expr:
    return pl.when(~condition.fill_null(value=False)).then(pl.col(name)).alias(name)


def _in_fives(name: str) -> pl.Expr:
    fives = ((pl.col(name) + HALF_BASE) // ROUNDING_BASE * ROUNDING_BASE).clip(SMALLEST_PRINTED)
    small = pl.when(_is_small(name)).then(None)
    return small.when(pl.col(name) == 0).then(0).otherwise(fives).cast(pl.Int64).alias(name)
