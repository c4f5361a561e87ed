"""What each key of a profile means, in a sentence and an example: the one source of editor help and of PROFILES.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.profile.fields import (
    FieldSource,
    FileSource,
    Join,
    PlannedVisit,
    ReferenceSource,
    Score,
    Selection,
    SignFlip,
    TableSource,
    UnitSource,
    Withdrawal,
)
from assets.deliveries.profile.loading import (
    AcceptedDrift,
    ExtraCondition,
    ExtraMeasure,
    ExtraResponderRule,
    Profile,
    TrialAnalysis,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.deliveries.profile.fields import Strict


@dataclass(frozen=True, slots=True)
class Word:
    """What a key means, and how it is written."""

    meaning: str
    example: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a profile: where it stands, and its keys in the order in which they are explained."""

    title: str
    where: str
    words: Mapping[str, Word]


PARTS: Mapping[type[Strict], Part] = {
    Profile: Part(
        "Profile",
        "The top of the file.",
        {
            "profile": Word("Name of the source; a-z, 0-9 and _", "north_emr"),
            "version": Word("Raise it with every change", "1"),
            "description": Word("One sentence for the ledger", "Visit export of the north clinics"),
            "privacy_mode": Word(
                "safe_harbor: no dates, days are numbers. limited_data_set: real dates may come in columns mapped to "
                "calendar_day and discharge_calendar_day, under a data use agreement",
                "safe_harbor",
            ),
            "files": Word("The files of a delivery, parents before children", "see below"),
            "extract_stamp": Word(
                "Moment of the extract, in UTC, where the delivery's name does not carry it; rows of a later extract "
                "replace earlier ones",
                '"2025-08-03T00:00:00Z"',
            ),
            "clinics": Word("All clinics that may occur; rows of others are set aside. Left out: any", "[C01, C02]"),
            "references": Word("Lists beside the profile that files can be joined to", "see below"),
            "accept_drift": Word("Changes of scale that somebody has looked at and found right", "see below"),
            "measures": Word("Measures that only this source has", "see below"),
            "conditions": Word("Conditions that only this source has", "see below"),
            "responder_rules": Word("Responder rules that only this source has", "see below"),
            "trial": Word("How the arms of a trial are compared; the table episode names them in arm", "see below"),
        },
    ),
    FileSource: Part(
        "A file",
        "An entry of `files`.",
        {
            "match": Word("Pattern of the file's name; .gz or .zip may follow it", '"visits_*.csv"'),
            "format": Word("csv is any delimited text", "excel"),
            "delimiter": Word("Sign between fields of a csv", '";"'),
            "encoding": Word("Encoding of a csv", "cp1252"),
            "decimal": Word("Decimal sign of numbers that are written as text", '","'),
            "sheet": Word("Sheet of a workbook; needed where there are several", "Visits"),
            "resource": Word("FHIR resource type that the file's lines are read for", "Observation"),
            "columns": Word(
                "FHIR only: a name for each value taken, and its JMESPath in the resource",
                "{value: valueQuantity.value}",
            ),
            "joins": Word("Columns brought from other files or from lists", "see below"),
            "only": Word(
                "Rows that count; all entries must apply. Other rows are out of scope and counted as such", "see below"
            ),
            "tables": Word("Canonical tables that the rows feed", "see below"),
            "scores": Word("Columns that each hold one measure, taken at the visit the row describes", "see below"),
            "visits": Word("Planned times, each with score columns of its own (one row per episode)", "see below"),
            "ignored": Word(
                "Columns that are there and not read; one that is neither used nor listed here refuses the delivery",
                "[created_by]",
            ),
            "optional": Word("Whether a delivery may come without this file", "true"),
        },
    ),
    TableSource: Part(
        "A table",
        "An entry of `tables`.",
        {
            "table": Word("Name of the canonical table", "visit"),
            "fields": Word(
                "Canonical field to its source; or same_names where columns are called like fields", "below"
            ),
            "skip_when_blank": Word("Make no row of this table where this column is blank", "treatment_code"),
            "withdrawn": Word("How a row takes back what was sent under its key", "{column: status, codes: [deleted]}"),
            "units": Word("Measurements: what the source's words for units mean", "{in: {unit: cm, times: 2.54}}"),
            "convert": Word("Measurements: converted measures that scores of another scale become", "[nprs_from_vas]"),
            "flip_sign": Word("Measurements: measures whose sign is turned round", "[{measures: [knee_ext]}]"),
        },
    ),
    FieldSource: Part(
        "The source of a field",
        "A value of `fields`, `side`, `method`, `active_passive` or `rater_key`. A bare word is short for `column`.",
        {
            "column": Word("The column it is read from", "gender"),
            "columns": Word("Several columns that are joined; blank if one of them is", "[site, id]"),
            "separator": Word("What stands between joined columns", '"-"'),
            "constant": Word("The same value in every row", "unknown"),
            "row_number": Word(
                "The number of the row makes the key, where the source has none; no later delivery can correct it",
                "true",
            ),
            "prefix": Word("Put before each value", '"P"'),
            "suffix": Word("Put after each value", '"-baseline"'),
            "replace": Word("Characters to change before anything else, so that a key can hold a date", '{"/": "-"}'),
            "codes": Word(
                "Source code to canonical code; a code that is not listed stays and is set aside as unknown",
                '{"1": F, "2": M}',
            ),
            "vocabulary": Word(
                "Look codes up in a list that is shipped: icd10cm gives condition_id, icd10cm_side the side", "icd10cm"
            ),
            "date_format": Word("How a date is written; left out: ISO 8601", '"%d/%m/%Y"'),
            "missing": Word("Texts that mean: not recorded", '["9", "*"]'),
            "missing_when_blank": Word("Not recorded where this other column is blank", "pain_score"),
            "if_blank": Word("Code that stands for not recorded in the contract's own list", "unknown"),
        },
    ),
    Score: Part(
        "A score",
        "An entry of `scores`, of a file or of a planned visit.",
        {
            "measure": Word("The measure", "odi"),
            "column": Word("Column that holds the score; where it is blank there is no row", "odi_pct"),
            "side": Word("Side of the body", "{constant: left}"),
            "method": Word("Instrument or way of asking", "{constant: goniometer}"),
            "active_passive": Word("Whether patient or therapist moved the joint", "{constant: active}"),
            "rater_key": Word("Who measured", "therapist_id"),
            "unit": Word("Unit of the source, if it is not the measure's", "{unit: mm, times: 10}"),
            "flip_sign": Word("always, or the rows in which the sign is turned round", "always"),
            "missing": Word("Texts that mean: not recorded", '["99"]'),
            "missing_when_blank": Word("Not recorded where this other column is blank", "pain_score"),
        },
    ),
    PlannedVisit: Part(
        "A planned visit",
        "An entry of `visits`.",
        {
            "name": Word("Becomes part of the visit's key", "month-3"),
            "day": Word("Planned day, counted from the first visit", "91"),
            "visit_type": Word("What the visit was for", "follow_up"),
            "scores": Word("The scores taken at it; a visit without any was not attended", "see above"),
        },
    ),
    Join: Part(
        "A join",
        "An entry of `joins`: brings columns where keys are equal; of several rows with one key the first counts.",
        {
            "file": Word("The `match` of another file of the delivery", '"visit.csv"'),
            "reference": Word("Or the name of a list", "item_codes"),
            "on": Word("Key columns here", "[encounter_id]"),
            "key": Word("Key columns there, in the same order", "[id]"),
            "take": Word("Column there to its name here", "{class: encounter_class}"),
            "only": Word("Rows there that count; all entries must apply", "[{column: status, among: [finished]}]"),
        },
    ),
    ReferenceSource: Part(
        "A list",
        "An entry of `references`: a CSV beside the profile, in UTF-8, with commas and a header.",
        {
            "name": Word("Name for joins", "item_codes"),
            "file": Word("Its file, seen from the profile's folder", "item_codes.csv"),
            "sha256": Word("Its hash, where it must not change", "(64 hexadecimal digits)"),
        },
    ),
    Selection: Part(
        "A selection of rows",
        "An entry of `only`, or `where` of a sign.",
        {
            "column": Word("The column looked at; without among and vocabulary it must be filled in", "status"),
            "among": Word("What it may hold", "[final, amended]"),
            "vocabulary": Word("Or the list that must have its code", "icd10cm"),
        },
    ),
    UnitSource: Part(
        "A unit",
        "A value of `units`, or `unit` of a score.",
        {
            "unit": Word("Unit of the contract", "cm"),
            "times": Word("How many of them one unit of the source is", "2.54"),
        },
    ),
    SignFlip: Part(
        "A sign",
        "An entry of `flip_sign`.",
        {
            "measures": Word("Measures that are recorded with the opposite sign", "[knee_ext]"),
            "where": Word("Rows it holds for; left out: all", "{column: clinic, among: [C02]}"),
        },
    ),
    Withdrawal: Part(
        "A withdrawal",
        "The value of `withdrawn`.",
        {
            "column": Word("Column that says so", "status"),
            "codes": Word("Its codes that take a row back", "[entered-in-error]"),
        },
    ),
    AcceptedDrift: Part(
        "An accepted change",
        "An entry of `accept_drift`.",
        {
            "measure": Word("The measure whose scale or level has changed", "odi"),
            "because": Word("Who looked, and what was found", "Clinic C02 moved to the long form on 2025-03-01"),
        },
    ),
    ExtraMeasure: Part(
        "A measure of this source",
        "An entry of `measures`.",
        {
            "id": Word("Its id", "headache_days"),
            "label": Word("How pages call it", "Headache days in 28"),
            "kind": Word(
                "pain, function, rom or anchor; context for what describes the patient and is no outcome", "pain"
            ),
            "unit": Word("Its unit", "days"),
            "better": Word("Direction of benefit; means nothing for context", "lower"),
            "low": Word("Lowest possible score", "0"),
            "high": Word("Highest possible score", "28"),
            "why": Word("Why these are the ends", "days in four weeks"),
            "decimals": Word("Decimal places that the scale has", "0"),
            "sided": Word("Whether it has a side", "false"),
            "mcid": Word("Minimal clinically important difference", "4"),
            "predicts": Word("Measure whose later score the source's own model predicts by this one", "oxford_hip"),
            "gain_of_all": Word(
                "Of a prediction: mean gain of all records of the source by earlier operations, where the source "
                "publishes it and leaves records out",
                "{none: 22.6798, some: 13.9013}",
            ),
            "source": Word("Where this is published", "Vickers 2004 BMJ 328:744"),
        },
    ),
    ExtraCondition: Part(
        "A condition of this source",
        "An entry of `conditions`.",
        {
            "id": Word("Its id", "migraine"),
            "label": Word("How pages call it", "Migraine"),
            "sentence_label": Word("How it is called within a sentence", "migraine"),
            "sided": Word("Whether it has a side", "false"),
            "pain_measure": Word("Primary pain outcome", "headache_score"),
            "rom_measures": Word("Primary motions; of several the worse counts", "[cerv_flex]"),
            "icd10cm": Word("Its codes, for the dictionary", "G43.-"),
        },
    ),
    ExtraResponderRule: Part(
        "A responder rule of this source",
        "An entry of `responder_rules`.",
        {
            "id": Word("Its id", "days_50"),
            "label": Word("How pages call it", "Headache days 50% lower"),
            "measure": Word("The measure it is for", "headache_days"),
            "kind": Word("points, or percent of baseline, by which a patient is better", "percent"),
            "threshold": Word("How much", "50"),
            "source": Word("Where this is published", "Vickers 2004"),
        },
    ),
    TrialAnalysis: Part(
        "A trial",
        "The value of `trial`: the plan of the analysis, from the protocol. Without it, arms are compared with the "
        "first by name, after adjustment for the baseline of the outcome, age and sex.",
        {
            "reference_arm": Word("Arm that the others are compared with", "control"),
            "covariates": Word(
                "Adjusted for beside the baseline of the outcome: columns of patient or episode, or measures of which "
                "the baseline counts",
                "[age_years, sex, condition_id]",
            ),
        },
    ),
}
