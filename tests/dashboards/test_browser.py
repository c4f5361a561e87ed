"""The pages as a reader meets them: opened from disk in Chromium, offline."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.dashboards.chromium import READY, text
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dashboards.chromium import Visitor

pytestmark = pytest.mark.browser

# Chromium hands out layout shifts to observers only; a plain look-up is always empty.
LAYOUT_SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})"""


@pytest.mark.long
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "recovery", "clinics", "scores", "safety", "quality", "runs", "definitions"])
def test_opens_from_disk_without_a_word(visit: Visitor, network_site: Path, name: str, theme: str) -> None:
    made = visit(network_site / f"{name}.html", theme=theme)
    page = made.page
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    charts = page.locator("[data-plot]").count()
    assert page.locator("[data-plot] svg.main-svg").count() >= charts
    assert page.locator(".modebar").count() == 0
    made.assert_clean()


@pytest.mark.parametrize("width", [390, 1024, 1280])
def test_what_is_known_stays_in_sight_beside_each_rate(visit: Visitor, network_site: Path, width: int) -> None:
    page = visit(network_site / "index.html", width=width).page
    seen = "e => e.querySelector('.known').getBoundingClientRect().right <= e.getBoundingClientRect().right"
    assert page.evaluate(f"[...document.querySelectorAll('.glance')].map({seen})") == [True, True]
    hidden = page.evaluate("[...document.querySelectorAll('.glance')].map(e => e.scrollWidth - e.clientWidth)")
    assert hidden == [0, 0] or width < 640, "on a phone the columns after it scroll"


def test_hostile_names_are_shown_as_text(visit: Visitor, hostile_site: Path) -> None:
    made = visit(hostile_site / "recovery.html")
    page = made.page
    page.locator("[data-filter=clinic]").select_option(label="<script>alert(1)</script>\"'&=cmd|\ufffdkcab")
    page.locator("[data-slot='lead.rest']", has_text="<script>alert(1)</script>").wait_for()
    ticks = page.evaluate("[...document.querySelectorAll('[data-plot=clinics] .ytick text')].map(t => t.textContent)")
    assert any("<script>alert(1)</script>" in tick for tick in ticks)
    assert page.locator("[data-plot] a").count() == 0
    with page.expect_download() as download:
        page.locator("[data-csv=clinics]").click()
    saved = download.value.path().read_text(encoding="utf-8-sig")
    assert '"<script>alert(1)</script>""\'&=cmd' in saved
    made.assert_clean()


def test_a_choice_changes_numbers_tables_figures_and_address(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html")
    page = made.page
    marks = "document.querySelector('[data-plot=conditions]').data[2].x"
    cells = "[...document.querySelectorAll('tbody[data-table=conditions] td')].map((cell) => cell.textContent)"
    before = [page.evaluate(marks), page.evaluate(cells), text(page, "[data-lead]")]
    assert page.locator("[data-when=network]:visible").count() == 0
    page.locator("[data-filter=clinic]").select_option(label="Northgate")
    page.locator("[data-filter=care]").focus()
    page.locator("[data-filter=care]").select_option(label="With dry needling")
    page.locator("[data-lead]", has_text="Northgate").wait_for()
    assert page.evaluate("location.hash") == "#clinic=Northgate&care=dry_needling"
    assert "not assigned to treatments at random" in text(page, "[data-slot='notice.care']")
    after = [page.evaluate(marks), page.evaluate(cells), text(page, "[data-lead]")]
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert page.locator("[data-when=network]:visible").count() >= 2
    assert page.evaluate("document.activeElement.dataset.filter") == "care", "focus stays where the reader is"
    assert text(page, "[data-slot='lead.strong']") in (page.locator("[role=status]").text_content() or "")
    made.assert_clean()


def test_another_comparison_is_chosen_and_all_rows_are_there(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "safety.html")
    page = made.page
    data = payload(network_site / "data" / "safety.js")
    assert page.locator("tbody[data-table=evidence] tr:not(.group)").count() == len(data["rows"]["evidence"])
    page.locator("[data-filter=compare]").select_option(label="Dry needling or massage")
    page.locator("[data-filter=outcome]").select_option(label="Fall in pain, points of 0 to 10")
    assert page.evaluate("location.hash") == "#compare=needling_or_massage&outcome=pain_change"
    state = data["states"]["2|2"]
    assert text(page, "[data-slot='lead.strong']") == state["text"]["lead.strong"]
    assert page.locator("tbody[data-table=adjusted] tr").count() == len(state["rows"]["adjusted"])
    label = page.locator("[data-plot=events]").get_attribute("aria-label")
    assert "serious event" in label, "the chart is read out with its answer"
    made.assert_clean()


def test_a_clinic_is_marked_in_the_funnel(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "clinics.html")
    page = made.page
    chosen = "document.querySelector('[data-plot=funnel]').data[8].text"
    first = page.locator("[data-filter=clinic] option").first.text_content()
    assert page.evaluate(chosen) == [first], "one clinic is always chosen"
    page.locator("[data-filter=clinic]").select_option(label="Harbour")
    page.locator("[data-lead]", has_text="Harbour").wait_for()
    assert page.evaluate(chosen) == ["Harbour"]
    assert "Harbour" in (page.locator("[role=status]").text_content() or "")
    page.locator("[data-filter=condition]").select_option(label="Low back pain")
    assert page.evaluate("location.hash") == "#clinic=Harbour&condition=low_back_pain"
    page.locator("[data-do=reset]").click()
    page.locator("[data-lead]", has_text=first).wait_for()
    assert page.evaluate(chosen) == [first]
    made.assert_clean()


def test_a_clinic_can_be_linked_to_from_its_address(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "clinics.html", anchor="#clinic=Northgate&condition=neck_pain")
    page = made.page
    assert text(page, "[data-slot='lead.strong']") == "Northgate is above the range expected"
    rows = page.locator("tbody[data-table=funnel] tr")
    assert rows.count() == 12
    page.emulate_media(media="print")
    assert page.locator(".print-scope").inner_text().splitlines()[0] == "Clinic: Northgate; Condition: Neck pain"
    made.assert_clean()


def test_address_restores_the_choice_and_reset_forgets_it(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html", anchor="#clinic=Station+Road&care=nonsense")
    page = made.page
    assert page.locator("[data-filter=clinic]").input_value() != "0"
    assert page.locator("[data-filter=care]").input_value() == "0"
    assert "Station Road" in text(page, "[data-slot='lead.rest']")
    page.reload()
    page.wait_for_selector(READY)
    assert "Station Road" in text(page, "[data-slot='lead.rest']")
    page.evaluate("location.hash = 'clinic=Harbour'")
    page.locator("[data-slot='lead.rest']", has_text="Harbour").wait_for()
    page.locator("[data-do=reset]").click()
    assert "across 12 clinics" in text(page, "[data-slot='lead.rest']")
    assert page.evaluate("location.hash") == ""
    made.assert_clean()


@pytest.mark.parametrize("name", ["recovery", "clinics", "scores", "safety"])
def test_engine_and_python_write_the_same_default(visit: Visitor, network_site: Path, name: str) -> None:
    plain = visit(network_site / f"{name}.html", java_script_enabled=False).page
    live = visit(network_site / f"{name}.html").page
    rows, words = (
        [page.locator(selector).all_text_contents() for page in (plain, live)]
        for selector in ("tbody tr:first-child", ".tile [data-slot], [data-lead] [data-slot], .say")
    )
    # Long tables and texts that are behind a disclosure are written by the engine alone.
    assert set(rows[0]) <= set(rows[1])
    assert all(written in ("", filled) for written, filled in zip(*words, strict=True))
    assert sum(map(bool, words[0])) > len(words[0]) / 2


def test_without_javascript_the_numbers_stand(visit: Visitor, network_site: Path) -> None:
    page = visit(network_site / "recovery.html", java_script_enabled=False).page
    assert re.match(r"\d+% of episodes", text(page, ".lead"))
    assert page.locator("noscript .notice").count() == 1
    assert page.locator(".filters").is_hidden()


def test_checks_are_narrowed_by_data_set_and_result(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "quality.html")
    page = made.page
    rows = payload(network_site / "data" / "quality.js")["rows"]["checks"]
    lines = page.locator("tbody[data-table=checks] tr:not(.group)")
    assert lines.count() == len(rows)
    page.locator("[data-filter=table]").select_option(label="Visit")
    assert lines.count() == sum(row[0] == "Visit" for row in rows)
    page.locator("[data-filter=result]").select_option(label="Needs attention")
    page.locator("[data-filter=table]").select_option(label="All data sets")
    assert lines.count() == sum(row[2] in ("warn", "fail", "error") for row in rows)
    assert page.evaluate("location.hash") == "#result=attention"
    made.assert_clean()


def test_theme_can_be_chosen_and_is_kept(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html")
    page = made.page
    colour = "document.querySelector('[data-plot=conditions]').data[2].marker.color"
    assert page.evaluate(colour) == "#0072B2"
    page.locator("[data-do=theme]").click()
    assert page.evaluate(colour) == "#56B4E9"
    assert text(page, "[data-do=theme]") == "Light"
    page.reload()
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    made.assert_clean()


def test_downloads_carry_their_scope(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html", anchor="#clinic=Northgate")
    page = made.page
    with page.expect_download() as download:
        page.locator("[data-csv=conditions]").click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# ")
    lines = content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("# Clinic: Northgate; Condition: All conditions; ")
    assert lines[2] == "# Data to 31 October 2026; counts rounded to 5; groups under 11 not shown"
    assert lines[3].startswith("Condition,")
    assert len(lines) == 4 + 10
    with page.expect_download() as download:
        page.locator("[data-png=conditions]").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert download.value.suggested_filename == "recovery-conditions.png"
    made.assert_clean()


def test_print_is_light_and_says_what_was_chosen(visit: Visitor, network_site: Path) -> None:
    page = visit(network_site / "recovery.html", theme="dark", anchor="#clinic=Northgate").page
    page.emulate_media(media="print")
    assert page.locator(".print-scope").inner_text().startswith("Clinic: Northgate; ")
    assert page.locator(".filters").is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()") == "#1B2430"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelector('[data-plot=conditions]').data[2].marker.color") == "#0072B2"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelector('[data-plot=conditions]').data[2].marker.color") == "#56B4E9"


def test_a_missing_chart_library_is_said_and_numbers_stay(visit: Visitor, network_site: Path, tmp_path: Path) -> None:
    shutil.copytree(network_site, tmp_path / "site")
    next((tmp_path / "site" / "assets").glob("plotly-*")).unlink()
    context = visit(network_site / "definitions.html").page.context
    page = context.new_page()
    page.goto((tmp_path / "site" / "recovery.html").as_uri())
    page.wait_for_selector("text=The chart library could not be loaded")
    assert "% of episodes" in text(page, ".lead")


def test_numbers_come_before_charts(visit: Visitor, network_site: Path) -> None:
    page = visit(network_site / "recovery.html").page
    marks = page.evaluate("Object.fromEntries(performance.getEntriesByType('mark').map(m => [m.name, m.startTime]))")
    assert marks["numbers"] < marks["charts"]


@pytest.mark.parametrize(
    ("name", "anchor"),
    [
        *(
            ("index", ""),
            ("recovery", ""),
            ("recovery", "#clinic=Northgate"),
            ("clinics", ""),
            ("clinics", "#clinic=Northgate"),
        ),
        *(("scores", ""), ("safety", ""), ("quality", "")),
    ],
)
@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.long)])
def test_nothing_moves_while_charts_load(
    visit: Visitor, network_site: Path, name: str, anchor: str, width: int
) -> None:
    page = visit(network_site / f"{name}.html", width=width, anchor=anchor).page
    assert page.evaluate(LAYOUT_SHIFT) <= 0.02
    page.wait_for_timeout(300)
    page.evaluate("document.querySelector('main').prepend(Object.assign(new Image(), {width: 300, height: 300}))")
    page.wait_for_timeout(200)
    assert page.evaluate(LAYOUT_SHIFT) > 0.02, "the probe sees a shift when there is one"


def test_page_appears_even_if_the_engine_does_not(visit: Visitor, network_site: Path, tmp_path: Path) -> None:
    shutil.copytree(network_site, tmp_path / "site")
    (tmp_path / "site" / "assets" / "app.js").unlink()
    page = visit(network_site / "definitions.html").page.context.new_page()
    page.goto(f"{(tmp_path / 'site' / 'index.html').as_uri()}#clinic=Northgate")
    page.locator("main").wait_for(state="visible")
    assert "% of episodes" in text(page, ".lead")


def test_the_policy_stops_and_reports_a_request(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html")
    outcome = made.page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'stopped')")
    assert outcome == "stopped"
    assert any("Content Security Policy" in message for message in made.messages)
