"""From a column to the line of a profile that reads it: constants, codes, missing codes, dates, and what to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.checks import allowed_codes
from assets.contract.model import ColumnType
from assets.deliveries.profile.drafting.naming import code_of, meaning_of
from assets.deliveries.profile.drafting.writing import Line, flow, scalar, sequence, together

if TYPE_CHECKING:
    from assets.contract.model import Column as Field
    from assets.contract.model import Contract, Table
    from assets.deliveries.profile.drafting.columns import Column

PLACEHOLDER = "WHICH_{}"
"""Stands where only a person knows; ``load_profile`` refuses it and names the line."""
OLDEST = 90

DEFAULTS = {
    "sex": ("unknown", "no column says the sex; which one does?"),
    "clinic_key": ("clinic", "no column names the clinic; is this one clinic, and what is its key?"),
    "discharge_reason": ("unknown", "no column says why episodes end; which one does?"),
    "visit_type": ("treat", "no column says what a visit was for; which one does?"),
    "attendance": ("attended", "is every visit in the file one that took place?"),
    "side": ("none", "no column says the side of the body; have these measures none?"),
    "severity": ("minor", "no column says how serious events were; which one does?"),
    "present": ("yes", "is every precaution in the file one that applies?"),
}
"""What a draft assumes for a required field that no column fits, and what it asks."""


def field_line(field: Field, table: Table, column: Column, contract: Contract) -> Line | None:
    """The line for a canonical field, or None where the column does not hold what the field needs."""
    if field.type is ColumnType.KEY:
        return Line(f"{field.name}: {scalar(column.name)}")
    if field.type is ColumnType.CODE:
        return _codes(field, table, column, contract)
    if field.type is ColumnType.DAY:
        return _day(field, column)
    return _number(field, column)


def default_line(field: Field) -> Line:
    """The line for a required field that no column fits."""
    if field.name == "condition_id":
        which = PLACEHOLDER.format("CONDITION")
        return Line(f"condition_id: {{constant: {which}}}", "which condition is treated, or which column says so?")
    if field.name in DEFAULTS:
        constant, question = DEFAULTS[field.name]
        return Line(f"{field.name}: {{constant: {constant}}}", question)
    return Line("", f"{field.name} is needed: which column holds it?")


def _number(field: Field, column: Column) -> Line | None:
    whole = field.type is not ColumnType.INTEGER or column.is_whole
    bounds = field.possible
    if not column.is_number or not whole:
        return None
    question = ""
    if field.name == "age_years" and column.high > OLDEST:
        question = "ages over 90 must be sent as 90; needlepoint deidentify does that"
    elif bounds and not (bounds.low <= column.low and column.high <= bounds.high):
        question = f"some values lie outside {bounds.low:g} to {bounds.high:g}; is this the right column?"
    return _with_missing(field.name, column, question)


def _day(field: Field, column: Column) -> Line | None:
    if column.is_date:
        first, *others = column.dates
        form = {} if first == "%Y-%m-%d" else {"date_format": scalar(first)}
        question = f"could it be {others[0]}? Both fit" if others else ""
        source = flow({"column": scalar(column.name), **form}) if form else scalar(column.name)
        return Line(f"{field.name}: {source}", question)
    return Line(f"{field.name}: {scalar(column.name)}") if column.is_number and column.is_whole else None


def _with_missing(name: str, column: Column, question: str = "") -> Line:
    if not column.blanks:
        return Line(f"{name}: {scalar(column.name)}", question)
    ask = f"do {', '.join(column.blanks)} mean not recorded?"
    source = flow({"column": scalar(column.name), "missing": sequence(column.blanks)})
    return Line(f"{name}: {source}", together([question, ask]))


def _codes(field: Field, table: Table, column: Column, contract: Contract) -> Line | None:
    if field.name == "condition_id" and column.is_icd10:
        return Line(f"condition_id: {flow({'column': scalar(column.name), 'vocabulary': 'icd10cm'})}")
    allowed = allowed_codes(contract, table, field)
    if not allowed:
        return Line(f"{field.name}: {scalar(column.name)}")
    known, unknown = _translated(field.name, column, allowed)
    if not known and not field.required:
        return None
    asks = []
    if field.name == "sex" and set(column.codes) - set(column.blanks) <= {"0", "1", "2"}:
        known, unknown, ask = _numbered_sexes(column)
        asks.append(ask)
    missing = tuple(code for code in column.blanks if code not in known)
    if missing and "unknown" in allowed:
        known.update(dict.fromkeys(missing, "unknown"))
        asks.append(f"do {', '.join(missing)} mean not recorded?")
        missing = ()
    if unknown and not field.required:
        asks.append(f"what do {', '.join(unknown)} mean?")
    elif unknown or (column.rare and not known):
        which = PLACEHOLDER.format(field.name.removesuffix("_id").upper())
        known.update(dict.fromkeys(unknown or ["WHICH_CODE"], which))
        asks.append("what do these codes mean?")
    if column.rare:
        asks.append(f"{column.rare} more values are too rare or too long to be shown; list those that count")
    codes = {code: scalar(meant) for code, meant in known.items() if code != meant}
    source = {"column": scalar(column.name)}
    source.update({"codes": flow(codes)} if codes else {})
    source.update({"missing": sequence(missing)} if missing else {})
    if missing:
        asks.append(f"do {', '.join(missing)} mean not recorded?")
    return Line(f"{field.name}: {flow(source) if len(source) > 1 else scalar(column.name)}", together(asks))


def _translated(name: str, column: Column, allowed: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Codes of a column with their meanings, and those that nobody knows."""
    known: dict[str, str] = {}
    unknown: list[str] = []
    for code in column.codes:
        meant = code_of(name, code, allowed)
        if meant:
            known[code] = meant
        elif code not in column.blanks:
            unknown.append(code)
    return known, unknown


def _numbered_sexes(column: Column) -> tuple[dict[str, str], list[str], str]:
    codes = [code for code in column.codes if code not in column.blanks]
    if "0" not in codes:
        by_standard = {"1": "M", "2": "F"}
        return {code: by_standard[code] for code in codes}, [], "these are the codes of ISO 5218; are they yours?"
    return dict.fromkeys(codes, "unknown"), [], "which code is F, which is M?"


def measure_line(column: Column, contract: Contract) -> tuple[Line, tuple[str, ...]]:
    """The line for ``measure_id`` of a long layout, and the measures it knows."""
    codes: dict[str, str] = {}
    asks: list[str] = []
    found: list[str] = []
    ids = [measure.measure_id for measure in contract.measures]
    for code in column.codes:
        measures = (code,) if code in ids else meaning_of(code, contract).measures
        paired = len(measures) > 1 and measures[0].endswith(("_left", "_right"))
        codes[code] = measures[0] if measures and not paired else PLACEHOLDER.format("MEASURE")
        found.extend(measures[:1])
        if len(measures) > 1:
            asks.append(f"is {code} {' or '.join(measures)}?")
        elif not measures:
            asks.append(f"what is {code}?")
    if column.rare:
        codes.update({} if codes else {"WHICH_CODE": PLACEHOLDER.format("MEASURE")})
        asks.append(f"{column.rare} values are too rare or too long to be shown; list those that count")
    translated = {code: scalar(meant) for code, meant in codes.items() if code != meant}
    source = {"column": scalar(column.name), **({"codes": flow(translated)} if translated else {})}
    text = flow(source) if translated else scalar(column.name)
    return Line(f"measure_id: {text}", together(asks)), tuple(found)


def unit_lines(column: Column | None, measures: tuple[str, ...], contract: Contract) -> tuple[Line, Line | None]:
    """The line for ``unit`` of a long layout, and the one for ``units`` of its table."""
    by_id = {measure.measure_id: measure for measure in contract.measures}
    expected = {by_id[measure].unit for measure in measures}
    if column is None:
        if len(expected) == 1:
            return Line(f"unit: {{constant: {expected.pop()}}}", "is this the unit of every score?"), None
        return Line("", "unit is needed: which column holds it?"), None
    known = {measure.unit for measure in contract.measures}
    units: dict[str, str] = {}
    asks = []
    for code in column.codes:
        meant = code_of("unit", code, tuple(sorted(known)))
        if code == "cm" and "vas_mm" in measures and "cm" not in expected:
            units[code] = flow({"unit": "mm", "times": "10"})
            asks.append("is the VAS sent in cm?")
        elif meant and meant != code:
            units[code] = flow({"unit": meant})
        elif code.lower() in ("in", "inch", "inches"):
            units[code] = flow({"unit": "cm", "times": "2.54"})
        elif meant is None:
            asks.append(f"what unit is {code}?")
    if column.rare:
        asks.append(f"{column.rare} values are too rare or too long to be shown; list them under units if they differ")
    more = Line(f"units: {flow(units)}") if units else None
    return Line(f"unit: {scalar(column.name)}", together(asks)), more


def value_line(column: Column) -> Line:
    """The line for ``value`` of a long layout."""
    return _with_missing("value", column)
