"""Cumulative recovery by week: Aalen-Johansen with leaving as a competing event, its band, and Kaplan-Meier beside it.

Drawn only while enough patients are followed (``shown``): a curve on a handful of patients is noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked
from dashboards.theme import CLEAR, LIGHT
from dashboards.words import tenth

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 330
LAST_WEEK = 24


def figure(frame: pl.DataFrame, network: pl.DataFrame | None = None) -> go.Figure:
    """Return the figure of a published ``recovery_curve`` of one selection, with that of all clinics behind it."""
    return checked(spec(frame.to_dicts(), [] if network is None else network.to_dicts()))


def spec(curve: Sequence[dict[str, Any]], network: Sequence[dict[str, Any]] = ()) -> Spec:
    """Return the specification; rows of both curves in order of days, either may be empty."""
    own = [row for row in curve if row["shown"] and not row["suppressed"]]
    behind = [row for row in network if row["shown"] and not row["suppressed"]]
    return {
        "data": [
            _edge(own, "recovered_low", fill=None),
            _edge(own, "recovered_high", fill="tonexty"),
            _line(behind, "recovered_share", "All clinics", {"color": LIGHT["network"], "width": 2, "dash": "dot"}),
            _line(own, "km_share", "Kaplan-Meier", {"color": LIGHT["mute"], "width": 1.5, "dash": "dash"}),
            _line(own, "recovered_share", "Recovered", {"color": LIGHT["own"], "width": 3}),
        ],
        "layout": base_layout(
            HEIGHT,
            xaxis={
                "range": [-0.3, LAST_WEEK + 0.3],
                "tick0": 0,
                "dtick": 4,
                "title": {"text": "Weeks since first visit"},
            },
            yaxis={"range": [0, 102], "tick0": 0, "dtick": 20, "ticksuffix": "%"},
            hovermode="x unified",
        ),
    }


def _line(rows: list[dict[str, Any]], column: str, name: str, line: Spec) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _weeks(rows),
        "y": [tenth(row[column]) for row in rows],
        "name": name,
        "line": {"shape": "hv", **line},
        "hovertemplate": "%{y:.0f}%",
    }


def _edge(rows: list[dict[str, Any]], column: str, fill: str | None) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _weeks(rows),
        "y": [tenth(row[column]) for row in rows],
        "line": {"shape": "hv", "width": 0, "color": CLEAR},
        "fill": fill or "none",
        "fillcolor": LIGHT["own-band"],
        "hoverinfo": "skip",
    }


def _weeks(rows: list[dict[str, Any]]) -> list[int | float]:
    return [row["day"] // 7 if row["day"] % 7 == 0 else round(row["day"] / 7, 1) for row in rows]
