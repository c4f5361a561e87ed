"""A row set aside has a life: it is listed, put on a fix list, waived, read again, and closed by a correction."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.quality.waivers import WAIVERS, Lifts
from pipelines.quarantine import (
    HEADER,
    WARNING,
    export_fix_lists,
    file_name,
    quarantine_entries,
    summarise,
)
from pipelines.retry import retries
from pipelines.runner import retry
from pipelines.waiving import waive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CANARY = "CANARY7531"
PROFILE = """
profile: mine
version: 1
description: Visits with pain scores, one row per visit
privacy_mode: safe_harbor
files:
  - match: "visits*.csv"
    tables:
      - table: patient
        fields: {patient_key: {column: pat, prefix: P}, sex: {constant: unknown}, population: {constant: unknown}}
      - table: episode
        fields:
          episode_key: {column: pat, prefix: E}
          patient_key: {column: pat, prefix: P}
          clinic_key: site
          condition_id: {column: cond, codes: {NECK: neck_pain}}
          start_year: year
          discharge_reason: {constant: unknown}
      - table: visit
        fields:
          visit_key: {columns: [pat, day]}
          episode_key: {column: pat, prefix: E}
          day_offset: day
          visit_type: {constant: eval}
          attendance: {constant: attended}
    scores:
      - {measure: nprs_avg24h, column: pain, method: {constant: questionnaire}}
"""
COLUMNS = ("pat", "site", "cond", "year", "day", "pain")
Row = tuple[str, str, str, int, int, str]


def rows() -> list[Row]:
    """40 patients of two clinics; row 3 has a code nobody translated, row 5 an impossible score, row 7 a word."""
    made: list[Row] = [(f"k{n:03}", f"site-{n % 2}", "NECK", 2024, 0, str(n % 10)) for n in range(1, 41)]
    made[2] = (*made[2][:2], "LBP", *made[2][3:])  # type: ignore[assignment]
    made[4] = (*made[4][:5], "11")  # type: ignore[assignment]
    made[6] = (*made[6][:5], CANARY)  # type: ignore[assignment]
    return made


def write(path: Path, content: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *content])
    return path


def corrected(content: list[Row]) -> list[Row]:
    """The clinic corrected the impossible score and left the word."""
    fixed = list(content)
    fixed[4] = (*fixed[4][:5], "1")  # type: ignore[assignment]
    return fixed


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "mine.yaml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("feeds")
    return [
        write(folder / "visits_20260701T000000Z.csv", rows()),
        write(folder / "visits_20260801T000000Z.csv", corrected(rows())),
    ]


@pytest.fixture(scope="module")
def first(make_installation: Callable[..., Any], feeds: list[Path], profile: Path) -> Any:
    """The first delivery alone."""
    return make_installation(feeds[:1], profile)


@pytest.fixture
def home(first: Any, tmp_path: Path) -> Home:
    """A copy of that home, to do things in."""
    shutil.copytree(first.home.path, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home", memory_limit="1GB")


def statuses(home: Home) -> dict[tuple[int, str], list[str]]:
    found: dict[tuple[int, str], list[str]] = {}
    for row in quarantine_entries(home).sort("delivery_id", "label", "row_number").iter_rows(named=True):
        found.setdefault((row["row_number"], row["check_id"]), []).append(row["status"])
    return {key: sorted(values) for key, values in found.items()}


CODE = (3, "episode.condition_id.allowed")
SCORE = (5, "measurement.value.possible.nprs_avg24h")
WORD = (7, "measurement.value.readable")


def test_entries_are_open_and_know_their_clinic(first: Any) -> None:
    assert statuses(first.home) == {CODE: ["open"], SCORE: ["open"], WORD: ["open"]}
    entries = quarantine_entries(first.home)
    assert set(entries["clinic"]) == {"site-1"}
    assert quarantine_entries(first.home, ["waived"]).is_empty()
    assert quarantine_entries(first.home, ["open"], "site-1").height == 3
    with pytest.raises(InputProblem, match="nothing was set aside of a clinic"):
        quarantine_entries(first.home, clinic="site-0")


def test_the_list_says_what_and_where(first: Any) -> None:
    summary = summarise(quarantine_entries(first.home))
    assert summary.totals == {"open": 3}
    text = summary.as_text()
    assert "3 open" in text
    assert "1 x measurement.value.readable (first in row 7), open. " in text
    assert CANARY not in text + json.dumps(summary.as_dict())


@pytest.mark.long
def test_a_later_extract_corrects_and_the_order_of_arrival_does_not_matter(
    first: Any, home: Home, make_installation: Callable[..., Any], feeds: list[Path], profile: Path
) -> None:
    make_installation(feeds[1:], profile, home)
    assert statuses(home) == {CODE: ["open", "open"], SCORE: ["corrected"], WORD: ["open", "open"]}
    corrected_by = quarantine_entries(home, ["corrected"])["corrected_by"].to_list()
    assert corrected_by == [delivery.delivery_id for delivery in home.ledger.all()][1:]
    other = make_installation(list(reversed(feeds)), profile).home
    assert quarantine_entries(other).equals(quarantine_entries(home))
    assert statuses(first.home)[SCORE] == ["open"]


@pytest.mark.long
def test_a_row_is_taken_in_when_its_delivery_is_read_again_under_a_corrected_profile(home: Home) -> None:
    (home.profiles / "mine.yaml").write_text(PROFILE, encoding="utf-8")
    assert [one.is_changed for one in retries(home)] == [False]
    unchanged = retry(home, [], lambda _: None)
    assert not unchanged.read
    assert len(unchanged.known) == 1
    (home.profiles / "mine.yaml").write_text(
        PROFILE.replace("{NECK: neck_pain}", "{NECK: neck_pain, LBP: low_back_pain}"), encoding="utf-8"
    )
    assert [one.is_changed for one in retries(home)] == [True]
    outcome = retry(home, [], lambda _: None)
    assert outcome.exit_code == 0
    assert outcome.released
    assert statuses(home) == {CODE: ["re_ingested"], SCORE: ["open"], WORD: ["open"]}
    published = pl.read_parquet(home.site / "data" / "quarantine_by_reason.parquet")
    assert "episode.condition_id.allowed" not in published["check_id"].to_list()
    patients_rows = {"raw", "rows", "quarantined"}
    for path in home.path.rglob("*"):
        if path.is_file() and not patients_rows & set(path.relative_to(home.path).parts):
            assert CANARY.encode() not in path.read_bytes(), path.name


def test_a_retry_that_is_refused_leaves_the_reading_before_it_and_its_files(home: Home) -> None:
    (before,) = home.ledger.all()
    raw = home.ledger.folder(before.delivery_id) / "raw"
    files = {path.name: path.read_bytes() for path in raw.iterdir()}
    entries, release = statuses(home), home.current.readlink()
    wrong = PROFILE.replace("{NECK: neck_pain}", "{NECK: neck_pain, LBP: low_back_pain}")
    wrong = wrong.replace('match: "', 'delimiter: ";"\n    match: "', 1)
    (home.profiles / "mine.yaml").write_text(wrong, encoding="utf-8")
    outcome = retry(home, [], lambda _: None)
    assert outcome.exit_code == 1
    assert "stays in force" in str(outcome.failed[0])
    assert home.ledger.all() == (before,)
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == files
    assert (statuses(home), home.current.readlink()) == (entries, release)
    assert not list(home.lake.glob(".incoming*"))


def test_a_retry_needs_a_known_delivery_and_a_profile(home: Home) -> None:
    with pytest.raises(InputProblem, match="no delivery has this id"):
        retries(home, ["nonesuch"])
    with pytest.raises(InputProblem, match="there is no profile of this name"):
        retries(home)


def waive_word(home: Home, **changes: Any) -> None:
    given = {"by": "A. Steward", "because": "the paper form was lost", "until": "2026-12-31", "now": NOW}
    waive(home, WORD[1], lifts=Lifts.TO_DO, **(given | changes))


@pytest.mark.long
def test_a_waiver_takes_a_row_off_the_list_but_not_out_of_quarantine_until_it_ends(
    home: Home, make_installation: Callable[..., Any], feeds: list[Path], profile: Path
) -> None:
    before = home.current.readlink()
    waive_word(home, delivery_id=home.ledger.all()[0].delivery_id, row_number=7, until="2026-07-31")
    outcome = make_installation(feeds[:1], profile, home).outcome
    assert outcome.released, "a waiver alone makes a new release"
    assert home.current.readlink() != before
    assert statuses(home) == {CODE: ["open"], SCORE: ["open"], WORD: ["waived"]}
    assert [path.name for path in export_fix_lists(home, home.path / "out", values=False, say=print)] == [
        "fix-list-site-1.csv"
    ]
    assert WORD[1] not in (home.path / "out" / "fix-list-site-1.csv").read_text(encoding="utf-8")
    make_installation(feeds[1:], profile, home)  # an extract of August: the waiver ended in July
    assert statuses(home)[WORD] == ["expired", "open"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"because": "no time"}, "because"),
        ({"until": "2026-06-30"}, "its last day has passed"),
        ({"delivery_id": "nonesuch"}, "no delivery has this id"),
    ],
)
def test_a_waiver_that_cannot_be_given_leaves_no_trace(first: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputProblem, match=said):
        waive_word(first.home, **changes)
    for check_id, lifts, does in (
        ("measurement.value.plausible.nprs_avg24h", Lifts.TO_DO, "sets rows aside"),
        (WORD[1], Lifts.HOLD, "holds a delivery or release"),
    ):
        with pytest.raises(InputProblem, match=f"no check of this name {does}"):
            waive(first.home, check_id, lifts=lifts, by="A", because="x" * 10, until="2027-01-01", now=NOW)
    assert WAIVERS.read(first.home.path) == ()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_fix_list_names_the_clinics_own_columns_and_no_value(first: Any, tmp_path: Path) -> None:
    said: list[str] = []
    (path,) = export_fix_lists(first.home, tmp_path / "out", values=False, say=said.append)
    assert said == []
    assert path.stat().st_mode & 0o077 == 0
    lines = read_csv(path)
    assert tuple(lines[0]) == HEADER
    assert [(line["file"], line["row"], line["column"]) for line in lines] == [
        ("visits_20260701T000000Z.csv", "3", "cond"),
        ("visits_20260701T000000Z.csv", "5", "pain"),
        ("visits_20260701T000000Z.csv", "7", "pain"),
    ]
    assert all(line["rule"] and line["what_to_do"] for line in lines)
    content = path.read_text(encoding="utf-8")
    assert CANARY not in content
    assert "LBP" not in content


def test_values_are_written_only_where_they_are_asked_for_and_with_a_warning(first: Any, tmp_path: Path) -> None:
    said: list[str] = []
    (path,) = export_fix_lists(first.home, tmp_path / "out", values=True, say=said.append)
    assert said == [WARNING]
    assert path.stat().st_mode & 0o077 == 0
    assert [line["value"] for line in read_csv(path)] == ["LBP", "11.000000", CANARY]


@pytest.mark.long
def test_no_cell_is_a_formula(make_installation: Callable[..., Any], profile: Path, tmp_path: Path) -> None:
    formulas = ["=1+1", "+1-1", "-2+3", "@SUM(A1)"]
    content = [(*row[:2], formula, *row[3:]) for row, formula in zip(rows(), formulas, strict=False)]
    home = make_installation([write(tmp_path / "visits.csv", [*content, *rows()[4:]])], profile).home
    paths = export_fix_lists(home, tmp_path / "out", values=True, say=lambda _: None)
    cells = [cell for path in paths for line in read_csv(path) for cell in line.values()]
    assert {f"'{formula}" for formula in formulas} <= set(cells)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


@pytest.mark.parametrize(
    ("clinics", "names"),
    [
        (["../../etc/passwd"], ["etc_passwd"]),
        (["A b", "a_b", "A_B"], ["A_b", "a_b-2", "A_B-3"]),
        (["", "***", "é"], ["clinic", "clinic-2", "clinic-3"]),
        (["x" * 300], ["x" * 60]),
    ],
)
def test_names_of_clinics_are_safe_as_file_names_and_never_the_same(clinics: list[str], names: list[str]) -> None:
    taken: set[str] = set()
    assert [file_name(clinic, taken) for clinic in clinics] == names


def test_without_a_release_there_is_nothing_to_list(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="there is no release yet"):
        quarantine_entries(Home(tmp_path, memory_limit="1GB"))
