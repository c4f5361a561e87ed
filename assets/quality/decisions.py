"""Decisions of people, kept as lines of a file of the home that only ever grows: one JSON object per line.

A line is appended whole or not at all, and never rewritten. A line that cannot be used is named by its number, and by
those of its fields that cannot be used; what stands in it is not said.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from pydantic import BaseModel, StringConstraints, ValidationError

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

SHORTEST_REASON = 10
LONGEST_TEXT = 500

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=SHORTEST_REASON, max_length=LONGEST_TEXT)]

D = TypeVar("D", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DecisionFile(Generic[D]):
    """The decisions of one kind: ``kind`` as in "not a waiver", ``code`` of the problems with them."""

    name: str
    kind: str
    code: str
    model: type[D]

    def read(self, home: Path) -> tuple[D, ...]:
        """Every decision of a home, in the order in which they were added.

        Raises:
            InputProblem: naming the line that cannot be used.

        """
        path = home / self.name
        if not path.exists():
            return ()
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise InputProblem(
                self.code, self.name, "the file cannot be read", "Check its permissions and encoding"
            ) from None
        return tuple(self._parsed(line, number) for number, line in enumerate(lines, start=1) if line.strip())

    def add(self, home: Path, decision: D) -> None:
        """Append a decision, whole or not at all.

        Raises:
            InputProblem: a line of the file is broken, or the file cannot be written.

        """
        self.read(home)
        line = (decision.model_dump_json(exclude_none=True) + "\n").encode()
        try:
            descriptor = os.open(home / self.name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            raise InputProblem(self.code, self.name, "the file cannot be written", "Check its permissions") from None

    def said(self, error: ValidationError) -> str:
        """Name the fields of ours that cannot be used, without what they hold."""
        named = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
        fields = sorted(named & set(self.model.model_fields))
        return f"not a {self.kind}: {', '.join(fields)} cannot be used" if fields else f"not a {self.kind}"

    def _parsed(self, line: str, number: int) -> D:
        try:
            return self.model.model_validate_json(line)
        except ValidationError as error:
            raise InputProblem(
                self.code,
                f"{self.name}, line {number}",
                self.said(error),
                "Correct this line; the file is never rewritten by us",
            ) from None
