"""The truth file: everything that was planted, and what a pipeline should find of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.simulation import parameters as p
from assets.simulation.clinics import clinic_sd
from assets.simulation.dirt import ACCEPTED, DEPENDENT, INGESTED, QUARANTINED, SUPERSEDED
from assets.simulation.faults import not_planted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assets.simulation.clinics import Network
    from assets.simulation.course import Course
    from assets.simulation.dirt import Soil
    from assets.simulation.faults import Fault
    from assets.simulation.tally import Tally

MISSING_FORMULA = "log odds(missing) = log odds(share) + slope x (discharge score - centre)"
RECOVERY_MEANING = (
    "share of closed episodes with baseline pain above 1 that meet the default recovery definition on the scores of "
    "all attended visits, recorded or not; motion at the last attended visit"
)
OUTCOMES = (INGESTED, ACCEPTED, QUARANTINED, SUPERSEDED, DEPENDENT)


def planted(network: Network, tally: Tally) -> dict[str, Any]:
    """Effects, habits and mechanisms, each beside what came of it."""
    return {
        "period": {"first_year": p.FIRST_YEAR, "days": p.PERIOD_DAYS},
        "variance": {
            "clinic_share": p.CLINIC_SHARE,
            "clinic_sd_points": round(clinic_sd(), 6),
            "patient_sd_points": p.PATIENT_SD,
            "retest_sem_points": p.PAIN_SEM,
        },
        "confounding": {
            "fear_avoidance_points": p.FEAR_POINTS,
            "athlete_points": p.ATHLETE_POINTS,
            "needling_log_odds": {
                "chronic": p.NEEDLING_CHRONIC,
                "fear_avoidance": p.NEEDLING_FEAR,
                "needle_phobia": p.NEEDLING_PHOBIA,
            },
        },
        "adverse_events": {
            "true_share_of_needling_sessions": p.EVENT_SHARE,
            "true_share_of_other_sessions": p.EVENT_SHARE_WITHOUT_NEEDLING,
            "major_share_of_needling_sessions": round(p.MAJOR_SHARE, 9),
        },
        "persistent_course": _course(p.PERSISTENT_LOW_BACK),
        "missing_formula": MISSING_FORMULA,
        "recovery_meaning": RECOVERY_MEANING,
        "conditions": {name: _condition(network, tally, i) for i, name in enumerate(network.conditions)},
        "clinics": {clinic.key: _clinic(network, tally, i) for i, clinic in enumerate(network.clinics)},
    }


def dirty(network: Network, faults: Sequence[Fault], counts: Mapping[str, int]) -> dict[str, Any]:
    """Every fault, how often it was planted, and the checks it breaks."""
    return {
        "not_planted": list(not_planted(network.contract)) if faults else [],
        "faults": {
            fault.name: {
                "table": fault.table,
                "shape": str(fault.shape),
                "instances": counts[fault.name],
                "check_ids": list(fault.check_ids),
                "warnings": list(fault.warnings),
            }
            for fault in faults
        },
    }


def delivery(network: Network, clean: Mapping[str, int], soil: Soil | None) -> dict[str, Any]:
    """What is expected of one delivery.

    By table: ``clean`` rows of the network and rows by outcome (ingested = accepted + quarantined + superseded +
    dependent; dependent rows are good themselves, but a rule between rows quarantines their parent, and they go with
    it: in the conservation table they count as quarantined). Rows by check: ``violations`` of critical checks,
    ``violations_of_dependents``, ``warnings`` over accepted rows, ``warnings_set_aside`` over quarantined ones.
    """
    tables: dict[str, dict[str, int]] = {}
    for table in network.contract.tables:
        rows = clean.get(table.name, 0)
        extra = soil.outcomes[table.name] if soil else {}
        tables[table.name] = {"clean": rows} | {
            outcome: extra.get(outcome, 0) + (rows if outcome in (INGESTED, ACCEPTED) else 0) for outcome in OUTCOMES
        }
    return {
        "tables": tables,
        "violations": dict(sorted(soil.violations.items())) if soil else {},
        "violations_of_dependents": dict(soil.dependents) if soil else {},
        "warnings": dict(sorted(soil.warnings[ACCEPTED].items())) if soil else {},
        "warnings_set_aside": dict(sorted(soil.warnings[QUARANTINED].items())) if soil else {},
        "faults": dict(sorted(soil.faults.items())) if soil else {},
    }


def _condition(network: Network, tally: Tally, position: int) -> dict[str, Any]:
    model = network.models[position]
    sums = {name: float(values[position]) for name, values in tally.by_condition.items()}
    return {
        "needling_points": model.needling_points,
        "needling_points_on_scale": _ratio(sums["needling_points_sum"], sums["needled_closed"]),
        "care_points": model.care_points,
        "baseline_mean": model.baseline_mean,
        "acute_course": _course(model.acute),
        "chronicity": list(model.chronicity),
        "recovery_share": _ratio(sums["recovered"], sums["eligible"]),
        **{
            name: round(sums[name])
            for name in ("episodes", "closed", "eligible", "recovered", "needled", "needled_by_landmark")
        },
    }


def _clinic(network: Network, tally: Tally, position: int) -> dict[str, Any]:
    clinic = network.clinics[position]
    scores = tally.final_scores[position]
    return {
        "delivery": network.deliveries()[int(network.clinic_source[position])],
        "points": round(float(network.clinic_points[position]), 6),
        "needling_log_odds": clinic.needling,
        "missing_mechanism": "depends_on_discharge_score" if clinic.missing_slope else "completely_at_random",
        "missing_share": clinic.missing,
        "missing_slope": clinic.missing_slope,
        "missing_centre": p.MISSING_CENTRE,
        "discharge_scores_recorded": scores[:, 0].tolist(),
        "discharge_scores_missing": scores[:, 1].tolist(),
        "motion_missing_at_last_visit": clinic.motion_missing_last,
        "twitch_recorded": clinic.twitch_recorded,
        "event_recording": clinic.event_recording,
        "events_asked": clinic.asked,
        "counted": {name: round(float(values[position])) for name, values in tally.by_clinic.items()},
    }


def _course(course: Course) -> dict[str, Any]:
    return {
        "floor": course.floor,
        "parts": [list(part) for part in course.parts],
        "source": course.source,
        "verified": course.verified,
    }


def _ratio(numerator: float, denominator: float) -> float | None:
    return round(numerator / denominator, 6) if denominator else None
