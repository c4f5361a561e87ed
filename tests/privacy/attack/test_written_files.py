"""What stands in the written files: no small group, no number finer or other than the exact one rounded, no patient."""

from __future__ import annotations

import base64
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.published import LAYOUTS
from assets.privacy.disclosure.profiles import MINIMUM_GROUP, ROUNDING_BASE
from assets.publication.site_meta import check_pages, site_meta
from dashboards.site import build_site
from tests.privacy.attack.conftest import ODD_SCORE
from tests.privacy.attack.site_reader import (
    leaves,
    own_files,
    page_texts,
    payloads,
    read_table,
    read_tables,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.privacy.attack.conftest import Release

pytestmark = pytest.mark.long

PEOPLE = r"(?:closed |needled |other |more )*(?:patients?|episodes?|people|sessions?)\b"
COUNTED = re.compile(rf"(?<![\d.,\-\u2013\u2212/])(\d[\d,]*) {PEOPLE}")
ALLOWED = re.compile(rf"(?:fewer|Fewer) than \d+ {PEOPLE}|NNT \d+ patients|events in [\d,]+ sessions")
"""What is not hidden for its size: the limits themselves, and published literature."""
EVIDENCE = "evidence"
"""Folder of the evidence pack, which is made from the checks of the release."""
FINEST = 3
"""Decimals of the finest number that is printed: p values."""
OF_STATISTICS = ("index", "recovery", "clinics", "scores", "safety")
"""Pages about patients; the others count rows, runs and checks."""


@pytest.fixture(scope="module")
def release(releases: tuple[Release, Release]) -> Release:
    return releases[1]


@pytest.fixture
def copy(release: Release, tmp_path: Path) -> Path:
    """The site, to plant a fault in."""
    shutil.copytree(release.site / "data", tmp_path / "site" / "data")
    for page in release.site.glob("*.html"):
        shutil.copy(page, tmp_path / "site")
    return tmp_path / "site"


# --- D-01: no number of few people ------------------------------------------------------------------------------------


def counts(tables: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, str, int]]:
    """Every count of people in the downloads: table, column, number."""
    for name, frame in tables.items():
        for column in LAYOUTS[name].counts if name in LAYOUTS else ():
            if column in frame.columns:
                yield from ((name, column, int(value)) for value in frame[column].drop_nulls())


def too_fine(numbers: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    return [one for one in numbers if one[2] and (one[2] < MINIMUM_GROUP or one[2] % ROUNDING_BASE)]


def test_no_download_holds_a_small_count_or_an_exact_one(release: Release, copy: Path) -> None:
    assert sum(1 for _ in counts(read_tables(release.site))) > 1000
    assert too_fine(counts(read_tables(release.site))) == []
    parquet = {path.stem: pl.read_parquet(path) for path in (release.site / "data").glob("*.parquet")}
    assert too_fine(counts(parquet)) == []
    planted = copy / "data" / "pain_change.csv"
    read_table(planted).with_columns(n=pl.lit("7")).head(1).write_csv(planted)
    assert too_fine(counts(read_tables(copy))) == [("pain_change", "n", 7)]


def words(site: Path) -> Iterator[tuple[str, str]]:
    """Everything that is read on the pages about patients, with its file."""
    yield from (item for item in page_texts(site).items() if item[0].startswith(OF_STATISTICS))
    for leaf in leaves(site):
        if isinstance(leaf.value, str) and leaf.file.removeprefix("data/").startswith(OF_STATISTICS):
            yield leaf.file, leaf.value


def counted(site: Path) -> Iterator[tuple[str, str, int]]:
    """Every count of people in words."""
    for file, text in words(site):
        for found in COUNTED.finditer(ALLOWED.sub("", text)):
            yield file, found.group(0), int(found.group(1).replace(",", ""))


def test_no_page_says_a_small_count_or_an_exact_one(release: Release, copy: Path) -> None:
    assert sum(1 for _ in counted(release.site)) > 20
    assert too_fine(counted(release.site)) == []
    page = copy / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</h1>", "</h1><p>3 patients, 1,234 episodes</p>"))
    assert [number for *_, number in too_fine(counted(copy))] == [3, 1234]


def finer(site: Path) -> list[tuple[str, Any]]:
    """Numbers of the payloads with more digits than are printed."""
    return [
        (leaf.file, leaf.value)
        for leaf in leaves(site)
        if isinstance(leaf.value, float) and abs(leaf.value - round(leaf.value, FINEST)) > 10.0**-9
    ]


def test_no_figure_holds_more_digits_than_are_printed(release: Release, copy: Path) -> None:
    assert finer(release.site) == []
    planted = copy / "data" / "recovery.js"
    planted.write_text('window.DASH={"base":{"dot":{"data":[{"x":[0.63157894]}]}}};\n')
    assert [value for file, value in finer(copy) if file == "data/recovery.js"] == [0.63157894]


# --- D-02: what is printed is what was computed -----------------------------------------------------------------------


def off(
    published: Mapping[str, pl.DataFrame], exact: Mapping[str, pl.DataFrame]
) -> list[tuple[str, str, float, float]]:
    """Published shares that are not the exact ones, rounded."""
    wrong = []
    for name, layout in LAYOUTS.items():
        shares = [column for column in layout.ratios if column in published[name].columns]
        both = published[name].join(exact[name], on=list(layout.keys), nulls_equal=True, suffix="_exact")
        assert both.height == published[name].height
        for column in shares:
            half = 0.5 * 10.0 ** -layout.decimals.get(column, 2)
            pair = both.select(column, f"{column}_exact").drop_nulls(column)
            far = (pair[column] - pair[f"{column}_exact"]).abs() > half + 1e-9
            wrong += [(name, column, *values) for values in pair.filter(far.fill_null(value=True)).iter_rows()]
    return wrong


def test_every_share_is_the_exact_one_within_its_printed_rounding(release: Release) -> None:
    published, exact = release.published, release.exact
    assert off(published, exact) == []
    rates = published["recovery_by_condition"]
    planted = {**published, "recovery_by_condition": rates.with_columns(rate=pl.col("rate") + 0.02)}
    assert len(off(planted, exact)) == rates["rate"].count() > 50


def test_a_share_of_a_small_group_is_as_exact_as_any(release: Release) -> None:
    """Parts and wholes rounded each for itself would be off by up to 0.37 where n is 12."""
    rates = release.published["recovery_by_condition"].filter(pl.col("n") == MINIMUM_GROUP - 1 + ROUNDING_BASE)
    assert rates.height > 0
    assert rates["rate"].null_count() == 0


def test_downloads_hold_what_was_published(release: Release) -> None:
    published = release.published
    for name, table in read_tables(release.site).items():
        frame = published[name]
        assert table.columns == frame.columns, name
        numbers = [column for column, dtype in frame.schema.items() if dtype.is_numeric()]
        written = table.select(pl.col(column).cast(frame.schema[column]) for column in numbers)
        assert written.equals(frame.select(numbers)), name
        assert pl.read_parquet(release.site / "data" / f"{name}.parquet").equals(frame), name


def test_pages_are_made_of_the_published_tables_and_of_nothing_else(release: Release, tmp_path: Path) -> None:
    published = release.published
    meta = site_meta(published, release.folder.name, release.code)
    build_site(published, CONTRACT, replace(meta, catalogue=check_pages(CONTRACT)), tmp_path)
    ours, theirs = (
        {path.relative_to(site): path.read_bytes() for path in own_files(site) if EVIDENCE not in path.parts}
        for site in (tmp_path, release.site)
    )
    assert ours.keys() == theirs.keys()
    assert [name for name, content in ours.items() if content != theirs[name]] == []


def network_row(release: Release) -> dict[str, Any]:
    everybody = release.published["recovery_by_condition"].filter(
        pl.col("condition_id").is_null(),
        pl.col("clinic_key").is_null(),
        pl.col("care") == "any",
        pl.col("period") == "all",
        pl.col("definition_id") == CONTRACT.default_definition.definition_id,
    )
    return everybody.to_dicts()[0]


def test_the_lead_of_the_overview_is_its_row(release: Release) -> None:
    row = network_row(release)
    text = " ".join(page_texts(release.site)["index.html"].split())
    rate, low, high = (round(100 * row[name]) for name in ("rate", "rate_low", "rate_high"))
    assert f"{rate}% of episodes with a known outcome ended in recovery (95% CI {low} to {high}%)" in text
    assert f"about {row['n']:,} closed episodes" in text
    none, every = (round(100 * row[f"rate_if_missing_{who}"]) for who in ("none", "all"))
    assert f"the rate would be {none}%; if all had, {every}%" in text


# --- no patient -------------------------------------------------------------------------------------------------------


def keys_of_patients(release: Release) -> list[bytes]:
    keys = "select patient_key from staging.patient union all select episode_key from staging.episode "
    return [key.encode() for key in release.query(f"{keys} union all select visit_key from staging.visit").to_series()]


def files_with(site: Path, needles: list[bytes]) -> list[str]:
    pattern = re.compile(b"|".join(re.escape(needle) for needle in needles))
    return [path.name for path in own_files(site) if pattern.search(path.read_bytes())]


def test_no_key_and_no_value_of_a_patient_is_in_any_file(release: Release, copy: Path) -> None:
    assert release.query(f"select count(*) from staging.measurement where value = {ODD_SCORE}").item() == 1
    keys = keys_of_patients(release)
    assert len(keys) > 1000
    needles = [*keys[:200], ODD_SCORE.encode()]
    assert files_with(release.site, needles) == []
    (copy / "data" / "one.js").write_bytes(b'window.DASH={"id":"' + keys[0] + b'"};\n')
    (copy / "two.html").write_text(f"<p>{ODD_SCORE}</p>")
    assert files_with(copy, needles) == ["one.js", "two.html"]


def packed(site: Path) -> list[tuple[str, list[float]]]:
    """Arrays of numbers that are packed as base64, as plotly does by itself, with what they hold."""
    found: list[tuple[str, list[float]]] = []
    for file, value in payloads(site).items():
        found.extend((file, array) for array in _packed(value))
    return found


def _packed(value: Any) -> Iterator[list[float]]:
    if isinstance(value, dict):
        if "bdata" in value:
            yield np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"]).tolist()
        for part in value.values():
            yield from _packed(part)
    elif isinstance(value, list):
        for part in value:
            yield from _packed(part)


def test_no_numbers_are_packed_where_nobody_reads_them(release: Release, copy: Path) -> None:
    assert packed(release.site) == []
    data = base64.b64encode(np.array([7.3519]).tobytes()).decode()
    (copy / "data" / "recovery.js").write_text(f'window.DASH={{"base":{{"x":{{"dtype":"f8","bdata":"{data}"}}}}}};\n')
    assert packed(copy) == [("data/recovery.js", [7.3519])]


# --- hostile names ----------------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    '"><img src=x onerror=alert(1)>',
    "+1",
    "@SUM(A1)",
    "a\tb",
)


def test_names_of_clinics_are_data_in_every_file(release: Release, tmp_path: Path) -> None:
    frames = release.published
    clinics = frames["clinic"]["clinic_key"].to_list()
    names = dict(zip(clinics, HOSTILE, strict=False))
    hostile = {
        name: frame.with_columns(pl.col("clinic_key").replace(names)) if "clinic_key" in frame.columns else frame
        for name, frame in frames.items()
    }
    build_site(hostile, CONTRACT, site_meta(frames, "hostile", release.code), tmp_path)
    for path in tmp_path.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<img" not in text
    for path in (tmp_path / "data").glob("*.js"):
        assert "</script" not in path.read_text(encoding="utf-8")
    table = read_table(tmp_path / "data" / "recovery_by_condition.csv")
    cells = set(table["clinic_key"].drop_nulls().to_list())
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r"))]
