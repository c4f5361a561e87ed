"""Disclosure control: the only road from exact tables to published ones."""

from __future__ import annotations

from itertools import count, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from assets.privacy.disclosure.bounds import Found, agreeing, is_narrow, narrow_cells
from assets.privacy.disclosure.cells import AT, NO_CELL, UNLIMITED, Cells, cells_of
from assets.privacy.disclosure.cover import Problem, cover
from assets.privacy.disclosure.knowledge import earlier, knowledge, rules, veiled
from assets.privacy.disclosure.layout import ALL_VALUES
from assets.privacy.disclosure.printing import printed
from assets.privacy.disclosure.profiles import MINIMUM_GROUP, Profile, ShareRule, behind, is_small, rounded_count
from assets.privacy.disclosure.relations import Relations, relations_of
from assets.privacy.disclosure.views import too_fine, was_too_fine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from assets.privacy.disclosure.knowledge import Knowledge
    from assets.privacy.disclosure.layout import Disclosable

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

NOT_HIDDEN = ""
PRIMARY, COMPLEMENTARY, PREDECESSOR = "primary", "complementary", "predecessor"
VIEW = "view"
REASONS = {
    PRIMARY: "the group, or a part that the profile protects, is too small",
    COMPLEMENTARY: "with the other numbers of this release it would tell too much about a hidden one",
    PREDECESSOR: "with the numbers of the previous release it would tell too much about a hidden one",
    VIEW: "most groups of this view are too small, so none of it is shown",
}
CLOSE = 2
"""A cell whose limits leave so many widths is not looked at again: relations together seldom tell that much more."""
PATIENCE = 400
"""Rounds after which everything is hidden that stands in a relation with what is narrow, and not the cheapest of it."""
COARSER = 3.0
"""A count over all of something costs so many times one that names it: fine numbers are hidden before coarse ones."""
TOP_COST = 1_000.0
"""A count of everybody is worth so much more than another: hidden last."""
ONCE_HIDDEN_COST = 1e-3
"""What the previous release hid costs next to nothing."""


class Protected(NamedTuple):
    """Frames as they may be published, and a log of what is hidden and why, which says nothing of sizes."""

    frames: dict[str, pl.DataFrame]
    log: pl.DataFrame


def protect(
    frames: Mapping[str, pl.DataFrame],
    layouts: Mapping[str, Disclosable],
    profile: Profile,
    previous: Mapping[str, pl.DataFrame] | None = None,
    nested: Sequence[tuple[str, str]] = (),
) -> Protected:
    """Hide, round and log, looking at all tables together and at those published before.

    Args:
        frames: Exact tables. One without a layout, or whose layout has no groups, is about nobody and stays as it is.
        layouts: By name of the table.
        profile: Who will read them.
        previous: Protected tables of the previous release, for the same profile.
        nested: Universes of which, at every place, the first is among the second.

    Raises:
        ValueError: a frame does not fit its layout, or tables contradict each other; no size is named.

    """
    fine = {name: too_fine(frame, layouts[name]) for name, frame in frames.items() if _of_groups(layouts.get(name))}
    kept = {name: frame.filter(~fine[name]) if name in fine else frame for name, frame in frames.items()}
    unseen = {name: frames[name].filter(rows) for name, rows in fine.items()}
    cells = cells_of(kept, layouts, profile, _seen_before(previous or {}, layouts))
    relations = relations_of(cells, nested)
    kind = np.where(_primary(cells, profile), PRIMARY, NOT_HIDDEN).astype("<U13")
    kind[_kept_hidden(cells, relations, kind == PRIMARY)] = COMPLEMENTARY
    among_now = (abs(relations.matrix) @ cells.before.astype(float)) == 0
    _complete(cells, relations.kept(among_now), profile, kind, COMPLEMENTARY)
    if cells.before.any():
        _complete(cells, relations, profile, kind, PREDECESSOR)
    hidden = kind != NOT_HIDDEN
    out = dict(frames)
    for table in cells.tables:
        veil = veiled(table, hidden, cells.truth, profile)
        out[table.name] = printed(table, hidden, veil, cells.truth, profile, unseen[table.name])
    return Protected(out, _log(cells, kind, unseen))


def _seen_before(previous: Mapping[str, pl.DataFrame], layouts: Mapping[str, Disclosable]) -> dict[str, pl.DataFrame]:
    """Tables of the previous release without the views that were hidden as a whole, and without another shape."""
    return {
        name: frame.filter(~was_too_fine(frame, layouts[name]))
        for name, frame in previous.items()
        if _of_groups(layouts.get(name)) and {*layouts[name].keys, "suppressed"} <= set(frame.columns)
    }


def _of_groups(layout: Disclosable | None) -> bool:
    return layout is not None and bool(layout.groups)


def _primary(cells: Cells, profile: Profile) -> Bools:
    """Groups of 1 to 10; where parts are protected, every such count, and each part with so few in it or beside it."""
    hidden = cells.protected & cells.in_table & is_small(cells.truth)
    if profile.protects_parts:
        for table in cells.tables:
            for share in table.shares:
                inexact = (rules(share, cells.truth, profile) != ShareRule.EXACT) & share.of_outcome
                hidden[share.part[inexact]] = True
    return np.asarray(hidden)


def _kept_hidden(cells: Cells, relations: Relations, primary: Bools) -> Bools:
    """Cells that the previous release hid beside one that is small still: what is not shown anew cannot be compared.

    Where nothing has changed since, all that it hid: the same groups are published in the same way.
    """
    hidden_before = _counterparts(cells, cells.before & cells.in_table & (cells.high >= UNLIMITED))
    touched = abs(relations.matrix) @ primary.astype(float) > 0
    beside = abs(relations.matrix[touched]).sum(axis=0) > 0
    kept = beside | _is_unchanged(cells)
    return np.asarray(hidden_before & kept & cells.in_table & cells.hideable & ~primary & (cells.truth > 0))


def _is_unchanged(cells: Cells) -> bool:
    """Whether each count stood in the previous release too, and those it printed would be printed the same."""
    now = ~cells.before & cells.in_table
    if (now & ~_counterparts(cells, cells.before)).any():
        return False
    identity = [name for name in cells.places.columns if name != "before"]
    sizes = cells.places.select(identity).with_columns(
        printed=pl.Series(np.where(cells.before, cells.low, behind(rounded_count(np.maximum(cells.truth, 0)))[0]))
    )
    earlier_printed = sizes.filter(pl.Series(cells.before & cells.in_table & (cells.high < UNLIMITED)))
    return earlier_printed.join(
        sizes.filter(pl.Series(now)), on=[*identity, "printed"], how="anti", nulls_equal=True
    ).is_empty()


def _complete(cells: Cells, relations: Relations, profile: Profile, kind: NDArray[np.str_], why: str) -> None:
    """Hide further cells until nothing too narrow is known of any hidden one; mark them in ``kind``.

    Limits drawn through the relations come first: they are cheap, and find nearly all. Only then is looked whether
    the relations together tell more; not over two releases, where that takes minutes.
    """
    with_previous = why == PREDECESSOR
    of_some = cells.places.select(*cells.coordinates, none=pl.lit(None)).select(~pl.all_horizontal(pl.all().is_null()))
    cost = _cost(cells)
    truth = np.where(cells.before, cells.low, np.maximum(cells.truth, 0)).astype(float)
    if with_previous:
        known = knowledge(cells, kind != NOT_HIDDEN, profile)
        relations = agreeing(relations.joined(earlier(cells)), known.low, known.high)
        told = _told_before(cells, relations, known, profile)
    else:
        told = np.zeros(len(cost), dtype=bool)
    # What the previous release printed is known well enough, and large enough, whatever is hidden now
    once_shown = _counterparts(cells, cells.before & (cells.high < UNLIMITED)) & with_previous
    found = Found(truth, profile.width)
    for attempt in count():
        hidden = kind != NOT_HIDDEN
        known = knowledge(cells, hidden, profile)
        every = relations.joined(known.relations)
        target = _target(cells, hidden, known.printed, with_previous=with_previous)
        target &= ~told & ~(once_shown & (kind != PRIMARY))
        if with_previous:
            target &= cells.before | is_small(cells.truth)
        low, high = known.drawn(every)
        candidate = ~cells.before & cells.hideable & known.printed & (cells.truth > 0)
        if with_previous:
            candidate &= of_some.to_series().to_numpy()  # what was told of everybody once is told again
        problem = Problem(every, low, high, candidate, cost, profile.width, is_late=attempt >= PATIENCE)
        chosen = cover(problem, target & is_narrow(low, high, profile.width))
        if not len(chosen) and not with_previous:
            close = target & is_narrow(low, high, CLOSE * profile.width)
            chosen = cover(problem, narrow_cells(every, low, high, found, close))
        if not len(chosen):
            return
        kind[chosen] = why


def _told_before(cells: Cells, relations: Relations, known: Knowledge, profile: Profile) -> Bools:
    """What the previous release told by itself, as that nobody was in a group: nothing hidden now takes it back."""
    of_now = abs(relations.matrix) @ (~cells.before).astype(float)
    low, high = known.drawn(relations.kept(of_now == 0))
    return np.asarray(cells.before & is_narrow(low, high, profile.width))


def _target(cells: Cells, hidden: Bools, is_printed: Bools, *, with_previous: bool) -> Bools:
    """Cells of which little may be known: those that are printed nowhere, and what is small beside a part.

    A row goes with its group, so what stands nowhere else is not printed although nothing had to be hidden in it. A
    reader cannot tell, so it is held to the same width; unless nobody is in it, which nobody has to be kept from.
    """
    small_rest = cells.is_rest & (cells.truth < MINIMUM_GROUP) & ~_of_nobody(cells)
    unprinted = cells.in_table & ~is_printed & (hidden | (cells.truth > 0))
    now = ~cells.before & cells.protected & (unprinted | small_rest)
    now_empty = _counterparts(cells, ~cells.before & (cells.truth == 0))
    then = cells.before & cells.protected & cells.in_table & (cells.high >= UNLIMITED) & ~now_empty
    return np.asarray(now | (then & with_previous))


def _of_nobody(cells: Cells) -> Bools:
    """What is beside a part of an empty group: it is nobody, as everybody may know."""
    found = np.zeros(len(cells.truth), dtype=bool)
    for share in (share for table in cells.tables for share in table.shares):
        known = (share.rest != NO_CELL) & (share.whole != NO_CELL)
        found[share.rest[known][cells.truth[share.whole[known]] == 0]] = True
    return found


def _counterparts(cells: Cells, chosen: Bools) -> Bools:
    """Where the chosen cells are in the other of the two releases."""
    identity = cells.places.columns
    there = cells.places.filter(pl.Series(chosen)).with_columns(~pl.col("before"), chosen=True)
    joined = cells.places.join(there, on=identity, how="left", nulls_equal=True, maintain_order="left")
    return np.asarray(joined["chosen"].fill_null(value=False).to_numpy())


def _cost(cells: Cells) -> Floats:
    """What is lost with a cell: the numbers that go with it, weighted by how many patients they tell of."""
    numbers = np.zeros(len(cells.truth))
    for table in cells.tables:
        layout = table.layout
        for column, at in table.cells.items():
            if column in layout.groups:
                lost = len(layout.numbers)
            else:
                lost = (
                    1 + len(layout.subgroups.get(column, ())) + sum(column in pair for pair in layout.ratios.values())
                )
            np.add.at(numbers, at[at != NO_CELL], lost)
    cost = numbers * np.log1p(np.maximum(cells.truth, 1))
    depth = _depth(cells)
    cost *= COARSER**-depth
    cost[depth == 0] *= TOP_COST
    cost[_counterparts(cells, cells.before & (cells.high >= UNLIMITED))] *= ONCE_HIDDEN_COST
    return cost


def _depth(cells: Cells) -> Floats:
    """How many of condition, clinic, care and period each cell names."""
    named = [pl.col(AT + name).is_not_null().cast(pl.Int8) for name in ALL_VALUES if AT + name in cells.coordinates]
    if not named:
        return np.zeros(len(cells.truth))
    return np.asarray(cells.places.select(pl.sum_horizontal(named)).to_series().to_numpy().astype(float))


def _log(cells: Cells, kind: NDArray[np.str_], unseen: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Where each hidden cell stands, and each row of the views that are hidden as a whole."""
    rows = []
    for table in cells.tables:
        named = _named(table.frame, table.layout)
        for column in table.layout.counts:
            for row, cell in enumerate(table.cells[column]):
                if cell != NO_CELL and kind[cell] != NOT_HIDDEN:
                    rows.append((table.name, named[row], column, str(kind[cell]), REASONS[str(kind[cell])]))
        for place, column in product(_named(unseen[table.name], table.layout), table.layout.groups):
            rows.append((table.name, place, column, VIEW, REASONS[VIEW]))
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("table_name", "keys", "column", "kind", "reason"), pl.String), orient="row"
    ).sort(pl.all())


def _named(frame: pl.DataFrame, layout: Disclosable) -> list[str]:
    """The keys of each row as one text."""
    keys = list(layout.keys)
    rows = frame.select(keys).iter_rows()
    named = ([f"{key}={value}" for key, value in zip(keys, row, strict=True) if value is not None] for row in rows)
    return ["; ".join(parts) or "all" for parts in named]
