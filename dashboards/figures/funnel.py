"""Clinics by size against the range expected for that size: a funnel, which is no ranking.

The place of a mark is a clinic's own value, its shape what ``zone`` says: a hollow circle as expected, a triangle up or
down outside the limits (filled) or between them (hollow). Lines are for drawing; they never decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

from dashboards.figures.build import base_layout, checked
from dashboards.markup import plot_text
from dashboards.theme import CLEAR, LIGHT
from dashboards.words import count, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from plotly import graph_objects as go

    from dashboards.figures.build import Spec

HEIGHT = 420
PERCENT = 100
LEFT, RIGHT = 0.2, 0.75
"""Shares of the width up to which, and from which on, a name stands beside its mark so that it is not cut."""
HEADROOM = 1.14
NARROW, LETTER = 300, 6.5
"""Width and height in pixels of the smallest funnel, where names must not cover each other; width of a letter."""
PLACES = ("top center", "bottom center", "middle right", "middle left")
LONGEST = 40
"""Letters of a name beside its mark."""
AS_EXPECTED = "as_expected"
MARKS = {
    AS_EXPECTED: ("circle", "card", "own"),
    "possibly_above": ("triangle-up", "card", "own"),
    "possibly_below": ("triangle-down", "card", "bad"),
    "above": ("triangle-up", "own", "own"),
    "below": ("triangle-down", "bad", "bad"),
}
"""Zone -> symbol, fill, edge."""


Box = tuple[float, float, float, float]


class FunnelPoint(TypedDict):
    """One clinic that is compared: size, value (a share of 1, or in its own unit), zone of ``MARKS``.

    ``key`` is its value in the address where a click on the mark chooses it.
    """

    label: str
    key: NotRequired[str]
    n: int
    value: float
    zone: str


class FunnelLine(TypedDict):
    """Lines at one size: the limits that decide, and the 95% range by chance alone where they are wider (else null)."""

    at_n: int
    low_95: float
    high_95: float
    low_998: float
    high_998: float
    chance_low: float | None
    chance_high: float | None


def figure(points: pl.DataFrame, lines: pl.DataFrame, centre: float | None, axes: tuple[str, str]) -> go.Figure:
    """Return the figure of two frames with the columns of ``FunnelPoint`` and ``FunnelLine``, values as shares."""
    return checked(spec(points.to_dicts(), lines.to_dicts(), centre, axes, is_share=True))  # type: ignore[arg-type]


def spec(
    points: Sequence[FunnelPoint],
    lines: Sequence[FunnelLine],
    centre: float | None,
    axes: tuple[str, str],
    *,
    is_share: bool,
    drill: str = "",
) -> Spec:
    """Return the specification.

    Args:
        points: Clinics; who has no value is not among them.
        lines: In order of size.
        centre: Value of all clinics together.
        axes: Titles of the horizontal and the vertical axis.
        is_share: Whether values are shares of 1, shown in percent.
        drill: The filter for which a click on a mark chooses the clinic; empty for none.

    """
    scale = PERCENT if is_share else 1
    widest = max([row["n"] for row in points] + [row["at_n"] for row in lines], default=1)
    ends = [0.0, widest * HEADROOM]
    reach = _range(points, lines, centre, scale, is_share=is_share)
    band = [row for row in lines if row["chance_low"] is not None]
    return {
        "data": [
            _line(band, "chance_low", scale, {"width": 0, "color": CLEAR}),
            _line(band, "chance_high", scale, {"width": 0, "color": CLEAR}, fill="tonexty"),
            *(_line(lines, name, scale, _pen("dash")) for name in ("low_95", "high_95")),
            *(_line(lines, name, scale, _pen("dot")) for name in ("low_998", "high_998")),
            _centre(centre, ends, scale),
            _clinics(points, _places(points, widest, reach, scale), scale, is_chosen=False)
            | ({"meta": {"drill": drill}} if drill else {}),
            _clinics([], [], scale, is_chosen=True),
        ],
        "layout": base_layout(
            HEIGHT,
            xaxis={"range": ends, "title": {"text": axes[0]}, "nticks": 7, "tickformat": ",d"},
            yaxis={
                "range": reach,
                "title": {"text": axes[1]},
                "ticksuffix": "%" if is_share else "",
                "nticks": 7,
            },
        ),
    }


def with_chosen(spec: Spec, point: FunnelPoint, *, is_share: bool) -> Spec:
    """Return the specification with one of its clinics drawn once more, on top."""
    widest = spec["layout"]["xaxis"]["range"][1] / HEADROOM
    chosen = _clinics(
        [point], [_beside(point["n"] / widest, point["zone"])], PERCENT if is_share else 1, is_chosen=True
    )
    return {**spec, "data": [*spec["data"][:-1], chosen]}


def _pen(dash: str) -> Spec:
    return {"color": LIGHT["mute"] if dash == "dash" else LIGHT["network"], "width": 1.5, "dash": dash}


def _line(rows: Sequence[FunnelLine], name: str, scale: int, line: Spec, fill: str = "none") -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [row["at_n"] for row in rows],
        "y": [rounded(row[name] * scale, 1 if scale == PERCENT else 2) for row in rows],  # type: ignore[literal-required]
        "line": line,
        "fill": fill,
        "fillcolor": LIGHT["none"],
        "hoverinfo": "skip",
    }


def _centre(centre: float | None, ends: list[float], scale: int) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [] if centre is None else ends,
        "y": [] if centre is None else [rounded(centre * scale)] * 2,
        "line": {"color": LIGHT["network"], "width": 1.5},
        "hoverinfo": "skip",
    }


def _clinics(rows: Sequence[FunnelPoint], beside: list[str], scale: int, *, is_chosen: bool) -> Spec:
    marks = [MARKS.get(row["zone"], MARKS[AS_EXPECTED]) for row in rows]
    value = "%{y:.0f}%" if scale == PERCENT else "%{y:.1f}"
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [row["n"] for row in rows],
        "y": [rounded(row["value"] * scale) for row in rows],
        # Who lies outside has a name already.
        "text": [_name(row) if is_chosen == (row["zone"] == AS_EXPECTED) else "" for row in rows],
        "textposition": beside,
        "textfont": {"size": 12.5, "color": LIGHT["ink"]},
        "marker": {
            "symbol": [symbol for symbol, _, _ in marks],
            "size": [15 if is_chosen else 11 for _ in rows],
            # The chosen clinic is filled, whatever its zone.
            "color": [LIGHT[edge if is_chosen else fill] for _, fill, edge in marks],
            "line": {"width": 2, "color": [LIGHT[edge] for _, _, edge in marks]},
            "opacity": 1,
        },
        "customdata": [[row.get("key", ""), _name(row), count(row["n"])] for row in rows],
        "hovertemplate": f"%{{customdata[1]}}<br>{value}, n %{{customdata[2]}}<extra></extra>",
        "cliponaxis": False,
    }


def _name(row: FunnelPoint) -> str:
    label = row["label"]
    return plot_text(label if len(label) <= LONGEST else f"{label[:LONGEST]}\N{HORIZONTAL ELLIPSIS}")


def _beside(share: float, zone: str) -> str:
    if share < LEFT:
        return "middle right"
    if share > RIGHT:
        return "middle left"
    return "bottom center" if MARKS.get(zone, MARKS[AS_EXPECTED])[0] == "triangle-down" else "top center"


def _places(points: Sequence[FunnelPoint], widest: float, reach: list[float], scale: int) -> list[str]:
    """Where the names stand, so that on a narrow page none covers another one."""
    taken: list[Box] = []
    found = []
    for row in points:
        place = _beside(row["n"] / widest, row["zone"])
        if row["zone"] != AS_EXPECTED:
            x = NARROW * row["n"] / (widest * HEADROOM)
            y = NARROW * (reach[1] - row["value"] * scale) / (reach[1] - reach[0])
            boxes = {name: _box(x, y, LETTER * min(len(row["label"]), LONGEST), name) for name in (place, *PLACES)}
            place = next((name for name, box in boxes.items() if _is_free(box, taken)), place)
            taken.append(boxes[place])
        found.append(place)
    return found


def _box(x: float, y: float, width: float, place: str) -> Box:
    """Left, right, top and bottom of a name of one line, in pixels."""
    side, end = place.split()
    gap, line, width = 8, 16, width + LETTER
    left = {"right": x + gap, "left": x - gap - width}.get(end, x - width / 2)
    top = {"top": y - gap - line, "bottom": y + gap}.get(side, y - line / 2)
    return left, left + width, top, top + line


def _is_free(box: Box, taken: list[Box]) -> bool:
    """Whether a name is inside the chart and covers no other."""
    left, right, top, bottom = box
    meets = any(left < end and start < right and top < low and high < bottom for start, end, high, low in taken)
    return left >= 0 and right <= NARROW and not meets


def _range(
    points: Sequence[FunnelPoint], lines: Sequence[FunnelLine], centre: float | None, scale: int, *, is_share: bool
) -> list[float]:
    """Everything that is drawn, in full tens of a percent, or with a little room."""
    values = [row["value"] * scale for row in points]
    values += [row[name] * scale for row in lines for name in ("low_998", "high_998")]
    values += [] if centre is None else [centre * scale]
    if not values:
        return [0, scale]
    low, high = min(values), max(values)
    if is_share:
        return [max(-2, 10 * ((low - 3) // 10)), min(102, 10 * ((high + 3) // 10 + 1))]
    room = 0.08 * ((high - low) or 1)
    return [rounded(low - room, 2) or 0.0, rounded(high + room, 2) or 0.0]
