"""A failing check of statistics or of written files stops what comes after it, and is in the history all the same."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from assets.audit.history import history
from assets.contract import CONTRACT
from assets.home import Home
from assets.outcomes import assets as outcomes
from assets.publication import assets as publication
from assets.quality import stages
from assets.quality.history import result_frame
from assets.quality.published_checks import published_checks
from assets.quality.results import CheckResult, Outcome, result
from assets.quality.statistic_checks import statistic_checks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assets.contract.checks import Check

PLANTED = {
    "statistics": "statistics.recovery_by_condition.rate.share",
    "site": "site.patient.no_key",
}


def results(checks: Sequence[Check], failing: str) -> list[CheckResult]:
    return [
        result(check, Outcome(check.check_id != failing, 10, int(check.check_id == failing)), 0.1, check.violated_sql)
        for check in checks
    ]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path, memory_limit="1GB")
    made.create()
    made.building.mkdir()
    return made


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The two steps without data: their checks find what is planted; the list names what was done."""
    done: list[str] = []

    def judged(
        _: object, __: Home, ___: object, checks: Sequence[Check], run_id: str, *____: object
    ) -> list[CheckResult]:
        done.append("judged")
        assert run_id
        return results(checks, PLANTED["statistics" if checks[0].stage.value == "statistics" else "site"])

    for module in (outcomes, publication):
        monkeypatch.setattr(module, "judge_stage", judged)
        monkeypatch.setattr(module, "open_building", lambda _: duckdb.connect())
    monkeypatch.setattr(outcomes, "write_statistics", lambda *_: {})
    monkeypatch.setattr(outcomes, "record_drift", lambda *_: pl.DataFrame())
    monkeypatch.setattr(outcomes, "write_check_tables", lambda *_: done.append("published"))
    monkeypatch.setattr(publication, "write_site", lambda _: [])
    monkeypatch.setattr(publication, "write_written", lambda *_: None)
    monkeypatch.setattr(publication, "write_delta", lambda *_: None)
    monkeypatch.setattr(publication, "release_built", lambda _: done.append("switched"))
    return done


@pytest.mark.parametrize(
    ("assets", "step", "kind"),
    [
        ([outcomes.statistics, outcomes.published_tables], "statistics", "statistics__share"),
        ([publication.site, publication.release], "site", "published__no_key"),
    ],
)
def test_a_failing_check_stops_what_comes_after(
    home: Home, stubbed: list[str], assets: list[Any], step: str, kind: str
) -> None:
    made = dg.materialize(assets, resources={"home": home}, raise_on_error=False)
    assert not made.success
    assert stubbed == ["judged"]
    failed = [one for one in made.get_asset_check_evaluations() if not one.passed]
    assert [(one.check_name, one.blocking, one.severity) for one in failed] == [
        (kind, True, dg.AssetCheckSeverity.ERROR)
    ]
    assert failed[0].metadata["held_by"].value == [PLANTED[step]]
    assert failed[0].metadata["fail"].value == 1


@pytest.mark.parametrize("checks", [statistic_checks(CONTRACT), published_checks(CONTRACT)], ids=["statistics", "site"])
def test_what_was_found_is_kept_before_anything_is_held(
    home: Home, monkeypatch: pytest.MonkeyPatch, checks: tuple[Check, ...]
) -> None:
    failing = checks[-1].check_id
    monkeypatch.setattr(stages, "run_sql_checks", lambda *_: results(checks, failing))
    monkeypatch.setattr(stages, "next_release", lambda _: "abc")
    with closing(duckdb.connect()) as connection:
        connection.execute("create schema audit")
        connection.register("none", result_frame([], CONTRACT, None, ""))
        connection.execute("create table audit.check_result as select *, true as is_latest from none")
        stages.judge_stage(connection, home, CONTRACT, checks, "run")
        kept = connection.execute("select check_id from audit.check_result where status = 'fail'").fetchall()
        stages.judge_stage(connection, home, CONTRACT, checks, "run")
        latest = connection.execute("select count(*) from audit.check_result where is_latest").fetchall()
    assert kept == [(failing,)]
    assert latest == [(len(checks),)], "a step that is tried again leaves one result of each check in force"
    told = (
        history(home)
        .filter(pl.col("status") == "fail", pl.col("number") == 1)
        .select("check_id", "run_id", "release", "blocks")
        .collect()
    )
    assert told.rows() == [(failing, "run", "abc", True)]
