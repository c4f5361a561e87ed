"""Every check of the contract that sets a row aside: a clean row passes, a planted fault is found by that check alone.

The faults are made from the contract, so that a new column, code, bound or measure is covered by itself; only rules
written in SQL name their fault here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, allowed_codes, delivery_checks
from assets.contract.model import ColumnType
from assets.deliveries.emitters import Emitter
from assets.deliveries.formats import ROW_NUMBER, STRUCTURE
from assets.deliveries.profile.fields import FieldSource
from assets.deliveries.rules import measure_frame, row_checks
from assets.deliveries.typing_pass import Notation, typed_rows

if TYPE_CHECKING:
    from assets.contract.model import Measure, Table

FAULTS_OF_RULES: dict[str, dict[str, str]] = {
    "measurement.unit.of_measure": {"unit": "furlong"},
    "measurement.side.of_measure": {"side": "left"},
    "measurement.value.decimals": {"value": "5.5"},
    "episode.discharge_day.only_when_closed": {"discharge_reason": "still_open", "discharge_day": "30"},
    "treatment.needle_count.only_needling": {"treatment_class": "massage", "needle_count": "3"},
    "visit.calendar_day.dated": {"calendar_day": "20001", "extract_day": "20000"},
    "adverse_event.severity.of_type": {"event_type": "pneumothorax", "severity": "minor"},
}
ALSO = {
    "measurement.side.allowed": {"measurement.side.of_measure"},
    "treatment.treatment_class.allowed": {"treatment.needle_count.only_needling"},
}
"""Faults that cannot be made without another one."""


def clean(table: Table) -> dict[str, str]:
    """A row with every column filled that nothing is wrong with."""
    row = {}
    for column in table.columns:
        codes = allowed_codes(CONTRACT, table, column)
        if column.written_by_reader:
            row[column.name] = ""
        elif column.type is ColumnType.KEY:
            row[column.name] = f"K-{column.name}"
        elif column.type is ColumnType.CODE:
            row[column.name] = codes[0] if codes else "000"  # matches every pattern
        else:
            row[column.name] = str(int(column.plausible.low)) if column.plausible else "1"
    if table.name == "measurement":
        measure = CONTRACT.measure(row["measure_id"])
        row |= {"unit": measure.unit, "side": "left" if measure.sided else "none", "value": "5"}
    return row


def check_ids(table: Table, *rows: dict[str, str]) -> list[set[str]]:
    """What the typing pass finds in each row."""
    source = pl.LazyFrame(rows, schema=dict.fromkeys(table.names, pl.String())).with_row_index(ROW_NUMBER, offset=1)
    source = source.with_columns(pl.lit(value=False).alias(STRUCTURE))
    fields = {name: FieldSource(column=name) for name in table.names}
    emitter = Emitter(table, fields)
    bits = typed_rows(source, CONTRACT, emitter, Notation()).collect().sort(ROW_NUMBER)["violations"].to_list()
    checks = row_checks(CONTRACT, table)
    return [{check.check_id for bit, check in enumerate(checks) if found >> bit & 1} for found in bits]


def fault(check: Check, table: Table) -> list[dict[str, str]]:
    """Rows that violate ``check`` and, as far as the contract allows, nothing else."""
    column = str(check.column)
    good = clean(table)
    if check.check_id in FAULTS_OF_RULES:
        changes = [FAULTS_OF_RULES[check.check_id]]
    elif check.kind is Kind.REQUIRED:
        changes = [{column: "", str(table.column(column).required_unless or column): ""}]
    elif check.kind is Kind.READABLE:
        changes = [{column: text} for text in ("x", "1,5", "NaN", " 1", "1e99")]
    elif check.kind is Kind.PATTERN:
        changes = [{column: text} for text in ("a b", "-a", "a/b", "\u00e9", "x" * 65, "a\n", "<script>", "a\u200b")]
    elif check.kind is Kind.ALLOWED:
        changes = [{column: text} for text in ("nonsense", good[column].upper() + "!", f" {good[column]}")]
    else:
        assert check.bounds is not None
        changes = [{column: str(int(check.bounds.low) - 1)}, {column: str(int(check.bounds.high) + 1)}]
    return [good | change for change in changes]


TABLES = pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
CHECKS = [
    (table, check)
    for table in CONTRACT.tables
    for check in row_checks(CONTRACT, table)
    if check.kind is not Kind.STRUCTURE and check.check_id != "measurement.value.possible"
]


@TABLES
def test_clean_row_passes(table: Table) -> None:
    assert check_ids(table, clean(table)) == [set()]


@TABLES
def test_optional_columns_may_be_empty(table: Table) -> None:
    required = {column.name for column in table.columns if column.required}
    assert check_ids(table, {name: text if name in required else "" for name, text in clean(table).items()}) == [set()]


@TABLES
def test_bits_fit_and_cover_every_check_that_sets_rows_aside(table: Table) -> None:
    checks = row_checks(CONTRACT, table)
    assert len(checks) <= 63
    expected = {
        check.check_id for check in delivery_checks(CONTRACT, table) if check.sets_aside and not check.measure_id
    }
    extra = {"measurement.value.possible"} if table.name == "measurement" else set()
    assert {check.check_id for check in checks} == expected | extra


@pytest.mark.parametrize(("table", "check"), CHECKS, ids=[check.check_id for _, check in CHECKS])
def test_fault_is_found_by_its_check_alone(table: Table, check: Check) -> None:
    for found in check_ids(table, *fault(check, table)):
        assert check.check_id in found
        assert found - {check.check_id} <= ALSO.get(check.check_id, set())


@pytest.mark.parametrize("measure", CONTRACT.measures, ids=lambda measure: measure.measure_id)
def test_bounds_of_every_measure(measure: Measure) -> None:
    """The ends are possible, one step beyond them is not, and half a step is too precise."""
    table = CONTRACT.table("measurement")
    row = clean(table) | {
        "measure_id": measure.measure_id,
        "unit": measure.unit,
        "side": "right" if measure.sided else "none",
    }
    step = float(measure.step)
    low, high = measure.possible.low, measure.possible.high
    values = (low, high, low - step, high + step, low + step / 2)
    assert check_ids(table, *(row | {"value": f"{value:.6f}"} for value in values)) == [
        set(),
        set(),
        {"measurement.value.possible"},
        {"measurement.value.possible"},
        {"measurement.value.decimals"},
    ]


def test_every_allowed_code_is_allowed() -> None:
    for table in CONTRACT.tables:
        for column in table.columns:
            codes = [] if table.name == "measurement" else allowed_codes(CONTRACT, table, column)
            for code in codes:
                (found,) = check_ids(table, clean(table) | {column.name: code})
                assert f"{table.name}.{column.name}.allowed" not in found


def test_measure_frame_has_one_row_per_measure() -> None:
    frame = measure_frame(CONTRACT)
    assert frame["measure_id"].is_unique().all()
    assert frame.height == len(CONTRACT.measures)
    assert frame.null_count().sum_horizontal().item() == 0
