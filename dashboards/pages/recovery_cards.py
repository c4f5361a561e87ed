"""The cards of the page on recovery: question, how to read the answer, columns, key."""

from __future__ import annotations

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT, LANDMARK_DAY
from dashboards.pages.parts import Card, Column, Key, Table

RISK_WEEKS = (0, 4, 8, 12, 16, 20, 24)
WRITTEN = 0
"""Rows of tables that are in the page itself: the engine writes them, and all are in the files."""

RATE_COLUMNS = (
    Column("Known outcomes", "int"),
    Column("Rate", "pct"),
    Column("95% CI low", "pct"),
    Column("95% CI high", "pct"),
    Column("Outcome known", "pct"),
    Column("Rate if no other recovered", "pct"),
    Column("Rate if all others recovered", "pct"),
)
NETWORK_KEY = Key("network", "all clinics", when="network")

CONDITIONS = Card(
    "conditions",
    "How often do episodes end in recovery?",
    7,
    "The dot is the share of closed episodes with a known outcome that ended in recovery; the line through it is the "
    "95% interval: with so many episodes, the true share plausibly lies anywhere on it. n is the number of episodes, "
    "and 'known' the share of closed episodes whose outcome is known. The dotted line is the rate of all conditions "
    "together. Conditions are never ranked: they heal at different speeds under any care. Press a condition to choose "
    "it for the whole page, and once more for all conditions.",
    Table(
        "conditions",
        "Recovery by condition; counts rounded to 5",
        (Column("Condition", "drill:condition"), *RATE_COLUMNS, Column("All clinics", "pct")),
        written=WRITTEN,
    ),
    keys=(Key("dot", "recovered, with 95% interval"), NETWORK_KEY, Key("dotted", "all conditions of this selection")),
    passport="recovery_by_condition",
)
TIME = Card(
    "time",
    "How long does recovery take?",
    5,
    "The dot is the week by which half of all episodes had recovered (Aalen-Johansen, which takes leaving without "
    "recovery for what it is); the line is its 95% interval, with an arrow where its upper end was not reached. Where "
    "fewer than half recovered while enough patients were followed there is no median, and the row says how many had "
    "recovered by then. Recovery is found at a visit, so more visits find it sooner: days per visit stand in the "
    f"table. By care received in routine data, time counts from day {LANDMARK_DAY} for those still in care and not "
    "recovered by then, and is computed for all clinics together.",
    Table(
        "time",
        "Time to recovery by condition, all years; counts rounded to 5",
        (
            Column("Condition", "drill:condition"),
            Column("Episodes", "int"),
            Column("Median weeks", "dec1"),
            Column("95% CI low", "dec1"),
            Column("95% CI high", "dec1"),
            Column("By week 4", "pct"),
            Column("By week 8", "pct"),
            Column("By week 12", "pct"),
            Column("Days per visit", "dec1"),
            Column("All clinics, median weeks", "dec1"),
        ),
        written=WRITTEN,
    ),
    keys=(
        Key("dot", "median, with 95% interval", when="time"),
        Key("network", "all clinics", when="time-network"),
        Key("dotted", "all conditions", when="time"),
    ),
    passport="recovery_time",
)
CURVE = Card(
    "curve",
    "How soon do patients recover?",
    7,
    "The line is the share of all episodes that had recovered by each week (Aalen-Johansen): leaving without recovery "
    "is taken for what it is, and not as if the patient could still recover in care. The band is its 95% interval. The "
    "dashed Kaplan-Meier line answers another question: if care had continued and leaving were unrelated to pain. That "
    "is not credible, because patients leave when they are better or when nothing changes, so it always lies higher. "
    f"By care received in routine data the line starts on day {LANDMARK_DAY}, with those still in care and not "
    "recovered by then: care is what was given until that day. Recovery is found at a visit, so more visits find it "
    "sooner. The line stops where too few patients are still in care.",
    Table(
        "curve",
        "Cumulative recovery by week; counts rounded to 5",
        (
            Column("Time"),
            Column("Recovered", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
            Column("Left, no recovery on record", "pct"),
            Column("Kaplan-Meier", "pct"),
            Column("Still in care", "int"),
            Column("Recovered so far", "int"),
            Column("Left so far", "int"),
            Column("Followed no further", "int"),
        ),
        written=WRITTEN,
    ),
    keys=(
        Key("line", "recovered, with 95% band", when="curve"),
        Key("dashed", "Kaplan-Meier: if care had continued and leaving were unrelated to pain", when="curve"),
        Key("dotted", "all clinics", when="network"),
    ),
    passport="recovery_curve",
)
RISK = Table(
    "risk",
    "Patients the line rests on; rounded to 5",
    (Column("Week"), *(Column(str(week), "int") for week in RISK_WEEKS)),
    written=WRITTEN,
)
FUNNEL = Card(
    "funnel",
    "How does each clinic compare?",
    5,
    "Each mark is a clinic: the further right, the more episodes. The lines are the limits within which 95% and 99.8% "
    "of clinics of that size would lie if all had the same true rate; where clinics vary more than chance explains, "
    "the limits are widened by the variation between them, and the grey band is the 95% range by chance alone. Outside "
    "the limits, look for a reason first: data quality, then case mix, then care. Clinics are in alphabetical order; "
    "this is no ranking. More, with case mix, is on the page Clinics.",
    Table(
        "funnel",
        "Clinics beside the range expected for their size, any care, all years; counts rounded to 5",
        (
            Column("Clinic", "drill:clinic"),
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            Column("95% limits low", "pct"),
            Column("95% limits high", "pct"),
            Column("99.8% limits low", "pct"),
            Column("99.8% limits high", "pct"),
            Column("Outcome known", "pct"),
            Column("Against the network"),
        ),
        written=WRITTEN,
    ),
    keys=(
        Key("hollow", "clinic, as expected", when="funnel"),
        Key("above", "above the limits (hollow: possibly)", when="funnel"),
        Key("below", "below the limits (hollow: possibly)", when="funnel"),
        Key("dot", "the clinic chosen", when="network"),
        Key("dashed", "95% limits", when="funnel"),
        Key("dotted", "99.8% limits", when="funnel"),
        Key("not-run", "95% range by chance alone", when="chance"),
    ),
    passport="clinic_funnel",
)
OVER = Card(
    "over",
    "Is recovery changing over time?",
    12,
    "Each point is the share that recovered of those with a first visit in that month (or year). The middle line is "
    "the average of the first twelve points, the dashed lines the limits within which points vary if nothing changes. "
    "Four rules make a signal: a point outside a limit; seven in a row on one side of the average; seven rising or "
    "falling in a row; two of three close to one limit. Everything else is ordinary variation, and comparing two "
    "points says nothing. Limits from fewer than twelve points are trial limits, by which nothing is judged. Months "
    "with too few patients, and those whose twelve weeks are not over, stay gaps. A signal says that something "
    "changed, not why.",
    Table(
        "over",
        "Recovery by period of the first visit, any care; counts rounded to 5",
        (
            Column("Period"),
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            Column("Average", "pct"),
            Column("Lower limit", "pct"),
            Column("Upper limit", "pct"),
            Column("What it is"),
            Column("Rule"),
        ),
        written=WRITTEN,
    ),
    keys=(
        Key("circle", "ordinary variation", when="judged"),
        Key("above", "signal for the better", when="judged"),
        Key("below", "signal of concern", when="judged"),
        Key("dashed", "limits", when="judged"),
        Key("open", "not judged", when="open"),
        Key("dotted", "trial limits", when="trial"),
    ),
    passport="outcome_over_time",
)
PAIN = Card(
    "pain",
    "How much does pain fall?",
    6,
    "Hollow circle: mean pain at the first visit. Filled circle: mean pain at the last, of the same patients on the "
    "same scale. Pain falls in part because patients come when it is worst (regression to the mean): a fall is not the "
    "effect of a treatment.",
    Table(
        "pain",
        "Pain at the first and the last visit by condition; counts rounded to 5",
        (
            Column("Condition", "drill:condition"),
            Column("Pairs of scores", "int"),
            Column("First visit", "dec1"),
            Column("Last visit", "dec1"),
            Column("Mean fall", "dec1"),
            Column("95% CI low", "dec1"),
            Column("95% CI high", "dec1"),
            Column("Better by the smallest important change", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
            Column("Got worse", "pct"),
        ),
        written=WRITTEN,
    ),
    passport="pain_change",
)
MOTION = Card(
    "motion",
    "How much movement returns?",
    6,
    "Mean of the condition's main motion in percent of normal, at the first visit (hollow) and the last (filled), of "
    "the same patients. Normal is the other side if it is healthy, else the published value; more than normal counts "
    "as 100%. A mean without an interval: the spread between patients is not published for this share.",
    Table(
        "motion",
        "Range of motion in percent of normal by condition; counts rounded to 5",
        (
            Column("Condition", "drill:condition"),
            Column("Episodes with both", "int"),
            Column("First visit", "pct"),
            Column("Last visit", "pct"),
        ),
        written=WRITTEN,
    ),
    keys=(Key("hollow", "first visit"), Key("dot", "last visit")),
    passport="rom_change",
)
CLINICS = Card(
    "clinics",
    "How complete are the outcomes?",
    5,
    "Share of closed episodes whose outcome is known, all conditions together, clinic by clinic in alphabetical order. "
    "Where many outcomes are missing the rate could be quite another: the table shows what it would be if none, or "
    f"all, of the others had recovered. The target of {COMPLETENESS_TARGET_PERCENT}% is a proposal of the field, not a "
    "published standard.",
    Table(
        "clinics",
        "Known outcomes by clinic; counts rounded to 5",
        (
            Column("Clinic", "drill:clinic"),
            Column("Closed episodes", "int"),
            Column("Known outcomes", "int"),
            Column("Known", "pct"),
            Column("Rate if no other recovered", "pct"),
            Column("Rate if all others recovered", "pct"),
        ),
        written=WRITTEN,
    ),
    passport="recovery_by_condition",
)
CLINIC_KEYS = (
    Key("dot", "on target"),
    Key("below", "below target"),
    Key("dashed grey", f"target {COMPLETENESS_TARGET_PERCENT}%"),
)
POPULATION = Card(
    "population",
    "How often do groups of patients recover?",
    7,
    "The same rate for athletes, office workers and others, of all clinics, all years and any care together: smaller "
    "groups would say too little. As recorded, not adjusted: groups differ in age, condition and how long symptoms had "
    "lasted, so a difference says nothing about why. The condition is the one chosen above; a group chosen above is "
    "marked, and its numbers stand in a sentence of their own.",
    Table(
        "population",
        "Recovery by group of patients, all clinics, all years, any care; counts rounded to 5",
        (Column("Group", "drill:population"), *RATE_COLUMNS, Column("Mean fall in pain", "dec1")),
        written=WRITTEN,
    ),
    keys=(Key("dot", "recovered, with 95% interval"), Key("dotted", "all patients")),
    passport="subgroup_outcome",
)
VARIANTS = Card(
    "variants",
    "How much depends on the definition?",
    7,
    "The same episodes counted under each definition. A stricter definition gives a lower rate without any patient "
    "being worse off, so rates from elsewhere can be compared only under the same definition.",
    Table(
        "variants",
        "Recovery under each definition; counts rounded to 5",
        (Column("Definition"), *RATE_COLUMNS),
        written=WRITTEN,
    ),
    keys=(Key("dot", "recovered, with 95% interval"),),
    passport="recovery_by_condition",
)
REASONS = Card(
    "reasons",
    "Why are outcomes unknown?",
    5,
    "Every episode without a known outcome, by the first reason that applies. Episodes still in care, and those that "
    "began with too little pain to recover from, are not counted in the rate; the others are counted as unknown, never "
    "as not recovered.",
    Table(
        "reasons",
        "Episodes without a known outcome, any care, all years; counts rounded to 5",
        (Column("Reason"), Column("Counts as"), Column("Episodes", "int"), Column("Share of all episodes", "pct")),
        written=WRITTEN,
    ),
    passport="unknown_reason",
)
CARDS = (CONDITIONS, TIME, CURVE, FUNNEL, OVER, PAIN, MOTION, CLINICS, POPULATION, VARIANTS, REASONS)
PAIRS = ((CONDITIONS, TIME), (CURVE, FUNNEL), (PAIN, MOTION), (CLINICS, POPULATION), (VARIANTS, REASONS))
"""Cards that share a line."""
