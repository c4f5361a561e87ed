"""Every written bundle holds exactly what the table of audiences says."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.outcomes.published import PUBLISHED_TABLES
from assets.publication.audience_page import documents
from assets.publication.audiences import ABOUT_DATA, AUDIENCES, IN_WORDS, OUTCOMES, Clinics
from dashboards.pages.frame import PAGES, START

if TYPE_CHECKING:
    from pathlib import Path

    from assets.publication.audiences import Audience
    from assets.publication.bundles import Release

EVERY = pytest.mark.parametrize("audience", AUDIENCES, ids=lambda one: one.name)
LINK = re.compile(r'(?<!data-)href=\\?"([^"#?\\]*)')


def test_every_published_table_is_in_one_of_the_lists() -> None:
    lists = (ABOUT_DATA, IN_WORDS, OUTCOMES)
    assert frozenset[str]().union(*lists) == set(PUBLISHED_TABLES)
    assert sum(map(len, lists)) == len(PUBLISHED_TABLES)


def test_the_document_is_up_to_date() -> None:
    for path, text in documents().items():
        assert path.read_text(encoding="utf-8") == text, "run needlepoint docs"


@EVERY
def test_pages_are_those_of_the_audience(audience: Audience, bundles: dict[str, Path]) -> None:
    found = {path.stem for path in bundles[audience.name].glob("*.html")}
    assert found == {*audience.pages, START}
    assert set(audience.pages) <= {name for name, _ in PAGES}


@EVERY
def test_tables_are_those_of_the_audience(audience: Audience, bundles: dict[str, Path], small_release: Release) -> None:
    data = bundles[audience.name] / "data"
    logs = {
        *(small_release.run_log if audience.has_run_log else ()),
        *(small_release.suppression_log if audience.has_suppression_log else ()),
    }
    expected = (audience.tables & set(small_release.frames)) | logs
    assert {path.stem for path in data.glob("*.csv")} == expected
    assert {path.stem for path in data.glob("*.parquet")} == expected


@EVERY
def test_evidence_packs_go_to_those_who_may_have_them(audience: Audience, bundles: dict[str, Path]) -> None:
    assert (bundles[audience.name] / "evidence").is_dir() is audience.has_evidence_packs


@EVERY
def test_named_clinics_are_those_of_the_audience(
    audience: Audience, bundles: dict[str, Path], small_release: Release
) -> None:
    known = set(small_release.frames["clinic"]["clinic_key"])
    paths = (bundles[audience.name] / "data").glob("*.parquet")
    # the trail counts rows that break a check, by clinic: it is no number about patients
    frames = [pl.read_parquet(path) for path in paths if path.stem not in small_release.run_log]
    named = {key for frame in frames if "clinic_key" in frame.columns for key in frame["clinic_key"]} & known
    assert named == {Clinics.ALL: known, Clinics.OWN: {"Harbour"}, Clinics.NONE: set()}[audience.clinics]


@EVERY
def test_the_manifest_lists_every_file(audience: Audience, bundles: dict[str, Path]) -> None:
    folder = bundles[audience.name]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["audience"], manifest["profile"]) == (audience.name, audience.profile)
    assert manifest["release"] == "0123456789ab"
    listed = {item["file"]: (item["bytes"], item["sha256"]) for item in manifest["files"]}
    found = {
        path.relative_to(folder).as_posix(): (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file() and path != folder / "manifest.json"
    }
    assert listed == found


@EVERY
def test_no_link_leads_out_of_the_bundle(audience: Audience, bundles: dict[str, Path]) -> None:
    folder = bundles[audience.name]
    for path in (*folder.glob("*.html"), *(folder / "data").glob("*.js")):
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            is_inside = not target or target.startswith(("https:", "data:", "mailto:")) or (folder / target).exists()
            assert is_inside, f"{path.name} leads to {target}"


@EVERY
def test_pages_say_for_whom_they_are(audience: Audience, bundles: dict[str, Path]) -> None:
    text = (bundles[audience.name] / "index.html").read_text(encoding="utf-8")
    assert f"Made for {audience.readers}" in text
    assert ("marked as approximate" in text) is (audience.profile == "public")


def test_the_public_bundle_has_no_number_about_patients_but_its_own(
    bundles: dict[str, Path], small_release: Release
) -> None:
    data = bundles["public"] / "data"
    assert {path.stem for path in data.glob("*.parquet")} & OUTCOMES == set(small_release.public)
    rates = pl.read_parquet(data / "recovery_by_condition.parquet")
    assert rates.select("care", "period", "definition_id").unique().height == 1
    assert rates.height < small_release.frames["recovery_by_condition"].height
