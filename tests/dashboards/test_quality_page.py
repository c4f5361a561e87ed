"""Data quality: every result in its place, the panel says what a check means, nothing is drawn that says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.check_kinds import KINDS, Kind
from assets.contract.wording import causal_claims
from dashboards.figures import check_heat, volume
from dashboards.pages import quality, quality_heat
from dashboards.pages.quality_cards import FEWEST_DRAWN, volume_card
from dashboards.pages.quality_panel import checks_of, panel_state
from dashboards.published import Published
from dashboards.site import build_site
from dashboards.words import DASH
from tests.dashboards import sample_frames
from tests.dashboards.chromium import text
from tests.dashboards.test_bars import chunk_of
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dashboards.site import SiteMeta
    from tests.dashboards.chromium import Visitor

Row = dict[str, Any]
CHECK = "visit.visit_key.required"
CRITICAL = "visit.schema"


@pytest.fixture(scope="module")
def network() -> dict[str, pl.DataFrame]:
    return sample_frames.network()


def delivery(place: int, **facts: object) -> Row:
    rows = dict.fromkeys(("quarantined", "superseded", "rejected", "out_of_scope"), 0)
    return {
        "delivery_id": f"d{place:02}",
        "label": f"simulated-{place}_20260701T020000Z",
        "extract_stamp": f"2026-{1 + place // 28:02}-{1 + place % 28:02}",
        "state": "accepted",
        "problem_code": None,
        "ingested": 100,
        "accepted": 100,
        **rows,
        **facts,
    }


def results(deliveries: list[Row], statuses: Mapping[tuple[str, str | None], str]) -> quality_heat.Results:
    rows = [[check, key, status] for (check, key), status in statuses.items()]
    frames = {
        "conservation": pl.DataFrame(deliveries),
        "check_by_delivery": pl.DataFrame(rows, schema=["check_id", "delivery_id", "status"], orient="row"),
    }
    return quality_heat.results_of(Published(frames, CONTRACT))


def check(check_id: str = CHECK, status: str = "pass", table: str = "visit", **facts: object) -> Row:
    found = checks_of(CONTRACT).get(check_id)
    return {
        "check_id": check_id,
        "title": found.title if found else check_id,
        "sentence": "A rule.",
        "table_name": table,
        "kind": found.kind.value if found else "unique",
        "stage": found.stage.value if found else "delivery",
        "severity": "critical",
        "tolerance": 0.5,
        "status": status,
        "evaluated": 200,
        "violated": 0,
        **facts,
    }


def marks(made: Any) -> dict[str, list[tuple[int, int]]]:
    """Row and place of the marks, by symbol."""
    data = made.plots[quality_heat.CARD]["data"]
    symbols = [mark[2] for mark in check_heat.MARKS]
    return {symbol: list(zip(trace["y"], trace["x"], strict=True)) for symbol, trace in zip(symbols, data, strict=True)}


def test_a_result_stands_in_the_row_of_its_check_and_the_column_of_its_delivery() -> None:
    deliveries = [delivery(0), delivery(1), delivery(2, state="rejected")]
    made = results(deliveries, {(CHECK, "d00"): "pass", (CHECK, "d01"): "warn", (CRITICAL, "d00"): "pass"})
    rows = [check(status="warn"), check(CRITICAL)]
    state = quality_heat.selected(made, rows, ["visit"], is_all=True)
    found = marks(state)
    # the table, then the check that warned; the refused delivery could not be checked
    assert found["!"] == [(0, 1), (1, 1)]
    assert found[""] == [(0, 0), (1, 0)]
    assert found[DASH] == [(0, 2), (1, 2)]
    assert state.rows["heat"][0] == ["Visit", 1, 1, 0, 1, "simulated-1_20260701T020000Z, 2 January 2026: ! Warning"]
    assert state.rows["heat"][1][0] == [CHECK, checks_of(CONTRACT)[CHECK].title]
    assert state.text["heat.say"] == "1 of 2 checks needs attention."


def test_release_checks_stand_in_the_last_column_only() -> None:
    made = results([delivery(0)], {("visit.key.unique", None): "fail", (CHECK, "d00"): "pass"})
    rows = [check("visit.key.unique", "fail", stage="release")]
    found = marks(quality_heat.selected(made, rows, ["visit"], is_all=False))
    assert found["✕"] == [(0, 1)]
    assert sum(map(len, found.values())) == 1


def test_only_the_last_deliveries_are_drawn_in_the_order_of_time() -> None:
    deliveries = [delivery(place) for place in reversed(range(quality_heat.MOST_DELIVERIES + 5))]
    made = results(deliveries, {(CHECK, "d34"): "fail", (CHECK, "d00"): "fail"})
    state = quality_heat.selected(made, [check(status="fail")], ["visit"], is_all=False)
    assert marks(state)["✕"] == [(0, quality_heat.MOST_DELIVERIES - 1)]
    labels = state.plots["heat"]["layout"]["xaxis"]["ticktext"]
    assert labels[-1] == quality_heat.TOGETHER
    assert 3 <= len(labels) <= quality_heat.FEW + 2


def test_a_few_deliveries_are_named_by_what_tells_them_apart() -> None:
    deliveries = [
        delivery(0, label=f"simulated-{name}_20260701T020000Z") for name in ("east", "a_very_long_name_of_it")
    ]
    state = quality_heat.selected(results(deliveries, {}), [check()], ["visit"], is_all=True)
    assert state.plots["heat"]["layout"]["xaxis"]["ticktext"] == ["east", "a<br>very", "Together"]


def test_what_is_not_drawn_is_said() -> None:
    ids = [f"visit.made_up_{place}.allowed" for place in range(quality_heat.MOST_ROWS + 7)]
    made = results([delivery(0)], {(one, "d00"): "warn" for one in ids})
    rows = [check(one, "warn") for one in ids]
    state = quality_heat.selected(made, rows, ["visit"], is_all=True)
    assert len(state.rows["heat"]) == quality_heat.MOST_ROWS + 1
    assert state.text["heat.say"] == "37 of 37 checks need attention. The first 30 of 37 are drawn."
    quiet = quality_heat.selected(results([delivery(0)], {(CHECK, "d00"): "pass"}), [check()], ["visit"], is_all=False)
    assert quiet.rows["heat"] == []
    assert "none is drawn" in quiet.text["heat.say"]


def test_the_panel_says_what_follows_from_a_failure() -> None:
    known = checks_of(CONTRACT)
    said = {
        name: panel_state(check(name), known[name], []).text["check.fails"]
        for name in (CRITICAL, CHECK, "delivery.rows.usual_volume", "visit.key.unique")
    }
    assert "delivery is held" in said[CRITICAL]
    assert "set aside" in said[CHECK]
    assert "warning" in said["delivery.rows.usual_volume"]
    assert "set aside" in said["visit.key.unique"]
    assert "nothing is released" in said["visit.key.unique"]
    assert set(KINDS) == set(Kind), "every kind of check has a reason"
    unknown = panel_state(check("model.grain", stage="model"), None, []).text
    assert unknown["check.fails"] == "Nothing is released: the numbers before it stay."
    assert unknown["check.why"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"violated": 0}, "✓ Passed: none of 200 rows breaks it"),
        ({"violated": 1, "evaluated": 1_000_000}, "✓ Passed: 1 of 1,000,000 rows (under 0.01%) breaks it"),
        ({"violated": 3}, "✓ Passed: 3 of 200 rows (1.50%) break it"),
        ({"evaluated": 0, "status": "not_applicable"}, f"{DASH} Not applicable"),
    ],
)
def test_the_panel_says_what_was_found(facts: Row, words: str) -> None:
    assert panel_state(check(**facts), None, []).text["check.latest"] == words


def test_the_panel_knows_the_history() -> None:
    ran = [("a", "pass"), ("b", "not_applicable"), ("c", "warn"), ("d", "pass_with_violations")]
    words = panel_state(check(), None, ran).text["check.history"]
    assert words == "Passed on 2 of 3 deliveries. Not on c (! Warning)."
    assert panel_state(check(), None, []).text["check.history"] == "There was nothing to check."
    many = panel_state(check(), None, [(str(place), "fail") for place in range(9)]).text["check.history"]
    assert "5 before" in many


def test_volume_is_drawn_from_twelve_deliveries_on() -> None:
    def card(count: int, unusual: float | None = None) -> Any:
        deliveries = [delivery(place) for place in range(count)]
        found = {row["delivery_id"]: {**row, "times_usual": 1.0, "is_unusual": False} for row in deliveries}
        if unusual is not None:
            found["d03"] |= {"times_usual": unusual, "is_unusual": True}
        return volume_card(deliveries, found)

    assert card(FEWEST_DRAWN - 1).spec is None
    assert card(FEWEST_DRAWN).spec is not None
    assert card(4).say == "The number of rows was usual in each of 4 deliveries."
    assert "simulated-3_20260701T020000Z (▼ far fewer)" in card(FEWEST_DRAWN, 0.2).say
    assert "(▲ far more)" in card(4, 9.0).say
    assert volume_card([delivery(0)], {}).say.startswith("No delivery has another")


@pytest.mark.parametrize("rows", [0, 1, 13])
def test_figures_are_valid(rows: int) -> None:
    cells = [
        {"row": place, "label": "a", "value": CHECK, "place": 0, "status": status}
        for place, status in zip(range(rows), ["pass", "warn", "fail", "not_applicable"] * 4, strict=False)
    ]
    schema = {"row": pl.Int64, "label": pl.String, "value": pl.String, "place": pl.Int64, "status": pl.String}
    heat = check_heat.figure(pl.DataFrame(cells, schema=schema), ["<b>", "Together"], "check")
    assert sum(len(trace.x) for trace in heat.data) == rows
    assert heat.layout.xaxis.ticktext[0] == "&lt;b&gt;"
    points = [
        {"label": "a", "day": "1 Jul", "times_usual": 1.0 + place, "is_unusual": place > 5} for place in range(rows)
    ]
    types = {"label": pl.String, "day": pl.String, "times_usual": pl.Float64, "is_unusual": pl.Boolean}
    assert len(volume.figure(pl.DataFrame(points, schema=types), 1 / 3, 3).data) == 6


def panel(site: Path, place: int) -> dict[str, str]:
    """What the panel says of the check at this place of its filter."""
    made = payload(site / "data" / "quality.js")
    (part,) = chunk_of(site / made["chunks"]["files"][place])
    text = part["states"][str(place)]["text"]
    return {slot: made["words"][words] if isinstance(words, int) else words for slot, words in text.items()}


def test_all_deliveries_and_checks_of_the_frame_are_on_the_page(network_site: Path) -> None:
    made = payload(network_site / "data" / "quality.js")
    assert {row[1][0] for row in made["rows"]["checks"]} == set(checks_of(CONTRACT))
    names = made["filters"][3]["values"]
    for place, (_, title) in enumerate(names[1:], start=1):
        assert panel(network_site, place)["check.title"] == title
    assert made["parts"][-1]["states"]["0"]["text"].keys() == panel(network_site, 1).keys(), "all places are emptied"


def test_a_hostile_name_of_a_delivery_stays_text(hostile_site: Path) -> None:
    assert "<script>alert" not in (hostile_site / "quality.html").read_text(encoding="utf-8")
    spec = payload(hostile_site / "data" / "quality.js")["base"]["heat"]
    assert "<script>" not in str(spec)


def test_no_causal_words_and_no_value(network: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    page = quality.build(Published(network, CONTRACT), meta)
    assert causal_claims(f"{page.body} {page.payload}") == []


def test_without_results_by_delivery_the_page_stands(
    network: dict[str, pl.DataFrame], meta: SiteMeta, tmp_path: Path
) -> None:
    frames = {name: frame for name, frame in network.items() if name not in ("check_by_delivery", "delivery_volume")}
    build_site(frames, CONTRACT, meta, tmp_path)
    assert "nothing to compare with" in (tmp_path / "quality.html").read_text(encoding="utf-8")


@pytest.mark.browser
def test_a_check_opens_from_table_filter_and_chart_and_closes_again(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "quality.html")
    page = made.page
    panel = page.locator("section.check")
    assert panel.is_hidden()
    first = page.locator("tbody[data-table=checks] button").first
    title = first.inner_text()
    first.press("Enter")
    panel.wait_for()
    assert text(page, "section.check h2") == title
    assert page.locator("tbody[data-table=checks] tr:not(.group)").count() == 1
    assert page.evaluate("document.activeElement.dataset.drill") == "check"
    page.locator("section.check button").click()
    panel.wait_for(state="hidden")
    assert page.locator("tbody[data-table=checks] tr:not(.group)").count() > 200
    page.locator("[data-filter=check]").select_option(index=250)
    panel.wait_for()
    assert "check=" in page.evaluate("location.hash")
    made.assert_clean()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_no_sideways_scroll_with_a_check_open(visit: Visitor, network_site: Path, width: int) -> None:
    page = visit(network_site / "quality.html", width=width, anchor=f"#table=Measurement&check={CHECK}").page
    page.locator("section.check").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
