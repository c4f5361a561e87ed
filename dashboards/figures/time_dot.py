"""Median weeks to recovery with their interval, one row per condition. A row without a median says in words why.

An interval whose upper end was not reached goes to the end of the axis and ends in an arrow: it has no known end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import base_layout, checked, rows_axis, selected_row, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import decimal, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 46
LAST_WEEK = 24
"""Follow-up of a curve ends here."""


class TimeRow(TypedDict):
    """One row, in weeks; ``median`` null where ``words`` says why, ``high`` null where the upper end is open."""

    label: str
    note: str
    median: float | None
    low: float | None
    high: float | None
    network: float | None
    words: str


def figure(frame: pl.DataFrame, overall: float | None = None) -> go.Figure:
    """Return the figure of a frame with the columns of ``TimeRow``."""
    return checked(spec(frame.to_dicts(), overall))  # type: ignore[arg-type]


def spec(rows: Sequence[TimeRow], overall: float | None = None) -> Spec:
    """Return the specification; rows in the order in which they are shown, ``overall`` as a dotted line."""
    shown = [(place, row) for place, row in enumerate(rows) if row["median"] is not None]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["median"] is None]
    return {
        "data": [
            _overall(overall, [place for place, _ in shown]),
            _network([(place, row["network"]) for place, row in enumerate(rows) if row["network"] is not None]),
            _medians(shown),
            _open_ends([place for place, row in shown if row["high"] is None]),
            words_in_rows(hidden, 0.3),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={"range": [0, LAST_WEEK + 1], "tick0": 0, "dtick": 4, "title": {"text": "Median weeks to recovery"}}
            | ({} if shown else {"showticklabels": False, "showgrid": False}),
            yaxis=rows_axis([_tick(row) for row in rows]),
            shapes=[selected_row(None)],
        ),
    }


def _overall(value: float | None, places: list[int]) -> Spec:
    """Return the line of everything together, in the rows that have a number: it must not strike out words."""
    drawn = places if value is not None else []
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for _ in drawn for x in (rounded(value), rounded(value), None)],
        "y": [y for place in drawn for y in (place - 0.5, place + 0.5, None)],
        "line": {"color": LIGHT["network"], "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _network(marked: list[tuple[int, float | None]]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [rounded(value) for _, value in marked],
        "y": [place for place, _ in marked],
        "marker": {"symbol": "line-ns", "size": 14, "line": {"color": LIGHT["network"], "width": 2.5}},
        "hovertemplate": "All clinics: %{x:.1f} weeks<extra></extra>",
    }


def _medians(shown: list[tuple[int, TimeRow]]) -> Spec:
    ends = [(row["median"] or 0.0, row["low"], row["high"]) for _, row in shown]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [rounded(row["median"]) for _, row in shown],
        "y": [place for place, _ in shown],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [rounded((LAST_WEEK if high is None else high) - median) for median, _, high in ends],
            "arrayminus": [rounded(median - (median if low is None else low)) for median, low, _ in ends],
            "color": LIGHT["own"],
            "thickness": 2.5,
            "width": 0,
        },
        "marker": {"color": LIGHT["own"], "size": 11, "symbol": "circle"},
        "text": [decimal(row["median"]) for _, row in shown],
        "textposition": "top center",
        "textfont": {"size": 12.5, "color": LIGHT["ink"]},
        "hovertext": [_hover(row) for _, row in shown],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
    }


def _hover(row: TimeRow) -> str:
    low = "not known" if row["low"] is None else decimal(row["low"])
    high = "not reached" if row["high"] is None else decimal(row["high"])
    return f"{decimal(row['median'])} weeks (95% CI {low} to {high})"


def _open_ends(places: list[int]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [LAST_WEEK for _ in places],
        "y": places,
        "marker": {"symbol": "triangle-right", "size": 11, "color": LIGHT["own"]},
        "hovertemplate": "Upper end not reached<extra></extra>",
        "cliponaxis": False,
    }


def _tick(row: TimeRow) -> str:
    label = f"<b>{plot_text(row['label'])}</b>"
    return f'{label}<br><span style="font-size:11.5px">{plot_text(row["note"])}</span>' if row["note"] else label
