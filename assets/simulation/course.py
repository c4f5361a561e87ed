"""Natural course: how pain falls over the weeks when nothing in particular is done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Course:
    """Pain on a 0-100 scale over time: ``floor + sum(amplitude * exp(-weeks / time))``.

    ``parts`` holds (amplitude in points of 100, time in weeks). ``verified`` is False where the curve is an
    assumption and not a fit to published numbers.
    """

    floor: float
    parts: tuple[tuple[float, float], ...]
    source: str
    verified: bool = False

    def pain(self, weeks: Floats) -> Floats:
        """Return pain (0-100) at ``weeks``; same shape as ``weeks``."""
        pain = np.full_like(weeks, self.floor)
        for amplitude, time in self.parts:
            pain += amplitude * np.exp(-weeks / time)
        return pain

    def share(self, weeks: Floats) -> Floats:
        """Return pain at ``weeks`` as a share of pain at week 0; same shape as ``weeks``."""
        return self.pain(weeks) / self.pain(np.zeros(1))
