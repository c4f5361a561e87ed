"""What de-identification did, in counts and names of columns, never values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = (
    "The files pass checks consistent with Safe Harbor column rules. Keys are made from identifiers at the source: "
    "unless those are random surrogates already, an expert has to determine that the risk is very small."
)
DAYS = (
    "Days are counted from the first date that these feeds hold for an episode (tables) or a patient (FHIR). Send the "
    "whole history of an episode each time: a call that is not given the first dates counts from other days."
)


@dataclass(frozen=True, slots=True)
class CleanedFile:
    """One file: ``left_out`` says how many records were not written and why, ``dropped`` what was filled in and where.

    ``dropped`` maps a column, or an element of a resource, as said in a sentence, to the records that had it.
    """

    name: str
    written_as: str
    records: int
    written: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the feeds."""

    out: str
    files: tuple[CleanedFile, ...]

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "out": self.out,
            "profile": "profile.yaml",
            "files": [
                {
                    "file": file.name,
                    "written_as": file.written_as,
                    "records": file.records,
                    "written": file.written,
                    "left_out": dict(file.left_out),
                    "dropped": dict(file.dropped),
                }
                for file in self.files
            ],
            "notes": [WORDS, DAYS],
        }

    def as_text(self) -> str:
        """For people."""
        lines = []
        for file in self.files:
            lines.append(f"{file.name}: {file.written:,} of {file.records:,} records written to {file.written_as}")
            lines.extend(f"  {rows:,} left out: {why}" for why, rows in file.left_out.items() if rows)
            lines.extend(f"  {column} dropped ({rows:,} filled in)" for column, rows in file.dropped.items())
        return "\n".join([*lines, WORDS, DAYS])
