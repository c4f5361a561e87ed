"""No value of a row reaches a result, a log line or the terminal, whatever goes wrong."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.quality.results import CheckResult, Status
from assets.quality.run import run_delivery_suite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

CANARY = "CANARY7531"
NUMBER = 97531


def canary_rows(table: str) -> list[dict[str, object]]:
    columns = CONTRACT.table(table).columns
    numbers = [c.name for c in columns if c.is_number]
    text: dict[str, object] = {c.name: f"{CANARY} {c.name}" for c in columns if c.name not in numbers}
    return [
        text | dict.fromkeys(numbers, NUMBER),
        text | {f"{name}__text": f"{CANARY} {name}" for name in numbers},
    ]


@pytest.mark.parametrize("table", [table.name for table in CONTRACT.tables])
def test_canaries_in_every_column(
    table: str,
    write_lake: Callable[..., Path],
    connection: duckdb.DuckDBPyConnection,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write_lake(table, canary_rows(table))
    with caplog.at_level(logging.DEBUG):
        results = run_delivery_suite(connection, CONTRACT, table, [path])
    assert any(r.status is Status.FAIL for r in results)
    assert not any(r.status is Status.ERROR for r in results)
    shown = repr(results) + caplog.text + "".join(capfd.readouterr())
    assert CANARY not in shown
    assert str(NUMBER) not in shown


def test_canary_in_an_error_of_duckdb(
    write_lake: Callable[..., Path],
    connection: duckdb.DuckDBPyConnection,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write_lake("visit", canary_rows("visit"))
    pl.read_parquet(path).with_columns(day_offset=pl.lit(CANARY)).write_parquet(path)
    with caplog.at_level(logging.DEBUG):
        results = {r.check_id: r for r in run_delivery_suite(connection, CONTRACT, "visit", [path])}
    assert results["visit.day_offset.type"].status is Status.FAIL
    possible = results["visit.day_offset.possible"]
    assert possible.status is Status.ERROR
    assert possible.reason.startswith("not evaluated: ")
    assert CANARY not in repr(results) + caplog.text + "".join(capfd.readouterr())


def test_a_result_has_no_room_for_values() -> None:
    assert [field.name for field in dataclasses.fields(CheckResult)] == [
        "check_id",
        "table",
        "stage",
        "kind",
        "severity",
        "status",
        "evaluated",
        "violated",
        "tolerance",
        "seconds",
        "violated_sql",
        "blocks",
        "reason",
        "score",
        "validation",
    ]
