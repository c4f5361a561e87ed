"""The published frames about clinics, indexed by condition and clinic (null: all)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dashboards.clinic_words import ALONE
from dashboards.published import ALL_PERIODS
from dashboards.words import ANY_CARE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboards.published import Published, Row

Place = tuple[str | None, str | None]
RECOVERED = "recovered"
"""Outcome of the case-mix models and series of the charts over time."""
PAIN = "pain_change"
"""Outcome of the funnels and models, and series of the charts: the mean fall in pain."""
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
        return _compared(self._recovery("clinic_funnel"))

    @cached_property
    def lines(self) -> dict[str | None, list[Row]]:
        """Lines of the funnels of recovery, in order of size."""
        return _by_size(self._recovery("funnel_line"))

    @cached_property
    def pain_funnel(self) -> dict[Place, Row]:
        """Mean fall in pain, with limits and zone."""
        return _compared(self._outcome("clinic_funnel", PAIN))

    @cached_property
    def pain_lines(self) -> dict[str | None, list[Row]]:
        """Lines of the funnels of the fall in pain, in order of size."""
        return _by_size(self._outcome("funnel_line", PAIN))

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
    def charted(self) -> dict[tuple[str | None, str | None, str], list[Row]]:
        """Outcomes by period, by place and series: by month where a month has enough patients, else by year."""
        rows = self.published.rows("outcome_over_time")
        by_unit = {
            unit: _grouped(
                [row for row in rows if row["time_unit"] == unit],
                lambda row: (*_place(row), row["series"]),
                lambda row: row["period"],
            )
            for unit in (YEAR, MONTH)
        }
        return {**by_unit[YEAR], **by_unit[MONTH]}

    @cached_property
    def over_time(self) -> dict[Place, list[Row]]:
        """Recovery by period."""
        found = self.charted.items()
        return {(condition, clinic): rows for (condition, clinic, series), rows in found if series == RECOVERED}

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
        return self._outcome(name, self.published.default_definition)

    def _outcome(self, name: str, outcome: str) -> list[Row]:
        return [row for row in self.published.rows(name) if row["outcome_id"] == outcome]


def _compared(rows: list[Row]) -> dict[Place, Row]:
    """Rows of one outcome by place; a clinic that is alone with a condition is the network, and as expected of it."""
    clinics = Counter(row["condition_id"] for row in rows)
    alone = {"zone": None, "not_compared": ALONE}
    return {_place(row): row | alone if clinics[row["condition_id"]] == 1 else row for row in rows}


def _by_size(rows: list[Row]) -> dict[str | None, list[Row]]:
    return _grouped(rows, lambda row: row["condition_id"], lambda row: row["at_n"] or 0)


def _place(row: Row) -> Place:
    return row["condition_id"], row["clinic_key"]


def _grouped(
    rows: list[Row], key: Callable[[Row], Any], order: Callable[[Row], Any] | None = None
) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=order) if order else rows:
        found.setdefault(key(row), []).append(row)
    return found
