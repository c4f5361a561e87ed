"""An outcome by month or year with its control limits. Gaps stay gaps, and nothing is drawn across them.

A grey circle is ordinary variation, a triangle up a signal for the better, a triangle down one of concern, a hollow
circle a point that is not judged. Dotted limits are trial limits: they rest on too few points to judge by.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked
from dashboards.theme import LIGHT
from dashboards.words import count, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 330
PERCENT = 100
TRIAL = "trial"
CLASSES = (
    ("common_cause", "circle", "network", "network"),
    ("better", "triangle-up", "own", "own"),
    ("concern", "triangle-down", "bad", "bad"),
    ("none", "circle", "card", "network"),
)
"""Class of a point, symbol, fill, edge."""


def figure(frame: pl.DataFrame, *, is_share: bool) -> go.Figure:
    """Return the figure of a published ``outcome_over_time`` of one series and selection."""
    return checked(spec(frame.to_dicts(), is_share=is_share))


def spec(rows: Sequence[dict[str, Any]], *, is_share: bool) -> Spec:
    """Return the specification; rows in order of periods, of one time unit."""
    scale = PERCENT if is_share else 1
    months = all(len(row["period"]) > 4 for row in rows)  # noqa: PLR2004 YYYY
    phases = [list(group) for _, group in groupby(rows, key=lambda row: (row["phase"], row["limits"]))]
    frozen = [phase for phase in phases if phase[0]["limits"] not in (TRIAL, None)]
    trial = [phase for phase in phases if phase[0]["limits"] == TRIAL]
    values = [row for row in rows if row["value"] is not None]
    ends = [
        value * scale for row in values for value in (row["value"], row["lower"], row["upper"]) if value is not None
    ]
    return {
        "data": [
            _level(frozen + trial, "centre", scale, "solid"),
            *(_level(frozen, name, scale, "dash") for name in ("lower", "upper")),
            *(_level(trial, name, scale, "dot") for name in ("lower", "upper")),
            {
                "type": "scatter",
                "mode": "lines",
                "x": [row["period"] for row in rows],
                "y": [_scaled(row["value"], scale) for row in rows],
                "line": {"color": LIGHT["network"], "width": 1},
                "hoverinfo": "skip",
            },
            *(_points(values, kind, scale, is_share=is_share) for kind in CLASSES),
        ],
        "layout": base_layout(
            HEIGHT,
            xaxis={
                "type": "date" if months else "category",
                "tickformat": "%b\n%Y" if months else "",
                "nticks": 9,
                "title": {"text": "First visit"},
            },
            yaxis={"range": _range(ends, is_share=is_share), "ticksuffix": "%" if is_share else "", "nticks": 6},
        ),
    }


def _scaled(value: float | None, scale: int) -> float | None:
    return None if value is None else rounded(value * scale, 1 if scale == PERCENT else 2)


def _level(phases: list[list[dict[str, Any]]], name: str, scale: int, dash: str) -> Spec:
    """Limits go from period to period, and break where they were set anew or a value is missing."""
    parts = [[(row["period"], _scaled(row[name], scale)) for row in phase] for phase in phases]
    line = [point for part in parts for point in (*part, (part[-1][0], None))]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [period for period, _ in line],
        "y": [value for _, value in line],
        "line": {"color": LIGHT["mute"], "width": 1.5, "dash": dash},
        "hoverinfo": "skip",
    }


def _points(rows: list[dict[str, Any]], kind: tuple[str, str, str, str], scale: int, *, is_share: bool) -> Spec:
    name, symbol, fill, edge = kind
    mine = [row for row in rows if (row["point_class"] or "none") == name]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [row["period"] for row in mine],
        "y": [_scaled(row["value"], scale) for row in mine],
        "marker": {
            "symbol": symbol,
            "size": 8 if symbol == "circle" else 11,
            "color": LIGHT[fill],
            "line": {"color": LIGHT[edge], "width": 1.5},
        },
        "customdata": [count(row["n"]) for row in mine],
        "hovertemplate": f"%{{y:.{0 if is_share else 1}f}}{'%' if is_share else ''}, n %{{customdata}}<extra></extra>",
        "cliponaxis": False,
    }


def _range(ends: list[float], *, is_share: bool) -> list[float]:
    if is_share:
        return [max(-2.0, min(ends, default=0.0) - 8), min(102.0, max(ends, default=100.0) + 8)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.1 * ((high - low) or 1)
    return [rounded(low - room, 2) or 0.0, rounded(high + room, 2) or 0.0]
