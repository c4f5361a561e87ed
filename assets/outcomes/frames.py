"""What every published frame has in common: a fixed schema, one order of rows, numbers that do not wobble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.privacy.disclosure import suppress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import Statistic

DECIMALS = 9
"""Decimals of a published share or mean: more than anybody reads, fewer than differ between processors."""

ANY_CARE = "any"
ALL_PERIODS = "all"


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a published frame.

    ``keys`` identify a row and give the order of rows (null, meaning all, comes first). ``groups`` are the integer
    columns with the number of patients or episodes a row is about, ``subgroups`` those about a part of them with
    the numbers resting on it; see ``disclosure.suppress``. Frames without ``groups`` are not about patients.
    ``statistic`` is the id, in the contract's catalogue, of what the numbers are; it is published with its version as
    column ``statistic_id``; where it counts the recovered, ``recovery_definition_id`` says by which definition. Frames
    about patients have one, unless ``statistic_id`` is a key column of theirs.
    """

    keys: Mapping[str, pl.DataType]
    numbers: Mapping[str, pl.DataType]
    groups: tuple[str, ...] = ()
    subgroups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statistic: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers about patients that nobody has defined."""
        if self.groups and self.statistic is None and "statistic_id" not in self.keys:
            message = f"a table about patients names no statistic: {', '.join(self.keys)}"
            raise ValueError(message)

    def publish(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``frame`` with the columns of the layout, suppressed, rounded and in order.

        Raises:
            ValueError: two rows with the same keys, a missing column, or sizes that cannot be checked.

        """
        schema = {**self.keys, **self.numbers}
        missing = sorted(set(schema) - set(frame.columns))
        if missing:
            message = f"cannot publish: no column {', '.join(missing)}"
            raise ValueError(message)
        typed = frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        if typed.select(*self.keys).is_duplicated().any():
            message = f"cannot publish: two rows with the same {', '.join(self.keys)}"
            raise ValueError(message)
        floats = [name for name, dtype in schema.items() if dtype == pl.Float64]
        # Adding 0.0 turns -0.0, which prints differently, into 0.0
        typed = typed.with_columns((pl.col(name).fill_nan(None).round(DECIMALS) + 0.0) for name in floats)
        if self.statistic is not None:
            typed = typed.with_columns(**_named(CONTRACT.statistic(self.statistic)))
        if self.groups:
            typed = suppress(typed, self.groups, list(self.numbers), self.subgroups)
        return typed.sort(list(self.keys), nulls_last=False, maintain_order=True)


def _named(statistic: Statistic) -> dict[str, pl.Expr]:
    """What the numbers are, and where the recovered are counted, by which definition."""
    named = {"statistic_id": pl.lit(statistic.versioned_id, pl.String)}
    if statistic.of_recovery:
        named["recovery_definition_id"] = pl.lit(CONTRACT.default_definition.versioned_id, pl.String)
    return named


def columns(dtype: pl.DataType, *names: str) -> dict[str, pl.DataType]:
    """Columns of one type, for a layout."""
    return dict.fromkeys(names, dtype)


STRING, INTEGER, FLOAT, BOOLEAN = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
