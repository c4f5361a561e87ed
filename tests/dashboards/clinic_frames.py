"""Frames of the page on clinics, published by our own functions from invented counts.

Zones, limits, verdicts and suppression are therefore the real ones; models and weighted rates, which would need
patients, are rows made up.
"""

from __future__ import annotations

import functools
from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.contract import CONTRACT
from assets.outcomes.tables import case_mix, clinics, completion, definitions, over_time, provider_gain, public_measures
from tests.dashboards.printed import all_printed, printed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.outcomes.frames import Layout
    from assets.outcomes.topic import Topic

CONDITIONS = tuple(item.condition_id for item in CONTRACT.conditions)
INCOMPLETE, TINY, ABOVE, BELOW = "Millbrook", "Westbury", "Northgate", "Oakwood"
NO_MODEL = CONDITIONS[-1]
SIZES = (310, 520, 240, 410, 290, 260, 480, 330, 610, 380, 270, 9)
"""Eligible episodes of each clinic: the last is too small to be shown; more clinics begin anew."""
SHIFTS = (0.0, -0.14, 0.1, 0.06, -0.04, -0.08, -0.05)
MONTHS = [f"{2024 + month // 12}-{month % 12 + 1:02d}" for month in range(30)]
NO_REBASE = pl.DataFrame(schema=dict.fromkeys(("series", "condition_id", "clinic_key", "from_period"), pl.String))
EMPTY_RATES = {"eligible": 0, "known": 0, "recovered": 0}
WHOLE = {"care": "any", "period": "all"}


@functools.cache
def routine(names: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Clinics of which one is incomplete, one tiny, one above and one below the others."""
    cells = list(_cells(names))
    recovery, pain = _recovery_cube(cells), _pain_cube(cells)
    places = [(condition, clinic) for condition, clinic in product((None, *CONDITIONS), names)]
    sensitivity = definitions.definition_sensitivity(recovery, pain, CONTRACT)
    return {
        **_topic(clinics.TOPIC, {"marts.recovery_cube": recovery, "marts.pain_cube": pain}),
        "definition_sensitivity": printed(sensitivity, definitions.SENSITIVITY),
        "completion": printed(completion.completion(_completion_cube(cells)), completion.COMPLETION),
        "completion_sensitivity": _made(completion.SENSITIVITY, _sensitivity(cells)),
        "clinic_adjusted": _made(case_mix.ADJUSTED, _adjusted(places)),
        "case_mix_model": _made(case_mix.CARD, _models()),
        "case_mix_calibration": _made(case_mix.CALIBRATION, _calibration()),
        **all_printed(over_time.over_time(_period_count(names), NO_REBASE, CONTRACT), over_time.TOPIC.layouts),
        "public_measure": _made(public_measures.MEASURE, _public(names)),
        "public_measure_definition": public_measures.public_measure_definition(),
        "provider_gain": _made(provider_gain.GAIN, _gains(names)),
    }


def trial() -> dict[str, pl.DataFrame]:
    """Two centres in which no outcome is known: nothing is compared."""
    return {
        **empty(),
        **nobody_known(("p01", "p02"), ("tension_headache",)),
        "public_measure_definition": public_measures.public_measure_definition(),
    }


def nobody_known(names: tuple[str, ...], conditions: tuple[str, ...] = CONDITIONS) -> dict[str, pl.DataFrame]:
    """Clinics beside each other of which no outcome is known."""
    counts = {"eligible": 300, "known": 0, "recovered": 0, "episodes": 300, "open": 0}
    cube = pl.DataFrame(
        [
            {"condition_id": condition, "clinic_key": clinic, **WHOLE, "definition_id": item.definition_id, **counts}
            for condition, clinic, item in product((None, *conditions), (None, *names), CONTRACT.definitions)
        ],
        schema_overrides={"condition_id": pl.String, "clinic_key": pl.String},
    )
    pain = cube.filter(pl.col("definition_id") == "recovered_v1").select(
        *("condition_id", "clinic_key", "care", "period"),
        **{name: pl.lit(0, pl.Int64) for name in ("pairs", "change_sum", "change_sum_squares")},
    )
    return _topic(clinics.TOPIC, {"marts.recovery_cube": cube, "marts.pain_cube": pain})


def empty() -> dict[str, pl.DataFrame]:
    """Every frame, without rows."""
    return {name: frame.clear() for name, frame in routine(("Eastfield",)).items()}


def all_hidden(names: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """The same rows, every group too small to be shown."""
    keys = {"condition_id", "outcome_id", "clinic_key", "definition_id", "care", "period", "stage", "series", "part"}
    keys |= {"time_unit", "measure_id", "region", "planned_day", "earlier_operations", "at_n", "statistic_id"}
    return {
        name: frame.with_columns(
            *(pl.lit(None, dtype).alias(column) for column, dtype in frame.schema.items() if column not in keys)
        ).with_columns(suppressed=pl.lit(value=True))
        if "suppressed" in frame.columns
        else frame
        for name, frame in routine(names).items()
    }


def _topic(topic: Topic, relations: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return all_printed(topic.build(relations, CONTRACT), topic.layouts)


def _made(layout: Layout, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    schema = {**layout.keys, **layout.numbers}
    return printed(pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema), layout)


def _cells(names: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    """Counts by condition and clinic under the definition in force, and the totals of both."""
    found = []
    for place, condition in enumerate(CONDITIONS):
        for clinic, size in zip(names, cycle(SIZES), strict=False):
            eligible = size * (14 - place) // 90
            known = eligible * (35 if clinic == INCOMPLETE else 70 + len(clinic)) // 100
            share = 0.5 + 0.02 * (place % 3) + {ABOVE: 0.3, BELOW: -0.3}.get(clinic, 0.0)
            found.append(
                {"condition_id": condition, "clinic_key": clinic, "eligible": eligible, "known": known, "share": share}
            )
    cells = pl.DataFrame(found).with_columns(recovered=(pl.col("known") * pl.col("share")).round().cast(pl.Int64))
    counts = ("eligible", "known", "recovered")
    totals = [
        cells.group_by(*keys, maintain_order=True).agg(pl.col(counts).sum()) if keys else cells.select(pl.sum(*counts))
        for keys in (["condition_id", "clinic_key"], ["clinic_key"], ["condition_id"], [])
    ]
    yield from pl.concat(totals, how="diagonal").to_dicts()


def _recovery_cube(cells: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {
            **{name: cell[name] for name in ("condition_id", "clinic_key", "eligible", "known")},
            **WHOLE,
            "definition_id": item.definition_id,
            "recovered": min(cell["known"], max(0, round(cell["recovered"] + shift * cell["known"]))),
            "episodes": cell["eligible"] + 4,
            "open": 4,
        }
        for cell in cells
        for item, shift in zip(CONTRACT.definitions, SHIFTS, strict=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _pain_cube(cells: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {
            **{name: cell[name] for name in ("condition_id", "clinic_key")},
            **WHOLE,
            "pairs": cell["known"],
            "change_sum": 3 * cell["known"],
            "change_sum_squares": 13 * cell["known"],
        }
        for cell in cells
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _completion_cube(cells: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {
            **{name: cell[name] for name in ("condition_id", "clinic_key")},
            **WHOLE,
            "closed": cell["eligible"],
            "baseline": cell["eligible"],
            "discharge": cell["known"],
            "motion": cell["eligible"] * 97 // 100,
            "follow_up": cell["eligible"] * 30 // 100,
        }
        for cell in cells
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _sensitivity(cells: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for cell in cells:
        n, eligible, recovered = cell["known"], cell["eligible"], cell["recovered"]
        rate = recovered / n if n else None
        numbers: dict[str, Any] = {
            "eligible": eligible,
            "n": n,
            "recovered": recovered,
            "weighted_n": eligible,
            "completeness": n / eligible if eligible else None,
            "conclusion": "not_compared",
        }
        if rate is not None:
            numbers |= {"rate": rate, "rate_low": max(rate - 0.06, 0), "rate_high": min(rate + 0.06, 1)}
            numbers["rate_if_missing_none"] = recovered / eligible
            numbers["rate_if_missing_all"] = (recovered + eligible - n) / eligible
            if cell["condition_id"] != NO_MODEL:
                numbers |= {"weighted_rate": rate - 0.01, "weighted_low": rate - 0.05, "weighted_high": rate + 0.03}
                numbers["effective_size"] = n * 0.9
            else:
                numbers["not_weighted"] = "separated"
        if cell["clinic_key"] not in (None, INCOMPLETE):
            numbers |= _tipping(cell["clinic_key"])
        yield {"condition_id": cell["condition_id"], "clinic_key": cell["clinic_key"], **numbers}


def _tipping(clinic: str) -> dict[str, Any]:
    if clinic == ABOVE:
        return {"chance_zone": "above", "conclusion": "tips", "tipping_down": 0.21}
    if clinic == BELOW:
        return {"chance_zone": "below", "conclusion": "tips", "tipping_up": 0.83}
    if clinic == "Harbour":
        return {"chance_zone": "as_expected", "conclusion": "holds"}
    return {"chance_zone": "as_expected", "conclusion": "tips", "tipping_down": 0.2, "tipping_up": 0.7}


def _adjusted(places: list[tuple[str | None, str]]) -> Iterable[dict[str, Any]]:
    for (condition, clinic), (outcome, scale) in product(places, (("recovered", 1.0), ("pain_change", 6.0))):
        n = 7 if clinic == TINY else 30 + 9 * len(clinic)
        row: dict[str, Any] = {"condition_id": condition, "clinic_key": clinic, "outcome_id": outcome, "n": n}
        row |= {"eligible": n + 40, "known": n + 15, "not_covered": 15, "completeness": (n + 15) / (n + 40)}
        if condition == NO_MODEL:
            yield {**row, "n": 0, "reason": "too_few_events"}
            continue
        difference = {ABOVE: 0.2, BELOW: -0.2}.get(clinic, 0.01)
        row |= {"observed": (0.5 + difference) * scale, "expected": 0.5 * scale}
        if clinic == INCOMPLETE:
            yield {**row, "reason": "completeness_below_floor"}
            continue
        row |= {"difference": difference * scale, "difference_low": (difference - 0.1) * scale}
        row |= {"difference_high": (difference + 0.1) * scale}
        yield {**row, "zone": {ABOVE: "above", BELOW: "below"}.get(clinic, "as_expected")}


def _models() -> Iterable[dict[str, Any]]:
    for place, (condition, outcome) in enumerate(product(CONDITIONS, ("recovered", "pain_change"))):
        row = {"condition_id": condition, "outcome_id": outcome, "n": 90 + place, "eligible": 130 + place, "events": 50}
        row |= {"completeness": 0.7, "unit": "log odds" if outcome == "recovered" else "points"}
        if condition == NO_MODEL:
            yield {**row, "reason": "too_few_events"}
            continue
        names = ("auc", "auc_cv") if outcome == "recovered" else ("r_squared", "r_squared_cv")
        row |= {"parameters": 9, "clinics": 12, names[0]: 0.71, names[1]: 0.64, "calibration_slope": 0.8}
        row |= {"shrinkage": 0.8}
        row |= {
            "clinic_share": 0.06,
            "predictors": "baseline_pain, baseline_pain^2, symptom_duration=chronic, age_years",
        }
        yield row


def _calibration() -> Iterable[dict[str, Any]]:
    for condition, part in product(CONDITIONS[:-1], range(1, 6)):
        expected = 0.15 + 0.14 * part
        yield {
            "condition_id": condition,
            "outcome_id": "recovered",
            "part": part,
            "parts": 5,
            "n": 7 if condition == CONDITIONS[1] and part == 3 else 24,
            "expected": expected,
            "observed": expected + 0.02 * (-1) ** part,
            "low": max(expected - 0.18, 0),
            "high": min(expected + 0.18, 1),
        }


def _period_count(names: tuple[str, ...]) -> pl.DataFrame:
    """All clinics and two of them by month, one with a gap; everybody by year. The last two months are open."""
    rows = []
    for place, (clinic, month) in enumerate(product((None, *names[:2]), MONTHS)):
        size = 90 if clinic is None else 30
        known = 6 if clinic == names[0] and month in MONTHS[5:7] else size
        rise = 0.16 if clinic is None and month >= MONTHS[20] else 0.0
        rows.append(_period("month", month, None, clinic, known, 0.5 + rise + 0.05 * (place * 7 % 5 - 2) / 2))
    rows += [
        _period("year", year, condition, clinic, 5 if clinic == TINY else 40, 0.55)
        for condition, clinic, year in product((None, *CONDITIONS[:2]), (None, *names), ("2024", "2025", "2026"))
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _period(
    unit: str, period: str, condition: str | None, clinic: str | None, known: int, share: float
) -> dict[str, Any]:
    return {
        "time_unit": unit,
        "period": period,
        "condition_id": condition,
        "clinic_key": clinic,
        "is_window_closed": period not in MONTHS[28:],
        "episodes": known + 30,
        "eligible": known + 20,
        "known": known,
        "recovered": round(known * share),
        "pairs": known,
        "change_sum": 3 * known,
        "change_sum_squares": 12 * known,
    }


def _public(names: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    definition = public_measures.public_measure_definition().filter(pl.col("measure_id") != "none")
    for row, clinic in product(definition.to_dicts(), (None, *names)):
        is_rate = row["measure_id"] == "qcdr_pain"
        observed, expected = (0.8, 0.78) if is_rate else (24.0, 25.0)
        size = 8 if clinic == TINY else 60 + len(clinic or "")
        made = {"measure_id": row["measure_id"], "region": row["region"], "clinic_key": clinic, "eligible": size + 20}
        made |= {"reported": size, "completeness": size / (size + 20), "is_complete": size >= 60, "under_age": 0}
        made |= {"age_missing": 3, "no_room": 0, "no_first_score": 0, "no_last_score": 20, "observed": observed}
        made |= {"observed_low": observed * 0.9, "observed_high": observed * 1.1}
        if row["region"] == "upper_extremity":
            yield {**made, "reason": "shoulder_impingement: too_few_events"}
            continue
        difference = (observed - expected) * (-1 if clinic == ABOVE else 1)
        made["expected_by"] = "source" if row["region"] == "neck" and not is_rate else "network"
        made |= {"expected": expected, "difference": difference, "difference_low": difference - 0.1}
        made |= {"difference_high": difference + 0.1, "is_met": None if is_rate or clinic is None else difference >= 0}
        yield made


def _gains(names: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    for place, clinic in enumerate(names):
        n = 8 if clinic == TINY else (25 if clinic == INCOMPLETE else 60 + 40 * place)
        half = 9.8 / n**0.5
        row = {"measure_id": "hit6", "planned_day": 180, "earlier_operations": "any", "clinic_key": clinic, "n": n}
        row |= {"network_n": 2000, "baseline_mean": 62.0, "value_mean": 54.0, "predicted_mean": 54.5, "gain_mean": 8.0}
        row |= {"network_gain": 8.0, "is_published_network_gain": False}
        if clinic == INCOMPLETE:
            yield {**row, "not_adjusted": "too_few_records"}
            continue
        gain = 8.0 + {ABOVE: 2 * half, BELOW: -1.3 * half}.get(clinic, 0.3 * half)
        limits = {"low_95": 8 - half, "high_95": 8 + half, "low_998": 8 - 1.6 * half, "high_998": 8 + 1.6 * half}
        zone = {ABOVE: "above", BELOW: "possibly_below"}.get(clinic, "as_expected")
        yield {**row, "adjusted_gain": gain, "z": 2 * (gain - 8) / half, **limits, "zone": zone}
