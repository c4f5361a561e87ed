"""The contract as tables of the ``reference`` schema, where SQL joins it and an auditor reads it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from assets.contract import behaviour, definitions
from assets.contract.checks import delivery_checks, release_checks
from assets.contract.model import SCORE_DECIMALS, SCORE_DIGITS, Occasion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from assets.contract.model import Condition, Contract, Measure

SCORE = f"DECIMAL({SCORE_DIGITS},{SCORE_DECIMALS})"
PAIN_PREFERENCE = ("nprs_avg24h", "nprs_current", "nprs_worst24h")
"""Pain scales in order of preference where the condition's own is not scored at both ends (domain reference 1.1)."""
WINDOW_COUNT = 3
"""How many planned windows the SQL has columns for (intermediate.measure_course)."""

Row = tuple[object, ...]

LAYOUT = {
    "measure": f"""measure_id VARCHAR, measure_no INTEGER, slot INTEGER, label VARCHAR, construct VARCHAR, unit VARCHAR,
        better VARCHAR, low {SCORE}, high {SCORE}, decimals INTEGER, sided BOOLEAN, mcid {SCORE}, mdc {SCORE},
        reference_value {SCORE}, predicts VARCHAR""",
    "condition": """condition_id VARCHAR, position INTEGER, label VARCHAR, sentence_label VARCHAR, sided BOOLEAN,
        pain_measure VARCHAR""",
    "condition_rom": "condition_id VARCHAR, measure_id VARCHAR",
    "pain_preference": "condition_id VARCHAR, measure_id VARCHAR, preference INTEGER",
    "definition": """definition_id VARCHAR, version INTEGER, label VARCHAR, sentence VARCHAR, pain_at_most INTEGER,
        rom_rule VARCHAR, rom_share_percent INTEGER, sustained_days INTEGER, occasion VARCHAR, counts_held BOOLEAN,
        counts_discharge BOOLEAN, is_default BOOLEAN""",
    "responder_rule": f"""rule_id VARCHAR, version INTEGER, measure_id VARCHAR, label VARCHAR, kind VARCHAR,
        threshold {SCORE}""",
    "region_mcid": f"condition_id VARCHAR, measure_id VARCHAR, threshold {SCORE}",
    "impact_band": "band_id VARCHAR, position INTEGER, at_least_percent INTEGER, below_percent INTEGER",
    "age_band": "age_band INTEGER, from_years INTEGER, to_years INTEGER",
    "planned_window": "window_no INTEGER, planned_day INTEGER, tolerance_days INTEGER",
    "parameter": "name VARCHAR, value INTEGER",
    "event_type": "event_type VARCHAR",
    "precaution_type": "precaution_type VARCHAR",
    "behaviour": "check_id VARCHAR, limit_percent INTEGER",
    "quality_check": """check_id VARCHAR, table_name VARCHAR, stage VARCHAR, kind VARCHAR, severity VARCHAR,
        reason VARCHAR, title VARCHAR, sentence VARCHAR""",
}


def write_reference(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Replace the tables of the ``reference`` schema by what the contract says.

    ``measure.slot`` numbers measures so that each side of a sided measure has a number of its own; SQL finds
    repeated scores with it. ``responder_rule`` has one row for each rule and measure, with the measure's own MCID
    as threshold for rules of kind ``mcid``.

    Raises:
        ValueError: the contract has more planned windows than the SQL has columns for.

    """
    if len(definitions.PLANNED_WINDOWS) > WINDOW_COUNT:
        message = f"intermediate.measure_course has columns for {WINDOW_COUNT} planned windows; add one"
        raise ValueError(message)
    con.execute("create schema if not exists reference")
    for name, columns in LAYOUT.items():
        con.execute(f"create or replace table reference.{name} ({columns})")
        rows = ROWS[name](contract)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            con.executemany(f"insert into reference.{name} values ({marks})", [list(row) for row in rows])


def column_comments(contract: Contract, schema: str, name: str) -> dict[str, str]:
    """Meaning of the columns of a warehouse table, as far as the contract knows columns of that name."""
    meanings: dict[str, str] = {}
    for table in contract.tables:
        for column in table.columns:
            meanings.setdefault(column.name, column.meaning)
    if schema == "staging":
        for table in contract.tables:
            if name == table.name:
                meanings |= {column.name: column.meaning for column in table.columns}
    return meanings


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _measures(contract: Contract) -> list[Row]:
    def rows() -> Iterator[Row]:
        slot = 0
        for number, measure in enumerate(contract.measures, start=1):
            yield (
                measure.measure_id,
                number,
                slot,
                measure.label,
                measure.construct,
                measure.unit,
                str(measure.better),
                _decimal(measure.possible.low),
                _decimal(measure.possible.high),
                measure.decimals,
                measure.sided,
                *(_decimal(found.value if found else None) for found in (measure.mcid, measure.mdc, measure.reference)),
                measure.predicts,
            )
            slot += 2 if measure.sided else 1

    return list(rows())


def _conditions(contract: Contract) -> list[Row]:
    return [
        (c.condition_id, position, c.label, c.sentence_label, c.sided, c.pain_measure)
        for position, c in enumerate(contract.conditions, start=1)
    ]


def _condition_rom(contract: Contract) -> list[Row]:
    return [(c.condition_id, measure_id) for c in contract.conditions for measure_id in c.rom_measures]


def _pain_preference(contract: Contract) -> list[Row]:
    return [
        (condition.condition_id, measure_id, preference)
        for condition in contract.conditions
        for preference, measure_id in enumerate(_preferred(condition), start=1)
    ]


def _preferred(condition: Condition) -> Sequence[str]:
    return (condition.pain_measure, *(other for other in PAIN_PREFERENCE if other != condition.pain_measure))


def _definitions(contract: Contract) -> list[Row]:
    return [
        (
            d.definition_id,
            d.version,
            d.label,
            d.sentence,
            d.pain_at_most,
            d.rom_rule,
            d.rom_share_percent,
            d.sustained_days,
            str(d.occasion),
            d.occasion is not Occasion.DISCHARGE,
            d.occasion is not Occasion.HELD,
            d.is_default,
        )
        for d in contract.definitions
    ]


def _responder_rules(contract: Contract) -> list[Row]:
    def threshold(kind: str, stated: float | None, measure: Measure) -> float | None:
        if kind == "mcid":
            return measure.mcid.value if measure.mcid else None
        return stated

    return [
        (rule.rule_id, rule.version, measure.measure_id, rule.label, rule.kind, _decimal(found))
        for rule in contract.responder_rules
        for measure in contract.measures
        if rule.measure_id == measure.measure_id
        or (rule.measure_id is None and rule.construct in (None, measure.construct))
        if (found := threshold(rule.kind, rule.threshold, measure)) is not None
    ]


def _region_mcids(contract: Contract) -> list[Row]:
    rules = definitions.REGION_MCIDS if contract.region_mcid else ()
    return [(rule.condition_id, rule.measure_id, _decimal(rule.mcid.value)) for rule in rules]


def _impact_bands(_: Contract) -> list[Row]:
    return [
        (band.band_id, position, band.at_least_percent, band.below_percent)
        for position, band in enumerate(definitions.IMPACT_BANDS, start=1)
    ]


def _age_bands(_: Contract) -> list[Row]:
    return [(number, *years) for number, years in enumerate(definitions.AGE_BANDS, start=1)]


def _planned_windows(_: Contract) -> list[Row]:
    return [(number, *window) for number, window in enumerate(definitions.PLANNED_WINDOWS, start=1)]


def _parameters(_: Contract) -> list[Row]:
    return [
        ("landmark_day", definitions.LANDMARK_DAY),
        ("baseline_window_days", definitions.BASELINE_WINDOW_DAYS),
        ("discharge_window_days", definitions.DISCHARGE_WINDOW_DAYS),
        ("contralateral_window_days", definitions.CONTRALATERAL_WINDOW_DAYS),
        ("next_score_days", definitions.NEXT_SCORE_DAYS),
        ("trajectory_last_day", definitions.TRAJECTORY_LAST_DAY),
        ("baseline_must_exceed_points", definitions.BASELINE_MUST_EXCEED_POINTS),
        ("deterioration_points", definitions.DETERIORATION.points),
        ("reference_minimum_patients", definitions.REFERENCE_MINIMUM_PATIENTS),
        ("behaviour_smallest_group", behaviour.SMALLEST_GROUP),
        ("behaviour_standard_errors", behaviour.STANDARD_ERRORS),
        ("volume_factor", behaviour.VOLUME_FACTOR),
        ("volume_deliveries", behaviour.VOLUME_DELIVERIES),
    ]


def _codes(contract: Contract, table: str, column: str) -> list[Row]:
    return [(code,) for code in contract.table(table).column(column).allowed]


def _event_types(contract: Contract) -> list[Row]:
    return _codes(contract, "adverse_event", "event_type")


def _precaution_types(contract: Contract) -> list[Row]:
    return _codes(contract, "precaution", "precaution_type")


def _behaviours(_: Contract) -> list[Row]:
    return [(habit.check_id, habit.limit_percent) for habit in behaviour.BEHAVIOURS]


def _quality_checks(contract: Contract) -> list[Row]:
    found = [check for table in contract.tables for check in delivery_checks(contract, table)]
    return [
        (
            check.check_id,
            check.table,
            str(check.stage),
            str(check.kind),
            str(check.severity),
            check.reason,
            check.title,
            check.sentence,
        )
        for check in (*found, *release_checks(contract))
    ]


ROWS = {
    "measure": _measures,
    "condition": _conditions,
    "condition_rom": _condition_rom,
    "pain_preference": _pain_preference,
    "definition": _definitions,
    "responder_rule": _responder_rules,
    "region_mcid": _region_mcids,
    "impact_band": _impact_bands,
    "age_band": _age_bands,
    "planned_window": _planned_windows,
    "parameter": _parameters,
    "event_type": _event_types,
    "precaution_type": _precaution_types,
    "behaviour": _behaviours,
    "quality_check": _quality_checks,
}
