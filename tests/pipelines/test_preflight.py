"""The pre-flight judges as a run does, row by row, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.simulation.network import simulate_network
from pipelines.preflight import audit_models, preflight
from pipelines.report import write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.findings import Findings

CANARY = "CANARY7531"


def check(feeds: list[Path], home: Home | None = None, *, against_home: bool = False) -> Findings:
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    place = home or Home(feeds[0].parent / "no-home", memory_limit="1GB")
    return preflight(feeds, profile, place, against_home=against_home)


def entries_of(installation: Any, findings: Findings) -> pl.DataFrame:
    """What the release in force says of the deliveries that were checked."""
    ids = [finding.delivery.delivery_id for finding in findings.deliveries]
    return (
        installation.query("select delivery_id, file, row_number, table_name, check_id, status from audit.quarantine")
        .filter(pl.col("delivery_id").is_in(ids))
        .sort(pl.all())
    )


def assert_same_verdicts(findings: Findings, installation: Any) -> None:
    """Every delivery, fate, row, check and warning is the same."""
    ran = {one.delivery_id: one for one in (*installation.outcome.read, *installation.outcome.known)}
    judged = {finding.delivery.delivery_id: finding for finding in findings.deliveries}
    assert set(judged) == set(ran)
    for delivery_id, finding in judged.items():
        assert finding.delivery.state == ran[delivery_id].state
        assert finding.delivery.problem == ran[delivery_id].problem
    accepted = [one for one in findings.deliveries if one.delivery.state is State.ACCEPTED]
    expected = findings.entries.filter(
        pl.col("delivery_id").is_in([one.delivery.delivery_id for one in accepted])
    ).drop("is_parent_missing")
    assert expected.sort(pl.all()).equals(
        entries_of(installation, findings).filter(
            pl.col("delivery_id").is_in(expected["delivery_id"].unique().to_list())
        )
    )
    for row in installation.query("select * from audit.conservation").iter_rows(named=True):
        if row["delivery_id"] in judged:
            fates = judged[row["delivery_id"]].fates
            for fate in ("accepted", "quarantined", "superseded", "rejected"):
                assert fates[fate] == row[fate], (row["label"], fate)
    results = installation.query(
        "select check_id, delivery_id, evaluated, violated from audit.check_result where status = 'warn'"
    )
    warned = Counter(row for row in results.iter_rows() if row[1] is None or row[1] in judged)
    found = Counter((n.check_id, None, n.evaluated, n.violated) for n in findings.notices)
    for one in accepted:
        found.update((n.check_id, one.delivery.delivery_id, n.evaluated, n.violated) for n in one.notices)
    assert found == warned


def test_check_and_run_agree_on_a_dirty_network(network: Any, network_feed: Path) -> None:
    feeds = sorted(path for path in network_feed.iterdir() if path.is_dir())
    findings = check(feeds)
    assert findings.exit_code == network.outcome.exit_code == 0
    assert findings.entries.height > 100
    assert_same_verdicts(findings, network)


@pytest.fixture(scope="module")
def clean_feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clean")
    simulate_network(out, patients=60, seed=3, contract=CONTRACT, clean=True, sources=1)
    return next(path for path in out.iterdir() if path.is_dir())


def rewrite(file: Path, change: Callable[[list[str]], list[str]]) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(change(lines)) + "\n", encoding="utf-8")


def with_cell(line: str, place: int, value: str) -> str:
    cells = line.split(",")
    cells[place] = value
    return ",".join(cells)


def furlongs(feed: Path) -> None:
    place = CONTRACT.table("measurement").names.index("unit")
    rewrite(
        feed / "measurement.csv", lambda lines: [lines[0], *(with_cell(line, place, "furlongs") for line in lines[1:])]
    )


def semicolons(feed: Path) -> None:
    rewrite(feed / "visit.csv", lambda lines: [line.replace(",", ";") for line in lines])


def repeats(feed: Path) -> None:
    """A copy, and a second row with the same key that says something else."""
    place = CONTRACT.table("visit").names.index("attendance")
    rewrite(feed / "visit.csv", lambda lines: [*lines, lines[1], with_cell(lines[2], place, "no_show")])


def orphans(feed: Path) -> None:
    rewrite(feed / "episode.csv", lambda lines: [lines[0], *lines[2:]])


def words_for_numbers(feed: Path) -> None:
    place = CONTRACT.table("measurement").names.index("value")
    rewrite(feed / "measurement.csv", lambda lines: [*lines[:5], with_cell(lines[5], place, CANARY), *lines[6:]])


FAULTS = {
    "held_20260701T020000Z": furlongs,
    "refused_20260702T020000Z": semicolons,
    "repeats_20260703T020000Z": repeats,
    "orphans_20260704T020000Z": orphans,
    "words_20260705T020000Z": words_for_numbers,
}


@pytest.fixture(scope="module")
def faulty_feeds(clean_feed: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("faulty")
    for name, spoil in FAULTS.items():
        shutil.copytree(clean_feed, folder / name)
        spoil(folder / name)
    return [folder / name for name in FAULTS]


@pytest.fixture(scope="module")
def faulty_findings(faulty_feeds: list[Path]) -> Findings:
    return check(faulty_feeds)


@pytest.fixture(scope="module")
def faulty_run(faulty_feeds: list[Path], make_installation: Callable[..., Any]) -> Any:
    return make_installation(faulty_feeds)


@pytest.mark.long
def test_check_and_run_agree_on_faults_of_every_kind(faulty_findings: Findings, faulty_run: Any) -> None:
    states = {
        finding.delivery.label.partition("_")[0]: finding.delivery.state for finding in faulty_findings.deliveries
    }
    assert states == {
        "held": State.HELD,
        "refused": State.REJECTED,
        "repeats": State.ACCEPTED,
        "orphans": State.ACCEPTED,
        "words": State.ACCEPTED,
    }
    assert faulty_findings.exit_code == faulty_run.outcome.exit_code == 1
    assert_same_verdicts(faulty_findings, faulty_run)


def test_a_held_delivery_says_what_would_have_been_set_aside(faulty_findings: Findings) -> None:
    held = next(finding for finding in faulty_findings.deliveries if finding.delivery.state is State.HELD)
    line = next(line for line in held.lines if line.check_id == "measurement.unit.of_measure")
    assert line.rows == held.fates["rejected"] - sum(
        file.records or 0 for file in held.delivery.files if file.name != "measurement.csv"
    )
    assert "measurement.rows.usable" in (held.delivery.problem or "")


def test_later_extracts_correct_what_earlier_ones_had_wrong(faulty_findings: Findings) -> None:
    """The last delivery holds every row of the earlier ones in order, but the row it has wrong itself."""
    statuses = {
        (finding.delivery.label.partition("_")[0], line.status)
        for finding in faulty_findings.deliveries
        if finding.delivery.state is State.ACCEPTED
        for line in finding.lines
    }
    assert ("repeats", "corrected") in statuses
    assert ("repeats", "open") not in statuses
    assert ("words", "open") in statuses


def test_order_of_arrival_does_not_matter(faulty_feeds: list[Path], faulty_findings: Findings) -> None:
    other = check([*reversed(faulty_feeds)])
    assert other.entries.sort(pl.all()).equals(faulty_findings.entries.sort(pl.all()))


@pytest.mark.long
def test_judged_against_a_home_children_find_their_parents(
    faulty_run: Any, clean_feed: Path, tmp_path: Path, make_installation: Callable[..., Any]
) -> None:
    feed = tmp_path / "late_20260801T020000Z"
    shutil.copytree(clean_feed, feed)
    rewrite(feed / "episode.csv", lambda lines: lines[:1])  # the episodes were sent before
    home = Home(tmp_path / "home", memory_limit="1GB")
    shutil.copytree(faulty_run.home.path, home.path, symlinks=True)
    before = {path: path.stat().st_mtime_ns for path in home.lake.rglob("*")}

    alone = check([feed], home)
    apart = [line for finding in alone.deliveries for line in finding.lines if line.not_in_feed]
    assert {line.check_id for line in apart} >= {"visit.episode_key.reference", "measurement.visit_key.reference"}
    assert alone.deliveries[0].rows_not_in_feed > 100
    assert alone.exit_code == 0, alone.held_by

    together = check([feed], home, against_home=True)
    assert together.exit_code == 0
    assert together.is_against_home
    assert together.entries.is_empty()
    assert {path: path.stat().st_mtime_ns for path in home.lake.rglob("*")} == before
    assert not list(home.path.glob(".check-*"))
    assert_same_verdicts(together, make_installation([feed], home=home))

    known = check([feed], home, against_home=True)
    assert known.deliveries[0].is_known
    assert "a run does nothing" in known.as_text()


@pytest.mark.long
def test_a_known_delivery_under_another_contract_is_judged_anew_without_touching_the_home(
    faulty_run: Any, faulty_feeds: list[Path], tmp_path: Path
) -> None:
    home = Home(tmp_path / "home", memory_limit="1GB")
    shutil.copytree(faulty_run.home.path, home.path, symlinks=True)
    for record in home.lake.glob("*/delivery.json"):
        record.write_text(re.sub(r'"contract_version": "[^"]*"', '"contract_version": "0"', record.read_text("utf-8")))
    before = {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()}
    findings = check(faulty_feeds, home, against_home=True)
    assert not any(finding.is_known for finding in findings.deliveries)
    assert {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()} == before


def test_a_home_in_which_nothing_was_delivered_is_named(clean_feed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="nothing was delivered here yet"):
        check([clean_feed], Home(tmp_path / "nowhere", memory_limit="1GB"), against_home=True)


def test_nothing_usable(clean_feed: Path, tmp_path: Path) -> None:
    feed = tmp_path / clean_feed.name
    shutil.copytree(clean_feed, feed)
    semicolons(feed)
    findings = check([feed])
    assert findings.exit_code == 2
    assert "would be refused" in findings.as_text()


def test_a_clean_feed_has_nothing_to_correct(clean_feed: Path) -> None:
    findings = check([clean_feed])
    assert findings.exit_code == 0
    assert findings.entries.is_empty()
    assert "would be accepted" in findings.as_text()


def test_reports_name_places_and_rules_and_no_value(faulty_findings: Findings, tmp_path: Path) -> None:
    write_report(faulty_findings, tmp_path / "report.json")
    write_report(faulty_findings, tmp_path / "report.html")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    words = next(one for one in content["deliveries"] if one["label"].startswith("words"))
    assert words["ingested"] == sum(words[fate] for fate in ("accepted", "quarantined", "superseded", "rejected"))
    (line,) = [one for one in words["checks"] if one["check_id"] == "measurement.value.readable"]
    assert (line["file"], line["rows"], line["first_row"], line["column"]) == ("measurement.csv", 1, 5, "value")
    assert line["sentence"]
    assert line["remedy"]
    for text in (
        (tmp_path / "report.json").read_text(encoding="utf-8"),
        (tmp_path / "report.html").read_text(encoding="utf-8"),
        faulty_findings.as_text(),
    ):
        assert CANARY not in text
        assert "furlongs" not in text.replace('"code": "furlongs"', "").replace("code furlongs", "").replace(
            "<td>furlongs</td>", ""
        )  # a code that must be mapped is shown, and nothing else


def test_the_page_needs_nothing_and_runs_nothing(faulty_findings: Findings, tmp_path: Path) -> None:
    write_report(faulty_findings, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;" in page
    assert "<script" not in page
    assert " style=" not in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "url(" not in page
    assert 'name="viewport"' in page
    assert all(f"<h2>{finding.delivery.label}</h2>" in page for finding in faulty_findings.deliveries)


@pytest.mark.parametrize("name", ["report.pdf", "report", "missing/report.json"])
def test_a_report_that_cannot_be_written(faulty_findings: Findings, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputProblem) as caught:
        write_report(faulty_findings, tmp_path / name)
    assert caught.value.code == "REPORT"


def test_the_models_of_the_audit_come_with_all_they_read() -> None:
    models = audit_models()
    names = {(model.schema, model.name) for model in models}
    assert ("audit", "quarantine") in names
    assert "marts" not in {schema for schema, _ in names}
    seen: set[tuple[str, str]] = set()
    for model in models:
        assert {key for key in model.depends_on if key[0] not in ("lake", "reference")} <= seen
        seen.add((model.schema, model.name))


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever happens, the temporary home is gone."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    yield
    assert not list(scratch.iterdir())
