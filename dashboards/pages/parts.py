"""Building blocks of a page: tables, cards, tiles and filters, as HTML with the default selection written in.

The page engine fills the same places for other selections: ``data-slot`` takes text, ``data-table`` takes rows,
``data-plot`` takes a figure, ``data-alert`` is highlighted, ``data-when`` is shown or hidden. Buttons with
``data-drill`` choose a value of a filter, those with ``data-passport`` say where a number comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dashboards.markup import clean, esc
from dashboards.words import DASH, MINUS, STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assets.contract.model import RecoveryDefinition
    from dashboards.figures.build import Spec

Cell = str | int | float | list[str] | None
DRILL = "drill:"
HTML_OPTIONS = 1
"""Values of a filter written into the page; the engine adds the others."""
HTML_ROWS = 60
"""Rows written into the page; the engine writes the others, and all are in the CSV."""


@dataclass(frozen=True, slots=True)
class Column:
    """A table column. ``kind``: text, int, pct (whole percent), dec1, dec2 (decimals), status, two (two lines).

    ``drill:<filter>``, of the first column only: a cell [value in the address, label] is a button that chooses this
    value of the filter, and the default again when pressed once more; a cell of plain text is no button.
    """

    label: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table without its rows. ``grouped``: the first column becomes a heading row wherever it changes.

    ``written``: rows that are in the page itself; the engine writes all, and of a table without any the head too.
    ``passport``: the published table from which a table that belongs to no card comes.
    """

    table_id: str
    caption: str
    columns: tuple[Column, ...]
    grouped: bool = False
    written: int = HTML_ROWS
    passport: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a chart key: CSS class of its mark, words, and the name under which it can be hidden."""

    mark: str
    words: str
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A chart or a table with its question. The answer is text slot ``<card_id>.say`` of the state."""

    card_id: str
    question: str
    width: int
    read: str
    """How to read it; where it is empty, a state has it as ``<card_id>.read``: without the engine there is no chart."""
    table: Table
    spec: Spec | None = None
    keys: tuple[Key, ...] = ()
    extra: str = ""
    """HTML below the chart, above the disclosures."""
    say: str = ""
    """The answer where it is the same for every selection."""
    passport: str = ""
    """The published table from which its numbers come."""


@dataclass(slots=True)
class State:
    """What one selection shows: text by slot, figures by card, rows by table, highlighted tiles, hidden parts.

    ``steps``: by passport, what was left at each step of exclusion, as [what, number in words].
    """

    text: dict[str, str] = field(default_factory=dict)
    plots: dict[str, Spec | None] = field(default_factory=dict)
    rows: dict[str, list[list[Cell]]] = field(default_factory=dict)
    alert: list[str] = field(default_factory=list)
    hide: list[str] = field(default_factory=list)
    steps: dict[str, list[list[str]]] = field(default_factory=dict)


def joined(states: Iterable[State]) -> State:
    """Return one state of the parts of a selection, as the engine joins them: of two values the later one stands."""
    made = State()
    for state in states:
        made.text |= state.text
        made.plots |= state.plots
        made.rows |= state.rows
        made.alert += state.alert
        made.hide += state.hide
        made.steps |= state.steps
    return made


def shown(value: Cell, kind: str) -> str:
    """Return a cell as text; strings stand as they are. The engine has the same function."""
    if value is None:
        return DASH
    if isinstance(value, list):
        return value[1] if kind.startswith(DRILL) else ": ".join(value)
    if isinstance(value, str):
        return STATUS.get(value, value) if kind == "status" else value
    if kind == "pct":
        return f"{value}%"
    if kind in ("dec1", "dec2"):
        return f"{value:.{kind[3]}f}".replace("-", MINUS)
    return f"{value:,}".replace("-", MINUS)


def table_html(table: Table, rows: Sequence[Sequence[Cell]]) -> str:
    """Return a scrollable region with the table, and below it the way to its passport."""
    start = 1 if table.grouped else 0
    head = "".join(f'<th scope="col"{_class(column.kind)}>{esc(column.label)}</th>' for column in table.columns[start:])
    inner = f"<thead><tr>{head}</tr></thead>" if table.written else "<thead><tr></tr></thead>"
    body = _body(table, rows[: table.written]) if table.written else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{esc(table.caption)}">'
        f'<table class="cells"><caption>{esc(table.caption)}</caption>{inner}'
        f'<tbody data-table="{esc(table.table_id)}">{body}</tbody></table></div>'
        f"{passport_html(table.passport)}"
    )


def passport_html(passport: str, about: str = "") -> str:
    """Return the button that shows where a number comes from; nothing if there is no passport.

    ``about``: what the number is, for a button in no tile, card or table: from these the engine takes it.
    """
    if not passport:
        return ""
    words = "Where this number comes from"
    label = f' aria-label="{words}: {esc(about)}"' if about else ""
    return f'<button class="passport js-only" data-passport="{esc(passport)}"{label}>{words}</button>'


def _body(table: Table, rows: Sequence[Sequence[Cell]]) -> str:
    parts, group = [], None
    start = 1 if table.grouped else 0
    for row in rows:
        if table.grouped and row[0] != group:
            group = row[0]
            span = len(table.columns) - 1
            parts.append(f'<tr class="group"><th scope="rowgroup" colspan="{span}">{esc(group)}</th></tr>')
        cells = zip(row[start:], table.columns[start:], strict=True)
        line = (_cell(cell, column, is_first=place == 0) for place, (cell, column) in enumerate(cells))
        parts.append(f"<tr>{''.join(line)}</tr>")
    return "".join(parts) or f'<tr><td colspan="{len(table.columns) - start}">Nothing to show.</td></tr>'


def _cell(value: Cell, column: Column, *, is_first: bool) -> str:
    if column.kind == "two" and isinstance(value, list):
        inner = f"{esc(value[0])}<small>{esc(value[1])}</small>"
    elif column.kind.startswith(DRILL) and isinstance(value, list):
        drill = f'data-drill="{esc(column.kind.removeprefix(DRILL))}" data-value="{esc(value[0])}"'
        inner = f"<button {drill}>{esc(value[1])}</button>"
    else:
        inner = esc(shown(value, column.kind))
    if is_first:
        return f'<th scope="row">{inner}</th>'
    status = f" s-{value}" if column.kind == "status" else ""
    return f"<td{_class(column.kind, status)}>{inner}</td>"


def _class(kind: str, more: str = "") -> str:
    """Return the class of a cell. Most are numbers: these need none, which makes a page lighter by a tenth."""
    is_text = kind in ("text", "two", "status") or kind.startswith(DRILL)
    names = f"{'word' if is_text else ''}{esc(more)}".strip()
    return f' class="{names}"' if names else ""


def slot(name: str, state: State, tag: str = "p", css: str = "") -> str:
    """Return an element whose text the engine replaces; empty ones are not displayed."""
    class_ = f' class="{css}"' if css else ""
    return f'<{tag}{class_} data-slot="{esc(name)}">{esc(state.text.get(name, ""))}</{tag}>'


def when(name: str | None, state: State) -> str:
    """Return the attributes of a part that some selections hide."""
    if name is None:
        return ""
    return f' data-when="{esc(name)}"{" hidden" if name in state.hide else ""}'


def card_html(card: Card, state: State) -> str:
    """Return a card: question, downloads, answer, key, chart, numbers, how to read it."""
    # Buttons and charts work with the engine only: it gives them their full names.
    name, question = esc(card.card_id), esc(card.question)
    png = f'<button data-png="{name}">PNG</button>'
    return (
        f'<figure class="card w{card.width}" aria-labelledby="{name}-q" id="{name}"><div class="card-head">'
        f'<h2 id="{name}-q">{question}</h2><div class="tools js-only">'
        f'<button data-csv="{name}">CSV</button>'
        f"{png if card.spec else ''}</div></div>"
        f"{_say(card, state)}{_keys(card, state)}{_plot(card, state)}{card.extra}"
        f"<figcaption>{_disclosures(card, state)}</figcaption></figure>"
    )


def _say(card: Card, state: State) -> str:
    return f'<p class="say">{esc(card.say)}</p>' if card.say else slot(f"{card.card_id}.say", state, css="say")


def _keys(card: Card, state: State) -> str:
    items = "".join(
        f'<li{when(key.when, state)}><i class="mark {key.mark}"></i>{esc(key.words)}</li>' for key in card.keys
    )
    return f'<ul class="key" aria-hidden="true">{items}</ul>' if items else ""


def _plot(card: Card, state: State) -> str:
    if card.spec is None:
        return ""
    return (
        f'{slot(f"{card.card_id}.none", state, css="none")}<div class="plot js-only" role="img" '
        f'data-plot="{esc(card.card_id)}" style="min-height:{card.spec["layout"]["height"]}px"></div>'
    )


def _disclosures(card: Card, state: State) -> str:
    table = table_html(card.table, state.rows.get(card.table.table_id, []))
    by_engine = ' class="js-only"'
    numbers = f"<details{'' if card.table.written else by_engine}><summary>Show the numbers</summary>{table}</details>"
    text = f"<p>{esc(card.read)}</p>" if card.read else slot(f"{card.card_id}.read", state)
    read = f"<details{'' if card.read else by_engine}><summary>How to read this</summary>{text}</details>"
    return f"{numbers if card.spec else table}{read}{passport_html(card.passport)}"


def tile_html(tile_id: str, label: str, definition: str, state: State, passport: str = "") -> str:
    """Return a tile: label, number with its unit, what it rests on, definition, where it comes from.

    Where the definition is empty, a state has it as ``<tile_id>.definition``.
    """
    alert = " alert" if tile_id in state.alert else ""
    text = f"<p>{esc(definition)}</p>" if definition else slot(f"{tile_id}.definition", state)
    later = "" if definition else ' class="js-only"'
    return (
        f'<div class="tile{alert}" data-alert="{esc(tile_id)}"><h2>{esc(label)}</h2><p class="number">'
        f"{slot(f'{tile_id}.number', state, 'span')}{slot(f'{tile_id}.unit', state, 'small')}</p>"
        f"{slot(f'{tile_id}.sub', state, css='sub')}"
        f"<details{later}><summary>Definition</summary>{text}</details>"
        f"{passport_html(passport)}</div>"
    )


def definition_html(definition: RecoveryDefinition) -> str:
    """Return what recovered means on the page, with its version."""
    return (
        f'<p class="definition"><strong>{esc(clean(definition.label))}</strong> means: '
        f'{esc(clean(definition.sentence))} <a href="definitions.html#{esc(definition.definition_id)}">'
        f"Definition, version {definition.version}</a></p>"
    )


def filters_html(filters: Sequence[dict[str, Any]]) -> str:
    """Return the filter bar; without JavaScript it is not shown."""
    boxes = "".join(
        f'<label for="f-{item["id"]}">{esc(item["label"])}<select id="f-{item["id"]}" data-filter="{item["id"]}">'
        + "".join(
            f'<option value="{place}">{esc(value[1])}</option>'
            for place, value in enumerate(item["values"][:HTML_OPTIONS])
        )
        + "</select></label>"
        for item in filters
    )
    return (
        f'<form class="filters js-only" aria-label="Filters">{boxes}<div class="buttons">'
        '<button type="button" data-do="reset">Reset</button>'
        '<button type="button" data-do="link">Copy link</button></div></form>'
    )
