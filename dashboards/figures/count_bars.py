"""Counts as bars, one row each: rows set aside by reason, episodes by reason of an unknown outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import CLICKED, base_layout, checked, rows_axis, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 38
SMALLEST_SCALE = 5


class CountRow(TypedDict):
    """One bar; ``value`` null where ``words`` says why."""

    label: str
    note: str
    value: int | None
    words: str


def figure(frame: pl.DataFrame, axis: str) -> go.Figure:
    """Return the figure of a frame with the columns of ``CountRow``."""
    return checked(spec(frame.to_dicts(), axis))  # type: ignore[arg-type]


def spec(rows: Sequence[CountRow], axis: str) -> Spec:
    """Return the specification; rows in the order in which they are shown."""
    shown = [(place, row["value"]) for place, row in enumerate(rows) if row["value"] is not None]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["value"] is None]
    largest = max([value for _, value in shown], default=0) or 1
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [value for _, value in shown],
                "y": [place for place, _ in shown],
                "width": 0.6,
                "marker": {"color": LIGHT["own"]},
                "text": [count(value) for _, value in shown],
                "textposition": "outside",
                "textfont": {"size": 12, "color": LIGHT["ink"]},
                "hoverinfo": CLICKED,
                "cliponaxis": False,
            },
            words_in_rows(hidden, 0),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={
                "range": [0, largest * 1.18],
                "title": {"text": axis},
                "tickformat": ",d",
                # Half a row does not exist.
                **({"dtick": 1} if largest < SMALLEST_SCALE else {"nticks": 5}),
            },
            yaxis=rows_axis([_tick(row) for row in rows]),
        ),
    }


def _tick(row: CountRow) -> str:
    label = plot_text(row["label"])
    return f'{label}<br><span style="font-size:11.5px">{plot_text(row["note"])}</span>' if row["note"] else label
