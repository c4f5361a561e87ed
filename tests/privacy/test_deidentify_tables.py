"""De-identified tables: what identified is gone, what the profile reads is there, and the output can be read."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Ledger, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.reading import read_delivery
from assets.simulation.network import simulate_network
from pipelines.deidentify import plain_name

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = """
profile: raw_visits
version: 1
description: Visits as the clinic's system exports them
privacy_mode: limited_data_set
clinics: [NorthStreet]
files:
  - match: "*.csv"
    tables:
      - table: patient
        fields:
          patient_key: MRN
          sex: {column: Sex, codes: {Female: F, Male: M}}
          age_years: {column: Age, missing: ["999"]}
          zip3: ZIP
      - table: episode
        fields:
          episode_key: {columns: [MRN, Case]}
          patient_key: MRN
          clinic_key: Clinic
          condition_id: {constant: neck_pain}
          discharge_reason: {constant: unknown}
      - table: visit
        fields:
          visit_key: {columns: [MRN, Case, Visit Date]}
          episode_key: {columns: [MRN, Case]}
          calendar_day: {column: Visit Date, date_format: "%m/%d/%Y"}
          visit_type: {constant: treat}
          attendance: {constant: attended}
      - table: measurement
        skip_when_blank: Pain
        fields:
          visit_key: {columns: [MRN, Case, Visit Date]}
          measure_id: {constant: nprs_avg24h}
          side: {constant: none}
          active_passive: {constant: not_applicable}
          method: {constant: questionnaire}
          rater_key: Therapist
          value: Pain
          unit: {constant: points}
"""
HEADER = "MRN,Patient Name,DOB,Phone,Sex,Age,ZIP,Clinic,Case,Visit Date,Therapist,Pain"
ROWS = (
    "00123,Mary Canary,04/17/1961,555-010-9999,Female,63,97301,NorthStreet,1,03/01/2025,Terry Hawk,7",
    "00123,Mary Canary,04/17/1961,555-010-9999,Female,63,97301,NorthStreet,1,03/08/2025,Terry Hawk,5",
    "00123,Mary Canary,04/17/1961,555-010-9999,Female,63,97301,NorthStreet,2,06/01/2025,Terry Hawk,3",
    "0123,Joe Wren,01/02/1930,,Male,95,03601,NorthStreet,1,04/30/2025,Terry Hawk,",
    "0124,Sam Crow,01/02/1999,,Male,999,1001,NorthStreet,1,not known,Terry Hawk,4",
    "0124,Sam Crow,01/02/1999,,Male,999,1001,NorthStreet,1,45720,Terry Hawk,4",
)


def feed(*rows: str) -> dict[str, bytes | str]:
    return {"visits.csv": "\n".join((HEADER, *rows)) + "\n"}


def frame(clinic: Any, name: str = "visits.csv") -> pl.DataFrame:
    return pl.read_csv(clinic.folder / "out" / name, infer_schema=False)


def rows(ledger: Ledger, delivery_id: str, table: str) -> pl.DataFrame:
    return pl.read_parquet(sorted((ledger.folder(delivery_id) / "rows").glob(f"{table}.*.parquet")))


def test_nothing_that_identifies_is_left(clinic: Any) -> None:
    report = clinic.deidentify(clinic.write(feed(*ROWS)), profile=clinic.profile(PROFILE))
    text = clinic.text()
    for value in re.findall(r"[\w./-]{4,}", " ".join(ROWS)):
        if value not in ("Female", "Male", "known"):
            assert value not in text, value
    assert "NorthStreet" not in text
    (file,) = report.files
    assert (file.records, file.written) == (6, 6)
    assert file.dropped == {"column 2": 6, "column 'DOB'": 6, "column 'Phone'": 3}  # "Patient Name" could be a name
    assert "consistent with Safe Harbor column rules" in report.as_text()
    assert not re.search("Canary|00123|555", report.as_text() + str(report.as_dict()))


def test_what_the_profile_reads_is_there(clinic: Any) -> None:
    clinic.deidentify(clinic.write(feed(*ROWS)), profile=clinic.profile(PROFILE))
    written = frame(clinic)
    assert written["Sex"].to_list() == ["Female"] * 3 + ["Male"] * 3
    assert written["Pain"].to_list() == ["7", "5", "3", "", "4", "4"]
    assert written["age_years"].to_list() == ["63", "63", "63", "90", "", ""]
    assert written["zip3"].to_list() == ["973", "973", "973", "000", "010", "010"]
    assert written["calendar_day"].to_list() == ["0", "7", "0", "0", "unreadable", "unreadable"]
    assert written.select(pl.n_unique("patient_key", "episode_key", "visit_key", "clinic_key", "rater_key")).row(0) == (
        3, 4, 6, 1, 1,
    )  # fmt: skip
    assert all(written[f"{one}_key"].str.starts_with(one[0].upper()).all() for one in ("patient", "episode", "visit"))


def test_the_output_can_be_read_with_its_profile(clinic: Any) -> None:
    clinic.deidentify(clinic.write(feed(*ROWS)), profile=clinic.profile(PROFILE))
    delivery, ledger = clinic.read()
    assert (delivery.state, delivery.ingested, delivery.privacy_mode) == (State.TYPED, 6, "safe_harbor")
    assert rows(ledger, delivery.delivery_id, "visit")["calendar_day"].to_list() == [0, 7, 0, 0, None, None]
    assert rows(ledger, delivery.delivery_id, "measurement").height == 5
    violations = pl.read_parquet(ledger.folder(delivery.delivery_id) / "quarantined" / "violation.parquet")
    assert violations["check_id"].to_list() == ["visit.calendar_day.readable"] * 2


def test_the_raw_feed_is_refused_by_the_gate(clinic: Any, tmp_path: Path) -> None:
    ignored = PROFILE.replace("    tables:\n", "    ignored: [Patient Name, DOB, Phone]\n    tables:\n", 1)
    profile = load_profile(clinic.profile(ignored), CONTRACT)
    (sent,) = find_deliveries([clinic.write(feed(*ROWS))], profile).sent
    delivery = read_delivery(
        land(sent, profile, CONTRACT.version, ledger := Ledger(tmp_path / "lake"))[0], ledger, profile, CONTRACT
    )
    assert delivery.problem_code == "PHI_SUSPECTED"
    for column in ("MRN", "Patient Name", "DOB", "Phone", "ZIP", "Age"):
        assert f"column '{column}'" in str(delivery.problem)


def test_the_same_key_file_gives_the_same_keys_and_another_one_others(clinic: Any) -> None:
    profile = clinic.profile(PROFILE)
    clinic.deidentify(clinic.write(feed(*ROWS), "one"), profile=profile, out="out")
    clinic.deidentify(clinic.write(feed(ROWS[3], ROWS[0]), "two"), profile=profile, out="again")
    again = pl.read_csv(clinic.folder / "again" / "visits.csv", infer_schema=False)
    assert again["patient_key"].to_list() == [frame(clinic)["patient_key"][3], frame(clinic)["patient_key"][0]]
    clinic.key.unlink()
    clinic.deidentify(clinic.folder / "one", profile=profile, out="third")
    third = pl.read_csv(clinic.folder / "third" / "visits.csv", infer_schema=False)
    assert not set(third["patient_key"]) & set(again["patient_key"])


TWO_FILES = """
profile: two_files
version: 1
description: Patients and visits
privacy_mode: limited_data_set
files:
  - match: "people.csv"
    tables:
      - table: patient
        fields: {patient_key: {column: id, prefix: "P"}, sex: {constant: unknown}}
  - match: "visits.csv"
    only: [{column: kind, among: [treat]}]
    joins:
      - {file: people.csv, "on": [person], key: [id], take: {site: site}}
    tables:
      - table: episode
        fields:
          episode_key: {column: person, prefix: "E"}
          patient_key: {column: person, prefix: "P"}
          clinic_key: site
          condition_id: {constant: neck_pain}
          discharge_reason: {constant: unknown}
          discharge_calendar_day: ended
      - table: visit
        fields:
          visit_key: {columns: [person, seen]}
          episode_key: {column: person, prefix: "E"}
          calendar_day: seen
          visit_type: kind
          attendance: {constant: attended}
"""


def test_keys_days_and_joins_agree_between_files(clinic: Any) -> None:
    files: dict[str, bytes | str] = {
        "people.csv.gz": gzip.compress(b"id,site,name\n1,Hill,Mary Canary\n2,Dale,Joe Wren\n"),
        "visits.csv": "person,seen,ended,kind\n1,2025-03-08,2025-04-01,treat\n1,2025-03-01,,treat\n"
        "2,2025-01-01,,telephone\n2\n",
    }
    report = clinic.deidentify(clinic.write(files), profile=clinic.profile(TWO_FILES))
    assert [(file.written_as, file.records, file.written) for file in report.files] == [
        ("feed/people.csv", 2, 2),
        ("feed/visits.csv", 4, 2),
    ]
    assert sorted(report.files[1].left_out.values()) == [1, 1]
    visits, people = frame(clinic, "feed/visits.csv"), frame(clinic, "feed/people.csv")
    assert visits["patient_key"].to_list() == [people["patient_key"][0]] * 2
    assert visits["calendar_day"].to_list() == ["7", "0"]
    assert visits["discharge_calendar_day"].to_list() == ["31", ""]
    delivery, _ = clinic.read()
    assert (delivery.state, delivery.set_aside) == (State.TYPED, 0)


WIDE = """
profile: wide
version: 1
description: One row per patient
privacy_mode: safe_harbor
files:
  - match: "*.parquet"
    format: parquet
    tables:
      - table: patient
        fields: {patient_key: id, sex: {column: sex, codes: {"1": F}}, age_years: age}
      - table: episode
        fields:
          episode_key: id
          patient_key: id
          clinic_key: {constant: Hill}
          condition_id: {constant: neck_pain}
          discharge_reason: {constant: unknown}
    visits:
      - name: baseline
        day: 0
        visit_type: eval
        scores: [{measure: nprs_avg24h, column: p0, missing: ["9"], rater_key: who}]
      - name: later
        day: 30
        visit_type: follow_up
        scores: [{measure: nprs_avg24h, column: p1, missing_when_blank: age}]
"""


def test_wide_files_of_other_formats_become_csv(clinic: Any) -> None:
    data = pl.DataFrame(
        {
            "id": [100, 101],
            "sex": [1, 1],
            "age": [95.0, 40.0],
            "p0": [9.0, 3.0],
            "p1": [2.0, 1.5],
            "who": ["Mary Canary", None],
        }
    )
    path = clinic.folder / "w.parquet"
    data.write_parquet(path)
    clinic.deidentify(clinic.write({"w.parquet": path.read_bytes()}), profile=clinic.profile(WIDE))
    written = frame(clinic, "w.csv")
    assert written["age_years"].to_list() == ["90", "40"]
    assert written["p0"].to_list() == ["9", "3"]
    assert "Hill" not in clinic.text()
    delivery, ledger = clinic.read()
    assert delivery.state is State.TYPED
    scores = rows(ledger, delivery.delivery_id, "measurement")
    assert sorted(scores["visit_key"].str.extract(r"-(\w+)$").to_list()) == ["baseline", "later", "later"]
    assert rows(ledger, delivery.delivery_id, "patient")["age_years"].to_list() == [90, 40]


def test_output_that_would_not_pass_the_gate_is_removed(clinic: Any) -> None:
    bad = "0125,A,,,call 555-010-9999 now,40,973,NorthStreet,1,03/01/2025,T,7"
    with pytest.raises(InputProblem, match="column 'Sex': 1 of 7 values look like telephone numbers") as caught:
        clinic.deidentify(clinic.write(feed(*ROWS, bad)), profile=clinic.profile(PROFILE))
    assert "Nothing was written" in str(caught.value)
    assert sorted(path.name for path in clinic.folder.iterdir()) == ["feed", "keys", "profile.yaml"]


def test_calls_that_cannot_be_carried_out(clinic: Any) -> None:
    raw, profile = clinic.write(feed(*ROWS)), clinic.profile(PROFILE)
    clinic.write({}, "there")
    for out, said in (("there", "exists already"), ("feed/out", "inside a feed")):
        with pytest.raises(InputProblem, match=said):
            clinic.deidentify(raw, profile=profile, out=out)
    with pytest.raises(InputProblem, match="column 'Age' is missing"):
        clinic.deidentify(clinic.write({"v.csv": "MRN,Sex\n1,Female\n"}, "short"), profile=profile)
    assert not (clinic.folder / "out").exists()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dates=st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), min_size=1, max_size=5))
def test_no_date_survives_and_differences_do(clinic: Any, dates: list[dt.date]) -> None:
    lines = (f"1,A,,,Male,40,973,NorthStreet,1,{date:%m/%d/%Y},T,{i}" for i, date in enumerate(dates))
    number = sum(1 for _ in clinic.folder.iterdir())
    raw = clinic.write({"visits.csv": "\n".join((HEADER, *lines)) + "\n"}, f"feed{number}")
    clinic.deidentify(raw, profile=clinic.profile(PROFILE), out=f"out{number}")
    text = clinic.text(f"out{number}")
    assert not any(f"{date:%m/%d/%Y}" in text or date.isoformat() in text for date in dates)
    days = pl.read_csv(clinic.folder / f"out{number}" / "visits.csv", infer_schema=False)["calendar_day"].cast(pl.Int32)
    assert days.to_list() == [(date - min(dates)).days for date in dates]


def test_a_simulated_feed_reads_as_before(clinic: Any) -> None:
    """Same rows, same scores, same faults but those of malformed rows and of keys, which are made anew."""
    simulate_network(clinic.folder / "sim", patients=60, seed=7, contract=CONTRACT, sources=1)
    (raw,) = (path for path in (clinic.folder / "sim").iterdir() if path.is_dir())
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    ledger = Ledger(clinic.folder / "lake")
    (sent,) = find_deliveries([raw], profile).sent
    before = read_delivery(land(sent, profile, CONTRACT.version, ledger)[0], ledger, profile, CONTRACT)
    report = clinic.deidentify(raw, profile=PROFILE_FOLDER / "canonical.yaml")
    after, other = clinic.read()
    assert after.state is State.TYPED
    assert after.ingested == before.ingested - sum(sum(file.left_out.values()) for file in report.files)
    assert after.extract_stamp == before.extract_stamp
    for table, column in (("measurement", "value"), ("patient", "age_years"), ("visit", "day_offset")):
        scores = rows(ledger, before.delivery_id, table)[column].drop_nulls().sort()
        assert rows(other, after.delivery_id, table)[column].drop_nulls().len() in range(
            scores.len() - 30, scores.len() + 1
        )


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.csv.gz", "a.csv"),
        ("a.xlsx", "a.csv"),
        ("a.sav", "a.csv"),
        ("*.parquet", "*.csv"),
        ("a*", "a*"),
        ("a.b", "a.b.csv"),
    ],
)
def test_names_of_the_output(name: str, plain: str) -> None:
    from assets.deliveries.profile.fields import FileSource  # noqa: PLC0415

    assert plain_name(name, FileSource(match="x")) == plain
