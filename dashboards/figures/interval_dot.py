"""Numbers with their interval in their own unit, one row each: adjusted differences, changes of pain, event rates.

Rows keep the order in which they come. A row without a number says in words why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import CLICKED, base_layout, checked, rows_axis, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT, LOW_ROW_HEIGHT = 46, 36
"""With and without a second line in the labels."""
DECIMALS = 3
ROOM = 0.12
"""Share of the axis left free beside the outermost interval."""


class IntervalRow(TypedDict):
    """One row; numbers in the unit of the axis, all null where ``words`` says why. ``text`` stands over the mark."""

    label: str
    note: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    words: str


def figure(frame: pl.DataFrame, axis: str) -> go.Figure:
    """Return the figure of a frame with the columns of ``IntervalRow``."""
    return checked(spec(frame.to_dicts(), axis))  # type: ignore[arg-type]


def spec(rows: Sequence[IntervalRow], axis: str) -> Spec:
    """Return the specification; rows in the order in which they are shown. Zero is always on the axis."""
    shown = [(place, row) for place, row in enumerate(rows) if row["value"] is not None]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["value"] is None]
    ends = [end for _, row in shown for end in (row["value"], row["low"], row["high"]) if end is not None]
    least, most = min([0.0, *ends]), max([0.0, *ends])
    room = ROOM * (most - least or 1)
    low = least - room if least < 0 else -room / 4
    return {
        "data": [
            _zero([place for place, _ in shown] if least < 0 else []),
            _marks(shown),
            words_in_rows(hidden, low + room / 4),
        ],
        "layout": base_layout(
            64 + (ROW_HEIGHT if any(row["note"] for row in rows) else LOW_ROW_HEIGHT) * max(len(rows), 1),
            xaxis={"range": [rounded(low, DECIMALS), rounded(most + room, DECIMALS)], "title": {"text": axis}}
            | ({} if shown else {"showticklabels": False, "showgrid": False}),
            yaxis=rows_axis([_tick(row) for row in rows]),
        ),
    }


def _zero(places: list[int]) -> Spec:
    """Return the line of no difference, in the rows that have a number: it must not strike out words."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for _ in places for x in (0, 0, None)],
        "y": [y for place in places for y in (place - 0.5, place + 0.5, None)],
        "line": {"color": LIGHT["network"], "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _marks(shown: list[tuple[int, IntervalRow]]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [rounded(row["value"], DECIMALS) for _, row in shown],
        "y": [place for place, _ in shown],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_gap(row["value"], row["high"]) for _, row in shown],
            "arrayminus": [_gap(row["low"], row["value"]) for _, row in shown],
            "color": LIGHT["own"],
            "thickness": 2.5,
            "width": 0,
        },
        "marker": {"color": LIGHT["own"], "size": 11, "symbol": "circle"},
        "text": [row["text"] for _, row in shown],
        # None seen: the mark is at the end of the axis, and its words go into the row.
        "textposition": ["middle right" if row["low"] == row["value"] else "top center" for _, row in shown],
        "textfont": {"size": 12.5, "color": LIGHT["ink"]},
        "hoverinfo": CLICKED,
        "cliponaxis": False,
    }


def _gap(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else max(round(high - low, DECIMALS), 0.0)


def _tick(row: IntervalRow) -> str:
    label = f"<b>{plot_text(row['label'])}</b>"
    return f'{label}<br><span style="font-size:11.5px">{plot_text(row["note"])}</span>' if row["note"] else label
