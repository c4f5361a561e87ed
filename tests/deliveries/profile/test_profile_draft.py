"""A draft recognises what columns are by their names and values, asks what only people know, and shows no row."""

from __future__ import annotations

import contextlib
import csv
import gzip
import random
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, Profile, load_profile
from assets.deliveries.profile.draft import draft
from assets.deliveries.profile.drafting.naming import code_of, field_of, meaning_of
from assets.deliveries.profile.drafting.words import FIELDS
from assets.deliveries.profile.fields import FieldSource
from assets.deliveries.profile.text import read_profile_text
from assets.simulation.network import simulate_network

CANARY = "Zanzibar"


def drafted(folder: Path, feed: Path) -> tuple[str, Profile]:
    """The draft, and the profile it is."""
    text = draft([feed])
    (folder / "draft.yaml").write_text(text, encoding="utf-8")
    return text, load_profile(folder / "draft.yaml", CONTRACT)


def refusal(folder: Path, text: str) -> str:
    (folder / "draft.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputProblem) as caught:
        load_profile(folder / "draft.yaml", CONTRACT)
    return str(caught.value)


def write(path: Path, header: str, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join((header, *lines)) + "\n", encoding=encoding)
    return path


def visit_export(path: Path, encoding: str = "utf-8") -> Path:
    """One row per visit of an EMR, as a European office program writes it."""
    draw = random.Random(1)  # noqa: S311 a fixture, not a secret
    lines = [
        ";".join(
            (
                f"{i // 4}", f"C{i // 4}", f"V{i}", f"{draw.randint(13, 28)}/{draw.randint(1, 12):02}/2024",
                draw.choice(("Initial", "Daily", "DC")), draw.choice("MF"), str(draw.randint(20, 80)),
                draw.choice(("M54.2", "M54.50")), draw.choice(("North", "South")), draw.choice(("kept", "dna")),
                draw.choice(("0", "3", "10", "99")), f"{draw.randint(0, 100) / 10}".replace(".", ","),
                str(draw.randint(90, 180)), f"{10_000 + i}", f"a{i}@example.org", f"{CANARY} lives with her wife here",
                "37,1 °C",
            )
        )
        for i in range(200)
    ]  # fmt: skip
    header = (
        "Patient ID;Case ID;Visit ID;Visit Date;Visit Type;Gender;Age;Dx Code;Clinic;Status;NPRS worst;VAS;"
        "Shoulder flexion L;MRN;Contact;Remark;Room temperature"
    )
    return write(path, header, *lines, encoding=encoding)


def test_an_export_of_visits_is_recognised(tmp_path: Path) -> None:
    text, profile = drafted(tmp_path, visit_export(tmp_path / "emr.csv", encoding="cp1252"))
    (file,) = profile.files
    assert (file.delimiter, file.encoding, file.decimal) == (";", "cp1252", ",")
    assert [table.table for table in file.tables] == ["patient", "episode", "visit"]
    fields = {name: field for table in file.tables for name, field in dict(table.fields).items()}
    assert fields["condition_id"] == FieldSource(column="Dx Code", vocabulary="icd10cm")
    assert fields["calendar_day"] == FieldSource(column="Visit Date", date_format="%d/%m/%Y")
    assert fields["visit_type"].codes == {"DC": "discharge", "Daily": "treat", "Initial": "eval"}
    assert fields["attendance"] == FieldSource(column="Status", codes={"dna": "no_show", "kept": "attended"})
    assert "Status, codes: {dna: no_show, kept: attended}}  # QUESTION: recognised by its values only" in text
    assert profile.privacy_mode == "limited_data_set"
    assert "limited_data_set  # QUESTION: there are real dates" in text
    scores = {score.measure: score for score in file.scores}
    assert scores["nprs_worst24h"].missing == ("99",)
    assert scores["shld_flex"].side == FieldSource(constant="left")
    assert scores["vas_mm"].unit is not None
    assert "no value is above 10: is it in cm" in text
    assert file.ignored == ("Room temperature",)


def test_no_value_and_no_identifying_column_gets_into_a_draft(tmp_path: Path) -> None:
    text, profile = drafted(tmp_path, visit_export(tmp_path / "emr.csv"))
    for column, what in (("MRN", "a record number"), ("Contact", "e-mail addresses"), ("Remark", "free text")):
        assert f"  #   {column}: {what}" in text
        assert column not in str(profile.model_dump(exclude={"description"}))
    shown = "\n".join(line for line in text.splitlines() if "Drafted" not in line)
    assert CANARY not in text
    assert not re.search(r"@|10\d{3}|/2024|37,1|M54|North", shown)


def test_codes_are_shown_only_if_they_are_common_and_look_like_codes(tmp_path: Path) -> None:
    lines = [f"{i},{'M' if i % 2 else 'F'},{CANARY if i < 4 else 'neck'},N,P1" for i in range(30)]
    text = draft([write(tmp_path / "a.csv", "patient_id,sex,diagnosis,side,clinic", *lines)])
    assert CANARY not in text
    assert "1 more values are too rare or too long to be shown" in text
    many = [f"{i},{'M' if i % 2 else 'F'},c{i % 21},N,P1" for i in range(210)]
    text = draft([write(tmp_path / "b.csv", "patient_id,sex,diagnosis,side,clinic", *many)])
    assert "c20" not in text
    assert "codes: {WHICH_CODE: WHICH_CONDITION}" in text
    assert "code 'WHICH_CONDITION' is not known" in refusal(tmp_path, text)


def test_a_wide_file_becomes_planned_visits(tmp_path: Path) -> None:
    draw = random.Random(2)  # noqa: S311
    lines = [
        f"{'AB'[i % 2]},{i},{i % 2 + 1},{draw.randint(20, 95)},lbp,{draw.randint(0, 10)},{draw.randint(0, 10)},"
        f"{draw.randint(0, 100)},{draw.randint(0, 100)},{draw.randint(90, 170)}"
        for i in range(60)
    ]
    header = "site,pid,gender,age,dx,pain_bl,pain_3m,ndi_bl,ndi_12wk,shoulder_flex_r_bl"
    text, profile = drafted(tmp_path, write(tmp_path / "registry.csv", header, *lines))
    (file,) = profile.files
    assert [(visit.name, visit.day, visit.visit_type) for visit in file.visits] == [
        ("baseline", 0, "eval"),
        ("week-12", 84, "follow_up"),
        ("month-3", 91, "follow_up"),
    ]
    assert [score.measure for score in file.visits[0].scores] == ["ndi", "nprs_avg24h", "shld_flex"]
    assert "is it nprs_avg24h or nprs_current or nprs_worst24h?" in text
    assert "these are the codes of ISO 5218; are they yours?" in text
    assert "ages over 90 must be sent as 90" in text
    assert dict(file.tables[1].fields)["condition_id"].codes == {"lbp": "low_back_pain"}


def test_a_long_file_becomes_measurements(tmp_path: Path) -> None:
    codes = (("NPRS", "points"), ("VAS_PAIN", "cm"), ("ROM_SHOULDER_FLEX", "degrees"), ("ROM_CERVICAL_ROT", "degrees"))
    lines = [f"P{i // 8},E{i // 8},V{i // 4},{i % 4},{codes[i % 4][0]},{i % 11},{codes[i % 4][1]},L" for i in range(80)]
    header = "patient_key,episode_id,visit_id,study_day,measure_code,result,uom,side"
    text = draft([write(tmp_path / "scores.csv", header, *lines)])
    assert "NPRS: nprs_avg24h, ROM_CERVICAL_ROT: WHICH_MEASURE, ROM_SHOULDER_FLEX: shld_flex, VAS_PAIN: vas_mm" in text
    assert "is ROM_CERVICAL_ROT cerv_rot_left or cerv_rot_right?" in text
    assert "units: {cm: {unit: mm, times: 10}, degrees: {unit: deg}}" in text
    assert "code 'WHICH_CONDITION' is not known" in refusal(tmp_path, text)
    text = text.replace("WHICH_CONDITION", "neck_pain").replace("WHICH_MEASURE", "cerv_rot_left")
    (tmp_path / "answered.yaml").write_text(text, encoding="utf-8")
    tables = load_profile(tmp_path / "answered.yaml", CONTRACT).files[0].tables
    assert [table.table for table in tables] == ["patient", "episode", "visit", "measurement"]


def test_signs_of_not_recorded_are_asked_about(tmp_path: Path) -> None:
    lines = [
        f"{i},{(i % 3) + 1 if i % 4 else 9},{i % 11 if i % 3 else 999},{'*' if i % 5 == 0 else i}" for i in range(60)
    ]
    text = draft([write(tmp_path / "a.csv", "pid,sex,odi_pre,ndi_pre", *lines)])
    assert 'column: odi_pre, method: {constant: questionnaire}, missing: ["999"]' in text
    assert 'column: ndi_pre, method: {constant: questionnaire}, missing: ["*"]' in text
    assert '"9": unknown' in text
    assert text.count("mean not recorded?") == 3


def test_a_zero_beside_a_blank_is_asked_about(tmp_path: Path) -> None:
    lines = [f"{i},{i % 10},{3 + i % 5},{'' if i % 2 else i % 9},{0 if i % 2 else i % 7}" for i in range(40)]
    text = draft([write(tmp_path / "a.csv", "pid,odi_pre,ndi_pre,odi_post,ndi_post", *lines)])
    assert "missing_when_blank: odi_post}  # QUESTION: it is 0 wherever odi_post is blank; was it not recorded" in text
    assert text.count("missing_when_blank") == 1


def test_dates_that_fit_two_readings_are_asked_about(tmp_path: Path) -> None:
    lines = [f"V{i},E1,P1,{i % 9 + 1:02}/{i % 7 + 1:02}/2024,treat" for i in range(20)]
    text = draft([write(tmp_path / "a.csv", "visit_id,episode_id,patient_id,visit date,visit type", *lines)])
    assert 'date_format: "%d/%m/%Y"}  # QUESTION: could it be %m/%d/%Y? Both fit' in text


def test_a_date_of_birth_is_never_mapped(tmp_path: Path) -> None:
    lines = [f"P{i},M,19{50 + i}-01-02" for i in range(20)]
    text = draft([write(tmp_path / "a.csv", "patient_id,sex,dob", *lines)])
    assert "#   dob: a date of birth" in text
    assert "safe_harbor" in text
    assert "1950" not in text


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_canonical_layout_is_recognised(tmp_path: Path, kind: str) -> None:
    simulate_network(tmp_path / "feeds", patients=60, seed=3, file_format=kind, contract=CONTRACT)
    feed = min(path for path in (tmp_path / "feeds").iterdir() if path.is_dir())
    text, profile = drafted(tmp_path, feed)
    assert "# QUESTION" not in text
    assert {file.tables[0].table: file.tables[0].fields for file in profile.files} == {
        table.name: "same_names" for table in CONTRACT.tables
    }
    assert [file.optional for file in profile.files] == [False] * 4 + [True] * 3


def test_files_of_a_feed_share_their_tables(tmp_path: Path) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    write(feed / "people.csv", "patient_id,gender", *(f"P{i},F" for i in range(20)))
    write(feed / "cases.csv", "case_id,patient_id,clinic,icd10", *(f"C{i},P{i},N,M54.2" for i in range(20)))
    write(feed / "visits.csv", "visit_id,case_id,day,visit_type", *(f"V{i},C{i},{i},treat" for i in range(20)))
    _, profile = drafted(tmp_path, feed)
    assert {file.match: [table.table for table in file.tables] for file in profile.files} == {
        "people.csv": ["patient"],
        "cases.csv": ["episode"],
        "visits.csv": ["visit"],
    }


def test_packed_and_other_formats_give_the_same_draft(tmp_path: Path) -> None:
    path = visit_export(tmp_path / "emr.csv")
    plain = draft([path])
    with gzip.open(tmp_path / "emr.csv.gz", "wb") as file:
        file.write(path.read_bytes())
    assert draft([tmp_path / "emr.csv.gz"]) == plain
    with zipfile.ZipFile(tmp_path / "emr.csv.zip", "w") as archive:
        archive.write(path, "emr.csv")
    assert draft([tmp_path / "emr.csv.zip"]) == plain
    (tmp_path / "wide").mkdir()
    wide = tmp_path / "wide" / "emr.csv"
    wide.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    assert "encoding: utf-16" in draft([wide])
    pl.read_csv(path, separator=";", infer_schema=False).write_parquet(tmp_path / "emr.parquet")
    parquet = draft([tmp_path / "emr.parquet"])
    assert "format: parquet" in parquet
    assert parquet[parquet.index("    tables:") :] == plain[plain.index("    tables:") :]
    assert draft([path]) == plain


def test_standard_layouts_get_the_shipped_profile(tmp_path: Path) -> None:
    (tmp_path / "fhir").mkdir()
    (tmp_path / "fhir" / "Patient.ndjson").write_text('{"resourceType": "Patient", "id": "a"}\n', encoding="utf-8")
    text, profile = drafted(tmp_path, tmp_path / "fhir")
    assert (profile.profile, "needlepoint deidentify first" in text) == ("fhir_r4", True)
    (tmp_path / "omop").mkdir()
    write(tmp_path / "omop" / "person.csv", "person_id,gender_concept_id", "1,8507")
    write(tmp_path / "omop" / "measurement.csv", "measurement_id,person_id", "1,1")
    for path in PROFILE_FOLDER.glob("*.csv"):
        shutil.copy(path, tmp_path)
    text, profile = drafted(tmp_path, tmp_path / "omop")
    assert text.count("# QUESTION: have you put a copy of the shipped ") == len(profile.references)
    assert profile.profile == "omop_cdm54"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.doc", "x", "NOT_FOUND"),
        ("a.csv", "", "EMPTY"),
        ("a.csv", "1,2,3\n4,5,6\n", "HEADER"),
        ("a.csv", "P1,2024-01-02\nP2,2024-01-03\n", "HEADER"),
        ("a.csv", "patient_id,\n1,2\n", "HEADER"),
        ("a.csv", "Pa,M,neck\nPb,M,back\n", "HEADER"),
        ("a.parquet", "x", "TRUNCATED"),
    ],
)
def test_what_cannot_be_looked_at_is_said(tmp_path: Path, name: str, content: str, code: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputProblem) as caught:
        draft([tmp_path / name])
    assert caught.value.code == code


def test_a_feed_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="no such file or folder"):
        draft([tmp_path / "nowhere.csv"])


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Provider Code", "clinic_key"), ("patientID", "patient_key"), ("VisitDate", "calendar_day"),
        ("dx_code", "condition_id"), ("GRP", "arm"), ("therapyst", "therapist_key"), ("diagnosys", "condition_id"),
        ("migraine", None),
    ],
)  # fmt: skip
def test_fields_by_name(name: str, field: str | None) -> None:
    found = field_of(name)
    assert (found[0] if found else None) == field


@pytest.mark.parametrize(
    ("name", "measure", "side", "time"),
    [
        ("nprs_worst_baseline", "nprs_worst24h", None, "baseline"),
        ("PainNow", "nprs_current", None, None),
        ("pain3m", "nprs_avg24h", None, "month-3"),
        ("odi_w12", "odi", None, "week-12"),
        ("hit6_pre", "hit6", None, "baseline"),
        ("EQ VAS", None, None, None),
        ("Post-Op Q EQ5D Index", None, None, "after"),
        ("shoulder_flex_l_t0", "shld_flex", "left", "t0"),
        ("cervical rotation right discharge", "cerv_rot_right", "right", "discharge"),
        ("neck lateral flexion left", "cerv_latflex_left", "left", None),
        ("raft", None, None, "after"),
        ("pk5", None, None, "time-5"),
    ],
)
def test_scores_by_name(name: str, measure: str | None, side: str | None, time: str | None) -> None:
    found = meaning_of(name, CONTRACT)
    assert next(iter(found.measures), None) == measure
    assert (found.side, found.time.name if found.time else None) == (side, time)


def test_codes_by_word() -> None:
    assert code_of("payer", "Medicare", ("medicare", "unknown")) == "medicare"
    assert code_of("fear_avoidance", "Y", ("yes", "no", "unknown")) == "yes"
    assert code_of("side", "LT", ("left", "right")) == "left"
    assert code_of("side", CANARY, ("left", "right")) is None


def test_an_answered_draft_reads_its_feed(reader: Any) -> None:
    lines = [f"P{i},{'MF'[i % 2]},{20 + i},neck,S1,{i % 11},{i % 7},{i % 50},{40 + i}" for i in range(40)]
    header = "pid,sex,age,dx,site,pain now pre,pain now 3 months,ndi pre,ndi 3 months"
    wide = reader.write({"registry_20250401T020000Z.csv": "\n".join((header, *lines)) + "\n"})
    reading = reader.feed(wide, reader.profile(draft([wide])))
    assert reading.delivery.problem is None
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (40, 0)
    assert reading.rows("visit").height == 80
    assert reading.rows("measurement").height == 160
    export = visit_export(reader.folder / "emr.csv").read_text(encoding="utf-8")
    columns = [line.split(";") for line in export.splitlines()]
    keep = [i for i, name in enumerate(columns[0]) if name not in ("MRN", "Contact", "Remark", "Visit Date")]
    per_visit = "\n".join(";".join([str(n), *(row[i] for i in keep)]) for n, row in enumerate(columns)) + "\n"
    feed = reader.write({"emr_20250401T020000Z.csv": per_visit.replace("0;Patient", "Study day;Patient", 1)})
    reading = reader.feed(feed, reader.profile(draft([feed])))
    assert reading.delivery.problem is None
    assert reading.delivery.ingested == 200
    assert {check for _, check in reading.faults} <= {"patient.same", "episode.same"}


HEADERS = sorted({phrase for phrases in FIELDS.values() for phrase in phrases} | {"nprs", "odi 3m", "vas", "dob", "x"})
CELLS = st.sampled_from(
    ["", "1", "0", "9", "99", "M", "F", "left", "P1", "2024-01-02", "1/2/2024", "M54.2", "4,5", "NPRS"]
)


@settings(max_examples=50)
@given(
    header=st.lists(st.sampled_from(HEADERS) | st.text(min_size=1, max_size=8), min_size=1, max_size=8, unique=True),
    data=st.data(),
)
def test_any_table_gives_a_draft_or_a_sentence(header: list[str], data: st.DataObject) -> None:
    row = st.lists(CELLS | st.just(CANARY), min_size=len(header), max_size=len(header))
    rows = data.draw(st.lists(row, max_size=6)) * data.draw(st.integers(1, 6))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        with path.open("w", encoding="utf-8", errors="ignore", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        try:
            text = draft([path])
        except InputProblem:
            return
        assert draft([path]) == text
        shown = path.with_suffix(".yaml")
        shown.write_text(text, encoding="utf-8")
        assert read_profile_text(shown).content["profile"] == "a"
        with contextlib.suppress(InputProblem):
            load_profile(shown, CONTRACT)


@pytest.mark.shared
@pytest.mark.parametrize("ending", ["csv", "xlsx", "sav"])
def test_the_acupuncture_trial(shared_data: Path, tmp_path: Path, ending: str) -> None:
    text = draft([shared_data / "acupuncture_headache" / f"acupuncture.{ending}"])
    for line in (
        "patient_key: {column: id, prefix: P}",
        "age_years: age",
        'sex: {column: sex, codes: {"0": unknown, "1": unknown}}  # QUESTION: which code is F, which is M?',
        "clinic_key: practice_id",
        "therapist_key: acupuncturist",
        "arm: group",
        "column: f2, missing_when_blank: pk2}",
        "column: f5, missing_when_blank: pk5}",
    ):
        assert line in text
    assert "line" in refusal(tmp_path, text)


@pytest.mark.shared
def test_the_hips_trial(shared_data: Path) -> None:
    text = draft([shared_data / "hips_rom" / "hips.csv"])
    assert "episode_key: {columns: [person, side], prefix: E}" in text
    assert re.findall("column: ([fr]bef|[fr]aft),", text) == ["fbef", "rbef", "faft", "raft"]


@pytest.mark.shared
def test_the_nhs_file(shared_data: Path) -> None:
    text = draft([shared_data / "nhs_proms" / "2017-18" / "Hip Replacements Provider 1718.csv.zip"])
    for line in (
        'match: "Hip Replacements Provider 1718.csv"',
        'clinic_key: "Provider Code"',
        'sex: {column: Gender, codes: {"1": M, "2": F, "*": unknown}}',
        'column: "Hip Replacement Pre-Op Q Score"',
        'column: "Hip Replacement Post-Op Q Score"',
        'column: "Pre-Op Q EQ VAS", missing: ["999"]}',
    ):
        assert line in text
    assert "patient_key: {row_number: true, prefix: P}  # QUESTION: no column tells rows apart" in text


@pytest.mark.shared
def test_the_long_layout_of_the_bad_inputs(shared_data: Path) -> None:
    text = draft([shared_data.parent / "bad_inputs" / "A00__C01_20250401T020000Z.csv"])
    for line in (
        'match: "A00__C01_*.csv"',
        "patient_key: patient_key",
        "episode_key: episode_id",
        "clinic_key: clinic_id",
        "calendar_day: visit_date",
        "measure_id: {column: measure_code",
        "value: value",
    ):
        assert line in text
