"""Published frames of an invented network, in the shape that assets.outcomes publishes. Not data of anybody."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.contract import CONTRACT
from assets.contract.checks import delivery_checks, release_checks
from assets.contract.model import Condition
from tests.dashboards import care_frames, clinic_frames

if TYPE_CHECKING:
    from assets.contract.model import Contract

CLINICS = (
    *("Eastfield", "Harbour", "Hillcrest", "Kingsway", "Lakeside", "Millbrook"),
    *("Northgate", "Oakwood", "Parkside", "Riverside", "Station Road", "Westbury"),
)
CARE = {"any": 1.0, "dry_needling": 0.45, "other_care": 0.55}
MINIMUM = 11
HOSTILE = "<script>alert(1)</script>\"'&=cmd|\u202ekcab"
"""A name that is markup, quotes, a formula and a change of reading direction."""
HOSTILE_FRAMES = (
    *("recovery_by_condition", "pain_change", "rom_change", "recovery_curve", "recovery_time", "unknown_reason"),
    "clinic",
)
YEARS = ("2024", "2025", "2026")
STRING, INTEGER, FLOAT, BOOLEAN = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
DIMENSIONS: dict[str, Any] = dict.fromkeys(("condition_id", "clinic_key", "care", "period"), STRING)
SCHEMAS: dict[str, dict[str, Any]] = {
    "recovery_by_condition": {
        **DIMENSIONS,
        "definition_id": STRING,
        **dict.fromkeys(("n", "recovered"), INTEGER),
        **dict.fromkeys(("rate", "rate_low", "rate_high"), FLOAT),
        "eligible": INTEGER,
        **dict.fromkeys(("completeness", "rate_if_missing_none", "rate_if_missing_all"), FLOAT),
        "suppressed": BOOLEAN,
    },
    "pain_change": {
        **DIMENSIONS,
        "n": INTEGER,
        **dict.fromkeys(("baseline_mean", "last_mean", "change_mean", "change_low", "change_high"), FLOAT),
        "mcid_n": INTEGER,
        **dict.fromkeys(("mcid_rate", "mcid_low", "mcid_high", "deteriorated_rate"), FLOAT),
        "suppressed": BOOLEAN,
    },
    "rom_change": {
        **DIMENSIONS,
        "n": INTEGER,
        **dict.fromkeys(("baseline_percent", "last_percent"), FLOAT),
        "suppressed": BOOLEAN,
    },
    "recovery_curve": {
        **dict.fromkeys(("condition_id", "clinic_key", "care"), STRING),
        **dict.fromkeys(("from_day", "day", "n"), INTEGER),
        **dict.fromkeys(("recovered_share", "recovered_low", "recovered_high", "left_share", "km_share"), FLOAT),
        **dict.fromkeys(("at_risk", "recovered_so_far", "left_so_far", "censored_so_far"), INTEGER),
        **dict.fromkeys(("shown", "suppressed"), BOOLEAN),
    },
    "recovery_time": {
        **dict.fromkeys(("condition_id", "clinic_key", "care"), STRING),
        **dict.fromkeys(("from_day", "n"), INTEGER),
        **dict.fromkeys(("recovered_share_28", "recovered_share_56", "recovered_share_84"), FLOAT),
        **dict.fromkeys(("median_day", "median_low", "median_high", "days_per_visit"), FLOAT),
        "suppressed": BOOLEAN,
    },
    "measure_summary": {
        **dict.fromkeys(("condition_id", "care", "measure_id", "side"), STRING),
        **dict.fromkeys(("planned_day", "n"), INTEGER),
        **dict.fromkeys(("baseline_mean", "baseline_sd", "value_mean", "value_sd", "change_mean", "change_sd"), FLOAT),
        "worsened": INTEGER,
        "suppressed": BOOLEAN,
    },
    "response": {
        **dict.fromkeys(("condition_id", "care", "measure_id", "side"), STRING),
        "planned_day": INTEGER,
        "rule_id": STRING,
        **dict.fromkeys(("n", "responders"), INTEGER),
        **dict.fromkeys(("rate", "rate_low", "rate_high"), FLOAT),
        "suppressed": BOOLEAN,
    },
    "unknown_reason": {
        **dict.fromkeys(("condition_id", "clinic_key", "reason"), STRING),
        **dict.fromkeys(("episodes", "n"), INTEGER),
        "share": FLOAT,
        "suppressed": BOOLEAN,
    },
    "conservation": {
        **dict.fromkeys(("delivery_id", "label", "extract_stamp", "state", "problem_code"), STRING),
        **dict.fromkeys(("ingested", "accepted", "quarantined", "superseded", "rejected", "out_of_scope"), INTEGER),
    },
    "quarantine_by_reason": {
        **dict.fromkeys(("table_name", "check_id", "title", "reason"), STRING),
        "rows": INTEGER,
        "to_correct": INTEGER,
    },
    "check_summary": {
        **dict.fromkeys(("check_id", "title", "sentence", "table_name", "kind", "stage", "severity"), STRING),
        "tolerance": FLOAT,
        "status": STRING,
        **dict.fromkeys(("evaluated", "violated", "deliveries"), INTEGER),
    },
    "check_by_delivery": dict.fromkeys(("check_id", "delivery_id", "status"), STRING),
    "delivery_volume": {"delivery_id": STRING, "times_usual": FLOAT, "is_unusual": BOOLEAN},
    "clinic": dict.fromkeys(("clinic_key", "label"), STRING),
}


def network() -> dict[str, pl.DataFrame]:
    """Twelve clinics, nine conditions, three kinds of care; small clinics are suppressed in part."""
    draw = random.Random(7)  # noqa: S311 - repeatable, not secret
    sizes = {clinic: draw.choice((60, 160, 420, 700, 980)) for clinic in CLINICS}
    conditions = [item.condition_id for item in CONTRACT.conditions]
    weight = {key: draw.uniform(0.4, 1.6) for key in conditions}
    level = {key: draw.uniform(0.35, 0.75) for key in conditions}
    rates, pain, motion = [], [], []
    for condition, clinic, care in product([None, *conditions], [None, *CLINICS], CARE):
        size = sum(sizes.values()) if clinic is None else sizes[clinic]
        share = sum(weight.values()) if condition is None else weight[condition]
        eligible = round(size * share / sum(weight.values()) * CARE[care])
        known = round(eligible * (0.78 if clinic is None else draw.uniform(0.5, 0.9)))
        centre = 0.58 if condition is None else level[condition]
        dimensions = [condition, clinic, care, "all"]
        for item, shift in zip(CONTRACT.definitions, (0, -0.14, 0.1, 0.06, -0.04, -0.08, -0.05), strict=True):
            recovered = min(known, max(0, round(known * (centre + shift + draw.uniform(-0.05, 0.05)))))
            rates.append([*dimensions, item.definition_id, *_rate_row(recovered, known, eligible)])
        pain.append([*dimensions, *_pain_row(known, draw)])
        ends = [None, None] if _small(known) or not known else [draw.uniform(60, 70), draw.uniform(80, 90)]
        motion.append([*dimensions, None if _small(known) else known, *ends, _small(known)])
    curves = [("any", None), *(("any", clinic) for clinic in CLINICS), ("dry_needling", None), ("other_care", None)]
    yearly = _yearly(sizes, level)
    return {
        "recovery_by_condition": _frame("recovery_by_condition", rates + yearly[0]),
        "pain_change": _frame("pain_change", pain + yearly[1]),
        "rom_change": _frame("rom_change", motion + yearly[2]),
        "recovery_time": _frame("recovery_time", _times(sizes)),
        "recovery_curve": _frame(
            "recovery_curve",
            [row for care, clinic in curves for row in _curve(clinic, care, sizes.get(clinic or "", 5600), draw)],
        ),
        "measure_summary": _frame("measure_summary", _measures(tuple(CARE), (28, 56, 84, None), draw)),
        "response": _frame("response", _responses(tuple(CARE), (28, 56, 84, None), draw)),
        "unknown_reason": _frame(
            "unknown_reason",
            [
                row
                for condition, clinic in product((None, *conditions), (None, *CLINICS))
                for row in _reasons(condition, clinic, sizes.get(clinic or "", 5600) // (9 if condition else 1))
            ],
        ),
        **quality(draw),
        **care_frames.routine(CLINICS),
        **clinic_frames.routine(CLINICS),
        "clinic": _frame("clinic", [[key, key] for key in CLINICS]),
    }


def _yearly(sizes: dict[str, int], level: dict[str, float]) -> tuple[list[list[Any]], ...]:
    """The rows of single years, in which more groups are too small to be shown."""
    draw = random.Random(13)  # noqa: S311 - repeatable, not secret
    rates, pain, motion = [], [], []
    for condition, clinic, care, year in product([None, *level], [None, *CLINICS], CARE, YEARS):
        size = (sum(sizes.values()) if clinic is None else sizes[clinic]) // (3 * (len(level) if condition else 1))
        eligible = round(size * CARE[care])
        known = round(eligible * 0.82)
        recovered = round(known * (level[condition] if condition else 0.56))
        dimensions = [condition, clinic, care, year]
        rates += [
            [*dimensions, item.definition_id, *_rate_row(recovered, known, eligible)] for item in CONTRACT.definitions
        ]
        pain.append([*dimensions, *_pain_row(known, draw)])
        ends = [None, None] if _small(known) or not known else [draw.uniform(60, 70), draw.uniform(80, 90)]
        motion.append([*dimensions, None if _small(known) else known, *ends, _small(known)])
    return rates, pain, motion


def _times(sizes: dict[str, int]) -> list[list[Any]]:
    """Time to recovery: by care of the network only; some medians not reached, some without an upper end."""
    conditions = [item.condition_id for item in CONTRACT.conditions]
    places = [(condition, clinic, "any") for condition, clinic in product((None, *conditions), (None, *CLINICS))]
    places += [(condition, None, care) for condition, care in product((None, *conditions), list(CARE)[1:])]
    rows = []
    for place, (condition, clinic, care) in enumerate(places):
        n = sizes.get(clinic or "", 5600) // (9 if condition else 1)
        if _small(n):
            continue
        median = [None, None, None] if place % 5 == 3 else [50.0 + place % 20, 44.0, None if place % 4 == 1 else 77.0]
        rows.append([condition, clinic, care, 0 if care == "any" else 14, n, 0.2, 0.41, 0.48, *median, 8.5, False])
    return rows


def trial() -> dict[str, pl.DataFrame]:
    """A trial of two arms in which recovery is known for nobody: no range of motion was measured."""
    draw = random.Random(11)  # noqa: S311 - repeatable, not secret
    arms = ("any", "acupuncture", "usual_care")
    rates = [
        ["tension_headache", clinic, care, "all", item.definition_id, *_rate_row(0, 0, 300)]
        for clinic, care, item in product((None, "p01", "p02"), arms, CONTRACT.definitions)
    ]
    rates += [[None, *row[1:]] for row in rates]
    empty = {name: _frame(name, []) for name in ("pain_change", "rom_change", "recovery_curve")}
    return {
        **empty,
        "recovery_by_condition": _frame("recovery_by_condition", rates),
        "measure_summary": _frame("measure_summary", _measures(arms, (91, 365, None), draw)),
        "response": _frame("response", _responses(arms, (91, 365, None), draw)),
        "unknown_reason": _frame("unknown_reason", [[None, None, "rom_not_measured", 300, 401, 300 / 401, False]]),
        **quality(draw),
        **care_frames.trial(),
        **clinic_frames.trial(),
        "clinic": _frame("clinic", [["p01", "p01"], ["p02", "p02"]]),
    }


def hostile() -> tuple[dict[str, pl.DataFrame], Contract]:
    """The network with hostile names of a clinic, a condition and every delivery."""
    frames = network()
    of_clinics = (name for name in clinic_frames.routine(CLINICS) if "clinic_key" in frames[name].columns)
    for name in (*HOSTILE_FRAMES, *of_clinics):
        frames[name] = frames[name].with_columns(pl.col("clinic_key").replace({"Harbour": HOSTILE}))
    frames["adverse_event_rate"] = frames["adverse_event_rate"].with_columns(
        pl.col("clinic_key").replace({"Harbour": HOSTILE})
    )
    frames["care_balance"] = frames["care_balance"].with_columns(
        pl.col("covariate").replace({"clinic_key=Harbour": f"clinic_key={HOSTILE}"})
    )
    for name in (*clinic_frames.routine(CLINICS), "recovery_by_condition"):
        if "condition_id" in frames[name].columns:
            frames[name] = frames[name].with_columns(pl.col("condition_id").replace({"sciatica": "odd"}))
    frames["evidence"] = frames["evidence"].with_columns(citation=pl.lit(HOSTILE))
    frames["clinic"] = frames["clinic"].with_columns(label=pl.col("clinic_key"))
    frames["conservation"] = frames["conservation"].with_columns(label=pl.lit(HOSTILE))
    odd = Condition("odd", HOSTILE, HOSTILE, sided=False, pain_measure="nprs_avg24h", rom_measures=(), icd10cm=HOSTILE)
    return frames, CONTRACT.extended(conditions=[odd])


def empty() -> dict[str, pl.DataFrame]:
    """Every frame, without rows: a first run that accepted nothing."""
    return {name: _frame(name, []) for name in SCHEMAS} | care_frames.empty() | clinic_frames.empty()


def quality(draw: random.Random) -> dict[str, pl.DataFrame]:
    """Checks of the contract with results, quarantine by reason, conservation by delivery."""
    checks = [check for table in CONTRACT.tables for check in delivery_checks(CONTRACT, table)]
    results: list[list[Any]] = []
    for check in (*checks, *release_checks(CONTRACT)):
        status = draw.choices(("pass", "pass_with_violations", "warn", "fail", "not_applicable"), (70, 16, 3, 0.4, 10))[
            0
        ]
        if status == "pass_with_violations" and check.severity != "critical":
            status = "pass"
        evaluated = 0 if status == "not_applicable" else draw.randrange(2_000, 90_000)
        violated = 0 if status in ("pass", "not_applicable") else draw.randrange(1, 90)
        results.append(
            [
                *(check.check_id, check.title, check.sentence, check.table, str(check.kind), str(check.stage)),
                *(str(check.severity), check.tolerance, status, evaluated, violated, 12),
            ]
        )
    aside = [
        [check.table, check.check_id, check.title, check.reason, result[10], result[10] // 2]
        for check, result in zip((*checks, *release_checks(CONTRACT)), results, strict=True)
        if result[8] == "pass_with_violations"
    ]
    deliveries: list[list[Any]] = []
    for place, clinic in enumerate(CLINICS):
        parts = [draw.randrange(8_000, 30_000), draw.randrange(20, 300), draw.choice((0, 0, 412)), 0]
        if place == 5:
            parts = [0, 0, 0, sum(parts)]
        state, code = ("rejected", "TRUNCATED") if place == 5 else ("accepted", None)
        label = f"{clinic.lower().replace(' ', '_')}_2026-10-31"
        deliveries.append([f"{place:016x}", label, "2026-10-31", state, code, sum(parts), *parts, 7 * place])
    accepted = [row[0] for row in deliveries if row[3] == "accepted"]
    by_delivery = [
        [result[0], *ended]
        for place, result in enumerate(results)
        for ended in (
            [(key, result[8] if key == accepted[place % len(accepted)] else "pass") for key in accepted]
            if result[5] == "delivery"
            else [(None, result[8])]
        )
    ]
    volume = [[row[0], row[5] / 20_000, row[5] < 10_000] for row in deliveries if row[3] == "accepted"]
    return {
        "check_by_delivery": _frame("check_by_delivery", by_delivery),
        "check_summary": _frame("check_summary", results),
        "quarantine_by_reason": _frame("quarantine_by_reason", aside),
        "conservation": _frame("conservation", deliveries),
        "delivery_volume": _frame("delivery_volume", volume),
    }


def wilson(x: int, n: int) -> tuple[float, float]:
    """Wilson 95% interval, for realistic pictures only."""
    z = 1.959964
    centre, half = (x + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _frame(name: str, rows: list[list[Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMAS[name], orient="row")


def _small(n: int) -> bool:
    return 0 < n < MINIMUM


def _rate_row(recovered: int, known: int, eligible: int) -> list[Any]:
    if _small(known) or _small(eligible):
        return [None] * 9 + [True]
    rate = [recovered / known, *wilson(recovered, known)] if known else [None] * 3
    rest = [recovered / eligible, (recovered + eligible - known) / eligible] if eligible else [None, None]
    return [known, recovered, *rate, eligible, known / eligible if eligible else None, *rest, False]


def _pain_row(n: int, draw: random.Random) -> list[Any]:
    if _small(n):
        return [None] * 11 + [True]
    if not n:
        return [0, *[None] * 5, 0, *[None] * 4, False]
    first, change, half = draw.uniform(5, 6.5), draw.uniform(2.6, 3.8), 4 / math.sqrt(n)
    responders = round(n * draw.uniform(0.7, 0.85))
    ends = [first, first - change, change, change - half, change + half]
    return [n, *ends, n, responders / n, *wilson(responders, n), draw.uniform(0.01, 0.06), False]


def _curve(clinic: str | None, care: str, size: int, draw: random.Random) -> list[list[Any]]:
    top, rows = draw.uniform(0.5, 0.68), []
    start = 0 if care == "any" else 14
    for day in range(start, 169, 7):
        recovered = top * (1 - math.exp(-(day - start) / 50))
        left = 0.22 * (1 - math.exp(-(day - start) / 60))
        followed = max(0.0, 1 - recovered - left - 0.12 * day / 168)
        risk = round(size * followed)
        half = 1.96 * math.sqrt(max(recovered * (1 - recovered), 0) / size)
        numbers = [recovered, max(recovered - half, 0), min(recovered + half, 1), left, min(recovered * 1.16, 1)]
        counts = [risk, round(size * recovered), round(size * left)]
        if _small(risk):
            rows.append([None, clinic, care, start, day, size, *[None] * 9, False, False])
        else:
            shown = risk >= MINIMUM
            rows.append([None, clinic, care, start, day, size, *numbers, *counts, size - sum(counts), shown, False])
    return rows


def _measures(care: tuple[str, ...], days: tuple[int | None, ...], draw: random.Random) -> list[list[Any]]:
    rows = []
    for measure, value, day, side in product(("nprs_avg24h", "hit6", "shld_flex"), care, days, (None, "none")):
        first, change = {"nprs_avg24h": (5.8, 3.1), "hit6": (62, 6.4), "shld_flex": (118, 31)}[measure]
        shown = change * draw.uniform(0.8, 1.1)
        later = first + shown if measure == "shld_flex" else first - shown
        spread = first / 6
        sides = ("left" if side == "none" else side) if measure == "shld_flex" else side
        numbers = [draw.randrange(120, 400), first, spread, later, spread * 1.1, shown, spread * 0.9, 14]
        rows.append([None, value, measure, sides, day, *numbers, False])
    return rows


def _responses(care: tuple[str, ...], days: tuple[int | None, ...], draw: random.Random) -> list[list[Any]]:
    rows = []
    for rule, value, day in product(CONTRACT.responder_rules, care, days):
        n = draw.randrange(100, 400)
        x = round(n * draw.uniform(0.3, 0.7))
        rows.append([None, value, "nprs_avg24h", None, day, rule.rule_id, n, x, x / n, *wilson(x, n), False])
    return rows


def _reasons(condition: str | None, clinic: str | None, size: int) -> list[list[Any]]:
    shares = (0.06, 0.04, 0.05, 0.09, 0.07)
    names = ("still_open", "baseline_too_low", "no_baseline", "no_comparable_pair", "rom_not_measured")
    counts = {name: round(size * share) for name, share in zip(names, shares, strict=True)}
    return [
        [condition, clinic, name, *([None, None, None, True] if _small(n) else [n, size, n / size, False])]
        for name, n in counts.items()
    ]
