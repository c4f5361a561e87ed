"""Compares what a profile says about canonical rows with the contract: tables, fields, codes, measures, units, days."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import polars as pl

from assets.contract.checks import allowed_codes
from assets.contract.model import KEY_PATTERN, ColumnType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.model import Column, Contract, Table
    from assets.deliveries.problems import InputProblem
    from assets.deliveries.profile.fields import FieldSource, PlannedVisit, Score, TableSource, UnitSource
    from assets.deliveries.profile.text import Location, ProfileText

RESERVED_COLUMNS = ("row_number", "structure")
"""Columns that reading adds beside those of the source."""
VOCABULARY_FIELDS = {"icd10cm": "condition_id", "icd10cm_side": "side"}
"""The one field that each vocabulary gives codes for."""
REAL_DATES = "limited_data_set"
A_DAY = dt.date(2003, 2, 1)
"""Day, month and year differ, so that a format that loses one of them is found out."""


def check_table(text: ProfileText, at: Location, source: TableSource, contract: Contract, privacy_mode: str) -> None:
    """Check one table that a file feeds. Raises InputProblem."""
    tables = {table.name: table for table in contract.tables}
    if source.table not in tables:
        raise text.unknown((*at, "table"), "table", source.table, tables)
    table = tables[source.table]
    if source.skip_when_blank in RESERVED_COLUMNS:
        raise _reserved(text, (*at, "skip_when_blank"), str(source.skip_when_blank))
    _check_withdrawn(text, (*at, "withdrawn"), source)
    _check_scaling(text, at, source, contract)
    if source.fields == "same_names":
        return
    here = (*at, "fields")
    for name, field in source.fields.items():
        if name not in table.names:
            raise text.unknown((*here, name), f"in {table.name} the field", name, table.names)
        _check_field(text, (*here, name), contract, table, name, field)
        _check_day(text, (*here, name), table.column(name), field, privacy_mode)
    if table.name == "measurement" and "unit" in source.fields:
        _check_units_of_field(text, (*here, "unit"), source, source.fields["unit"], contract)
    for column in table.columns:
        if column.required and not {column.name, column.required_unless} & set(source.fields):
            instead = f" or {column.required_unless!r}" if column.required_unless else ""
            raise text.problem(
                here, f"{table.name} needs the field {column.name!r}{instead}", "Say which column holds it"
            )


def check_scores(text: ProfileText, at: Location, scores: Sequence[Score], contract: Contract) -> None:
    """Check the scores of a wide layout. Raises InputProblem."""
    measures = {measure.measure_id: measure for measure in contract.measures}
    for position, score in enumerate(scores):
        here = (*at, position)
        if score.measure not in measures:
            raise text.unknown((*here, "measure"), "measure", score.measure, measures)
        for key in ("column", "missing_when_blank"):
            if getattr(score, key) in RESERVED_COLUMNS:
                raise _reserved(text, (*here, key), getattr(score, key))
        for name in ("side", "method", "active_passive", "rater_key"):
            field = getattr(score, name)
            if field is not None:
                _check_field(text, (*here, name), contract, contract.table("measurement"), name, field)
        if score.unit is not None and score.unit.unit != measures[score.measure].unit:
            unit = measures[score.measure].unit
            what = f"{score.measure} is recorded in {unit}, not in {score.unit.unit}"
            raise text.problem((*here, "unit", "unit"), what, f"Say how many {unit} one unit of the source is")


def check_visits(text: ProfileText, at: Location, visits: Sequence[PlannedVisit], contract: Contract) -> None:
    """Check the planned visits of a wide layout. Raises InputProblem."""
    table = contract.table("visit")
    days = table.column("day_offset").possible
    for position, visit in enumerate(visits):
        here = (*at, position)
        if visit.name in [other.name for other in visits[:position]]:
            raise text.problem((*here, "name"), f"a second visit is called {visit.name!r}", "Give it another name")
        if days and not days.low <= visit.day <= days.high:
            what = f"the day of a visit lies between {days.low:g} and {days.high:g}"
            raise text.problem((*here, "day"), what, "Count days from the first visit")
        if visit.visit_type not in table.column("visit_type").allowed:
            known = table.column("visit_type").allowed
            raise text.unknown((*here, "visit_type"), "visit_type", visit.visit_type, known)
        check_scores(text, (*here, "scores"), visit.scores, contract)


def _check_withdrawn(text: ProfileText, at: Location, source: TableSource) -> None:
    if source.withdrawn is None:
        return
    if source.fields == "same_names":
        what = "in the canonical layout the column 'withdrawn' takes rows back"
        raise text.problem(at, what, "Leave this out, or name the fields")
    if source.withdrawn.column in RESERVED_COLUMNS:
        raise _reserved(text, (*at, "column"), source.withdrawn.column)
    if not all(code.strip() for code in source.withdrawn.codes):
        raise text.problem((*at, "codes"), "a blank cannot take a row back", "Give the codes that do")


def _check_scaling(text: ProfileText, at: Location, source: TableSource, contract: Contract) -> None:
    """Units, conversions and signs belong to measurements."""
    for key in ("units", "convert", "flip_sign"):
        if getattr(source, key) and source.table != "measurement":
            what = f"{key} means nothing in the table {source.table}"
            raise text.problem((*at, key), what, "Move it to the table measurement")
    measures = {measure.measure_id for measure in contract.measures}
    for name, unit in source.units.items():
        _check_unit(text, (*at, "units", name, "unit"), unit, contract)
    converted = {measure.measure_id for measure in contract.measures if measure.converted_from}
    for position, name in enumerate(source.convert):
        if name not in converted:
            raise text.unknown((*at, "convert", position), "converted measure", name, converted)
    for position, flip in enumerate(source.flip_sign):
        here = (*at, "flip_sign", position)
        for number, name in enumerate(flip.measures):
            if name not in measures:
                raise text.unknown((*here, "measures", number), "measure", name, measures)
        if flip.where and flip.where.column in RESERVED_COLUMNS:
            raise _reserved(text, (*here, "where", "column"), flip.where.column)


def _units(contract: Contract) -> set[str]:
    return {measure.unit for measure in contract.measures}


def _check_unit(text: ProfileText, at: Location, unit: UnitSource, contract: Contract) -> None:
    if unit.unit not in _units(contract):
        raise text.unknown(at, "unit", unit.unit, _units(contract))


def _check_units_of_field(
    text: ProfileText, at: Location, source: TableSource, field: FieldSource, contract: Contract
) -> None:
    known = _units(contract) | set(source.units)
    if field.prefix or field.suffix:
        return
    if field.constant is not None and str(field.constant) not in known:
        raise text.unknown((*at, "constant"), "unit", str(field.constant), known)
    for code, unit in field.codes.items():
        if unit not in known:
            raise text.unknown((*at, "codes", code), "unit", unit, known)


def _check_field(
    text: ProfileText, at: Location, contract: Contract, table: Table, name: str, field: FieldSource
) -> None:
    for used in field.used_columns:
        if used in RESERVED_COLUMNS:
            raise _reserved(text, at, used)
    # a key made of several columns may hold what the vocabulary gives: one episode per person and condition
    if field.vocabulary is not None and not field.columns and VOCABULARY_FIELDS.get(field.vocabulary) != name:
        what = f"the vocabulary {field.vocabulary} has no codes for {name}"
        raise text.problem((*at, "vocabulary"), what, f"It is for {VOCABULARY_FIELDS.get(field.vocabulary)}")
    column = table.column(name)
    if field.row_number and column.type is not ColumnType.KEY:
        raise text.problem((*at, "row_number"), f"the number of a row is no {name}", "It can only make a key")
    if column.type in (ColumnType.KEY, ColumnType.CODE):
        _check_codes(text, at, field, allowed_codes(contract, table, column), column)


def _check_codes(text: ProfileText, at: Location, field: FieldSource, known: tuple[str, ...], column: Column) -> None:
    constant = None if field.constant is None else f"{field.prefix}{field.constant}{field.suffix}"
    if known:
        if constant is not None and constant not in known:
            raise text.unknown((*at, "constant"), "code", constant, known)
        for source, code in field.codes.items():
            if f"{field.prefix}{code}{field.suffix}" not in known:
                raise text.unknown((*at, "codes", source), "code", code, known)
        if field.if_blank is not None and field.if_blank not in known:
            raise text.unknown((*at, "if_blank"), "code", field.if_blank, known)
    pattern = KEY_PATTERN if column.type is ColumnType.KEY else column.pattern
    if constant is not None and pattern and not re.fullmatch(pattern, constant):
        raise text.problem((*at, "constant"), f"{column.name} cannot have this form", f"It must match {pattern}")


def _check_day(text: ProfileText, at: Location, column: Column, field: FieldSource, privacy_mode: str) -> None:
    if field.date_format is None:
        return
    here = (*at, "date_format")
    if column.type is not ColumnType.DAY:
        raise text.problem(here, f"{column.name} is no date", "Leave date_format out")
    if privacy_mode != REAL_DATES:
        what = f"dates may not be sent where privacy_mode is {privacy_mode}"
        raise text.problem(here, what, f"Send day numbers, or declare {REAL_DATES} under a data use agreement")
    if _read_back(field.date_format) != A_DAY:
        what = "this is not how a day, a month and a year are written"
        raise text.problem(here, what, "Write for example %d/%m/%Y")


def _read_back(date_format: str) -> dt.date | None:
    """What the reader makes of a day that was written in this format."""
    try:
        written = A_DAY.strftime(date_format)
        return pl.Series([written]).str.to_date(date_format, strict=False).item()  # type: ignore[no-any-return]
    except (ValueError, pl.exceptions.PolarsError):
        return None


def _reserved(text: ProfileText, at: Location, column: str) -> InputProblem:
    return text.problem(at, f"the column name {column!r} is taken by the reader", "Rename the column in the export")
