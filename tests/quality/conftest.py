"""A lake file of any table, written by hand, and a connection to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind, delivery_checks
from assets.deliveries.rules import polars_type, row_checks

if TYPE_CHECKING:
    from assets.contract.model import Table

Row = dict[str, Any]
WriteLake = Callable[..., Path]

GOOD: dict[str, Row] = {
    "patient": {"patient_key": "p1", "sex": "F", "age_years": 40, "zip3": "945", "population": "other"},
    "episode": {
        "episode_key": "e1",
        "patient_key": "p1",
        "clinic_key": "c1",
        "therapist_key": "t1",
        "condition_id": CONTRACT.conditions[0].condition_id,
        "side": "left",
        "start_year": 2024,
        "symptom_duration": "chronic",
        "surgery_count": 0,
        "comorbidity_count": 1,
        "fear_avoidance": "no",
        "prior_episode": "no",
        "payer": "commercial",
        "discharge_day": 60,
        "discharge_reason": "goals_met",
        "discharge_calendar_day": 20060,
        "arm": "A1",
    },
    "visit": {
        "visit_key": "v1",
        "episode_key": "e1",
        "day_offset": 0,
        "planned_day": 0,
        "visit_type": "eval",
        "attendance": "attended",
        "adverse_events_asked": "yes",
        "calendar_day": 20000,
        "extract_day": 20001,
        "recorded_minute": 600,
    },
    "measurement": {
        "visit_key": "v1",
        "measure_id": "nprs_avg24h",
        "side": "none",
        "active_passive": "not_applicable",
        "method": "questionnaire",
        "rater_key": "r1",
        "value": 5,
        "unit": "points",
    },
    "treatment": {
        "visit_key": "v1",
        "treatment_class": "dry_needling",
        "minutes": 30,
        "needle_count": 4,
        "muscle_count": 2,
        "technique": "deep",
        "ltr_elicited": "yes",
    },
    "adverse_event": {
        "visit_key": "v1",
        "event_type": "soreness",
        "severity": "minor",
        "duration_hours": 12,
        "resolved": "yes",
        "related": "yes",
    },
    "precaution": {"patient_key": "p1", "precaution_type": "pregnancy", "present": "no"},
}

BROKEN_RULES: dict[str, Row] = {
    "visit.calendar_day.dated": {"calendar_day": 20002},
    "measurement.unit.of_measure": {"unit": "mm"},
    "measurement.side.of_measure": {"side": "left"},
    "measurement.value.decimals": {"value": "5.5"},
    "episode.discharge_day.only_when_closed": {"discharge_reason": "still_open"},
    "treatment.needle_count.only_needling": {"treatment_class": "massage"},
    "treatment.ltr_elicited.stated": {"ltr_elicited": None},
    "adverse_event.severity.of_type": {"event_type": "infection"},
}


def score_of(measure_id: str) -> Row:
    """A good measurement of any measure."""
    measure = CONTRACT.measure(measure_id)
    side = "left" if measure.sided else "none"
    value = (measure.plausible or measure.possible).high
    return GOOD["measurement"] | {"measure_id": measure_id, "side": side, "unit": measure.unit, "value": value}


def good_rows(table: str) -> list[Row]:
    """Rows without a fault; measurements have one of every measure."""
    if table == "measurement":
        return [score_of(measure.measure_id) for measure in CONTRACT.measures]
    return [GOOD[table]]


def broken_row(check: Check) -> Row:  # noqa: PLR0911 one return per kind reads best
    """A row that violates ``check``, made from a good one."""
    row = score_of(check.measure_id) if check.measure_id else dict(GOOD[check.table])
    column = str(check.column)
    if check.kind is Kind.STRUCTURE:
        return row | {"violations": 1 << row_checks(CONTRACT, CONTRACT.table(check.table)).index(check)}
    if check.kind is Kind.USABLE:
        return row | {"accepted": False}
    if check.kind is Kind.ROW_RULE:
        return row | BROKEN_RULES[check.check_id]
    if check.kind is Kind.REQUIRED:
        return row | {column: None, str(CONTRACT.table(check.table).column(column).required_unless or column): None}
    if check.kind is Kind.READABLE:
        return row | {column: None, f"{column}__text": "CANARY"}
    if check.kind in (Kind.POSSIBLE, Kind.PLAUSIBLE):
        assert check.bounds is not None
        return row | {column: check.bounds.high + 1}
    return row | {column: "CANARY not a code or key"}


def lake_frame(table: Table, rows: list[Row], *, delivery_id: str = "d1", file: str = "file.csv") -> pl.DataFrame:
    """Rows as the lake stores them."""
    numbers = [c for c in table.columns if c.is_number]
    return pl.DataFrame(
        {
            **{
                c.name: pl.Series(
                    [None if row.get(c.name) is None else str(row[c.name]) for row in rows], dtype=pl.String
                ).cast(pl.Float64 if c in numbers else pl.String)
                for c in table.columns
            },
            **{
                f"{c.name}__text": pl.Series([row.get(f"{c.name}__text") for row in rows], dtype=pl.String)
                for c in numbers
            },
            "delivery_id": [delivery_id] * len(rows),
            "file": [file] * len(rows),
            "row_number": pl.Series(range(1, len(rows) + 1), dtype=pl.Int64),
            "accepted": [row.get("violations", 0) == 0 for row in rows],
            "violations": pl.Series([row.get("violations", 0) for row in rows], dtype=pl.Int64),
        }
    ).with_columns(pl.col(c.name).cast(polars_type(c)) for c in table.columns)


@pytest.fixture
def write_lake(tmp_path: Path) -> WriteLake:
    """Write rows of a table as a lake file."""

    def write(table: str, rows: list[Row]) -> Path:
        path = tmp_path / f"{table}.0.parquet"
        lake_frame(CONTRACT.table(table), rows).write_parquet(path)
        return path

    return write


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database with the measures of the contract in ``reference.measure``."""
    with duckdb.connect() as connection:
        connection.execute("create schema reference")
        connection.execute(
            "create table reference.measure (measure_id varchar, unit varchar, sided boolean, decimals integer)"
        )
        connection.executemany(
            "insert into reference.measure values (?, ?, ?, ?)",
            [(m.measure_id, m.unit, m.sided, m.decimals) for m in CONTRACT.measures],
        )
        yield connection


@pytest.fixture
def broken(write_lake: WriteLake) -> Callable[[str], Path]:
    """A lake file of a table with good rows and one row broken for every check that a row can violate."""

    def write(table: str) -> Path:
        checks = delivery_checks(CONTRACT, CONTRACT.table(table))
        broken_rows = [broken_row(check) for check in checks if check.kind not in (Kind.SCHEMA, Kind.TYPE)]
        return write_lake(table, good_rows(table) + broken_rows)

    return write


@pytest.fixture
def good(write_lake: WriteLake) -> Callable[[str], Path]:
    """A lake file of a table without a fault."""
    return lambda table: write_lake(table, good_rows(table))
