"""The published frames of the page on recovery, indexed by what its filters choose (null: all)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from dashboards.care_words import SUBGROUPS, in_order
from dashboards.clinic_words import depends
from dashboards.published import ALL_PERIODS
from dashboards.words import ANY_CARE, UNKNOWN_REASONS

if TYPE_CHECKING:
    from dashboards.published import Published, Row

Place = tuple[str | None, str | None]
"""Condition and clinic."""
Cell = tuple[str | None, str | None, str, str]
"""Condition, clinic, care and period."""
POPULATION, RECOVERED = "population", "recovered"
MONTH, YEAR = "month", "year"


@dataclass(frozen=True)
class RecoveryFrames:
    """Rows of the published frames, by condition, clinic, care and period."""

    published: Published

    @cached_property
    def rates(self) -> dict[tuple[str | None, str | None, str, str, str], Row]:
        """Recovery, by cell and definition."""
        rows = self.published.rows("recovery_by_condition")
        return {(*_cell(row), row["definition_id"]): row for row in rows}

    @cached_property
    def pain(self) -> dict[Cell, Row]:
        """Change in pain."""
        return {_cell(row): row for row in self.published.rows("pain_change")}

    @cached_property
    def motion(self) -> dict[Cell, Row]:
        """Range of motion."""
        return {_cell(row): row for row in self.published.rows("rom_change")}

    @cached_property
    def times(self) -> dict[tuple[str | None, str | None, str], Row]:
        """Time to recovery, by condition, clinic and care."""
        return {(*_place(row), row["care"]): row for row in self.published.rows("recovery_time")}

    @cached_property
    def funnel(self) -> dict[Place, Row]:
        """Where clinics lie, by the definition in force."""
        return {_place(row): row for row in self._in_force("clinic_funnel")}

    @cached_property
    def lines(self) -> dict[str | None, list[Row]]:
        """Lines of the funnels by condition, in order of size."""
        found: dict[str | None, list[Row]] = {}
        for row in sorted(self._in_force("funnel_line"), key=lambda row: row["at_n"] or 0):
            found.setdefault(row["condition_id"], []).append(row)
        return found

    @cached_property
    def over_time(self) -> dict[tuple[str, str | None, str | None], list[Row]]:
        """Recovery by period of the first visit, by time unit and place."""
        found: dict[tuple[str, str | None, str | None], list[Row]] = {}
        for row in sorted(self._series("outcome_over_time"), key=lambda row: row["period"]):
            found.setdefault((row["time_unit"], *_place(row)), []).append(row)
        return found

    @cached_property
    def signals(self) -> dict[tuple[str, str | None, str | None], Row]:
        """What the charts over time say."""
        return {(row["time_unit"], *_place(row)): row for row in self._series("outcome_signal")}

    @cached_property
    def populations(self) -> list[str]:
        """Groups of patients that occur, in their fixed order."""
        found = {group for _, group in self.groups}
        return in_order(SUBGROUPS[POPULATION], found)

    @cached_property
    def groups(self) -> dict[tuple[str | None, str], Row]:
        """Outcomes by condition and group of patients; all clinics, all years, any care."""
        rows = self.published.rows("subgroup_outcome")
        return {(row["condition_id"], row["subgroup"]): row for row in rows if row["dimension"] == POPULATION}

    @cached_property
    def reasons(self) -> dict[Place, list[Row]]:
        """Reasons for unknown outcomes, in the order in which pages list them; all years, any care."""
        order = list(UNKNOWN_REASONS)
        found: dict[Place, list[Row]] = {}
        for row in sorted(
            self.published.rows("unknown_reason"), key=lambda row: (*order, row["reason"]).index(row["reason"])
        ):
            found.setdefault(_place(row), []).append(row)
        return found

    @cached_property
    def dependent(self) -> set[Place]:
        """Where another definition of recovery says something else."""
        return {place for place, rows in self.published.conclusions.items() if depends(rows)}

    @cached_property
    def periods(self) -> list[str]:
        """All years, then the years of which the network as a whole is shown, the latest first."""
        default = self.published.default_definition
        years = [
            period
            for (condition, clinic, care, period, definition), row in self.rates.items()
            if (condition, clinic, care, definition) == (None, None, ANY_CARE, default)
            and period != ALL_PERIODS
            and not row["suppressed"]
        ]
        return [ALL_PERIODS, *sorted(years, reverse=True)]

    def has(self, name: str, column: str) -> bool:
        """Whether a frame has any number in a column: a chart of none would only hide what there is."""
        frame = self.published.frames.get(name)
        return frame is not None and frame[column].null_count() < len(frame)

    @property
    def has_recovery(self) -> bool:
        """Whether any recovery is known by the definition in force; a feed may measure too little for it."""
        default = self.published.default_definition
        return any(row["rate"] is not None for key, row in self.rates.items() if key[-1] == default)

    def _in_force(self, name: str) -> list[Row]:
        default = self.published.default_definition
        return [row for row in self.published.rows(name) if row["outcome_id"] == default]

    def _series(self, name: str) -> list[Row]:
        frame = self.published.frames.get(name)
        return [] if frame is None else frame.filter(pl.col("series") == RECOVERED).to_dicts()


def _place(row: Row) -> Place:
    return row["condition_id"], row["clinic_key"]


def _cell(row: Row) -> Cell:
    return row["condition_id"], row["clinic_key"], row["care"], row["period"]
