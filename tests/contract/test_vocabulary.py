"""The shipped code list equals the field's reference, and codes are found however a feed writes them."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.contract.vocabulary import ICD10CM, ICD10CM_SIDE, NAMES, is_listed, lookup, translate

if TYPE_CHECKING:
    from pathlib import Path

STRAIN_LEAVES = 471
STRAIN_SEQUELAE = 157


def meanings(codes: list[str | None], name: str = ICD10CM) -> list[str | None]:
    return (
        pl.DataFrame({"code": codes}, schema={"code": pl.String})
        .select(translate(pl.col("code"), name))["code"]
        .to_list()
    )


def reference_rows(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data.parent / "domain" / "icd10_map.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.shared
def test_the_list_is_the_reference_without_sequelae_and_extended_codes(shared_data: Path) -> None:
    rows = reference_rows(shared_data)
    strains = [row for row in rows if row["condition_id"] == "muscle_strain"]
    assert len(strains) == STRAIN_LEAVES
    assert sum(row["encounter_7th"] == "sequela" for row in strains) == STRAIN_SEQUELAE
    kept = [row for row in rows if row["tier"] == "core" and row["encounter_7th"] != "sequela"]
    assert dict(lookup(ICD10CM)) == {row["code_nodot"]: row["condition_id"] for row in kept}
    sides = {row["code_nodot"]: row["laterality"] for row in kept if row["laterality"] in ("left", "right")}
    assert dict(lookup(ICD10CM_SIDE)) == sides


def test_codes_per_condition() -> None:
    counts = Counter(lookup(ICD10CM).values())
    assert counts == {
        "neck_pain": 1,
        "low_back_pain": 3,
        "shoulder_impingement": 3,
        "plantar_fasciitis": 1,
        "sciatica": 6,
        "tension_headache": 6,
        "it_band_syndrome": 3,
        "muscle_strain": STRAIN_LEAVES - STRAIN_SEQUELAE,
        "muscle_spasm": 3,
    }


def test_every_condition_of_the_contract_has_codes_and_no_other() -> None:
    assert set(lookup(ICD10CM).values()) == {condition.condition_id for condition in CONTRACT.conditions}


@pytest.mark.parametrize("written", ["M54.2", "M542", "m54.2", " M54.2 ", "M54.2\t", "m 54 2"])
def test_dot_case_and_blanks_do_not_matter(written: str) -> None:
    assert meanings([written]) == ["neck_pain"]


@pytest.mark.parametrize(
    "other",
    [
        "M54",  # a category, no code
        "M54.5",  # split into three codes in 2021
        "M54.21",  # there is no such code, though it begins like one
        "S46.011S",  # sequela
        "S46.021A",  # laceration, between two strains
        "G44.86",  # cervicogenic headache
        "M79.18",  # myofascial pain: a choice of the profile
        "I10",
        "",
    ],
)
def test_a_code_that_is_not_listed_stays_as_it_is(other: str) -> None:
    assert meanings([other]) == [other]


def test_null_stays_null() -> None:
    assert meanings([None, "M54.2"]) == [None, "neck_pain"]
    assert meanings([None], ICD10CM_SIDE) == [None]


def test_the_side_is_told_only_where_the_code_names_one() -> None:
    assert meanings(["M75.41", "m7542", "M75.40", "M72.2", "M54.2", "I10"], ICD10CM_SIDE) == [
        "right",
        "left",
        None,
        None,
        None,
        None,
    ]


def test_a_side_in_words_stays_as_it_is() -> None:
    assert meanings(["left", "bilateral", "none", "lleft"], ICD10CM_SIDE) == ["left", "bilateral", "none", None]


def test_the_seventh_character_tells_treatment_from_sequela() -> None:
    assert meanings(["S46.011A", "S46.011D"]) == ["muscle_strain"] * 2


def test_is_listed() -> None:
    frame = pl.DataFrame({"code": ["m54.2", "I10", None]}).select(is_listed(pl.col("code"), ICD10CM))
    assert frame["code"].to_list() == [True, False, False]


def test_an_unknown_vocabulary_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError):
        lookup("icd9cm")


@given(code=st.sampled_from(sorted(lookup(ICD10CM))), data=st.data())
def test_every_listed_code_is_found_in_every_spelling(code: str, data: st.DataObject) -> None:
    spelled = "".join(
        data.draw(st.sampled_from((character, character.lower()))) + data.draw(st.sampled_from(("", " ", ".")))
        for character in code
    )
    for name in NAMES:
        assert meanings([spelled], name) == meanings([code], name)
    assert meanings([spelled]) == [lookup(ICD10CM)[code]]
