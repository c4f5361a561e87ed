"""Every published number that moved between two releases, split into what moved it; the parts sum to the whole.

A number is followed along a route of states from the inputs of the first release to those of the second, one kind of
input at a time. What a step changes is its part. The exact statistics are followed, because what is hidden in one state
is printed in another; what printing adds (rounding, hiding) is a part of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    Frames = Mapping[str, pl.DataFrame]

LATE, PERIOD, DECISIONS, DEFINITIONS, CODE, PRINTING = (
    "late_or_corrected",
    "new_period",
    "decisions",
    "definitions",
    "code",
    "printing",
)
PARTS = (LATE, PERIOD, DECISIONS, DEFINITIONS, CODE)
CAUSES = (*PARTS, PRINTING)
NUMBER = pl.Decimal(38, 9)
"""Statistics are rounded to nine decimals: as decimals their differences are exact, and so are sums of these."""
CELL = ("row", "column")
SUPPRESSED = "suppressed"
HIDDEN, NONE = "hidden", "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the route: which part it is, and the exact statistics after it."""

    part: str
    frames: Frames


@dataclass(frozen=True, slots=True)
class Route:
    """From the exact statistics of the first release, over all steps, to those of the second.

    ``old_rules_new_data`` and ``new_rules_old_data`` are the two states beside it: what code, definitions and decisions
    of one release make of the deliveries of the other.
    """

    start: Frames
    steps: Sequence[Step]
    old_rules_new_data: Frames
    new_rules_old_data: Frames


def moved_numbers(
    before: Frames, after: Frames, route: Route, keys: Mapping[str, Collection[str]], *, are_deliveries_new: bool
) -> pl.DataFrame:
    """One row per published number that is not the same in both releases.

    Columns are ``table_name``; ``row``, its keys as JSON; ``column``; ``before`` and ``after`` as published; ``moved``;
    one column per part; ``printing``; ``exact_before`` and ``exact_after``; ``shown_before`` and ``shown_after``
    (number, hidden, none); ``cause``, the part that moved it most; ``rules_on_old``, ``rules_on_new`` and
    ``interaction``: what code, definitions and decisions change on the old and on the new deliveries, and by how much
    the second differs from the first.

    Where both releases have the exact number, the parts sum to their difference, and with ``printing`` to ``moved``. A
    number that one of them does not have has no parts; ``cause`` is then the step with which it came or went. Where a
    number is hidden in one of the releases, that is its cause.

    Args:
        before: published tables of the first release.
        after: published tables of the second.
        route: how the exact statistics came from the one to the other.
        keys: table about patients -> columns that identify a row. What other tables count, deliveries and checks, is
            of no period: what moved with the deliveries is all the one or the other there.
        are_deliveries_new: whether that is the new period; else they were only read again, and it is a correction.

    """
    found = []
    for name in sorted(set(before) | set(after)):
        steps = route.steps if name in keys else _undivided(route, are_new=are_deliveries_new)
        frames = [
            frames[name]
            for frames in (before, after, route.start, *(step.frames for step in steps), route.new_rules_old_data)
            if name in frames
        ]
        columns = tuple(keys.get(name, ()))
        if not columns or not all(set(columns) <= set(frame.columns) for frame in frames):
            columns = first_keys(frames)  # another version of the code may have had other keys
        found.append(_table(name, columns, before.get(name), after.get(name), route, steps))
    return pl.concat(found).sort("table_name", "row", "column")


def _undivided(route: Route, *, are_new: bool) -> list[Step]:
    """The route on which late records do nothing, or all that the deliveries do."""
    frames = route.start if are_new else route.old_rules_new_data
    return [Step(step.part, frames) if step.part == LATE else step for step in route.steps]


def first_keys(frames: Sequence[pl.DataFrame]) -> tuple[str, ...]:
    """The fewest first columns that identify a row in all frames; all columns of text where none do."""
    names = [
        name
        for name, dtype in frames[0].schema.items()
        if dtype == pl.String and all(name in frame.columns for frame in frames)
    ]
    for count in range(1, len(names) + 1):
        if not any(frame.select(names[:count]).is_duplicated().any() for frame in frames):
            return tuple(names[:count])
    return tuple(names)


def _table(
    name: str,
    keys: Sequence[str],
    before: pl.DataFrame | None,
    after: pl.DataFrame | None,
    route: Route,
    steps: Sequence[Step],
) -> pl.DataFrame:
    cells = (
        _cells(before, keys, "before")
        .join(_cells(after, keys, "after"), on=CELL, how="full", coalesce=True)
        .filter(pl.col("before").ne_missing(pl.col("after")))
    )
    states = {"exact_before": route.start, **{f"state_{place}": step.frames for place, step in enumerate(steps)}}
    beside = {"old_rules": route.old_rules_new_data, "new_rules": route.new_rules_old_data}
    for column, frames in {**states, **beside}.items():
        cells = cells.join(_cells(frames.get(name), keys, column).drop(f"shown_{column}"), on=CELL, how="left")
    return _split(cells, [step.part for step in steps]).select(pl.lit(name).alias("table_name"), *COLUMNS)


def _cells(frame: pl.DataFrame | None, keys: Sequence[str], value: str) -> pl.DataFrame:
    """A frame with one row per number: its row, its column, the number, and whether it is shown."""
    schema = {"row": pl.String(), "column": pl.String(), value: NUMBER, f"shown_{value}": pl.String()}
    if frame is None:
        return pl.DataFrame(schema=schema)
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_numeric() and name not in keys]
    hidden = pl.col(SUPPRESSED) if SUPPRESSED in frame.columns else pl.lit(value=False)
    return (
        frame.select(
            pl.struct(*keys).struct.json_encode().alias("row"),
            hidden.alias("is_hidden"),
            *(pl.col(name).cast(NUMBER, strict=False) for name in numbers),
        )
        .unpivot(numbers, index=["row", "is_hidden"], variable_name="column", value_name=value)
        .with_columns(pl.col(value).cast(NUMBER), pl.col("column").cast(pl.String))
        .with_columns(
            pl.when(pl.col(value).is_not_null())
            .then(pl.lit("number"))
            .when("is_hidden")
            .then(pl.lit(HIDDEN))
            .otherwise(pl.lit(NONE))
            .alias(f"shown_{value}")
        )
        .select(*schema)
    )


def _split(cells: pl.DataFrame, parts: Sequence[str]) -> pl.DataFrame:
    """Parts of every cell. A state without the number stands for no change; the last one must be as it is."""
    names = [f"state_{place}" for place in range(len(parts))]
    last = names[-1]
    cells = cells.with_columns(exact_after=pl.col(last))
    values: list[pl.Expr] = [pl.col("exact_before")]
    for name in names[:-1]:
        values.append(pl.coalesce(name, values[-1]))
    values.append(pl.col("exact_after"))
    changes = [after - before for before, after in pairwise(values)]
    has, had = pl.col("exact_after").is_not_null(), pl.col("exact_before").is_not_null()
    zero = pl.lit(0).cast(NUMBER)
    sums = {part: _sum(change for change, of in zip(changes, parts, strict=True) if of == part) for part in PARTS}
    return (
        cells.with_columns(
            moved=pl.col("after") - pl.col("before"),
            **{part: pl.when(has & had).then(change).when(~has & ~had).then(zero) for part, change in sums.items()},
            came_with=_turned(names, parts),
            rules_on_old=pl.col("new_rules") - pl.col("exact_before"),
            rules_on_new=pl.col("exact_after") - pl.col("old_rules"),
        )
        .with_columns(
            pl.col("shown_before", "shown_after").fill_null(NONE),
            printing=pl.col("moved") - _sum(map(pl.col, PARTS)),
            interaction=pl.col("rules_on_new") - pl.col("rules_on_old"),
        )
        .with_columns(
            cause=pl.when((pl.col("shown_before") == HIDDEN) | (pl.col("shown_after") == HIDDEN))
            .then(pl.lit(PRINTING))
            .otherwise(pl.coalesce(_largest(), "came_with", pl.lit(PRINTING)))
        )
    )


def _sum(parts: Iterable[pl.Expr]) -> pl.Expr:
    total = pl.lit(0).cast(NUMBER)
    for part in parts:
        total += part
    return total


def _turned(names: Sequence[str], parts: Sequence[str]) -> pl.Expr:
    """The part of the last step at which a number came or went."""
    turned = pl.lit(None, pl.String)
    for before, after, part in zip(("exact_before", *names[:-1]), names, parts, strict=True):
        changed = pl.col(before).is_null() != pl.col(after).is_null()
        turned = pl.when(changed).then(pl.lit(part)).otherwise(turned)
    return turned


def _largest() -> pl.Expr:
    """The part that moved the number most, the first of equals; null where it has no parts."""
    sizes = [pl.col(name).abs() for name in CAUSES]
    most = pl.max_horizontal(*sizes)
    found = pl.lit(None, pl.String)
    for name, size in zip(reversed(CAUSES), reversed(sizes), strict=True):
        found = pl.when((size == most) & (most > 0)).then(pl.lit(name)).otherwise(found)
    return found


COLUMNS = (
    *("row", "column", "before", "after", "moved", *PARTS, PRINTING, "cause"),
    *("exact_before", "exact_after", "shown_before", "shown_after", "rules_on_old", "rules_on_new", "interaction"),
)
