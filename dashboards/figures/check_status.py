"""How many checks passed, warned or failed, by table, as stacked bars with the counts in words beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.figures.build import base_layout, checked, rows_axis
from dashboards.markup import plot_text
from dashboards.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 46
PARTS = (
    ("passed", "passed", "pass"),
    ("warned", "warning", "warn"),
    ("failed", "failed", "bad"),
    ("not_run", "not applicable", "none"),
)


def figure(frame: pl.DataFrame) -> go.Figure:
    """Return the figure of a frame with columns label, passed, warned, failed and not_run."""
    return checked(spec(frame.to_dicts()))


def spec(rows: Sequence[dict[str, Any]]) -> Spec:
    """Return the specification; rows in the order in which they are shown."""
    return {
        "data": [_part(rows, *part) for part in PARTS],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            barmode="stack",
            xaxis={"title": {"text": "Checks"}, "rangemode": "tozero", "nticks": 6},
            yaxis=rows_axis([_tick(row) for row in rows]),
        ),
    }


def _part(rows: Sequence[dict[str, Any]], column: str, name: str, colour: str) -> Spec:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": [row[column] for row in rows],
        "y": list(range(len(rows))),
        "width": 0.5,
        "marker": {"color": LIGHT[colour], "line": {"color": LIGHT["card"], "width": 1}},
        "hovertemplate": f"%{{x}} {name}<extra></extra>",
    }


def _tick(row: dict[str, Any]) -> str:
    """Return the table with its counts in words: colour alone must not tell them."""
    counts = ", ".join(f"{row[column]} {name}" for column, name, _ in PARTS if row[column])
    return f'{plot_text(row["label"])}<br><span style="font-size:11.5px">{counts}</span>'
