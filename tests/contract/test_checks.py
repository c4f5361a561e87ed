"""The checks that follow from the contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, Stage, allowed_codes, delivery_checks, release_checks
from assets.contract.model import Bounds, Column, ColumnType, Severity, Table

TABLES = pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
CHECKS = (*(c for table in CONTRACT.tables for c in delivery_checks(CONTRACT, table)), *release_checks(CONTRACT))


def kinds(table: Table, column: str) -> set[Kind]:
    return {c.kind for c in delivery_checks(CONTRACT, table) if c.column == column and c.measure_id is None}


def test_there_are_enough_and_their_ids_are_unique() -> None:
    assert len(CHECKS) >= 60
    assert len({check.check_id for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.check_id)
def test_check_is_complete(check: Check) -> None:
    assert check.check_id.startswith(f"{check.table}.")
    assert check.title
    assert check.sentence.endswith(".")
    assert check.reason == check.reason.upper()
    assert 0 <= check.tolerance <= 1
    if check.column is not None:
        CONTRACT.table(check.table).column(check.column)
    given = {
        "allowed": bool(check.allowed),
        "bounds": check.bounds is not None,
        "pattern": check.pattern is not None,
        "violated": check.violated is not None,
    }
    needed = {
        Kind.SCHEMA: {"allowed"},
        Kind.ALLOWED: {"allowed"},
        Kind.POSSIBLE: {"bounds"},
        Kind.PLAUSIBLE: {"bounds"},
        Kind.PATTERN: {"pattern"},
        Kind.ROW_RULE: {"violated"},
    }
    assert {name for name, there in given.items() if there} == needed.get(check.kind, set())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.check_id)
def test_only_rules_of_one_row_set_rows_aside_on_reading(check: Check) -> None:
    if check.kind in (Kind.UNIQUE, Kind.REFERENCE, Kind.RULE, Kind.BEHAVIOUR, Kind.VOLUME):
        assert check.stage is Stage.RELEASE
    else:
        assert check.stage is Stage.DELIVERY
    assert check.sets_aside == (
        check.severity is Severity.CRITICAL and check.kind not in (Kind.SCHEMA, Kind.TYPE, Kind.USABLE)
    )
    if check.kind is Kind.PLAUSIBLE:
        assert check.severity is Severity.WARNING


@TABLES
def test_every_property_of_a_column_is_checked(table: Table) -> None:
    for column in table.columns:
        found = kinds(table, column.name)
        foreign = any(reference.column == column.name for reference in table.references)
        number = column.is_number
        expected = {
            Kind.TYPE: True,
            Kind.REQUIRED: column.required,
            Kind.READABLE: number,
            Kind.PATTERN: (column.type is ColumnType.KEY and not foreign) or column.pattern is not None,
            Kind.ALLOWED: bool(allowed_codes(CONTRACT, table, column)),
            Kind.POSSIBLE: column.possible is not None,
            Kind.PLAUSIBLE: column.plausible is not None,
        }
        assert {kind for kind, there in expected.items() if there} == found - {Kind.ROW_RULE}


@TABLES
def test_every_table_is_checked_as_a_whole(table: Table) -> None:
    assert [c.kind for c in delivery_checks(CONTRACT, table) if c.column is None] == [
        Kind.SCHEMA,
        Kind.STRUCTURE,
        Kind.USABLE,
    ]
    release = [c for c in release_checks(CONTRACT) if c.table == table.name]
    assert [c.kind for c in release].count(Kind.UNIQUE) == 1
    references = {c.column for c in release if c.kind is Kind.REFERENCE}
    assert references == {reference.column for reference in table.references}


def test_every_measure_has_its_range() -> None:
    possible = {c.measure_id for c in CHECKS if c.kind is Kind.POSSIBLE and c.table == "measurement"}
    assert possible == {measure.measure_id for measure in CONTRACT.measures}
    plausible = {c.measure_id for c in CHECKS if c.kind is Kind.PLAUSIBLE and c.table == "measurement"}
    assert plausible == {measure.measure_id for measure in CONTRACT.measures if measure.plausible}


def test_a_new_column_and_a_new_measure_bring_their_checks() -> None:
    patient = CONTRACT.table("patient")
    column = Column("height", ColumnType.INTEGER, "Height", "cm", required=True, possible=Bounds(30, 250, "people"))
    taller = replace(patient, columns=(*patient.columns, column))
    new = {c.check_id for c in delivery_checks(CONTRACT, taller)} - {
        c.check_id for c in delivery_checks(CONTRACT, patient)
    }
    assert new == {f"patient.height.{kind}" for kind in ("type", "required", "readable", "possible")}
    measure = replace(CONTRACT.measures[0], measure_id="extra")
    contract = CONTRACT.extended(measures=(measure,))
    table = contract.table("measurement")
    assert "extra" in allowed_codes(contract, table, table.column("measure_id"))
    assert "measurement.value.possible.extra" in {c.check_id for c in delivery_checks(contract, table)}
