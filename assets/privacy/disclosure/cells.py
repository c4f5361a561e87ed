"""All counts of all tables as one set of cells.

The same universe at the same place is one cell, in whatever table and column it stands; it has one size. Cells of the
previous release stand beside those of this one: of them only what was printed is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from assets.outcomes.methods.proportions import wilson
from assets.privacy.disclosure.layout import ALL_VALUES
from assets.privacy.disclosure.profiles import behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from assets.privacy.disclosure.layout import Count, Disclosable
    from assets.privacy.disclosure.profiles import Profile

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

NO_CELL = -1
UNLIMITED = 10.0**7
"""More patients than anybody counts."""
DECIMALS = 2
"""Printed precision of a number that is no count, where the layout does not say another."""
ALIKE = 1e-6
"""Columns that differ by less from a Wilson interval are one."""
AT = "at "
"""Before the name of a coordinate, among columns that are none."""
COUNT, REST, TERM = "count", "rest", "term"
"""Kinds of occurrence: a count of the table; the rest of a whole and a term of a sum, which are never printed."""


class Share(NamedTuple):
    """A share column: cells of its part, its whole and the rest, by row, and the columns with its Wilson interval."""

    column: str
    part: Ints
    whole: Ints
    rest: Ints
    interval: tuple[str, str] | None
    of_outcome: bool


class Table(NamedTuple):
    """A table with the cell of each of its counts by row; ``NO_CELL`` where a row has no such count."""

    name: str
    frame: pl.DataFrame
    layout: Disclosable
    cells: Mapping[str, Ints]
    shares: tuple[Share, ...]

    def half_step(self, column: str) -> float:
        """Half of the last printed place."""
        return 0.5 * 10.0 ** -decimals(self.layout, column)


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of a release and, behind them, of the previous one.

    ``places``: universe and coordinates, in the order of the cells. ``truth``: sizes; -1 for the previous release.
    ``low``, ``high``: what the previous release printed; no limits for cells of this one. ``protected``: the size of a
    group, or of a part that the profile protects. ``hideable``: these, and what may be hidden for their sake.
    ``in_table``: stands in a table. The others are the rest of a whole without its part (``is_rest``), and terms of
    declared sums.
    """

    places: pl.DataFrame
    truth: Ints
    protected: Bools
    hideable: Bools
    in_table: Bools
    is_rest: Bools
    before: Bools
    low: Floats
    high: Floats
    tables: tuple[Table, ...]
    previous: tuple[Table, ...]

    @property
    def coordinates(self) -> list[str]:
        """Columns of ``places`` with a coordinate."""
        return [name for name in self.places.columns if name.startswith(AT)]


def decimals(layout: Disclosable, column: str) -> int:
    """Printed precision of a number that is no count."""
    return layout.decimals.get(column, DECIMALS)


def cells_of(
    frames: Mapping[str, pl.DataFrame],
    layouts: Mapping[str, Disclosable],
    profile: Profile,
    previous: Mapping[str, pl.DataFrame],
) -> Cells:
    """Find the cells of exact frames, and those of the protected frames of the previous release.

    Raises:
        ValueError: a column is missing or holds what is no size, or two columns disagree about the same group; the
            message names tables and columns, never a size.

    """
    counted = {name: layouts[name] for name in sorted(layouts) if layouts[name].groups and name in frames}
    known = {name: layout for name, layout in counted.items() if name in previous}
    for name, layout in counted.items():
        _require(name, frames[name], layout)
    found = [
        *_occurrences(frames, counted, profile, before=False),
        *_occurrences(previous, known, profile, before=True),
    ]
    occurrences = pl.concat(found, how="diagonal") if found else _NOTHING
    coordinates = sorted(name for name in occurrences.columns if name.startswith(AT))
    identity = ["before", "universe", *coordinates]
    places = occurrences.select(identity).unique().sort(identity, nulls_last=False).with_row_index("cell")
    occurrences = occurrences.join(places, on=identity, how="left", nulls_equal=True, maintain_order="left")
    _require_agreement(occurrences)
    low, high = _printed_before(occurrences, len(places))
    protected = _protected(counted, occurrences, profile)
    tables = tuple(_tables(frames, counted, occurrences.filter(~pl.col("before"))))
    truth = _by_cell(occurrences.filter(~pl.col("before")), "size", len(places))
    return Cells(
        places=places.drop("cell"),
        truth=_with_terms(truth, tables),
        protected=places["universe"].is_in(protected).to_numpy(),
        hideable=places["universe"].is_in([*protected, *_spare(counted, occurrences)]).to_numpy(),
        in_table=np.isin(np.arange(len(places)), occurrences.filter(pl.col("kind") == COUNT)["cell"].to_numpy()),
        is_rest=np.isin(np.arange(len(places)), occurrences.filter(pl.col("kind") == REST)["cell"].to_numpy()),
        before=places["before"].to_numpy(),
        low=low,
        high=high,
        tables=tables,
        previous=tuple(_tables(previous, known, occurrences.filter(pl.col("before")))),
    )


_NOTHING = pl.DataFrame(
    schema={
        "table": pl.String,
        "column": pl.String,
        "row": pl.Int64,
        "size": pl.Int64,
        "universe": pl.String,
        "before": pl.Boolean,
        "kind": pl.String,
        "is_group": pl.Boolean,
        "is_spare": pl.Boolean,
    }
)


def _occurrences(
    frames: Mapping[str, pl.DataFrame], layouts: Mapping[str, Disclosable], profile: Profile, *, before: bool
) -> Iterator[pl.DataFrame]:
    """Each count of each table, one row each. In an exact frame a null is no count; in a printed one it is hidden."""
    for name, layout in layouts.items():
        frame = frames[name]
        columns = [column for column in layout.counts if column in frame.columns]
        if not set(layout.keys) <= set(frame.columns):  # the table had another shape
            continue
        rests = _outcomes(layout) if profile.protects_parts and not before else {}
        chosen = [
            *((column, COUNT, pl.col(column), layout.counts[column], "") for column in columns),
            *(
                (share, REST, pl.col(whole) - pl.col(part), layout.counts[part], f" {REST} {share}")
                for share, (part, whole) in rests.items()
            ),
            *((term, TERM, pl.lit(None), count, "") for term, count in _terms(layout).items()),
        ]
        for column, kind, size, count, suffix in chosen:
            found = frame.select(
                table=pl.lit(name),
                column=pl.lit(column),
                row=pl.int_range(pl.len(), dtype=pl.Int64),
                size=size.cast(pl.Int64),
                universe=_universe(count) + suffix,
                before=pl.lit(before),
                kind=pl.lit(kind),
                is_group=pl.lit(kind == COUNT and (column in layout.groups or column in layout.subgroups)),
                is_spare=pl.lit(kind == COUNT and count.is_spare),
                **_coordinates(layout, column, count),
            )
            is_hidden_or_term = before or kind == TERM
            yield found if is_hidden_or_term else found.filter(pl.col("size").is_not_null())


def term_name(position: int, part: int) -> str:
    """Column under which a term of a sum, given as a ``Count``, is found; part -1 is the total."""
    return f"{TERM} {position} {part}"


def _terms(layout: Disclosable) -> dict[str, Count]:
    """Terms of sums that are no columns of the table."""
    return {
        term_name(position, part): term
        for position, item in enumerate(layout.sums)
        for part, term in enumerate((item.total, *item.parts), start=-1)
        if not isinstance(term, str)
    }


def _outcomes(layout: Disclosable) -> dict[str, tuple[str, str]]:
    """Shares whose part is an outcome of the group, and no group that the table is about."""
    sizes = {*layout.groups, *layout.subgroups}
    return {column: (part, whole) for column, (part, whole) in layout.ratios.items() if part not in sizes}


def _universe(count: Count) -> pl.Expr:
    values = (pl.col(column).cast(pl.String).fill_null("").replace(dict(count.names)) for column in count.by)
    return pl.format(count.universe, *values)


def _coordinates(layout: Disclosable, column: str, count: Count) -> dict[str, pl.Expr]:
    """Where a count is: keys and what ``at`` adds; the value for all is null."""
    over = {item.over for item in layout.sums if item.total == column}
    keys = [name for name in layout.keys if name not in count.by and name not in over]
    named: dict[str, pl.Expr] = {name: pl.col(name).cast(pl.String) for name in keys if name not in count.renamed}
    named |= {new: pl.col(name).cast(pl.String) for name, new in count.renamed.items()}
    named |= {name: pl.lit(None if value is None else str(value), pl.String) for name, value in count.at.items()}
    return {
        AT + name: value if ALL_VALUES.get(name) is None else pl.when(value != ALL_VALUES[name]).then(value)
        for name, value in named.items()
    }


def declared_sums(table: Table) -> Iterator[tuple[Ints, Ints, Ints]]:
    """For each declared sum of a table: the cells of its totals, those of all parts, and the total of each part."""
    for position, item in enumerate(table.layout.sums):
        chosen = np.ones(len(table.frame), dtype=bool)
        for key, values in item.where.items():
            chosen &= table.frame[key].is_in(list(values)).fill_null(value=False).to_numpy()
        terms = (item.part,) if item.part is not None else item.parts
        total = _term(table, item.total, position, -1)
        parts = np.stack([_term(table, term, position, part) for part, term in enumerate(terms)])
        usable = chosen & (total != NO_CELL) & (parts != NO_CELL).all(axis=0)
        wholes, first, group = np.unique(total[usable], return_index=True, return_inverse=True)
        if item.over is None:  # the same sum may stand in several rows
            yield wholes, parts[:, usable][:, first].ravel(), np.tile(np.arange(len(wholes)), len(terms))
        else:
            pairs = np.unique(np.stack([group, parts[0, usable]]), axis=1)
            yield wholes, pairs[1], pairs[0]


def _term(table: Table, term: str | Count, position: int, part: int) -> Ints:
    return table.cells[term if isinstance(term, str) else term_name(position, part)]


def _with_terms(truth: Ints, tables: tuple[Table, ...]) -> Ints:
    """True sizes with those that no table shows: what a declared sum leaves for its only unknown term."""
    out, before = truth.copy(), None
    while before is None or (out != before).any():
        before = out.copy()
        for table in tables:
            for total, part, group in declared_sums(table):
                unknown = np.bincount(group, out[part] < 0, len(total))
                added = np.bincount(group, np.maximum(out[part], 0), len(total)).astype(np.int64)
                free = (out[total] < 0) & (unknown == 0)
                out[total[free]] = added[free]
                left = out[total] - added
                single = (out[total] >= 0) & (unknown == 1) & (left >= 0)
                chosen = single[group] & (out[part] < 0)
                out[part[chosen]] = left[group[chosen]]
    return out


def _require(name: str, frame: pl.DataFrame, layout: Disclosable) -> None:
    needed = [*layout.keys, *layout.numbers, *layout.counts]
    missing = sorted(set(needed) - set(frame.columns))
    if missing:
        message = f"cannot protect {name}: no column {', '.join(missing)}"
        raise ValueError(message)
    if "suppressed" in frame.columns:
        message = f"cannot protect {name}: the frame went through disclosure control before"
        raise ValueError(message)
    uncounted = sorted({*layout.groups, *layout.subgroups} - set(layout.counts))
    if uncounted:
        message = f"cannot protect {name}: what {', '.join(uncounted)} counts is not said"
        raise ValueError(message)
    for column in layout.counts:
        sizes = frame[column]
        if not sizes.dtype.is_integer():
            message = f"cannot protect {name}: {column} must be a whole number, not {sizes.dtype}"
            raise ValueError(message)
        must_be_known = column in layout.groups or column in layout.subgroups
        if (must_be_known and sizes.null_count()) or (sizes < 0).any():
            message = f"cannot protect {name}: {column} holds a null or a negative size"
            raise ValueError(message)


def _require_agreement(occurrences: pl.DataFrame) -> None:
    """One group has one size, wherever it stands."""
    now = occurrences.filter(~pl.col("before") & pl.col("size").is_not_null())
    strange = now.join(
        now.group_by("cell").agg(sizes=pl.col("size").n_unique()).filter(pl.col("sizes") > 1), on="cell", how="semi"
    )
    if len(strange):
        columns = sorted({f"{table}.{column}" for table, column in strange.select("table", "column").iter_rows()})
        universes = sorted(set(strange["universe"]))
        message = f"cannot protect: {', '.join(columns)} disagree about the size of {', '.join(universes)}"
        raise ValueError(message)


def _by_cell(occurrences: pl.DataFrame, column: str, cells: int) -> Ints:
    """Value of a column by cell; -1 where no occurrence has one."""
    out = np.full(cells, -1, dtype=np.int64)
    known = occurrences.filter(pl.col(column).is_not_null())
    out[known["cell"].to_numpy()] = known[column].cast(pl.Int64).to_numpy()
    return out


def _printed_before(occurrences: pl.DataFrame, cells: int) -> tuple[Floats, Floats]:
    """What the previous release said of its counts."""
    low, high = np.zeros(cells), np.full(cells, UNLIMITED)
    printed = occurrences.filter(pl.col("before") & pl.col("size").is_not_null())
    at = printed["cell"].to_numpy()
    low[at], high[at] = behind(printed["size"].to_numpy())
    return low, high


def _protected(layouts: Mapping[str, Disclosable], occurrences: pl.DataFrame, profile: Profile) -> list[str]:
    """Universes whose small counts nobody may know: groups; in a profile that protects parts, all."""
    chosen = occurrences if profile.protects_parts else occurrences.filter(pl.col("is_group"))
    return sorted(set(chosen["universe"])) if layouts else []


def _spare(layouts: Mapping[str, Disclosable], occurrences: pl.DataFrame) -> list[str]:
    """Universes that may be hidden although their small counts may be known."""
    return sorted(set(occurrences.filter(pl.col("is_spare"))["universe"])) if layouts else []


def _tables(
    frames: Mapping[str, pl.DataFrame],
    layouts: Mapping[str, Disclosable],
    occurrences: pl.DataFrame,
) -> Iterator[Table]:
    located = dict(occurrences.group_by("table", "column"))
    for name, layout in layouts.items():
        frame = frames[name]

        def at(column: str, name: str = name, frame: pl.DataFrame = frame) -> Ints:
            out = np.full(len(frame), NO_CELL, dtype=np.int64)
            group = located.get((name, column))
            if group is not None:
                out[group["row"].to_numpy()] = group["cell"].to_numpy()
            return out

        outcomes = _outcomes(layout)
        shares = tuple(
            Share(
                column,
                at(part),
                at(whole),
                at(column),
                _interval(frame, column, part, whole),
                column in outcomes,
            )
            for column, (part, whole) in layout.ratios.items()
            if column in frame.columns
        )
        located_counts = {column: at(column) for column in (*layout.counts, *_terms(layout))}
        yield Table(name, frame, layout, located_counts, shares)


def _interval(frame: pl.DataFrame, column: str, part: str, whole: str) -> tuple[str, str] | None:
    """Columns that hold the Wilson interval of a share: by their names, and by what is in them."""
    for stem in (column, column.removesuffix("_rate"), column.removesuffix("_share")):
        names = (f"{stem}_low", f"{stem}_high")
        if not set(names) <= set(frame.columns):
            continue
        known = frame.filter(pl.all_horizontal(pl.col(part, whole, *names).is_not_null()) & (pl.col(whole) > 0))
        if not len(known) or (known[part] > known[whole]).any():
            return None
        _, low, high = wilson(known[part].to_numpy(), known[whole].to_numpy())
        gap = max(np.abs(known[names[0]].to_numpy() - low).max(), np.abs(known[names[1]].to_numpy() - high).max())
        return names if gap < ALIKE else None
    return None
