"""Expected against observed, for patients grouped by how good an outcome was expected: on the line, it came true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked
from dashboards.theme import LIGHT
from dashboards.words import count, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 340
PERCENT = 100


def figure(frame: pl.DataFrame) -> go.Figure:
    """Return the figure of a published ``case_mix_calibration`` of one model of a share."""
    return checked(spec(frame.to_dicts()))


def spec(rows: Sequence[dict[str, Any]]) -> Spec:
    """Return the specification; shares of 1, rows in order of parts. Hidden parts are left out."""
    shown = [row for row in rows if row["observed"] is not None]
    axis = {"range": [0, 102], "tick0": 0, "dtick": 20, "ticksuffix": "%"}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [0, 100],
                "y": [0, 100],
                "line": {"color": LIGHT["network"], "width": 1.5, "dash": "dot"},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [_percent(row["expected"]) for row in shown],
                "y": [_percent(row["observed"]) for row in shown],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_gap(row["observed"], row["high"]) for row in shown],
                    "arrayminus": [_gap(row["low"], row["observed"]) for row in shown],
                    "color": LIGHT["own"],
                    "thickness": 2,
                    "width": 0,
                },
                "marker": {"color": LIGHT["own"], "size": 9},
                "customdata": [count(row["n"]) for row in shown],
                "hovertemplate": "Expected %{x:.0f}%, observed %{y:.0f}%<br>n %{customdata}<extra></extra>",
                "cliponaxis": False,
            },
        ],
        "layout": base_layout(
            HEIGHT,
            xaxis={**axis, "title": {"text": "Expected to recover"}},
            yaxis={**axis, "title": {"text": "Recovered"}},
        ),
    }


def _percent(share: float) -> float | None:
    return rounded(share * PERCENT)


def _gap(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else max(round(PERCENT * (high - low), 1), 0.0)
