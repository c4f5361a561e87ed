"""Dagster's checks tab, the quality page and the command line agree to the number about every check of a release."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl
import pytest
from click.testing import CliRunner

from assets.audit.history import history
from assets.outcomes.tables.quality import STATUSES
from assets.publication.audiences import AUDIENCES
from assets.publication.bundles import write_bundles
from assets.publication.in_force import release_in_force
from pipelines.alerting import standing_alerts
from pipelines.alerts import Kind
from pipelines.cli import cli
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipelines.conftest import Installation

SINGLE = ("delivery", "release")
"""Stages of which Dagster has every check by itself; of the others it has families."""
Found = list[dict[str, Any]]


@pytest.fixture(scope="module")
def evaluations(network: Installation) -> Found:
    """What Dagster was told of each check, in all runs."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    with pytest.MonkeyPatch.context() as patch:
        # Dagster's settings find the event log by this variable; another test's run may have left its own home there
        patch.setenv("DAGSTER_HOME", str(network.home.dagster))
        records = _records(network.home.dagster, kind)
    told = []
    for record in records:
        event = record.dagster_event
        assert event is not None
        data: Any = event.event_specific_data
        metadata = {name: value.value for name, value in data.metadata.items()}
        told.append({"run_id": record.run_id, "name": data.check_name, "passed": data.passed, **metadata})
    return told


def _records(dagster_home: Path, kind: dg.DagsterEventType) -> list[dg.EventLogEntry]:
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        runs = [run.run_id for run in instance.get_runs()]
        return [record for run_id in runs for record in instance.all_logs(run_id, of_type=kind)]


@pytest.fixture(scope="module")
def results(network: Installation) -> pl.DataFrame:
    return history(network.home).collect()


@pytest.fixture(scope="module")
def ops(network: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle for engineers and quality teams."""
    release = release_in_force(network.home, dt.datetime.now(dt.UTC).date())
    wanted = [one for one in AUDIENCES if one.name == "ops"]
    (folder,), _ = write_bundles(release, wanted, None, tmp_path_factory.mktemp("ops"))
    return folder


def test_dagster_knows_every_check_of_deliveries_and_between_them(evaluations: Found, results: pl.DataFrame) -> None:
    single = results.filter(pl.col("stage").is_in(SINGLE) & (pl.col("kind") != "drift"))
    kept = {
        (row["run_id"], row["check_id"].replace(".", "__")): (row["status"], row["evaluated"], row["violated"])
        for row in single.to_dicts()
    }
    told = {
        (one["run_id"], one["name"]): (one["status"], one["evaluated_rows"], one["failing_rows"])
        for one in evaluations
        if "status" in one
    }
    assert len(kept) > 500
    assert told == kept


def test_dagster_knows_how_many_of_each_family_ended_how(evaluations: Found, results: pl.DataFrame) -> None:
    families = [one for one in evaluations if "checks" in one]
    rest = results.filter(~pl.col("stage").is_in(SINGLE) | (pl.col("kind") == "drift"))
    assert sum(one["checks"] for one in families) == rest.height > 300
    told = Counter({status: sum(one[status] for one in families) for status in STATUSES})
    assert +told == Counter(rest["status"].to_list())
    for column, name in (("evaluated", "evaluated_rows"), ("violated", "failing_rows")):
        assert sum(one[name] for one in families) == rest[column].sum()


def test_page_dagster_and_command_line_count_the_same(
    network: Installation, evaluations: Found, ops: Path, results: pl.DataFrame
) -> None:
    answer = json.loads(CliRunner().invoke(cli, ["audit", "status", "--json", "--home", str(network.home.path)]).stdout)
    said = Counter(answer["counts"]) + Counter(answer["written"])
    worst: dict[str, int] = {}
    for one in evaluations:
        if "status" in one:
            worst[one["name"]] = max(worst.get(one["name"], 0), STATUSES.index(one["status"]))
    dagster = Counter(STATUSES[rank] for rank in worst.values())
    for family in (one for one in evaluations if "checks" in one):
        dagster.update({status: family[status] for status in STATUSES})
    assert +dagster == said
    rows = payload(ops / "data" / "quality.js")["rows"]["checks"]
    assert Counter(row[2] for row in rows) == said
    passed = said["pass"] + said["pass_with_violations"]
    total = said.total() - said["not_applicable"]
    assert f"{passed:,} of {total:,} data checks passed" in _words(ops / "quality.html")
    assert len(rows) == len(set(results["check_id"]))


def test_page_and_history_have_the_same_rows(ops: Path, results: pl.DataFrame) -> None:
    kept = results.group_by("check_id").agg(pl.col("evaluated").sum(), pl.col("violated").sum())
    shown = {row[1][0]: (row[4], row[5]) for row in payload(ops / "data" / "quality.js")["rows"]["checks"]}
    assert shown == {check_id: (evaluated, violated) for check_id, evaluated, violated in kept.rows()}


def test_alerts_tell_of_every_check_that_warned_or_failed(network: Installation, results: pl.DataFrame) -> None:
    wrong = results.filter(pl.col("status").is_in(["warn", "fail", "error"]))
    found = standing_alerts(network.home, None, dt.datetime.now(dt.UTC))
    assert Counter(one.says.split()[1] for one in found[Kind.CHECK]) == Counter(wrong["check_id"].to_list())
    assert wrong.height
    assert not any(alerts for kind, alerts in found.items() if kind is not Kind.CHECK)


def test_the_site_says_that_checks_of_written_files_come_later(network: Installation, results: pl.DataFrame) -> None:
    written = results.filter(pl.col("stage") == "published").height
    page = _words(network.home.site / "quality.html")
    assert f"{written} more checks look at the written files before they are switched in" in page
    ids = {row[1][0] for row in payload(network.home.site / "data" / "quality.js")["rows"]["checks"]}
    assert not ids & set(results.filter(pl.col("stage") == "published")["check_id"])


def _words(page: Path) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", page.read_text(encoding="utf-8"))
