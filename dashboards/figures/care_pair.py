"""Outcome of two ways of care as recorded, one row per condition: a filled circle and a hollow diamond.

Two shapes, not two colours. Nothing is adjusted here, and no line joins the two: a line would look like a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dashboards.figures.build import CLICKED, base_layout, checked, rows_axis, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 46


class PairRow(TypedDict):
    """One row; both numbers in the unit of the axis, null where ``words`` says why."""

    label: str
    note: str
    treated: float | None
    control: float | None
    words: str


def figure(frame: pl.DataFrame, axis: str, suffix: str, full: float) -> go.Figure:
    """Return the figure of a frame with the columns of ``PairRow``."""
    return checked(spec(frame.to_dicts(), axis, suffix, full))  # type: ignore[arg-type]


def spec(rows: Sequence[PairRow], axis: str, suffix: str, full: float) -> Spec:
    """Return the specification.

    Args:
        rows: In the order in which they are shown.
        axis: Title of the horizontal axis.
        suffix: Unit behind every number, may be empty.
        full: End of the scale.

    """
    shown = [
        (place, row["treated"], row["control"])
        for place, row in enumerate(rows)
        if row["treated"] is not None and row["control"] is not None
    ]
    hidden = [
        (place, row["words"]) for place, row in enumerate(rows) if row["treated"] is None or row["control"] is None
    ]
    return {
        "data": [
            _marks([(place, one, other) for place, one, other in shown], "circle", suffix),
            _marks([(place, other, one) for place, one, other in shown], "diamond-open", suffix),
            words_in_rows(hidden, full / 100),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={
                "range": [0, full * 1.02],
                "tick0": 0,
                "dtick": full / 5,
                "ticksuffix": suffix,
                "title": {"text": axis},
            },
            yaxis=rows_axis([_tick(row) for row in rows]),
        ),
    }


def _marks(pairs: list[tuple[int, float, float]], symbol: str, suffix: str) -> Spec:
    is_first = symbol == "circle"
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [own for _, own, _ in pairs],
        "y": [place for place, _, _ in pairs],
        "text": [f"{own:g}{suffix}" for _, own, _ in pairs],
        # Numbers stand outside of both marks, so that marks may lie on each other; equal ones have theirs apart.
        "textposition": [
            "middle right" if own > other or (own == other and is_first) else "middle left" for _, own, other in pairs
        ],
        "textfont": {"size": 12, "color": LIGHT["ink"]},
        "marker": {
            "symbol": symbol,
            "size": 11 if is_first else 12,
            "color": LIGHT["own"] if is_first else LIGHT["network"],
            "line": {"width": 0 if is_first else 2.5},
        },
        "hoverinfo": CLICKED,
        "cliponaxis": False,
    }


def _tick(row: PairRow) -> str:
    label = f"<b>{plot_text(row['label'])}</b>"
    return f'{label}<br><span style="font-size:11.5px">{plot_text(row["note"])}</span>' if row["note"] else label
