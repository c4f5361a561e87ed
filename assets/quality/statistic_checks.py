"""Checks of the exact statistics that follow from the layouts of their tables.

They run before anything is hidden: afterwards parts no longer add up, on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.checks import Check, Kind, Stage
from assets.outcomes.published import LAYOUTS
from assets.privacy.disclosure.layout import ALL_VALUES
from assets.quality.oracles import Oracle, rows_of
from assets.quality.statistic_bounds import BOUNDS, ESTIMATES
from assets.quality.statistic_margins import MARGINS
from assets.quality.statistic_oracles import ORACLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assets.contract.model import Contract
    from assets.outcomes.frames import Layout
    from assets.quality.statistic_bounds import Bounds

SCHEMA = "statistics"
DIGITS = 1e-8
"""Shares and means are kept with nine decimals; two of them may differ by the last one."""


def statistic_checks(contract: Contract) -> tuple[Check, ...]:
    """Every check of the statistics."""
    made = [oracle for name, layout in LAYOUTS.items() for oracle in _of_table(name, layout)]
    return tuple(oracle.check(contract) for oracle in (*made, *ORACLES))


def _of_table(name: str, layout: Layout) -> Iterator[Oracle]:
    keys = ", ".join(layout.keys)
    for column, (part, whole) in layout.ratios.items():
        yield _row_check(
            name,
            keys,
            Kind.SHARE,
            column,
            f"{column} is {part} of {whole}",
            f"{column} of {name} lies between 0 and 1 and is {part} / {whole}.",
            f"{column} < 0 or {column} > 1 or abs({column} - {part} / {whole}) > {DIGITS}",
        )
    for low, high, estimate in intervals(layout):
        inside = f" or {estimate} < {low} - {DIGITS} or {estimate} > {high} + {DIGITS}" if estimate else ""
        words = f"{low} <= {estimate} <= {high}" if estimate else f"{low} <= {high}"
        yield _row_check(
            name,
            keys,
            Kind.INTERVAL,
            low,
            f"{estimate} lies within its limits" if estimate else f"{low} is not above {high}",
            f"In every row of {name}, {words}.",
            f"{low} > {high} + {DIGITS}{inside}",
        )
    if name in BOUNDS:
        yield _bounded(name, keys, BOUNDS[name])
    yield from _sums(name, keys, layout)
    for coordinate, columns in MARGINS.get(name, {}).items():
        yield _margin(name, layout, coordinate, columns)


def intervals(layout: Layout) -> list[tuple[str, str, str | None]]:
    """Lower and upper limits among the numbers of a table, with the estimate between them where there is one."""
    floats = [name for name, dtype in layout.numbers.items() if dtype.is_float()]
    found = []
    for low in floats:
        high = "high".join(low.rsplit("low", 1))
        if "low" not in low.split("_") or high not in floats:
            continue
        base = "".join(low.rsplit("_low", 1))
        estimate = next(
            (name for name in (*ESTIMATES.get(low, ()), base) if name in floats or name in layout.ratios), None
        )
        found.append((low, high, estimate))
    return found


def _bounded(name: str, keys: str, bounds: Mapping[str, Bounds]) -> Oracle:
    relation = f"{SCHEMA}.{name}"
    outside = [
        f"{column} {sign} {limit}"
        for column, limits in bounds.items()
        for sign, limit in zip("<>", limits, strict=True)
        if limit is not None
    ]
    words = ", ".join(f"{column} is {_between(*limits)}" for column, limits in bounds.items())
    return Oracle(
        f"{relation}.{Kind.BOUNDED}",
        Stage.STATISTICS,
        Kind.BOUNDED,
        relation,
        f"Numbers of {name} are such as can be",
        f"In every row of {name}, {words}.",
        f"select {keys}\nfrom {relation}\nwhere {' or '.join(outside)}",
        rows_of(relation),
    )


def _between(lowest: float | None, highest: float | None) -> str:
    if highest is None:
        return f"not below {lowest}"
    return f"between {lowest} and {highest}"


def _row_check(name: str, keys: str, kind: Kind, column: str, title: str, sentence: str, violated: str) -> Oracle:
    relation = f"{SCHEMA}.{name}"
    return Oracle(
        f"{relation}.{column}.{kind}",
        Stage.STATISTICS,
        kind,
        relation,
        title,
        sentence,
        f"select {keys}\nfrom {relation}\nwhere {violated}",
        rows_of(relation, f"{column} is not null"),
        column,
    )


def _sums(name: str, keys: str, layout: Layout) -> Iterator[Oracle]:
    relation = f"{SCHEMA}.{name}"
    for item in layout.sums:
        if not isinstance(item.total, str) or any(not isinstance(part, str) for part in item.parts):
            continue  # a total, or a part, that stands in another table: see ORACLES
        if item.parts:
            parts = " + ".join(map(str, item.parts))
            violated = f"select {keys}\nfrom {relation}\nwhere {item.total} <> {parts}"
            sentence = f"In every row of {name}, {item.total} = {parts}."
            label = item.total
        else:
            others = ", ".join(key for key in layout.keys if key != item.over)
            where = " and ".join(
                f"{key} in ({', '.join(repr(value) for value in values)})" for key, values in item.where.items()
            )
            violated = (
                f"select {others}\nfrom {relation}\n{f'where {where}' if where else ''}\ngroup by {others}\n"
                f"having any_value({item.total}) <> sum({item.part})"
            )
            sentence = f"{item.total} of {name} is the sum of {item.part} over {item.over}."
            # all sums of a column over a key by one check each; those over codes of another key by one per code
            codes = [value for key, values in item.where.items() if key != item.over for value in values]
            label = ".".join([item.total, str(item.over), *codes])
        yield Oracle(
            f"{relation}.{label}.{Kind.PARTS}",
            Stage.STATISTICS,
            Kind.PARTS,
            relation,
            f"{item.total} is the sum of its parts",
            sentence,
            violated,
            rows_of(relation),
            item.total,
        )


def _margin(name: str, layout: Layout, coordinate: str, columns: tuple[str, ...]) -> Oracle:
    relation = f"{SCHEMA}.{name}"
    others = ", ".join(key for key in layout.keys if key != coordinate)
    stands_for_all = ALL_VALUES[coordinate]
    whole = f"{coordinate} is null" if stands_for_all is None else f"{coordinate} = '{stands_for_all}'"
    differs = " or ".join(
        f"sum({column}) filter (where {whole}) <> sum({column}) filter (where not ({whole}))" for column in columns
    )
    spoken = coordinate.removesuffix("_id").removesuffix("_key")
    return Oracle(
        f"{relation}.{coordinate}.{Kind.PARTS}",
        Stage.STATISTICS,
        Kind.PARTS,
        relation,
        f"{name} adds up over every {spoken}",
        f"{', '.join(columns)} of {name}: the sum over every {spoken} is the number for all together.",
        f"select {others}\nfrom {relation}\ngroup by {others}\nhaving {differs}",
        f"select count(*) from (\n    select {others} from {relation}\n    group by {others}\n"
        f"    having count(*) filter (where not ({whole})) > 0\n)",
        coordinate,
    )
