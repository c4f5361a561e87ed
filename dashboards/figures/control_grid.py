"""Several control charts beside each other, each with its own scale: small multiples, two in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from dashboards.figures import control_chart
from dashboards.figures.build import base_layout, checked
from dashboards.markup import plot_text
from dashboards.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

COLUMNS = 2
PANEL_HEIGHT = 190
GUTTER = 0.1
"""Share of the width between two charts, in which the scale of the right one stands."""
TITLE_ROOM = 0.2
"""Share of a panel's height for its title and the dates of the panel above."""
SMALLER = 0.75


class Panel(TypedDict):
    """One chart: its title, and its rows of ``outcome_over_time`` in order of periods, of one time unit."""

    title: str
    rows: Sequence[dict[str, Any]]
    is_share: bool


def figure(panels: Sequence[Panel]) -> go.Figure:
    """Return the figure of the panels."""
    return checked(spec(panels))


def spec(panels: Sequence[Panel]) -> Spec:
    """Return the specification; panels in the order in which they are read."""
    lines = -(-len(panels) // COLUMNS) or 1
    data: list[Spec] = []
    layout: Spec = {"xaxis": {}, "yaxis": {}, "annotations": []}
    for place, panel in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        chart = control_chart.spec(panel["rows"], is_share=panel["is_share"])
        across, top, bottom = _place(place, lines)
        layout[f"xaxis{number}"] = {**chart["layout"]["xaxis"], "domain": across, "anchor": f"y{number}", "nticks": 4}
        layout[f"xaxis{number}"]["title"] = {"text": ""}
        layout[f"yaxis{number}"] = {
            **chart["layout"]["yaxis"],
            "domain": [bottom, top],
            "anchor": f"x{number}",
            "nticks": 4,
        }
        layout["annotations"].append(_title(panel["title"], across[0], top))
        data += [
            {**_small(trace), "xaxis": f"x{number}", "yaxis": f"y{number}"} for trace in chart["data"] if trace["x"]
        ]
    return {"data": data, "layout": base_layout(40 + PANEL_HEIGHT * lines, **layout)}


def _place(place: int, lines: int) -> tuple[list[float], float, float]:
    """Left and right, top and bottom of a panel, as shares of the figure."""
    line, column = divmod(place, COLUMNS)
    width = (1 - GUTTER * (COLUMNS - 1)) / COLUMNS
    left = column * (width + GUTTER)
    height = 1 / lines
    top = 1 - line * height
    return (
        [round(left, 3), round(left + width, 3)],
        round(top - TITLE_ROOM * height, 3),
        round(top - (1 - TITLE_ROOM / 2) * height, 3),
    )


def _title(text: str, x: float, y: float) -> Spec:
    return {
        "text": f"<b>{plot_text(text)}</b>",
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 12.5, "color": LIGHT["ink"]},
    }


def _small(trace: Spec) -> Spec:
    marker = trace.get("marker")
    return {**trace, "marker": {**marker, "size": round(marker["size"] * SMALLER)}} if marker else trace
