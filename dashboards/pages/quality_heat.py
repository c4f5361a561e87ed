"""Which checks passed, delivery by delivery: rows of the chart for each choice of table and of what a failure does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards.figures import check_heat
from dashboards.markup import clean
from dashboards.pages.parts import Card, Column, Key, State, Table
from dashboards.pages.quality_rows import ATTENTION, PASSED, WRITTEN, short_day
from dashboards.words import DASH, STATUS, count, plural, spoken, stamp_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dashboards.figures.build import Spec
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

MOST_DELIVERIES = 30
MOST_ROWS = 30
FEW = 6
"""Up to so many deliveries are named above their column; of more only the days on which they were extracted."""
NAME_LETTERS = 9
LABEL_LETTERS = 44
TOGETHER = "Together"
"""The column of the checks on all accepted rows."""
_STAMP = re.compile(r"\d{8}T\d{6}Z")
WORST = ("error", "fail", "warn", "pass_with_violations", "pass", "not_applicable")

CARD = "heat"


def table_of_checks(card: str, what: str, not_applicable: str, when: str) -> Table:
    """Return the table under a heat map: how often each check ended in which way, and when it did not pass."""
    return Table(
        card,
        f"Checks that are drawn, with the number of {what}",
        (
            Column("Check", "drill:check"),
            Column("Passed", "int"),
            Column("Warning", "int"),
            Column("Failed", "int"),
            Column(not_applicable, "int"),
            Column(f"Did not pass {when}"),
        ),
        written=WRITTEN,
    )


def keys_of_checks(not_applicable: str) -> tuple[Key, ...]:
    """Return what the colours and marks of a heat map mean."""
    return (
        Key("pass", "passed"),
        Key("pass", f"{check_heat.EXCEPTION} passed, some rows did not"),
        Key("warn", "! warning"),
        Key("fail", "✕ failed"),
        Key("not-run", f"{DASH} {not_applicable}"),
    )


TABLE = table_of_checks(CARD, "deliveries", "Not applicable", "on")
KEYS = keys_of_checks("not applicable")


@dataclass(frozen=True)
class Results:
    """How checks ended on each delivery, or in each run.

    ``names`` are what deliveries or runs are called in a sentence, by their keys in the order of time; the key None
    stands for all deliveries together. ``labels`` stand above their columns. ``by_check`` is the status by check and
    key.
    """

    card_id: str
    names: Mapping[str | None, str]
    labels: Sequence[str]
    by_check: Mapping[str, Mapping[str | None, str]]

    def named(self, check_id: str) -> list[tuple[str, str]]:
        """Name of each delivery or run that has a result, and the result."""
        found = self.by_check.get(check_id, {})
        return [(name, found[key]) for key, name in self.names.items() if key is not None and key in found]


def results_of(published: Published) -> Results:
    """Return the results of the last deliveries."""
    deliveries = published.rows("conservation")
    deliveries.sort(key=lambda row: (row["extract_stamp"] or "", row["delivery_id"]))
    by_check: dict[str, dict[str | None, str]] = {}
    for row in published.rows("check_by_delivery"):
        by_check.setdefault(row["check_id"], {})[row["delivery_id"]] = row["status"]
    refused = [row["delivery_id"] for row in deliveries if row["state"] != "accepted"]
    for statuses in by_check.values():
        if None not in statuses:
            # Of a delivery that was refused before it was read nothing could be checked.
            statuses.update({key: "not_applicable" for key in refused if key not in statuses})
    last = deliveries[-MOST_DELIVERIES:]
    names: dict[str | None, str] = {row["delivery_id"]: name_of(row) for row in last}
    return Results(CARD, {**names, None: "all together"}, _labels(last), by_check)


def name_of(delivery: Row) -> str:
    """A delivery in a sentence."""
    day = stamp_text((delivery["extract_stamp"] or "")[:10])
    label = clean(delivery["label"] or delivery["delivery_id"])
    return f"{label}, {day}" if day else label


def card(spec: Spec | None) -> Card:
    """Return the card; its answer depends on the selection."""
    return Card(
        CARD,
        "Which checks passed, delivery by delivery?",
        12,
        f"A row is a check, a column a delivery, the last {MOST_DELIVERIES} of them from left to right in the order of "
        "their extracts; the last column are the checks on the accepted rows of all deliveries together. Without a "
        "choice of data set there is one row for each of them, with the worst result of its checks, and one for each "
        "check that did not pass. Press a check to see what it means. Every result is in check_by_delivery.csv.",
        TABLE,
        spec,
        KEYS,
        passport="check_by_delivery",
    )


def selected(results: Results, checks: Sequence[Row], tables: Sequence[str], *, is_all: bool) -> State:
    """Return what is shown for some checks; ``is_all``: no table was chosen, so that tables stand for their checks."""
    found = {row["check_id"]: results.by_check.get(row["check_id"], {}) for row in checks}
    worst = {row["check_id"]: _worst([row["status"], *found[row["check_id"]].values()]) for row in checks}
    wanted = ATTENTION if is_all else (*ATTENTION, "pass_with_violations")
    told = [row for row in checks if worst[row["check_id"]] in wanted]
    told.sort(key=lambda row: (WORST.index(worst[row["check_id"]]), row["check_id"]))
    drawn = [(clean(row["title"]), row["check_id"], found[row["check_id"]]) for row in told[:MOST_ROWS]]
    of_tables = [_of_table(results, checks, name) for name in tables if is_all]
    rows = [*(row for row in of_tables if row[2]), *drawn]
    cells = [
        {"row": at, "place": place, "status": statuses[key]}
        for at, (_, _, statuses) in enumerate(rows)
        for place, key in enumerate(results.names)
        if key in statuses
    ]
    labels = [(_short(title), value) for title, value, _ in rows]
    return State(
        text={f"{results.card_id}.say": _say(checks, told, len(drawn), is_all=is_all)},
        plots={results.card_id: check_heat.spec(labels, cells, results.labels, "check")},
        rows={results.card_id: [_numbers(results, *row) for row in rows]},
    )


def _of_table(results: Results, checks: Sequence[Row], table: str) -> tuple[str, str | None, Mapping[str | None, str]]:
    """The worst result of the checks of a table on each delivery."""
    mine = [results.by_check.get(row["check_id"], {}) for row in checks if row["table_name"] == table]
    keys = dict.fromkeys(key for one in mine for key in one)
    return spoken(table), None, {key: _worst(one[key] for one in mine if key in one) for key in keys}


def _numbers(results: Results, label: str, value: str | None, statuses: Mapping[str | None, str]) -> list[Cell]:
    counts = [
        sum(status in group for status in statuses.values())
        for group in (PASSED, ("warn",), ("fail", "error"), ("not_applicable",))
    ]
    bad = [
        f"{results.names[key]}: {STATUS[status]}"
        for key, status in statuses.items()
        if status in ATTENTION and key in results.names
    ]
    return [[value, label] if value else label, *counts, "; ".join(bad)]


def _say(checks: Sequence[Row], told: Sequence[Row], drawn: int, *, is_all: bool) -> str:
    attention = sum(row["status"] in ATTENTION for row in checks)
    found = (
        f"{count(attention)} of {plural(len(checks), 'check')} {'needs' if attention == 1 else 'need'} attention."
        if attention
        else f"None of {plural(len(checks), 'check')} warned or failed."
    )
    if is_all:
        return found if len(told) == drawn else f"{found} The first {drawn} of {len(told):,} are drawn."
    if not told:
        return f"{found} All of them passed without an exception, so that none is drawn."
    rest = len(checks) - drawn
    return f"{found} Drawn are those that found something{f', {rest:,} others are not' if rest else ''}."


def _labels(deliveries: Sequence[Row]) -> list[str]:
    """What stands above the columns: names of a few deliveries, else days, where there is room."""
    if len(deliveries) <= FEW:
        words = [_words(clean(row["label"] or row["delivery_id"])) for row in deliveries]
        common = next((at for at, word in enumerate(zip(*words, strict=False)) if len(set(word)) > 1), 0)
        return [*("\n".join(_cut(word) for word in (name[common:] or name)[:2]) for name in words), TOGETHER]
    days = spaced([short_day(row["extract_stamp"] or "") for row in deliveries])
    return [*days[:-2], "", "", TOGETHER]


def spaced(days: Sequence[str]) -> list[str]:
    """Days with room between them."""
    step = -(-len(days) // FEW)
    return [day if place % step == 0 else "" for place, day in enumerate(days)]


def _words(label: str) -> list[str]:
    """The words of a name without the stamp in it, which stands elsewhere."""
    return [word for word in re.split(r"[-_ ]+", _STAMP.sub("", label)) if word] or [label]


def _cut(word: str) -> str:
    return word if len(word) <= NAME_LETTERS else f"{word[: NAME_LETTERS - 1]}…"


def _worst(statuses: Iterable[str]) -> str:
    return min(statuses, key=WORST.index)


def _short(title: str) -> str:
    words = clean(title)
    return words if len(words) <= LABEL_LETTERS else f"{words[: LABEL_LETTERS - 1].rstrip()}…"
