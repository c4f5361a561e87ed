"""The words by which clinics call things: the one list from which a draft recognises columns and codes.

Phrases are lower-case words with one blank between, as ``name_words`` makes them.
"""

from __future__ import annotations

import re

FIELDS: dict[str, tuple[str, ...]] = {
    "patient_key": (
        "patient", "patient id", "patient key", "patient no", "patient number", "pat id", "pid", "subject",
        "subject id", "person", "person id", "participant", "participant id", "client id", "study id", "usubjid",
        "id",
    ),
    "episode_key": ("episode", "episode id", "episode no", "episode of care", "case", "case id", "referral id"),
    "visit_key": ("visit", "visit id", "encounter", "encounter id", "appointment id", "session id", "contact id"),
    "clinic_key": (
        "clinic", "clinic id", "clinic code", "site", "site id", "practice", "practice id", "facility", "facility id",
        "provider code", "location id", "centre", "center", "hospital", "hospital id", "organisation id",
    ),
    "therapist_key": (
        "therapist", "therapist id", "clinician", "clinician id", "practitioner", "practitioner id", "provider id",
        "physio", "acupuncturist", "treating therapist",
    ),
    "rater_key": ("rater", "rater id", "assessor", "assessor id", "examiner", "examiner id", "measured by"),
    "sex": ("sex", "gender", "sex at birth"),
    "age_years": ("age", "age years", "age yrs", "age at intake", "age at visit", "patient age"),
    "condition_id": (
        "condition", "condition id", "diagnosis", "diagnosis code", "dx", "dx code", "primary dx", "primary diagnosis",
        "icd", "icd10", "icd 10", "icd code", "icd10 code",
    ),
    "side": ("side", "laterality", "affected side", "body side", "side of body"),
    "start_year": ("start year", "year", "intake year", "year of intake"),
    "symptom_duration": ("symptom duration", "duration of symptoms", "acuity"),
    "surgery_count": ("surgery count", "surgeries", "prior surgeries"),
    "comorbidity_count": ("comorbidity count", "comorbidities", "fci"),
    "fear_avoidance": ("fear avoidance", "fabq high"),
    "prior_episode": ("prior episode", "previous episode"),
    "payer": ("payer", "payor", "payer type", "payer class", "insurance type", "insurance class"),
    "discharge_day": ("discharge day", "dc day"),
    "discharge_calendar_day": ("discharge date", "date of discharge", "dc date", "discharged on"),
    "discharge_reason": ("discharge reason", "dc reason", "reason for discharge", "discharge disposition"),
    "arm": ("arm", "group", "grp", "treatment arm", "trial arm", "treatment group", "allocation", "randomised group"),
    "day_offset": ("day offset", "day", "study day", "visit day", "days since start", "days since intake"),
    "planned_day": ("planned day", "scheduled day"),
    "calendar_day": (
        "visit date", "date of visit", "appointment date", "appt date", "encounter date", "service date", "dos", "date",
        "date of service", "session date", "assessment date", "seen on",
    ),
    "visit_type": ("visit type", "encounter type", "appointment type", "appt type", "type of visit", "visit kind"),
    "attendance": ("attendance", "attended", "appointment status", "appt status", "visit status", "arrival status"),
    "adverse_events_asked": ("adverse events asked", "ae asked"),
    "measure_id": (
        "measure", "measure id", "measure code", "measure name", "instrument", "outcome measure", "scale", "test",
        "test code", "questionnaire",
    ),
    "value": ("value", "score", "result", "result value", "reading", "numeric value"),
    "unit": ("unit", "units", "uom", "unit of measure", "result unit"),
    "method": ("method", "measurement method"),
    "active_passive": ("active passive", "arom prom", "motion type"),
    "treatment_class": ("treatment", "treatment class", "treatment type", "intervention", "modality"),
    "minutes": ("minutes", "treatment minutes", "mins"),
    "needle_count": ("needle count", "needles", "number of needles"),
    "muscle_count": ("muscle count", "muscles", "number of muscles"),
    "technique": ("technique", "needling technique"),
    "ltr_elicited": ("ltr elicited", "ltr", "local twitch response"),
    "event_type": ("event type", "adverse event", "ae type"),
    "severity": ("severity", "ae severity"),
    "duration_hours": ("duration hours",),
    "resolved": ("resolved", "ae resolved"),
    "related": ("related", "ae related"),
    "precaution_type": ("precaution type", "precaution"),
    "present": ("present",),
    "population": ("population",),
    "zip3": ("zip3",),
}  # fmt: skip
"""How a column for a canonical field may be called, besides the field's own name."""

CODES: dict[str, dict[str, str]] = {
    "sex": {"f": "F", "female": "F", "woman": "F", "w": "F", "m": "M", "male": "M", "man": "M", "x": "X", "other": "X"},
    "side": {
        "l": "left", "lt": "left", "r": "right", "rt": "right", "b": "bilateral", "both": "bilateral",
        "bil": "bilateral", "na": "none", "n a": "none", "n": "none", "not applicable": "none",
    },
    "visit_type": {
        "evaluation": "eval", "initial": "eval", "initial evaluation": "eval", "ie": "eval", "intake": "eval",
        "baseline": "eval", "treatment": "treat", "daily": "treat", "rx": "treat", "re evaluation": "re_eval",
        "reassessment": "re_eval", "progress": "re_eval", "dc": "discharge", "final": "discharge", "fu": "follow_up",
        "followup": "follow_up",
    },
    "attendance": {
        "y": "attended", "yes": "attended", "1": "attended", "kept": "attended", "completed": "attended",
        "arrived": "attended", "checked out": "attended", "finished": "attended", "n": "no_show", "no": "no_show",
        "0": "no_show", "dna": "no_show", "missed": "no_show", "noshow": "no_show", "canceled": "cancelled",
        "cancel": "cancelled", "cx": "cancelled",
    },
    "discharge_reason": {
        "met": "goals_met", "goals achieved": "goals_met", "maximum benefit": "plateau", "self": "self_discharge",
        "lost": "no_show_lost", "lost to follow up": "no_show_lost", "referred": "referred_out", "open": "still_open",
        "active": "still_open",
    },
    "payer": {
        "private": "commercial", "wc": "workers_compensation", "work comp": "workers_compensation",
        "workers comp": "workers_compensation", "cash": "self_pay", "self": "self_pay",
    },
    "active_passive": {"a": "active", "arom": "active", "p": "passive", "prom": "passive", "na": "not_applicable"},
    "method": {"gonio": "goniometer", "incl": "inclinometer", "survey": "questionnaire", "form": "questionnaire"},
    "treatment_class": {
        "dn": "dry_needling", "needling": "dry_needling", "manual": "manual_therapy", "mt": "manual_therapy",
        "stretching": "stretching_mobility", "exercise": "strengthening", "therex": "strengthening",
    },
    "condition_id": {
        "lbp": "low_back_pain", "back pain": "low_back_pain", "neck": "neck_pain", "cervicalgia": "neck_pain",
        "impingement": "shoulder_impingement", "plantar": "plantar_fasciitis", "headache": "tension_headache",
        "itbs": "it_band_syndrome", "itb": "it_band_syndrome", "strain": "muscle_strain", "spasm": "muscle_spasm",
    },
    "unit": {
        "pts": "points", "point": "points", "degrees": "deg", "degree": "deg", "°": "deg", "%": "percent",
        "pct": "percent", "millimetre": "mm", "millimeter": "mm", "centimetre": "cm", "centimeter": "cm",
    },
}  # fmt: skip
"""What codes that are not the canonical ones may mean, by field."""

YES_NO = {"y": "yes", "true": "yes", "1": "yes", "n": "no", "false": "no", "0": "no"}

NOT_RECORDED_WORDS = frozenset(
    {"*", ".", "-", "na", "n/a", "nan", "null", "none", "missing", "unknown", "nr", "not recorded"}
)
NOT_RECORDED_NUMBERS = frozenset(
    {"-1", "-9", "9", "-99", "99", "-999", "999", "9999", "-8", "8", "88", "888", "77", "777"}
)
"""Texts and numbers that sources write where nothing was recorded."""

REGIONS = {
    "cervical": "cerv", "neck": "cerv", "cerv": "cerv", "lumbar": "lumb", "back": "lumb", "trunk": "lumb",
    "lumb": "lumb", "shoulder": "shld", "shld": "shld", "shoulders": "shld", "hip": "hip", "knee": "knee",
    "ankle": "ankle", "ank": "ankle",
}  # fmt: skip
MOTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("lateral", "flexion"), "latflex"), (("lat", "flex"), "latflex"), (("side", "bending"), "latflex"),
    (("sidebend",), "latflex"), (("latflex",), "latflex"), (("external", "rotation"), "er"), (("ext", "rot"), "er"),
    (("internal", "rotation"), "ir"), (("int", "rot"), "ir"), (("er",), "er"), (("ir",), "ir"),
    (("rotation",), "rot"), (("rot",), "rot"), (("flexion",), "flex"), (("flex",), "flex"), (("extension",), "ext"),
    (("ext",), "ext"), (("abduction",), "abd"), (("abd",), "abd"), (("dorsiflexion",), "df"), (("df",), "df"),
    (("plantarflexion",), "pf"), (("pf",), "pf"),
)  # fmt: skip
"""The more telling words first: lateral flexion is no flexion."""
INSTRUMENTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("odi",), "odi"), (("oswestry",), "odi"), (("rmdq",), "rmdq"), (("roland",), "rmdq"), (("ndi",), "ndi"),
    (("neck", "disability"), "ndi"), (("quickdash",), "quickdash"), (("quick", "dash"), "quickdash"),
    (("qdash",), "quickdash"), (("spadi",), "spadi"), (("lefs",), "lefs"), (("faam", "sport"), "faam_sport"),
    (("faam", "adl"), "faam_adl"), (("faam",), "faam_adl"), (("fhsq",), "fhsq_pain"), (("hit", "6"), "hit6"),
    (("hit6",), "hit6"), (("psfs",), "psfs"), (("groc",), "groc"), (("foto",), "foto_fs"), (("slr",), "slr"),
    (("straight", "leg"), "slr"), (("schober",), "lumb_schober_cm"), (("ftf",), "ftf_cm"),
    (("fingertip",), "ftf_cm"), (("wblt",), "ankle_df_wblt_cm"), (("lunge",), "ankle_df_wblt_cm"),
    (("ober",), "hip_add_ober"), (("vas",), "vas_mm"),
)  # fmt: skip
PAIN_WORDS = frozenset({"nprs", "nrs", "pain", "npr"})
PAIN_KINDS = {
    "worst": "nprs_worst24h", "max": "nprs_worst24h", "best": "nprs_best24h", "least": "nprs_best24h",
    "now": "nprs_current", "current": "nprs_current", "avg": "nprs_avg24h", "average": "nprs_avg24h",
    "avg24h": "nprs_avg24h", "usual": "nprs_avg24h", "firststep": "nprs_firststep", "morning": "nprs_firststep",
    "activity": "nprs_worst_activity",
}  # fmt: skip
OTHER_INSTRUMENTS = frozenset({"eq", "eq5d", "sf", "sf36", "promis", "predicted", "predict"})
"""Words of scores that are none of ours, whatever stands beside them."""
SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
SCORE_WORDS = frozenset({"score", "index", "total", "vas", "sum", "scale"})

BEFORE = frozenset({"baseline", "bl", "base", "pre", "preop", "before", "bef", "intake", "initial"})
AFTER = frozenset({"post", "postop", "after", "aft", "followup", "fu", "final", "end"})
AT_DISCHARGE = frozenset({"discharge", "dc"})
PERIODS = {
    "d": 1.0, "day": 1.0, "days": 1.0, "w": 7.0, "wk": 7.0, "wks": 7.0, "week": 7.0, "weeks": 7.0, "m": 365.25 / 12,
    "mo": 365.25 / 12, "mth": 365.25 / 12, "month": 365.25 / 12, "months": 365.25 / 12, "y": 365.25, "yr": 365.25,
    "year": 365.25, "years": 365.25,
}  # fmt: skip
TIMES = frozenset({"t", "v", "visit", "time"})
FILLERS = frozenset({"op", "q", "at", "rom", "code", "the"})


def name_words(name: str) -> tuple[str, ...]:
    """The lower-case words of a column's name or of a code, however they are joined."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[a-z0-9]+|[%°*]", split.lower()))
