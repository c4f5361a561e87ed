"""What a page hands to the engine: figures, tables and selections as one JSON value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import checked, difference
from dashboards.markup import clean
from dashboards.theme import CONFIG, DARK_OF_LIGHT, TEMPLATE
from dashboards.words import STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Card, State, Table

Filter = dict[str, Any]


def selection_filter(filter_id: str, label: str, values: Sequence[tuple[str, str]]) -> Filter:
    """Return a filter whose values are (value in the address, label); the first is the default."""
    return {"id": filter_id, "label": label, "values": [[clean(value), clean(text)] for value, text in values]}


def payload(
    page: str, meta: SiteMeta, cards: Sequence[Card], filters: Sequence[Filter], **content: object
) -> dict[str, Any]:
    """Return what every page with charts or tables needs, and ``content`` (rows, narrow, or states)."""
    return {
        "page": page,
        "stamp": meta.data_to,
        "note": f"{meta.data_to}; groups of fewer than {meta.minimum_group} are not shown",
        "filters": list(filters),
        "cards": {card.card_id: card.table.table_id for card in cards},
        "tables": {card.table.table_id: table_json(card.table) for card in cards},
        "base": {card.card_id: _figure(card.spec) for card in cards if card.spec},
        "template": TEMPLATE.to_plotly_json(),
        "config": CONFIG,
        "dark": DARK_OF_LIGHT,
        "status": STATUS,
        **content,
    }


def table_json(table: Table) -> dict[str, Any]:
    """Return what the engine must know to write rows of the table."""
    return {"columns": [[column.label, column.kind] for column in table.columns], "grouped": table.grouped}


def states_json(
    states: Mapping[str, State], cards: Sequence[Card], like: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the states, their figures as differences to those of the cards.

    ``like`` names for some states another one, which they repeat but for little: only that is written.
    """
    like = like or {}
    return {
        key: _state(state, cards)
        if key not in like
        else {"like": like[key], **_beside(states[like[key]], state, cards)}
        for key, state in states.items()
    }


def _state(state: State, cards: Sequence[Card]) -> dict[str, Any]:
    base = {card.card_id: card.spec for card in cards if card.spec is not None}
    plots = _changes(base, {name: state.plots.get(name) for name in base})
    return {"text": state.text, "plots": plots, "rows": dict(state.rows), "alert": state.alert, "hide": state.hide}


def _beside(other: State, state: State, cards: Sequence[Card]) -> dict[str, Any]:
    """Return what a state shows otherwise than another one; whole values where that one has none."""
    base = {card.card_id: card.spec for card in cards if card.spec is not None}
    before = {name: other.plots.get(name) for name in base}
    after = {name: state.plots.get(name) for name in base}
    return {
        "text": {
            name: state.text.get(name, "")
            for name in sorted({*other.text, *state.text})
            if _differ(other.text, state.text, name)
        },
        "plots": _changes(before, after),
        "rows": {name: rows for name, rows in state.rows.items() if other.rows.get(name) != rows},
        "alert": state.alert,
        "hide": state.hide,
    }


def _differ(one: Mapping[str, str], other: Mapping[str, str], name: str) -> bool:
    return one.get(name, "") != other.get(name, "")


def _changes(base: Mapping[str, Spec | None], specs: Mapping[str, Spec | None]) -> dict[str, Any]:
    """Figures that differ, as what must be merged into those of ``base``; None for a figure that is not drawn."""
    changes: dict[str, Any] = {}
    for name, before in base.items():
        spec = specs[name]
        if spec is None or before is None:
            if spec is not before:
                changes[name] = None if spec is None else _plain(spec)
            continue
        change = difference(_plain(before), _plain(spec))
        if change is not None:
            changes[name] = change
    return changes


def _figure(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what plotly made of the specification; the template travels once per page."""
    made: dict[str, Any] = checked(spec).to_plotly_json()
    made["layout"].pop("template")
    return made


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    return {"data": spec["data"], "layout": {key: value for key, value in spec["layout"].items() if key != "template"}}
