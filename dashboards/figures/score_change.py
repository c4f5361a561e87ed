"""Mean score at the first visit and later, one row per group and time: a hollow circle, a line, a filled circle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import base_layout, checked, rows_axis, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import decimal, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 46
FAR = 0.5


class ScoreRow(TypedDict):
    """One row; means in the unit of the measure, null where ``words`` says why."""

    label: str
    note: str
    first: float | None
    last: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Look:
    """How means are drawn.

    ``reach`` are the ends of the axis (None: where the means end), ``suffix`` stands behind each number, ``fall`` is a
    distance below the first mean that gets a mark.
    """

    reach: tuple[float, float] | None = None
    suffix: str = ""
    decimals: int = 1
    fall: float | None = None


def figure(frame: pl.DataFrame, axis: str, look: Look | None = None) -> go.Figure:
    """Return the figure of a frame with the columns of ``ScoreRow``."""
    return checked(spec(frame.to_dicts(), axis, look))  # type: ignore[arg-type]


def spec(rows: Sequence[ScoreRow], axis: str, look: Look | None = None) -> Spec:
    """Return the specification; rows in the order in which they are shown."""
    look = look or Look()
    shown = [
        (place, row["first"], row["last"])
        for place, row in enumerate(rows)
        if row["first"] is not None and row["last"] is not None
    ]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["first"] is None or row["last"] is None]
    low, high = look.reach or _reach([value for _, first, last in shown for value in (first, last)])
    marks = [_lines(shown), _marks(shown, 0, look), _marks(shown, 1, look), words_in_rows(hidden, low)]
    if look.fall is not None:
        marks.insert(1, _falls(shown, look.fall))
    return {
        "data": marks,
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={"range": [low, high], "title": {"text": axis}, "ticksuffix": look.suffix},
            yaxis=rows_axis([_tick(row) for row in rows]),
        ),
    }


def _reach(values: list[float]) -> tuple[float, float]:
    """Return the ends of the axis: from zero, unless all means lie far above it and would be pressed together."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    low = least if least < 0 or least > FAR * most else 0.0
    room = 0.25 * ((most - low) or 1)
    return rounded(low - room if low else 0.0, 2) or 0.0, rounded(most + room, 2) or 0.0


def _lines(shown: list[tuple[int, float, float]]) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for _, first, last in shown for x in (rounded(first), rounded(last), None)],
        "y": [y for place, _, _ in shown for y in (place, place, None)],
        "line": {"color": LIGHT["own"], "width": 3},
        "hoverinfo": "skip",
    }


def _falls(shown: list[tuple[int, float, float]], fall: float) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [rounded(first - fall) for _, first, _ in shown],
        "y": [place for place, _, _ in shown],
        "marker": {"symbol": "line-ns", "size": 16, "line": {"color": LIGHT["bad"], "width": 2.5}},
        "hovertemplate": f"A fall of {fall:g}<extra></extra>",
    }


def _marks(shown: list[tuple[int, float, float]], end: int, look: Look) -> Spec:
    pairs = [(place, (first, last)) for place, first, last in shown]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [rounded(pair[end]) for _, pair in pairs],
        "y": [place for place, _ in pairs],
        "text": [f"{decimal(pair[end], look.decimals)}{look.suffix}" for _, pair in pairs],
        # Numbers stand outside the line, whichever way the score went.
        "textposition": ["middle right" if pair[end] >= pair[1 - end] else "middle left" for _, pair in pairs],
        "textfont": {"size": 12, "color": LIGHT["ink"]},
        "marker": {
            "size": 11,
            "color": LIGHT["own"] if end else LIGHT["card"],
            "line": {"color": LIGHT["own"], "width": 2},
        },
        "hovertemplate": f"{'Later' if end else 'First visit'}: %{{text}}<extra></extra>",
        "cliponaxis": False,
    }


def _tick(row: ScoreRow) -> str:
    label = f"<b>{plot_text(row['label'])}</b>"
    return f'{label}<br><span style="font-size:11.5px">{plot_text(row["note"])}</span>' if row["note"] else label
