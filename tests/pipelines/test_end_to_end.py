"""The whole way on a small simulated network: what was planted comes out, nothing is lost, nothing leaks."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.audit.history import history, summarise
from assets.audit.status import status as standing_of
from assets.audit.what_if import what_if
from assets.contract import CONTRACT
from assets.outcomes.published import LAYOUTS
from assets.quality.history import REFUSED
from dashboards.status import STATUS_FILE, status_script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def truth(network_feed: Path) -> dict[str, Any]:
    return json.loads((network_feed / "truth.json").read_text(encoding="utf-8"))


def test_release_is_in_force(network: Any) -> None:
    assert network.outcome.exit_code == 0
    assert network.outcome.released
    for name in ("index.html", "quality.html", "definitions.html"):
        assert (network.home.site / name).stat().st_size > 1000
    assert network.home.warehouse.exists()


def test_every_row_is_accounted_for(network: Any) -> None:
    rows = network.query("select * from audit.conservation")
    assert rows.height == len(network.outcome.read)
    parts = rows["accepted"] + rows["quarantined"] + rows["superseded"] + rows["rejected"]
    assert rows["ingested"].to_list() == parts.to_list()
    assert rows["quarantined"].sum() > 0
    assert rows["superseded"].sum() > 0


def test_great_expectations_and_the_typing_pass_agree_on_every_count(network: Any) -> None:
    """Two engines evaluate the same rule from the same contract; a difference is an error in one of them."""
    counted = network.query(
        "select check_id, sum(violated)::bigint as n from audit.check_result "
        "where stage = 'delivery' and severity = 'critical' and kind <> 'usable' and violated > 0 group by check_id"
    )
    typed = network.query("select check_id, count(*) as n from lake.violation group by check_id")
    assert dict(counted.iter_rows()) == dict(typed.iter_rows())


def test_at_least_sixty_checks_ran_and_none_in_error(network: Any) -> None:
    results = network.query("select * from audit.check_result")
    assert results["check_id"].n_unique() >= 60
    assert "error" not in results["status"].to_list()
    assert "fail" not in results["status"].to_list()


def test_same_feed_again_changes_nothing(
    network: Any, make_installation: Callable[..., Any], network_feed: Path
) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in network.home.site.rglob("*"))
    feeds = sorted(path for path in network_feed.iterdir() if path.is_dir())
    again = make_installation(feeds, home=network.home)
    assert again.outcome.exit_code == 0
    assert not again.outcome.released
    assert len(again.outcome.known) == len(feeds)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in network.home.site.rglob("*")) == before


@pytest.mark.long
def test_order_of_deliveries_does_not_matter_and_pages_are_byte_identical(
    network: Any, make_installation: Callable[..., Any], network_feed: Path
) -> None:
    feeds = sorted((path for path in network_feed.iterdir() if path.is_dir()), reverse=True)
    other = make_installation(feeds)
    assert other.outcome.release == network.outcome.release
    ours = json.loads((network.home.current / "manifest.json").read_text(encoding="utf-8"))
    theirs = json.loads((other.home.current / "manifest.json").read_text(encoding="utf-8"))
    assert ours == theirs


def test_no_key_of_a_patient_leaves_lake_and_warehouse(network: Any) -> None:
    keys = network.query("select patient_key from staging.patient limit 200")["patient_key"].to_list()
    places = [network.home.dagster, network.home.site, network.home.current / "manifest.json"]
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert not any(key.encode() in content for key in keys), path.name


def test_exact_rates_equal_the_marts_and_published_ones_their_printed_form(network: Any) -> None:
    exact, published = (
        read("recovery_by_condition").filter(
            pl.col("clinic_key").is_null(),
            pl.col("condition_id").is_not_null(),
            pl.col("care") == "any",
            pl.col("period") == "all",
            pl.col("definition_id") == "recovered_v1",
        )
        for read in (network.exact, network.published)
    )
    marts = network.query(
        "select condition_id, count(*) filter (where recovered = 'yes') as recovered, "
        "count(*) filter (where recovered in ('yes', 'no')) as known from marts.episode_outcome "
        "where is_closed group by condition_id"
    )
    joined = exact.join(marts, on="condition_id", suffix="_mart")
    assert joined.height == exact.height == published.height > 0
    assert joined["recovered"].to_list() == joined["recovered_mart"].to_list()
    assert joined["n"].to_list() == joined["known"].to_list()
    assert (joined["rate_low"] <= joined["rate"]).all()
    assert (joined["rate"] <= joined["rate_high"]).all()
    shown = published.filter(~pl.col("suppressed")).join(exact, on="condition_id", suffix="_exact")
    assert shown.height > 0
    assert (shown["rate"] - shown["rate_exact"]).abs().max() <= 0.005 + 1e-9
    assert (shown["n"] - shown["n_exact"]).abs().max() <= 4


def test_no_small_group_is_published(network: Any) -> None:
    for name, layout in LAYOUTS.items():
        published = network.published(name)
        for column in layout.counts:
            counts = published[column].drop_nulls()
            assert ((counts % 5 == 0) & ((counts == 0) | (counts >= 15))).all(), f"{name}.{column}"
    assert network.exact("recovery_by_condition")["n"].is_between(1, 10).any()


def test_what_was_hidden_is_logged_without_its_size(network: Any) -> None:
    log = network.query("select * from audit.suppression")
    assert {"primary", "complementary", "view"} >= set(log["kind"]) >= {"primary"}
    assert not any(dtype.is_numeric() for dtype in log.dtypes)
    manifest = json.loads((network.home.current / "manifest.json").read_text(encoding="utf-8"))
    assert "predecessor" not in manifest


def test_a_wrong_delivery_is_held_and_the_old_release_stays(
    network: Any, make_installation: Callable[..., Any], network_feed: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(network.home.path, home, symlinks=True)
    place = type(network.home)(home, memory_limit="1GB")
    source = next(path for path in sorted(network_feed.iterdir()) if path.is_dir())
    wrong = tmp_path / "north_20260801T020000Z"
    shutil.copytree(source, wrong)
    file = wrong / "measurement.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",points\n", ",furlongs\n").replace(",deg\n", ",yards\n"))
    before = (home / "current").readlink()
    status = place.site / STATUS_FILE
    quiet, manifest = status.read_bytes(), (home / "current" / "manifest.json").read_bytes()
    held = make_installation([wrong], home=place)
    assert held.outcome.exit_code == 1
    assert "measurement.rows.usable" in held.outcome.held[0]
    assert (home / "current").readlink() == before
    said = status.read_bytes()
    assert quiet == status_script("")
    assert re.search(rb"1 delivery is held back .*\(measurement.rows.usable\) since \d+ \w+ \d{4}", said)
    assert STATUS_FILE.encode() not in manifest, "what it says changes no hash of the release"
    again = make_installation([wrong], home=place)
    assert again.outcome.exit_code == 1
    assert not again.outcome.read
    assert status.read_bytes() == said, "since when stays"


def test_planted_dirty_rows_are_found_where_they_were_planted(network: Any, truth: dict[str, Any]) -> None:
    """Counts by check equal what the simulator says it planted, delivery by delivery."""
    found = network.query(
        "select label, check_id, count(*) as n from audit.quarantine "
        "join lake.delivery using (delivery_id) group by all"
    )
    counts: dict[str, dict[str, int]] = {}
    for label, check_id, number in found.iter_rows():
        counts.setdefault(label, {})[check_id] = number
    assert counts == planted(truth)


def test_discharge_scores_are_those_the_clinics_recorded(network: Any, truth: dict[str, Any]) -> None:
    """Score by score: the simulator says how many episodes of each clinic ended with 0, 1 … 10 on record."""
    found = network.query(
        "select clinic_key, cast(last_value as integer) as score, count(*) as n from marts.episode_outcome "
        "where is_closed and last_value is not null group by all"
    )
    recorded = {
        clinic: dict(enumerate(planted["discharge_scores_recorded"])) for clinic, planted in truth["clinics"].items()
    }
    counted: dict[str, dict[int, int]] = {clinic: dict.fromkeys(scores, 0) for clinic, scores in recorded.items()}
    for clinic, score, number in found.iter_rows():
        counted[clinic][score] = number
    assert counted == recorded


def test_true_recovery_lies_within_the_bounds_for_missing_outcomes(network: Any, truth: dict[str, Any]) -> None:
    """Whatever became of those nobody scored: the truth cannot lie outside the bounds."""
    rows = network.exact("recovery_by_condition").filter(
        pl.col("clinic_key").is_null(),
        pl.col("condition_id").is_not_null(),
        pl.col("care") == "any",
        pl.col("period") == "all",
        pl.col("definition_id") == "recovered_v1",
    )
    assert rows.height == len(truth["conditions"])
    for row in rows.iter_rows(named=True):
        share = truth["conditions"][row["condition_id"]]["recovery_share"]
        assert row["rate_if_missing_none"] <= share <= row["rate_if_missing_all"], row["condition_id"]


def planted(truth: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Violations of the planted rows themselves, and of good rows that hang from one that is set aside."""
    counts: dict[str, dict[str, int]] = {}
    for label, delivery in truth["deliveries"].items():
        counts[label] = dict(delivery["violations"])
        for check_id, number in delivery["violations_of_dependents"].items():
            counts[label][check_id] = counts[label].get(check_id, 0) + number
    return counts


@pytest.mark.long
def test_a_held_delivery_and_a_refused_one_delay_no_other(
    make_installation: Callable[..., Any], network_feed: Path, tmp_path: Path
) -> None:
    good, *others = sorted(path for path in network_feed.iterdir() if path.is_dir())
    feed = tmp_path / "feed"
    shutil.copytree(good, feed / good.name)
    shutil.copytree(others[0], feed / others[0].name)
    file = feed / others[0].name / "measurement.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",points\n", ",furlongs\n").replace(",deg\n", ",yards\n"))
    shutil.copytree(others[1], feed / others[1].name)
    (feed / others[1].name / "visit.csv").write_text("date_of_birth\n1970-01-01\n", encoding="utf-8")
    shutil.copytree(others[2], feed / f"{others[2].name};")
    run = make_installation([feed])
    assert run.outcome.exit_code == 1
    assert run.outcome.released
    assert [problem.code for problem in run.outcome.not_landed] == ["FILENAME"]
    states = dict(run.query("select label, state from audit.conservation").iter_rows())
    assert states == {good.name: "accepted", others[0].name: "held", others[1].name: "rejected"}
    assert run.query("select count(*) from marts.episode_outcome").item() > 0
    ids = {one.label: one.delivery_id for one in run.outcome.read}
    found = history(run.home).collect()
    refused = found.filter(pl.col("delivery_id") == ids[others[1].name])
    assert refused.select("status", "reason").unique().rows() == [("not_applicable", REFUSED)]
    told = what_if(history(run.home), {"measurement.rows.usable": 1.0})
    assert [(one.delivery_id, one.checks) for one in told.let_through] == [
        (ids[others[0].name], ("measurement.rows.usable",))
    ]
    standing = standing_of(run.home)
    assert standing.counts == summarise(run.published("check_summary"))
    assert "1 delivery is held back" in standing.held


def test_a_change_of_scale_holds_the_delivery(
    network: Any, make_installation: Callable[..., Any], network_feed: Path, tmp_path: Path
) -> None:
    """The same clinic sends shoulder motion in tenths of what it was: every score is still possible."""
    source = next(path for path in sorted(network_feed.iterdir()) if path.is_dir())
    home = replace(network.home, path=tmp_path / "home")
    shutil.copytree(network.home.path, home.path, symlinks=True)
    later = tmp_path / "later_20260801T020000Z"
    shutil.copytree(source, later)
    lines = (later / "measurement.csv").read_text(encoding="utf-8").splitlines()
    changed = []
    for line in lines:
        cells = line.split(",")
        if len(cells) == 8 and cells[1].startswith("shld_") and cells[6].replace(".", "").isdigit():
            cells[6] = f"{float(cells[6]) / 10:.1f}"
        changed.append(",".join(cells))
    (later / "measurement.csv").write_text("\n".join(changed) + "\n", encoding="utf-8")
    second = make_installation([later], home=home)
    assert second.outcome.exit_code == 1
    assert second.outcome.release == network.outcome.release
    (record,) = [one for one in home.ledger.all() if one.label == later.name]
    assert (record.state, record.problem_code) == ("held", "SCALE_DRIFT")
    assert "shld_" in record.problem or "Shoulder" in record.problem
    assert record.compared_with


def test_unwanted_events_are_what_each_clinic_writes_down(network: Any, truth: dict[str, Any]) -> None:
    """The true rate is the same everywhere; 19% or 37% of needling sessions reach the record; one clinic never asks."""
    rates = network.published("adverse_event_rate").filter(
        pl.col("session_kind") == "needling", pl.col("event_type") == "any_minor", pl.col("clinic_key").is_not_null()
    )
    shown = rates.filter(pl.col("event_share").is_not_null())
    assert shown.height >= 6
    for row in shown.rows(named=True):
        planted = truth["clinics"][row["clinic_key"]]["event_recording"]
        error = (planted * (1 - planted) / row["recorded_sessions"]) ** 0.5
        assert row["event_share"] == pytest.approx(planted, abs=4 * error)
    never = {name for name, clinic in truth["clinics"].items() if clinic["events_asked"] == 0}
    silent = rates.filter(pl.col("recorded_sessions") == 0)
    assert set(silent["clinic_key"]) == never
    assert silent.filter(pl.any_horizontal("events", "rate_per_100", "zero_upper_share")).is_empty()
    assert silent["reason"].str.starts_with("Not recorded").all()


def test_subgroups_add_up_to_the_network(network: Any) -> None:
    counts = "episodes", "eligible", "known", "recovered"
    whole = network.query(
        f"select {', '.join(counts)} from marts.recovery_cube where condition_id is null and clinic_key is null "
        "and care = 'any' and period = 'all' and definition_id = 'recovered_v1'"
    ).row(0)
    pain = network.query(
        "select pairs, change_sum, mcid_responders from marts.pain_cube where condition_id is null "
        "and clinic_key is null and care = 'any' and period = 'all'"
    ).row(0)
    for dimension in ("population", "symptom_duration"):
        parts = network.query(
            f"select * from marts.subgroup_cube where condition_id is null and dimension = '{dimension}'"
        )
        assert parts.select(pl.col(*counts).sum()).row(0) == whole
        assert parts.select(pl.col("pairs", "change_sum", "mcid_responders").sum()).row(0) == pain
    needled = network.query(
        "select (select sum(episodes) from marts.subgroup_cube where condition_id is null and dimension = 'twitch'),"
        " (select any_value(needled) from marts.care_mix_cube where condition_id is null)"
    ).row(0)
    assert needled[0] == needled[1] > 0


def test_every_episode_is_in_the_case_mix_and_every_model_has_a_card(network: Any) -> None:
    counted = network.query(
        "select count(*) as n, count(distinct patient_key) as p, sum(is_first_episode::int) as f from marts.case_mix"
    ).row(0, named=True)
    assert counted["n"] == network.query("select count(*) as n from intermediate.episode")["n"].item()
    assert counted["p"] == counted["f"]
    card = network.published("case_mix_model")
    fitted = card.filter(~pl.col("suppressed"), pl.col("reason").is_null())
    assert fitted.height > 0
    assert (fitted["n"] >= 100).all()
    drift = network.query("select * from audit.model_drift")
    assert drift.height == card.height
    assert set(drift["reason"]) == {"no_earlier_release"}


def test_disclosure_control_leaves_the_whole_network_to_be_seen(network: Any) -> None:
    """What is hidden is fine and not coarse: all together, and every large condition, are shown."""
    whole = network.published("recovery_by_condition").filter(
        pl.col("clinic_key").is_null(),
        pl.col("period") == "all",
        pl.col("care") == "any",
        pl.col("definition_id") == CONTRACT.default_definition.definition_id,
    )
    assert whole.filter(pl.col("condition_id").is_null())["suppressed"].to_list() == [False]
    assert whole["suppressed"].mean() < 0.5
