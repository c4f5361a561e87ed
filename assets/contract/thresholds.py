"""How much a check may find before it warns or fails: a number with its reason, its owner and its date.

``thresholds.csv`` holds one line per threshold. ``pattern`` is ``kind:`` with a type of check, the id of a check, or a
part of an id with ``*``. The last line that fits a check counts, so the file goes from the general to the special.
A number is a share of the evaluated rows, or for drift the largest score that is not reported. People change one for
their own home with a decision (``needlepoint audit threshold``), and never by editing a rule.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).parent / "thresholds.csv"
KIND = "kind:"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One line of the file."""

    pattern: str
    value: float
    reason: str
    owner: str
    since: date

    def fits(self, check_id: str, kind: str) -> bool:
        """Whether this threshold is for the check."""
        if self.pattern.startswith(KIND):
            return self.pattern == f"{KIND}{kind}"
        return fnmatchcase(check_id, self.pattern)


def read_thresholds(path: Path) -> tuple[Threshold, ...]:
    """Every line of a file of thresholds, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Threshold(
                row["pattern"], float(row["value"]), row["reason"], row["owner"], date.fromisoformat(row["since"])
            )
            for row in csv.DictReader(file)
        )


THRESHOLDS = read_thresholds(FILE)


@cache
def threshold(check_id: str, kind: str) -> Threshold:
    """Return the threshold of a check; ``kind`` is the value of its ``Kind``."""
    return next(one for one in reversed(THRESHOLDS) if one.fits(check_id, kind))


def tolerance(check_id: str, kind: str, decided: Mapping[str, float]) -> float:
    """Return the number in force: what people of this home decided (``Contract.thresholds``), else that of the file."""
    return decided.get(check_id, threshold(check_id, kind).value)
