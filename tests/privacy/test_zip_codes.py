"""ZIP codes: which prefixes may be kept, and what becomes of all others."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.privacy.zip_codes import NO_AREA, allowed_prefixes, is_too_fine, prefix

if TYPE_CHECKING:
    from pathlib import Path

FEW_PEOPLE_2020 = [
    "036",
    "059",
    "102",
    "202",
    "203",
    "204",
    "205",
    "369",
    "556",
    "692",
    "753",
    "772",
    "821",
    "823",
    "878",
    "879",
    "884",
    "893",
]
FEW_PEOPLE_2000 = [
    "036",
    "059",
    "063",
    "102",
    "203",
    "556",
    "692",
    "790",
    "821",
    "823",
    "830",
    "831",
    "878",
    "879",
    "884",
    "890",
    "893",
]


def asked(code: str) -> tuple[bool, str]:
    frame = pl.DataFrame({"x": [code]}).select(fine=is_too_fine(pl.col("x")), prefix=prefix(pl.col("x")))
    return frame.row(0)


def test_restricted_prefixes_of_both_censuses_are_not_allowed() -> None:
    assert len(allowed_prefixes()) == 871
    assert not set(allowed_prefixes()) & {*FEW_PEOPLE_2000, *FEW_PEOPLE_2020, NO_AREA}


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("03601", "000"),
        ("1001", "010"),
        ("01001", "010"),
        ("83001", "000"),
        ("77204", "000"),
        ("20500", "000"),
        ("96201", "000"),
        ("97301-1234", "973"),
        ("973011234", "973"),
        ("10011234", "010"),
        (" 97301 ", "973"),
        ("973", "973"),
        ("821", "000"),
        ("000", "000"),
        ("SW1A 1AA", "000"),
        ("9", "000"),
    ],
)
def test_prefix(code: str, kept: str) -> None:
    assert asked(code)[1] == kept


def test_blank_stays_blank() -> None:
    assert pl.DataFrame({"x": ["", None]}).select(prefix(pl.col("x")))["x"].to_list() == [None, None]


@pytest.mark.parametrize("code", ["97301", "1001", "97301-1234", "036", "202", "098"])
def test_too_fine(code: str) -> None:
    assert asked(code)[0]


@given(st.text(alphabet="0123456789- aZ", max_size=11))
def test_what_is_kept_is_never_too_fine(code: str) -> None:
    kept = asked(code)[1]
    assert kept is None or asked(kept) == (False, kept)


@pytest.mark.shared
def test_list_is_that_of_the_census_without_the_published_one(shared_data: Path) -> None:
    domain = shared_data.parent / "domain"
    with (domain / "zip3_population_2020.csv").open(encoding="utf-8") as file:
        allowed = {row["zip3"] for row in csv.DictReader(file) if row["allow"] == "1"}
    with (domain / "restricted_zip3.csv").open(encoding="utf-8") as file:
        restricted = {row["zip3"] for row in csv.DictReader(file)}
    assert set(allowed_prefixes()) == allowed - restricted
