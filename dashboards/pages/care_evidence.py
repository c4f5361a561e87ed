"""What the literature says, beside what clinics record, and differences between the arms of a trial.

Results of trials stand in tables: never on an axis with the change of patients in clinics or with our differences.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assets.contract.evidence import EVIDENCE as LISTED
from dashboards.care_words import NO_MODEL
from dashboards.markup import clean
from dashboards.pages.filled import filled
from dashboards.pages.parts import Card, Column, Table
from dashboards.words import DASH, MINUS, care_label, count, decimal, planned_label, plural, rounded, spoken

if TYPE_CHECKING:
    from dashboards.pages.filled import Filled
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

GENERAL = "Musculoskeletal pain in general"
FROM_MEMORY = "? From memory: no number until the source has been read"
EVIDENCE = Card(
    "evidence",
    "What do trials say?",
    12,
    "Trials and reviews compared groups, most of them assigned by chance; so these results stand in a table, never on "
    "one axis with the numbers above. What needling is compared with, and when, decides what a number means. "
    "Negative differences of pain and disability are in favour of the intervention. MD: difference of means; SMD: the "
    "same in standard deviations; NNT: number needed to treat. Rows marked '?' come from memory and show no number.",
    Table(
        "evidence",
        "Dry needling against something else, from the literature",
        (
            Column("Condition"),
            Column("Intervention"),
            Column("Compared with"),
            Column("Outcome"),
            Column("Time"),
            Column("Result"),
            Column("Certainty"),
            Column("Citation"),
        ),
        grouped=True,
        written=1,
    ),
)
CORRECTIONS = Card(
    "corrections",
    "What is often said, and what the literature says",
    12,
    "Common statements that the literature does not bear out. Rows marked '?' come from memory.",
    Table(
        "corrections",
        "Common statements",
        (Column("Statement"), Column("What the literature says"), Column("Source")),
        written=1,
    ),
)
ARMS = Card(
    "arms",
    "Difference between arms as assigned",
    12,
    "Patients count in the arm to which they were assigned, whatever they received. The difference at a planned time "
    "is adjusted for the score at the first visit and for what the trial had planned; it is positive where the arm is "
    "better than the reference. Patients without a score at that time are left out: n says how many are in. Whether "
    "arms were assigned by chance is for the trial to say.",
    Table(
        "arms",
        "Differences between arms",
        (
            Column("Measure"),
            Column("Time"),
            Column("Arm"),
            Column("Reference"),
            Column("n of assigned", "int"),
            Column("n of assigned, reference", "int"),
            Column("Difference", "dec2"),
            Column("95% CI", "int"),
            Column("p", "int"),
            Column("Adjusted for"),
            Column("Why none"),
        ),
        grouped=True,
    ),
)
NO_DIFFERENCE = {
    **NO_MODEL,
    "too_few_patients": "too few patients",
    "one_arm": "one arm only",
    "reference_arm_absent": "no scores in the reference arm",
    "no_baseline_variation": "all began alike",
}
SMALLEST_P = 0.001
_NEGATIVE = re.compile(r"(?<!\S)-(?=\d)")


def evidence(published: Published) -> Filled:
    """Published effects of needling, by condition in the fixed order."""
    found = [row for row in published.rows("evidence") if row["kind"] == "effect"]
    labels = {item.condition_id: clean(item.label) for item in published.contract.conditions}
    order = [None, *labels]
    # In the order of the list: days, weeks, months.
    listed = [item.evidence_id for item in LISTED]
    found = [row for row in found if row["condition_id"] in order and row["evidence_id"] in listed]
    found.sort(key=lambda row: (order.index(row["condition_id"]), listed.index(row["evidence_id"])))
    cells: list[list[Cell]] = [
        [
            GENERAL if row["condition_id"] is None else labels[row["condition_id"]],
            *(clean(row[name]) for name in ("intervention", "comparator", "outcome", "window")),
            _NEGATIVE.sub(MINUS, clean(row["result"])) if row["verified"] else FROM_MEMORY,
            clean(row["certainty"]) or "Not stated",
            clean(row["citation"]),
        ]
        for row in found
    ]
    missing = sum("No pooled evidence" in row["result"] for row in found)
    remembered = sum(not row["verified"] for row in found)
    version = max((row["version"] for row in found), default=0)
    read = plural(len(found) - missing - remembered, "published result")
    say = (
        f"{read} and {remembered} known from memory only, version {version} of the list. For "
        f"{plural(missing, 'condition')} no pooled evidence was found; not finding it is no proof that there is none."
        if found
        else "The list of evidence has not been published."
    )
    return filled(EVIDENCE, say, cells)


def corrections(published: Published) -> Filled:
    """Statements that are often made, and what the literature says instead."""
    cells: list[list[Cell]] = [
        [
            clean(row["claim"]),
            clean(row["literature"]),
            clean(row["source"]) if row["verified"] else f"? {clean(row['source'])}, from memory",
        ]
        for row in published.rows("evidence_correction")
    ]
    say = f"{plural(len(cells), 'statement')} that the literature does not bear out."
    return filled(CORRECTIONS, say, cells)


def arms(published: Published, meta: SiteMeta) -> Filled | None:
    """Return the differences between arms; None unless the feed is a trial."""
    rows = published.rows("trial_effect")
    if not rows:
        return None
    order = [item.measure_id for item in published.contract.measures]
    place = {measure: position for position, measure in enumerate(order)}
    rows.sort(
        key=lambda row: (place.get(row["measure_id"], len(place)), row["measure_id"], row["planned_day"], row["arm"])
    )
    measures = {item.measure_id: f"{clean(item.label)}, {item.unit}" for item in published.contract.measures}
    cells: list[list[Cell]] = [
        [measures.get(row["measure_id"], spoken(row["measure_id"])), *_arm_cells(row, meta)] for row in rows
    ]
    compared = sum(row["difference"] is not None for row in rows)
    say = f"{plural(compared, 'difference')} of {len(rows)} could be estimated, adjusted for the first score."
    return filled(ARMS, say, cells)


def _arm_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    reference = DASH if row["reference_arm"] is None else care_label(row["reference_arm"])
    names: list[Cell] = [planned_label(row["planned_day"]), care_label(row["arm"]), reference]
    if row["suppressed"]:
        return [*names, meta.hidden, meta.hidden, None, DASH, DASH, DASH, meta.too_few_patients]
    sizes = [f"{count(row[f'n_{side}'])} of {count(row[f'assigned_{side}'])}" for side in ("arm", "reference")]
    if row["difference"] is None:
        why = NO_DIFFERENCE.get(row["reason"], spoken(row["reason"] or "").lower())
        return [*names, *sizes, None, DASH, DASH, DASH, why]
    ends = f"{decimal(row['difference_low'], 2)} to {decimal(row['difference_high'], 2)}"
    adjusted = ", ".join(_covariate(name) for name in (row["covariates"] or "").split(", "))
    return [*names, *sizes, rounded(row["difference"], 2), ends, _p_value(row["p_value"]), adjusted, DASH]


def _covariate(name: str) -> str:
    return {"baseline": "first score", "age_years": "age"}.get(name, spoken(name).lower())


def _p_value(p: float | None) -> str:
    if p is None:
        return DASH
    return f"< {SMALLEST_P}" if p < SMALLEST_P else f"{p:.3f}"
