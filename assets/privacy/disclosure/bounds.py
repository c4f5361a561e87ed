"""What can be known of hidden counts: the smallest and the largest value that agrees with all that is printed.

A linear program per cell would be exact and far too slow. Limits are first drawn through the relations (what they
leave narrow is narrow); then linear programs look for tables that agree with all that is printed and in which many
hidden cells at once differ as much as they can from the truth. A cell is safe as soon as the tables found differ enough
in it. Few are left for programs of their own. Tables are looked for near the truth only, so a cell can be called narrow
that is not, but never the reverse. Sizes need not be whole in these tables; the pairs of small numbers that agree with
a printed share are tried beforehand (``knowledge``).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_array, csc_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from assets.privacy.disclosure.cells import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from assets.privacy.disclosure.relations import Relations

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

SEED = 20_240_611
"""Of the directions in which tables are looked for: the same input gives the same answer."""
PASSES = 12
ROUNDS = 20
"""Tables looked for in each part of the system before cells are looked at alone."""
WORTHWHILE = 20
"""A table for all in which fewer cells turn out safe costs more than looking at these alone."""
ITERATIONS = 60
"""Of the solver: one that needs more seldom ends. What it does not prove is looked at cell by cell, or hidden."""
ABOVE_ALL = 50.0
"""Weight of the cell that is looked at among those beside it."""
NEIGHBOURS = (300, 1500)
"""Cells around one that is looked at alone which may differ too; the larger number where the smaller is too few."""
REACH = 4
"""Tables are looked for within so many widths of the truth."""
TOLERANCE = 1e-6


def propagated(relations: Relations, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Limits drawn through the relations: each cell by what the others in a relation leave for it."""
    low, high = low.copy(), high.copy()
    matrix = relations.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cell, weight = matrix.indices, matrix.data
    positive = weight > 0
    for _ in range(PASSES):
        least = weight * np.where(positive, low[cell], high[cell])
        most = weight * np.where(positive, high[cell], low[cell])
        room_above = relations.high[row] - (np.bincount(row, least, matrix.shape[0])[row] - least)
        room_below = relations.low[row] - (np.bincount(row, most, matrix.shape[0])[row] - most)
        upper = np.where(positive, room_above, room_below) / weight
        lower = np.where(positive, room_below, room_above) / weight
        new_low, new_high = low.copy(), high.copy()
        np.maximum.at(new_low, cell, np.ceil(lower - TOLERANCE))
        np.minimum.at(new_high, cell, np.floor(upper + TOLERANCE))
        if (new_low == low).all() and (new_high == high).all():
            break
        low, high = new_low, new_high
    return low, high


def is_narrow(low: Floats, high: Floats, width: int) -> Bools:
    """Whether fewer than ``width`` whole numbers lie within the limits, if any: what is contradicted tells nothing."""
    values = np.floor(high + TOLERANCE) - np.ceil(low - TOLERANCE) + 1
    return np.asarray((values < width) & (values > 0))


class Found:
    """Smallest and largest value of each cell in the tables found so far.

    They stay possible when more is hidden, so one object serves while cells are added.
    """

    def __init__(self, truth: Floats, width: int) -> None:
        """Start from the truth, the one table that is known to agree with everything."""
        self.truth, self.smallest, self.largest, self.width = truth, truth.copy(), truth.copy(), width

    def narrow(self) -> Bools:
        """Cells in which no two tables differ enough yet."""
        return is_narrow(self.smallest, self.largest, self.width)


def narrow_cells(relations: Relations, low: Floats, high: Floats, found: Found, target: Bools) -> Bools:
    """Which target cells can be known to fewer values than the width that ``found`` asks for.

    Args:
        relations: All that hold.
        low: Smallest value of each cell, as ``propagated`` gives it.
        high: Largest value.
        found: Tables that agree with everything; more are added.
        target: Cells to look at.

    """
    hopeless = target & is_narrow(low, high, found.width)
    reach = REACH * found.width
    low, high = np.maximum(low, found.truth - reach), np.minimum(high, found.truth + reach)
    open_ones = target & ~hopeless
    for part in _parts(relations, low, high, open_ones & found.narrow()):
        part.look_everywhere(found, open_ones)
    links = csr_array((relations.matrix != 0), dtype=float)
    across = csr_array(links.T)
    for one, neighbours in product(np.flatnonzero(target & ~hopeless & found.narrow()), NEIGHBOURS):
        if found.narrow()[one]:
            near = _neighbours(links, across, one, high - low > TOLERANCE, neighbours)
            alone = np.zeros(len(target), dtype=bool)
            alone[one] = True
            box = np.where(near, low, found.truth), np.where(near, high, found.truth)
            for part in _parts(relations.kept(links @ near.astype(float) > 0), *box, alone):
                part.look_at(found, one, open_ones)
    return target & found.narrow()


def _neighbours(links: csr_array, across: csr_array, cell: np.intp, free: Bools, number: int) -> Bools:
    """The free cells nearest to one, by common relations: at least so many, if there are."""
    near = np.zeros(len(free), dtype=bool)
    near[cell] = True
    size = 0
    while size < near.sum() < number:
        size = near.sum()
        near = free & (across @ (links @ near.astype(float)) > 0)
    return near


def agreeing(relations: Relations, low: Floats, high: Floats) -> Relations:
    """Drop doubtful relations, of a release with the one before, that contradict what is known."""
    while True:
        least, most = propagated(relations, low, high)
        torn = (least > most + TOLERANCE).astype(float)
        doubtful = relations.doubtful & (abs(relations.matrix) @ torn > 0)
        if not doubtful.any():
            return relations
        relations = relations.kept(~doubtful)


class _Part:
    """A part of the system that hangs together: free cells, and relations between them that can bind."""

    def __init__(
        self, cells: Ints, matrix: csr_array, row_low: Floats, row_high: Floats, box: tuple[Floats, Floats]
    ) -> None:
        self.cells = cells
        self.low, self.high = box
        self.rows = _Rows(matrix, row_low, row_high)

    def look_everywhere(self, found: Found, target: Bools) -> None:
        """Look for tables in which all open target cells differ at once.

        Each goes up or down at random, rather up where there is more room above.
        """
        random = np.random.default_rng(SEED)
        proven = WORTHWHILE
        unproven = np.flatnonzero((target & found.narrow())[self.cells])
        for _ in range(ROUNDS):
            if min(len(unproven), proven) < WORTHWHILE:
                return
            truth = found.truth[self.cells[unproven]]
            up = np.minimum(self.high[unproven] - truth, found.width)
            down = np.minimum(truth - self.low[unproven], found.width)
            sign = np.where(random.uniform(size=len(unproven)) * (up + down) < up, 1.0, -1.0)
            weight = np.zeros(len(self.cells))
            weight[unproven] = sign * random.uniform(0.8, 1.2, len(unproven))
            self._look(weight, found)
            left = np.flatnonzero((target & found.narrow())[self.cells])
            proven, unproven = len(unproven) - len(left), left

    def look_at(self, found: Found, cell: np.intp, target: Bools) -> None:
        """Look for the tables in which one cell is largest and smallest, and others differ as they can beside it."""
        random = np.random.default_rng(SEED)
        beside = (target & found.narrow())[self.cells]
        weight = np.where(beside, random.uniform(-1.0, 1.0, len(self.cells)), 0.0)
        for direction in (ABOVE_ALL, -ABOVE_ALL):
            self._look(np.where(self.cells == cell, direction, weight), found)

    def _look(self, weight: Floats, found: Found) -> None:
        """Find the table in which the weighted cells go furthest, none further than needed."""
        low, high = self.low.copy(), self.high.copy()
        moved = np.flatnonzero(weight)
        at = self.cells[moved]
        low[moved] = np.maximum(low[moved], found.largest[at] - found.width)
        high[moved] = np.minimum(high[moved], found.smallest[at] + found.width)
        table = _least(-weight, (low, high), self.rows)
        if table is not None:
            found.smallest[self.cells] = np.minimum(found.smallest[self.cells], table)
            found.largest[self.cells] = np.maximum(found.largest[self.cells], table)


class _Rows:
    """Relations in the form that the solver takes."""

    def __init__(self, matrix: csr_array, low: Floats, high: Floats) -> None:
        equal = low == high
        above, below = ~equal & (high < UNLIMITED / 2), ~equal & (low > -UNLIMITED / 2)
        self.limits = csc_array(vstack([matrix[above], -matrix[below]]))
        self.limit = np.concatenate([high[above], -low[below]])
        self.equations, self.sums = csc_array(matrix[equal]), high[equal]


def _least(cost: Floats, box: tuple[Floats, Floats], rows: _Rows) -> Floats | None:
    """Values of least cost within the box and the relations; None where the solver finds none."""
    solved = linprog(
        cost,
        A_ub=rows.limits,
        b_ub=rows.limit,
        A_eq=rows.equations,
        b_eq=rows.sums,
        bounds=np.stack(box, axis=1),
        method="highs-ipm",  # five times as fast here as the simplex method
        options={"maxiter": ITERATIONS},
    )
    return np.asarray(solved.x) if solved.status == 0 else None


def _parts(relations: Relations, low: Floats, high: Floats, target: Bools) -> Iterator[_Part]:
    """Parts of the system with target cells in them."""
    if not target.any():
        return
    matrix = relations.matrix
    free = high - low > TOLERANCE
    positive, negative = matrix.maximum(0), matrix.minimum(0)
    least = positive @ low + negative @ high
    most = positive @ high + negative @ low
    binding = (least < relations.low - TOLERANCE) | (most > relations.high + TOLERANCE)
    fixed = np.where(free, 0.0, low)
    left = csr_array(matrix[binding][:, free])
    shift = (matrix @ fixed)[binding]
    row_low, row_high = relations.low[binding] - shift, relations.high[binding] - shift
    cells = np.flatnonzero(free)
    rows = left.shape[0]
    graph = block_array([[None, left], [left.T, None]], format="csr") if rows else csr_array((len(cells), len(cells)))
    _, label = connected_components(graph, directed=False)
    of_row, of_cell = label[:rows], label[rows:]
    wanted = np.unique(of_cell[target[cells]])
    for number in wanted:
        inside, chosen = np.flatnonzero(of_cell == number), np.flatnonzero(of_row == number)
        part = cells[inside]
        yield _Part(
            part, csr_array(left[chosen][:, inside]), row_low[chosen], row_high[chosen], (low[part], high[part])
        )
