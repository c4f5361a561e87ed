"""The page about two releases: what it says, and how it looks to a browser."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from dashboards.pages.release_diff import CAUSES, MEANINGS, DiffMeta, amount, lead, page, row_words
from dashboards.words import DASH, MINUS
from tests.dashboards.chromium import Visit
from tests.dashboards.test_bars import axe

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

META = DiffMeta("aaaaaaaaaaaa", "bbbbbbbbbbbb", [("Deliveries", "4", "8")], ["A note."], "recovered_v1", 50)
NUMBER = pl.Decimal(38, 9)
HEADLINE = '{"condition_id":"neck_pain","clinic_key":null,"care":"any","period":"all","definition_id":"recovered_v1"}'


def number(row: str = HEADLINE, **said: Any) -> dict[str, Any]:
    parts = dict.fromkeys((*CAUSES, "moved", "rules_on_old", "rules_on_new", "interaction"), Decimal(0))
    known = {"table_name": "recovery_by_condition", "row": row, "column": "rate", "cause": "code"}
    ends = {"before": Decimal("0.5"), "after": Decimal("0.61"), "shown_before": "number", "shown_after": "number"}
    return known | parts | ends | said


def numbers(*rows: dict[str, Any]) -> pl.DataFrame:
    texts = ("table_name", "row", "column", "cause", "shown_before", "shown_after")
    schema = {name: pl.String() if name in texts else NUMBER for name in number()}
    return pl.DataFrame(rows, schema=schema)


class Cells(HTMLParser):
    """Texts of the cells of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.tags.append(tag)
        self.inside = tag in ("td", "th", "summary", "p", "li")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts.append(data)


def cells(*rows: dict[str, Any]) -> Cells:
    found = Cells()
    found.feed(page(numbers(*rows), META))
    return found


def test_a_number_stands_with_its_parts() -> None:
    found = cells(number(moved=Decimal("0.11"), code=Decimal("0.1"), printing=Decimal("0.01")))
    line = found.texts[found.texts.index("Neck pain") :][:11]
    assert line == ["Neck pain", "Rate", "0.5", "0.61", "+0.11", "0", "0", "0", "0", "+0.1", "+0.01"]
    assert "A note." in found.texts


def test_a_hidden_number_is_said_to_be_hidden() -> None:
    found = cells(number(after=None, moved=None, printing=None, shown_after="hidden"))
    assert found.texts[found.texts.index("Neck pain") :][2:5] == ["0.5", "hidden", DASH]


def test_only_numbers_of_all_are_headlines() -> None:
    of_clinic = HEADLINE.replace('"clinic_key":null', '"clinic_key":"Station_Road"')
    assert "Neck pain" not in cells(number(of_clinic)).texts
    assert "Neck pain" not in cells(number(HEADLINE.replace("recovered_v1", "pain_2"))).texts


def test_a_row_in_words() -> None:
    row = '{"condition_id":"neck_pain","clinic_key":"Station_Road","care":null,"from_day":28}'
    assert row_words(row) == "condition neck pain, clinic Station_Road, from day 28"
    assert row_words('{"clinic_key":null}') == "all"


@pytest.mark.parametrize(
    ("value", "is_change", "text"),
    [
        (Decimal("0.123460000"), True, "+0.1235"),
        (Decimal("-12000.500000000"), True, f"{MINUS}12,000.5"),
        (Decimal("0.000010000"), True, "0"),
        (Decimal("100.000000000"), False, "100"),
        (None, True, DASH),
    ],
)
def test_amounts(value: Decimal | None, is_change: bool, text: str) -> None:  # noqa: FBT001
    assert amount(value, is_change=is_change) == text


def test_the_lead_names_what_moved_most() -> None:
    found = numbers(number(cause="code"), number(cause="new_period"), number(cause="new_period"))
    assert lead(found, META) == "3 of 50 published numbers moved; 2 of them mostly by this: new period."
    assert lead(numbers(), META) == "0 of 50 published numbers moved."


def test_every_part_is_explained() -> None:
    assert [cause for cause, _ in MEANINGS] == list(CAUSES)


def test_names_from_data_are_escaped_and_there_is_no_script() -> None:
    text = page(numbers(number(HEADLINE.replace("neck_pain", "<script>alert(1)</script>"))), META)
    assert "<script" not in text
    assert "default-src 'none'" in text.replace("&#x27;", "'")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_browser_shows_it(browser: Browser, tmp_path: Path, width: int, theme: Any) -> None:
    path = tmp_path / "index.html"
    path.write_text(page(numbers(number(), number('{"clinic_key":"Harbour"}', cause="new_period")), META))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, offline=True)
    opened = Visit(context.new_page())
    opened.page.on("console", lambda message: opened.messages.append(message.text))
    opened.page.goto(path.as_uri())
    opened.page.locator("summary").click()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert axe(opened) == []
    opened.assert_clean()
    context.close()
