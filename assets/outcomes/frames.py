"""What every frame of the statistics has in common: a fixed schema, one order of rows, numbers that do not wobble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.privacy.disclosure.layout import Count, Sum
from assets.privacy.disclosure.profiles import ROUNDING_BASE, SMALLEST_PRINTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assets.contract.model import Statistic

__all__ = ["Count", "Layout", "Sum", "columns", "in_fives", "to_tenths"]

DECIMALS = 9
"""Decimals of an exact share or mean: fewer than differ between processors. Fewer are printed, see ``Layout``."""

ANY_CARE = "any"
ALL_PERIODS = "all"


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a table, and what disclosure control has to know of them before anything is published.

    ``keys`` identify a row and give the order of rows (null, meaning all, comes first). ``groups`` are the integer
    columns with the number of patients or episodes a row is about, ``subgroups`` those about a part of them with
    the numbers resting on it. Frames without ``groups`` are not about patients.
    ``statistic`` is the id, in the contract's catalogue, of what the numbers are; it is published with its version as
    column ``statistic_id``; where it counts the recovered, ``recovery_definition_id`` says by which definition. Frames
    about patients have one, unless ``statistic_id`` is a key column of theirs.

    ``counts`` says of every integer number whom it counts, ``plain`` names those that count nobody (days, clinics).
    ``ratios``: share -> its numerator and denominator among the counts. ``mixed``: share -> the counts that make its
    numerator, with their weights, and its denominator. ``decimals``: printed precision of a number
    where it is not 2. ``sums`` are the counts that add up. ``finish`` writes what depends on what is hidden; it runs
    on the protected frame and sees only what is printed.
    """

    keys: Mapping[str, pl.DataType]
    numbers: Mapping[str, pl.DataType]
    groups: tuple[str, ...] = ()
    subgroups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statistic: str | None = None
    counts: Mapping[str, Count] = field(default_factory=dict)
    plain: tuple[str, ...] = ()
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    mixed: Mapping[str, tuple[Mapping[str, int], str]] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    sums: tuple[Sum, ...] = ()
    finish: Callable[[pl.DataFrame], pl.DataFrame] | None = None

    def __post_init__(self) -> None:
        """Refuse numbers about patients that nobody has defined, and numbers of which nobody says whom they count."""
        if self.groups and self.statistic is None and "statistic_id" not in self.keys:
            message = f"a table about patients names no statistic: {', '.join(self.keys)}"
            raise ValueError(message)
        integers = {name for name, dtype in self.numbers.items() if dtype.is_integer()}
        floats = {name for name, dtype in self.numbers.items() if dtype.is_float()}
        _refuse(integers ^ {*self.counts, *self.plain}, "neither a count nor a plain number, or no number of its own")
        _refuse(set(self.counts) & set(self.plain), "a count and a plain number")
        _refuse({*self.groups, *self.subgroups} - set(self.counts), "a size that counts nobody")
        _refuse({*self.ratios, *self.mixed, *self.decimals} - floats, "no share or mean of the table")
        parts = {name for ratio in self.ratios.values() for name in ratio}
        parts |= {name for weights, whole in self.mixed.values() for name in (*weights, whole)}
        summed = {name for sum_ in self.sums for name in (sum_.total, sum_.part, *sum_.parts) if isinstance(name, str)}
        _refuse((parts | summed) - set(self.counts), "no count of the table")

    def arrange(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``frame`` with the columns of the layout in order and nothing hidden: the exact numbers.

        Raises:
            ValueError: two rows with the same keys, or a missing column.

        """
        schema = {**self.keys, **self.numbers}
        missing = sorted(set(schema) - set(frame.columns))
        if missing:
            message = f"cannot arrange: no column {', '.join(missing)}"
            raise ValueError(message)
        typed = frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        if typed.select(*self.keys).is_duplicated().any():
            message = f"cannot arrange: two rows with the same {', '.join(self.keys)}"
            raise ValueError(message)
        floats = [name for name, dtype in schema.items() if dtype == pl.Float64]
        # Adding 0.0 turns -0.0, which prints differently, into 0.0
        typed = typed.with_columns((pl.col(name).fill_nan(None).round(DECIMALS) + 0.0) for name in floats)
        if self.statistic is not None:
            typed = typed.with_columns(**_named(CONTRACT.statistic(self.statistic)))
        return typed.sort(list(self.keys), nulls_last=False, maintain_order=True)


def _refuse(names: Iterable[str], what: str) -> None:
    wrong = sorted(names)
    if wrong:
        message = f"a layout names {', '.join(wrong)}: {what}"
        raise ValueError(message)


def _named(statistic: Statistic) -> dict[str, pl.Expr]:
    """What the numbers are, and where the recovered are counted, by which definition."""
    named = {"statistic_id": pl.lit(statistic.versioned_id, pl.String)}
    if statistic.of_recovery:
        named["recovery_definition_id"] = pl.lit(CONTRACT.default_definition.versioned_id, pl.String)
    return named


def in_fives(*names: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A ``finish`` for numbers that are sizes but count nobody (effective, median, needed): printed as counts are."""

    def finish(protected: pl.DataFrame) -> pl.DataFrame:
        return protected.with_columns(
            ((pl.col(name) / ROUNDING_BASE).round() * ROUNDING_BASE).clip(SMALLEST_PRINTED) for name in names
        )

    return finish


def to_tenths(protected: pl.DataFrame, rows: pl.Expr, *names: str) -> pl.DataFrame:
    """Numbers of these rows with the one decimal they are printed with, where other rows of the column have two."""
    return protected.with_columns(
        pl.when(rows).then(pl.col(name).round(1) + 0.0).otherwise(pl.col(name)).alias(name) for name in names
    )


def columns(dtype: pl.DataType, *names: str) -> dict[str, pl.DataType]:
    """Columns of one type, for a layout."""
    return dict.fromkeys(names, dtype)


STRING, INTEGER, FLOAT, BOOLEAN = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
