"""What Great Expectations said is kept with counts and nothing else, and is the same whenever it is said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.quality.run import run_delivery_suite
from assets.quality.validations import ARGUMENTS, COUNTS, read_validations, save_validations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from assets.quality.results import CheckResult

MINIMUM = 11
DOCUMENT = "gx/delivery.json"


@pytest.fixture
def results(broken: Callable[[str], Path], connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    return run_delivery_suite(connection, CONTRACT, "visit", [broken("visit")])


def test_every_check_is_kept_as_it_was_said(results: list[CheckResult], tmp_path: Path) -> None:
    save_validations(tmp_path, results)
    document = json.loads((tmp_path / DOCUMENT).read_text())
    assert document["great_expectations"]
    said = {one["expectation_config"]["meta"]["check_id"]: one for one in document["results"]}
    assert list(said) == sorted(result.check_id for result in results)
    for result in results:
        one = said[result.check_id]
        assert set(one) == {"expectation_config", "success", "result", "raised_exception"}
        assert set(one["expectation_config"]["kwargs"]) <= set(ARGUMENTS)
        assert set(one["result"]) <= set(COUNTS)
        if one["result"]:
            assert one["result"]["unexpected_count"] == result.violated
            assert one["result"]["element_count"] - one["result"].get("missing_count", 0) == result.evaluated


def test_the_same_rows_give_the_same_bytes(
    results: list[CheckResult], broken: Callable[[str], Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    save_validations(tmp_path, results)
    first = (tmp_path / DOCUMENT).read_bytes()
    again = run_delivery_suite(connection, CONTRACT, "visit", [broken("visit")])
    save_validations(tmp_path, reversed(again))
    assert (tmp_path / DOCUMENT).read_bytes() == first


def test_a_few_rows_are_not_counted_in_what_is_shown(results: list[CheckResult], tmp_path: Path) -> None:
    assert read_validations(tmp_path, MINIMUM) == {}
    few = replace(results[-1], check_id="a", validation=_counted(results[-1], MINIMUM - 1))
    many = replace(results[-1], check_id="b", validation=_counted(results[-1], MINIMUM))
    save_validations(tmp_path, [few, many])
    shown = json.loads(read_validations(tmp_path, MINIMUM)["delivery"])
    assert [one["result"] for one in shown["results"]] == [
        {},
        {"element_count": MINIMUM, "missing_count": 0, "unexpected_count": 1},
    ]


def _counted(result: CheckResult, rows: int) -> str:
    said = json.loads(result.validation)
    return json.dumps({**said, "result": {"element_count": rows, "missing_count": 0, "unexpected_count": 1}})
