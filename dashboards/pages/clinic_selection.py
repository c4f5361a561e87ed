"""What is selected on the page of clinics: one clinic, one condition or all, and the words for both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dashboards.markup import clean
from dashboards.words import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.pages.clinic_frames import ClinicFrames
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

HIDDEN = "not shown"
MOST_ROWS = 40
"""A chart with a row for each clinic is drawn up to this number of them."""


@dataclass(frozen=True)
class Selection:
    """A clinic (null: what is the same for all of them) and a condition (null: all)."""

    frames: ClinicFrames
    meta: SiteMeta
    clinic: str | None
    condition: str | None

    @property
    def clinics(self) -> list[tuple[str, str]]:
        """Key and label of all clinics, alphabetical; those without names come last."""
        return [*self.frames.published.clinics, *self.frames.published.peers]

    @property
    def label(self) -> str:
        """The clinic's label."""
        return dict(self.clinics).get(self.clinic or "", "")

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Condition and clinic, as frames are indexed."""
        return self.condition, self.clinic

    @property
    def condition_words(self) -> str:
        """The condition inside a sentence."""
        if self.condition is None:
            return "all conditions together"
        return self.frames.published.condition_in_sentence(self.condition)

    @cached_property
    def conclusions(self) -> list[Row]:
        """What is concluded about the clinic under each definition."""
        return self.conclusions_of(self.clinic)

    def conclusions_of(self, clinic: str | None) -> list[Row]:
        """What is concluded about any clinic."""
        return self.frames.published.conclusions.get((self.condition, clinic), [])

    def of(self, rows: Mapping[Any, Row], *more: str) -> list[tuple[str, str, Row | None]]:
        """Key, label and row of each clinic; one without a name only where it has a row."""
        found = [(key, label, rows.get((self.condition, key, *more))) for key, label in self.clinics]
        unnamed = {key for key, _ in self.frames.published.peers}
        return [item for item in found if item[2] is not None or item[0] not in unnamed]

    @property
    def conditions(self) -> list[tuple[str | None, str]]:
        """Key and label of all conditions together, and of each."""
        return [(None, "All conditions"), *self.frames.published.conditions]


def condition_label(frames: ClinicFrames, condition: str) -> str:
    """What a condition is called."""
    known = {item.condition_id: clean(item.label) for item in frames.published.contract.conditions}
    return dict(frames.published.conditions).get(condition, known.get(condition, clean(condition)))


def drill(key: str | None, label: str) -> str | list[str]:
    """The first cell of a row that chooses its subject; nothing is chosen by that of all."""
    return label if key is None else [clean(key), label]


def scaled(value: float | None, scale: int) -> float | None:
    """Return a number in the unit in which it is shown."""
    return None if value is None else rounded(value * scale)
