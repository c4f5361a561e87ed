"""Needling sessions between one serious event and the next (g-chart): points in order, middle, upper limit, signals.

A long gap is a triangle up, a gap that belongs to a run of short ones a triangle down, all others circles. There are no
dates and no clinics in it: the order of rare events is all that may be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked
from dashboards.theme import LIGHT
from dashboards.words import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 300


def figure(frame: pl.DataFrame, centre: float | None, upper: float | None) -> go.Figure:
    """Return the figure of a published ``adverse_event_gap`` with the limits of ``adverse_event_chart``."""
    return checked(spec(frame.to_dicts(), centre, upper))


def spec(rows: Sequence[dict[str, Any]], centre: float | None, upper: float | None) -> Spec:
    """Return the specification; rows in the order of events."""
    points = [row for row in rows if row["sessions_between"] is not None]
    is_short = [bool(row["is_short"] or row["is_zero"]) for row in points]
    kinds = [
        (
            "circle",
            LIGHT["network"],
            [not (row["is_long"] or short) for row, short in zip(points, is_short, strict=True)],
        ),
        ("triangle-up", LIGHT["own"], [bool(row["is_long"]) for row in points]),
        ("triangle-down", LIGHT["bad"], is_short),
    ]
    line = [{"x": row["position"], "y": row["sessions_between"]} for row in points]
    last = max((row["position"] for row in points), default=1)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [point["x"] for point in line],
                "y": [point["y"] for point in line],
                "line": {"color": LIGHT["network"], "width": 1},
                "hoverinfo": "skip",
            },
            *(_marks(points, *kind) for kind in kinds),
            _level(centre, last, "solid"),
            _level(upper, last, "dash"),
        ],
        "layout": base_layout(
            HEIGHT,
            xaxis={"title": {"text": "Serious events in order"}, "range": [0.5, last + 0.5], "tickformat": "d"},
            yaxis={"title": {"text": "Sessions between"}, "rangemode": "tozero", "tickformat": ",d"},
        ),
    }


def _marks(points: list[dict[str, Any]], symbol: str, colour: str, chosen: list[bool]) -> Spec:
    mine = [point for point, is_mine in zip(points, chosen, strict=True) if is_mine]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [point["position"] for point in mine],
        "y": [point["sessions_between"] for point in mine],
        "marker": {"symbol": symbol, "size": 9, "color": colour},
        "hovertemplate": "%{y:,d} sessions<extra></extra>",
    }


def _level(value: float | None, last: int, dash: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [] if value is None else [0.5, last + 0.5],
        "y": [] if value is None else [rounded(value)] * 2,
        "line": {"color": LIGHT["mute"], "width": 1.5, "dash": dash},
        "hoverinfo": "skip",
    }
