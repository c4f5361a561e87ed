"""Profiles: every one that ships loads, and every typo is answered with its line and the nearest name."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.emitters import emitters_of
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, find_profile, load_profile, save_profile
from assets.deliveries.profile.text import read_profile_text

TEST_PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SHIPPED = sorted([*PROFILE_FOLDER.glob("*.yaml"), *TEST_PROFILES.glob("*.yaml")])
TRIAL = (TEST_PROFILES / "acupuncture_headache.yaml").read_text(encoding="utf-8")
CANONICAL = (PROFILE_FOLDER / "canonical.yaml").read_text(encoding="utf-8")


def sentence(folder: Path, text: str | bytes) -> str:
    path = folder / "typo.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputProblem) as caught:
        load_profile(path, CONTRACT)
    assert caught.value.code == "PROFILE"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_lists(path: Path, folder: Path) -> Path:
    """A copy of a profile with its lists; of those that are not shipped, the header."""
    content = read_profile_text(path).content
    folder.mkdir()
    shutil.copy(path, folder)
    joins = [join for file in content["files"] for join in file.get("joins", [])]  # type: ignore[attr-defined]
    for reference in content.get("references", []):  # type: ignore[attr-defined]
        target = folder / reference["file"]
        target.parent.mkdir(exist_ok=True)
        if (path.parent / reference["file"]).exists():
            shutil.copy(path.parent / reference["file"], target)
        else:
            used = {c for j in joins if j.get("reference") == reference["name"] for c in (*j["key"], *j["take"])}
            target.write_text(",".join(sorted(used)) + "\n", encoding="utf-8")
    return folder / path.name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_profiles_load(path: Path, tmp_path: Path) -> None:
    profile = load_profile(with_lists(path, tmp_path / "given"), CONTRACT)
    contract = profile.extend(CONTRACT)
    assert all(bool(emitters_of(file, contract)) == bool(file.tables) for file in profile.files)
    assert profile.extend(contract) == contract
    save_profile(profile, tmp_path)
    assert load_profile(tmp_path / "profile.yaml", CONTRACT).digest == profile.digest


def test_canonical_profile_knows_every_table() -> None:
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    assert [source.table for file in profile.files for source in file.tables] == [t.name for t in CONTRACT.tables]


def line_of(text: str) -> int:
    return TRIAL[: TRIAL.index(text)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "versoin: 1", "the key 'versoin' is not known. Perhaps 'version' is meant"),
        ("privacy_mode: safe", "privacy_mod: safe", "Perhaps 'privacy_mode' is meant"),
        ("safe_harbor", "save_harbor", "privacy_mode cannot be 'save_harbor'. Perhaps 'safe_harbor' is meant"),
        ("table: episode", "table: epsode", "table 'epsode' is not known. Perhaps 'episode' is meant"),
        ("age_years: age", "age_yeers: age", "the field 'age_yeers' is not known. Perhaps 'age_years' is meant"),
        ("{column: sex", "{colum: sex", "the key 'colum' is not known. Perhaps 'column' is meant"),
        ('"1": F', '"1": femal', "code 'femal' is not known. Known are: F, M, X, unknown"),
        ('"1": F', "1: F", "Input should be a valid string. Put it in quotes"),
        ('{"1": migraine', '{"1": migrane', "code 'migrane' is not known. Perhaps 'migraine' is meant"),
        ("{constant: unknown}", "{constant: unknwon}", "Perhaps 'unknown' is meant"),
        ("{constant: unknown}", "{constant: yes}", "Put it in quotes"),
        (
            "{constant: unknown}",
            "{constant: unknown, column: x}",
            "exactly one of column, columns, constant and row_number",
        ),
        ("{constant: unknown}", "{}", "exactly one of column, columns, constant and row_number"),
        ("visit_type: eval", "visit_type: evel", "Perhaps 'eval' is meant"),
        ("{measure: headache_score,", "{measure: headache_scor,", "Perhaps 'headache_score' is meant"),
        ("{constant: questionnaire}", "{constant: question}", "Perhaps 'questionnaire' is meant"),
        ("missing_when_blank: pk2", "missing_when_blnk: pk2", "Perhaps 'missing_when_blank' is meant"),
        ("pain_measure: headache_score", "pain_measure: headache_scores", "Perhaps 'headache_score' is meant"),
        ("measure: headache_score, kind", "measure: headace_score, kind", "Perhaps 'headache_score' is meant"),
        ("kind: percent", "kind: procent", "Perhaps 'percent' is meant"),
        ("kind: pain", "kind: pan", "Perhaps 'pain' is meant"),
        ("better: lower", "better: low", "better cannot be 'low'. Perhaps 'lower' is meant"),
        ("high: 168", "high: -1", "low is not below high"),
        ("decimals: 6", "decimals: 9", "less than or equal to 6"),
        ("day: 91", "day: soon", "valid integer"),
        ("name: month-3", "name: baseline", "a second visit is called 'baseline'"),
        ("name: month-3", "name: month 3", "should match pattern"),
        ("id: migraine", "id: neck_pain", "condition_id 'neck_pain' is already defined with another meaning"),
        ("id: headache_days", "id: odi", "measure_id 'odi' is already defined"),
        ("id: days_50", "id: percent_50", "rule_id 'percent_50' is already defined"),
        ("ignored: [", "delimiter: ;;\n    ignored: [", "delimiter cannot be ';;'"),
        ("ignored: [", "ignored: [row_number, ", "the column name 'row_number' is taken"),
        ("age_years: age", "age_years: structure", "the column name 'structure' is taken"),
        ("age_years: age", "sex: age", "the key 'sex' is given twice"),
        ("version: 1", "version: one", "valid integer"),
        ("profile: acu", "profile: Acu", "should match pattern"),
        ('extract_stamp: "2015-08-03T00:00:00Z"', "extract_stamp: yesterday", "should match pattern"),
    ],
)
def test_typo_is_answered_with_line_and_nearest_name(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = sentence(tmp_path, TRIAL.replace(old, new, 1))
    line = line_of(old)
    assert text.startswith(f"typo.yaml, line {line}: "), text
    assert words in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the profile is not a mapping"),
        ("- a\n- b\n", "the profile is not a mapping"),
        ("profile: [acu\nversion: 1\n", "typo.yaml, line 2: this is not valid YAML"),
        ("a: b: c\n", "typo.yaml, line 1: this is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "this is not valid YAML"),
        ("profile: !!python/object:os.system x\n", "this is not valid YAML"),
        ("extract_stamp: 2025-02-30\n", "Put dates in quotes"),
        (b"profile: \xff\xfe\n", "the profile is not UTF-8"),
        ("profile: x\n", "typo.yaml, line 1: the key 'version' is missing"),
        (
            CANONICAL.replace("fields: same_names", "fields: same_name", 1),
            "fields cannot be 'same_name'. Perhaps 'same_names'",
        ),
        (TRIAL.replace('          sex: {column: sex, codes: {"1": F, "0": M}}\n', ""), "patient needs the field 'sex'"),
        (TRIAL[: TRIAL.index("files:")] + "files: []\n", "at least 1 item"),
        (TRIAL.replace("table: episode", "table: patient", 1), "in patient the field 'episode_key' is not known"),
    ],
)
def test_wrong_document(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in sentence(tmp_path, text)


def test_visits_need_an_episode(tmp_path: Path) -> None:
    start, end = TRIAL.index("      - table: episode"), TRIAL.index("    # The trap")
    assert "the visits of acupuncture.csv belong to no episode" in sentence(tmp_path, TRIAL[:start] + TRIAL[end:])


def test_missing_profile(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="cannot be read"):
        load_profile(tmp_path / "nowhere.yaml", CONTRACT)
    with pytest.raises(InputProblem, match="no profile of this name"):
        find_profile("nowhere", tmp_path, CONTRACT)


@pytest.mark.parametrize("name", ["x\nERROR planted", "..", "../canonical", "John Doe", "a" * 65, ""])
def test_a_name_that_no_profile_can_have_is_not_repeated(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputProblem) as raised:
        find_profile(name, tmp_path / "profiles", CONTRACT)
    assert str(raised.value).startswith("profile: its name holds others than letters")
    assert raised.value.code == "PROFILE"


def test_own_profile_comes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "canonical.yaml").write_text(CANONICAL.replace("version: 1", "version: 7"), encoding="utf-8")
    assert find_profile("canonical", tmp_path, CONTRACT).version == 7
    assert find_profile("canonical", tmp_path / "other", CONTRACT).version == 1


@pytest.mark.parametrize(
    ("written", "stamp"),
    [
        ("2015-08-03", "2015-08-03T00:00:00Z"),
        ("2015-08-03T01:02:03Z", "2015-08-03T01:02:03Z"),
        ("2015-08-03 01:02:03", "2015-08-03T01:02:03Z"),
        ("2015-08-03T01:02:03+02:00", "2015-08-02T23:02:03Z"),
    ],
)
def test_stamps_are_written_in_one_way(tmp_path: Path, written: str, stamp: str) -> None:
    (tmp_path / "p.yaml").write_text(TRIAL.replace('"2015-08-03T00:00:00Z"', written), encoding="utf-8")
    assert load_profile(tmp_path / "p.yaml", CONTRACT).extract_stamp == stamp


def test_digest_is_of_the_content_not_the_spelling(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
        return load_profile(tmp_path / "p.yaml", CONTRACT).digest

    assert digest(TRIAL) == digest("# another comment\n" + TRIAL.replace("age_years: age", "age_years: {column: age}"))
    assert digest(TRIAL) != digest(TRIAL.replace('{"1": F, "0": M}', '{"1": M, "0": F}'))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_gives_a_profile_or_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TRIAL) - 1))
    damaged = TRIAL[:at] + data.draw(st.text(max_size=4)) + TRIAL[at + data.draw(st.integers(0, 6)) :]
    path = tmp_path / "p.yaml"
    path.write_bytes(damaged.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(InputProblem):
        load_profile(path, CONTRACT)
