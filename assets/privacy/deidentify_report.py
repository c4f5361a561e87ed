"""What de-identification did, in counts and names of columns, never values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.deliveries.problems import COLUMN_NAME, said_column

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = (
    "The files pass checks consistent with Safe Harbor column rules. Keys are made from identifiers at the source: "
    "unless those are random surrogates already, an expert has to determine that the risk is very small."
)
DAYS = (
    "Days are counted from the first date in the feeds of this call: name all feeds of the same patients in one call."
)


@dataclass(frozen=True, slots=True)
class CleanedFile:
    """One file: ``left_out`` says how many records were not written and why, ``dropped`` what was filled in and where.

    ``dropped`` maps a column, or an element of a resource, to the records that had it.
    """

    name: str
    written_as: str
    records: int
    written: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    is_resources: bool = False

    @property
    def said_dropped(self) -> dict[str, int]:
        """``dropped`` with columns as a sentence may name them."""
        names = enumerate(self.dropped.items(), start=1)
        if self.is_resources:
            return {f"element {name!r}": rows for _, (name, rows) in names if COLUMN_NAME.fullmatch(name)}
        return {said_column(name, position): rows for position, (name, rows) in names}


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
                    "dropped": file.said_dropped,
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
            lines.extend(f"  {column} dropped ({rows:,} filled in)" for column, rows in file.said_dropped.items())
        return "\n".join([*lines, WORDS, DAYS])
