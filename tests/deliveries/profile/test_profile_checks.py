"""What pydantic cannot know about a profile: every wrong name is answered with its line and the nearest right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
profile: whole
version: 1
description: Everything the language has
privacy_mode: limited_data_set
clinics: [C01, C02]
references:
  - {name: sites, file: sites.csv}
accept_drift:
  - {measure: odi, because: the clinic moved to the long form}
files:
  - match: "cases.csv"
    delimiter: ";"
    encoding: cp1252
    joins:
      - {reference: sites, on: [site], key: [code], take: {clinic: clinic_name}, only: [{column: clinic}]}
      - {file: "sexes.csv", on: [person], key: [id], take: {gender: own_sex}, only: [{column: kept}]}
    only:
      - {column: state, among: [open]}
    tables:
      - table: patient
        skip_when_blank: person
        fields: {patient_key: person, sex: {column: own_sex, codes: {"1": F}}}
      - table: episode
        withdrawn: {column: state, codes: [gone]}
        fields:
          episode_key: case
          patient_key: person
          clinic_key: {column: clinic_name, codes: {"one": C01}}
          condition_id: {column: dx, vocabulary: icd10cm}
          discharge_reason: {constant: unknown}
          discharge_calendar_day: {column: left_on, date_format: "%d/%m/%Y"}
    ignored: [extra]
  - match: "sexes.csv"
    ignored: [id, gender]
  - match: "visits.xlsx"
    format: excel
    sheet: Visits
    tables:
      - table: visit
        fields:
          visit_key: visit
          episode_key: case
          calendar_day: seen
          visit_type: {constant: treat}
          attendance: {constant: attended}
    scores:
      - {measure: vas_mm, column: vas, unit: {unit: mm, times: 10}, rater_key: rater}
      - {measure: knee_ext, column: ke, side: {constant: left}, flip_sign: {column: style, among: [plus]}}
  - match: "scores.ndjson"
    format: fhir
    resource: Observation
    columns: {encounter: encounter.reference, code: "code.coding[0].code", value: valueQuantity.value, uom: unit}
    tables:
      - table: measurement
        fields:
          visit_key: encounter
          measure_id: {column: code, codes: {"72514-3": nprs_current}}
          side: {constant: none}
          value: value
          unit: uom
        units: {in: {unit: cm, times: 2.54}}
        convert: [nprs_from_vas]
        flip_sign:
          - {measures: [knee_ext]}
"""
SITES = "code,clinic\nA,one\n"


def problem(folder: Path, text: str) -> str:
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputProblem) as caught:
        load_profile(path, CONTRACT)
    assert caught.value.code == "PROFILE"
    return str(caught.value)


def test_a_profile_with_everything_loads(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "p.yaml").write_text(WHOLE, encoding="utf-8")
    assert len(load_profile(tmp_path / "p.yaml", CONTRACT).files) == 4


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        # the whole profile
        ("[C01, C02]", "[C01, C 2]", "a name that cannot be a key"),
        ("[C01, C02]", "[C01, C01]", "the clinic 'C01' is listed twice"),
        ('{"one": C01}', '{"one": C03}', "code 'C03' is not known. Perhaps 'C0"),
        ("measure: odi, because", "measure: odo, because", "measure 'odo' is not known. Perhaps 'odi' is meant"),
        ("because: the clinic moved to the long form", "because: ok", "at least 10 characters"),
        ("accept_drift:\n  - {measure", "accept_drift:\n  - {measur", "Perhaps 'measure' is meant"),
        # reference lists
        ("file: sites.csv", "file: site.csv", "the list 'sites' cannot be read"),
        ("name: sites,", "nam: sites,", "Perhaps 'name' is meant"),
        ("{reference: sites", "{reference: site", "reference 'site' is not known. Perhaps 'sites' is meant"),
        ("key: [code]", "key: [cod]", "in sites the column 'cod' is not known. Perhaps 'code' is meant"),
        ("take: {clinic: clinic_name}", "take: {clinik: clinic_name}", "Perhaps 'clinic' is meant"),
        ("only: [{column: clinic}]", "only: [{column: clinik}]", "in sites the column 'clinik' is not known"),
        # joins
        ('{file: "sexes.csv"', '{file: "sex.csv"', "file 'sex.csv' is not known. Perhaps 'sexes.csv' is meant"),
        ("take: {gender: own_sex}", "take: {gender: extra}", "the file has a column 'extra' of its own"),
        ("take: {gender: own_sex}", "take: {gender: person}", "the file has a column 'person' of its own"),
        ("take: {gender: own_sex}", "take: {gender: clinic_name}", "two joins bring a column 'clinic_name'"),
        ("take: {gender: own_sex}", "take: {gender: structure}", "the column name 'structure' is taken"),
        ("on: [person]", "on: person", "'on' must be a list"),
        ("on: [person]", "on: [person, x]", "as many columns in on as in key"),
        ("on: [person]", "onn: [person]", "Perhaps 'on' is meant"),
        # files
        ('match: "sexes.csv"', 'match: "cases.csv"', "two files are called 'cases.csv'"),
        ("    sheet: Visits", "    delimiter: ;", "delimiter means nothing where the format is excel"),
        ("    sheet: Visits", '    decimal: ","', "decimal means nothing where the format is excel"),
        ("    sheet: Visits", "    encoding: cp1252", "encoding means nothing where the format is excel"),
        ("    encoding: cp1252", "    sheet: one", "sheet means nothing where the format is csv"),
        ("    encoding: cp1252", "    resource: Patient", "resource means nothing where the format is csv"),
        ("    encoding: cp1252", "    columns: {a: b}", "columns means nothing where the format is csv"),
        ("    encoding: cp1252", "    encoding: cp1253", "Perhaps 'cp1252' is meant"),
        ("format: excel", "format: {}", "format cannot be {}"),
        ("format: excel", "format: exel", "format cannot be 'exel'. Perhaps 'excel' is meant"),
        ("value: valueQuantity.value", "value: 'valueQuantity['", "is no JMESPath expression from character"),
        ("value: valueQuantity.value", 'value: "maxx(a)"', "is no JMESPath expression"),
        ("value: valueQuantity.value", "row_number: valueQuantity.value", "the column name 'row_number' is taken"),
        ("visit_key: encounter", "visit_key: encountr", "column 'encountr' is not known. Perhaps 'encounter' is meant"),
        ("only:\n      - {column: state", "only:\n      - {colum: state", "Perhaps 'column' is meant"),
        ("{column: state, among: [open]}", "{column: row_number}", "the column name 'row_number' is taken"),
        ("skip_when_blank: person", "skip_when_blank: structure", "the column name 'structure' is taken"),
        # days
        ("%d/%m/%Y", "%d/%m", "this is not how a day, a month and a year are written"),
        ("%d/%m/%Y", "%Q", "this is not how a day, a month and a year are written"),
        ("%d/%m/%Y", "day", "this is not how a day, a month and a year are written"),
        ("dx, vocabulary: icd10cm", 'dx, date_format: "%Y"', "condition_id is no date"),
        # tables
        ("dx, vocabulary: icd10cm", "dx, vocabulary: icd10", "vocabulary cannot be 'icd10'"),
        ("{constant: unknown}", "{column: x, vocabulary: icd10cm}", "has no codes for discharge_reason"),
        ("codes: [gone]", "codes: []", "at least 1 item"),
        ("codes: [gone]", 'codes: ["", gone]', "a blank cannot take a row back"),
        ("{column: state, codes: [gone]}", "{colum: state, codes: [gone]}", "Perhaps 'column' is meant"),
        ("withdrawn: {column: state", "withdrawn: {column: structure", "the column name 'structure' is taken"),
        ("{constant: treat}", "{constant: treet}", "code 'treet' is not known. Perhaps 'treat' is meant"),
        ("{constant: treat}", "{row_number: true}", "the number of a row is no visit_type"),
        ("visit_key: visit", "visit_key: {constant: a b}", "visit_key cannot have this form"),
        # scores, units and signs
        ("unit: {unit: mm, times: 10}", "unit: {unit: cm, times: 10}", "vas_mm is recorded in mm, not in cm"),
        ("unit: {unit: mm, times: 10}", "unit: {unt: mm, times: 10}", "Perhaps 'unit' is meant"),
        ("times: 10}", "times: 0}", "greater than 0"),
        (
            "{unit: cm, times: 2.54}",
            "{unit: percnt, times: 2.54}",
            "unit 'percnt' is not known. Perhaps 'percent' is meant",
        ),
        ("{unit: cm, times: 2.54}", "cm", "'in' must be a mapping. Its keys are: times, unit"),
        ("unit: uom", "unit: {constant: pints}", "unit 'pints' is not known. Perhaps 'points' is meant"),
        ("unit: uom", "unit: {column: uom, codes: {a: pints}}", "unit 'pints' is not known"),
        ("[nprs_from_vas]", "[nprs_from_va]", "Perhaps 'nprs_from_vas' is meant"),
        ("[nprs_from_vas]", "[odi]", "converted measure 'odi' is not known"),
        ("{measures: [knee_ext]}", "{measures: [knee_ex]}", "measure 'knee_ex' is not known"),
        ("{measures: [knee_ext]}", "{measure: [knee_ext]}", "Perhaps 'measures' is meant"),
        ("{measures: [knee_ext]}", "{measures: [knee_ext], where: {colum: a}}", "Perhaps 'column' is meant"),
        ("flip_sign: {column: style", "flip_sign: {colum: style", "Perhaps 'column' is meant"),
        ("flip_sign: {column: style, among: [plus]}", "flip_sign: alway", "Perhaps 'always' is meant"),
        ("{constant: left}", "{constant: lefft}", "Perhaps 'left' is meant"),
        ("rater_key: rater", "rater_key: {colum: rater}", "Perhaps 'column' is meant"),
        ("measure: knee_ext, column: ke", "measure: knee_ext, column: row_number", "the column name 'row_number'"),
    ],
)
def test_wrong_name_is_answered_with_line_and_nearest_name(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert WHOLE.count(old), old
    text = problem(tmp_path, WHOLE.replace(old, new, 1))
    assert words in text
    line = WHOLE[: WHOLE.index(old)].count("\n") + old.count("\n") + 1
    assert line - 1 <= int(text.split("line ")[1].split(":")[0]) <= line, text


def test_what_is_missing_is_said_where_it_belongs(tmp_path: Path) -> None:
    unjoined = WHOLE.replace('{file: "sexes.csv"', '{file: "cases.csv"')
    assert "line 33: sexes.csv feeds no table and no file is joined to it" in problem(tmp_path, unjoined)
    untaken = WHOLE.replace("    resource: Observation", "    optional: true")
    assert "line 50: scores.ndjson does not say what is taken from FHIR" in problem(tmp_path, untaken)
    undated = WHOLE.replace("calendar_day: seen", "planned_day: seen")
    assert "line 40: visit needs the field 'day_offset' or 'calendar_day'" in problem(tmp_path, undated)


def test_a_date_format_needs_the_mode_for_dates(tmp_path: Path) -> None:
    text = problem(tmp_path, WHOLE.replace("limited_data_set", "safe_harbor"))
    assert "line 31: dates may not be sent where privacy_mode is safe_harbor" in text


def test_scores_and_visits_need_the_key_of_their_row(tmp_path: Path) -> None:
    start, end = WHOLE.index("      - table: visit"), WHOLE.index("    scores:")
    assert "the scores of visits.xlsx belong to no visit" in problem(
        tmp_path, WHOLE[:start] + "      - {table: precaution, fields: same_names}\n" + WHOLE[end:]
    )
    visits = "    visits:\n      - {name: a, day: 0, visit_type: eval, scores: [{measure: odi, column: o}]}\n"
    assert "the visits of sexes.csv belong to no episode" in problem(
        tmp_path, WHOLE.replace("    ignored: [id, gender]\n", visits)
    )
    late = visits.replace("day: 0", "day: 99999")
    assert "lies between 0 and 3650" in problem(tmp_path, WHOLE.replace("    ignored: [extra]\n", late))


def test_units_and_signs_belong_to_measurements(tmp_path: Path) -> None:
    for key, value in (
        ("units", "{a: {unit: cm}}"),
        ("convert", "[nprs_from_vas]"),
        ("flip_sign", "[{measures: [odi]}]"),
    ):
        text = WHOLE.replace("        skip_when_blank: person", f"        {key}: {value}")
        assert f"{key} means nothing in the table patient" in problem(tmp_path, text)


def test_the_canonical_layout_has_a_column_for_withdrawals(tmp_path: Path) -> None:
    canonical = (PROFILE_FOLDER / "canonical.yaml").read_text(encoding="utf-8")
    text = canonical.replace("fields: same_names", "fields: same_names, withdrawn: {column: a, codes: [b]}", 1)
    assert "the column 'withdrawn' takes rows back" in problem(tmp_path, text)


def test_words_that_yaml_takes_for_truth_are_keys(tmp_path: Path) -> None:
    text = WHOLE.replace('codes: {"1": F}', 'codes: {"1": F, no: M, off: X}')
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    fields = load_profile(tmp_path / "p.yaml", CONTRACT).files[0].tables[0].fields
    assert not isinstance(fields, str)
    assert fields["sex"].codes == {"1": "F", "no": "M", "off": "X"}
