"""Checks of models, statistics and published tables on a network: clean data pass, and each notices a planted fault."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind
from assets.quality.model_checks import model_checks
from assets.quality.published_checks import published_checks
from assets.quality.statistic_checks import statistic_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pipelines.conftest import Installation

MODELS, STATISTICS = model_checks(CONTRACT), statistic_checks(CONTRACT)
PUBLISHED = [check for check in published_checks(CONTRACT) if check.kind in (Kind.HIDDEN, Kind.SMALL_COUNT)]
"""The other checks of files read what ``write_written`` found, see tests/quality/test_written_files.py."""
CHECKS = (*MODELS, *STATISTICS, *PUBLISHED)
NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "DECIMAL", "HUGEINT")
FAMILIES = sorted({(check.stage, check.kind) for check in CHECKS})


@pytest.fixture(scope="module")
def warehouse(network: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the warehouse that faults may be planted in."""
    path: Path = tmp_path_factory.mktemp("planted") / "warehouse.duckdb"
    shutil.copyfile(network.home.current / "warehouse.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        yield connection


def violated(connection: duckdb.DuckDBPyConnection, check: Check) -> int:
    return int(connection.execute(f"select count(*) from ({check.violated_sql})").fetchall()[0][0])


def evaluated(connection: duckdb.DuckDBPyConnection, check: Check) -> int:
    return int(connection.execute(check.evaluated_sql).fetchall()[0][0] or 0)


def test_clean_data_pass_and_most_checks_have_something_to_look_at(network: Installation) -> None:
    found = network.query(
        "select stage, check_id, status from audit.check_result where delivery_id is null and stage <> 'release'"
    )
    assert set(found["status"]) <= {"pass", "not_applicable"}
    assert found["check_id"].is_unique().all()
    assert (found["status"] == "pass").sum() > 300
    assert set(found["stage"]) == {"model", "statistics", "published"}


@pytest.mark.parametrize(("stage", "kind"), FAMILIES)
def test_every_check_of_the_family_notices_a_fault(warehouse: duckdb.DuckDBPyConnection, stage: str, kind: str) -> None:
    blind, looked = [], 0
    for check in CHECKS:
        if (check.stage, check.kind) != (stage, kind) or not evaluated(warehouse, check):
            continue
        looked += 1
        assert violated(warehouse, check) == 0, check.check_id
        if not any(notices(warehouse, check, fault) for fault in faults(warehouse, check)):
            blind.append(check.check_id)
    assert looked > 0
    assert blind == []


def notices(connection: duckdb.DuckDBPyConnection, check: Check, fault: str) -> bool:
    """Whether the check finds something once this was done to what it is about."""
    connection.execute("begin")
    try:
        connection.execute(fault)
        return violated(connection, check) > 0
    finally:
        connection.execute("rollback")


def faults(connection: duckdb.DuckDBPyConnection, check: Check) -> Iterator[str]:
    """Faults to plant in what a check is about: rows doubled or lost, keys emptied, numbers moved."""
    relation = check.table
    described = connection.execute(f"describe {relation}").fetchall()
    is_view = connection.execute(
        "select count(*) from duckdb_views() where schema_name || '.' || view_name = ?", [relation]
    ).fetchall()[0][0]
    if is_view:
        yield (
            f"create temp table doubled as from {relation} union all from {relation}; drop view {relation}; "
            f"create table {relation} as from doubled; drop table doubled"
        )
        return
    yield f"insert into {relation} from {relation} limit 3"
    yield f"delete from {relation} where rowid % 3 = 0"
    for name, kind, *_ in sorted(described, key=lambda column: column[0] != check.column):
        if kind.startswith(NUMBERS):
            yield f'update {relation} set "{name}" = "{name}" + 2000'
            yield f'update {relation} set "{name}" = "{name}" - 4000'
            yield f'update {relation} set "{name}" = 7'
            yield f'update {relation} set "{name}" = "{name}" + 1 where rowid % 2 = 0'
        if kind == "BOOLEAN":
            yield f'update {relation} set "{name}" = not "{name}"'
        if kind == "VARCHAR":
            yield f"update {relation} set \"{name}\" = case \"{name}\" when 'yes' then 'no' else 'yes' end"
        yield f'update {relation} set "{name}" = null where rowid % 2 = 0'
