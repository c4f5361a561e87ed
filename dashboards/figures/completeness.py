"""Share of known outcomes by clinic, against the target. A circle is on target, a triangle below."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards.figures.build import CLICKED, base_layout, checked, rows_axis, selected_row, words_in_rows
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import tenth, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 30
ROOM = 12
"""Percentage points that a number needs to the left of its mark."""


class ClinicRow(TypedDict):
    """One clinic; ``completeness`` as a share of 1, null where ``words`` says why."""

    label: str
    completeness: float | None
    words: str
    is_selected: bool


def figure(frame: pl.DataFrame) -> go.Figure:
    """Return the figure of a frame with the columns of ``ClinicRow``."""
    return checked(spec(frame.to_dicts()))  # type: ignore[arg-type]


def spec(rows: Sequence[ClinicRow]) -> Spec:
    """Return the specification; rows in the order in which they are shown."""
    target = COMPLETENESS_TARGET_PERCENT
    known = [(place, row) for place, row in enumerate(rows) if row["completeness"] is not None]
    hidden = [(place, row["words"]) for place, row in enumerate(rows) if row["completeness"] is None]
    reached = [(place, row) for place, row in known if (whole(row["completeness"]) or 0) >= target]
    missed = [(place, row) for place, row in known if (whole(row["completeness"]) or 0) < target]
    lowest = min([40, *(10 * ((whole(row["completeness"]) or 0) // 10) for _, row in known)])
    return {
        "data": [
            _marks(reached, "circle", LIGHT["own"], lowest),
            _marks(missed, "triangle-down", LIGHT["bad"], lowest),
            words_in_rows(hidden, lowest + 1),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={
                "range": [lowest, 102],
                "tick0": 0,
                "dtick": 20,
                "ticksuffix": "%",
                "title": {"text": "Episodes with a known outcome"},
            },
            yaxis=rows_axis([_tick(row) for row in rows]),
            shapes=[
                selected_row(next((place for place, row in enumerate(rows) if row["is_selected"]), None)),
                _target(target),
            ],
        ),
    }


def _marks(rows: list[tuple[int, ClinicRow]], symbol: str, colour: str, lowest: int) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [tenth(row["completeness"]) for _, row in rows],
        "y": [place for place, _ in rows],
        "text": [f"{whole(row['completeness'])}%" for _, row in rows],
        # Left of the mark, but not over the names of clinics.
        "textposition": [
            "middle left" if (whole(row["completeness"]) or 0) > lowest + ROOM else "middle right" for _, row in rows
        ],
        "textfont": {"size": 12, "color": LIGHT["ink"]},
        "marker": {"symbol": symbol, "size": 11, "color": colour},
        "hoverinfo": CLICKED,
        "cliponaxis": False,
    }


def _target(target: int) -> Spec:
    return {
        "type": "line",
        "yref": "paper",
        "x0": target,
        "x1": target,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": LIGHT["network"], "width": 1.5, "dash": "dash"},
    }


def _tick(row: ClinicRow) -> str:
    label = plot_text(row["label"])
    return f"<b>{label}</b>" if row["is_selected"] else label
