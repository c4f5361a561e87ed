"""The profile language as editors and readers see it: schema and page follow the models, and their examples work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.profile.documents import PAGE, SCHEMA_FILE, documents
from assets.deliveries.profile.schema import profile_schema
from assets.deliveries.profile.text import read_profile_text
from assets.deliveries.profile.words import PARTS

TEST_PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SHIPPED = sorted([*PROFILE_FOLDER.glob("*.yaml"), *TEST_PROFILES.glob("*.yaml")])
EXAMPLES = re.findall(r"```yaml\n(profile: .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SCHEMA = json.loads(profile_schema(CONTRACT))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("path", [PAGE, SCHEMA_FILE], ids=lambda path: path.name)
def test_committed_documents_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents(CONTRACT)[path], "run needlepoint docs"


def test_every_key_is_explained_once() -> None:
    for model, part in PARTS.items():
        assert set(part.words) == set(model.model_fields), model.__name__
    parts = {name for name in SCHEMA["$defs"] if name != "Better"} | {"Profile"}
    assert parts == {model.__name__ for model in PARTS}


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_profiles_fit_the_schema(path: Path) -> None:
    VALIDATOR.validate(read_profile_text(path).content)


@pytest.mark.parametrize("path", sorted(PROFILE_FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_profiles_name_their_schema(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=profile.schema.json\n")


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_examples_of_the_page_load(text: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    load_profile(path, CONTRACT)
    VALIDATOR.validate(read_profile_text(path).content)


def test_the_page_has_an_example_of_each_kind() -> None:
    assert [re.search("profile: (.*)", text)[1] for text in EXAMPLES] == [  # type: ignore[index]
        "north_wide",
        "south_long",
        "own_fhir",
        "own_omop",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("table: episode", "table: epsode"),
        ("age_years: age", "age_yeers: age"),
        ("{column: sex", "{colum: sex"),
        ("privacy_mode: safe_harbor", "privacy_mode: none"),
        ("visit_type: eval", "visit_type: evel"),
        ("better: lower", "better: low"),
        ("day: 91", "day: soon"),
    ],
)
def test_editors_mark_what_the_reader_refuses(old: str, new: str) -> None:
    text = (TEST_PROFILES / "acupuncture_headache.yaml").read_text(encoding="utf-8")
    assert old in text
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text.replace(old, new, 1))))
