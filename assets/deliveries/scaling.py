"""Units, scales and signs of scores, as a profile declares them; nothing is converted that it does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.rules import SCORE_TYPE, TEXT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from assets.contract.model import Contract, Measure
    from assets.deliveries.emitters import Scaling

FLIP = "flip__"


def flip_columns(scaling: Scaling) -> list[pl.Expr]:
    """One flag per sign rule with a condition: whether the source row is one of those it speaks of."""
    return [
        _holds(flip.where.column, flip.where.among).alias(f"{FLIP}{position}")
        for position, flip in enumerate(scaling.flips)
        if flip.where
    ]


def _holds(column: str, among: tuple[str, ...]) -> pl.Expr:
    text = pl.col(column).cast(pl.String)
    return text.is_in(among) if among else text.is_not_null() & (text != "")


def rescaled(rows: pl.LazyFrame, scaling: Scaling, contract: Contract) -> pl.LazyFrame:
    """Measurements with declared units, signs and scales turned into those of the contract.

    A value that was multiplied is rounded, halves up, to the decimals of its measure where it lies within the possible
    bounds; outside them it stays as it is, so that rounding never brings a value back into range.
    """
    for position, flip in enumerate(scaling.flips):
        concerned = pl.col("measure_id").is_in(flip.measures)
        if flip.where:
            concerned &= pl.col(f"{FLIP}{position}")
        rows = rows.with_columns(pl.when(concerned).then(-pl.col("value")).otherwise(pl.col("value")).alias("value"))
    for word, unit in scaling.units.items():
        concerned = pl.col("unit") == word
        if unit.times != 1:
            rows = _multiplied(rows, concerned, unit.times, contract.measures)
        rows = rows.with_columns(unit=pl.when(concerned).then(pl.lit(unit.unit)).otherwise(pl.col("unit")))
    for measure_id in scaling.convert:
        rows = _converted(rows, contract.measure(measure_id), contract)
    return rows.drop([f"{FLIP}{position}" for position, flip in enumerate(scaling.flips) if flip.where])


def _converted(rows: pl.LazyFrame, target: Measure, contract: Contract) -> pl.LazyFrame:
    if target.converted_from is None:
        message = f"{target.measure_id} is not a converted measure"
        raise ValueError(message)
    origin = contract.measure(target.converted_from.measure_id)
    low, high = origin.possible.low, origin.possible.high
    concerned = (
        (pl.col("measure_id") == origin.measure_id)
        & (pl.col("unit") == origin.unit)
        & pl.col("value").cast(pl.Float64).is_between(low, high)  # an impossible score is not made a possible one
    ).fill_null(value=False)
    rows = rows.with_columns(
        measure_id=pl.when(concerned).then(pl.lit(target.measure_id)).otherwise(pl.col("measure_id")),
        unit=pl.when(concerned).then(pl.lit(target.unit)).otherwise(pl.col("unit")),
        converted=concerned,
    )
    return _multiplied(rows, pl.col("converted"), target.converted_from.factor, [target]).drop("converted")


def _multiplied(rows: pl.LazyFrame, concerned: pl.Expr, factor: Decimal, measures: Iterable[Measure]) -> pl.LazyFrame:
    exact = pl.col("value") * pl.lit(factor)
    rounded = exact
    for decimals, group in _by_decimals(measures).items():
        possible = pl.any_horizontal(
            (pl.col("measure_id") == one.measure_id)
            & exact.cast(pl.Float64).is_between(one.possible.low, one.possible.high)
            for one in group
        )
        rounded = pl.when(possible).then(exact.round(decimals, mode="half_away_from_zero")).otherwise(rounded)
    value = rounded.cast(SCORE_TYPE, strict=False)
    return rows.with_columns(
        pl.when(concerned).then(value).otherwise(pl.col("value")).alias("value"),
        # too large to be kept: unreadable, not missing
        pl.when(concerned & value.is_null() & pl.col("value").is_not_null())
        .then(pl.col("value").cast(pl.String))
        .otherwise(pl.col(f"value{TEXT_SUFFIX}"))
        .alias(f"value{TEXT_SUFFIX}"),
    )


def _by_decimals(measures: Iterable[Measure]) -> dict[int, list[Measure]]:
    groups: dict[int, list[Measure]] = {}
    for measure in measures:
        groups.setdefault(measure.decimals, []).append(measure)
    return groups
