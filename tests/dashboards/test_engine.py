"""The page engine: it joins parts, loads what is asked for, drills, explains numbers, and says what it cannot do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dashboards.scripts import lean
from tests.dashboards import engine_site
from tests.dashboards.chromium import READY, text

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from dashboards.site import SiteMeta
    from tests.dashboards.chromium import Visitor

STATIC = Path(__file__).resolve().parents[2] / "dashboards" / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
MOST_LINES = 600
UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|fetch\(|XMLHttp|sendBeacon|\bon\w+="
)
PRESSED = "[data-table=rates] [aria-pressed=true]"
FOCUSED = "document.activeElement.dataset.value ?? document.activeElement.dataset.passport ?? document.activeElement.id"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, meta: SiteMeta) -> Path:
    folder = tmp_path_factory.mktemp("engine")
    engine_site.write(folder, meta)
    return folder / "recovery.html"


def lead(page: Page) -> str:
    return text(page, "[data-slot=lead]")


def status(page: Page) -> str:
    return page.locator("[role=status]").text_content() or ""


def shown(page: Page, words: str) -> None:
    page.locator("[data-slot=lead]", has_text=words).wait_for()


# ---- the source ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_valid_small_and_tame(script: Path, tmp_path: Path) -> None:
    source = script.read_text(encoding="utf-8")
    assert source.startswith('"use strict";\n')
    assert len(source.splitlines()) <= MOST_LINES
    assert not UNSAFE.search(source)
    assert not re.search(r"[;{,] *//", source), "a lean script has no place for a comment behind code"
    assert max(map(len, source.splitlines())) <= 120
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node to check the syntax; the browser tests still run the script")
    for name, content in (("whole.js", source), ("lean.js", lean(source))):
        (tmp_path / name).write_text(content, encoding="utf-8")
        subprocess.run([node, "--check", str(tmp_path / name)], check=True)  # noqa: S603


def test_a_lean_script_says_the_same_in_fewer_letters() -> None:
    script = '"use strict";\n/*\n * What it is.\n */\n  // why\n  const a = "//" + /* b */ 1;\n\n  /** One. */\n  (a)\n'
    assert lean(script) == '"use strict";const a = "//" + /* b */ 1;(a)\n'


# ---- parts -----------------------------------------------------------------------------------------------------------

browser_test = pytest.mark.browser


@browser_test
def test_parts_of_a_selection_are_joined(visit: Visitor, site: Path) -> None:
    made = visit(site)
    page = made.page
    value = "document.querySelector('[data-plot=rates]').data[1].x[0]"
    before = page.evaluate(value)
    assert (lead(page), page.locator(".extra").is_visible()) == ("All clinics: All conditions.", False)
    page.locator("#f-clinic").select_option(label="Harbour")
    assert lead(page) == "Harbour: All conditions."
    assert page.evaluate(value) == before, "a chart that does not depend on the clinic stays"
    assert page.locator(".tile.alert").count() == 1
    page.locator("#f-condition").select_option(label="Neck pain")
    assert lead(page) == "Harbour: Neck pain."
    assert page.evaluate(value) == before + 1
    assert page.locator(".extra").is_visible()
    assert text(page, "[data-slot=fixed]") == "Written once.", "what no part fills is left alone"
    assert status(page) == "Harbour: Neck pain."
    assert page.evaluate("location.hash") == "#clinic=a&condition=neck"
    page.locator("[data-do=reset]").click()
    assert lead(page) == "All clinics: All conditions."
    assert page.locator(".tile.alert").count() == 0
    assert page.evaluate("location.hash") == ""
    made.assert_clean()


@browser_test
def test_a_part_is_loaded_when_it_is_chosen(visit: Visitor, site: Path) -> None:
    made = visit(site)
    page = made.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    # Several files on their way: what is loading must be said before it is there.
    heard = page.evaluate(
        """() => new Promise((resolve) => {
          const line = document.querySelector("[role=status]");
          const heard = [];
          new MutationObserver(() => {
            heard.push([line.textContent, document.querySelector("main").getAttribute("aria-busy")]);
            if (heard.length > 1) resolve(heard);
          }).observe(line, { childList: true });
          const select = document.querySelector("#f-clinic");
          select.value = "2";
          select.dispatchEvent(new Event("change"));
        })"""
    )
    assert heard == [["Loading the numbers of Northgate.", "true"], ["Northgate: All conditions.", None]]
    assert lead(page) == "Northgate: All conditions."
    page.locator("#f-condition").select_option(label="Neck pain")
    page.locator("#f-clinic").select_option(label="All clinics")
    page.locator("#f-clinic").select_option(label="Northgate")
    shown(page, "Northgate: Neck pain.")
    assert asked == ["recovery-b.js"], "loaded once"
    page.reload()
    page.wait_for_selector(READY)
    assert lead(page) == "Northgate: Neck pain."
    made.assert_clean()


@browser_test
def test_a_part_that_does_not_come_is_said_and_the_shown_selection_stays(visit: Visitor, site: Path) -> None:
    page = visit(site, anchor="#clinic=a").page
    page.locator("#f-clinic").select_option(label="Riverside")
    line = page.locator("[role=status]", has_text="The numbers of Riverside could not be loaded. Still shown: Harbour.")
    line.wait_for()
    assert line.is_visible()
    assert lead(page) == "Harbour: All conditions."
    assert page.locator("#f-clinic").input_value() == "1"
    assert page.evaluate("location.hash") == "#clinic=a"
    page.locator("#f-condition").select_option(label="Neck pain")
    assert "visually-hidden" in (page.locator("[role=status]").get_attribute("class") or "")
    page = visit(site, anchor="#clinic=c").page
    assert lead(page) == "All clinics: All conditions."
    assert "could not be loaded. Still shown: All clinics." in status(page)


@browser_test
def test_a_later_choice_overtakes_a_slow_part(visit: Visitor, site: Path) -> None:
    page = visit(site).page
    page.evaluate(
        """() => {
          const select = document.querySelector("#f-clinic");
          for (const place of ["2", "1"]) {
            select.value = place;
            select.dispatchEvent(new Event("change"));
          }
        }"""
    )
    page.locator("main:not([aria-busy])").wait_for()
    assert lead(page) == "Harbour: All conditions."
    assert page.evaluate("location.hash") == "#clinic=a"


# ---- address ---------------------------------------------------------------------------------------------------------


@browser_test
def test_address_is_read_written_and_a_place_on_the_page_is_no_selection(visit: Visitor, site: Path) -> None:
    made = visit(site, anchor="#clinic=a&condition=unheard&colour=blue")
    page = made.page
    assert lead(page) == "Harbour: All conditions."
    page.evaluate("location.hash = 'condition=back'")
    shown(page, "All clinics: Low back pain.")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.wait_for_timeout(200)
    assert page.evaluate("location.hash") == "#condition=back"
    assert lead(page) == "All clinics: Low back pain."
    made.assert_clean()


@browser_test
def test_copy_link_copies_or_shows_the_address(visit: Visitor, site: Path) -> None:
    page = visit(site, anchor="#clinic=a").page
    asked: list[str] = []

    def answer(dialog: object) -> None:
        asked.append(dialog.default_value)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", answer)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.locator("[data-do=link]").click()
    page.wait_for_timeout(200)
    assert asked == [f"{site.as_uri()}#clinic=a"]
    page.evaluate("() => { navigator.clipboard.writeText = async (words) => { window.copied = words; }; }")
    page.locator("[data-do=link]").click()
    page.locator("text=Link copied").wait_for()
    assert page.evaluate("copied") == f"{site.as_uri()}#clinic=a"
    assert len(asked) == 1


# ---- drill -----------------------------------------------------------------------------------------------------------


@browser_test
def test_a_row_is_drilled_by_keyboard_and_again_to_leave(visit: Visitor, site: Path) -> None:
    made = visit(site)
    page = made.page
    page.locator("summary", has_text="Show the numbers").focus()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "neck"
    page.keyboard.press("Enter")
    shown(page, "All clinics: Neck pain.")
    assert page.evaluate(FOCUSED) == "neck", "focus is on the same row"
    assert page.locator(PRESSED).all_text_contents() == ["Neck pain"]
    assert page.locator("#f-condition").input_value() == "1"
    page.keyboard.press("Enter")
    shown(page, "All clinics: All conditions.")
    assert page.evaluate(FOCUSED) == "neck"
    assert page.locator(PRESSED).count() == 0
    page.locator("[data-table=side] [data-value=b]").press("Enter")
    shown(page, "Northgate: All conditions.")
    assert page.evaluate(FOCUSED) == "b", "also when the numbers had to be loaded"
    assert page.locator("[data-table=rates] tr").first.locator("button").count() == 0, "plain text is no button"
    made.assert_clean()


@browser_test
def test_a_mark_is_drilled_by_a_click(visit: Visitor, site: Path) -> None:
    made = visit(site)
    page = made.page
    for words in ("All clinics: Neck pain.", "All clinics: All conditions."):
        mark = page.locator("[data-plot=rates] .scatterlayer .point").nth(1)
        box = mark.bounding_box()
        assert box
        page.mouse.move(0, 0)
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        shown(page, words)
    made.assert_clean()


# ---- passport --------------------------------------------------------------------------------------------------------


@browser_test
@pytest.mark.parametrize("leave", ["Escape", "Close"])
def test_a_number_says_where_it_comes_from(visit: Visitor, site: Path, leave: str) -> None:
    made = visit(site, anchor="#clinic=a")
    page = made.page
    page.locator(".tile [data-passport]").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Where this number comes from")
    panel.get_by_text("sql/marts/episode_outcome.sql").wait_for()
    said = panel.inner_text()
    assert "Recovered: 60%" in said
    assert "Clinic: Harbour; Condition: All conditions" in said
    assert re.search(r"Closed episodes\s+200\s+Known outcomes\s+100", said)
    assert re.search(r"P-01: Pain score is 0 to 10\s+! Warning", said)
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    if leave == "Escape":
        page.keyboard.press("Escape")
    else:
        panel.get_by_role("button", name="Close").click()
    panel.wait_for(state="detached")
    assert page.evaluate(FOCUSED) == engine_site.PASSPORT
    page.locator(".card [data-passport]").click()
    assert "Which conditions recover?" in panel.inner_text()
    made.assert_clean()


@browser_test
def test_a_passport_that_cannot_be_had_is_said(visit: Visitor, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site.parent, tmp_path / "site")
    (tmp_path / "site" / "data" / "passports.js").unlink()
    page = visit(tmp_path / "site" / site.name).page
    page.locator(".tile [data-passport]").click()
    page.get_by_text("The passport of this number could not be loaded.").wait_for()
    shutil.copy(site.parent / "data" / "passports.js", tmp_path / "site" / "data")
    page.keyboard.press("Escape")
    page.locator(".tile [data-passport]").click()
    page.get_by_text("recovered_v1, version 1").wait_for()


@browser_test
def test_a_mark_that_leads_nowhere_shows_its_passport(visit: Visitor, site: Path) -> None:
    page = visit(site).page
    page.evaluate("delete document.querySelector('[data-plot=rates]').data[1].meta")
    box = page.locator("[data-plot=rates] .scatterlayer .point").nth(1).bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text("recovered_v1, version 1").wait_for()


# ---- downloads, paper, long names ------------------------------------------------------------------------------------


@browser_test
def test_a_download_says_its_question_scope_and_rules(visit: Visitor, site: Path) -> None:
    made = visit(site, anchor="#clinic=a")
    with made.page.expect_download() as download:
        made.page.locator("[data-csv=rates]").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines == [
        "# Which conditions recover?",
        "# Clinic: Harbour; Condition: All conditions",
        "# Data to 31 October 2026; counts rounded to 5; groups under 11 not shown",
        "Condition,Episodes,Rate (%),Note",
        "All conditions,500,55,'=cmd()",
        "Neck pain,250,61,as is",
        f"Low back pain,hidden,,{engine_site.LONG}",
    ]
    made.assert_clean()


@browser_test
def test_paper_says_what_was_chosen_and_where(visit: Visitor, site: Path) -> None:
    page = visit(site, theme="dark", anchor="#clinic=a").page
    page.emulate_media(media="print")
    scope = page.locator(".print-scope").inner_text()
    assert scope == f"Clinic: Harbour; Condition: All conditions\n{site.as_uri()}#clinic=a"
    for selector in (".filters", ".passport", ".tools", "figcaption"):
        assert page.locator(f"{selector}:visible").count() == 0, selector
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 36, 48)"


@browser_test
def test_long_names_break_nothing(visit: Visitor, site: Path) -> None:
    page = visit(site).page
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    for width in (320, 390, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(250)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
        assert page.evaluate("document.querySelector('[data-table=rates]').scrollWidth") < 2_000
    ticks = page.locator("[data-plot=rates] .ytick text").all_text_contents()
    assert any(tick.endswith("…") for tick in ticks)
    room = page.evaluate("Number(document.querySelector('[data-plot=rates] .nsewdrag').getAttribute('width'))")
    assert room > 400, "the marks keep their room"
