"""The published frames about clinics, indexed by condition and clinic (null: all)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dashboards.published import ALL_PERIODS
from dashboards.words import ANY_CARE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboards.published import Published, Row

Place = tuple[str | None, str | None]
RECOVERED = "recovered"
"""Outcome of the case-mix models and series of the charts over time."""
MONTH, YEAR = "month", "year"


@dataclass(frozen=True)
class ClinicFrames:
    """Rows of the published frames by place: (condition, clinic)."""

    published: Published

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing about clinics to show."""
        names = ("clinic_funnel", "clinic_adjusted", "completion", "outcome_over_time", "provider_gain")
        return not any(self.published.rows(name) for name in names)

    @cached_property
    def funnel(self) -> dict[Place, Row]:
        """Recovery by the definition in force, with limits and zone."""
        return {_place(row): row for row in self._recovery("clinic_funnel")}

    @cached_property
    def lines(self) -> dict[str | None, list[Row]]:
        """Lines of the funnels, in order of size."""
        return _grouped(self._recovery("funnel_line"), lambda row: row["condition_id"], lambda row: row["at_n"] or 0)

    @cached_property
    def spread(self) -> dict[str | None, Row]:
        """How much clinics differ, by condition."""
        return {row["condition_id"]: row for row in self._recovery("clinic_spread")}

    @cached_property
    def shrunken(self) -> dict[Place, Row]:
        """Recovery pulled towards the network."""
        return {_place(row): row for row in self._recovery("clinic_shrunken")}

    @cached_property
    def adjusted(self) -> dict[tuple[str | None, str | None, str], Row]:
        """Observed and expected, by place and outcome."""
        return {(*_place(row), row["outcome_id"]): row for row in self.published.rows("clinic_adjusted")}

    @cached_property
    def models(self) -> dict[str | None, list[Row]]:
        """Cards of the case-mix models, by condition."""
        return _grouped(self.published.rows("case_mix_model"), lambda row: row["condition_id"])

    @cached_property
    def calibration(self) -> dict[str | None, list[Row]]:
        """Calibration of the models of recovery, by condition, in order of parts."""
        rows = [row for row in self.published.rows("case_mix_calibration") if row["outcome_id"] == RECOVERED]
        return _grouped(rows, lambda row: row["condition_id"], lambda row: row["part"])

    @cached_property
    def completion(self) -> dict[tuple[str | None, str | None, str], Row]:
        """Share of closed episodes with a score, by place and stage; any care, all periods."""
        return {
            (*_place(row), row["stage"]): row
            for row in self.published.rows("completion")
            if row["care"] == ANY_CARE and row["period"] == ALL_PERIODS
        }

    @cached_property
    def sensitivity(self) -> dict[Place, Row]:
        """What unknown outcomes could change."""
        return {_place(row): row for row in self.published.rows("completion_sensitivity")}

    @cached_property
    def over_time(self) -> dict[Place, list[Row]]:
        """Recovery by period: by month where a month has enough patients, else by year."""
        rows = [row for row in self.published.rows("outcome_over_time") if row["series"] == RECOVERED]
        by_unit = {
            unit: _grouped([row for row in rows if row["time_unit"] == unit], _place, lambda row: row["period"])
            for unit in (YEAR, MONTH)
        }
        return {**by_unit[YEAR], **by_unit[MONTH]}

    @cached_property
    def signals(self) -> dict[Place, dict[str, Row]]:
        """What each series of a place says, in the unit in which recovery is drawn."""
        rows = self.published.rows("outcome_signal")
        dated = any(row["time_unit"] == MONTH for row in rows)
        found: dict[Place, dict[str, Row]] = {}
        for row in rows:
            drawn = self.over_time.get(_place(row))
            unit = drawn[0]["time_unit"] if drawn else (MONTH if dated else YEAR)
            if row["time_unit"] == unit:
                found.setdefault(_place(row), {})[row["series"]] = row
        return found

    @cached_property
    def measures(self) -> list[Row]:
        """Public measures and conditions without one (``measure_id`` none), in order."""
        return self.published.rows("public_measure_definition")

    @cached_property
    def public(self) -> dict[tuple[str, str, str | None], Row]:
        """Public measures by measure, region and clinic (null: all)."""
        rows = self.published.rows("public_measure")
        return {(row["measure_id"], row["region"], row["clinic_key"]): row for row in rows}

    @cached_property
    def gains(self) -> dict[tuple[Any, ...], list[Row]]:
        """Adjusted gains by measure, planned day and earlier operations."""
        rows = self.published.rows("provider_gain")
        return _grouped(rows, lambda row: (row["measure_id"], row["planned_day"], row["earlier_operations"]))

    def _recovery(self, name: str) -> list[Row]:
        default = self.published.default_definition
        return [row for row in self.published.rows(name) if row["outcome_id"] == default]


def _place(row: Row) -> Place:
    return row["condition_id"], row["clinic_key"]


def _grouped(
    rows: list[Row], key: Callable[[Row], Any], order: Callable[[Row], Any] | None = None
) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=order) if order else rows:
        found.setdefault(key(row), []).append(row)
    return found
