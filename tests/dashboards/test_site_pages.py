"""What is written: valid, accessible, walled in, honest pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

from assets.contract import CONTRACT
from dashboards.pages.frame import NO_DATA, PAGES, POLICY
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [name for name, _ in PAGES]
SITES = ("network_site", "trial_site", "empty_site")
VOID = {"meta", "link", "br", "i", "input", "hr", "img"}
RANKINGS = re.compile(r"\b(most often|least often|(best|worst) (clinic|condition|arm)s?|league)\b", re.IGNORECASE)


class Outline(HTMLParser):
    """Elements of a page, with a check that they are nested properly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID - {"i"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(params=[(site, name) for site in SITES for name in NAMES], ids="-".join)
def page(request: pytest.FixtureRequest) -> tuple[Path, str]:
    site, name = request.param
    folder: Path = request.getfixturevalue(site)
    return folder, (folder / f"{name}.html").read_text(encoding="utf-8")


def test_structure(page: tuple[Path, str]) -> None:
    outline = Outline(page[1])
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("h1")) == 1
    assert len(outline.all("main")) == 1
    assert len(outline.all("title")) == 1
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(ids)


def test_names_for_controls_tables_and_charts(page: tuple[Path, str]) -> None:
    outline = Outline(page[1])
    ids = {attributes.get("id") for _, attributes in outline.elements}
    labelled = {attributes.get("for") for attributes in outline.all("label")}
    assert all(attributes["id"] in labelled for attributes in outline.all("select"))
    assert len(outline.all("caption")) == len(outline.all("table"))
    assert all("scope" in attributes for attributes in outline.all("th"))
    for _, attributes in outline.elements:
        if "data-plot" in attributes:
            assert "js-only" in (attributes["class"] or ""), "the engine draws charts, and gives them their names"
        elif attributes.get("role") in ("img", "region"):
            assert attributes.get("aria-label")
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if attributes.get("role") == "region":
            assert attributes.get("tabindex") == "0", "a region that scrolls must be reachable by keyboard"


def test_links_lead_somewhere(page: tuple[Path, str]) -> None:
    folder, text = page
    for attributes in Outline(text).all("a"):
        path, _, anchor = (attributes["href"] or "").partition("#")
        target = (folder / path).read_text(encoding="utf-8") if path else text
        if "=" in anchor:
            filters = {item["id"]: item["values"] for item in payload(folder / "data" / f"{path[:-5]}.js")["filters"]}
            for name, value in parse_qsl(anchor, strict_parsing=True):
                assert value in [known for known, *_ in filters[name]], "a link chooses what can be chosen"
        else:
            assert not anchor or f'id="{anchor}"' in target


def test_walls(page: tuple[Path, str]) -> None:
    _, text = page
    outline = Outline(text)
    metas = outline.all("meta")
    assert [item["content"] for item in metas if item.get("http-equiv") == "Content-Security-Policy"] == [POLICY]
    assert {"name": "referrer", "content": "no-referrer"} in metas
    assert {"rel": "icon", "href": "data:,"} in outline.all("link")
    assert "unsafe-eval" not in POLICY
    for _, attributes in outline.elements:
        assert not any(name.startswith("on") for name in attributes), "listeners live in app.js"
        for name in ("src", "href", "action"):
            assert not re.match(r"(https?:)?//", attributes.get(name) or "")
    assert all("src" in script for script in outline.all("script"))


def test_no_ranking(page: tuple[Path, str]) -> None:
    assert not RANKINGS.search(" ".join(Outline(page[1]).words))


@pytest.mark.parametrize("site", SITES)
def test_no_ranking_in_any_selection(site: str, request: pytest.FixtureRequest) -> None:
    for path in (request.getfixturevalue(site) / "data").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for measure in CONTRACT.measures:
            text = text.replace(measure.label, "")
        assert not RANKINGS.search(text)


def test_empty_pages_say_what_to_do(empty_site: Path) -> None:
    for name in ("index", "recovery", "scores", "safety", "quality"):
        assert NO_DATA in (empty_site / f"{name}.html").read_text(encoding="utf-8")
    assert "Wilson" in (empty_site / "definitions.html").read_text(encoding="utf-8")


def test_recovery_reads_without_javascript(network_site: Path) -> None:
    words = " ".join(Outline((network_site / "recovery.html").read_text(encoding="utf-8")).words)
    assert re.search(r"\d+% of episodes of care ended in recovery", words)
    assert re.search(r"Outcomes are known for \d+% of about [\d,]+ closed episodes", words)
    assert "need JavaScript" in words
    assert "Simulated data" in words
    assert "Data to 31 October 2026" in words


def test_order_is_fixed(network_site: Path) -> None:
    made = payload(network_site / "data" / "recovery.js")
    rows = {name: rows for part in made["parts"] for name, rows in part["states"].get("0", {}).get("rows", {}).items()}
    rows |= next(
        iter(part["states"]["0|0|0"]["rows"] for part in made["parts"] if part["by"][1:] == ["period", "care"])
    )
    labels = [item.label for item in CONTRACT.conditions]
    assert [row[0][1] for row in rows["conditions"][:-1]] == labels
    clinics = [row[0][1] for row in rows["funnel"]]
    assert clinics == sorted(clinics)


def test_a_trial_shows_its_arms_and_no_chart_of_nothing(trial_site: Path) -> None:
    text = (trial_site / "recovery.html").read_text(encoding="utf-8")
    assert "How do scores change, by arm?" in text
    assert "Usual care" in text
    assert "Arm of the trial" in text
    assert 'data-plot="conditions"' not in text
    assert "not assigned to treatments at random" not in text


def test_definitions_come_from_the_contract(network_site: Path) -> None:
    text = (network_site / "definitions.html").read_text(encoding="utf-8")
    for item in CONTRACT.definitions:
        assert f'id="{item.definition_id}"' in text
    for measure in CONTRACT.measures:
        assert f'<tr id="{measure.measure_id}">' in text
    for condition in CONTRACT.conditions:
        assert f'<tr id="{condition.condition_id}">' in text


def test_conservation_adds_up_on_the_page(network_site: Path) -> None:
    text = (network_site / "quality.html").read_text(encoding="utf-8")
    table = text[text.index('data-table="conservation"') :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</tbody>")])
    assert rows
    for row in rows:
        _out_of_scope, total, *parts = (int(number.replace(",", "")) for number in re.findall(r"<td>([\d,]+)<", row))
        assert total == sum(parts)
        assert "✓ Exact" in row
