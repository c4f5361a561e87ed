"""What all figures share: a specification in plain Python becomes a checked figure, and two of them a difference.

A module's ``spec`` makes the plain specification (cheap, once per selection), its ``figure`` lets plotly check it
(once per chart). Values are lists, never arrays: arrays would travel as base64, which no leak test can read.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from plotly import graph_objects as go

from dashboards.theme import CLEAR, LIGHT, TEMPLATE

Spec = dict[str, Any]

TOO_FEW_SIZE = 12
CLICKED = "none"
"""``hoverinfo`` of marks whose number stands beside them: no label, but a click tells where the number comes from."""


def base_layout(height: int, **layout: object) -> Spec:
    """Return a layout with the house template."""
    return {"template": TEMPLATE, "height": height, **layout}


def checked(spec: Spec) -> go.Figure:
    """Return the figure of a specification; ValueError if plotly does not know an attribute or value."""
    return go.Figure(data=spec["data"], layout=spec["layout"])


def rows_axis(labels: list[str]) -> Spec:
    """Return a vertical axis with one row per label, the first on top."""
    return {
        "tickmode": "array",
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "range": [max(len(labels), 1) - 0.5, -0.5],
        "showgrid": False,
        # Invisible ticks keep labels off the marks.
        "ticks": "outside",
        "ticklen": 8,
        "tickcolor": CLEAR,
        "tickfont": {"size": 13, "color": LIGHT["ink"]},
    }


def words_in_rows(places: list[tuple[int, str]], x: float) -> Spec:
    """Return grey words that stand in a row instead of a mark: a gap must say why it is one."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x for _ in places],
        "y": [row for row, _ in places],
        "text": [words for _, words in places],
        "textposition": "middle right",
        "textfont": {"size": TOO_FEW_SIZE, "color": LIGHT["mute"]},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def selected_row(place: int | None) -> Spec:
    """Return the shape that lies under the row of a selection; an invisible one if nothing is selected."""
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": -0.5 if place is None else place - 0.5,
        "y1": -0.5 if place is None else place + 0.5,
        "layer": "below",
        "line": {"width": 0, "color": CLEAR},
        "fillcolor": CLEAR if place is None else LIGHT["hot-row"],
    }


def difference(base: object, other: object) -> object:
    """Return what must be merged into ``base`` to give ``other``; None if nothing.

    Objects are merged key by key; lists of objects of equal length are merged place by place (as an object with
    places for keys); everything else is replaced.
    """
    if isinstance(base, dict) and isinstance(other, dict):
        changes = {key: other.get(key) for key in sorted(base.keys() | other.keys()) if base.get(key) != other.get(key)}
        merged = {key: difference(base.get(key), value) for key, value in changes.items()}
        return merged or None
    if _objects(base) and _objects(other) and len(base) == len(other):
        places = {str(i): difference(a, b) for i, (a, b) in enumerate(zip(base, other, strict=True)) if a != b}
        return places or None
    return other if base != other else None


def _objects(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
