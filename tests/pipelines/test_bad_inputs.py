"""The catalogue of bad inputs as one batch through the whole pipeline: every file has the fate that is due to it."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.contract import CONTRACT
from assets.contract.checks import delivery_checks, release_checks
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.profile import load_profile
from assets.deliveries.reading import read_delivery
from assets.deliveries.state import delivery_contract
from assets.home import Home
from assets.quality.loading import load_lake
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.models import load_models
from pipelines.preflight import preflight

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from pipelines.findings import Findings

pytestmark = pytest.mark.shared

CATALOGUE = Path(__file__).resolve().parents[3] / "shared" / "bad_inputs"
REASONS = {
    "TRUNCATED": {"TRUNCATED", "STRUCTURE"},
    "CONTROL_CHAR": {"STRUCTURE"},
    "FIELD_TOO_LONG": {"STRUCTURE"},
    "INTEGRITY": {"DUPLICATE_KEY"},
    "SCHEMA_EXTRA": {"SCHEMA_EXTRA", "PHI_SUSPECTED"},
    "UNKNOWN_CLINIC": {"UNKNOWN_CLINIC", "KEY_FORMAT"},
}
"""Reason codes of the catalogue with another name here: an episode with two patients is a key with two contents."""
NOT_IN_THE_BATCH = {"A13", "A52", "A53"}
"""Parquet has a profile of its own; a link and a folder are made by hand."""
RELEASED = ("A00", "A15", "A34", "A36", "A40", "A44", "A47", "A48", "A55", "A56")
CANARIES = (b"CANARYNOTE", b"219-09-", b"__canary", b"HYPERLINK", b"drop table")
LISTED = CONTRACT.extended(clinics=["C01"])
ALL_CHECKS = {
    check.check_id: check
    for checks in (*(delivery_checks(LISTED, table) for table in LISTED.tables), release_checks(LISTED))
    for check in checks
}


def cases() -> list[dict[str, str]]:
    if not CATALOGUE.is_dir():
        return []
    with (CATALOGUE / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CASES = [case for case in cases() if case["id"] not in NOT_IN_THE_BATCH]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory, profiles: Path) -> Path:
    if not CATALOGUE.is_dir():
        pytest.skip("no catalogue of bad inputs beside the checkout")
    folder = tmp_path_factory.mktemp("profile")
    shutil.copy(profiles / "bad_inputs.yaml", folder)
    shutil.copytree(CATALOGUE / "reference", folder / "reference")
    return folder / "bad_inputs.yaml"


def copied(folder: Path, wanted: Callable[[str], bool]) -> Path:
    for case in CASES:
        if wanted(case["id"]):
            target = folder / case["sequence"] / Path(case["file"]).name
            target.parent.mkdir(exist_ok=True)
            shutil.copy(CATALOGUE / case["file"], target)
    (folder / "1" / "A52__C01_20250401T020000Z.csv").symlink_to(CATALOGUE / CASES[0]["file"])
    (folder / "1" / "A53__C01_20250401T020000Z.csv").mkdir()
    return folder


@pytest.fixture(scope="module")
def verdicts(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Everything of the catalogue delivered at once, judged as a run judges it."""
    home = Home(tmp_path_factory.mktemp("home"), memory_limit="1GB")
    feed = copied(tmp_path_factory.mktemp("all"), lambda _: True)
    return preflight([feed], load_profile(profile, CONTRACT), home)


@pytest.fixture(scope="module")
def batch(make_installation: Callable[..., Any], profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Cases of every fate, run through to the pages."""
    feed = copied(tmp_path_factory.mktemp("batch"), lambda case: case in RELEASED)
    return make_installation([feed], profile)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}.{case['sequence']}")
def test_fate(case: dict[str, str], verdicts: Findings) -> None:
    name = Path(case["file"]).name
    wanted = REASONS.get(case["reason_code"], {case["reason_code"]})
    found = [finding for finding in verdicts.deliveries if finding.delivery.label == name]
    if case["id"] == "A51":
        assert "FILENAME" in {problem.code for problem in verdicts.not_landed}
        assert not found
        return
    if "NOOP" in case["expected"]:
        assert len(found) == 1, "the same content twice is one delivery"
        return
    (finding,) = found
    delivery, fates = finding.delivery, finding.fates
    assert delivery.ingested == sum(fates[kind] for kind in ("accepted", "quarantined", "superseded", "rejected"))
    if delivery.state is State.REJECTED:
        assert "REJECT" in case["expected"]
        assert delivery.problem_code in wanted
        assert fates["accepted"] == 0
        return
    if case["id"] == "A38":  # keys are text and stay as they are: 00123 and 0123 are two patients
        assert (fates["accepted"], fates["quarantined"]) == (20, 0)
        return
    assert case["expected"] != "REJECT_FILE"
    assert fates["accepted"] == int(case["rows_loaded"])
    assert fates["quarantined"] == int(case["rows_quarantined"])
    if fates["quarantined"]:
        checks = {line.check_id for line in finding.lines}
        assert wanted & {reason_of(check_id) for check_id in checks}


def reason_of(check_id: str) -> str:
    """The reason code of a check; the ranges of all measures share one."""
    if check_id.startswith("measurement.value.possible"):
        return "RANGE"
    return ALL_CHECKS[check_id].reason


def test_a_duplicate_and_a_correction_are_superseded(verdicts: Findings) -> None:
    fates = {finding.delivery.label: finding.fates for finding in verdicts.deliveries}
    assert fates["A34__C01_20250401T020000Z.csv"]["superseded"] == 1
    second = fates["A36__C01_20250408T020000Z.csv"]
    assert (second["accepted"], second["superseded"]) == (2, 18)


def test_links_and_folders_are_no_deliveries(verdicts: Findings) -> None:
    assert not any(finding.delivery.label.startswith(("A52", "A53")) for finding in verdicts.deliveries)
    assert "SYMLINK" in {problem.code for problem in verdicts.not_landed}


def test_a_small_delivery_is_a_warning_about_volume(verdicts: Findings) -> None:
    assert any("volume" in notice.check_id for notice in verdicts.notices)


def test_no_sentence_shows_a_value(verdicts: Findings) -> None:
    said = verdicts.as_text() + json.dumps(verdicts.as_dict())
    for canary in CANARIES:
        assert canary.decode() not in said


def test_a_broken_parquet_file_is_refused(profile: Path, tmp_path: Path) -> None:
    text = profile.read_text(encoding="utf-8").replace('match: "*.csv"', 'match: "*.parquet"\n    format: parquet')
    parquet = profile.with_name("parquet.yaml")
    parquet.write_text(text.replace("profile: bad_inputs", "profile: bad_inputs_parquet"), encoding="utf-8")
    feed = CATALOGUE / "A13__C01_20250401T020000Z.parquet"
    found = preflight([feed], load_profile(parquet, CONTRACT), Home(tmp_path, memory_limit="1GB"))
    (finding,) = found.deliveries
    assert (finding.delivery.state, finding.delivery.problem_code) == (State.REJECTED, "TRUNCATED")
    assert found.exit_code == 2


@pytest.mark.long
def test_the_batch_is_released_and_a_second_run_changes_nothing(
    make_installation: Callable[..., Any], batch: Any, profile: Path
) -> None:
    assert batch.outcome.released
    assert batch.outcome.exit_code == 0
    before = batch.query("select * from audit.conservation order by delivery_id")
    again = make_installation([batch.feed], profile, batch.home)
    assert not again.outcome.read
    assert not again.outcome.released
    assert again.query("select * from audit.conservation order by delivery_id").equals(before)


def modelled(feed: Path, profile: Path, home: Home) -> duckdb.DuckDBPyConnection:
    """Read every file as it is and run the models: nothing is checked, computed or published."""
    loaded = load_profile(profile, CONTRACT)
    for sent in find_deliveries([feed], loaded).sent:
        landed, _ = land(sent, loaded, CONTRACT.version, home.ledger)
        contract = delivery_contract(CONTRACT, home.ledger, loaded)
        read = read_delivery(landed, home.ledger, loaded, contract)
        assert (read.state is State.REJECTED, read.set_aside) == (False, 0), read.label
        home.ledger.save(replace(read, state=State.ACCEPTED))
    connection = connect(None, home=home.path, memory_limit=home.memory_limit)
    load_lake(connection, home)
    build_warehouse(connection, load_models())
    return connection


@pytest.mark.long
def test_the_warehouse_is_that_of_the_good_rows(batch: Any, profile: Path, tmp_path: Path) -> None:
    """The same deliveries without the rows set aside and without the refused ones give the same marts."""
    bad = set(batch.query("select distinct delivery_id, row_number from audit.quarantine").iter_rows())
    for record in batch.home.ledger.all():
        if record.state is not State.ACCEPTED:
            continue
        source = batch.home.ledger.folder(record.delivery_id) / "raw" / record.files[0].name
        with source.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        kept = [row for number, row in enumerate(rows, start=1) if (record.delivery_id, number) not in bad]
        folder = tmp_path / "feed" / record.delivery_id
        folder.mkdir(parents=True)
        with (folder / source.name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *kept])
    home = Home(tmp_path / "home", memory_limit="1GB")
    home.create()
    with modelled(tmp_path / "feed", profile, home) as clean:
        assert clean.sql("from marts.episode_outcome").pl().height > 0
        for mart in ("episode_outcome", "measure_change", "episode_recovery", "pain_cube", "rom_cube"):
            query = f"select * from marts.{mart}"
            one, other = batch.query(query), clean.sql(query).pl()
            assert one.sort(one.columns).equals(other.sort(other.columns)), mart


@pytest.mark.long
def test_no_canary_leaves_the_lake(batch: Any) -> None:
    for path in batch.home.path.rglob("*"):
        if path.is_file() and not path.is_symlink() and batch.home.lake not in path.parents:
            content = path.read_bytes()
            for canary in CANARIES:
                assert canary not in content, path.name


@pytest.mark.long
def test_no_published_cell_is_a_formula(batch: Any) -> None:
    for path in (batch.home.site / "data").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                    assert not cell.startswith("-") or float(cell) <= 0
