"""Public quality measures that clinics report, in our words: who counts, what is met, and what the sources say.

Two kinds. QCDR measures of pain after an injury: the share of patients with at least 2 points less on the 0 to 10
scale, beside the share that a risk model expects. MIPS functional status measures (FOTO): how far the change in
function lies above or below the change predicted for the patient. What these pages compute follows the texts read;
it is no submission to a registry, which has its own risk model, instruments and exclusions.
"""

from __future__ import annotations

from dataclasses import dataclass

PAIN_POINTS = 2
"""Points of 0 to 10 from the first to the last visit that meet the pain measures: the MCID they name."""

FIRST_ADULT_YEAR = 18
FIRST_FUNCTION_YEAR = 14
DATA_COMPLETENESS_PERCENT = 75
"""Share of the eligible that must be reported. Read for performance year 2024 at qpp.cms.gov/mips/quality-measures;
for 2026 in a secondary source only."""


@dataclass(frozen=True, slots=True)
class PublicMeasure:
    """One measure for one region of the body.

    ``condition_ids`` are the conditions counted in it. ``first_year`` is the youngest age in years. ``outcome_id``
    names the case-mix outcome: ``pain_points`` (a share) or ``function_change`` (a mean, in permille of the scale).
    ``meets_at`` is the difference from expected from which a clinic meets the measure; None where the text names none.
    ``verified`` says whether the wording was read in a source, which then stands in ``source``.
    """

    measure_id: str
    region: str
    version: str
    label: str
    condition_ids: tuple[str, ...]
    first_year: int
    outcome_id: str
    meets_at: float | None
    source: str
    verified: bool


LEFT_OUT = {
    "tension_headache": "no public measure of these two kinds is about headache",
    "muscle_strain": "may be anywhere in the body; the condition does not say where",
    "muscle_spasm": "may be anywhere in the body; the condition does not say where",
}
"""Conditions in no region, and why."""

_PAIN_RULE = "2 points or more on 0 to 10, first to last visit; 18 and over; fewer than 2 surveys excluded"


def _pain(region: str, label: str, condition_ids: tuple[str, ...], source: str, *, verified: bool) -> PublicMeasure:
    return PublicMeasure(
        "qcdr_pain",
        region,
        "as read 2026-11",
        label,
        condition_ids,
        FIRST_ADULT_YEAR,
        "pain_points",
        None,
        f"{source}: {_PAIN_RULE}",
        verified,
    )


def _function(
    mips: int, region: str, label: str, condition_ids: tuple[str, ...], source: str, *, verified: bool
) -> PublicMeasure:
    return PublicMeasure(
        f"mips_{mips}",
        region,
        "2026",
        label,
        condition_ids,
        FIRST_FUNCTION_YEAR,
        "function_change",
        0.0,
        source,
        verified,
    )


PUBLIC_MEASURES = (
    _pain(
        "neck",
        "Neck: less pain by 2 points or more",
        ("neck_pain",),
        "QCDR measure for neck injury, healthmonix.com/?p=40279",
        verified=True,
    ),
    _pain(
        "back",
        "Back: less pain by 2 points or more",
        ("low_back_pain", "sciatica"),
        "QCDR measure for back injury, macralytics.com/mips-measures/submission/registry/page/7",
        verified=True,
    ),
    _pain(
        "upper_extremity",
        "Upper extremity: less pain by 2 points or more",
        ("shoulder_impingement",),
        "QCDR measure for upper extremity injury; only its sister on function was read, healthmonix.com msk-2",
        verified=False,
    ),
    _pain(
        "lower_extremity",
        "Lower extremity: less pain by 2 points or more",
        ("plantar_fasciitis", "it_band_syndrome"),
        "QCDR measure for lower extremity injury, macralytics.com/mips-measures/submission/registry/page/7",
        verified=True,
    ),
    _function(
        478,
        "neck",
        "Neck: change in function against prediction",
        ("neck_pain",),
        "MIPS 478, mdinteractive.com (2021 text); 14 and over, met at a residual of 0 or more",
        verified=True,
    ),
    _function(
        220,
        "back",
        "Back: change in function against prediction",
        ("low_back_pain", "sciatica"),
        "MIPS 220 of 2026, vbca.com: 14 and over, discharged, met at a residual of 0 or more",
        verified=True,
    ),
    _function(
        221,
        "upper_extremity",
        "Shoulder: change in function against prediction",
        ("shoulder_impingement",),
        "MIPS 221; wording from memory, as that of 220",
        verified=False,
    ),
    _function(
        219,
        "lower_extremity",
        "Lower leg, foot and ankle: change in function against prediction",
        ("plantar_fasciitis",),
        "MIPS 219; wording from memory, as that of 220. The iliotibial band lies from hip to knee: left out",
        verified=False,
    ),
)
