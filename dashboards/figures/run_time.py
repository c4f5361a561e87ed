"""How long each run took that built a release, between the limits that were usual before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked
from dashboards.markup import plot_text
from dashboards.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 320
MOST_TICKS = 6


def figure(frame: pl.DataFrame) -> go.Figure:
    """Return the figure of a frame with columns label, day, seconds, usual_low, usual_high and is_unusual."""
    return checked(spec(frame.to_dicts()))


def spec(rows: Sequence[dict[str, Any]]) -> Spec:
    """Return the specification; rows in the order of time. Limits that are not known yet are a gap."""
    step = -(-len(rows) // MOST_TICKS) or 1
    ticks = list(range(0, len(rows), step))
    kinds = (("circle", "network", False), ("triangle-down", "bad", True))
    return {
        "data": [
            *(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [place for place, row in enumerate(rows) if bool(row["is_unusual"]) is is_unusual],
                    "y": [row["seconds"] for row in rows if bool(row["is_unusual"]) is is_unusual],
                    "text": [plot_text(row["label"]) for row in rows if bool(row["is_unusual"]) is is_unusual],
                    "marker": {"symbol": symbol, "size": 10, "color": LIGHT[colour]},
                    "hovertemplate": "%{text}<br>%{y:.1f} seconds<extra></extra>",
                }
                for symbol, colour, is_unusual in kinds
            ),
            *(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": list(range(len(rows))),
                    "y": [row[limit] for row in rows],
                    "line": {"color": LIGHT["mute"], "width": 1.5, "dash": "dash", "shape": "hvh"},
                    "hoverinfo": "skip",
                }
                for limit in ("usual_low", "usual_high")
            ),
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
            yaxis={"title": {"text": "Seconds"}, "rangemode": "tozero", "nticks": 6},
        ),
    }
