"""Published rows of a funnel as marks and lines of its chart: what has no place, or is not shown, is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.markup import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dashboards.figures.funnel import FunnelLine, FunnelPoint
    from dashboards.published import Row

LIMITS = ("line_low_95", "line_high_95", "widened_low_95", "widened_high_95", "widened_low_998", "widened_high_998")


def funnel_point(key: str, label: str, row: Row | None) -> FunnelPoint | None:
    """Return the mark of a clinic; None where it is not compared."""
    if row is None or row["zone"] is None or row["n"] is None or row["value"] is None:
        return None
    return {"key": clean(key), "label": label, "n": row["n"], "value": row["value"], "zone": row["zone"]}


def funnel_points(rows: Iterable[tuple[str, str, Row | None]]) -> list[FunnelPoint]:
    """Return the marks of the clinics (key, label, row) that are compared."""
    found = (funnel_point(key, label, row) for key, label, row in rows)
    return [point for point in found if point is not None]


def funnel_lines(rows: Sequence[Row]) -> list[FunnelLine]:
    """Return the lines that decide, with the range by chance alone where they are wider; in the order of the rows."""
    return [
        {
            "at_n": row["at_n"],
            "low_95": row["widened_low_95"],
            "high_95": row["widened_high_95"],
            "low_998": row["widened_low_998"],
            "high_998": row["widened_high_998"],
            "chance_low": row["line_low_95"] if row["is_widened"] else None,
            "chance_high": row["line_high_95"] if row["is_widened"] else None,
        }
        for row in rows
        if all(row[name] is not None for name in LIMITS)
    ]


def funnel_centre(rows: Iterable[tuple[str, str, Row | None]]) -> float | None:
    """Return the value of all clinics together; None where none is compared."""
    return next((row["network"] for _, _, row in rows if row is not None and row["zone"] is not None), None)
