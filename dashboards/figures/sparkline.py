"""Small drawings inside the rows of a table, as SVG: a rate with its interval, and a rate over the last months.

They are made for pages without JavaScript. Coordinates are whole percents, as they are printed, so that a drawing tells
nothing that the page does not say. Numbers and words stand in the cells: the drawings are hidden from
readers of screens. A round mark is a signal for the better, a square one a signal of concern.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from dashboards.words import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FULL = 100
MIDDLE = 11
LEAST_SPAN = 20
"""Percentage points that a sparkline shows at least: a flat line must look flat."""
SIGNALS = (("better", "up"), ("concern", "down"))
LIMITS = ("lower", "upper")


def interval_svg(rate: int, low: int | None, high: int | None, network: int | None) -> str:
    """Return a rate with its interval and a tick at the rate of all clinics, 100 wide; the axis is of the style."""
    parts = []
    if network is not None:
        parts.append(f'<path class="tick" d="M{network} 3V19"/>')
    if low is not None and high is not None:
        parts.append(f'<path class="ci" d="M{low} {MIDDLE}H{high}"/>')
    parts.append(f'<path class="dot" d="M{rate} {MIDDLE}h0"/>')
    return _svg("interval", f"0 0 {FULL} 22", parts)


def months_svg(rows: Mapping[str, Mapping[str, Any]], periods: Sequence[str]) -> str:
    """Return the values of the periods as a line with its limits; ``rows`` of ``outcome_over_time`` by period."""
    points = [(place, rows.get(period)) for place, period in enumerate(periods)]
    found = [(place, row) for place, row in points if row is not None and row["value"] is not None]
    heights = [whole(row[name]) for _, row in found for name in ("value", *LIMITS) if row[name] is not None]
    known = [height for height in heights if height is not None]
    low, high = min(known, default=0), max(known, default=FULL)
    room = max(LEAST_SPAN - (high - low), 0)
    low, high = max(low - room // 2, 0), min(high + room - room // 2, FULL)
    limited = [(place, row) for place, row in found if row["lower"] is not None and row["upper"] is not None]
    parts = [f'<path class="band" d="{"".join(_band(run) for run in _runs(limited))}"/>'] if limited else []
    parts.append(f'<path d="{"".join(_line(run) for run in _runs(found))}"/>')
    for kind, css in SIGNALS:
        marks = "".join(f"M{place} {_height(row, 'value')}h0" for place, row in found if row["point_class"] == kind)
        if marks:
            parts.append(f'<path class="{css}" d="{marks}"/>')
    return _svg("months", f"0 {FULL - high} {max(len(periods) - 1, 1)} {max(high - low, 1)}", parts)


Point = tuple[int, "Mapping[str, Any]"]


def _runs(points: Iterable[Point]) -> list[list[Point]]:
    """Points without a gap: nothing is drawn across one."""
    grouped = groupby(enumerate(points), key=lambda item: item[1][0] - item[0])
    return [[point for _, point in group] for _, group in grouped]


def _height(row: Mapping[str, Any], name: str) -> int:
    return FULL - (whole(row[name]) or 0)


def _line(run: Sequence[Point]) -> str:
    """Return a line from month to month; a month between gaps is a dot."""
    points = [(place, _height(row, "value")) for place, row in run]
    return _from(points) if len(points) > 1 else f"{_from(points)}h0"


def _band(run: Sequence[Point]) -> str:
    upper = [(place, _height(row, "upper")) for place, row in run]
    lower = [(place, _height(row, "lower")) for place, row in reversed(run)]
    return f"{_from([*upper, *lower])}z"


def _from(points: Sequence[tuple[int, int]]) -> str:
    """Return a path through points, as the steps between them."""
    steps = (f"{x - before_x} {y - before_y}" for (before_x, before_y), (x, y) in pairwise(points))
    return f"M{points[0][0]} {points[0][1]}" + "".join(f"l{step}" for step in steps).replace(" -", "-")


def _svg(css: str, box: str, parts: Iterable[str]) -> str:
    return f'<svg class="{css}" viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>'
