"""A passport says where a number comes from, and a page says why a number is withheld."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from dashboards import site
from dashboards.pages.frame import Page, SiteMeta
from dashboards.passports import MOST_CHECKS, MOST_DELIVERIES, passports, withheld_reasons
from dashboards.published import Published
from dashboards.site import build_site

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "recovery_by_condition"
REASON = "the check 'Pain score is possible' failed"
RATE = CONTRACT.statistic("recovery_rate")
WORDS = ("label", "sentence", "numerator", "denominator", "exclusions", "window", "method", "source")
META = SiteMeta("Clinic outcomes", "2026-10-31", "4f1c9a2", "2", 3, 2, 1, True, 11, release="abcdef012345")  # noqa: FBT003


def frames(**other: pl.DataFrame) -> dict[str, pl.DataFrame]:
    sources = [
        ("about", "Recovery of episodes"),
        ("statistic", RATE.versioned_id),
        ("relation", "marts.recovery_cube"),
        ("sql", "sql/marts/recovery_cube.sql"),
        ("sql", "sql/staging/visit.sql"),
        ("data", "visit"),
    ]
    checks = [
        ("visit.day.possible", "Visit: day is possible", "visit", "pass"),
        ("visit.day.plausible", "Visit: day is plausible", "visit", "warn"),
        ("treatment.schema", "Columns of treatment are as agreed", "treatment", "fail"),
    ]
    return {
        "number_source": pl.DataFrame(
            [(TABLE, *source) for source in sources], schema=["table_name", "kind", "source"], orient="row"
        ),
        "statistic": pl.DataFrame(
            [{"statistic_id": RATE.versioned_id, **{name: getattr(RATE, name) for name in WORDS}}]
        ),
        "check_summary": pl.DataFrame(checks, schema=["check_id", "title", "table_name", "status"], orient="row"),
        "conservation": deliveries(2),
        "waiver_in_force": pl.DataFrame(
            [{"check_id": "visit.day.possible", "lifts": "to_do", "until": "2026-12-31", "rows": 15}]
        ),
        TABLE: pl.DataFrame({"n": [20]}),
        **other,
    }


def deliveries(number: int) -> pl.DataFrame:
    rows = [
        {"delivery_id": f"{i:016x}", "extract_stamp": "2026-07-01T02:00:00Z", "state": "accepted"}
        for i in range(number)
    ]
    return pl.DataFrame([*rows, {"delivery_id": "f" * 16, "extract_stamp": "2026-07-02", "state": "held"}])


def passport(given: dict[str, pl.DataFrame]) -> tuple[dict[str, str], list[list[str]]]:
    made: dict[str, Any] = passports(Published(given, CONTRACT), META)[TABLE]
    assert made["title"] == "Recovery of episodes"
    return dict(made["rows"]), made["checks"]


def test_says_what_was_counted_by_which_files_from_which_deliveries() -> None:
    rows, _ = passport(frames())
    assert rows["Definition"] == f"{RATE.label} ({RATE.versioned_id}): {RATE.sentence}"
    assert rows["Denominator"] == RATE.denominator
    assert rows["Computed from"] == "marts.recovery_cube"
    assert rows["SQL files on the way"] == "sql/marts/recovery_cube.sql, sql/staging/visit.sql"
    assert rows["Deliveries (hash of their files)"] == (
        "0000000000000000 (1 July 2026, 02:00), 0000000000000001 (1 July 2026, 02:00)"
    )
    assert (rows["Release"], rows["Code version"], rows["Contract"]) == ("abcdef012345", "4f1c9a2", "2")
    assert "Withheld" not in rows


def test_names_the_checks_on_its_way_that_did_not_pass_and_no_other() -> None:
    rows, checks = passport(frames())
    assert rows["Checks on the way"] == "2 checks: 1 passed; 1 warning"
    assert checks == [["visit.day.plausible", "Visit: day is plausible", "warn"]]


def test_many_checks_that_did_not_pass_are_named_worst_first_and_then_only_counted() -> None:
    rows = [(f"visit.{i:03}", f"Check {i}", "visit", "warn") for i in range(50)] + [
        ("visit.z", "Last", "visit", "fail")
    ]
    many = pl.DataFrame(rows, schema=["check_id", "title", "table_name", "status"], orient="row")
    said, checks = passport(frames(check_summary=many))
    assert said["Checks on the way"] == "51 checks: 50 warning; 1 failed"
    assert [check[0] for check in checks][:2] == ["visit.z", "visit.000"]
    assert len(checks) == MOST_CHECKS


def test_names_waivers_on_its_way() -> None:
    rows, _ = passport(frames())
    assert rows["Waivers in force"] == "Visit: day is possible: 15 rows until 31 December 2026"
    hold = pl.DataFrame([{"check_id": "visit.day.possible", "lifts": "hold", "until": "2026-12-31", "rows": None}])
    rows, _ = passport(frames(waiver_in_force=hold))
    assert rows["Waivers in force"] == "Visit: day is possible: holds nothing back until 31 December 2026"
    elsewhere = pl.DataFrame([{"check_id": "treatment.schema", "lifts": "to_do", "until": "2026-12-31", "rows": 1}])
    assert "Waivers in force" not in passport(frames(waiver_in_force=elsewhere))[0]


def test_many_deliveries_are_counted() -> None:
    rows, _ = passport(frames(conservation=deliveries(MOST_DELIVERIES + 1)))
    assert rows["Deliveries"] == "13, by their hashes in data/conservation.csv"


def test_a_site_without_the_tables_about_data_still_has_passports() -> None:
    few = {name: frame for name, frame in frames().items() if name in ("number_source", "statistic", TABLE)}
    rows, checks = passport(few)
    assert "Checks on the way" not in rows
    assert checks == []


def test_a_table_that_the_site_does_not_have_has_no_passport() -> None:
    given = frames()
    del given[TABLE]
    assert passports(Published(given, CONTRACT), META) == {}


def withheld(table: str) -> pl.DataFrame:
    return pl.DataFrame([{"table_name": table, "check_id": "x", "measure_id": None, "reason": REASON}])


def test_a_withheld_number_says_so_in_its_passport() -> None:
    assert passport(frames(withheld=withheld(TABLE)))[0]["Withheld"] == REASON
    assert "Withheld" not in passport(frames(withheld=withheld("pain_change")))[0]


def test_each_reason_is_said_once() -> None:
    twice = pl.concat([withheld(TABLE), withheld(TABLE)])
    assert withheld_reasons({"withheld": twice}, {TABLE}) == (REASON,)
    assert withheld_reasons({}, {TABLE}) == ()


@pytest.fixture
def site_of(tmp_path: Path) -> Any:
    def build(given: dict[str, pl.DataFrame]) -> Path:
        build_site(given, CONTRACT, META, tmp_path)
        return tmp_path

    return build


def test_only_the_pages_that_show_a_withheld_table_say_so(site_of: Any) -> None:
    told = "Numbers on this page are withheld because"
    folder = site_of({"evidence": pl.DataFrame(), "withheld": withheld("measure_summary")})
    concerned = {path.stem for path in folder.glob("*.html") if told in path.read_text(encoding="utf-8")}
    assert "scores" in concerned
    assert not concerned & {"definitions", "numbers", "runs"}
    assert REASON.replace("'", "&#x27;") in (folder / "scores.html").read_text(encoding="utf-8")


def test_where_nothing_is_withheld_no_page_says_so(site_of: Any) -> None:
    folder = site_of({})
    assert not any("withheld because" in path.read_text(encoding="utf-8") for path in folder.glob("*.html"))


def test_the_engine_finds_them_in_one_file(site_of: Any) -> None:
    sources = pl.DataFrame([{"table_name": "invented", "kind": "about", "source": "</script>"}])
    text = (
        site_of({"number_source": sources, "invented": pl.DataFrame({"n": [20]})}) / "data" / "passports.js"
    ).read_text(encoding="utf-8")
    made = json.loads(text.removeprefix("window.DASH_PASSPORTS=").removesuffix(";\n"))
    assert list(made) == ["invented"]
    assert "</script>" not in text


# --- files of the site ---------------------------------------------------------------------------------------------


def with_page(monkeypatch: pytest.MonkeyPatch, page: Page) -> None:
    class Module:
        @staticmethod
        def build(*_: object) -> Page:
            return page

    monkeypatch.setattr(site, "PAGE_MODULES", {"index": Module})


def test_parts_are_written_for_the_place_that_the_page_names(site_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ["", "data/index-a.js", "data/index-b.js"]
    chunks = {"index-b": [{"by": [], "states": {}}]}
    with_page(monkeypatch, Page("index", "Overview", "", {"chunks": {"files": files}}, chunks=chunks))
    text = (site_of({}) / "data" / "index-b.js").read_text(encoding="utf-8")
    assert text == 'window.DASH_CHUNK(2,[{"by":[],"states":{}}]);\n'


def test_parts_that_the_page_does_not_name_are_an_error(site_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_page(monkeypatch, Page("index", "Overview", "", {"chunks": {"files": [""]}}, chunks={"index-b": []}))
    with pytest.raises(ValueError, match=r"data/index-b\.js is not in the list of files that page index names"):
        site_of({})


def test_a_banner_and_the_audience_are_on_every_page(tmp_path: Path) -> None:
    meta = replace(META, banner="Held <b>", readers="one clinic, Harbour", pages=("quality", "definitions"))
    build_site({}, CONTRACT, meta, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.html")} == {"index", "quality", "definitions"}
    for path in tmp_path.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "Held &lt;b&gt;" in text
        assert "Made for one clinic, Harbour." in text
        assert "Release abcdef012345" in text
        assert "recovery.html" not in text
