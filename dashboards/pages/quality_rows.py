"""Rows of the tables on the quality page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.markup import clean
from dashboards.words import SEVERITY, plural, spoken, stamp_text

if TYPE_CHECKING:
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

PASSED = ("pass", "pass_with_violations")
ATTENTION = ("warn", "fail", "error")
PARTS = ("accepted", "quarantined", "superseded", "rejected")
STATES = {"accepted": "Accepted", "rejected": "Rejected", "held": "Held for review"}


def summary_cells(checks: list[Row], tables: list[str]) -> list[list[Cell]]:
    """Count checks by table and result."""
    groups = (PASSED, ("warn",), ("fail", "error"), ("not_applicable",))
    present = sorted({row["table_name"] for row in checks}, key=lambda name: place_of(name, tables))
    return [
        [
            spoken(name),
            *(sum(row["table_name"] == name and row["status"] in group for row in checks) for group in groups),
        ]
        for name in present
    ]


def conservation_cells(deliveries: list[Row]) -> list[list[Cell]]:
    """List the deliveries with where their rows went, all together first."""
    rows: list[list[Cell]] = [
        [
            [clean(row["label"] or row["delivery_id"]), clean(row["delivery_id"])],
            stamp_text(row["extract_stamp"] or "") or "not stated",
            STATES.get(row["state"], spoken(row["state"])),
            row["out_of_scope"],
            row["ingested"],
            *(row[part] for part in PARTS),
            "✓ Exact" if reconciles(row) else "✕ Wrong",
        ]
        for row in deliveries
    ]
    if len(deliveries) > 1:
        sums = [sum(row[part] for row in deliveries) for part in ("out_of_scope", "ingested", *PARTS)]
        verdict = "✓ Exact" if all(map(reconciles, deliveries)) else "✕ Wrong"
        rows.insert(0, [["All deliveries", plural(len(deliveries), "delivery", "deliveries")], "", "", *sums, verdict])
    return rows


def check_cells(row: Row) -> list[Cell]:
    """List what a check says and found."""
    evaluated, violated = row["evaluated"], row["violated"]
    share = round(100 * violated / evaluated, 2) if evaluated else None
    severity = SEVERITY.get(row["severity"], spoken(row["severity"]))
    return [
        spoken(row["table_name"]),
        [clean(row["title"]), clean(row["sentence"])],
        row["status"],
        severity,
        evaluated,
        violated,
        share,
        round(100 * row["tolerance"], 1),
    ]


def reconciles(row: Row) -> bool:
    """Whether every row of a delivery is in exactly one place."""
    return bool(row["ingested"] == sum(row[part] for part in PARTS))


def severest_first(row: Row) -> tuple[int]:
    """Return a key that puts what needs attention first."""
    order = ("error", "fail", "warn", "pass_with_violations", "pass", "not_applicable")
    return (order.index(row["status"]) if row["status"] in order else len(order),)


def place_of(name: str, names: list[str]) -> int:
    """Return the place of a table in the contract; unknown ones come last."""
    return names.index(name) if name in names else len(names)
