"""What a reader of the tables knows of each cell by looking, given which cells are hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from assets.outcomes.methods.proportions import wilson
from assets.privacy.disclosure.bounds import propagated
from assets.privacy.disclosure.cells import NO_CELL, UNLIMITED, Share, Table, decimals
from assets.privacy.disclosure.profiles import (
    MINIMUM_GROUP,
    ROUNDING_BASE,
    Profile,
    ShareRule,
    behind,
    rounded_count,
    share_rule,
)
from assets.privacy.disclosure.relations import Relations, stacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from assets.privacy.disclosure.cells import Cells

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Value = TypeVar("Value", bound=np.generic)

LARGEST_ENUMERATED = 400
"""Beyond, a share of two decimals agrees with every size that is rounded to the same."""
DRAWN = 8
"""Times that limits are drawn through relations and pairs in turn: they seldom move after the third."""
SLACK = 1e-9
"""Room for the binary representation of a printed number."""


class Knowledge(NamedTuple):
    """Limits of each cell, the relations that printed shares add, which cells are printed, and the shares."""

    low: Floats
    high: Floats
    relations: Relations
    printed: Bools
    shares: tuple[_Printed, ...]

    def drawn(self, relations: Relations) -> tuple[Floats, Floats]:
        """Limits drawn through the relations and, what these leave of them, through the pairs behind each share."""
        low, high = propagated(relations, self.low, self.high)
        for _ in range(DRAWN):
            paired_low, paired_high = low.copy(), high.copy()
            for share in self.shares:
                _enumerate(share, paired_low, paired_high)
            if (paired_low == low).all() and (paired_high == high).all():
                break
            low, high = propagated(relations, paired_low, paired_high)
        return low, high


class _Printed(NamedTuple):
    """Printed shares, one each: cells, value, half of its last place, and its printed interval (NaN: none)."""

    part: Ints
    whole: Ints
    value: Floats
    half_step: Floats
    low: Floats
    high: Floats


def veiled(table: Table, hidden: Bools, truth: Ints, profile: Profile) -> dict[str, Bools]:
    """By column with numbers: in which rows it must not be printed.

    A hidden group takes all numbers of its row with it, a hidden part of it those that rest on the part; a share goes
    with its whole, and with its part unless it is approximate. Where the profile protects parts, whatever else rests
    on a whole whose share is not exact goes too: an interval or an adjusted rate tells the share.
    """
    layout = table.layout
    marked = {column: at_cells(hidden, cells) for column, cells in table.cells.items()}
    row = np.zeros(len(table.frame), dtype=bool)
    for group in layout.groups:
        row |= marked[group]
    out = {column: row.copy() for column in layout.numbers}
    for size, resting in layout.subgroups.items():
        for column in (size, *resting):
            out[column] |= marked[size]
    for column in layout.counts:
        out[column] |= marked[column]
    for share in table.shares:
        rule = rules(share, truth, profile)
        part, whole = layout.ratios[share.column]
        inexact = marked[part] | (rule != ShareRule.EXACT)
        out[share.column] |= marked[whole] | (rule == ShareRule.HIDDEN)
        out[share.column] |= marked[part] & (rule != ShareRule.APPROXIMATE)
        for column in (*(share.interval or ()), *_resting(table, share, whole, profile)):
            out[column] |= inexact | marked[whole]
    return out


def rules(share: Share, truth: Ints, profile: Profile) -> Ints:
    """``ShareRule`` by row; a share that is none, because its group is empty, is exact."""
    part, whole = at_cells(truth, share.part), at_cells(truth, share.whole)
    some = (share.part != NO_CELL) & (share.whole != NO_CELL) & (whole > 0)
    return np.where(some, share_rule(part, whole, profile), ShareRule.EXACT)


def _resting(table: Table, share: Share, whole: str, profile: Profile) -> list[str]:
    """Other numbers with decimals that rest on the same whole as the share of an outcome."""
    if not (profile.protects_parts and share.of_outcome):
        return []
    layout = table.layout
    of_parts = {column for columns in layout.subgroups.values() for column in columns}
    candidates = layout.subgroups.get(whole) or [column for column in layout.numbers if column not in of_parts]
    return [column for column in candidates if layout.numbers[column].is_float() and column not in layout.ratios]


def at_cells(values: NDArray[Value], cells: Ints) -> NDArray[Value]:
    """Value of each cell; zero where there is none."""
    return np.append(values, np.zeros(1, dtype=values.dtype))[cells]


def knowledge(cells: Cells, hidden: Bools, profile: Profile) -> Knowledge:
    """Collect what is printed.

    Nothing is hidden that is empty unless it stands beside a hidden group, so a hidden group is taken to be known not
    to be empty. Of a part that nobody has to hide but that is too small to print, it is known that it is 1 to 10.
    """
    low = np.where(~cells.before & cells.protected & (cells.truth > 0), 1.0, cells.low)
    high = cells.high.copy()
    printed = np.zeros(len(low), dtype=bool)
    shares, mixed = [], []
    for table in cells.tables:
        veil = veiled(table, hidden, cells.truth, profile)
        for column in table.layout.counts:
            at = table.cells[column]
            at = at[~veil[column] & (at != NO_CELL)]
            sizes = rounded_count(cells.truth[at])
            low[at], high[at] = behind(sizes)
            printed[at[sizes >= 0]] = True
        for share in table.shares:
            rule = rules(share, cells.truth, profile)
            shown = ~veil[share.column] & (at_cells(cells.truth, share.whole) > 0)
            _limit_approximate(cells, share, shown & (rule == ShareRule.APPROXIMATE), high)
            shares.append(_shown_share(cells, table, share, shown & (rule == ShareRule.EXACT), veil))
        mixed += _mixed_relations(cells, table, {column: ~veil[column] for column in table.layout.mixed})
    relations = stacked([*(_share_relations(item, cells) for item in shares), *mixed], len(low))
    every_share = (*_earlier_shares(cells), *shares)
    for item in every_share:
        _enumerate(item, low, high)
    return Knowledge(low, high, relations, printed, every_share)


def earlier(cells: Cells) -> Relations:
    """What the exact shares that the previous release printed say of its counts."""
    mixed = [
        one
        for table in cells.previous
        for one in _mixed_relations(
            cells, table, {column: table.frame[column].is_not_null().to_numpy() for column in table.layout.mixed}
        )
    ]
    shares = (_share_relations(item, cells) for item in _earlier_shares(cells))
    return stacked([*shares, *mixed], len(cells.truth))


def _limit_approximate(cells: Cells, share: Share, approximate: Bools, high: Floats) -> None:
    """An approximate share says which of part and rest is small."""
    few = at_cells(cells.truth, share.part) < MINIMUM_GROUP
    for side, chosen in ((share.part, approximate & few), (share.rest, approximate & ~few)):
        at = side[chosen & (side != NO_CELL)]
        high[at] = np.minimum(high[at], MINIMUM_GROUP - 1)


def _shown_share(cells: Cells, table: Table, share: Share, shown: Bools, veil: dict[str, Bools]) -> _Printed:
    rows = np.flatnonzero(shown & (share.part != NO_CELL) & (share.whole != NO_CELL))
    part, whole = share.part[rows], share.whole[rows]
    half = table.half_step(share.column)
    value = np.round(cells.truth[part] / cells.truth[whole], decimals(table.layout, share.column))
    if share.interval is None:
        return _Printed(part, whole, value, np.full(len(rows), half), *(np.full(len(rows), np.nan) for _ in range(2)))
    limits = []
    for name in share.interval:
        limit = table.frame[name].to_numpy()[rows].round(decimals(table.layout, name))
        same_step = table.half_step(name) == half
        limits.append(np.where(veil[name][rows] | (not same_step), np.nan, limit))
    return _Printed(part, whole, value, np.full(len(rows), half), limits[0], limits[1])


def _earlier_shares(cells: Cells) -> Iterator[_Printed]:
    """Exact shares that the previous release printed."""
    for table in cells.previous:
        exact = np.ones(len(table.frame), dtype=bool)
        if "approximate" in table.frame.columns:
            exact = ~table.frame["approximate"].fill_null(value=True).to_numpy()
        for share in table.shares:
            value = table.frame[share.column].cast(pl.Float64).to_numpy()
            rows = np.flatnonzero(exact & ~np.isnan(value) & (share.part != NO_CELL) & (share.whole != NO_CELL))
            none = np.full(len(rows), np.nan)
            half = np.full(len(rows), table.half_step(share.column))
            yield _Printed(share.part[rows], share.whole[rows], value[rows], half, none, none)


def _share_relations(printed: _Printed, cells: Cells) -> Relations:
    """``(value - half) n <= x <= (value + half) n``."""
    size = len(printed.part)
    number = np.arange(2 * size)
    least = printed.value - printed.half_step - SLACK
    most = printed.value + printed.half_step + SLACK
    matrix = csr_array(
        (
            np.concatenate([np.ones(2 * size), -least, -most]),
            (
                np.concatenate([number, number]),
                np.concatenate([printed.part, printed.part, printed.whole, printed.whole]),
            ),
        ),
        shape=(2 * size, len(cells.truth)),
    )
    none = np.full(size, UNLIMITED)
    zero = np.zeros(size)
    doubtful = np.tile(cells.before[printed.part], 2)
    return Relations(matrix, np.concatenate([zero, -none]), np.concatenate([none, zero]), doubtful)


def _mixed_relations(cells: Cells, table: Table, shown: Mapping[str, Bools]) -> list[Relations]:
    """The same of shares whose numerator is made of several counts; ``shown`` says by column in which rows."""
    found = []
    for column, (weights, whole_name) in table.layout.mixed.items():
        whole = table.cells[whole_name]
        parts = np.stack([table.cells[name] for name in weights])
        value = table.frame[column].cast(pl.Float64).to_numpy()
        usable = shown[column] & (whole != NO_CELL) & (parts != NO_CELL).all(axis=0) & ~np.isnan(value)
        rows = np.flatnonzero(usable)
        value = np.round(value[rows], decimals(table.layout, column))
        half = table.half_step(column) + SLACK
        size, number = len(rows), np.arange(len(rows))
        of_parts = csr_array(
            (
                np.repeat(np.array(list(weights.values()), dtype=float), size),
                (np.tile(number, len(weights)), parts[:, rows].ravel()),
            ),
            shape=(size, len(cells.truth)),
        )
        for limit, low, high in ((value - half, 0.0, UNLIMITED), (value + half, -UNLIMITED, 0.0)):
            of_whole = csr_array((-limit, (number, whole[rows])), shape=of_parts.shape)
            matrix = csr_array(of_parts + of_whole)
            doubtful = cells.before[whole[rows]]
            found.append(Relations(matrix, np.full(size, low), np.full(size, high), doubtful))
    return found


def _enumerate(printed: _Printed, low: Floats, high: Floats) -> None:
    """Narrow the limits to the whole numbers that agree with the printed share and interval.

    At n of 12 a rate of 0.42 can be 5 of 12 only. All pairs are tried, as far as the size is printed and small.
    """
    room = high[printed.whole] - low[printed.whole]
    few = (high[printed.whole] <= LARGEST_ENUMERATED) & (room >= 0) & (room < 2 * ROUNDING_BASE)
    if not few.any():
        return
    part, whole = printed.part[few], printed.whole[few]
    value, half, least, most = (column[few] for column in printed[2:])
    steps = int((high[whole] - low[whole]).max()) + 1
    n = low[whole][:, None, None] + np.arange(steps)[None, :, None]
    first = np.ceil((value - half - SLACK)[:, None, None] * n)
    x = np.maximum(first, 0) + np.arange(int(2 * half.max() * n.max()) + 2)[None, None, :]
    n = np.broadcast_to(n, x.shape)
    possible = (n <= high[whole][:, None, None]) & (x <= n) & (n > 0)
    possible &= (x >= low[part][:, None, None]) & (x <= high[part][:, None, None])
    at = np.flatnonzero(possible)
    row = at // (x.shape[1] * x.shape[2])
    some_x, some_n = x.ravel()[at], n.ravel()[at]
    share, share_low, share_high = wilson(some_x, some_n)
    margin = half[row] + SLACK
    agrees = np.abs(share - value[row]) <= margin
    for limit, shown in ((share_low, least), (share_high, most)):
        agrees &= np.isnan(shown[row]) | (np.abs(limit - shown[row]) <= margin)
    row, some_x, some_n = row[agrees], some_x[agrees], some_n[agrees]
    for cell, found in ((part, some_x), (whole, some_n)):
        smallest, largest = np.full(len(part), UNLIMITED), np.zeros(len(part))
        np.minimum.at(smallest, row, found)
        np.maximum.at(largest, row, found)
        sure = largest > 0
        sure |= smallest == 0
        np.maximum.at(low, cell[sure], smallest[sure])
        np.minimum.at(high, cell[sure], largest[sure])
