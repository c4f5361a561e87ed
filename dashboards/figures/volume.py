"""Rows of each delivery as a multiple of what is usual for its source, between the limits of the check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 320
MOST_TICKS = 5


def figure(frame: pl.DataFrame, low: float, high: float) -> go.Figure:
    """Return the figure of a frame with columns label, day, times_usual and is_unusual."""
    return checked(spec(frame.to_dicts(), low, high))


def spec(rows: Sequence[dict[str, Any]], low: float, high: float) -> Spec:
    """Return the specification; rows in the order of time, on a scale on which half and twice are equally far."""
    step = -(-len(rows) // MOST_TICKS) or 1
    ticks = list(range(0, len(rows), step))
    kinds = (
        ("circle", "network", [row for row in rows if not row["is_unusual"]]),
        ("triangle-up", "own", [row for row in rows if row["is_unusual"] and row["times_usual"] > 1]),
        ("triangle-down", "bad", [row for row in rows if row["is_unusual"] and row["times_usual"] <= 1]),
    )
    places = {id(row): place for place, row in enumerate(rows)}
    return {
        "data": [
            *(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [places[id(row)] for row in mine],
                    "y": [rounded(row["times_usual"], 2) for row in mine],
                    "marker": {"symbol": symbol, "size": 10, "color": LIGHT[colour]},
                    "text": [f"{plot_text(row['label'])}, {plot_text(row['day'])}" for row in mine],
                    "hovertemplate": "%{text}<br>%{y} times the usual rows<extra></extra>",
                }
                for symbol, colour, mine in kinds
            ),
            *(_level(value, len(rows), dash) for value, dash in ((1, "solid"), (low, "dash"), (high, "dash"))),
        ],
        "layout": base_layout(
            HEIGHT,
            xaxis={
                "tickmode": "array",
                "tickvals": ticks,
                "ticktext": [plot_text(rows[place]["day"]) for place in ticks],
                "range": [-0.7, max(len(rows), 1) - 0.3],
                "showgrid": False,
            },
            yaxis={
                "type": "log",
                "title": {"text": "Times the usual rows"},
                "tickmode": "array",
                "tickvals": [0.1, 1 / 3, 1, 3, 10],
                "ticktext": ["0.1", "⅓", "1", "3", "10"],
            },
        ),
    }


def _level(value: float, rows: int, dash: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [-0.7, max(rows, 1) - 0.3],
        "y": [rounded(value, 3)] * 2,
        "line": {"color": LIGHT["mute"], "width": 1.5, "dash": dash},
        "hoverinfo": "skip",
    }
