"""The attack: everything an outsider can conclude about hidden counts from the tables of one or two releases.

Every count that a table has a place for is an unknown whole number, whether the table shows it or not. What is printed
bounds it: a rounded count, a share with its precision, a Wilson interval, a limit. What has to add up ties the unknowns
together (``relations``). Bounds are propagated along these ties until nothing moves, rounded to whole numbers at every
step; what is still loose goes to linear programs over everything that hangs together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from assets.outcomes.published import LAYOUTS
from tests.privacy.attack.relations import (
    ALIKE,
    AMONG,
    COUNTS,
    DEFAULT,
    EQUAL,
    IN_MONTHS,
    LISTED,
    NOT_ADDITIVE,
    PARTITIONS,
    PLACE,
    SHARES,
    SHRINKS,
    WITHIN,
    Count,
    Share,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = 100_000
"""More people than any network of the tests has."""
TOLERANCE = 1e-6
BLURRED, STAND_IN, HALF_STEP = "approximate", 5, 0.005001
"""The column that marks a share made with a 5 in place of a small part, and how near it comes to that when printed."""
LOG, PRIMARY = "suppression", "primary"
"""The table that says what was hidden, where a bundle has it, and its word for what is hidden for itself."""
GONE = ("recovered", "left", "censored")
"""Where somebody is who is no longer at risk."""
Z = 1.959963984540054
SHARE_DECIMALS, EXACT_DECIMALS = 2, 9
"""Decimals of a share that is printed, and of one that is not rounded."""
MOST_PAIRS = 4000
"""Pairs of numerator and denominator that are tried against a printed interval."""
NEAR = 3
"""Times the width within which a hidden count is worth a linear program."""
MOST_UNKNOWNS = 250
"""Unknowns around a hidden count that its linear program sees."""
SLACK = 1e-4
"""What a linear program may be off by."""

Place = tuple[str, ...]
Unknown = tuple[int, str, Place]
"""Release, who, where: condition, clinic, care, period, and the part of a subgroup; "" for all."""


@dataclass(frozen=True, slots=True)
class Printing:
    """How counts are printed: rounded to ``base``, and no count under ``minimum`` but 0; exact where base is 1."""

    minimum: int
    base: int
    protects_parts: bool = False
    """Whether numerators and what is left beside them are held to the minimum too; shares that tell them are not."""
    is_partial: bool = False
    """Whether clinics are missing in the files."""

    def bounds(self, printed: int) -> tuple[int, int]:
        """What a printed count can stand for."""
        if self.base == 1 or printed == 0:
            return printed, printed
        low, high = printed - self.base // 2, printed + self.base // 2
        if printed == self.minimum - 1 + self.base:
            low = self.minimum
        return low, high


@dataclass(frozen=True, slots=True)
class Hidden:
    """A count that a table does not show."""

    table: str
    column: str
    unknown: Unknown
    is_size: bool


@dataclass(frozen=True, slots=True)
class Pinned:
    """A hidden count of which too little is left open, and what bounds it."""

    hidden: Hidden
    low: int
    high: int
    because: tuple[str, str]

    def __str__(self) -> str:
        """One line for a reader of the finding."""
        release, who, place = self.hidden.unknown
        where = ", ".join(part or "all" for part in place)
        return (
            f"{self.hidden.table}.{self.hidden.column} [{who} | {where} | release {release}] "
            f"is {self.low}..{self.high}: low by {self.because[0]}; high by {self.because[1]}"
        )


@dataclass
class Knowledge:
    """Unknowns with their bounds, and rows ``low <= coefficients * unknowns <= high`` with their reason."""

    printing: Printing
    index: dict[Unknown, int] = field(default_factory=dict)
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float, str]] = field(default_factory=list)
    intervals: list[tuple[int, int, float, float, float, int, str]] = field(default_factory=list)
    hidden: dict[Unknown, Hidden] = field(default_factory=dict)
    shown: set[Unknown] = field(default_factory=set)
    told: set[Unknown] = field(default_factory=set)
    """Parts whose share is printed: told by design, whatever their count column shows."""

    def unknown(self, release: int, who: str, place: Place) -> int:
        """The number of an unknown."""
        key = (release, who, place)
        if key not in self.index:
            self.index[key] = len(self.low)
            self.low.append(0)
            self.high.append(MANY)
            self.seen.append("")
        return self.index[key]

    def bound(self, number: int, low: int, high: int, reason: str) -> None:
        """Add what is known of one count."""
        if low > self.low[number] or high < self.high[number]:
            self.seen[number] = reason
        self.low[number], self.high[number] = max(low, self.low[number]), min(high, self.high[number])

    def tie(self, parts: Mapping[int, float], low: float, high: float, reason: str) -> None:
        """Add what is known of a sum."""
        self.rows.append((dict(parts), low, high, reason))


def read(knowledge: Knowledge, tables: Mapping[str, pl.DataFrame], release: int = 0) -> None:
    """Add all that the tables of a release say."""
    log = _logged(tables.get(LOG, pl.DataFrame()))
    for name, counts in COUNTS.items():
        for row in _rows(tables, name):
            for count in counts:
                if _means(row, count.only):
                    _read_count(knowledge, name, row, count, release)
                    _read_log(knowledge, log[name], name, row, count, release)
    for name, shares in SHARES.items():
        for row in _rows(tables, name):
            for share in shares:
                if _means(row, share.only):
                    _read_share(knowledge, name, row, share, release)
    _read_curves(knowledge, tables, release)


def relate(knowledge: Knowledge) -> None:
    """Add what has to hold between the counts of a place, of places, and of releases."""
    by_who: dict[tuple[int, str], dict[Place, int]] = defaultdict(dict)
    for (release, who, place), number in knowledge.index.items():
        by_who[release, who][place] = number
    for (release, who), places in by_who.items():
        _margins(knowledge, who, places)
        _growth(knowledge, who, places, by_who.get((release + 1, who), {}))
        if who.endswith(IN_MONTHS):
            _months(knowledge, who, places, by_who.get((release, who.removesuffix(IN_MONTHS)), {}))
        for inner, outer in AMONG:
            if who.startswith(inner):
                _within(knowledge, who, places, by_who.get((release, outer + who.removeprefix(inner)), {}))
    for release in {release for release, _ in by_who}:
        counts = {who: places for (at, who), places in by_who.items() if at == release}
        for inner, outer in WITHIN:
            _within(knowledge, inner, counts.get(inner, {}), counts.get(outer, {}))
            _rests(knowledge, release, inner, counts.get(inner, {}), counts.get(outer, {}))
        for sums in (EQUAL, LISTED):
            for whole, parts in sums:
                _sums(
                    knowledge,
                    whole,
                    counts.get(whole, {}),
                    [counts.get(who, {}) for who in parts],
                    is_listed=sums is LISTED,
                )


def _rests(
    knowledge: Knowledge, release: int, part: str, parts: Mapping[Place, int], wholes: Mapping[Place, int]
) -> None:
    """What is left beside a hidden part is as secret, where parts are."""
    is_secret = knowledge.printing.protects_parts and part.startswith("recovered ")
    for place in parts.keys() & wholes.keys() if is_secret else ():
        if (release, part, place) in knowledge.hidden:
            key = (release, f"not {part}", place)
            number = knowledge.unknown(*key)
            knowledge.hidden[key] = Hidden("the rest", part, key, is_size=False)
            knowledge.tie({wholes[place]: 1, parts[place]: -1, number: -1}, 0, 0, f"{part} and the rest are all")


def _growth(knowledge: Knowledge, who: str, places: Mapping[Place, int], later: Mapping[Place, int]) -> None:
    """Clinics only grow from release to release."""
    if not who.startswith(SHRINKS):
        for place in places.keys() & later.keys():
            knowledge.tie({later[place]: 1, places[place]: -1}, 0, MANY, f"{who} only grows from release to release")


def _sums(
    knowledge: Knowledge,
    whole: str,
    totals: Mapping[Place, int],
    parts: list[dict[Place, int]],
    *,
    is_listed: bool,
) -> None:
    for place, number in totals.items():
        found = [part[place] for part in parts if place in part]
        if len(found) == len(parts) or (found and is_listed):
            knowledge.tie({number: 1, **dict.fromkeys(found, -1)}, 0, 0, f"{whole} is the sum of its parts")


def _within(knowledge: Knowledge, who: str, inner: Mapping[Place, int], outer: Mapping[Place, int]) -> None:
    for place in inner.keys() & outer.keys():
        knowledge.tie({outer[place]: 1, inner[place]: -1}, 0, MANY, f"{who} is among others")


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> list[dict[str, str | None]]:
    """Rows of a table, with the definition that knows the outcome of the same episodes."""
    rows = tables[name].to_dicts() if name in tables else []
    return [
        {**row, "alike": ALIKE.get(row.get("definition_id") or row.get("outcome_id") or "", DEFAULT.definition_id)}
        for row in rows
    ]


def _means(row: Mapping[str, str | None], only: Mapping[str, tuple[str, ...]]) -> bool:
    return all(row.get(column) in values for column, values in only.items())


def _place(row: Mapping[str, str | None], care: str, clinic: str | None) -> Place:
    values = (row.get("condition_id"), row.get(clinic) if clinic else None, row.get(care), row.get("period"))
    part = f"{row['dimension']}={row['subgroup']}" if "subgroup" in row else ""
    whole = tuple("" if value in (None, every) else value for value, every in zip(values, PLACE.values(), strict=True))
    return (*whole, part)


def _read_count(knowledge: Knowledge, table: str, row: Mapping[str, str | None], count: Count, release: int) -> None:
    if count.column not in row:
        return
    key = (release, count.who.format_map(row), _place(row, count.care, count.clinic))
    number, printed = knowledge.unknown(*key), row[count.column]
    reason = f"{table}.{count.column} = {printed}"
    if printed is None:
        knowledge.hidden.setdefault(key, Hidden(table, count.column, key, count.is_size))
        return
    knowledge.shown.add(key)
    knowledge.bound(number, *knowledge.printing.bounds(int(printed)), reason)


def _logged(log: pl.DataFrame) -> dict[str, set[tuple[str, frozenset[str]]]]:
    """By table, column and keys of the cells that are hidden for themselves."""
    cells: dict[str, set[tuple[str, frozenset[str]]]] = defaultdict(set)
    for row in log.to_dicts():
        if row.get("keys") and row.get("kind") == PRIMARY:
            cells[row["table_name"]].add((row["column"], frozenset(row["keys"].split("; ")) - {"all"}))
    return cells


def _read_log(
    knowledge: Knowledge,
    cells: set[tuple[str, frozenset[str]]],
    table: str,
    row: Mapping[str, str | None],
    count: Count,
    release: int,
) -> None:
    """A cell that is hidden for itself counts 1 to 10."""
    if cells and row[count.column] is None:
        keys = (f"{name}={row[name]}" for name in LAYOUTS[table].keys if row[name] is not None)
        if (count.column, frozenset(keys)) in cells:
            number = knowledge.unknown(release, count.who.format_map(row), _place(row, count.care, count.clinic))
            knowledge.bound(number, 1, knowledge.printing.minimum - 1, "the log of what was hidden")


def _read_share(knowledge: Knowledge, table: str, row: Mapping[str, str | None], share: Share, release: int) -> None:
    place = _place(row, "care", share.clinic)
    whole = knowledge.unknown(release, share.whole.format_map(row), place)
    parts = {knowledge.unknown(release, who.format_map(row), place): sign for who, sign in share.part.items()}
    if not row.get(share.column):
        return
    if row.get(BLURRED) == "true" and (of := _blurred(row, share)) is not None:
        (part,) = parts
        tied = {part: 1.0} if of == "part" else {whole: 1.0, part: -1.0}
        knowledge.tie(tied, 0, knowledge.printing.minimum - 1, f"{table}.{share.column} is blurred")
        return
    half, value = _printed(row[share.column] or "", knowledge.printing)
    if not knowledge.hidden.get((release, share.whole.format_map(row), place)):
        knowledge.told.update((release, who.format_map(row), place) for who in share.part)
    reason = f"{table}.{share.column} = {row[share.column]}"
    for edge, low, high in ((value - half, -TOLERANCE, MANY), (value + half, -MANY, TOLERANCE)):
        tied: dict[int, float] = {number: float(sign) for number, sign in parts.items()}
        tied[whole] = tied.get(whole, 0.0) - edge
        knowledge.tie(tied, low, high, reason)
    if share.limits and len(parts) == 1:
        for limit, sign in zip(share.limits, (-1, 1), strict=True):
            if row.get(limit):
                half, printed = _printed(row[limit] or "", knowledge.printing)
                part = next(iter(parts))
                knowledge.intervals.append((part, whole, value, printed, half, sign, f"{table}.{limit} = {printed}"))


def _blurred(row: Mapping[str, str | None], share: Share) -> str | None:
    """Which of part and rest stands as 5 in a share of a row that is marked as approximate; None for an exact one."""
    size = int(row["eligible" if share.whole == "eligible" else "n"] or 0)
    for of, few in (("part", STAND_IN), ("rest", size - STAND_IN)):
        if len(share.part) == 1 and size and abs(few / size - float(row[share.column] or "")) <= HALF_STEP:
            return of
    return None


def _printed(text: str, printing: Printing) -> tuple[float, float]:
    """Half a step of a printed share, and the share. The step is that of the table: no zero stands at the end."""
    decimals = SHARE_DECIMALS if printing.base > 1 else EXACT_DECIMALS
    return 0.5 * 10.0**-decimals + 1e-12, float(text)


def _read_curves(knowledge: Knowledge, tables: Mapping[str, pl.DataFrame], release: int) -> None:
    """On each day everybody of a curve is at risk, recovered, gone or not followed; from day to day risk only falls."""
    curves: dict[tuple[str, Place], list[int]] = defaultdict(list)
    for row in _rows(tables, "recovery_curve"):
        curves[row["from_day"] or "", _place(row, "care", "clinic_key")].append(int(row["day"] or 0))
    for (start, place), days in curves.items():
        curve = f"of curve from {start}"
        size, before = knowledge.unknown(release, curve, place), None
        for day in sorted(days):
            risk = knowledge.unknown(release, f"at risk {curve} on {day}", place)
            gone = [
                knowledge.unknown(release, f"{name} {curve} by {day}", place)
                for name in ("recovered", "left", "censored")
            ]
            knowledge.tie({size: 1, risk: -1, **dict.fromkeys(gone, -1)}, 0, 0, f"day {day} of a curve adds up")
            if before is not None:
                knowledge.tie({before[0]: 1, risk: -1}, 0, MANY, "risk falls from day to day")
                for earlier, later in zip(before[1], gone, strict=True):
                    knowledge.tie({later: 1, earlier: -1}, 0, MANY, "a curve rises from day to day")
            before = (risk, gone)


def _margins(knowledge: Knowledge, who: str, places: Mapping[Place, int]) -> None:
    """Totals over each coordinate; a group without a row is empty. People who count once in a total only bound it."""
    for axis in range(len(PLACE) + 1):
        children: dict[tuple[Place, str], list[int]] = defaultdict(list)
        for place, number in places.items():
            if place[axis]:
                dimension = place[axis].partition("=")[0] if axis == len(PLACE) else ""
                children[(*place[:axis], "", *place[axis + 1 :]), dimension].append(number)
        for (place, dimension), parts in children.items():
            if (total := places.get(place)) is None:
                continue
            name = [*PLACE, "part"][axis]
            if who.startswith(NOT_ADDITIVE) or (dimension and dimension not in PARTITIONS):
                for part in parts:
                    knowledge.tie({total: 1, part: -1}, 0, MANY, f"{who}: each {name} is among all")
            else:
                is_listed = not (knowledge.printing.is_partial and name == "clinic_key") and not who.endswith(IN_MONTHS)
                most = 0 if is_listed else MANY  # the charts leave out groups with few months
                knowledge.tie({total: 1, **dict.fromkeys(parts, -1)}, 0, most, f"{who}: total over {name}")


def _months(knowledge: Knowledge, who: str, places: Mapping[Place, int], years: Mapping[Place, int]) -> None:
    """Months of a year are among its episodes: not every feed has them."""
    children: dict[Place, list[int]] = defaultdict(list)
    for (condition, clinic, care, period, part), number in places.items():
        children[condition, clinic, care, period[:4], part].append(number)
    for place, parts in children.items():
        if place in years:
            knowledge.tie({years[place]: 1, **dict.fromkeys(parts, -1)}, 0, MANY, f"{who} are among those of the year")


class Attack:
    """Bounds of all unknowns, tightened."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.low = np.array(knowledge.low, dtype=float)
        self.high = np.array(knowledge.high, dtype=float)
        rows = knowledge.rows
        sizes = [len(parts) for parts, *_ in rows]
        self.row = np.repeat(np.arange(len(rows)), sizes)
        self.column = np.array([number for parts, *_ in rows for number in parts], dtype=np.int64)
        self.factor = np.array([value for parts, *_ in rows for value in parts.values()])
        self.row_low = np.array([low for _, low, _, _ in rows])
        self.row_high = np.array([high for _, _, high, _ in rows])
        self._reasons = [*(reason for *_, reason in rows), *(reason for *_, reason in knowledge.intervals)]
        self._reasons.append("a linear program over what hangs together")
        self._by = np.full((2, len(self.low)), -1)

    def propagate(self, rounds: int = 100) -> None:
        """Tighten every bound by every row until nothing moves.

        Raises:
            ValueError: the files contradict the relations.

        """
        for _ in range(rounds):
            moved = self._tighten_rows()
            moved |= self._tighten_intervals()
            if not moved:
                return

    def pinned(self, width: int) -> list[Pinned]:
        """Hidden sizes of which fewer than ``width`` values are left."""
        return sorted(
            (
                Pinned(hidden, int(self.low[number]), int(self.high[number]), self._because(number))
                for number, hidden in self.targets().items()
                if self.high[number] - self.low[number] + 1 < width
            ),
            key=str,
        )

    def targets(self) -> dict[int, Hidden]:
        """Unknowns that no table shows and whose share none prints: what must not be found."""
        knowledge = self.knowledge
        return {
            knowledge.index[key]: hidden
            for key, hidden in knowledge.hidden.items()
            if key not in knowledge.shown and key not in knowledge.told and self._is_secret(hidden)
        }

    def _is_secret(self, hidden: Hidden) -> bool:
        return hidden.is_size or self.knowledge.printing.protects_parts

    def solve(self, width: int, programs: int) -> None:
        """Bound the hidden sizes that are closest to being found by linear programs over their surroundings.

        Whatever part of the system a program sees, its bounds hold. At most ``programs`` pairs of programs are run.
        """
        around = self._surroundings()
        near = [
            (self.high[number] - self.low[number], number)
            for number in self.targets()
            if width <= self.high[number] - self.low[number] + 1 < NEAR * width
        ]
        for _, number in sorted(near)[:programs]:
            self._bound_alone(number, around)

    def _because(self, number: int) -> tuple[str, str]:
        seen = self.knowledge.seen[number]
        low, high = (self._reasons[by] if by >= 0 else seen for by in self._by[:, number])
        return low, high

    def _tighten_rows(self) -> bool:
        low, high, factor, column = self.low, self.high, self.factor, self.column
        least = np.where(factor > 0, factor * low[column], factor * high[column])
        most = np.where(factor > 0, factor * high[column], factor * low[column])
        count = len(self.row_low)
        upper = self.row_high[self.row] - (np.bincount(self.row, least, count)[self.row] - least)
        lower = self.row_low[self.row] - (np.bincount(self.row, most, count)[self.row] - most)
        one, other = upper / factor, lower / factor
        highest = np.floor(np.where(factor > 0, one, other) + TOLERANCE)
        lowest = np.ceil(np.where(factor > 0, other, one) - TOLERANCE)
        moved = self._take(0, column, lowest, self.row) | self._take(1, column, highest, self.row)
        if (low > high).any():
            number = int(np.flatnonzero(low > high)[0])
            key = next(key for key, value in self.knowledge.index.items() if value == number)
            message = f"the files contradict what the attacker believes: {key} {' / '.join(self._because(number))}"
            raise ValueError(message)
        return moved

    def _take(self, side: int, column: np.ndarray, found: np.ndarray, by: np.ndarray) -> bool:
        """Keep the bounds that are better than those held, and by what they were found."""
        bound = (self.low, self.high)[side]
        better = np.flatnonzero(found > bound[column] if side == 0 else found < bound[column])
        if not better.size:
            return False
        (np.maximum if side == 0 else np.minimum).at(bound, column[better], found[better])
        best = better[found[better] == bound[column[better]]]
        self._by[side, column[best]] = by[best]
        return True

    def _tighten_intervals(self) -> bool:
        """Try every pair of counts against the printed Wilson limits, where few pairs are left."""
        moved = False
        for at, (part, whole, value, printed, half, sign, _) in enumerate(self.knowledge.intervals):
            sizes = np.arange(max(self.low[whole], 1), self.high[whole] + 1)
            parts = np.arange(self.low[part], self.high[part] + 1)
            if not 1 < sizes.size * parts.size <= MOST_PAIRS:
                continue
            size, count = np.meshgrid(sizes, parts)
            rate = np.minimum(count / size, 1)
            spread = Z * np.sqrt(rate * (1 - rate) / size + Z**2 / (4 * size**2))
            limit = np.clip((rate + Z**2 / (2 * size) + sign * spread) / (1 + Z**2 / size), 0, 1)
            fits = (np.abs(limit - printed) <= half * 1.000001) & (np.abs(rate - value) <= half * 1.000001)
            if fits.any():
                column, by = np.array([part, whole]), np.full(2, len(self.knowledge.rows) + at)
                moved |= self._take(0, column, np.array([count[fits].min(), size[fits].min()]), by)
                moved |= self._take(1, column, np.array([count[fits].max(), size[fits].max()]), by)
        return moved

    def _surroundings(self) -> tuple[csr_array, csr_array]:
        """Rows that still say something about loose unknowns: entries by row, and by unknown."""
        least = np.where(self.factor > 0, self.factor * self.low[self.column], self.factor * self.high[self.column])
        most = np.where(self.factor > 0, self.factor * self.high[self.column], self.factor * self.low[self.column])
        count = len(self.row_low)
        says = (np.bincount(self.row, least, count) < self.row_low - TOLERANCE) | (
            np.bincount(self.row, most, count) > self.row_high + TOLERANCE
        )
        kept = says[self.row] & (self.low < self.high)[self.column]
        fixed = np.bincount(self.row, np.where((self.low < self.high)[self.column], 0.0, least), count)
        self._row_span = np.column_stack([self.row_low - fixed, self.row_high - fixed])
        shape = (count, len(self.low))
        by_row = csr_array((self.factor[kept], (self.row[kept], self.column[kept])), shape=shape)
        return by_row, csr_array(by_row.T)

    def _bound_alone(self, number: int, around: tuple[csr_array, csr_array]) -> None:
        by_row, by_unknown = around
        rows: dict[int, None] = {}
        unknowns: dict[int, None] = {number: None}
        queue = [number]
        while queue and len(unknowns) < MOST_UNKNOWNS:
            one = queue.pop(0)
            for row in by_unknown.indices[by_unknown.indptr[one] : by_unknown.indptr[one + 1]]:
                if row not in rows:
                    rows[row] = None
                    for other in by_row.indices[by_row.indptr[row] : by_row.indptr[row + 1]]:
                        if other not in unknowns:
                            unknowns[other] = None
                            queue.append(other)
        if not rows:
            return
        columns, lines = list(unknowns), list(rows)
        matrix, span = by_row[lines][:, columns], self._row_span[lines]
        upper, lower = span[:, 1] < MANY / 2, span[:, 0] > -MANY / 2
        weights = np.zeros(len(columns))
        weights[0] = 1
        found = []
        for sign in (1, -1):
            result = linprog(
                sign * weights,
                A_ub=vstack([matrix[upper], -matrix[lower]]),
                b_ub=np.concatenate([span[upper, 1], -span[lower, 0]]) + TOLERANCE,
                bounds=np.column_stack([self.low[columns], self.high[columns]]),
                method="highs",
            )
            if result.status:
                return
            found.append(result.x[0])
        one, by = np.array([number]), np.array([len(self._reasons) - 1])
        self._take(0, one, np.array([math.ceil(found[0] - SLACK)]), by)
        self._take(1, one, np.array([math.floor(found[1] + SLACK)]), by)
