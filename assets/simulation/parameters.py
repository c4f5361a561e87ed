"""Every number the simulated network is made of, with its source.

"Domain" is the domain reference of the project (benchmarks and simulator calibration). "Assumption" marks what no
source gives: such numbers shape the demonstration and must never be quoted.
"""

from __future__ import annotations

from assets.simulation.course import Course
from assets.simulation.models import Clinic, ConditionModel

# --- the period -------------------------------------------------------------------------------------------------------
FIRST_YEAR = 2024
PERIOD_DAYS = 912  # 30 months from 1 January 2024
YEAR_ENDS = (366, 731)  # days since then at which 2025 and 2026 begin
STAMP = "20260701T020000Z"
SOURCES = ("simulated-north", "simulated-south", "simulated-east", "simulated-west")

# --- pain -------------------------------------------------------------------------------------------------------------
PAIN_SD = 2.0  # observed baseline NPRS ~ N(mean, 2): domain, from memory
PAIN_SEM = 0.98  # test-retest ICC .76 at SD 2: domain, computed
PAIN_RETEST_RELIABILITY = 0.76
CLINIC_SHARE = 0.116  # clinic share of the variance between episodes at discharge: domain, verified
PATIENT_SD = 1.5  # between-patient SD of the response, points: assumption
RESPONSE_WEEKS = 3.0  # how fast differences between patients and between clinics unfold: assumption
NEEDLING_WEEKS = 1.5  # how fast the needling effect unfolds after the first session: assumption
FEAR_POINTS = 0.5  # fear-avoidant patients end this much worse: assumption (a confounder, on purpose)
ATHLETE_POINTS = -0.3  # athletes end this much better: assumption
PAIN_EXTRAS = {  # other pain questions asked beside the primary one: (offset in points, how often)
    "nprs_avg24h": (0.0, 0.5),
    "nprs_worst24h": (1.3, 0.65),
    "nprs_current": (-0.6, 0.55),
    "nprs_best24h": (-1.5, 0.35),
}

ACUTE_LOW_BACK = Course(0.0, ((28.0, 2.504), (24.0, 37.51)), "Menezes Costa 2012: 52, 23, 12, 6", verified=True)
# Every persistent problem follows this curve; outside the back that is an assumption.
PERSISTENT_LOW_BACK = Course(24.33, ((26.63, 5.433),), "Menezes Costa 2012: 51, 33, 26, 23", verified=True)
ACUTE_NECK = Course(38.5, ((25.5, 2.0),), "Hush 2011: 64, 35, 42", verified=True)


CERVICAL = (
    ("cerv_rot_left", 0.22, 0.97),
    ("cerv_rot_right", 0.22, 0.97),
    ("cerv_flex", 0.18, 0.95),
    ("cerv_ext", 0.15, 0.9),
    ("cerv_latflex_left", 0.15, 0.85),
    ("cerv_latflex_right", 0.15, 0.85),
)
LUMBAR = (
    ("lumb_flex", 0.25, 0.97),
    ("lumb_ext", 0.2, 0.9),
    ("slr", 0.12, 0.8),
    ("hip_flex", 0.06, 0.5),
    ("lumb_schober_cm", 0.2, 0.5),
    ("ftf_cm", 0.3, 0.6),
)
SHOULDER = (
    ("shld_flex", 0.2, 0.97),
    ("shld_abd", 0.22, 0.9),
    ("shld_er", 0.2, 0.85),
    ("shld_ir", 0.2, 0.8),
    ("shld_ext", 0.1, 0.4),
)
FOOT = (
    ("ankle_df_wblt_cm", 0.3, 0.97),
    ("ankle_df_nwb", 0.3, 0.8),
    ("ankle_df_wblt_deg", 0.2, 0.6),
    ("ankle_pf", 0.08, 0.6),
)
LEG = (
    ("slr", 0.3, 0.97),
    ("lumb_flex", 0.2, 0.9),
    ("lumb_ext", 0.15, 0.8),
    ("hip_flex", 0.1, 0.7),
    ("knee_ext", 0.2, 0.5),
)
HIP = (
    ("hip_add_ober", 0.17, 0.97),
    ("hip_abd", 0.12, 0.9),
    ("knee_flex", 0.05, 0.7),
    ("hip_ext", 0.15, 0.6),
    ("hip_ir", 0.1, 0.4),
    ("hip_er", 0.08, 0.3),
)
THIGH = (
    ("knee_flex", 0.22, 0.97),
    ("knee_ext", 0.3, 0.9),
    ("hip_flex", 0.1, 0.8),
    ("hip_ext", 0.15, 0.5),
    ("ankle_df_nwb", 0.15, 0.4),
)

ASSUMED = "assumption"
CONDITIONS = {  # needling: neck, shoulder and heel from the pooled effects against active care, the others assumed
    "neck_pain": ConditionModel(0.18, 5.5, ACUTE_NECK, (0.4, 0.25, 0.35), -1.5, -0.5, 0.1, ("ndi", "psfs"), CERVICAL),
    "low_back_pain": ConditionModel(
        0.24, 5.5, ACUTE_LOW_BACK, (0.4, 0.25, 0.35), -1.1, -0.4, 0.1, ("odi", "rmdq"), LUMBAR
    ),
    "shoulder_impingement": ConditionModel(
        0.12,
        5.0,
        Course(20.0, ((40.0, 8.0),), "half recovered at 6 months, from memory"),
        (0.3, 0.3, 0.4),
        -1.5,
        -0.5,
        0.2,
        ("quickdash", "spadi"),
        SHOULDER,
    ),
    "plantar_fasciitis": ConditionModel(
        0.1,
        6.0,
        Course(10.0, ((50.0, 10.0),), "80% by 12 months, from memory"),
        (0.25, 0.35, 0.4),
        -1.9,
        -0.3,
        0.25,
        ("faam_adl", "lefs"),
        FOOT,
    ),
    "sciatica": ConditionModel(
        0.1, 6.0, Course(15.0, ((45.0, 5.0),), ASSUMED), (0.35, 0.3, 0.35), -1.8, -0.2, 0.05, ("odi", "psfs"), LEG
    ),
    "tension_headache": ConditionModel(
        0.07, 5.0, Course(20.0, ((30.0, 5.0),), ASSUMED), (0.3, 0.25, 0.45), -1.3, -0.3, 0.1, ("hit6",), CERVICAL
    ),
    "it_band_syndrome": ConditionModel(
        0.05, 5.0, Course(8.0, ((42.0, 4.0),), ASSUMED), (0.4, 0.35, 0.25), -2.0, 0.0, 0.7, ("lefs",), HIP
    ),
    "muscle_strain": ConditionModel(
        0.08, 5.5, Course(5.0, ((50.0, 3.0),), ASSUMED), (0.6, 0.25, 0.15), -0.6, -0.1, 0.45, ("lefs", "psfs"), THIGH
    ),
    "muscle_spasm": ConditionModel(
        0.06, 5.5, Course(8.0, ((47.0, 2.5),), ASSUMED), (0.6, 0.2, 0.2), -0.3, -0.3, 0.15, ("psfs",), LUMBAR
    ),
}

# --- motion: normal values come from the contract; these fill its gaps (from memory) ----------------------------------
NORMAL = {"lumb_schober_cm": 6.0, "ftf_cm": 0.0}
MOTION_SPAN = {"knee_ext": 20.0, "ftf_cm": 40.0}  # what a share of lost motion refers to where the normal value is 0
MOTION_SURPLUS = 0.03  # healthy motion relative to the published normal value: assumption
MOTION_SD = 0.05  # between-patient SD of healthy motion, share of normal: assumption
MOTION_DEFICIT_SD = 0.25  # SD of the loss at baseline relative to its mean: assumption
MOTION_WEEKS = 3.5  # stiffness that goes with time alone: assumption
MOTION_PAIN_WEIGHT = 0.5  # how much of the remaining loss follows the remaining pain: assumption
ERROR_PER_MDC = 1 / (1.96 * 2**0.5)  # MDC95 = 1.96 x sqrt(2) x SEM
ERROR_WITHOUT_MDC = 0.03  # SEM as a share of the span where the contract knows no MDC: assumption
OTHER_RATER_SHARE = 0.12
OTHER_RATER_ERROR = 1.6  # between-rater error is larger (de Winter 2004 finds more still): assumption
PASSIVE = frozenset({"slr", "hip_add_ober"})
METHODS = (("cerv_", "crom"), ("lumb_flex", "inclinometer"), ("lumb_ext", "inclinometer"), ("hip_add", "inclinometer"))
WEAKER_SIDE = 0.4  # an unsided problem with two directions loses this share of the loss to the other direction

# --- function (assumptions; steps are how many equal steps an instrument has between its ends) ------------------------
FUNCTION_PER_PAIN, FUNCTION_SD = 0.75, 0.08
FUNCTION_STEPS = {"odi": 50, "ndi": 50, "quickdash": 44, "spadi": 130, "faam_adl": 84, "psfs": 30}
CHANGE_MOST, CHANGE_SD = 7, 1.2

# --- visits (assumptions) ---------------------------------------------------------------------------------------------
FEWEST_VISITS, CARE_VISITS = 2, 14
VISITS_MEAN, VISITS_SD = 10.2, 2.4
EARLY_VISITS, EARLY_GAP_DAYS, LATER_GAP_DAYS = 4, (4, 9), (7, 12)
RE_EVALUATION_EVERY = 4
ABSENT_SHARE, NO_SHOW_SHARE = 0.08, 0.4  # planned visits that do not happen; of those, without notice
GOALS_MET_LEAVE = 0.6  # patients with two low scores in a row who are discharged at the next visit
EARLIEST_LEAVE = 3
FOLLOW_UP_SHARE, FOLLOW_UP_DAYS = 0.1, (30, 90)
LOST_GAP_DAYS = (15, 46)  # an administrative discharge comes later than the 14 days within which a score counts
DISCHARGE_WINDOW_DAYS = 14
SECOND_EPISODE_SHARE, SECOND_EPISODE_DAYS = 0.06, (200, 400)
LOST_SHARE = 0.5  # of missing discharge scores: patient gone; the rest were seen but not asked
MOTION_SESSION_SHARE = 0.95
SIDE_MISSING_SHARE = 0.02

GOOD_REASONS = {"goals_met": 0.85, "self_discharge": 0.08, "insurance": 0.03, "unknown": 0.04}
POOR_REASONS = {
    "plateau": 0.45,
    "self_discharge": 0.2,
    "referred_out": 0.12,
    "insurance": 0.1,
    "goals_met": 0.08,
    "unknown": 0.04,
    "adverse_event": 0.01,
}
LOST_REASONS = {"no_show_lost": 0.6, "self_discharge": 0.4}
GOOD_LAST_PAIN = 2

# --- people (assumptions) ---------------------------------------------------------------------------------------------
SEX = {"F": 0.56, "M": 0.42, "X": 0.01, "unknown": 0.01}
WORK = {"occupational_sedentary": 0.5, "occupational_manual": 0.25, "other": 0.2, "unknown": 0.05}
AGE_MEAN, AGE_SD, ATHLETE_AGE_MEAN, ATHLETE_AGE_SD, AGE_LOWEST = 51.0, 16.0, 31.0, 10.0, 16
ZIP3 = {"970": 0.3, "972": 0.4, "973": 0.15, "974": 0.1, "000": 0.05}  # all with more than 20,000 people in 2020
PAYER = {
    "commercial": 0.5,
    "medicare": 0.2,
    "medicaid": 0.1,
    "workers_compensation": 0.08,
    "self_pay": 0.08,
    "other": 0.02,
    "unknown": 0.02,
}
DURATION = ("acute", "subacute", "chronic")
DURATION_UNKNOWN_SHARE = 0.03
FEAR_SHARE, FEAR_UNKNOWN_SHARE = 0.25, 0.08
PRIOR_SHARE = 0.25
SURGERY_RATE, COMORBIDITY_RATE = 0.12, 1.6
SURGERY_MOST, COMORBIDITY_MOST = 5, 12
PRECAUTIONS = {  # (share present, asked of everybody)
    "bleeding_disorder": (0.01, True),
    "anticoagulant": (0.06, True),
    "antiplatelet": (0.08, False),
    "needle_phobia": (0.05, True),
    "pregnancy": (0.01, False),
    "immunosuppressed": (0.03, True),
    "other": (0.02, False),
}
PRECAUTION_UNKNOWN_SHARE = 0.04

# --- treatment (assumptions, confounding by indication on purpose) ----------------------------------------------------
OTHER_CARE = {  # share of attended visits
    "manual_therapy": 0.5,
    "massage": 0.2,
    "stretching_mobility": 0.5,
    "strengthening": 0.55,
    "ergonomic": 0.12,
    "modality": 0.15,
    "education": 0.3,
}
FALLBACK_CARE = "stretching_mobility"
NEEDLING_CHRONIC, NEEDLING_FEAR, NEEDLING_PHOBIA = 0.7, -0.8, -3.0  # log odds
NEEDLING_START = (0.38, 0.42, 0.07, 0.05, 0.04, 0.04)  # visit 1, 2, ... of the episode
NEEDLING_AGAIN = 0.75
NEEDLES, MUSCLES, CARE_MINUTES, NEEDLING_MINUTES = (2, 13), (1, 6), (8, 31), (10, 26)
TECHNIQUE = {"deep": 0.7, "superficial": 0.12, "electrical": 0.13, "unknown": 0.05}
TWITCH_SHARE = 0.7

# --- adverse events ---------------------------------------------------------------------------------------------------
EVENT_SHARE = 0.40  # true share of needling sessions with a minor event: assumption, the same in every clinic
EVENT_SHARE_WITHOUT_NEEDLING = 0.02
LOW_RECORDING, HIGH_RECORDING = 0.19, 0.37  # recorded share: Brady 2014 (19.18%) and Boyce 2020 (36.7%)
MAJOR_SHARE = 1 / 1024  # Boyce 2020
MINOR_EVENTS = {  # weights as in Brady 2014, rarer ones assumed
    "bruising": 7.55,
    "bleeding": 4.65,
    "soreness": 5.2,
    "aggravation": 0.88,
    "fatigue": 0.3,
    "light_headed": 0.2,
    "headache": 0.14,
    "nausea": 0.13,
    "other": 0.15,
}
GENTLE_EVENTS = {"soreness": 0.7, "fatigue": 0.2, "aggravation": 0.1}
MAJOR_EVENTS = {"fainting": 0.5, "nerve_injury": 0.2, "infection": 0.15, "pneumothorax": 0.15}
EVENT_HOURS = {1: 0.2, 4: 0.2, 12: 0.2, 24: 0.25, 48: 0.1, 72: 0.05}
RESOLVED = {"yes": 0.93, "no": 0.03, "unknown": 0.04}
RELATED = {"yes": 0.8, "no": 0.05, "unknown": 0.15}

# --- clinics: habits within the ranges of the domain reference (assumptions) ------------------------------------------
MISSING_CENTRE = 2.0
ASKED_UNKNOWN_SHARE = 0.2  # of visits without a yes: the field was left open
CLINICS = (
    Clinic("Eastfield", 1.0, 5, 0.15, 0.0, 0.10, 0.95, LOW_RECORDING, 0.98, 0.0),
    Clinic("Harbour", 1.4, 6, 0.30, 0.35, 0.15, 0.80, HIGH_RECORDING, 0.95, 0.4),
    Clinic("Hillcrest", 0.7, 3, 0.25, -0.35, 0.20, 0.30, LOW_RECORDING, 0.90, -0.6),
    Clinic("Kingsway", 1.3, 6, 0.20, 0.0, 0.05, 0.60, LOW_RECORDING, 0.97, -0.2),
    Clinic("Lakeside", 0.9, 4, 0.35, 0.35, 0.25, 0.90, HIGH_RECORDING, 0.92, 0.2),
    Clinic("Millbrook", 0.6, 3, 0.60, 0.0, 0.30, 0.20, LOW_RECORDING, 0.40, -0.9),
    Clinic("Northgate", 1.2, 5, 0.18, 0.0, 0.10, 0.85, HIGH_RECORDING, 0.99, 0.5),
    Clinic("Oakwood", 1.0, 4, 0.40, -0.35, 0.15, 0.70, LOW_RECORDING, 0.85, -0.3),
    Clinic("Parkside", 1.5, 7, 0.15, 0.0, 0.08, 0.92, HIGH_RECORDING, 0.98, 0.3),
    Clinic("Riverside", 1.1, 5, 0.28, 0.0, 0.12, 0.50, LOW_RECORDING, 0.95, 0.0),
    Clinic("Station_Road", 0.8, 4, 0.45, 0.35, 0.20, 0.40, LOW_RECORDING, 0.0, 0.1),
    Clinic("Westbury", 0.5, 3, 0.22, 0.0, 0.10, 0.75, HIGH_RECORDING, 0.90, -0.4),
)
