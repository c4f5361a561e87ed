"""Carries the attack out on written files, and judges by the exact counts what it has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.privacy.disclosure.profiles import MINIMUM_GROUP, ROUNDING_BASE
from tests.privacy.attack.adversary import Attack, Knowledge, Printing, read, relate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.privacy.attack.conftest import Release

PROGRAMS = 150
"""Linear programs of an attack: those hidden counts that are closest to being found."""
EXACT = Printing(MINIMUM_GROUP, 1)
ROUNDED = Printing(MINIMUM_GROUP, ROUNDING_BASE)

Truth = dict[tuple[str, tuple[str, ...]], tuple[int, int]]
"""Who and where -> the exact count, twice where it stands in a table, and less where it does not."""


def attack(printing: Printing, *releases: Mapping[str, pl.DataFrame]) -> Attack:
    knowledge = Knowledge(printing)
    for number, tables in enumerate(releases):
        read(knowledge, tables, number)
    relate(knowledge)
    made = Attack(knowledge)
    made.propagate()
    return made


def as_text(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: frame.with_columns(pl.all().cast(pl.String)) for name, frame in frames.items()}


def truth_of(release: Release) -> Truth:
    exact = Knowledge(EXACT)
    read(exact, as_text(release.exact))
    return {key[1:]: (exact.low[number], exact.high[number]) for key, number in exact.index.items()}


def found(made: Attack, width: int, *truths: Truth) -> list[str]:
    """Hidden groups of 1 to 10 that are found: where nobody is, nobody has to be kept from, and more may be told."""
    small = {
        (number, *where)
        for number, truth in enumerate(truths)
        for where, (low, high) in truth.items()
        if high > 0 and low < MINIMUM_GROUP
    }
    return [str(one) for one in made.pinned(width) if one.hidden.unknown in small]
