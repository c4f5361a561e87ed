"""How each check ended on each delivery: a square per result, with a symbol wherever something was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked, rows_axis
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import DASH, STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 26
SQUARE = 18
NARROW_SQUARE = 8
"""On a narrow card, where many places stand closer together."""
FEW_PLACES = 10
EXCEPTION = "•"
"""Passed, but some rows did not: too frequent to say more of each."""
MARKS = (
    ("pass", "ink", "", ("pass",)),
    ("pass", "ink", EXCEPTION, ("pass_with_violations",)),
    ("warn", "ink", "!", ("warn",)),
    ("bad", "card", "✕", ("fail", "error")),
    ("none", "mute", DASH, ("not_applicable",)),
)
"""Colour, colour of the symbol, symbol, statuses."""


def figure(frame: pl.DataFrame, labels: Sequence[str], drill: str) -> go.Figure:
    """Return the figure of a frame with columns row, label, value, place and status, in the order of rows."""
    cells = frame.to_dicts()
    rows = {cell["row"]: (cell["label"], cell["value"]) for cell in cells}
    return checked(spec([rows[row] for row in sorted(rows)], cells, labels, drill))


def spec(
    rows: Sequence[tuple[str, str | None]], cells: Sequence[dict[str, Any]], labels: Sequence[str], drill: str
) -> Spec:
    """Return the specification.

    Args:
        rows: Label of each row, the first on top, and the value of filter ``drill`` that a click on its marks chooses.
        cells: row and place (from 0), and status, of each result.
        labels: What stands above each place, on lines; empty ones are not written.
        drill: Filter of the checks.

    """
    narrow = {} if len(labels) <= FEW_PLACES else {"narrow": NARROW_SQUARE}
    marked = [place for place, label in enumerate(labels) if label]
    return {
        "data": [_marks(rows, cells, {"drill": drill, **narrow}, *mark) for mark in MARKS],
        "layout": base_layout(
            70 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={
                "side": "top",
                "tickmode": "array",
                "tickvals": marked,
                "ticktext": [plot_text(labels[place]).replace("\n", "<br>") for place in marked],
                "range": [-0.6, max(len(labels), 1) - 0.4],
                "showgrid": False,
            },
            # Room above the first row: on a narrow card its label stands there.
            yaxis={**rows_axis([plot_text(label) for label, _ in rows]), "range": [max(len(rows), 1) - 0.5, -0.9]},
            margin={"l": 8, "r": 16, "t": 44, "b": 8},
        ),
    }


def _marks(
    rows: Sequence[tuple[str, str | None]],
    cells: Sequence[dict[str, Any]],
    meta: dict[str, Any],
    colour: str,
    ink: str,
    symbol: str,
    statuses: tuple[str, ...],
) -> Spec:
    mine = [cell for cell in cells if cell["status"] in statuses]
    trace: Spec = {
        "type": "scatter",
        "mode": "markers+text" if symbol else "markers",
        "x": [cell["place"] for cell in mine],
        "y": [cell["row"] for cell in mine],
        "marker": {"symbol": "square", "size": SQUARE, "color": LIGHT[colour]},
        "hoverinfo": "skip",
        "cliponaxis": False,
        "meta": {name: value for name, value in meta.items() if name != "drill"},
    }
    if not symbol:
        return trace
    trace |= {"text": [symbol] * len(mine), "textfont": {"size": 12, "color": LIGHT[ink]}}
    if symbol == EXCEPTION:
        return trace
    return {
        **trace,
        "hoverinfo": "text",
        "hovertext": [f"{plot_text(rows[cell['row']][0])}<br>{STATUS[cell['status']]}" for cell in mine],
        "customdata": [rows[cell["row"]][1] or "" for cell in mine],
        "meta": meta,
    }
