"""Decisions of people, kept as entries of the ledger: what was decided, by whom, why and when.

An entry that cannot be used is named by its line, and by those of its fields that cannot be used; what stands in it is
not said. Homes of before the ledger kept each kind in a file of its own, which is taken over once and renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from assets.audit.ledger import FILE, FOLDER, append, entries
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.audit.ledger import Entry

SHORTEST_REASON = 10
LONGEST_TEXT = 500
TAKEN_FROM = "taken_from"
"""The field of an entry that says from which line of which earlier file it was taken over."""
TAKEN = ".taken-into-the-ledger"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=SHORTEST_REASON, max_length=LONGEST_TEXT)]


class Decision(BaseModel):
    """What every decision says: who answers for it, why, and when it was taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Name
    because: Reason
    added: AwareDatetime


D = TypeVar("D", bound=Decision)


@dataclass(frozen=True, slots=True)
class Decisions(Generic[D]):
    """The decisions of one kind: ``kind`` of their entries, ``code`` of the problems with them.

    ``earlier`` is the file that held them before there was a ledger.
    """

    kind: str
    code: str
    model: type[D]
    earlier: str | None = None

    def read(self, home: Path) -> tuple[D, ...]:
        """Every decision of a home, in the order in which they were added.

        Raises:
            InputProblem: naming the line that cannot be used.

        """
        self._take_over(home)
        return tuple(self._decided(entry) for entry in entries(home) if entry.kind == self.kind)

    def add(self, home: Path, decision: D) -> Entry:
        """Add a decision to the ledger, whole or not at all.

        Raises:
            InputProblem: a line of the ledger is broken, or it cannot be written.

        """
        self.read(home)
        return append(home, self.kind, _body(decision), decision.by, decision.added)

    def said(self, error: ValidationError) -> str:
        """Name the fields of ours that cannot be used, without what they hold."""
        named = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
        fields = sorted(named & set(self.model.model_fields))
        return f"not a {self.kind}: {', '.join(fields)} cannot be used" if fields else f"not a {self.kind}"

    def _decided(self, entry: Entry) -> D:
        content = {name: value for name, value in entry.body.items() if name != TAKEN_FROM}
        try:
            return self.model.model_validate(content)
        except ValidationError as error:
            raise InputProblem(
                self.code,
                f"{FOLDER}/{FILE}, line {entry.number}",
                self.said(error),
                "Work with the version of this program that wrote it, or a later one; no line is ever rewritten",
            ) from None

    def _take_over(self, home: Path) -> None:
        """Move what an earlier file holds into the ledger; after a crash, only what is not there yet."""
        if self.earlier is None or not (home / self.earlier).exists():
            return
        known = {entry.body.get(TAKEN_FROM) for entry in entries(home) if entry.kind == self.kind}
        for place, decision in tuple(self._earlier(home / self.earlier)):
            if place not in known:
                append(home, self.kind, _body(decision) | {TAKEN_FROM: place}, decision.by)
        (home / self.earlier).rename(home / f"{self.earlier}{TAKEN}")

    def _earlier(self, path: Path) -> Iterator[tuple[str, D]]:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise InputProblem(
                self.code, path.name, "the file cannot be read", "Check its permissions and encoding"
            ) from None
        for number, line in enumerate(lines, start=1):
            if line.strip():
                place = f"{path.name}, line {number}"
                try:
                    yield place, self.model.model_validate_json(line)
                except ValidationError as error:
                    raise InputProblem(
                        self.code, place, self.said(error), "Correct this line; the file is never rewritten by us"
                    ) from None


def _body(decision: Decision) -> dict[str, Any]:
    return decision.model_dump(mode="json", exclude_none=True)
