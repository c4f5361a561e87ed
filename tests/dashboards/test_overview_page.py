"""Overview: every number is one that was published, hidden ones are words, and drawings tell no more than the cells."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.wording import causal_claims
from dashboards import clinic_words as say
from dashboards.figures.sparkline import interval_svg, months_svg
from dashboards.pages import overview
from dashboards.pages.frame import NO_DATA, document
from dashboards.published import Published
from tests.dashboards import clinic_frames, sample_frames
from tests.dashboards.clinic_frames import ABOVE, BELOW, INCOMPLETE, TINY

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta

Frames = dict[str, pl.DataFrame]
DEFAULT = CONTRACT.default_definition.definition_id
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Reader(HTMLParser):
    """Rows of cells by table, links, and drawings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.links: dict[str, str] = {}
        self.paths: list[str] = []
        self._href = ""
        self._is_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
            self._is_cell = True
        elif tag == "path":
            self.paths.append(found["d"])
        self._href = found["href"] if tag == "a" else self._href

    def handle_endtag(self, tag: str) -> None:
        self._href = "" if tag == "a" else self._href
        self._is_cell = self._is_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self._href:
            self.links[data] = self._href
        if self._is_cell:
            self.tables[-1][-1][-1] += data


def made(frames: Frames, meta: SiteMeta) -> str:
    return overview.build(Published(frames, CONTRACT), meta).body


def rows_of(html: str, table: int) -> dict[str, list[str]]:
    """Cells of a table by the name in their first one."""
    head, *rows = Reader(html).tables[table]
    assert all(len(row) == len(head) for row in rows)
    return {re.sub(r" about .*", "", row[0]): row for row in rows}


@pytest.fixture(scope="module")
def frames() -> Frames:
    return sample_frames.network()


@pytest.fixture(scope="module")
def html(frames: Frames, meta: SiteMeta) -> str:
    return made(frames, meta)


# ---- drawings ----------------------------------------------------------------------------------


def test_coordinates_are_the_percents_that_are_printed(html: str) -> None:
    drawn = [float(number) for path in Reader(html).paths for number in NUMBER.findall(path)]
    assert len(drawn) > 300
    assert all(number == int(number) for number in drawn), "no more precision than the cells"
    svg = interval_svg(64, 60, 68, 58)
    assert Reader(svg).paths == ["M58 3V19", "M60 11H68", "M64 11h0"]
    assert Reader(interval_svg(64, None, None, None)).paths == ["M64 11h0"]
    assert 'aria-hidden="true"' in svg


def point(value: float | None, point_class: str = "common_cause", limits: tuple[float, float] = (0.4, 0.8)) -> Any:
    lower, upper = limits if value is not None else (None, None)
    return {"value": value, "lower": lower, "upper": upper, "point_class": point_class}


def test_months_are_drawn_with_their_gaps_limits_and_signals() -> None:
    periods = [f"2026-{month:02d}" for month in range(1, 7)]
    rows = {
        "2025-01": point(0.1),
        "2026-01": point(0.614),
        "2026-02": point(0.5, "concern"),
        "2026-03": point(None),
        "2026-04": point(0.85, "better"),
        "2026-06": point(0.7),
    }
    svg = months_svg(rows, periods)
    band, line, up, down = Reader(svg).paths
    assert line == "M0 39l1 11M3 15h0M5 30h0", "height is 100 less the percent; nothing is drawn across a gap"
    assert band == "M0 20l1 0l0 40l-1 0zM3 20l0 40zM5 20l0 40z"
    assert (up, down) == ("M3 15h0", "M1 50h0")
    assert 'viewBox="0 15 5 45"' in svg, "a month outside the last ones is left out"
    flat = months_svg({"2026-01": point(0.5, limits=(0.5, 0.5))}, periods)
    assert 'viewBox="0 40 5 20"' in flat
    assert Reader(months_svg({}, periods)).paths == [""]


# ---- numbers -----------------------------------------------------------------------------------


def test_every_cell_equals_its_frame(html: str, frames: Frames) -> None:
    whole = frames["recovery_by_condition"].filter(care="any", period="all", definition_id=DEFAULT)
    rates = {(row["condition_id"], row["clinic_key"]): row for row in whole.to_dicts()}
    pain = {
        (row["condition_id"], row["clinic_key"]): row
        for row in frames["pain_change"].filter(care="any", period="all").to_dicts()
    }
    labels = {item.condition_id: item.label for item in CONTRACT.conditions}
    conditions, clinics = rows_of(html, 0), rows_of(html, 1)
    subjects: list[tuple[tuple[str | None, str | None], list[str]]] = [
        ((key, None), conditions[labels[key]]) for key in clinic_frames.CONDITIONS
    ]
    subjects += [((None, key), clinics[key]) for key in sample_frames.CLINICS]
    for place, cells in subjects:
        row = rates[place]
        assert cells[0].endswith(f" about {row['n']:,}")
        assert cells[1].startswith(f"{round(100 * row['rate'] + 1e-9)}% ")
        known = round(100 * row["completeness"] + 1e-9)
        assert cells[3].startswith(f"{known}%" if known >= 80 else f"▼ {known}%")
        assert cells[-1] == f"\u2212{pain[place]['change_mean']:.1f}"
    assert f"{round(100 * rates[None, None]['rate'])}% of episodes with a known outcome ended in recovery" in html


def test_the_zone_of_the_funnel_is_the_one_rule(html: str, frames: Frames) -> None:
    zones = frames["clinic_funnel"].filter(pl.col("condition_id").is_null(), outcome_id=DEFAULT)
    shown = {name: cells[4] for name, cells in rows_of(html, 1).items()}
    for row in zones.to_dicts():
        if row["zone"]:
            assert shown[row["clinic_key"]] == say.zone_words(row["zone"])
    assert shown[INCOMPLETE] == "not compared: 33% known"
    assert shown[TINY] == "fewer than 11 episodes, or beside such a group"
    assert "Against the network" not in " ".join(Reader(html).tables[0][0])


def test_orders_are_fixed_and_names_lead_on(html: str) -> None:
    labels = [item.label for item in CONTRACT.conditions]
    assert list(rows_of(html, 0)) == labels
    assert list(rows_of(html, 1)) == sorted(sample_frames.CLINICS)
    links = Reader(html).links
    assert links["Station Road"] == "recovery.html#clinic=Station+Road"
    assert links["Neck pain"] == "recovery.html#condition=neck_pain"


def test_change_over_time_has_its_badge_or_words(html: str) -> None:
    clinics, conditions = rows_of(html, 1), rows_of(html, 0)
    assert clinics["Eastfield"][6] == "● Stable"
    assert clinics["Lakeside"][5:7] == ["years only", "not judged"]
    assert conditions["Sciatica"][4:6] == ["not charted", "not judged"]
    assert "to April 2026" in Reader(html).tables[0][0][4]


# ---- sentences ---------------------------------------------------------------------------------


def text(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def test_lead_names_the_rule_and_where_to_look_first(html: str) -> None:
    words = text(html)
    assert "Improving: above the upper limit in April 2026." in words
    assert f"Look first at {BELOW} (below the expected range) and {ABOVE} (above it)." in words
    assert f"Not compared, with under 60% of outcomes known: {INCOMPLETE}." in words
    assert Reader(html).links[BELOW] == f"recovery.html#clinic={BELOW}"
    assert f'<a href="clinics.html#clinic={BELOW}">{BELOW}</a> (below' in html
    assert "Outcomes are known for " in words


def test_nobody_outside_is_said(frames: Frames, meta: SiteMeta) -> None:
    funnel = frames["clinic_funnel"]
    inside = funnel.with_columns(zone=pl.when(pl.col("zone").is_not_null()).then(pl.lit("as_expected")))
    assert "No clinic is outside the expected range." in made({**frames, "clinic_funnel": inside}, meta)
    nobody = funnel.with_columns(zone=pl.lit(None, pl.String))
    assert "No clinic can be compared with the others." in made({**frames, "clinic_funnel": nobody}, meta)
    concern = frames["outcome_signal"].with_columns(
        verdict=pl.when(pl.col("clinic_key") == "Harbour").then(pl.lit("concern")).otherwise("verdict")
    )
    words = text(made({**frames, "outcome_signal": concern}, meta))
    assert "Over time, a signal of concern at Harbour." in words
    assert rows_of(made({**frames, "outcome_signal": concern}, meta), 1)["Harbour"][6] == "▼ Concern"


def test_many_clinics_outside_make_no_endless_sentence(frames: Frames, meta: SiteMeta) -> None:
    names = [f"Clinic {place:03d}" for place in range(200)]
    (row,) = (
        frames["clinic_funnel"]
        .filter(pl.col("condition_id").is_null(), outcome_id=DEFAULT, clinic_key=ABOVE)
        .to_dicts()
    )
    rows = [{**row, "clinic_key": name} for name in names]
    funnel = pl.DataFrame(rows, schema=frames["clinic_funnel"].schema)
    clinic = pl.DataFrame({"clinic_key": names, "label": names})
    words = text(made({**frames, "clinic_funnel": funnel, "clinic": clinic}, meta))
    assert "Clinic 010, Clinic 011 and 188 more (above the expected range)." in words


# ---- what is hidden or missing -----------------------------------------------------------------


def test_no_small_group_leaves_a_number(meta: SiteMeta) -> None:
    hidden = {**sample_frames.network(), **clinic_frames.all_hidden(sample_frames.CLINICS)}
    for name in ("recovery_by_condition", "pain_change", "recovery_time"):
        kept = {"condition_id", "clinic_key", "care", "period", "definition_id", "from_day"}
        frame = hidden[name]
        hidden[name] = frame.with_columns(
            *(pl.lit(None, dtype).alias(column) for column, dtype in frame.schema.items() if column not in kept)
        ).with_columns(suppressed=pl.lit(value=True))
    page = made(hidden, meta)
    assert "Too few episodes to show across 12 clinics: fewer than 11 episodes, or beside such a group." in text(page)
    for table in (0, 1):
        for cells in rows_of(page, table).values():
            assert not re.search(r"\d", " ".join(cells).replace("fewer than 11", ""))
            assert "" not in cells[1:2] + cells[3:], "no gap without a word"
    assert Reader(page).paths == []


def test_what_was_not_published_has_no_column(frames: Frames, meta: SiteMeta) -> None:
    """A bundle for everybody has rates alone, and some of them are approximate."""
    rates = frames["recovery_by_condition"].with_columns(
        approximate=pl.lit(value=True), rate_low=pl.lit(None, pl.Float64), rate_high=pl.lit(None, pl.Float64)
    )
    page = made({"recovery_by_condition": rates, "clinic": frames["clinic"]}, replace(meta, pages=("index",)))
    head = [cell.split(" ")[0] for cell in Reader(page).tables[1][0]]
    assert head == ["Clinic", "Recovered", "0", "Outcome"]
    assert rows_of(page, 1)["Harbour"][1].startswith("\u2248")
    assert page.startswith('<p class="lead"><strong>About ')
    assert "95% CI 6" not in page
    assert "Look first" not in page
    assert 'href="recovery' not in page + Reader(page).links.get("Harbour", "")


def test_names_are_text(meta: SiteMeta) -> None:
    frames, contract = sample_frames.hostile()
    page = document(overview.build(Published(frames, contract), meta), meta)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "clinic=%3Cscript%3E" in page


def test_the_page_needs_no_script_and_is_light(frames: Frames, html: str, meta: SiteMeta) -> None:
    page = overview.build(Published(frames, CONTRACT), meta)
    assert page.payload is None
    assert page.styles == ("overview",)
    assert "<noscript" not in html
    assert len(document(page, meta).encode()) <= 30_000
    only = re.findall(r'<(?:div|button)[^>]*class="[^"]*js-only[^"]*"[^>]*>', html)
    assert len(only) == 6, "the ways to the passports are all that a script is needed for"
    assert NO_DATA in made({}, meta)


def test_nobody_is_ranked_and_nothing_is_claimed(html: str) -> None:
    assert not re.search(r"\b(league|grade|best clinic|worst clinic)\b", text(html), re.IGNORECASE)
    assert causal_claims(text(html)) == []
