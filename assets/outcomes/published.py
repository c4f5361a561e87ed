"""The published frames: all that the site, its downloads and anybody outside may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.outcomes.curves import recovery_curve
from assets.outcomes.frames import BOOLEAN, INTEGER, STRING, Layout, columns
from assets.outcomes.quality import check_summary, conservation, quarantine_by_reason
from assets.outcomes.rates import (
    measure_summary,
    pain_change,
    recovery_by_condition,
    response,
    rom_change,
    unknown_reason,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assets.contract.model import Contract

MART_TABLES = ("recovery_cube", "pain_cube", "rom_cube", "event_count", "measure_summary", "response_summary")
"""Tables of the schema marts that ``published_frames`` reads."""

PUBLISHED_TABLES = {
    "check_summary": "Every check of the contract with its worst status over the deliveries",
    "clinic": "Clinics that have episodes",
    "condition": "Conditions in the fixed order of every page",
    "conservation": "Where the rows of each delivery went",
    "definition": "Recovery definitions in words",
    "measure_summary": "Mean and standard deviation of every measure at both ends and of its change",
    "pain_change": "Pain at both ends, mean change with 95% interval, responders",
    "quarantine_by_reason": "Rows set aside, by check and reason",
    "recovery_by_condition": "Recovery rate with Wilson interval, completeness, and bounds for unknown outcomes",
    "recovery_curve": "Recovery by day with leaving as a competing event, and numbers at risk",
    "response": "Share of responders by rule, among those who had room to respond",
    "rom_change": "Range of motion at both ends in percent of the reference",
    "unknown_reason": "Why recovery is unknown: episodes by reason",
}
"""Published tables and what each one says; ``published_frames`` returns exactly these."""

DEFINITION = Layout(
    columns(STRING, "definition_id"), {**columns(STRING, "label", "sentence"), **columns(BOOLEAN, "is_default")}
)
CONDITION = Layout(
    columns(STRING, "condition_id"), {**columns(INTEGER, "position"), **columns(STRING, "label", "sentence_label")}
)
CLINIC = Layout(columns(STRING, "clinic_key"), columns(STRING, "label"))


def published_frames(
    marts: Mapping[str, pl.DataFrame],
    contract: Contract,
    *,
    audit_conservation: pl.DataFrame,
    quarantine: pl.DataFrame,
    check_result: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Compute every published frame, after disclosure control, by name in alphabetical order.

    The same input gives equal frames, cell by cell, whatever the order of its rows.

    Args:
        marts: The frames named in ``MART_TABLES``. Counts are integers; sums are integers or decimals.
        contract: With what the profiles of the feeds add.
        audit_conservation: ``audit.conservation``.
        quarantine: ``audit.quarantine`` counted: table_name, check_id, reason, rows.
        check_result: ``audit.check_result`` of this run: one row per check and delivery (delivery null = all).

    Raises:
        KeyError: a mart is missing.
        ValueError: input that contradicts itself; the message names columns and codes, never a value of a patient.

    """
    cube = marts["recovery_cube"]
    return {
        "check_summary": check_summary(check_result, contract),
        "clinic": clinic(cube),
        "condition": condition(contract),
        "conservation": conservation(audit_conservation),
        "definition": definition(contract),
        "measure_summary": measure_summary(marts["measure_summary"]),
        "pain_change": pain_change(marts["pain_cube"]),
        "quarantine_by_reason": quarantine_by_reason(quarantine, contract),
        "recovery_by_condition": recovery_by_condition(cube),
        "recovery_curve": recovery_curve(marts["event_count"], contract),
        "response": response(marts["response_summary"]),
        "rom_change": rom_change(marts["rom_cube"]),
        "unknown_reason": unknown_reason(cube, contract),
    }


def definition(contract: Contract) -> pl.DataFrame:
    """Recovery definitions with their sentence."""
    rows = [(item.definition_id, item.label, item.sentence, item.is_default) for item in contract.definitions]
    return _listed(DEFINITION, rows)


def condition(contract: Contract) -> pl.DataFrame:
    """Conditions with their labels; ``position`` is the fixed order of every page, from 1."""
    rows = [
        (item.condition_id, position, item.label, item.sentence_label)
        for position, item in enumerate(contract.conditions, start=1)
    ]
    return _listed(CONDITION, rows)


def clinic(recovery_cube: pl.DataFrame) -> pl.DataFrame:
    """Clinics that have episodes. Feeds send keys only: the key is the label, with spaces, which keys cannot have."""
    keys = recovery_cube.select("clinic_key").drop_nulls().unique()
    return CLINIC.publish(keys.with_columns(label=pl.col("clinic_key").str.replace_all("_", " ")))


def _listed(layout: Layout, rows: Sequence[tuple[str | int | bool, ...]]) -> pl.DataFrame:
    return layout.publish(pl.DataFrame(rows, schema={**layout.keys, **layout.numbers}, orient="row"))
