"""Shares as bars, one row each, with a tick for the share of a wider group: kinds of care, who was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import CLICKED, base_layout, checked, rows_axis, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import tenth, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 34


class ShareRow(TypedDict):
    """One bar; shares of 1, ``share`` null where ``words`` says why, ``wider`` null leaves the tick out."""

    label: str
    share: float | None
    wider: float | None
    words: str


def figure(frame: pl.DataFrame, axis: str) -> go.Figure:
    """Return the figure of a frame with the columns of ``ShareRow``."""
    return checked(spec(frame.to_dicts(), axis))  # type: ignore[arg-type]


def spec(rows: Sequence[ShareRow], axis: str) -> Spec:
    """Return the specification; rows in the order in which they are shown."""
    shown = [(place, row) for place, row in enumerate(rows) if row["share"] is not None]
    marked = [(place, row["wider"]) for place, row in enumerate(rows) if row["wider"] is not None]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["share"] is None]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [tenth(row["share"]) for _, row in shown],
                "y": [place for place, _ in shown],
                "width": 0.55,
                "marker": {"color": LIGHT["own"]},
                "text": [_percent(row["share"] or 0) for _, row in shown],
                "textposition": "outside",
                "textfont": {"size": 12, "color": LIGHT["ink"]},
                "hoverinfo": CLICKED,
                "cliponaxis": False,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [tenth(wider) for _, wider in marked],
                "y": [place for place, _ in marked],
                "marker": {"symbol": "line-ns", "size": 18, "line": {"color": LIGHT["ink"], "width": 2.5}},
                "hoverinfo": "skip",
            },
            words_in_rows(hidden, 1),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={"range": [0, 112], "tick0": 0, "dtick": 20, "ticksuffix": "%", "title": {"text": axis}},
            yaxis=rows_axis([plot_text(row["label"]) for row in rows]),
        ),
    }


def _percent(share: float) -> str:
    """Return a share as whole percent; a few of many are not none."""
    return "&lt;1%" if share > 0 and not whole(share) else f"{whole(share)}%"
