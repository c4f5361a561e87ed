"""A real FHIR export through the whole pipeline: nothing that identifies anybody is in any file a run leaves."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly.offline
import polars as pl
import pytest

import assets.contract
from assets.contract import CONTRACT
from assets.deliveries.profile import load_profile
from assets.privacy.keys import new_key_file
from pipelines.deidentify import deidentify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.shared, pytest.mark.long]

SHORTEST_WORD = 6
"""Shorter names are also words of code and of pages; those people are searched by all their other identifiers."""


def identifiers(patient: dict[str, Any]) -> Iterator[str]:
    """Everything in a Patient that tells who it is."""
    yield patient["id"]
    yield patient["birthDate"]
    for identifier in patient["identifier"]:
        yield identifier["value"]
    for telecom in patient["telecom"]:
        yield telecom["value"]
    for address in patient["address"]:
        yield from address["line"]
        if "postalCode" in address:
            yield address["postalCode"]
    for name in patient["name"]:
        given = name["given"][0]
        yield f"{given} {name['family']}"
        yield from (word for word in (given, name["family"]) if len(word) >= SHORTEST_WORD)
    for extension in patient["extension"]:
        if "valueString" in extension:
            yield extension["valueString"]


@pytest.fixture(scope="module")
def people(shared_data: Path) -> frozenset[str]:
    with gzip.open(shared_data / "synthea_fhir_r4" / "Patient.000.ndjson.gz", "rt", encoding="utf-8") as file:
        found = {text for line in file for text in identifiers(json.loads(line))}
    # a name may also stand in the software itself, as the author of a reference or in the code of Plotly
    contract = Path(assets.contract.__file__).parent
    own = "".join(path.read_text(encoding="utf-8") for path in (*contract.rglob("*.py"), contract / "evidence.csv"))
    own += plotly.offline.get_plotlyjs()
    dates = re.compile(r"\d{4}-\d{2}-\d{2}")
    return frozenset(
        text for text in found if len(text) >= SHORTEST_WORD and not dates.fullmatch(text) and text not in own
    )


def leaks(folder: Path, people: frozenset[str]) -> list[str]:
    """Files below ``folder`` in which one of the identifiers stands, packed columns of Parquet unpacked."""
    searched = sorted(people)
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            texts = [path.read_bytes().decode("latin-1")]
            if path.suffix == ".parquet":
                texts.append(_cells(path))
            if pl.Series(texts).str.contains_any(searched).any():
                found.append(path.relative_to(folder).as_posix())
    return found


def _cells(path: Path) -> str:
    frame = pl.read_parquet(path)
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(pl.col(nested).cast(pl.List(pl.String)).list.join(" ")).write_csv()


@pytest.fixture(scope="module")
def raw(make_installation: Callable[..., Any], shared_data: Path, profiles: Path) -> Any:
    return make_installation([shared_data / "synthea_fhir_r4"], profiles / "synthea_fhir_r4.yaml")


@pytest.fixture(scope="module")
def cleaned(
    make_installation: Callable[..., Any],
    shared_data: Path,
    profiles: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    folder = tmp_path_factory.mktemp("clinic")
    new_key_file(folder / "key")
    profile = load_profile(profiles / "synthea_fhir_r4.yaml", CONTRACT)
    deidentify([shared_data / "synthea_fhir_r4"], profile, folder / "key", folder / "out")
    return make_installation([folder / "out"], folder / "out" / "profile.yaml")


def test_raw_it_is_refused_for_names_and_numbers_and_nothing_of_it_stays(raw: Any, people: frozenset[str]) -> None:
    (record,) = raw.home.ledger.all()
    assert (record.state, record.problem_code) == ("rejected", "PHI_SUSPECTED")
    for element in ("name", "telecom", "address", "identifier", "birthDate"):
        assert element in record.problem
    assert raw.outcome.exit_code == 2
    assert leaks(raw.home.path, people) == []


def test_cleaned_it_loads(cleaned: Any, shared_data: Path) -> None:
    expected = json.loads((shared_data / "synthea_fhir_r4" / "expected.json").read_text(encoding="utf-8"))
    row = cleaned.query("select * from audit.conservation").row(0, named=True)
    assert row["ingested"] == row["accepted"] + row["quarantined"] + row["superseded"]
    assert cleaned.outcome.released
    scores = cleaned.query(
        "select count(*) as n, count(distinct patient_key) as patients from staging.measurement "
        "join staging.visit using (visit_key) join staging.episode using (episode_key)"
    ).row(0, named=True)
    assert scores == {"n": expected["pain_obs_72514_3"], "patients": expected["patients_with_pain"]}


def test_nobody_is_in_any_file_the_run_leaves(cleaned: Any, people: frozenset[str]) -> None:
    assert len(people) > 1000
    assert leaks(cleaned.home.path, people) == []
    assert leaks(cleaned.feed, people) == []


def test_the_search_finds_a_planted_identifier(tmp_path: Path, people: frozenset[str]) -> None:
    (tmp_path / "page.html").write_text(f"<td>{min(people)}</td>", encoding="utf-8")
    pl.DataFrame({"key": ["x" * 50, max(people)], "more": [["a"], ["b"]]}).write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "clean.txt").write_text("nobody", encoding="utf-8")
    assert leaks(tmp_path, people) == ["page.html", "rows.parquet"]
