"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Verdict(StrEnum):
    """Whether something has to be done."""

    GOOD = "good"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a topic, and what to do about it, which a good one does not need."""

    verdict: Verdict
    found: str
    to_do: str = ""
    topic: str = ""

    def __str__(self) -> str:
        """One line: verdict, topic, what was found, what to do."""
        return f"{self.verdict:<5}  {self.topic:<13}  {self.found}." + (f" {self.to_do}." if self.to_do else "")


def good(found: str) -> Finding:
    """Nothing to do."""
    return Finding(Verdict.GOOD, found)


def note(found: str, to_do: str = "") -> Finding:
    """Worth knowing; nothing has to be done."""
    return Finding(Verdict.NOTE, found, to_do)


def wrong(found: str, to_do: str) -> Finding:
    """Something has to be done."""
    return Finding(Verdict.WRONG, found, to_do)


def looked(topic: str, look: Callable[[], Iterable[Finding]]) -> tuple[Finding, ...]:
    """What one look finds; one that cannot go on says so, for the looks after it are worth as much."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except InputProblem as problem:
        found.append(wrong(f"{problem.where}: {problem.what}", problem.remedy))
    except OSError:
        found.append(wrong("this could not be looked at", "Call the doctor as the account that runs work as"))
    return tuple(replace(one, topic=topic) for one in found)
