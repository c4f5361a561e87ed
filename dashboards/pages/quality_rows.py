"""Rows of the tables on the quality page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.check_kinds import Stage
from dashboards.markup import clean
from dashboards.words import SEVERITY, plural, rounded, spoken, stamp_text

if TYPE_CHECKING:
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

WRITTEN = 5
"""Rows of a table that are written into the page; the engine writes all."""
PASSED = ("pass", "pass_with_violations")
ATTENTION = ("warn", "fail", "error")
OF_STAGE = {Stage.MODEL.value: "models", Stage.STATISTICS.value: "statistics", Stage.PUBLISHED.value: "written_files"}
"""Data sets that stand for all tables of a stage: there are too many for a choice."""
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
            state_cell(row),
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
        [row["check_id"], clean(row["title"])],
        row["status"],
        severity,
        evaluated,
        violated,
        share,
        round(100 * row["tolerance"], 1),
        clean(row["sentence"]),
    ]


def volume_cells(deliveries: list[Row], volume: dict[str, Row]) -> list[list[Cell]]:
    """List how many rows each delivery had, and whether that is usual; the newest first."""
    return [
        [
            [clean(row["label"] or row["delivery_id"]), stamp_text(row["extract_stamp"] or "") or "not stated"],
            row["ingested"],
            rounded(volume[row["delivery_id"]]["times_usual"], 2) if row["delivery_id"] in volume else None,
            volume_words(volume.get(row["delivery_id"])),
        ]
        for row in deliveries
    ]


def volume_words(row: Row | None) -> str:
    """Whether the rows of a delivery are usual."""
    if row is None:
        return "nothing to compare with"
    if not row["is_unusual"]:
        return "● usual"
    return "▼ far fewer" if (row["times_usual"] or 0) < 1 else "▲ far more"


def state_cell(row: Row) -> Cell:
    """What became of a delivery, and the code that says why it was not accepted."""
    words = STATES.get(row["state"], spoken(row["state"]))
    return [words, clean(row["problem_code"])] if row["problem_code"] else words


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


def short_day(stamp: str) -> str:
    """Day and month of a stamp, for a place with little room."""
    day, month, *_ = [*stamp_text(stamp[:10]).split(), "", ""]
    return f"{day} {month[:3]}".strip()


def in_data_sets(checks: list[Row]) -> list[Row]:
    """Return the checks with a data set in place of a table: a table of the contract, or a stage of the release."""
    return [{**row, "table_name": OF_STAGE.get(row["stage"], row["table_name"])} for row in checks]
