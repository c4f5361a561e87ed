"""Definitions ``definitions.html``: what every word and number on the other pages means, generated from the contract.

Anchors are ids of the contract and stay stable: tiles, Dagster metadata and letters link to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import definitions as rules
from assets.contract.model import Occasion
from dashboards.markup import clean, esc
from dashboards.pages.text import condition_label, paragraph, table, terms, text_page
from dashboards.words import ANY_CARE, DASH, ROUTINE_CARE, care_label

if TYPE_CHECKING:
    from assets.contract.model import Contract, Measure, RecoveryDefinition, Threshold
    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published

NAME, HEADING = "definitions", "Definitions and methods"

METHODS = (
    (
        "wilson",
        "Interval of a rate",
        (
            "Wilson score interval, 95%. It stays between 0 and 100% and is honest for small groups. It says how "
            "far the true "
            "rate may lie from the one seen, by chance alone; it knows nothing of missing outcomes or of which "
            "patients came."
        ),
    ),
    (
        "t-interval",
        "Interval of a mean",
        "Student's t interval, 95%, of the mean change within patients.",
    ),
    (
        "aalen-johansen",
        "Recovery over time",
        (
            "Aalen-Johansen cumulative incidence. Leaving care without recovery is a competing event; episodes "
            "still open are "
            "followed to their last attended visit. The day of recovery is the first visit of the qualifying "
            "pair, so clinics that see patients more often find recovery earlier."
        ),
    ),
    (
        "kaplan-meier",
        "Kaplan-Meier beside it",
        (
            "One minus Kaplan-Meier, with leaving treated as if the patient could still recover in care: what "
            "would be seen if "
            "care had continued and leaving were unrelated to pain. Patients leave because they are better or "
            "because nothing changes, so this is an upper picture and not a forecast."
        ),
    ),
    (
        "unknown",
        "Unknown outcomes",
        (
            "An outcome that cannot be decided is unknown, never 'no'. Beside the rate stand the two extremes: "
            "none of the unknown had recovered, and all had."
        ),
    ),
)
CANNOT = (
    (
        "They cannot show that a treatment made a difference. Patients were not assigned to treatments at "
        "random, except in trials, and those who receive needling differ from those who do not."
    ),
    "They cannot rank clinics or conditions. Clinics see different patients, and conditions heal at different speeds.",
    "A fall in pain after the first visit is expected without any treatment, because patients come when pain is worst.",
    "They describe patients whose outcome is known. Where many outcomes are unknown the others may be unlike them.",
    "A change of one patient that is smaller than the minimal detectable change may be error of measurement.",
)
GLOSSARY = (
    (
        "Care received",
        (
            "What was given by day {landmark}. Care that begins later is not counted: only patients who stay can "
            "receive it."
        ),
    ),
    ("Closed episode", "An episode of care that has ended, for whatever reason."),
    ("Completeness", "Known outcomes as a share of the closed episodes that could have one. Target: {target}%."),
    ("Confidence interval (CI)", "The range in which the true value plausibly lies, given the number of patients."),
    ("Episode of care", "One patient treated for one condition, from the first visit to discharge."),
    ("MCID", "Minimal clinically important difference: the smallest change that patients call important."),
    ("MDC", "Minimal detectable change: the smallest change in one patient that is more than error of measurement."),
    ("Network", "All clinics that send data, together."),
    ("Suppressed", "Not shown, because fewer than {minimum} patients or episodes stand behind it."),
)


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page; it needs the contract only, so it is there before any data are."""
    contract = published.contract
    sections = (
        ("recovered", "Recovered", _recovery(contract)),
        ("responder", "Responder rules", _responders(contract)),
        ("bands", "Bands of change", _bands()),
        ("conditions", "Conditions", _conditions(contract)),
        ("measures", "Measures", _measures(contract)),
        ("care", "Care received", _care(published)),
        ("methods", "Methods", terms(METHODS)),
        ("suppression", "Small groups", paragraph(_suppression(meta))),
        (
            "cannot",
            "What these numbers cannot tell you",
            f"<ul>{''.join(f'<li>{esc(text)}</li>' for text in CANNOT)}</ul>",
        ),
        ("glossary", "Glossary", _glossary(meta)),
    )
    return text_page(NAME, HEADING, sections)


def _recovery(contract: Contract) -> str:
    common = (
        f"Baseline: the first pain score in the first {rules.BASELINE_WINDOW_DAYS} days. Discharge: the last "
        "score of the "
        f"same measure in the {rules.DISCHARGE_WINDOW_DAYS} days up to discharge. Episodes that begin with pain of "
        f"{rules.BASELINE_MUST_EXCEED_POINTS} or less cannot recover: they are left out and counted. Normal "
        "motion is that "
        f"of the other side, measured the same way within {rules.CONTRALATERAL_WINDOW_DAYS} days, for conditions "
        "of one "
        "side; else the published value or, if that is lower, the median of such sides of the clinic's patients of "
        "that sex and age. With several main motions the worse one counts. Motion that was never "
        "measured makes recovery unknown, not 'no'."
    )
    items = (
        (item.definition_id, _heading(item), f"{clean(item.sentence)} {_rule(item)}") for item in contract.definitions
    )
    return (
        paragraph(
            "No definition of recovery is accepted by all: 82 studies of low back pain used 66 different measures."
        )
        + terms(items)
        + paragraph(common)
    )


def _heading(item: RecoveryDefinition) -> str:
    return f"{clean(item.label)}, version {item.version}{' (in force)' if item.is_default else ''}"


def _rule(item: RecoveryDefinition) -> str:
    motion = {
        "reference_minus_mdc": "motion of at least normal minus its minimal detectable change",
        "share_of_reference": f"motion of at least {item.rom_share_percent}% of normal",
        "none": "motion not required",
    }.get(item.rom_rule, clean(item.rom_rule))
    held = f"on two occasions at least {item.sustained_days} days apart with none above it between"
    when = {
        Occasion.HELD: held,
        Occasion.DISCHARGE: "at the discharge visit",
        Occasion.EITHER: f"{held}, or at the discharge visit",
    }[item.occasion]
    return f"In numbers: pain of at most {item.pain_at_most} {when}; {motion}."


def _responders(contract: Contract) -> str:
    rows = []
    for rule in contract.responder_rules:
        threshold = {
            "mcid": "the MCID of the measure",
            "points": f"{rule.threshold or 0:g} units of the measure",
            "percent": f"{rule.threshold or 0:g}% of the first score",
        }.get(rule.kind, clean(rule.kind))
        scope = (
            _label(contract, rule.measure_id) if rule.measure_id else f"every measure of {rule.construct or 'any kind'}"
        )
        rows.append((rule.rule_id, (clean(rule.label), str(rule.version), threshold, scope, clean(rule.source))))
    regions = [
        (
            f"mcid-{item.condition_id}",
            (condition_label(contract, item.condition_id), _threshold(item.mcid), item.mcid.source, item.note),
        )
        for item in rules.REGION_MCIDS
    ]
    state = "in force" if contract.region_mcid else "not in force: the MCID of the measure counts"
    return (
        paragraph(
            "Change for the better of at least the threshold, among those who had room for it. Those who got worse "
            "stand beside every such rate."
        )
        + table("Responder rules", ("Rule", "Version", "Threshold", "Applies to", "Source"), rows)
        + paragraph(f"Published MCIDs of one body region are {state}.")
        + table("MCIDs of body regions", ("Condition", "MCID", "Source", "Note"), regions)
    )


def _bands() -> str:
    worse = rules.DETERIORATION
    rows = [
        *((f"band-{item.band_id}", (item.label, str(rules.IMPACT_BANDS_VERSION))) for item in rules.IMPACT_BANDS),
        (worse.rule_id, (worse.label, str(worse.version))),
    ]
    return paragraph(
        "Change in pain in percent of the first score (IMMPACT, Dworkin 2008). Episodes that are worse by the points "
        "of the last row are a part of those that are worse."
    ) + table("Bands of change in pain", ("Band", "Version"), rows)


def _conditions(contract: Contract) -> str:
    rows = [
        (
            item.condition_id,
            (
                clean(item.label),
                clean(item.icd10cm) or DASH,
                _label(contract, item.pain_measure),
                "; ".join(_label(contract, motion) for motion in item.rom_measures) or DASH,
                clean(item.note) or DASH,
            ),
        )
        for item in contract.conditions
    ]
    return paragraph("In the fixed order of every page. Conditions are never ranked.") + table(
        "Conditions", ("Condition", "ICD-10-CM", "Main pain score", "Main motion", "Note"), rows
    )


def _measures(contract: Contract) -> str:
    rows = [
        (
            item.measure_id,
            (
                clean(item.label),
                f"{item.possible.low:g} to {item.possible.high:g} {clean(item.unit)}",
                DASH if item.construct == "context" else item.better.value,
                _threshold(item.mcid),
                _threshold(item.mdc),
                _threshold(item.reference),
                _sources(item),
            ),
        )
        for item in contract.measures
    ]
    return paragraph(
        "✓ marks a number read in its source; ? one known from memory only, used but not quoted as evidence."
    ) + table("Measures", ("Measure", "Possible values", "Better", "MCID", "MDC", "Normal", "Sources"), rows)


def _threshold(threshold: Threshold | None) -> str:
    return DASH if threshold is None else f"{threshold.value:g} {'✓' if threshold.verified else '?'}"


def _sources(measure: Measure) -> str:
    named = (("MCID", measure.mcid), ("MDC", measure.mdc), ("Normal", measure.reference))
    parts = [f"{name}: {clean(threshold.source)}" for name, threshold in named if threshold]
    return ". ".join([*parts, clean(measure.source)] if measure.source else parts) or DASH


def _care(published: Published) -> str:
    values = [care for care in published.care if care != ANY_CARE] or list(ROUTINE_CARE)
    labels = "; ".join(clean(care_label(care)) for care in values)
    return paragraph(
        "Arms of a trial, as assigned: " + labels + "."
        if published.is_trial
        else f"{labels}. Decided by what was given at visits by day {rules.LANDMARK_DAY}: needling that starts "
        "later is not counted, because only patients who stay in care can receive it."
    )


def _suppression(meta: SiteMeta) -> str:
    return (
        f"Numbers about fewer than {meta.minimum_group} patients or episodes are not shown: neither the count nor "
        "anything "
        "made of it. They are left out of the files of this site, not only of its pages. Totals include them."
    )


def _glossary(meta: SiteMeta) -> str:
    fill = {
        "landmark": rules.LANDMARK_DAY,
        "target": rules.COMPLETENESS_TARGET_PERCENT,
        "minimum": meta.minimum_group,
    }
    return terms((f"term-{word.split()[0].lower()}", word, text.format(**fill)) for word, text in GLOSSARY)


def _label(contract: Contract, measure_id: str) -> str:
    return next((clean(item.label) for item in contract.measures if item.measure_id == measure_id), clean(measure_id))
