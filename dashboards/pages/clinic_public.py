"""Card of the page of clinics about public measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards import clinic_words as say
from dashboards.markup import clean
from dashboards.pages.clinic_selection import HIDDEN, condition_label, scaled
from dashboards.pages.parts import Card, Column, Table
from dashboards.words import plural, whole

if TYPE_CHECKING:
    from dashboards.pages.clinic_selection import Selection
    from dashboards.pages.parts import Cell, State
    from dashboards.published import Row

INTERVAL = (Column("95% CI low", "dec1"), Column("95% CI high", "dec1"))
EXCLUSIONS = ("under_age", "age_missing", "no_first_score", "no_last_score", "no_room")
PUBLIC = Card(
    "public",
    "What do public measures say?",
    7,
    "Pain measures (QCDR) count patients with at least 2 points less pain at the last visit than at the first, in "
    "percent. Function measures (MIPS, after FOTO) take the change in function against the change predicted, in points "
    "of 0 to 100; they are met if the mean difference is 0 or more, as about half of clinics do by chance. Expected is "
    "the model of this network, unless the source brings its own. Exclusions for language, illiteracy and cognition "
    "are not in the data. Data are complete from 75%.",
    Table(
        "public",
        "Public measures of the clinic and of all clinics",
        (
            Column("Measure"),
            Column("Clinic"),
            Column("Eligible", "int"),
            Column("Reported", "int"),
            Column("Complete", "pct"),
            Column("Observed", "dec1"),
            *INTERVAL,
            Column("Expected", "dec1"),
            Column("Observed less expected", "dec1"),
            *INTERVAL,
            Column("Measure met"),
            Column("Too young", "int"),
            Column("Age unknown", "int"),
            Column("No first score", "int"),
            Column("No last score", "int"),
            Column("No room for 2 points", "int"),
            Column("Remark"),
        ),
        grouped=True,
        written=0,
    ),
    passport="public_measure",
)


def fill_rows(selection: Selection, made: State) -> None:
    """Add the rows of a clinic, whatever the condition."""
    cells = []
    for measure in _measures(selection, None)[1]:
        for clinic, label in [(selection.clinic, selection.label), (None, "All clinics")]:
            row = selection.frames.public.get((measure["measure_id"], measure["region"], clinic))
            if row is not None:
                cells.append([_measure_label(measure), label, *_public_cells(selection, measure, row)])
    made.rows["public"] = cells


def fill(selection: Selection, made: State) -> None:
    """Say which measures there are for a condition, and how many the clinic meets."""
    measures, known = _measures(selection, selection.condition)
    if not known:
        why = next((clean(row["label"]) for row in measures), "no measure names it")
        made.text["public.say"] = f"No public measure of these two kinds for {selection.condition_words}: {why}."
        return
    text = f"{plural(len(known), 'measure')} of registries, computed here after the published texts; no submission."
    rows = [selection.frames.public.get((row["measure_id"], row["region"], selection.clinic)) for row in known]
    judged: list[Any] = [row["is_met"] for row in rows if row is not None and row["is_met"] is not None]
    if judged:
        text += f" {selection.label} meets {sum(judged)} of {len(judged)} that name a mark and can be judged."
    else:
        text += f" None of them can be judged for {selection.label}."
    made.text["public.say"] = text


def _measures(selection: Selection, condition: str | None) -> tuple[list[Row], list[Row]]:
    """Rows about the condition: all of them, and those that are a measure."""
    found = [row for row in selection.frames.measures if _concerns(row, condition)]
    return found, [row for row in found if row["version"] is not None]


def _concerns(row: Row, condition: str | None) -> bool:
    return condition is None or condition in (row["conditions"] or "").split(", ")


def _measure_label(row: Row) -> str:
    name = row["measure_id"].replace("mips_", "MIPS ").replace("qcdr_pain", "QCDR")
    return clean(f"{row['label']} ({name}, {row['version']}{'' if row['is_verified'] else ', wording not verified'})")


def _public_cells(selection: Selection, measure: Row, row: Row) -> list[Cell]:
    meta = selection.meta
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 15, meta.too_few]
    scale = 100 if measure["measure_id"].startswith("qcdr") else 1
    names = (
        *("observed", "observed_low", "observed_high", "expected"),
        *("difference", "difference_low", "difference_high"),
    )
    if row["is_met"] is None:
        met = "No mark in the text" if measure["meets_at"] is None else None
    else:
        met = "Met" if row["is_met"] else "Not met"
    return [
        row["eligible"],
        row["reported"],
        whole(row["completeness"]),
        *(scaled(row[name], scale) for name in names),
        met,
        *(meta.hidden if row[name] is None else row[name] for name in EXCLUSIONS),
        _remark(selection, row),
    ]


def _remark(selection: Selection, row: Row) -> str:
    if row["reason"]:
        return say.model_reason(row["reason"], lambda key: condition_label(selection.frames, key)).capitalize()
    parts = [] if row["is_complete"] else ["data not complete"]
    parts += ["expected by the source's own model"] if row.get("expected_by") == "source" else []
    return ", ".join(parts).capitalize()
