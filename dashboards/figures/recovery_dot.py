"""Shares with their interval, one row each: recovery by condition, by definition, responders by arm.

Rows keep the order in which they come: nothing is ranked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import base_layout, checked, rows_axis, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import DASH, count, tenth, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 46


class RateRow(TypedDict):
    """One row. Shares of 1, all null where ``words`` says why; ``network`` null leaves the mark out."""

    label: str
    note: str
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    n: int | None
    network: float | None
    words: str


def figure(frame: pl.DataFrame, axis: str, overall: float | None = None) -> go.Figure:
    """Return the figure of a frame with the columns of ``RateRow``."""
    return checked(spec(frame.to_dicts(), axis, overall))  # type: ignore[arg-type]


def spec(rows: Sequence[RateRow], axis: str, overall: float | None = None) -> Spec:
    """Return the specification.

    Args:
        rows: In the order in which they are shown.
        axis: Title of the horizontal axis.
        overall: Rate of everything together, drawn as a dotted line.

    """
    shown = [(place, row) for place, row in enumerate(rows) if row["rate"] is not None]
    marked = [(place, row) for place, row in enumerate(rows) if row["network"] is not None]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["rate"] is None]
    line = [] if overall is None else [tenth(overall)] * 2
    return {
        "data": [_overall(line, len(rows)), _network(marked), _rates(shown), words_in_rows(hidden, 1)],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={"range": [0, 102], "tick0": 0, "dtick": 20, "ticksuffix": "%", "title": {"text": axis}},
            yaxis=rows_axis([_tick(row) for row in rows]),
        ),
    }


def _overall(line: list[float | None], rows: int) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": line,
        "y": [-0.5, max(rows, 1) - 0.5] if line else [],
        "line": {"color": LIGHT["network"], "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _network(marked: list[tuple[int, RateRow]]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [tenth(row["network"]) for _, row in marked],
        "y": [place for place, _ in marked],
        "marker": {"symbol": "line-ns", "size": 14, "line": {"color": LIGHT["network"], "width": 2.5}},
        "hovertemplate": "All clinics: %{x:.0f}%<extra></extra>",
    }


def _rates(shown: list[tuple[int, RateRow]]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [tenth(row["rate"]) for _, row in shown],
        "y": [place for place, _ in shown],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_gap(row["rate"], row["rate_high"]) for _, row in shown],
            "arrayminus": [_gap(row["rate_low"], row["rate"]) for _, row in shown],
            "color": LIGHT["own"],
            "thickness": 2.5,
            "width": 0,
        },
        "marker": {"color": LIGHT["own"], "size": 11, "symbol": "circle"},
        "text": [f"{whole(row['rate'])}%" for _, row in shown],
        "textposition": "top center",
        "textfont": {"size": 12.5, "color": LIGHT["ink"]},
        "hovertext": [_hover(row) for _, row in shown],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
    }


def _hover(row: RateRow) -> str:
    low, high = whole(row["rate_low"]), whole(row["rate_high"])
    ends = "" if low is None or high is None else f" (95% CI {low}{DASH}{high}%)"
    return f"{whole(row['rate'])}%{ends}<br>n {count(row['n'])}"


def _gap(low: float | None, high: float | None) -> float:
    """Return the distance between two shares in percentage points, never below zero."""
    return 0.0 if low is None or high is None else max(round(100 * (high - low), 1), 0.0)


def _tick(row: RateRow) -> str:
    label = f"<b>{plot_text(row['label'])}</b>"
    return f'{label}<br><span style="font-size:11.5px">{plot_text(row["note"])}</span>' if row["note"] else label
