"""Advice for rows set aside, and the memory of what earlier readings set aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import delivery_checks, release_checks
from assets.deliveries.ledger import Delivery, Ledger, State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.reading import VIOLATION_SCHEMA
from assets.deliveries.reading_history import HISTORY_SCHEMA, history_frame, remember_reading
from assets.quality.guidance import Guidance
from assets.quality.quarantine import REMEDY, STATUS_WORDS, Status, remedy

CHECKS = [
    *(check for table in CONTRACT.tables for check in delivery_checks(CONTRACT, table)),
    *release_checks(CONTRACT),
]


def test_every_check_says_what_to_do() -> None:
    for check in CHECKS:
        words = remedy(check)
        assert words
        assert "None" not in words, check.check_id
        assert "{" not in words
        assert not words.endswith(".")
    assert {check.kind for check in CHECKS} <= set(REMEDY)


def test_every_status_has_words() -> None:
    assert set(STATUS_WORDS) == set(Status)


def test_a_remedy_names_the_column_as_the_source_does() -> None:
    check = next(check for check in CHECKS if check.check_id == "measurement.value.readable")
    assert "pk5" in remedy(check, "pk5")
    assert "value" not in remedy(check, "pk5")


@pytest.mark.parametrize(
    ("check_id", "column"),
    [
        ("patient.age_years.readable", "age"),
        ("episode.clinic_key.required", "practice_id"),
        ("episode.key.unique", "id"),
        ("measurement.value.possible.headache_days", "f1, f2, f5"),
        ("measurement.value.readable", "value"),  # six columns: nobody reads that list
        ("measurement.unit.of_measure", "unit"),  # the profile's own constant
        ("patient.row.structure", ""),
    ],
)
def test_guidance_speaks_of_the_columns_of_the_clinic(check_id: str, column: str) -> None:
    profile = load_profile(Path(__file__).parents[1] / "profiles" / "acupuncture_headache.yaml", CONTRACT)
    advice = Guidance(profile.extend(CONTRACT), profile).of(check_id, "acupuncture.csv")
    assert advice.column == column
    assert advice.remedy
    assert advice.sentence.endswith(".")


def test_a_check_that_nobody_knows_is_called_by_its_id() -> None:
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    advice = Guidance(CONTRACT, profile).of("no.such.check", "visit.csv")
    assert (advice.sentence, advice.column) == ("no.such.check", "")


def delivery(digest: str, state: State = State.ACCEPTED, contract_version: str = "1") -> Delivery:
    return Delivery("d1", "north", (), "", "canonical", 1, digest, contract_version, state=state)


def set_aside(folder: Path, *rows: int) -> None:
    (folder / "quarantined").mkdir(parents=True, exist_ok=True)
    pl.DataFrame(
        [("d1", "visit.csv", "visit", row, "visit.visit_type.allowed") for row in rows],
        schema=VIOLATION_SCHEMA,
        orient="row",
    ).write_parquet(folder / "quarantined" / "violation.parquet")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def test_each_reading_is_remembered_once(ledger: Ledger) -> None:
    folder = ledger.folder("d1")
    set_aside(folder, 1, 2)
    remember_reading(folder, delivery("first"))
    remember_reading(folder, delivery("first"))  # the process died and began again
    set_aside(folder, 2)
    remember_reading(folder, delivery("second"))
    set_aside(folder, 1, 2)
    remember_reading(folder, delivery("first"))
    remember_reading(folder, delivery("first", contract_version="2"))
    history = history_frame(ledger, [delivery("third")])
    assert history.schema == HISTORY_SCHEMA
    assert history.select("reading", "profile_digest", "contract_version", "row_number").rows() == [
        (1, "first", "1", 1),
        (1, "first", "1", 2),
        (2, "second", "1", 2),
        (3, "first", "2", 1),
        (3, "first", "2", 2),
    ]


@pytest.mark.parametrize("state", [state for state in State if state is not State.ACCEPTED])
def test_a_reading_that_was_not_accepted_put_nothing_into_quarantine(ledger: Ledger, state: State) -> None:
    folder = ledger.folder("d1")
    set_aside(folder, 1)
    remember_reading(folder, delivery("first", state))
    assert history_frame(ledger, [delivery("second")]).is_empty()


def test_the_history_of_a_delivery_that_is_not_accepted_now_does_not_count(ledger: Ledger) -> None:
    folder = ledger.folder("d1")
    set_aside(folder, 1)
    remember_reading(folder, delivery("first"))
    assert history_frame(ledger, [replace(delivery("second"), state=State.HELD)]).is_empty()


def test_the_history_holds_places_and_rules_and_no_value() -> None:
    assert set(HISTORY_SCHEMA) == {
        "reading",
        "profile_digest",
        "contract_version",
        "delivery_id",
        "file",
        "row_number",
        "table_name",
        "check_id",
    }
