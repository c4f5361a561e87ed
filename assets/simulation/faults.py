"""How to break every check of the contract, one row at a time.

A fault changes an otherwise good row so that it violates exactly the checks it names. Most faults follow from the
check itself: a null where it requires a value, a code it does not know, a number beyond its bounds. Rules that only
SQL states have a recipe here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assets.contract.checks import Kind, delivery_checks, release_checks
from assets.contract.model import Severity
from assets.contract.tables import OLDEST_PERSON_YEARS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.checks import Check
    from assets.contract.model import Bounds, Contract, Measure, Table

Row = dict[str, str | None]


class Shape(StrEnum):
    """Which rows one instance of a fault consists of, and what they are expected to lead to."""

    SET_ASIDE = "set_aside"  # one row, quarantined
    NOTED = "noted"  # one row, accepted with a warning
    CONFLICT = "conflict"  # two rows with one key and different content: nobody knows which is right, both quarantined
    REPEAT = "repeat"  # two identical rows: one accepted, one superseded
    LATE_VISIT = "late_visit"  # an episode with an attended visit after discharge: episode quarantined
    LATE_START = "late_start"  # an episode whose only visit is not on day 0: accepted with a warning
    TOO_MANY_FIELDS = "too_many_fields"  # one line, quarantined
    TOO_FEW_FIELDS = "too_few_fields"  # one line, quarantined


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break checks of ``table``.

    ``changes`` are applied to a good row ("{n}" becomes a key that occurs nowhere else). ``check_ids`` are the critical
    checks that each quarantined row violates, ``warnings`` the checks of severity warning that each row of the fault
    violates. ``text_only`` faults cannot exist in a typed file. ``companion`` changes a good row into another good one
    that the same check evaluates: where a network has no rows of its own for a check, all it sees would be dirty, and
    the whole delivery would be held.
    """

    name: str
    table: str
    shape: Shape
    changes: Row
    check_ids: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    text_only: bool = False
    companion: Row | None = None


NEEDLING: Row = {"treatment_class": "dry_needling", "needle_count": "4", "ltr_elicited": "not_recorded"}
RULE_RECIPES: dict[str, tuple[tuple[Shape, Row], ...]] = {
    "measurement.unit.of_measure": ((Shape.SET_ASIDE, {"unit": "percent"}),),
    "measurement.side.of_measure": (
        (Shape.SET_ASIDE, {"side": "bilateral"}),
        (Shape.SET_ASIDE, {"measure_id": "slr", "unit": "deg", "side": "none", "value": "70"}),
    ),
    "measurement.value.decimals": (
        (Shape.SET_ASIDE, {"value": "0.5"}),
        (Shape.SET_ASIDE, {"measure_id": "nprs_avg24h", "value": "4.5"}),
    ),
    "episode.discharge_day.only_when_closed": (
        (Shape.SET_ASIDE, {"discharge_reason": "still_open", "discharge_day": "10"}),
    ),
    "treatment.needle_count.only_needling": ((Shape.SET_ASIDE, {"needle_count": "3"}),),
    "treatment.ltr_elicited.stated": ((Shape.NOTED, {**NEEDLING, "ltr_elicited": None}),),
    "adverse_event.severity.of_type": ((Shape.SET_ASIDE, {"event_type": "infection"}),),
    "episode.discharge_day.after_last_visit": (
        (Shape.LATE_VISIT, {"discharge_day": "5", "discharge_reason": "plateau"}),
    ),
    "treatment.treatment_class.sham_in_trials_only": ((Shape.SET_ASIDE, {"treatment_class": "sham"}),),
    "visit.day_offset.starts_at_zero": ((Shape.LATE_START, {"day_offset": "7"}),),
}
DIFFERENT: dict[str, Row] = {
    "patient": {"sex": "M"},
    "episode": {"payer": "medicare"},
    "visit": {"visit_type": "re_eval"},
    "measurement": {"value": "1"},
    "treatment": {"minutes": "25"},
    "adverse_event": {"duration_hours": "12"},
    "precaution": {"present": "no"},
}
"""What the second of two conflicting rows says instead."""

EMPTY_IN_ROUTINE_CARE = ("visit.planned_day",)
NEEDLING_COLUMNS = ("needle_count", "muscle_count")
FILE_KINDS = (Kind.SCHEMA, Kind.TYPE, Kind.USABLE)
"""Kinds that look at a file as a whole; no single row breaks them."""
ONLY_IN_TRIALS = ("episode.arm.pattern",)
"""Checks of what clinics never send: all they would ever see is the planted fault."""


def is_of_layout(contract: Contract, check: Check) -> bool:
    """Whether a check looks at what every clinic sends; optional columns are not in the simulated feeds."""
    table = next((table for table in contract.tables if table.name == check.table), None)
    return not (table and check.column in table.names and table.column(str(check.column)).optional)


def faults(contract: Contract, *, typed: bool) -> tuple[Fault, ...]:
    """Every fault that can be planted; ``typed`` leaves out those that a typed file cannot hold."""
    found = [fault for table in contract.tables for fault in _table_faults(contract, table)]
    return tuple(fault for fault in found if not (typed and fault.text_only))


def not_planted(contract: Contract) -> tuple[str, ...]:
    """Checks of rows that no fault breaks: warnings over many rows, and what only trials send."""
    planted = {check_id for fault in faults(contract, typed=False) for check_id in (*fault.check_ids, *fault.warnings)}
    every = [c for table in contract.tables for c in delivery_checks(contract, table)] + [*release_checks(contract)]
    looked_at = [check for check in every if check.kind not in FILE_KINDS and is_of_layout(contract, check)]
    return tuple(check.check_id for check in looked_at if check.check_id not in planted)


def _table_faults(contract: Contract, table: Table) -> Iterator[Fault]:
    for check in delivery_checks(contract, table):
        if check.check_id not in ONLY_IN_TRIALS and is_of_layout(contract, check):
            yield from _delivery_faults(contract, table, check)
    for check in release_checks(contract):
        if check.table != table.name:
            continue
        if check.kind is Kind.UNIQUE:
            yield Fault(check.check_id, table.name, Shape.CONFLICT, DIFFERENT[table.name], (check.check_id,))
        elif check.kind is Kind.REFERENCE:
            yield _one(check, {str(check.column): "nobody-{n}"})
        else:
            yield from _rule_faults(check)
    yield Fault(f"{table.name}.exact_duplicate", table.name, Shape.REPEAT, {})


def _delivery_faults(contract: Contract, table: Table, check: Check) -> Iterator[Fault]:
    column = str(check.column)
    if check.kind is Kind.REQUIRED:
        yield _one(check, {column: None})
    elif check.kind is Kind.READABLE:
        yield _unreadable(table, check)
    elif check.kind is Kind.PATTERN:
        yield _one(check, {column: "?{n}"})
    elif check.kind is Kind.ALLOWED:
        # a side that is no side is never the side a measure needs
        also = ("measurement.side.of_measure",) if (table.name, column) == ("measurement", "side") else ()
        yield _one(check, {column: "not_a_code"}, also=also)
    elif check.kind is Kind.POSSIBLE:
        yield from _impossible(contract, table, check)
    elif check.kind is Kind.PLAUSIBLE:
        yield _implausible(contract, table, check)
    elif check.kind is Kind.ROW_RULE:
        yield from _rule_faults(check)
    elif check.kind is Kind.STRUCTURE:
        yield from _ragged(table, check)


def _one(check: Check, changes: Row, *, also: tuple[str, ...] = ()) -> Fault:
    return Fault(check.check_id, check.table, Shape.SET_ASIDE, changes, (check.check_id, *also))


def _unreadable(table: Table, check: Check) -> Fault:
    column = table.column(str(check.column))
    scarce = column.possible if f"{table.name}.{column.name}" in EMPTY_IN_ROUTINE_CARE else None
    return Fault(
        check.check_id,
        table.name,
        Shape.SET_ASIDE,
        {**_setting(column.name), column.name: "abc"},
        (check.check_id,),
        text_only=True,
        companion={column.name: f"{scarce.low:g}"} if scarce else None,
    )


def _ragged(table: Table, check: Check) -> Iterator[Fault]:
    """A line with a field too many, and one without its last field, which a reader then finds empty."""
    last = table.column(table.layout[-1])
    also = (f"{table.name}.{last.name}.{Kind.REQUIRED}",) if last.required else ()
    ids = (check.check_id,)
    yield Fault(f"{check.check_id}.more", table.name, Shape.TOO_MANY_FIELDS, {}, ids, text_only=True)
    yield Fault(f"{check.check_id}.fewer", table.name, Shape.TOO_FEW_FIELDS, {}, (*ids, *also), text_only=True)


def _rule_faults(check: Check) -> Iterator[Fault]:
    for number, (shape, changes) in enumerate(RULE_RECIPES.get(check.check_id, ())):
        critical = check.severity is Severity.CRITICAL
        yield Fault(
            f"{check.check_id}.{number + 1}",
            check.table,
            shape,
            changes,
            (check.check_id,) if critical else (),
            () if critical else (check.check_id,),
        )


def _impossible(contract: Contract, table: Table, check: Check) -> Iterator[Fault]:
    bounds, plausible, prefix = _limits(contract, table, check)
    scarce = check.measure_id or prefix in EMPTY_IN_ROUTINE_CARE
    companion = _number(contract, check, (plausible or bounds).low) if scarce else None
    warnings = (f"{prefix}.{Kind.PLAUSIBLE}{_suffix(check)}",) if plausible else ()
    # an age between the two is that of a person over 90, for which the identifier gate refuses the delivery
    above = OLDEST_PERSON_YEARS + 1 if prefix == "patient.age_years" else bounds.high + 1
    for name, value in (("below", bounds.low - 1), ("above", above)):
        yield Fault(
            f"{check.check_id}.{name}",
            table.name,
            Shape.SET_ASIDE,
            _number(contract, check, value),
            (check.check_id,),
            warnings,
            companion=companion,
        )


def _implausible(contract: Contract, table: Table, check: Check) -> Fault:
    """One unit beyond the plausible bounds but within the possible ones."""
    possible, plausible, _ = _limits(contract, table, check)
    if plausible is None:
        message = f"{check.check_id} has no bounds"
        raise ValueError(message)
    value = plausible.high + 1 if plausible.high < possible.high else plausible.low - 1
    changes = _number(contract, check, value)
    return Fault(check.check_id, table.name, Shape.NOTED, changes, warnings=(check.check_id,))


def _limits(contract: Contract, table: Table, check: Check) -> tuple[Bounds, Bounds | None, str]:
    column = table.column(str(check.column))
    prefix = f"{table.name}.{column.name}"
    if check.measure_id:
        measure = contract.measure(check.measure_id)
        return measure.possible, measure.plausible, prefix
    if column.possible is None:
        message = f"{check.check_id} has no possible bounds"
        raise ValueError(message)
    return column.possible, column.plausible, prefix


def _suffix(check: Check) -> str:
    return f".{check.measure_id}" if check.measure_id else ""


def _number(contract: Contract, check: Check, value: float) -> Row:
    column = str(check.column)
    if check.measure_id:
        return {**measure_row(contract.measure(check.measure_id)), column: f"{value:g}"}
    return {**_setting(column), column: f"{value:g}"}


def _setting(column: str) -> Row:
    """What else a row must say so that only ``column`` is wrong with it."""
    return NEEDLING if column in NEEDLING_COLUMNS else {}


def measure_row(measure: Measure) -> Row:
    """Columns of a measurement that follow from its measure."""
    return {"measure_id": measure.measure_id, "side": "left" if measure.sided else "none", "unit": measure.unit}
