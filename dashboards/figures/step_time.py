"""How long each step took, as a dot in the range that is usual for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked, rows_axis
from dashboards.markup import plot_text
from dashboards.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 34


def figure(frame: pl.DataFrame) -> go.Figure:
    """Return the figure of a frame with columns label, seconds, usual_low, usual_high and is_unusual."""
    return checked(spec(frame.to_dicts()))


def spec(rows: Sequence[dict[str, Any]]) -> Spec:
    """Return the specification; rows in the order in which they are shown. A range that is not known is not drawn."""
    ranges = [(place, row) for place, row in enumerate(rows) if row["usual_high"] is not None]
    kinds = (("circle", "network", False), ("triangle-down", "bad", True))
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [value for _, row in ranges for value in (row["usual_low"], row["usual_high"], None)],
                "y": [value for place, _ in ranges for value in (place, place, None)],
                "line": {"color": LIGHT["pass"], "width": 10},
                "hoverinfo": "skip",
            },
            *(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [row["seconds"] for row in rows if bool(row["is_unusual"]) is is_unusual],
                    "y": [place for place, row in enumerate(rows) if bool(row["is_unusual"]) is is_unusual],
                    "marker": {"symbol": symbol, "size": 11, "color": LIGHT[colour]},
                    "hovertemplate": "%{x:.1f} seconds<extra></extra>",
                }
                for symbol, colour, is_unusual in kinds
            ),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={"title": {"text": "Seconds"}, "rangemode": "tozero", "nticks": 6},
            yaxis=rows_axis([plot_text(row["label"]) for row in rows]),
        ),
    }
