"""How far two groups differ in what was known before treatment: hollow circle as they are, filled circle weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from assets.contract.contrasts import LARGEST_SMD
from dashboards.figures.build import base_layout, checked, rows_axis
from dashboards.markup import plot_text
from dashboards.theme import LIGHT
from dashboards.words import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

ROW_HEIGHT = 26
NARROWEST = 0.3
"""Standardised difference up to which the axis always reaches."""


class BalanceRow(TypedDict):
    """One covariate; standardised differences, either may be null."""

    label: str
    before: float | None
    after: float | None


def figure(frame: pl.DataFrame) -> go.Figure:
    """Return the figure of a frame with the columns of ``BalanceRow``."""
    return checked(spec(frame.to_dicts()))  # type: ignore[arg-type]


def spec(rows: Sequence[BalanceRow]) -> Spec:
    """Return the specification; rows in the order in which they are shown."""
    values = [abs(value) for row in rows for value in (row["before"], row["after"]) if value is not None]
    reach = rounded(max([NARROWEST, *values]) * 1.1, 2)
    return {
        "data": [
            _marks([(place, row["before"]) for place, row in enumerate(rows)], is_after=False),
            _marks([(place, row["after"]) for place, row in enumerate(rows)], is_after=True),
        ],
        "layout": base_layout(
            64 + ROW_HEIGHT * max(len(rows), 1),
            xaxis={"range": [-(reach or 1), reach], "title": {"text": "Standardised difference"}, "nticks": 7},
            yaxis=rows_axis([plot_text(row["label"]) for row in rows]),
            shapes=[_limit(-LARGEST_SMD), _limit(LARGEST_SMD)],
        ),
    }


def _marks(points: list[tuple[int, float | None]], *, is_after: bool) -> Spec:
    known = [(place, value) for place, value in points if value is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [rounded(value, 3) for _, value in known],
        "y": [place for place, _ in known],
        "marker": {
            "size": 9,
            "color": LIGHT["own"] if is_after else LIGHT["card"],
            "line": {"color": LIGHT["own"], "width": 2},
        },
        "hovertemplate": f"{'After' if is_after else 'Before'} weighting: %{{x:.2f}}<extra></extra>",
    }


def _limit(value: float) -> Spec:
    return {
        "type": "line",
        "yref": "paper",
        "x0": value,
        "x1": value,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": LIGHT["network"], "width": 1.5, "dash": "dash"},
    }
