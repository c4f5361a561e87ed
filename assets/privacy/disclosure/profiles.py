"""Profiles of disclosure control: what an audience may see, and how a count and a share are printed for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

MINIMUM_GROUP = 11
"""Smallest group, in patients or episodes, about which a number is published."""

ROUNDING_BASE = 5
"""Printed counts are multiples of it."""

HALF_BASE = ROUNDING_BASE // 2
SMALLEST_PRINTED = 15
"""11 and 12 are printed as 15, so that no count below the smallest group is ever printed."""

STAND_IN = ROUNDING_BASE
"""A part of 0 to 10 stands as this in an approximate share."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of reader may know.

    ``width``: what can be known of a hidden count must leave at least so many values. ``protects_parts``: numerators
    and complements of shares are held to the smallest group too, and a share of nobody or of everybody is not shown.
    """

    name: str
    width: int
    protects_parts: bool


INTERNAL = Profile("internal", width=5, protects_parts=False)
"""A clinic's own staff: groups of 1 to 10 are hidden, shares of larger groups are exact."""

PUBLIC = Profile("public", width=10, protects_parts=True)
"""Anybody: as the policy of the Centers for Medicare & Medicaid Services, and stricter for 0 and 100 percent."""


class ShareRule(IntEnum):
    """How a share is shown."""

    HIDDEN = 0
    APPROXIMATE = 1
    EXACT = 2


def is_small(sizes: ArrayLike) -> Bools:
    """Whether a size is one that nobody may see: 1 to 10. Nobody (0) is no group."""
    size = np.asarray(sizes)
    return np.asarray((size > 0) & (size < MINIMUM_GROUP))


def rounded_count(sizes: ArrayLike) -> Ints:
    """Counts as printed: multiples of 5, 11 and 12 as 15, and 0 as it is; -1 where 1 to 10 is not printed."""
    size = np.asarray(sizes, dtype=np.int64)
    printed = (size + HALF_BASE) // ROUNDING_BASE * ROUNDING_BASE
    return np.where(size == 0, 0, np.where(is_small(size), -1, np.maximum(printed, SMALLEST_PRINTED)))


def behind(printed: ArrayLike) -> tuple[Ints, Ints]:
    """Smallest and largest count that is printed so; of one that is not printed, 1 and 10."""
    shown = np.asarray(printed, dtype=np.int64)
    low = np.where(shown == SMALLEST_PRINTED, MINIMUM_GROUP, shown - HALF_BASE)
    high = shown + HALF_BASE
    none, small = shown == 0, shown < 0
    return (
        np.where(none, 0, np.where(small, 1, low)),
        np.where(none, 0, np.where(small, MINIMUM_GROUP - 1, high)),
    )


def policy_shows(part: ArrayLike, n: ArrayLike) -> Bools:
    """Cell suppression policy of CMS: a share is shown if neither n, nor the part, nor the rest of n is 1 to 10."""
    x, size = np.asarray(part), np.asarray(n)
    return np.asarray(~(is_small(size) | is_small(x) | is_small(size - x)))


def share_rule(part: ArrayLike, n: ArrayLike, profile: Profile) -> NDArray[np.int64]:
    """``ShareRule`` of each share ``part / n`` of groups that are not empty.

    Where parts are protected, both must be 11 or more for an exact share. The policy would allow 0 and 100 percent;
    they tell the result of everybody in the group, so a part of 0 is treated as one of 1 to 10.
    """
    x, size = np.asarray(part), np.asarray(n)
    if not profile.protects_parts:
        return np.where(is_small(size), ShareRule.HIDDEN, ShareRule.EXACT)
    low_part, low_rest = x < MINIMUM_GROUP, size - x < MINIMUM_GROUP
    shown = np.where(low_part | low_rest, ShareRule.APPROXIMATE, ShareRule.EXACT)
    return np.where((low_part & low_rest) | is_small(size), ShareRule.HIDDEN, shown)


def approximate_share(part: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Share from the printed size of the group, with its small part, or rest, standing as 5."""
    x = np.asarray(part)
    size = rounded_count(n)
    few = np.where(x < MINIMUM_GROUP, STAND_IN, size - STAND_IN)
    return np.asarray(np.divide(few, size, out=np.full(np.shape(few), np.nan), where=size > 0))
