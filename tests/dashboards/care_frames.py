"""Frames of the page on treatment and safety, published by our own functions from invented counts.

Suppression is therefore the real one; comparisons and differences of arms are rows made up for every verdict.
"""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.contract import CONTRACT, contrasts
from assets.outcomes.tables import care, evidence, safety, subgroups, trials
from tests.dashboards.printed import all_printed, printed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assets.outcomes.frames import Layout

CONDITIONS = tuple(item.condition_id for item in CONTRACT.conditions)
EVENT_TYPES = (
    *("any", "any_minor", "any_major", "soreness", "bruising", "bleeding", "fatigue", "light_headed", "fainting"),
    *("headache", "nausea", "aggravation", "infection", "pneumothorax", "nerve_injury", "other"),
)
NEVER_ASKS = "Station Road"
VERDICTS = (
    "shown",
    "max_smd",
    "equipoise",
    "effective_size",
    "positivity",
    "separated",
    "too_few",
    "too_many_covariates",
)
LEVELS = {
    "population": ("athlete", "occupational_sedentary", "occupational_manual", "other", "unknown"),
    "symptom_duration": ("acute", "subacute", "chronic", "unknown"),
}
TRAITS = ("age_years", "baseline_pain", "sex=F", "sex=others", "symptom_duration=chronic", "needle_phobia=yes")


def routine(clinics: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Clinics that needle some patients: comparisons of every verdict, one clinic never asks about events."""
    draw = random.Random(5)  # noqa: S311 - repeatable, not secret
    safety_cube, gaps = _safety_cube(clinics, draw), _gaps(draw)
    twitch_cube = _twitch_cube(draw)
    exact = {
        "care_comparison": _compared(draw),
        "care_balance": _balance([*TRAITS, *(f"clinic_key={key}" for key in clinics)], draw),
        "regression_to_mean": _regression(),
        "care_mix": subgroups.care_mix(_mix_cube(draw)),
        "subgroup_outcome": subgroups.subgroup_outcome(_subgroup_cube(draw)),
        "twitch_outcome": subgroups.twitch_outcome(twitch_cube),
        "adverse_event_rate": safety.adverse_event_rate(safety_cube),
        "adverse_event_chart": safety.adverse_event_chart(gaps, safety_cube),
        "adverse_event_gap": safety.adverse_event_gap(gaps),
        "precaution_exposure": safety.precaution_exposure(_precaution_cube(clinics, draw)),
    }
    layouts = {**care.TOPIC.layouts, **subgroups.TOPIC.layouts, **safety.TOPIC.layouts}
    return {**all_printed(exact, layouts), "contrast": care.contrast_labels(), **literature()}


def trial() -> dict[str, pl.DataFrame]:
    """A trial: nothing is compared within routine care, arms are; no events, no precautions."""
    numbers = {**dict.fromkeys(trials.EFFECT.numbers), "model": "ancova", "covariates": "baseline, age_years, sex"}
    shared = {"trial_id": "t1", "arm": "acupuncture", "reference_arm": "usual_care"}
    sizes = {"n_arm": 161, "n_reference": 140, "assigned_arm": 205, "assigned_reference": 196}
    effect = {"difference": 4.64, "difference_low": 2.2, "difference_high": 7.08, "p_value": 0.0002}
    few = {**sizes, "n_arm": 7}
    rows = [
        {**numbers, **shared, **sizes, "measure_id": "nprs_avg24h", "planned_day": 365, **effect},
        {**numbers, **shared, **sizes, "measure_id": "nprs_avg24h", "planned_day": 91, "reason": "collinear"},
        {**numbers, **shared, **few, "measure_id": "hit6", "planned_day": 91, **effect},
    ]
    return {"trial_effect": printed(_of(trials.EFFECT, rows), trials.EFFECT), **literature()}


def literature() -> dict[str, pl.DataFrame]:
    """What the literature says; it is there before any patient is."""
    return {"evidence": evidence.evidence(), "evidence_correction": evidence.evidence_correction()}


def empty() -> dict[str, pl.DataFrame]:
    """Every frame about patients, without rows."""
    return {name: frame.clear() for name, frame in {**routine(("Harbour",)), **trial()}.items()} | literature()


def all_hidden(clinics: Sequence[str]) -> dict[str, pl.DataFrame]:
    """As published where no group has eleven patients: keys without numbers."""
    frames = routine(clinics)
    for name, frame in frames.items():
        if "suppressed" not in frame.columns:
            continue
        keys = {"statistic_id", "reason", "contrast_id", "outcome_id", *_keys(frame)}
        hidden = (pl.lit(None, dtype).alias(column) for column, dtype in frame.schema.items() if column not in keys)
        frames[name] = frame.with_columns(hidden).with_columns(suppressed=pl.lit(value=True))
    frames["adverse_event_gap"] = frames["adverse_event_gap"].clear()
    return frames


def _keys(frame: pl.DataFrame) -> set[str]:
    names = ("clinic_key", "condition_id", "session_kind", "event_type", "precaution_type", "state", "covariate")
    return {name for name in (*names, "dimension", "subgroup", "outcome", "twitch", "treatment_class") if name in frame}


def _of(layout: Layout, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    schema = {**layout.keys, **layout.numbers}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _compared(draw: random.Random) -> pl.DataFrame:
    rows = []
    for contrast, (place, condition) in product(contrasts.CONTRASTS, enumerate((None, *CONDITIONS))):
        verdict = VERDICTS[place % len(VERDICTS)]
        for outcome in care.OUTCOMES:
            one, other = (5.1, 4.2) if outcome in care.MEANS else (draw.uniform(0.5, 0.6), draw.uniform(0.4, 0.5))
            n = 4 if verdict == "too_few" else draw.randrange(60, 400)
            row = {
                "condition_id": condition,
                "contrast_id": contrast.contrast_id,
                "outcome_id": outcome,
                "n_treated": n,
                "n_control": n + 40,
                "unknown_treated": 0.22,
                "unknown_control": 0.3,
                "treated_mean": one,
                "control_mean": other,
                "verdict": verdict,
                "clinics_left_out": 2,
                "patients_left_out": 20,
                "analysed_treated": n - 15,
                "analysed_control": n + 20,
            }
            if verdict not in ("too_few", "positivity", "separated", "too_many_covariates"):
                row |= {"effective_treated": 140.0, "effective_control": 160.0, "equipoise": 0.6}
                row |= {"max_smd_before": 0.31, "max_smd_after": 0.0, "max_smd_beyond": 0.06}
            row |= {
                "max_smd": {"max_smd_after": 0.14},
                "equipoise": {"equipoise": 0.12},
                "effective_size": {"effective_control": 34.0},
                "shown": {"adjusted_treated": one, "adjusted_control": other, "adjusted_difference": one - other}
                | {"adjusted_low": one - other - 0.05, "adjusted_high": one - other + 0.05, "q_value": 0.04}
                | ({} if outcome in care.MEANS else {"e_value": 1.6, "e_value_limit": 1.2}),
            }.get(verdict, {})
            rows.append(row)
    return _of(care.COMPARISON, rows)


def _balance(traits: Sequence[str], draw: random.Random) -> pl.DataFrame:
    rows = []
    for contrast, trait in product(contrasts.CONTRASTS, traits):
        one, other, smd = draw.uniform(0.2, 0.4), draw.uniform(0.2, 0.4), draw.uniform(-0.3, 0.3)
        row = {"contrast_id": contrast.contrast_id, "covariate": trait, "treated_n": 120, "control_n": 180}
        row |= {"treated_before": one, "control_before": other, "smd_before": smd}
        rows.append(row | {"treated_after": other, "control_after": other, "smd_after": 0.0})
    return _of(care.BALANCE, rows)


def _regression() -> pl.DataFrame:
    numbers = {"n": 2813, "baseline_mean": 5.0, "baseline_sd": 2.0, "retest_correlation": 0.6, "selection_cut": 6}
    row = numbers | {"selected": 1343, "selected_pairs": 948, "selected_change_mean": 3.4, "expected_drop": 0.913}
    return _of(care.REGRESSION, [{"condition_id": key, **row} for key in (None, *CONDITIONS)])


def _mix_cube(draw: random.Random) -> pl.DataFrame:
    kinds = ("dry_needling", "manual_therapy", "stretching_mobility", "strengthening", "ergonomic", "modality", "other")
    rows = []
    for condition, kind in product((None, *CONDITIONS), kinds):
        episodes, needled = (3000, 1500) if condition is None else (300, 150)
        part = 7 if kind == "other" and condition else round(needled * draw.uniform(0.3, 0.9))
        part = needled if kind == "dry_needling" else part
        rows.append(
            {
                "condition_id": condition,
                "treatment_class": kind,
                "episodes": episodes,
                "needled": needled,
                "with_class": min(episodes, 2 * part),
                "needled_with_class": part,
                "sessions": 4 * part,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"condition_id": pl.String})


def _subgroup_cube(draw: random.Random) -> pl.DataFrame:
    rows = []
    for dimension, levels in LEVELS.items():
        for condition, level in product((None, *CONDITIONS), levels):
            episodes = (6 if level == "unknown" else 60) if condition else (90 if level == "unknown" else 700)
            known = round(episodes * draw.uniform(0.6, 0.8))
            rows.append(
                {
                    "condition_id": condition,
                    "dimension": dimension,
                    "subgroup": level,
                    "episodes": episodes,
                    "eligible": episodes - 1,
                    "known": known,
                    "recovered": round(known * draw.uniform(0.4, 0.6)),
                    "pairs": known,
                    "baseline_sum": 5.5 * known,
                    "change_sum": 3.4 * known,
                    "change_sum_squares": 15.0 * known,
                    "mcid_eligible": known,
                    "mcid_responders": known - 3,
                }
            )
    sums = pl.col("baseline_sum", "change_sum", "change_sum_squares").cast(pl.Decimal(38, 6))
    return pl.DataFrame(rows, schema_overrides={"condition_id": pl.String}).with_columns(sums)


def _twitch_cube(draw: random.Random) -> pl.DataFrame:
    rows = []
    for outcome, twitch in product(("immediate", "discharge"), ("yes", "no", "not_recorded")):
        n = 8 if (outcome, twitch) == ("discharge", "no") else draw.randrange(200, 900)
        change = 0.5 if outcome == "immediate" else 3.9
        rows.append(
            {
                "condition_id": None,
                "outcome": outcome,
                "twitch": twitch,
                "patients": n,
                "pair_patients": n,
                "patients_also_no": 0,
                "units": 2 * n,
                "pairs": n,
                "baseline_sum": 5.0 * n,
                "change_sum": change * n,
                "change_by_change": (change**2 + 1) * n,
                "change_by_pairs": change * n,
                "pairs_by_pairs": n,
                **dict.fromkeys(("change_by_no_change", "change_by_no_pairs"), 0.0),
                **dict.fromkeys(("pairs_by_no_change", "pairs_by_no_pairs"), 0.0),
                "mcid_eligible": n,
                "mcid_responders": n // 2,
                "mcid_patients": n,
            }
        )
    sums = pl.col("baseline_sum", "change_sum").cast(pl.Decimal(38, 6))
    return pl.DataFrame(rows, schema_overrides={"condition_id": pl.String}).with_columns(sums)


def _safety_cube(clinics: Sequence[str], draw: random.Random) -> pl.DataFrame:
    rows = []
    for clinic in (None, *clinics):
        sessions = 9000 if clinic is None else draw.randrange(300, 1200)
        asked = 0 if clinic == NEVER_ASKS else round(sessions * draw.uniform(0.7, 0.98))
        for kind in EVENT_TYPES:
            share = {"any": 0.2, "any_minor": 0.2, "soreness": 0.09, "bruising": 0.06, "bleeding": 0.05}.get(kind, 0.0)
            events = round(asked * share)
            if kind in ("fainting", "nausea") and clinic is None:
                events = 6
            rows.append(
                {
                    "clinic_key": clinic,
                    "session_kind": "needling",
                    "event_type": kind,
                    "sessions": sessions,
                    "patients": sessions // 4,
                    "recorded_sessions": asked,
                    "recorded_patients": asked // 4,
                    "dated_sessions": asked,
                    "events": events,
                    "event_sessions": events,
                    "unasked_events": 0,
                    "event_patients": min(events, asked // 5),
                    "unasked_patients": 0,
                }
            )
    return pl.DataFrame(rows, schema_overrides={"clinic_key": pl.String})


def _gaps(draw: random.Random) -> pl.DataFrame:
    gaps = [None, *(round(draw.expovariate(1 / 200)) for _ in range(20)), 4000]
    return pl.DataFrame(
        {"event_no": range(1, len(gaps) + 1), "sessions_between": gaps},
        schema={"event_no": pl.Int64, "sessions_between": pl.Int64},
    )


def _precaution_cube(clinics: Sequence[str], draw: random.Random) -> pl.DataFrame:
    rows = []
    for clinic, kind in product((None, *clinics), ("bleeding_disorder", "anticoagulant", "needle_phobia")):
        total = 3000 if clinic is None else draw.randrange(100, 400)
        yes = {"bleeding_disorder": 5, "anticoagulant": total // 12, "needle_phobia": total // 15}[kind]
        states = {"yes": yes, "no": total - yes - 60, "unknown": 30, "not_asked": 30}
        for state, patients in states.items():
            needled = patients // 2
            rows.append(
                {
                    "clinic_key": clinic,
                    "precaution_type": kind,
                    "state": state,
                    "patients": patients,
                    "needled_patients": needled,
                    "needling_sessions": 6 * needled,
                }
            )
    return pl.DataFrame(rows, schema_overrides={"clinic_key": pl.String})
