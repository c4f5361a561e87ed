"""The pages as a reader meets them: opened from disk in Chromium, offline."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# Chromium hands out layout shifts to observers only; a plain look-up is always empty.
LAYOUT_SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})"""
READY = "body[data-ready='1']"


@dataclass
class Visit:
    """A page that is open, and what it did that it should not."""

    page: Page
    outside: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.outside == []
        assert self.messages == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with this module: Playwright keeps an event loop in this thread that Dagster's runs would trip over."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    contexts = []

    def open_page(path: Path, *, width: int = 1440, theme: str = "light", anchor: str = "", **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, offline=True, **options
        )
        contexts.append(context)
        made = Visit(context.new_page())
        made.page.on("console", lambda message: made.messages.append(message.text))
        made.page.on("pageerror", lambda error: made.messages.append(str(error)))
        made.page.on("request", lambda request: _note(request.url, path.parent, made.outside))
        made.page.goto(f"{path.as_uri()}{anchor}")
        if options.get("java_script_enabled", True):
            made.page.wait_for_selector(READY, timeout=30_000)
        return made

    yield open_page
    for context in contexts:
        context.close()


def _note(url: str, folder: Path, outside: list[str]) -> None:
    if not url.startswith((folder.as_uri(), "data:", "blob:")):
        outside.append(url)


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "clinics", "scores", "safety", "quality", "definitions"])
def test_opens_from_disk_without_a_word(visit: Any, network_site: Path, name: str, theme: str) -> None:
    made = visit(network_site / f"{name}.html", theme=theme)
    page = made.page
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    charts = page.locator("[data-plot]").count()
    assert page.locator("[data-plot] svg.main-svg").count() >= charts
    assert page.locator(".modebar").count() == 0
    made.assert_clean()


@pytest.mark.parametrize("site", ["trial_site", "empty_site", "hostile_site"])
def test_unusual_sites_open_too(visit: Any, site: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(site)
    for path in sorted(folder.glob("*.html")):
        made = visit(path)
        assert made.page.locator("h1").count() == 1
        assert made.page.locator("script:not([src])").count() == 0
        made.assert_clean()


def test_hostile_names_are_shown_as_text(visit: Any, hostile_site: Path) -> None:
    made = visit(hostile_site / "index.html")
    page = made.page
    page.locator("[data-filter=clinic]").select_option(label="<script>alert(1)</script>\"'&=cmd|\ufffdkcab")
    assert "<script>alert(1)</script>" in text(page, "[data-slot='lead.rest']")
    ticks = page.evaluate("[...document.querySelectorAll('[data-plot=clinics] .ytick text')].map(t => t.textContent)")
    assert any("<script>alert(1)</script>" in tick for tick in ticks)
    assert page.locator("[data-plot] a").count() == 0
    with page.expect_download() as download:
        page.locator("[data-csv=clinics]").click()
    saved = download.value.path().read_text(encoding="utf-8-sig")
    assert '"<script>alert(1)</script>""\'&=cmd' in saved
    made.assert_clean()


@pytest.mark.parametrize("name", ["index", "clinics", "scores", "safety", "quality", "definitions"])
def test_never_scrolls_sideways(visit: Any, network_site: Path, name: str) -> None:
    page = visit(network_site / f"{name}.html", width=390).page
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    for width in (390, 320, 768, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


def test_a_choice_changes_numbers_tables_figures_and_address(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "index.html")
    page = made.page
    states = payload(network_site / "data" / "index.js")["states"]
    marks = "document.querySelector('[data-plot=conditions]').data[2].x"
    before = page.evaluate(marks)
    assert page.locator("[data-when=network]:visible").count() == 0
    page.locator("[data-filter=clinic]").select_option(label="Northgate")
    page.locator("[data-filter=care]").focus()
    page.locator("[data-filter=care]").select_option(label="With dry needling")
    assert page.evaluate("location.hash") == "#clinic=Northgate&care=dry_needling"
    state = states["7|1"]
    assert text(page, "[data-slot='lead.strong']") == state["text"]["lead.strong"]
    assert "not assigned to treatments at random" in text(page, "[data-slot='notice.care']")
    rows = page.locator("tbody[data-table=conditions] tr")
    shown = [rows.nth(i).locator("td").first.text_content() for i in range(rows.count())]
    assert shown == [f"{row[1]:,}" if isinstance(row[1], int) else row[1] for row in state["rows"]["conditions"]]
    assert page.evaluate(marks) != before
    assert page.locator("[data-when=network]:visible").count() == 2
    assert page.evaluate("document.activeElement.dataset.filter") == "care", "focus stays where the reader is"
    assert state["text"]["lead.strong"] in text(page, "[role=status]")
    made.assert_clean()


def test_another_comparison_is_chosen_and_all_rows_are_there(visit: Any, network_site: Path) -> None:
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


def test_a_clinic_is_marked_in_every_chart(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "clinics.html")
    page = made.page
    chosen = "document.querySelector('[data-plot=funnel]').data[8].text"
    bands = [f"document.querySelector('[data-plot={card}]').layout.shapes[0].y1" for card in ("told", "adjusted")]
    assert page.evaluate(chosen) == []
    assert [page.evaluate(band) for band in bands] == [-0.5, -0.5]
    page.locator("[data-filter=clinic]").select_option(label="Harbour")
    assert page.evaluate(chosen) == ["Harbour"]
    assert [page.evaluate(band) for band in bands] == [1.5, 1.5]
    assert text(page, "[data-slot='lead.strong']").startswith("Harbour is ")
    assert "Harbour is " in text(page, "[role=status]")
    assert page.locator("[data-when=network]:visible").count() == 1
    page.locator("[data-filter=condition]").select_option(label="Low back pain")
    assert page.evaluate("location.hash") == "#clinic=Harbour&condition=low_back_pain"
    assert page.locator("[data-plot=model]").is_visible()
    page.locator("[data-filter=condition]").select_option(label="All conditions")
    assert page.locator("[data-plot=model]").is_hidden()
    assert page.locator("[data-png=model]").is_hidden(), "there is no picture of no chart"
    assert page.locator("[data-csv=model]").is_visible()
    assert "choose one" in text(page, "[data-slot='model.none']")
    page.locator("[data-do=reset]").click()
    assert page.evaluate(chosen) == []
    assert page.locator("[data-when=network]:visible").count() == 0
    made.assert_clean()


def test_a_clinic_can_be_linked_to_from_its_address(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "clinics.html", anchor="#clinic=Northgate&condition=neck_pain")
    page = made.page
    assert text(page, "[data-slot='lead.strong']") == "Northgate is above the range expected"
    rows = page.locator("tbody[data-table=funnel] tr")
    assert rows.count() == 12
    page.emulate_media(media="print")
    assert page.locator(".print-scope").inner_text() == "Clinic: Northgate; Condition: Neck pain"
    made.assert_clean()


def test_address_restores_the_choice_and_reset_forgets_it(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "index.html", anchor="#clinic=Station+Road&care=nonsense")
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


def test_engine_and_python_write_the_same_default(visit: Any, network_site: Path) -> None:
    for name in ("index", "scores"):
        plain = visit(network_site / f"{name}.html", java_script_enabled=False).page
        live = visit(network_site / f"{name}.html").page
        for selector in ("tbody", "[data-slot]"):
            read = [page.locator(selector).all_text_contents() for page in (plain, live)]
            assert read[0] == read[1]


def test_clinics_say_the_same_without_the_engine(visit: Any, network_site: Path) -> None:
    plain = visit(network_site / "clinics.html", java_script_enabled=False).page
    live = visit(network_site / "clinics.html").page
    said = [page.locator("[data-slot]").all_text_contents() for page in (plain, live)]
    assert said[0] == said[1]
    first = [page.locator("tbody[data-table=funnel] tr").first.inner_html() for page in (plain, live)]
    assert first[0] == first[1]


def test_without_javascript_the_numbers_stand(visit: Any, network_site: Path) -> None:
    page = visit(network_site / "index.html", java_script_enabled=False).page
    assert re.match(r"\d+% of episodes", text(page, ".lead"))
    assert page.locator("noscript .notice").count() == 1
    assert page.locator(".filters").is_hidden()
    assert page.locator("text=Show the numbers").count() == 5


def test_checks_are_narrowed_by_table_and_result(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "quality.html")
    page = made.page
    rows = payload(network_site / "data" / "quality.js")["rows"]["checks"]
    lines = page.locator("tbody[data-table=checks] tr:not(.group)")
    assert lines.count() == len(rows)
    page.locator("[data-filter=table]").select_option(label="Visit")
    assert lines.count() == sum(row[0] == "Visit" for row in rows)
    page.locator("[data-filter=result]").select_option(label="Needs attention")
    page.locator("[data-filter=table]").select_option(label="All tables")
    assert lines.count() == sum(row[2] in ("warn", "fail", "error") for row in rows)
    assert page.evaluate("location.hash") == "#result=attention"
    made.assert_clean()


def test_theme_can_be_chosen_and_is_kept(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "index.html")
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


def test_everything_is_reached_by_keyboard_in_order(visit: Any, network_site: Path) -> None:
    page = visit(network_site / "index.html").page
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(() => { const e = document.activeElement; return e.dataset.do || e.dataset.filter || e.dataset.csv"
                " || e.dataset.png || e.className || e.tagName.toLowerCase(); })()"
            )
        )
    assert reached[0] == "skip"
    order = ["theme", "print", "clinic", "care", "reset", "link", "summary", "conditions", "curve", "variants"]
    places = [reached.index(name) for name in order]
    assert places == sorted(places)
    page.keyboard.press("Home")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_downloads_carry_their_scope(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "index.html", anchor="#clinic=Northgate")
    page = made.page
    with page.expect_download() as download:
        page.locator("[data-csv=conditions]").click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# ")
    lines = content.decode("utf-8-sig").splitlines()
    assert lines[1] == "# Clinic: Northgate; Care received: Any care"
    assert lines[2] == "# Data to 31 October 2026; groups of fewer than 11 are not shown"
    assert lines[3].startswith("Condition,Known outcomes,Recovered,Rate (%)")
    assert len(lines) == 4 + 10
    with page.expect_download() as download:
        page.locator("[data-png=conditions]").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert download.value.suggested_filename == "index-conditions.png"
    made.assert_clean()


def test_print_is_light_and_says_what_was_chosen(visit: Any, network_site: Path) -> None:
    page = visit(network_site / "index.html", theme="dark", anchor="#clinic=Northgate").page
    page.emulate_media(media="print")
    assert page.locator(".print-scope").inner_text() == "Clinic: Northgate; Care received: Any care"
    assert page.locator(".filters").is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()") == "#1B2430"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelector('[data-plot=conditions]').data[2].marker.color") == "#0072B2"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelector('[data-plot=conditions]').data[2].marker.color") == "#56B4E9"


def test_a_missing_chart_library_is_said_and_numbers_stay(visit: Any, network_site: Path, tmp_path: Path) -> None:
    shutil.copytree(network_site, tmp_path / "site")
    next((tmp_path / "site" / "assets").glob("plotly-*")).unlink()
    context = visit(network_site / "definitions.html").page.context
    page = context.new_page()
    page.goto((tmp_path / "site" / "index.html").as_uri())
    page.wait_for_selector("text=The chart library could not be loaded")
    assert "% of episodes" in text(page, ".lead")


def test_numbers_come_before_charts(visit: Any, network_site: Path) -> None:
    page = visit(network_site / "index.html").page
    marks = page.evaluate("Object.fromEntries(performance.getEntriesByType('mark').map(m => [m.name, m.startTime]))")
    assert marks["numbers"] < marks["charts"]


@pytest.mark.parametrize(
    ("name", "anchor"),
    [
        *(("index", ""), ("index", "#clinic=Northgate"), ("clinics", ""), ("clinics", "#clinic=Northgate")),
        *(("scores", ""), ("safety", ""), ("quality", "")),
    ],
)
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_charts_load(visit: Any, network_site: Path, name: str, anchor: str, width: int) -> None:
    page = visit(network_site / f"{name}.html", width=width, anchor=anchor).page
    assert page.evaluate(LAYOUT_SHIFT) <= 0.02
    page.wait_for_timeout(300)
    page.evaluate("document.querySelector('main').prepend(Object.assign(new Image(), {width: 300, height: 300}))")
    page.wait_for_timeout(200)
    assert page.evaluate(LAYOUT_SHIFT) > 0.02, "the probe sees a shift when there is one"


def test_page_appears_even_if_the_engine_does_not(visit: Any, network_site: Path, tmp_path: Path) -> None:
    shutil.copytree(network_site, tmp_path / "site")
    (tmp_path / "site" / "assets" / "app.js").unlink()
    page = visit(network_site / "definitions.html").page.context.new_page()
    page.goto(f"{(tmp_path / 'site' / 'index.html').as_uri()}#clinic=Northgate")
    page.locator("main").wait_for(state="visible")
    assert "% of episodes" in text(page, ".lead")


def test_the_policy_stops_and_reports_a_request(visit: Any, network_site: Path) -> None:
    made = visit(network_site / "index.html")
    outcome = made.page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'stopped')")
    assert outcome == "stopped"
    assert any("Content Security Policy" in message for message in made.messages)
