"""A feed with dates through the whole pipeline: months, years, the sentences, and a decision to set limits anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER
from assets.quality.rebases import REBASES
from assets.simulation.network import simulate_network
from pipelines.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.pipelines.conftest import Installation

pytestmark = pytest.mark.long
DATED = PROFILE_FOLDER / "canonical_dates.yaml"
DECISION = ("--series", "recovered", "--by", "A. Steward", "--because", "a new questionnaire came in")


@pytest.fixture(scope="module")
def dated(make_installation: Callable[..., Installation], tmp_path_factory: pytest.TempPathFactory) -> Installation:
    out = tmp_path_factory.mktemp("dated")
    simulate_network(out, patients=900, seed=7, contract=CONTRACT, dated=True)
    return make_installation(sorted(path for path in out.iterdir() if path.is_dir()), DATED)


def test_dates_add_months_and_change_nothing_else(dated: Installation, network: Installation) -> None:
    """The same network without dates (dirty rows included) leads to the same years and the same rates."""
    for name in ("recovery_by_condition", "pain_change", "quarantine_by_reason", "conservation"):
        columns = [column for column in network.published(name).columns if column not in ("delivery_id", "label")]
        one, other = (
            home.published(name).select(columns).sort(pl.all(), nulls_last=False) for home in (dated, network)
        )
        assert one.equals(other)
    yearly = "select * from marts.period_count where time_unit = 'year' and period < '2026' order by all"
    assert dated.query(yearly).equals(network.query(yearly))
    assert network.query("select 1 from marts.period_count where time_unit = 'month'").is_empty()
    months = "select sum(episodes) as n from marts.period_count where time_unit = 'month' and condition_id is null and "
    total = dated.query(f"{months} clinic_key is null").item()
    assert total == dated.query("select count(*) from staging.first_visit").item() > 900


def test_open_months_carry_no_value(dated: Installation) -> None:
    network_wide = dated.published("outcome_over_time").filter(
        pl.col("time_unit") == "month", pl.col("condition_id").is_null(), pl.col("clinic_key").is_null()
    )
    later = network_wide.filter(pl.col("period") > "2026-03")
    assert later.height == 3 * len(("recovered", "pain_change", "completeness"))
    assert later["value"].null_count() == later.height
    assert later.filter(~pl.col("suppressed"))["is_window_closed"].unique().to_list() == [False]
    assert network_wide.filter(pl.col("period") == "2026-03")["value"].null_count() == 0


def test_the_charts_have_sentences(dated: Installation, network: Installation) -> None:
    signal = dated.published("outcome_signal")
    row = signal.filter(
        pl.col("series") == "completeness",
        pl.col("time_unit") == "month",
        pl.col("condition_id").is_null(),
        pl.col("clinic_key").is_null(),
    ).row(0, named=True)
    assert (row["points"], row["limits"], row["last_period"]) == (27, "frozen", "2026-03")
    assert str(row["sentence"]).startswith(("Stable", "Improving: ", "Concern: "))
    assert network.published("outcome_signal")["verdict"].unique().to_list() == ["too_few"]


def test_a_decision_sets_limits_anew_in_the_next_release(
    dated: Installation, make_installation: Callable[..., Installation]
) -> None:
    before = dated.published("outcome_signal")
    home = str(dated.home.path)
    done = CliRunner().invoke(cli, ["chart", "rebase", "--home", home, "--from", "2025-02", *DECISION])
    assert done.output == "Limits set anew from 2025-02; it shows in the next release.\n"
    again = make_installation(sorted(dated.feed.parent.glob("simulated-*")), DATED, dated.home)
    assert again.outcome.release != dated.outcome.release
    after = again.published("outcome_signal")
    changed = after.join(before, on=after.columns, how="anti", nulls_equal=True)
    assert changed.select("series", "condition_id", "clinic_key", "phase", "first_period").rows() == [
        ("recovered", None, None, 2, "2025-02")
    ]


def test_a_decision_about_no_chart_is_refused(network: Installation, tmp_path: Path) -> None:
    for home, period, said in (
        (network.home.path, "2026-01", "does not show this period"),
        (tmp_path, "2026-01", "no release of this home"),
    ):
        refused = CliRunner().invoke(cli, ["chart", "rebase", "--home", str(home), "--from", period, *DECISION])
        assert isinstance(refused.exception, InputProblem)
        assert said in str(refused.exception)
        assert REBASES.read(home) == ()
