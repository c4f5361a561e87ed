"""Who is followed from which day, and what happened to them: counts by day for everything about time to recovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.frames import INTEGER, STRING, columns
from assets.outcomes.methods.survival import Risk, risk_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract

LAST_DAY = 168
"""Last day, since the first visit, that is looked at (week 24); who is followed longer stays at risk on it."""
DAYS = np.arange(LAST_DAY + 1)

RECOVERED, LEFT, OPEN, UNKNOWN = "recovered", "left", "open", "unknown"
KINDS = (RECOVERED, LEFT, OPEN)
"""Kinds of event that count. ``unknown``: motion was never measured, so there is no event and no honest censoring."""

CELL = {**columns(STRING, "condition_id", "clinic_key", "care"), **columns(INTEGER, "from_day")}
"""Group whose episodes are followed together, all at risk after ``from_day``."""

FOLLOWED, AT_RISK = "followed", "at_risk"


@dataclass(frozen=True, slots=True)
class Followed:
    """Groups in order, one row each with the columns of ``CELL``, and their counts by day (groups, ``DAYS``)."""

    cells: pl.DataFrame
    risk: Risk

    @property
    def size(self) -> NDArray[np.int64]:
        """Episodes of each group."""
        return self.risk.entering[:, 0]


def followed(event_count: pl.DataFrame, contract: Contract) -> Followed:
    """Return counts by group and day under the default definition; what happens after the last day is not looked at.

    Raises:
        ValueError: an unknown kind of event, or an event without a day, before day 0, not after the landmark day from
            which its group is followed, or with a negative count.

    """
    counts = _checked(event_count.filter(pl.col("definition_id") == contract.default_definition.definition_id))
    keys = list(CELL)
    cells = counts.select(pl.col(name).cast(dtype) for name, dtype in CELL.items()).unique()
    cells = cells.sort(keys, nulls_last=False)
    placed = counts.with_columns(pl.col("from_day").cast(pl.Int64))
    placed = placed.join(cells.with_row_index("cell"), on=keys, how="left", nulls_equal=True)
    kind = placed["event_kind"].replace_strict(KINDS, range(len(KINDS)), return_dtype=pl.Int64).to_numpy()
    day = np.minimum(placed["event_day"].to_numpy(), LAST_DAY + 1)
    table = np.zeros((len(cells), len(KINDS), LAST_DAY + 2), dtype=np.int64)
    np.add.at(table, (placed["cell"].to_numpy(), kind, day), placed["episodes"].to_numpy())
    recovered, left, still_open = (table[:, position, :-1] for position in range(len(KINDS)))
    return Followed(cells, risk_table(recovered, left, still_open, table[:, :, -1].sum(axis=1)))


def _checked(counts: pl.DataFrame) -> pl.DataFrame:
    """Rows whose episodes are followed."""
    strange = set(counts["event_kind"].drop_nulls().unique()) - {*KINDS, UNKNOWN}
    if strange:
        message = f"unknown kind of event: {', '.join(sorted(strange))}"
        raise ValueError(message)
    kept = counts.filter(pl.col("event_kind").is_in(KINDS))
    day, start, episodes = kept["event_day"], kept["from_day"], kept["episodes"]
    if any(column.null_count() for column in (day, start, episodes)) or (day < 0).any() or (episodes < 0).any():
        message = "an event has no day, lies before day 0 or has no count"
        raise ValueError(message)
    if ((start != 0) & (day <= start)).any():
        message = "an event lies before the day from which its group is followed"
        raise ValueError(message)
    return kept
