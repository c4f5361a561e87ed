"""What follows from what: linear relations between cells.

Relations are what anybody may conclude who knows what the tables say they are: a margin is the sum of its parts,
declared sums hold, a part is no larger than its whole, and nothing has become less since the previous release. A
relation is used as far as the true counts obey it: as an equation; as "no more than", where parts are missing or a
patient is in none; or not at all. Who believes more believes something false. Of the previous release the true counts
are not known any more; its relations are taken over from this one and are doubtful.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from assets.privacy.disclosure.cells import AT, NO_CELL, UNLIMITED, declared_sums
from assets.privacy.disclosure.layout import ALL_VALUES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assets.privacy.disclosure.cells import Cells, Table

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


PERIOD = f"{AT}period"
MONTH = r"^(\d{4})-\d{2}$"
"""A period that is a month; its first group is the year."""


@dataclass(frozen=True, slots=True)
class Relations:
    """``low <= matrix @ sizes <= high``, one row each; ``doubtful`` rows may be wrong."""

    matrix: csr_array
    low: Floats
    high: Floats
    doubtful: Bools

    def joined(self, other: Relations) -> Relations:
        """These and the other."""
        return stacked([self, other], self.matrix.shape[1])

    def kept(self, rows: Bools) -> Relations:
        """Some of these."""
        return Relations(self.matrix[rows], self.low[rows], self.high[rows], self.doubtful[rows])


def relations_of(cells: Cells, nested: Sequence[tuple[str, str]] = ()) -> Relations:
    """Relations between the cells, and between them and those of the previous release.

    ``nested``: universes of which, at every place, the first is among the second.
    """
    rows = _Rows()
    for coordinate in ALL_VALUES:
        if AT + coordinate in cells.coordinates:
            _margins(cells, AT + coordinate, rows)
    for table in (*cells.tables, *cells.previous):
        _sums(cells, table, rows)
    _parts(cells, rows)
    _nested(cells, nested, rows)
    _links(cells, rows)
    return rows.relations(len(cells.truth))


def stacked(parts: list[Relations], cells: int) -> Relations:
    """Relations one below the other."""
    matrices = [part.matrix for part in parts if part.matrix.shape[0]]
    if not matrices:
        return Relations(csr_array((0, cells)), np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
    data = np.concatenate([matrix.data for matrix in matrices])
    indices = np.concatenate([matrix.indices for matrix in matrices])
    lengths = np.concatenate([np.diff(matrix.indptr) for matrix in matrices])
    matrix = csr_array((data, indices, np.concatenate([[0], lengths.cumsum()])), shape=(len(lengths), cells))
    return Relations(
        matrix,
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.doubtful for part in parts]),
    )


@dataclass
class _Rows:
    """Relations while they are collected: blocks of entries, numbered within the block."""

    blocks: list[Relations] = field(default_factory=list)

    def add(self, row: Ints, cell: Ints, weight: Floats, low: Floats, high: Floats, *, doubtful: Bools) -> None:
        """Add relations: entries of ``row`` (0 to ``len(low)``), at ``cell``, with ``weight``."""
        if len(low):
            width = int(cell.max()) + 1
            matrix = csr_array((weight, (row, cell)), shape=(len(low), width))
            matrix.sort_indices()
            self.blocks.append(Relations(matrix, low, high, doubtful))

    def relations(self, cells: int) -> Relations:
        return stacked(self.blocks, cells)


def _add_sums(
    cells: Cells, total: Ints, parts: Ints, group: Ints, rows: _Rows, like: tuple[bool, bool] | None
) -> tuple[bool, bool]:
    """Add "the total is the sum of the parts" for each group, as far as it is true.

    Args:
        cells: With the true sizes.
        total: Cell of the total by group (0, 1, ...).
        parts: Cells of all parts.
        group: Group of each part.
        rows: Taken further.
        like: Of the previous release: whether all groups of this one add up, and whether none exceeds its total.

    Returns:
        Whether all groups add up, and whether no sum exceeds its total.

    """
    if like is None:
        excess = np.bincount(group, cells.truth[parts], len(total)) - cells.truth[total]
        equal, within = excess == 0, excess <= 0
    else:
        equal, within = np.full(len(total), like[0]), np.full(len(total), like[1])
    used = equal | within
    number = used.cumsum() - 1
    kept = used[group]
    rows.add(
        np.concatenate([number[used], number[group[kept]]]),
        np.concatenate([total[used], parts[kept]]),
        np.concatenate([np.full(used.sum(), -1.0), np.ones(kept.sum())]),
        np.where(equal[used], 0.0, -UNLIMITED),
        np.zeros(used.sum()),
        doubtful=np.full(used.sum(), like is not None),
    )
    if like is None:  # where sums exceed the total, each part may still be within it
        rest = ~kept & (cells.truth[parts] <= cells.truth[total[group]])
        _add_parts(parts[rest], total[group[rest]], rows, doubtful=np.zeros(rest.sum(), dtype=bool))
    return bool(equal.all()), bool(within.all())


def _add_parts(part: Ints, whole: Ints, rows: _Rows, *, doubtful: Bools) -> None:
    """Add "the part is no larger than the whole"."""
    number = np.arange(len(part))
    rows.add(
        np.concatenate([number, number]),
        np.concatenate([part, whole]),
        np.concatenate([np.ones(len(part)), np.full(len(part), -1.0)]),
        np.full(len(part), -UNLIMITED),
        np.zeros(len(part)),
        doubtful=doubtful,
    )


def _margins(cells: Cells, coordinate: str, rows: _Rows) -> None:
    """The group of all along a coordinate and its parts."""
    places = cells.places.with_row_index("cell").filter(~pl.Series(cells.is_rest))
    identity = [name for name in cells.places.columns if name != coordinate]
    whole = places.filter(pl.col(coordinate).is_null()).select(*identity, total="cell")
    part = places.filter(pl.col(coordinate).is_not_null()).select(*identity, part="cell")
    joined = part.join(whole, on=identity, nulls_equal=True).sort("total", "part")
    for (_universe,), family in joined.sort("universe", maintain_order=True).group_by("universe", maintain_order=True):
        now, then = family.filter(~pl.col("before")), family.filter(pl.col("before"))
        like = _add_family(cells, now, rows, None) if len(now) else (False, False)
        if len(then):
            _add_family(cells, then, rows, like)


def _add_family(cells: Cells, family: pl.DataFrame, rows: _Rows, like: tuple[bool, bool] | None) -> tuple[bool, bool]:
    total, group = np.unique(family["total"].to_numpy(), return_inverse=True)
    return _add_sums(cells, total.astype(np.int64), family["part"].to_numpy().astype(np.int64), group, rows, like)


def _sums(cells: Cells, table: Table, rows: _Rows) -> None:
    """Sums that the layout of a table declares."""
    is_before = any(table is other for other in cells.previous)
    for total, flat, group in declared_sums(table):
        known = np.bincount(group, cells.truth[flat] < 0, len(total)) + (cells.truth[total] < 0) == 0
        kept = known | is_before
        number = kept.cumsum() - 1
        inside = kept[group]
        _add_sums(cells, total[kept], flat[inside], number[group[inside]], rows, (True, True) if is_before else None)


def _parts(cells: Cells, rows: _Rows) -> None:
    """Part, whole and rest of every share."""
    pairs, thirds = [], []
    for table in (*cells.tables, *cells.previous):
        for share in table.shares:
            usable = (share.part != NO_CELL) & (share.whole != NO_CELL)
            both = usable & (share.rest != NO_CELL)
            pairs.append(np.stack([share.part[usable & ~both], share.whole[usable & ~both]]))
            thirds.append(np.stack([share.part[both], share.rest[both], share.whole[both]]))
    if not pairs:
        return
    part, whole = np.unique(np.concatenate(pairs, axis=1), axis=1)
    true = cells.before[part] | (cells.truth[part] <= cells.truth[whole])
    _add_parts(part[true], whole[true], rows, doubtful=cells.before[part[true]])
    first, second, total = np.unique(np.concatenate(thirds, axis=1), axis=1)
    _add_sums(cells, total, np.concatenate([first, second]), np.tile(np.arange(len(total)), 2), rows, None)


def _nested(cells: Cells, nested: Sequence[tuple[str, str]], rows: _Rows) -> None:
    """Who is counted in one universe is counted in the other, at the same place; in a month, in its year."""
    place = [name for name in cells.places.columns if name != "universe"]
    places = cells.places.with_row_index("cell").filter(~pl.Series(cells.is_rest))
    by_universe = dict(places.group_by("universe"))
    for inner, outer in nested:
        if (inner,) not in by_universe or (outer,) not in by_universe:
            continue
        inside = by_universe[(inner,)]
        if PERIOD in place:
            inside = inside.with_columns(pl.col(PERIOD).str.replace(MONTH, "$1"))
        both = inside.join(by_universe[(outer,)], on=place, nulls_equal=True, suffix=" outer").sort("cell")
        part, whole = (both[name].to_numpy().astype(np.int64) for name in ("cell", "cell outer"))
        _add_within(cells, part, whole, rows)


def _add_within(cells: Cells, part: Ints, whole: Ints, rows: _Rows) -> None:
    """Add "the parts together are no more than the whole", where it is true or nobody knows better."""
    total, group = np.unique(whole, return_inverse=True)
    true = cells.before[total] | (np.bincount(group, cells.truth[part], len(total)) <= cells.truth[total])
    number = true.cumsum() - 1
    kept = true[group]
    rows.add(
        np.concatenate([number[group[kept]], number[true]]),
        np.concatenate([part[kept], total[true]]),
        np.concatenate([np.ones(kept.sum()), np.full(true.sum(), -1.0)]),
        np.full(true.sum(), -UNLIMITED),
        np.zeros(true.sum()),
        doubtful=cells.before[total[true]],
    )


def _links(cells: Cells, rows: _Rows) -> None:
    """What was there at the previous release is there still, unless its printed count is larger than the true one."""
    identity = [name for name in cells.places.columns if name != "before"]
    places = cells.places.with_row_index("cell")
    then = places.filter(pl.col("before")).select(*identity, then="cell")
    both = places.filter(~pl.col("before")).join(then, on=identity, nulls_equal=True).sort("cell")
    now, before = both["cell"].to_numpy().astype(np.int64), both["then"].to_numpy().astype(np.int64)
    true = cells.truth[now] >= cells.low[before]
    _add_parts(before[true], now[true], rows, doubtful=np.ones(true.sum(), dtype=bool))
