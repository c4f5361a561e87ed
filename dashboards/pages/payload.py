"""What a page hands to the engine: figures, tables and selections as one JSON value."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dashboards.figures.build import checked, difference
from dashboards.markup import clean
from dashboards.theme import CONFIG, DARK_OF_LIGHT, TEMPLATE
from dashboards.words import STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Card, State, Table

Filter = dict[str, Any]
SHORTEST_SHARED = 12
"""Letters of a text that several states share; a shorter one is no longer than its place."""
ROUNDED_TO = 5
"""To what published counts are rounded."""


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
        "note": f"{meta.data_to}; counts rounded to {ROUNDED_TO}; groups under {meta.minimum_group} not shown",
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


def states_json(states: Mapping[str, State], cards: Sequence[Card]) -> dict[str, Any]:
    """Return the states of a page whose content depends on all its filters, their figures as differences."""
    return {key: _state(state, cards) for key, state in states.items()}


def parts_json(
    parts: Iterable[tuple[Sequence[str], Mapping[str, State]]], cards: Sequence[Card]
) -> list[dict[str, Any]]:
    """Return parts of selections, each stored once for every value of the filters on which it depends.

    A part is the filters ``by`` which it differs and its states; the key of a state ("0|2") says the places of the
    chosen values of these filters, in this order. The engine joins the chosen states of all parts that have one, as
    ``joined`` does. A figure that a state does not name is left to other parts.
    """
    return [
        {"by": list(by), "states": {key: _part(state, cards) for key, state in states.items()}} for by, states in parts
    ]


def shared_words(parts: list[dict[str, Any]]) -> list[str]:
    """Replace texts that several states of these parts have by their places in a list, and return the list."""
    texts = [state["text"] for part in parts for state in part["states"].values() if "text" in state]
    used = Counter(words for text in texts for words in text.values())
    words = sorted(one for one, times in used.items() if times > 1 and len(one) >= SHORTEST_SHARED)
    places = {one: place for place, one in enumerate(words)}
    for text in texts:
        text.update({slot: places.get(one, one) for slot, one in text.items()})
    return words


def _part(state: State, cards: Sequence[Card]) -> dict[str, Any]:
    named = [card for card in cards if card.card_id in state.plots]
    return {name: value for name, value in _state(state, named).items() if value}


def _state(state: State, cards: Sequence[Card]) -> dict[str, Any]:
    base = {card.card_id: card.spec for card in cards if card.spec is not None}
    return {
        "text": dict(state.text),
        "plots": _changes(base, state.plots),
        "rows": state.rows,
        "alert": state.alert,
        "hide": state.hide,
        "steps": state.steps,
    }


def _changes(base: Mapping[str, Spec], specs: Mapping[str, Spec | None]) -> dict[str, Any]:
    """Figures that differ, as what must be merged into those of ``base``; None for a figure that is not drawn."""
    changes: dict[str, Any] = {}
    for name, before in base.items():
        spec = specs.get(name)
        change = None if spec is None else difference(_plain(before), _plain(spec))
        if spec is None or change is not None:
            changes[name] = change
    return changes


def _figure(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what plotly made of the specification; the template travels once per page."""
    made: dict[str, Any] = checked(spec).to_plotly_json()
    made["layout"].pop("template")
    return made


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    return {"data": spec["data"], "layout": {key: value for key, value in spec["layout"].items() if key != "template"}}
