"""Which further cells to hide: those that cover every relation that tells too much, at the least cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from assets.privacy.disclosure.bounds import TOLERANCE, is_narrow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.privacy.disclosure.relations import Relations

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

GAP = 0.05
"""Relative distance from the cheapest cover at which the search may stop."""
HOPS = 6
ROUNDS = 12
"""Times that partners are looked for; what is still alone then is found when limits are drawn again."""
NODES = 200
"""Branches looked at before the best cover found so far is taken; a count, not a time, so that runs agree."""
CHOSEN = 0.5
"""Halfway between no and yes."""


class Problem(NamedTuple):
    """What is known, and what may be hidden.

    ``relations`` hold; ``low`` and ``high`` are the limits that ``propagated`` draws through them; ``candidate`` marks
    cells that can be hidden, ``cost`` is what is lost with each; ``width`` values must be left of a hidden one.
    ``is_late``: choose all that could help, not the cheapest.
    """

    relations: Relations
    low: Floats
    high: Floats
    candidate: Bools
    cost: Floats
    width: int
    is_late: bool = False


def cover(problem: Problem, narrow: Bools) -> Ints:
    """Choose candidates so that every relation that leaves too little of a narrow cell gets one.

    A candidate that a sum would tell again, because all others in it are known, is chosen only together with another
    one of that sum.

    Returns:
        Cells to hide; none if nothing is narrow, or where all around that could help is hidden already.

    """
    relations, low, high, candidate, cost, width, is_late = problem
    if not narrow.any():
        return np.zeros(0, dtype=np.int64)
    least_cost = _least_cost(relations, candidate, cost)
    sets = _telling(relations, low, high, narrow, width, least_cost)
    members = csr_array((relations.matrix != 0)[sets], dtype=float)[:, candidate]
    members = csr_array(members[np.diff(members.indptr) > 0])
    if not members.shape[0]:
        members = _around(relations, narrow, candidate)
    if not members.shape[0]:
        return np.zeros(0, dtype=np.int64)
    if is_late:
        return np.asarray(np.flatnonzero(candidate)[np.unique(members.indices)])
    sums = _sums(relations, low, high)
    among = csr_array(sums.matrix[:, candidate])
    needed = [members]
    asked: set[tuple[int, int]] = set()
    for _ in range(ROUNDS):
        chosen = _cheapest(csr_array(vstack(needed)), cost[candidate])
        partners = []
        for row, cell in _alone(among, sums.room, (high - low)[candidate], chosen, width):
            if (row, cell) not in asked:
                asked.add((row, cell))
                partner = among[[row]].toarray()[0]
                partner[cell] = -1.0
                if (partner > 0).any():
                    partners.append(partner)
        if not partners:
            break
        needed.append(csr_array(np.array(partners)))
    return np.asarray(np.flatnonzero(candidate)[chosen])


def _cheapest(needed: csr_array, cost: Floats) -> Ints:
    """The cheapest choice: of each row that holds only ones, one; with a cell marked -1, another one of its row."""
    used = np.flatnonzero(abs(needed).sum(axis=0) > 0)
    least = np.where(needed.min(axis=1).toarray().ravel() < 0, 0.0, 1.0)
    found = milp(
        cost[used],
        integrality=np.ones(len(used)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(needed[:, used]), least, np.inf),
        options={"mip_rel_gap": GAP, "node_limit": NODES},
    )
    return np.asarray(used[found.x > CHOSEN])


class _Sums:
    """Relations that add up exactly: which cells are in each, and how much is unknown of all of them together."""

    def __init__(self, matrix: csr_array, room: Floats) -> None:
        self.matrix, self.room = matrix, room


def _sums(relations: Relations, low: Floats, high: Floats) -> _Sums:
    matrix = relations.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    is_sum = np.bincount(row, np.abs(matrix.data) == 1, matrix.shape[0]) == np.diff(matrix.indptr)
    is_sum &= relations.low == relations.high
    chosen = csr_array((matrix != 0)[is_sum], dtype=float)
    return _Sums(chosen, np.asarray(chosen @ (high - low)))


def _alone(among: csr_array, room: Floats, own: Floats, chosen: Ints, width: int) -> list[tuple[int, int]]:
    """Sums that would tell a chosen cell again, because no other cell in them is chosen and little is unknown."""
    picked = csr_array(among[:, chosen])
    single = np.flatnonzero(np.diff(picked.indptr) == 1)
    cells = chosen[picked.indices[picked.indptr[single]]]
    told = room[single] - own[cells] < width - 1
    return list(zip(single[told].tolist(), cells[told].tolist(), strict=True))


def _least_cost(relations: Relations, candidate: Bools, cost: Floats) -> Floats:
    """Cost of the cheapest candidate in each relation; infinite where there is none."""
    matrix = relations.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    least = np.full(matrix.shape[0], np.inf)
    np.minimum.at(least, row, np.where(candidate, cost, np.inf)[matrix.indices])
    return least


def _telling(relations: Relations, low: Floats, high: Floats, narrow: Bools, width: int, least_cost: Floats) -> Ints:
    """Relations that alone leave too little of a narrow cell.

    Where none does, those that bound it on the side, above or below, where hiding one in each of them costs less.
    """
    matrix = relations.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cell, weight = matrix.indices, matrix.data
    positive = weight > 0
    least = weight * np.where(positive, low[cell], high[cell])
    most = weight * np.where(positive, high[cell], low[cell])
    above = relations.high[row] - (np.bincount(row, least, matrix.shape[0])[row] - least)
    below = relations.low[row] - (np.bincount(row, most, matrix.shape[0])[row] - most)
    upper = np.floor(np.where(positive, above, below) / weight + TOLERANCE)
    lower = np.maximum(np.ceil(np.where(positive, below, above) / weight - TOLERANCE), 1)
    at_narrow = narrow[cell]
    alone = at_narrow & is_narrow(lower, upper, width)
    helped = np.zeros(len(low), dtype=bool)
    helped[cell[alone]] = True
    bound_above = at_narrow & ~helped[cell] & (upper <= high[cell] + TOLERANCE)
    bound_below = at_narrow & ~helped[cell] & (lower >= low[cell] - TOLERANCE) & (lower > 1)
    cost_above, cost_below = (
        _cost_of_side(cell[side], least_cost[row[side]], len(low)) for side in (bound_above, bound_below)
    )
    cheaper = np.where((cost_above <= cost_below)[cell], bound_above, bound_below)
    stuck = np.isinf(np.minimum(cost_above, cost_below))[cell] & (bound_above | bound_below)
    return np.unique(row[alone | cheaper | stuck])


def _cost_of_side(cell: Ints, cost: Floats, size: int) -> Floats:
    """What it costs to hide one in each relation that bounds a cell on one side; infinite where nothing bounds it."""
    bounds = np.bincount(cell, minlength=size)
    return np.where(bounds > 0, np.bincount(cell, cost, size), np.inf)


def _around(relations: Relations, narrow: Bools, candidate: Bools) -> csr_array:
    """For each narrow cell, the nearest candidates: one has to go. No rows where all around is hidden already."""
    links = csr_array((relations.matrix != 0), dtype=float)
    reached = csr_array(
        (np.ones(narrow.sum()), (np.arange(narrow.sum()), np.flatnonzero(narrow))), (narrow.sum(), len(narrow))
    )
    for _ in range(HOPS):
        reached = csr_array(((reached @ links.T @ links) != 0), dtype=float)
        found = reached[:, candidate]
        found = found[np.diff(found.indptr) > 0]
        if found.shape[0]:
            return found
    return csr_array(reached[:, candidate][:0])
