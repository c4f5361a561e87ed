"""Recovery definitions, responder rules, bands of change and deterioration, as data with versions.

No definition of recovery is accepted: 82 low-back-pain studies used 66 different measures (Kamper 2011).
So the definition in force stands beside every rate, and its variants are always computed with it.

Rule v1 in words: pain at most 1 on two occasions at least 7 days apart with none above 1 between, or at
the discharge visit; and the primary range of motion at least the reference minus its minimal detectable
change. Reference = the opposite side measured the same way within 14 days, if the complaint is one-sided;
else the published normal value or, if that is lower, the median of opposite sides of the clinic's patients of that sex
and age. Pain at baseline of 1 or less cannot recover: excluded and counted. Motion not measured makes recovery unknown,
not no. Variants change one thing each: how low pain must be, when, and what is asked of motion.
Version 2 of a definition that looks at motion took in the median, which the reference had left out before.
"""

from __future__ import annotations

from assets.contract.model import (
    DeteriorationRule,
    ImpactBand,
    Occasion,
    RecoveryDefinition,
    RegionMcid,
    ResponderRule,
    Threshold,
)

LANDMARK_DAY = 14
"""Care received is fixed by what was given up to this day: later exposure would count survivors (immortal time)."""

BASELINE_WINDOW_DAYS = 7
DISCHARGE_WINDOW_DAYS = 14
CONTRALATERAL_WINDOW_DAYS = 14
NEXT_SCORE_DAYS = 10
"""How long after a needling session the next pain score still belongs to it: care once a week, with some delay."""
BASELINE_MUST_EXCEED_POINTS = 1
COMPLETENESS_TARGET_PERCENT = 80
"""Share of outcomes that should be known. A proposal of the field's registries, not a published standard."""
COMPARISON_FLOOR_PERCENT = 60
"""Share of outcomes that must be known before clinics are compared: a proposal, used by arthroplasty registries."""
COMPARISON_MINIMUM_CLINICS = 10
"""Clinics from which the variation between clinics is estimated (domain reference 4.6). A proposal."""
RELIABILITY_TARGET = 0.7
"""Reliability from which groups of clinics are usually compared; singling one out asks for 0.9 (Adams 2009)."""
ADJUSTED_GAIN_MINIMUM = 30
"""Modelled records from which a provider gets an adjusted gain (NHS England PROMs)."""
AGE_BANDS = ((0, 19), (20, 44), (45, 69), (70, 90))
"""First and last age in years of the groups in which motion is compared (Soucie 2011; those over 69 on their own)."""
REFERENCE_MINIMUM_PATIENTS = 11
"""Smallest number of patients whose median may stand for the normal motion of their clinic, sex and age."""
PLANNED_WINDOWS = ((28, 7), (56, 10), (84, 14))
"""Planned follow-up days and how far a score may lie from them, in days."""
TRIAL_COVARIATES = (
    "age_years",
    "sex",
    "population",
    "condition_id",
    "side",
    "clinic_key",
    "symptom_duration",
    "surgery_count",
    "comorbidity_count",
    "fear_avoidance",
    "prior_episode",
    "payer",
)
"""Columns of patient and episode that a comparison of arms may be adjusted for: known when arms are assigned."""
TRAJECTORY_LAST_DAY = 168
"""Last day whose scores take part in a course over time: 24 weeks, as the recovery curve has."""

DEFINITIONS = (
    RecoveryDefinition(
        "recovered_v1",
        2,
        "Recovered",
        "Pain of 1 or less out of 10, held for 7 days or at discharge, and range of motion back to within measurement "
        "error of normal.",
        1,
        "reference_minus_mdc",
        None,
        7,
        is_default=True,
    ),
    RecoveryDefinition(
        "pain_0",
        2,
        "No pain",
        "Pain of 0, held for 7 days or at discharge, and range of motion back to within measurement error of normal.",
        0,
        "reference_minus_mdc",
        None,
        7,
    ),
    RecoveryDefinition(
        "pain_2",
        2,
        "Pain of 2 or less",
        "Pain of 2 or less, held for 7 days or at discharge, and range of motion back to within measurement error of "
        "normal.",
        2,
        "reference_minus_mdc",
        None,
        7,
    ),
    RecoveryDefinition(
        "pain_only",
        1,
        "Pain only",
        "Pain of 1 or less, held for 7 days or at discharge; range of motion is not looked at.",
        1,
        "none",
        None,
        7,
    ),
    RecoveryDefinition(
        "rom_90",
        2,
        "Motion at 90% of normal",
        "Pain of 1 or less, held for 7 days or at discharge, and range of motion of at least 90% of normal.",
        1,
        "share_of_reference",
        90,
        7,
    ),
    RecoveryDefinition(
        "sustained",
        1,
        "Held for 7 days",
        "Pain of 1 or less, held for 7 days; being low at discharge alone does not count; and range of motion back to "
        "within measurement error of normal.",
        1,
        "reference_minus_mdc",
        None,
        7,
        Occasion.HELD,
    ),
    RecoveryDefinition(
        "at_discharge",
        1,
        "At discharge",
        "Pain of 1 or less at the discharge visit, whatever it was before, and range of motion back to within "
        "measurement error of normal.",
        1,
        "reference_minus_mdc",
        None,
        0,
        Occasion.DISCHARGE,
    ),
)

RESPONDER_RULES = (
    ResponderRule("mcid", "Better by at least the MCID", "mcid", None, "mcid of each measure", construct="pain"),
    ResponderRule("percent_30", "Better by 30% or more", "percent", 30, "Dworkin 2008 (IMMPACT)", construct="pain"),
    ResponderRule("percent_50", "Better by 50% or more", "percent", 50, "Dworkin 2008 (IMMPACT)", construct="pain"),
)

REGION_MCIDS = (
    RegionMcid(
        "neck_pain",
        "nprs_avg24h",
        Threshold(1.3, "Cleland 2008 Arch Phys Med Rehabil 89:69-74, n 137, anchor GROC", verified=True),
        "On whole points the same as 2: no change lies between 1.3 and 2.",
    ),
    RegionMcid(
        "shoulder_impingement",
        "nprs_avg24h",
        Threshold(2.17, "Michener 2011 J Sport Rehabil 20:115, n 136, anchor Penn Shoulder Score", verified=True),
        "Found for the mean of three ratings; on whole points the same as 3.",
    ),
)
"""Verified MCIDs of a condition's own pain measure, off by default: they differ by anchor, not by region alone.

Others do not apply: plantar heel pain has one for the first step, but on the visual analogue scale (Landorf 2010), and
scores of two scales are never mixed; low back pain has the measure's own 2 points (Ostelo 2008).
"""

IMPACT_BANDS_VERSION = 1
IMPACT_BANDS = (
    ImpactBand("worse", "Worse", None, 0),
    ImpactBand("none", "Less than 10% less pain", 0, 10),
    ImpactBand("minimal", "Minimal: 10% to below 30%", 10, 30),
    ImpactBand("moderate", "Moderate: 30% to below 50%", 30, 50),
    ImpactBand("substantial", "Substantial: 50% or more", 50, None),
)
"""Dworkin 2008 (IMMPACT). Published as 10 to 20%, 30% and more, 50% and more; 20 to 30% is counted as minimal here."""

DETERIORATION = DeteriorationRule("deteriorated", 1, "Worse by 2 points or more", 2, "this project's proposal")
