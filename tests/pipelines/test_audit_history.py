"""The history of checks after a real run: it says what the warehouse says, and a page, and nothing of a patient."""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from assets.audit.history import history, summarise
from assets.audit.status import applied, passed, status
from assets.audit.what_if import what_if
from assets.contract import CONTRACT
from assets.quality.catalogue import all_checks
from assets.quality.history import RESULT_SCHEMA
from assets.quality.sql_checks import NOTHING
from pipelines.cli import cli

REASONS = re.compile(r"|no row has a value to check|the measure does not occur|no rows of [a-z_]+ were sent")


@pytest.fixture(scope="module")
def found(network: Any) -> pl.DataFrame:
    return history(network.home).collect()


def test_the_history_says_what_the_warehouse_says(network: Any, found: pl.DataFrame) -> None:
    told = network.query("select * exclude (is_latest) from audit.check_result")
    columns = RESULT_SCHEMA.names()
    order = ["delivery_id", "check_id"]
    assert found.select(columns).sort(order).equals(told.select(columns).sort(order))
    assert set(found.filter(pl.col("delivery_id").is_null())["release"]) == {network.outcome.release}


def test_no_row_holds_anything_but_names_of_ours_and_counts(network: Any, found: pl.DataFrame) -> None:
    checks = all_checks(CONTRACT)
    assert set(found["check_id"]) == {check.check_id for check in checks}
    assert set(found["delivery_id"]) <= {None, *(one.delivery_id for one in network.outcome.read)}
    stated = {NOTHING, *(check.absent for check in checks)}
    assert [one for one in found["reason"].unique() if one not in stated and not REASONS.fullmatch(one)] == []
    assert all(re.fullmatch(r"|[0-9a-f]{16}", digest) for digest in found["sql_hash"].unique())


def test_page_warehouse_and_command_line_agree_to_the_number(network: Any) -> None:
    summary = network.published("check_summary")
    standing = status(network.home)
    assert standing.counts == summarise(summary)
    page = (network.home.site / "quality.html").read_text(encoding="utf-8")
    assert f"{passed(standing.counts):,} of {applied(standing.counts):,} data checks passed" in re.sub(
        r"<[^>]+>|\s+", " ", page
    )
    answer = CliRunner().invoke(cli, ["audit", "status", "--json", "--home", str(network.home.path)])
    assert json.loads(answer.stdout)["counts"] == standing.counts


def test_the_same_thresholds_again_change_nothing(network: Any, found: pl.DataFrame) -> None:
    thresholds = dict(found.select("check_id", "threshold").unique().rows())
    told = what_if(history(network.home), thresholds)
    assert (told.held, told.let_through) == ((), ())
    assert [one for one in told.alarms if one.before != one.after] == []
    assert told.readings == len(network.outcome.read)
    assert told.releases == 1


def test_a_stricter_threshold_is_told_on_the_command_line(network: Any, found: pl.DataFrame) -> None:
    usable = found.filter(pl.col("kind") == "usable", pl.col("violated") > 0).row(0, named=True)
    asked = ["audit", "what-if", "--check", usable["check_id"], "--threshold", "0", "--home", str(network.home.path)]
    text = CliRunner().invoke(cli, asked)
    assert text.exit_code == 0
    assert f"delivery {usable['delivery_id']}: {usable['check_id']}" in text.stdout
    told = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert usable["delivery_id"] in [one["delivery_id"] for one in told["held"]]
    assert CliRunner().invoke(cli, asked[:4]).exit_code == 2
