"""What moved between two releases: plain HTML that needs no file beside it and runs no script.

It is for those who hold the home, and part of no site and no bundle. It shows exact numbers of small groups, and
numbers of states in between that were never published: beside published ones these would tell what is hidden.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from dashboards.markup import clean, esc
from dashboards.published import ALL_PERIODS
from dashboards.words import ANY_CARE, DASH, MINUS, plural, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STYLE = (
    ":root{color-scheme:light dark;--ink:#1b2430;--mute:#55606e;--line:#d9dfe6;--head:#f4f6f8;--page:#fff;"
    "--hot:#fff6e8}@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--mute:#a9b4c1;--line:#2b3542;--head:#171e27;"
    "--page:#0f141b;--hot:#2a2114}}"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1200px;"
    "margin:24px auto;padding:0 16px}h1{font-size:26px;margin:0}h2{font-size:19px;margin:28px 0 6px}"
    ".notice{background:var(--hot);padding:8px 12px}.lead{font-size:17px}summary{cursor:pointer;padding:6px 0}"
    "table{border-collapse:collapse;width:100%;font-size:13px}caption{text-align:left;color:var(--mute);padding:4px 0}"
    "th,td{border:1px solid var(--line);padding:3px 6px;text-align:left;vertical-align:top;font-weight:400}"
    "thead th{background:var(--head);font-weight:600}td.number{text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}code{font-size:12px}"
    "@media print{body{margin:0;max-width:none}.scroll{overflow:visible}tr{break-inside:avoid}}"
)
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'"
)
CAUSES = {
    "late_or_corrected": "Late or corrected records",
    "new_period": "New period",
    "decisions": "Waivers and rebases",
    "definitions": "Definitions and thresholds",
    "code": "Code",
    "printing": "Rounding and hiding",
}
"""Columns of the frame with the parts of a number, in the order of the steps."""
MEANINGS = (
    (
        "late_or_corrected",
        (
            "Records that clinics sent since, about time that the first release already covered, or that "
            "replace or take back what was known."
        ),
    ),
    (
        "new_period",
        (
            "Visits after what the first release covered, with the episodes and patients that began and the "
            "episodes that ended there. What counts deliveries and checks is not split by period and stands here as a "
            "whole."
        ),
    ),
    ("decisions", "What people decided in this home: rows that need no correction, limits of charts set anew."),
    ("definitions", "The contract: measures, definitions of recovery, bounds, thresholds of checks."),
    ("code", "All other code, and versions of packages."),
    (
        "printing",
        (
            "What is left when the exact parts are taken from the published change: numbers are rounded and small "
            "groups are hidden."
        ),
    ),
)
RESTRICTED = (
    "Only for those who may see the warehouse: exact numbers of small groups stand here, and of states in between that "
    "nobody published. Beside the published numbers these would tell what is hidden, so that this page is in no site "
    "and in no bundle."
)
PARTS_SUM = (
    "The parts sum to the change: here to four decimals, in <code>numbers.csv</code> beside this page exactly, for "
    "every number. Inputs were exchanged one kind at a time, in the order of the columns. New rules are the code, "
    "definitions and decisions of the second release."
)
BESIDE = {
    "rules_on_old": "New rules on old records",
    "rules_on_new": "New rules on new records",
    "interaction": "Difference of the two",
}
"""Rules are code, definitions and decisions."""
HEADLINES = (("recovery_by_condition", "rate"), ("recovery_by_condition", "n"), ("pain_change", "change_mean"))
SHOWN = {"hidden": "hidden", "none": DASH}
CLINIC = "clinic_key"
LARGEST = 15
PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class DiffMeta:
    """What the page says besides the numbers.

    ``inputs`` are rows of what each release was made from: what, first, second. ``notes`` are sentences about what
    could not be told apart. ``definition`` is the id of the recovery definition in force, ``compared`` how many
    numbers the two releases publish.
    """

    first: str
    second: str
    inputs: Sequence[tuple[str, str, str]]
    notes: Sequence[str]
    definition: str
    compared: int


def page(numbers: pl.DataFrame, meta: DiffMeta) -> str:
    """Return the page; ``numbers`` as ``assets.audit.diff.moved_numbers`` returns them."""
    title = f"What moved from release {esc(meta.first)} to {esc(meta.second)}"
    notes = "".join(f"<li>{esc(note)}</li>" for note in meta.notes)
    largest = (_largest(name, rows) for (name,), rows in numbers.group_by("table_name", maintain_order=True))
    sections = (
        f'<p class="lead">{esc(lead(numbers, meta))}</p><p class="notice">{RESTRICTED}</p>',
        "<h2>What the releases were made from</h2>",
        _table("Inputs of the two releases", ("Input", meta.first, meta.second), meta.inputs),
        f"<ul>{notes}</ul>" if notes else "",
        "<h2>What moved the numbers</h2>",
        _causes(numbers),
        _headlines(numbers, meta),
        _by_table(numbers),
        f"<h2>The largest changes of each table</h2><p>{PARTS_SUM}</p>",
        *largest,
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(POLICY)}">'
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>\n'
        f"<body><main><h1>{title}</h1>\n{''.join(sections)}</main></body></html>\n"
    )


def lead(numbers: pl.DataFrame, meta: DiffMeta) -> str:
    """How many numbers moved, and what moved most of them."""
    moved = f"{numbers.height:,} of {plural(meta.compared, 'published number')} moved"
    if numbers.is_empty():
        return f"{moved}."
    (cause, count), *_ = sorted(cause_counts(numbers).items(), key=lambda item: -item[1])
    return f"{moved}; {count:,} of them mostly by this: {CAUSES[cause].lower()}."


def cause_counts(numbers: pl.DataFrame) -> dict[str, int]:
    """Numbers by what moved them most, in the order of the steps."""
    found = dict(numbers.group_by("cause").len().iter_rows())
    return {cause: found.get(cause, 0) for cause in CAUSES}


def row_words(row: str) -> str:
    """The keys of a row, which come as JSON, in words; keys without a value mean all and are left out."""
    said = (_key_words(name, value) for name, value in json.loads(row).items() if value is not None)
    return clean(", ".join(said)) or "all"


def _key_words(name: str, value: object) -> str:
    """A key as people say it: a clinic by the name it has, all else without underscores."""
    text = str(value) if name == CLINIC else str(value).replace("_", " ")
    return f"{name.removesuffix('_id').removesuffix('_key').replace('_', ' ')} {text}"


def amount(value: Decimal | None, *, is_change: bool = False) -> str:
    """A number with at most four decimals; a change with its sign."""
    if value is None:
        return DASH
    text = f"{abs(value).quantize(PLACES):,f}".rstrip("0").rstrip(".")
    if text == "0":
        return "0"
    sign = MINUS if value < 0 else "+" if is_change else ""
    return f"{sign}{text}"


def _causes(numbers: pl.DataFrame) -> str:
    counts = cause_counts(numbers)
    rows = [(CAUSES[cause], counts[cause], meaning) for cause, meaning in MEANINGS]
    return _table("Numbers by the part that moved them most", ("Part", "Numbers", "What it is"), rows)


def _headlines(numbers: pl.DataFrame, meta: DiffMeta) -> str:
    """Recovery and pain of all clinics, with their parts."""
    wanted = {CLINIC: None, "care": ANY_CARE, "period": ALL_PERIODS, "definition_id": meta.definition}
    rows = []
    for name, column in HEADLINES:
        for row in numbers.filter(pl.col("table_name") == name, pl.col("column") == column).iter_rows(named=True):
            keys = json.loads(row["row"])
            if all(keys[key] == value for key, value in wanted.items() if key in keys):
                condition = keys["condition_id"] or "all conditions"
                rows.append((spoken(condition), *_parts(row)[1:]))
    if not rows:
        return ""
    caption = "All clinics, all care, all periods together; recovered by the definition in force"
    return "<h2>Recovery and pain of all clinics</h2>" + _table(caption, ("Condition", *PART_HEAD[1:]), rows)


def _by_table(numbers: pl.DataFrame) -> str:
    rows = []
    for (name,), found in numbers.group_by("table_name", maintain_order=True):
        counts = cause_counts(found)
        rows.append((spoken(str(name)), found.height, *counts.values(), *_turned(found)))
    head = ("Table", "Moved", *CAUSES.values(), "Came", "Went", "Now hidden", "Now shown")
    return "<h2>Tables</h2>" + _table("Numbers that moved, by what moved them most", head, rows)


def _turned(found: pl.DataFrame) -> tuple[int, ...]:
    pairs = (("none", "number"), ("number", "none"), ("number", "hidden"), ("hidden", "number"))
    return tuple(
        found.filter(pl.col("shown_before") == before, pl.col("shown_after") == after).height for before, after in pairs
    )


def _largest(name: object, rows: pl.DataFrame) -> str:
    size = pl.max_horizontal(pl.col("before").abs(), pl.col("after").abs()).cast(pl.Float64)
    top = rows.sort(pl.col("moved").abs().cast(pl.Float64) / size, descending=True, nulls_last=True).head(LARGEST)
    shown = [
        (*_parts(row), *(amount(row[column], is_change=True) for column in BESIDE)) for row in top.iter_rows(named=True)
    ]
    words = spoken(str(name))
    caption = f"{words}: {top.height} of {plural(rows.height, 'number')} that moved, largest change for its size first"
    return f"<details><summary>{esc(words)} ({rows.height:,})</summary>{_table(caption, HEAD, shown)}</details>"


def _parts(row: dict[str, object]) -> tuple[str, ...]:
    ends = tuple(
        amount(row[end]) if row[f"shown_{end}"] == "number" else SHOWN[str(row[f"shown_{end}"])]  # type: ignore[arg-type]
        for end in ("before", "after")
    )
    changes = tuple(amount(row[name], is_change=True) for name in ("moved", *CAUSES))  # type: ignore[arg-type]
    return (row_words(str(row["row"])), spoken(str(row["column"])), *ends, *changes)


PART_HEAD = ("Of what", "Number", "Before", "After", "Change", *CAUSES.values())
HEAD = (*PART_HEAD, *BESIDE.values())
NUMBER_START = frozenset(f"0123456789+{MINUS}{DASH}")


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    columns = "".join(f'<th scope="col">{esc(clean(name))}</th>' for name in head)
    lines = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{esc(caption)}"><table>'
        f"<caption>{esc(caption)}</caption><thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(row: Sequence[object]) -> str:
    first, *rest = row
    cells = (_cell(f"{cell:,}" if isinstance(cell, int) else clean(str(cell))) for cell in rest)
    return f'<th scope="row">{esc(clean(str(first)))}</th>{"".join(cells)}'


def _cell(text: str) -> str:
    is_number = text[:1] in NUMBER_START and " " not in text
    return f"<td{' class=number' if is_number else ''}>{esc(text)}</td>"
