"""The canonical tables: the one statement of their columns, types, units, bounds and keys.

Source of the model: the field's episode-of-care model (patient, episode, visit, measurement, treatment,
adverse event, precaution). Time is a day offset from the episode's first visit plus the start year, which
45 CFR 164.514(b)(2) (Safe Harbor) allows; no column can hold a date, a name or free text.
"""

from __future__ import annotations

from assets.contract.model import KEY_PATTERN, Bounds, Column, ColumnType, Reference, Table

KEY, CODE, INTEGER, DAY, SCORE = (
    ColumnType.KEY,
    ColumnType.CODE,
    ColumnType.INTEGER,
    ColumnType.DAY,
    ColumnType.SCORE,
)

YES_NO_UNKNOWN = ("yes", "no", "unknown")
SIDES = ("left", "right", "bilateral", "none")
AGE_TOP_CODE_YEARS = 90
OLDEST_PERSON_YEARS = 120
"""A higher age is a typing error; one between the two identifies its patient."""

PATIENT = Table(
    name="patient",
    meaning="One de-identified person.",
    key=("patient_key",),
    columns=(
        Column("patient_key", KEY, "Surrogate key of the patient", required=True),
        Column("sex", CODE, "Sex as recorded", required=True, allowed=("F", "M", "X", "unknown")),
        Column(
            "age_years",
            INTEGER,
            "Age at the first visit; 90 stands for 90 and over",
            unit="years",
            possible=Bounds(0, AGE_TOP_CODE_YEARS, "Safe Harbor groups all ages over 89 as 90"),
            plausible=Bounds(14, AGE_TOP_CODE_YEARS, "outcome instruments are validated from age 14"),
        ),
        Column(
            "zip3",
            CODE,
            "First three digits of the ZIP code, 000 where fewer than 20,000 people share them",
            pattern="^[0-9]{3}$",
        ),
        Column(
            "population",
            CODE,
            "Group the patient belongs to",
            allowed=("athlete", "occupational_sedentary", "occupational_manual", "other", "unknown"),
        ),
    ),
)

EPISODE = Table(
    name="episode",
    meaning="One episode of care: a patient treated for one condition, from evaluation to discharge.",
    key=("episode_key",),
    references=(Reference("patient_key", "patient", "patient_key"),),
    columns=(
        Column("episode_key", KEY, "Surrogate key of the episode", required=True),
        Column("patient_key", KEY, "The patient", required=True),
        Column("clinic_key", KEY, "The clinic", required=True),
        Column("therapist_key", KEY, "The treating therapist"),
        Column("condition_id", CODE, "The condition treated", required=True),
        Column("side", CODE, "Affected side of the body", allowed=SIDES),
        Column(
            "start_year",
            INTEGER,
            "Calendar year of the first visit",
            unit="year",
            possible=Bounds(1990, 2100, "electronic records start about 1990"),
            plausible=Bounds(2015, 2035, "older or future starts point to a wrong date"),
        ),
        Column(
            "symptom_duration",
            CODE,
            "How long symptoms had lasted at the first visit: acute < 6 weeks, subacute 6 to 12, chronic > 12",
            allowed=("acute", "subacute", "chronic", "unknown"),
        ),
        Column(
            "surgery_count",
            INTEGER,
            "Earlier operations for this problem",
            unit="operations",
            possible=Bounds(0, 20, "more than 20 operations for one problem is a typing error"),
            plausible=Bounds(0, 5, "more than 5 is rare"),
        ),
        Column(
            "comorbidity_count",
            INTEGER,
            "Conditions of the Functional Comorbidity Index",
            unit="conditions",
            possible=Bounds(0, 18, "the Functional Comorbidity Index has 18 items"),
            plausible=Bounds(0, 12, "more than 12 of 18 is rare"),
        ),
        Column("fear_avoidance", CODE, "High fear-avoidance beliefs at intake", allowed=YES_NO_UNKNOWN),
        Column("prior_episode", CODE, "An earlier episode for the same problem", allowed=YES_NO_UNKNOWN),
        Column(
            "payer",
            CODE,
            "Who pays",
            allowed=("commercial", "medicare", "medicaid", "workers_compensation", "self_pay", "other", "unknown"),
        ),
        Column(
            "discharge_day",
            INTEGER,
            "Day of discharge, counted from the first visit; empty while the episode is open",
            unit="days",
            possible=Bounds(0, 3650, "ten years: longer is two episodes or a wrong date"),
            plausible=Bounds(0, 400, "most episodes last under a year"),
        ),
        Column(
            "discharge_reason",
            CODE,
            "Why the episode ended; still_open while it has not",
            required=True,
            allowed=(
                "goals_met",
                "plateau",
                "self_discharge",
                "no_show_lost",
                "referred_out",
                "insurance",
                "adverse_event",
                "still_open",
                "unknown",
            ),
        ),
        Column(
            "discharge_calendar_day",
            DAY,
            "Day of discharge on the calendar of calendar_day, where discharge_day is not known",
            unit="days",
            optional=True,
            unreadable="DATE_FORMAT",
        ),
        Column("arm", CODE, "Arm of a trial as assigned; empty in routine care", pattern=KEY_PATTERN),
    ),
)

VISIT = Table(
    name="visit",
    meaning="One planned or actual contact within an episode.",
    key=("visit_key",),
    references=(Reference("episode_key", "episode", "episode_key"),),
    columns=(
        Column("visit_key", KEY, "Surrogate key of the visit", required=True),
        Column("episode_key", KEY, "The episode", required=True),
        Column(
            "day_offset",
            INTEGER,
            "Days since the first visit of the episode, which is day 0",
            unit="days",
            required=True,
            required_unless="calendar_day",
            possible=Bounds(0, 3650, "no visit before the first; over ten years is a wrong date"),
            plausible=Bounds(0, 400, "most episodes last under a year"),
        ),
        Column(
            "planned_day",
            INTEGER,
            "Day a protocol planned this visit for; empty in routine care",
            unit="days",
            possible=Bounds(0, 3650, "ten years"),
        ),
        Column(
            "visit_type",
            CODE,
            "What the visit was for",
            required=True,
            allowed=("eval", "treat", "re_eval", "discharge", "follow_up"),
        ),
        Column(
            "attendance", CODE, "Whether it took place", required=True, allowed=("attended", "cancelled", "no_show")
        ),
        Column(
            "adverse_events_asked",
            CODE,
            "Whether adverse events were asked for: without it no row does not mean no event",
            allowed=YES_NO_UNKNOWN,
        ),
        Column(
            "calendar_day",
            DAY,
            "Day of the visit on a calendar of the source, where day_offset is not known: a date under "
            "limited_data_set, else days since any one day of the patient's own; only differences are used",
            unit="days",
            optional=True,
            unreadable="DATE_FORMAT",
        ),
        Column(
            "extract_day",
            DAY,
            "Day of the extract the visit came in, where calendar_day is a date; far in the future if it is not known",
            unit="days",
            optional=True,
            written_by_reader=True,
        ),
        Column(
            "recorded_minute",
            INTEGER,
            "Minute of the day at which the scores were entered; a time of day alone identifies nobody",
            unit="minutes",
            optional=True,
            possible=Bounds(0, 1439, "a day has 1,440 minutes"),
        ),
    ),
)

MEASUREMENT = Table(
    name="measurement",
    meaning="One score of one measure, on one side, at one visit.",
    key=("visit_key", "measure_id", "side", "active_passive", "method"),
    references=(Reference("visit_key", "visit", "visit_key"),),
    columns=(
        Column("visit_key", KEY, "The visit", required=True),
        Column("measure_id", CODE, "What was measured", required=True),
        Column("side", CODE, "Side of the body; none for measures without a side", required=True, allowed=SIDES),
        Column(
            "active_passive",
            CODE,
            "Whether the patient or the therapist moved the joint",
            allowed=("active", "passive", "not_applicable"),
        ),
        Column(
            "method",
            CODE,
            "Instrument or way of asking",
            allowed=("goniometer", "inclinometer", "crom", "tape", "app", "questionnaire", "unknown"),
        ),
        Column("rater_key", KEY, "Who measured: differences between raters exceed those within one"),
        Column("value", SCORE, "The score, in the unit of the measure", required=True),
        Column(
            "unit", CODE, "Unit as sent; must be the unit of the measure: nothing is converted by guess", required=True
        ),
    ),
)

TREATMENT = Table(
    name="treatment",
    meaning="One kind of treatment given at one visit.",
    key=("visit_key", "treatment_class"),
    references=(Reference("visit_key", "visit", "visit_key"),),
    columns=(
        Column("visit_key", KEY, "The visit", required=True),
        Column(
            "treatment_class",
            CODE,
            "Kind of treatment; sham occurs in trials only",
            required=True,
            allowed=(
                "dry_needling",
                "manual_therapy",
                "massage",
                "stretching_mobility",
                "strengthening",
                "ergonomic",
                "modality",
                "education",
                "acupuncture",
                "sham",
            ),
        ),
        Column(
            "minutes",
            INTEGER,
            "Time spent",
            unit="minutes",
            possible=Bounds(0, 480, "a working day"),
            plausible=Bounds(1, 120, "longer than two hours is unusual"),
        ),
        Column(
            "needle_count",
            INTEGER,
            "Needles used, dry needling only",
            unit="needles",
            possible=Bounds(0, 200, "more is a typing error"),
            plausible=Bounds(1, 40, "more than 40 in one session is unusual"),
        ),
        Column(
            "muscle_count",
            INTEGER,
            "Muscles needled: CPT 20560 covers 1 to 2, 20561 three and more",
            unit="muscles",
            possible=Bounds(0, 60, "more is a typing error"),
            plausible=Bounds(1, 15, "more than 15 in one session is unusual"),
        ),
        Column("technique", CODE, "Needling technique", allowed=("deep", "superficial", "electrical", "unknown")),
        Column(
            "ltr_elicited",
            CODE,
            "Local twitch response seen; not recorded is an answer of its own, not a no",
            allowed=("yes", "no", "not_recorded"),
        ),
    ),
)

ADVERSE_EVENT = Table(
    name="adverse_event",
    meaning="One unwanted event after a visit.",
    key=("visit_key", "event_type"),
    references=(Reference("visit_key", "visit", "visit_key"),),
    columns=(
        Column("visit_key", KEY, "The visit", required=True),
        Column(
            "event_type",
            CODE,
            "Kind of event",
            required=True,
            allowed=(
                "soreness",
                "bruising",
                "bleeding",
                "fatigue",
                "light_headed",
                "fainting",
                "headache",
                "nausea",
                "aggravation",
                "infection",
                "pneumothorax",
                "nerve_injury",
                "other",
            ),
        ),
        Column("severity", CODE, "Seriousness", required=True, allowed=("minor", "major")),
        Column(
            "duration_hours",
            INTEGER,
            "How long it lasted",
            unit="hours",
            possible=Bounds(0, 8760, "a year"),
            plausible=Bounds(0, 336, "two weeks"),
        ),
        Column("resolved", CODE, "Whether it has passed", allowed=YES_NO_UNKNOWN),
        Column("related", CODE, "Judged related to treatment", allowed=YES_NO_UNKNOWN),
    ),
)

PRECAUTION = Table(
    name="precaution",
    meaning="A precaution to needling, asked for at intake.",
    key=("patient_key", "precaution_type"),
    references=(Reference("patient_key", "patient", "patient_key"),),
    columns=(
        Column("patient_key", KEY, "The patient", required=True),
        Column(
            "precaution_type",
            CODE,
            "What to take care of",
            required=True,
            allowed=(
                "bleeding_disorder",
                "anticoagulant",
                "antiplatelet",
                "needle_phobia",
                "pregnancy",
                "immunosuppressed",
                "other",
            ),
        ),
        Column("present", CODE, "Whether it applies", required=True, allowed=YES_NO_UNKNOWN),
    ),
)

TABLES = (PATIENT, EPISODE, VISIT, MEASUREMENT, TREATMENT, ADVERSE_EVENT, PRECAUTION)
