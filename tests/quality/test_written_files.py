"""What lies in the files of a release: files that say something else, keys of patients, files nobody wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Check, Kind
from assets.outcomes.published import PUBLISHED_TABLES
from assets.quality.published_checks import published_checks
from assets.quality.written_files import write_written
from dashboards.site import SiteMeta, build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TABLE = "clinic"
FRAME = pl.DataFrame(
    {"clinic_key": ["c1", "c2", "c3"], "label": ["=SUM(1)", None, "'quoted', and more"], "share": [0.1, None, 1 / 3]}
)
RATES = pl.DataFrame(
    {
        "condition_id": [None, "neck_pain"],
        "clinic_key": ["c1", None],
        "care": ["any"] * 2,
        "period": ["all"] * 2,
        "definition_id": ["d"] * 2,
        "rate": [0.46, 0.5],
        "suppressed": [False] * 2,
    }
)
PAGE = (
    '<tr><td><a href="recovery.html#clinic=c1">One</a> <b>x</b></td><td><strong>46%</strong></td></tr>'
    '<tr><td><a href="recovery.html#condition=neck_pain">Neck</a></td><td><strong>50%</strong></td></tr>'
)
META = SiteMeta("Outcomes", "2026-10-31", "4f1c9a2", "2", 3, 2, 1, is_simulated=True, minimum_group=11)
CHECKS = {
    check.check_id: check
    for check in published_checks(CONTRACT)
    if check.kind not in (Kind.HIDDEN, Kind.SMALL_COUNT)
    and (check.kind is not Kind.SAME_FILE or check.table == f"published.{TABLE}")
}


class Release:
    """A release of one table and one page."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder, self.connection = folder, connection
        frames = {TABLE: FRAME, "recovery_by_condition": RATES}
        connection.execute("create schema audit; create schema staging; create schema intermediate")
        connection.execute("create schema published; create schema reference")
        for name, frame in frames.items():
            connection.register("frame", frame)
            connection.execute(f"create table published.{name} as from frame")
        connection.execute("create table reference.definition as select 'd' as definition_id, true as is_default")
        connection.execute("create table staging.patient as select unnest(['P-0001', 'Q00017', '4711']) as patient_key")
        connection.execute(
            "create table intermediate.episode as select 'E0042' as episode_key, 'anna' as therapist_key"
        )
        connection.execute("create table intermediate.visit as select '20260101-000042' as visit_key")
        (folder / "tables").mkdir()
        FRAME.write_parquet(folder / "tables" / f"{TABLE}.parquet")
        self.files = build_site({TABLE: FRAME}, CONTRACT, META, folder / "site")
        (folder / "site" / "index.html").write_text(PAGE)

    def found(self) -> dict[str, tuple[int, int]]:
        """How many each check looked at, and how many violate it."""
        write_written(self.connection, self.folder, "site", self.files, [TABLE])
        return {name: (self.count(check.evaluated_sql), self.violated(check)) for name, check in CHECKS.items()}

    def violated(self, check: Check) -> int:
        return self.count(f"select count(*) from ({check.violated_sql})")

    def count(self, sql: str) -> int:
        return int(self.connection.execute(sql).fetchall()[0][0])


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with duckdb.connect() as connection:
        yield Release(tmp_path, connection)


def test_what_was_written_as_it_should_be_passes(release: Release) -> None:
    found = release.found()
    assert {name: violated for name, (_, violated) in found.items()} == dict.fromkeys(CHECKS, 0)
    assert found["published.clinic.same_file"] == (3, 0)
    assert found["site.patient.no_key"] == (2, 0), "4711 could be a count"
    assert found["site.therapist.no_key"] == (0, 0), "a name could be a word"
    assert (found["site.visit.no_key"], found["site.episode.no_key"]) == ((1, 0), (1, 0))
    assert (found["site.index.clinic.same_page"], found["site.index.condition.same_page"]) == ((1, 0), (1, 0))
    assert found["site.files.whole_site"][0] == len(release.files) > 10


def test_the_order_in_which_the_database_reads_a_large_table_is_no_fault(release: Release) -> None:
    """Of more than a row group it reads in any order: two years of nights have that many results of checks."""
    release.connection.execute(f"create or replace table published.{TABLE} as from published.{TABLE} order by all desc")
    assert release.found()["published.clinic.same_file"] == (3, 0)


def append(folder: Path, name: str, text: str) -> None:
    with (folder / "site" / name).open("a") as file:
        file.write(text)


FAULTS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "one digit of a CSV": (
        "published.clinic.same_file",
        lambda folder: (folder / "site/data/clinic.csv").write_text(
            (folder / "site/data/clinic.csv").read_text().replace("0.1", "0.2")
        ),
    ),
    "a Parquet file of another table": (
        "published.clinic.same_file",
        lambda folder: FRAME.with_columns(share=pl.lit(0.5)).write_parquet(folder / "site/data/clinic.parquet"),
    ),
    "a row less": (
        "published.clinic.same_file",
        lambda folder: FRAME[:2].write_parquet(folder / "tables/clinic.parquet"),
    ),
    "no Parquet at all": (
        "published.clinic.same_file",
        lambda folder: (folder / "tables/clinic.parquet").write_bytes(b"PAR1"),
    ),
    "a file that is gone": ("site.files.whole_site", lambda folder: (folder / "site/quality.html").unlink()),
    "a file that nobody wrote": ("site.files.whole_site", lambda folder: append(folder, "notes.txt", "x")),
    "a key in a page": ("site.patient.no_key", lambda folder: append(folder, "recovery.html", "<p>Q00017</p>")),
    "a key in data": ("site.episode.no_key", lambda folder: append(folder, "data/passports.js", '["x:E0042"]')),
    "a key with a dash": ("site.patient.no_key", lambda folder: append(folder, "runs.html", "key=P-0001.")),
    "a long key of digits": ("site.visit.no_key", lambda folder: append(folder, "runs.html", "(20260101-000042)")),
    "another share on the first page": (
        "site.index.clinic.same_page",
        lambda folder: (folder / "site/index.html").write_text(PAGE.replace("46%", "64%")),
    ),
    "a share that is hidden": (
        "site.index.condition.same_page",
        lambda folder: (folder / "site/index.html").write_text(PAGE.replace("neck_pain", "sciatica")),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_its_check_and_by_no_other(release: Release, fault: str) -> None:
    check_id, plant = FAULTS[fault]
    plant(release.folder)
    assert [name for name, (_, violated) in release.found().items() if violated] == [check_id]


def test_no_key_is_kept(release: Release) -> None:
    append(release.folder, "recovery.html", "<p>Q00017</p>")
    release.found()
    assert release.connection.execute("from audit.written_key").fetchall() == [("patient", "recovery.html")]


def test_every_published_table_is_compared() -> None:
    compared = {check.table for check in published_checks(CONTRACT) if check.kind is Kind.SAME_FILE}
    assert compared == {f"published.{name}" for name in PUBLISHED_TABLES}
