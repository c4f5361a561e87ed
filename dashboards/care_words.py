"""Codes of care and safety as words, and the words that stand where a number may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import contrasts
from assets.contract.contrasts import CONTRASTS
from dashboards.markup import clean
from dashboards.words import decimal, percent, plural, spoken

if TYPE_CHECKING:
    from assets.contract.contrasts import Contrast
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

TREATMENTS = {
    "dry_needling": "Dry needling",
    "manual_therapy": "Manual therapy",
    "massage": "Massage",
    "stretching_mobility": "Stretching and mobility",
    "strengthening": "Strengthening exercise",
    "ergonomic": "Ergonomic advice",
    "modality": "Heat, cold, current or ultrasound",
    "education": "Education",
    "acupuncture": "Acupuncture",
    "sham": "Sham needling",
}
"""Kinds of treatment in the order in which pages list them."""

SUBGROUPS = {
    "population": {
        "athlete": "Athletes",
        "occupational_sedentary": "Office workers",
        "occupational_manual": "Manual workers",
        "other": "Other patients",
        "unknown": "Group not recorded",
    },
    "symptom_duration": {
        "acute": "Symptoms under 6 weeks",
        "subacute": "Symptoms 6 to 12 weeks",
        "chronic": "Symptoms over 12 weeks",
        "unknown": "Duration not recorded",
    },
}
TWITCH = {"yes": "Twitch recorded", "no": "No twitch recorded", "not_recorded": "Not recorded"}
TWITCH_TIMES = {"immediate": "After the session", "discharge": "At discharge"}

EVENTS = {
    "any": "Any event",
    "any_minor": "Any minor event",
    "any_major": "Any serious event",
    "soreness": "Soreness",
    "bruising": "Bruising",
    "bleeding": "Bleeding",
    "fatigue": "Fatigue",
    "light_headed": "Light-headed",
    "fainting": "Fainting",
    "headache": "Headache",
    "nausea": "Nausea",
    "aggravation": "Symptoms aggravated",
    "infection": "Infection",
    "pneumothorax": "Pneumothorax",
    "nerve_injury": "Nerve injury",
    "other": "Other event",
}
"""Unwanted events in the order in which pages list them: all together, then one by one."""

PRECAUTIONS = {
    "bleeding_disorder": "Bleeding disorder",
    "anticoagulant": "Anticoagulant",
    "antiplatelet": "Antiplatelet",
    "needle_phobia": "Needle phobia",
    "pregnancy": "Pregnancy",
    "immunosuppressed": "Immunosuppressed",
    "other": "Other precaution",
}

NO_MODEL = {
    "too_few_rows": "more traits than patients",
    "too_many_covariates": f"fewer than {contrasts.PATIENTS_PER_COVARIATE} patients for each trait",
    "separated": "a trait tells the care with certainty",
    "collinear": "traits repeat each other",
    "constant_outcome": "all patients have the same outcome",
    "not_converged": "the model found no answer",
}
"""Why no model could be fitted."""

COVARIATES = {
    "age_years": "Age",
    "baseline_pain": "Pain at the first visit",
    "baseline_function_permille": "Function at the first visit, % (0 is best)",
    "baseline_rom_permille": "Motion at the first visit, % of normal",
    "comorbidity_count": "Comorbidities",
    "surgery_count": "Earlier operations",
    "start_year": "Year of the first visit",
    "anticoagulant": "Anticoagulant",
    "clinic_key": "Clinic",
    "condition_id": "Condition",
    "fear_avoidance": "Fear-avoidance",
    "needle_phobia": "Needle phobia",
    "payer": "Payer",
    "population": "Group",
    "prior_episode": "Earlier episode",
    "sex": "Sex",
    "side": "Side",
    "symptom_duration": "Symptoms",
}


def label_of(labels: dict[str, str], code: str) -> str:
    """What a code is called; one that is not listed is spoken as it is."""
    return labels.get(code, spoken(code))


def in_order(labels: dict[str, str], codes: set[str]) -> list[str]:
    """Codes that occur, in the order of the labels, then the others alphabetically."""
    return [code for code in labels if code in codes] + sorted(codes - set(labels))


def contrast_of(contrast_id: str) -> Contrast | None:
    """The comparison of this id, None if the contract has no such."""
    return next((item for item in CONTRASTS if item.contrast_id == contrast_id), None)


def groups_of(contrast_id: str) -> tuple[str, str]:
    """What the two groups of a comparison are called: with needling, and the other."""
    contrast = contrast_of(contrast_id)
    if contrast is None or contrast.comparator is None:
        return "With dry needling", "Without dry needling"
    other = label_of(TREATMENTS, contrast.comparator)
    return f"Dry needling, no {other.lower()}", f"{other}, no dry needling"


def covariate_label(covariate: str, conditions: dict[str, str]) -> str:
    """What a covariate, or a level of one (``sex=F``), is called."""
    name, is_level, level = covariate.partition("=")
    label = label_of(COVARIATES, name)
    if not is_level:
        return label
    if level in SUBGROUPS.get(name, {}):
        return SUBGROUPS[name][level]
    known = {**(conditions if name == "condition_id" else {}), "others": "others together"}
    return f"{label}: {clean(known.get(level, spoken(level)))}"


def verdict(row: Row | None, meta: SiteMeta) -> str:
    """Return which diagnostic of an adjusted comparison failed, and its value; empty if none did.

    A number stands only where nothing failed.
    """
    reason = _failed(row, meta)
    return f"Not shown: {reason}" if reason else ""


def short_verdict(row: Row | None, meta: SiteMeta) -> str:
    """Return the same in the few words that fit into a chart."""
    if row is None or row["suppressed"]:
        return meta.too_few_patients
    differing = max(row["max_smd_after"] or 0, row["max_smd_beyond"] or 0)
    sizes = _sizes(row)
    words = {
        "shown": "",
        "too_few": meta.too_few_patients,
        "positivity": f"not shown: {plural(row['clinics_left_out'] or 0, 'clinic')} left out",
        "max_smd": f"not shown: differ by {decimal(differing, 2)} (limit {contrasts.LARGEST_SMD:.2f})",
        "equipoise": (
            f"not shown: {percent(row['equipoise'])} in equipoise (limit {contrasts.SMALLEST_EQUIPOISE:.0%})"
        ),
        "too_many_covariates": "not shown: too few patients to adjust",
        "effective_size": (
            f"not shown: effective size {min(sizes, default=0):.0f} (limit {contrasts.SMALLEST_EFFECTIVE_SIZE})"
        ),
    }
    return words.get(row["verdict"], "not shown: no model fitted")


def _failed(row: Row | None, meta: SiteMeta) -> str:
    if row is None or row["suppressed"]:
        return _too_few(meta)
    failed = row["verdict"]
    if failed == "shown":
        return ""
    if failed == "max_smd":
        return _still_different(row)
    return {
        "too_few": _too_few(meta),
        "positivity": (
            "too few patients are in clinics that treat some with needling and some without "
            f"({plural(row['clinics_left_out'] or 0, 'clinic')} left out)"
        ),
        "too_many_covariates": (f"fewer than {contrasts.PATIENTS_PER_COVARIATE} patients for each trait to adjust for"),
        "equipoise": (
            f"only {percent(row['equipoise'])} of the patients might well have been in either group "
            f"(limit {contrasts.SMALLEST_EQUIPOISE:.0%})"
        ),
        "effective_size": f"{_effective(row)} (limit {contrasts.SMALLEST_EFFECTIVE_SIZE})",
    }.get(failed, f"no model could be fitted ({NO_MODEL.get(failed, spoken(failed or '').lower())})")


def _too_few(meta: SiteMeta) -> str:
    return meta.too_few_patients


def _effective(row: Row) -> str:
    sizes = _sizes(row)
    if not sizes:
        return "the effective sample size of a group is too small"
    return f"effective sample size of the smaller group {min(sizes):.0f}"


def _sizes(row: Row) -> list[float]:
    return [size for size in (row["effective_treated"], row["effective_control"]) if size is not None]


def _still_different(row: Row) -> str:
    limit = f"limit {contrasts.LARGEST_SMD:.2f}"
    after, beyond = row["max_smd_after"], row["max_smd_beyond"]
    if after is not None and after >= contrasts.LARGEST_SMD:
        what = f"the groups still differ after weighting (largest standardised difference {decimal(after, 2)}"
    else:
        what = (
            "the groups still differ after weighting in squares and products of traits (largest standardised "
            f"difference {decimal(beyond, 2)}, more than chance explains"
        )
    return f"{what}; {limit})"
