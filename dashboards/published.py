"""The published frames, indexed for pages. Missing and empty frames are the normal state of a first run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from dashboards.markup import clean
from dashboards.words import ANY_CARE, ROUTINE_CARE, care_label, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import Contract

Row = dict[str, Any]
ALL_PERIODS = "all"
PEER = "another clinic"
"""How the key of a clinic without a name begins, before a space, which no key of a feed has, and a number."""
DIMENSIONS = ("condition_id", "clinic_key", "care")


@dataclass(frozen=True)
class Published:
    """Frames by name, with the contract they obey."""

    frames: Mapping[str, pl.DataFrame]
    contract: Contract

    def rows(self, name: str) -> list[Row]:
        """All rows of a frame; none if it was not published."""
        frame = self.frames.get(name)
        return [] if frame is None else frame.to_dicts()

    @cached_property
    def default_definition(self) -> str:
        """The recovery definition in force."""
        return self.contract.default_definition.definition_id

    @cached_property
    def rates(self) -> dict[tuple[Any, ...], Row]:
        """Recovery by condition, clinic, care and definition, all periods together."""
        rows = self._all_periods("recovery_by_condition")
        return {(*_dimensions(row), row["definition_id"]): row for row in rows}

    @cached_property
    def pain(self) -> dict[tuple[Any, ...], Row]:
        """Change in pain by condition, clinic and care, all periods together."""
        return self._by_dimensions("pain_change")

    @cached_property
    def curves(self) -> dict[tuple[Any, ...], list[Row]]:
        """Recovery curves by condition, clinic and care, each in order of days."""
        curves: dict[tuple[Any, ...], list[Row]] = {}
        for row in sorted(self.rows("recovery_curve"), key=lambda row: row["day"]):
            curves.setdefault(_dimensions(row), []).append(row)
        return curves

    @cached_property
    def scores(self) -> dict[str, list[Row]]:
        """Mean scores of all conditions together, by measure."""
        return self._by_measure("measure_summary")

    @cached_property
    def responses(self) -> dict[str, list[Row]]:
        """Responders of all conditions together, by measure."""
        return self._by_measure("response")

    @cached_property
    def conclusions(self) -> dict[tuple[str | None, str | None], list[Row]]:
        """What is concluded under each definition of recovery, by condition and clinic (null: all)."""
        found: dict[tuple[str | None, str | None], list[Row]] = {}
        for row in self.rows("definition_sensitivity"):
            found.setdefault((row["condition_id"], row["clinic_key"]), []).append(row)
        return found

    @cached_property
    def clinics(self) -> list[tuple[str, str]]:
        """Key and label of every clinic, in alphabetical order of labels."""
        labels = {row["clinic_key"]: clean(row["label"] or row["clinic_key"]) for row in self.rows("clinic")}
        for key in self._values("clinic_key", "recovery_by_condition"):
            labels.setdefault(key, clean(key))
        return sorted(labels.items(), key=lambda item: (item[1].casefold(), item[0]))

    @cached_property
    def peers(self) -> list[tuple[str, str]]:
        """Key and label of the clinics without names, in the order drawn for them; none where all have names."""
        found = [key for key in self._values("clinic_key", "clinic_funnel") if key.startswith(f"{PEER} ")]
        return [(key, key) for key in sorted(found, key=lambda key: (len(key), key))]

    @cached_property
    def conditions(self) -> list[tuple[str, str]]:
        """Key and label of the conditions that occur, in the fixed order of the contract."""
        present = self._values("condition_id", "recovery_by_condition")
        known = [item.condition_id for item in self.contract.conditions]
        labels = {item.condition_id: item.label for item in self.contract.conditions}
        order = [key for key in known if key in present] + sorted(present - set(known))
        return [(key, clean(labels.get(key, spoken(key)))) for key in order]

    def condition_in_sentence(self, condition_id: str) -> str:
        """A condition's name as it stands within a sentence."""
        names = {item.condition_id: item.sentence_label for item in self.contract.conditions}
        return clean(names.get(condition_id, spoken(condition_id)))

    @cached_property
    def care(self) -> list[str]:
        """Values of ``care`` that occur: any, the routine ones, then trial arms in alphabetical order."""
        present = self._values("care", "recovery_by_condition", "measure_summary", "response") - {ANY_CARE}
        routine = [care for care in ROUTINE_CARE if care in present]
        return [ANY_CARE, *routine, *sorted(present - set(routine))]

    @cached_property
    def is_trial(self) -> bool:
        """Whether care was assigned: some value of ``care`` is an arm."""
        return any(care not in ROUTINE_CARE for care in self.care[1:])

    def care_name(self, care: str) -> str:
        """What a value of ``care`` is called: a trial has arms."""
        return "All arms" if self.is_trial and care == ANY_CARE else care_label(care)

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is no outcome at all to show."""
        return not self._has_rows("recovery_by_condition") and not self._has_rows("measure_summary")

    def _by_dimensions(self, name: str) -> dict[tuple[Any, ...], Row]:
        return {_dimensions(row): row for row in self._all_periods(name)}

    def _by_measure(self, name: str) -> dict[str, list[Row]]:
        frame = self.frames.get(name)
        rows = [] if frame is None else frame.filter(pl.col("condition_id").is_null()).to_dicts()
        measures: dict[str, list[Row]] = {}
        for row in rows:
            measures.setdefault(row["measure_id"], []).append(row)
        return measures

    def _all_periods(self, name: str) -> list[Row]:
        frame = self.frames.get(name)
        return [] if frame is None else frame.filter(pl.col("period") == ALL_PERIODS).to_dicts()

    def _values(self, column: str, *names: str) -> set[str]:
        frames = (self.frames[name] for name in names if name in self.frames)
        return {value for frame in frames for value in frame[column].unique() if value is not None}

    def _has_rows(self, name: str) -> bool:
        return name in self.frames and len(self.frames[name]) > 0


def _dimensions(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in DIMENSIONS)
