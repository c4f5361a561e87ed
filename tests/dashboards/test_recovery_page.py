"""Recovery by condition: what it says, that it says what was published, and that a reader can choose."""

from __future__ import annotations

import gzip
import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from dashboards import recovery_words as say
from dashboards import sentences
from dashboards.markup import script_json
from dashboards.pages import recovery
from dashboards.pages.frame import NO_DATA
from dashboards.pages.recovery_clinics import MOST_CLINICS
from dashboards.published import Published
from dashboards.recovery_words import Scope
from dashboards.words import MINUS, percent
from tests.dashboards import sample_frames
from tests.dashboards.chromium import READY, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dashboards.pages.frame import Page, SiteMeta
    from tests.dashboards.chromium import Visitor

KILO = 1000
FILTERS = ("clinic", "condition", "period", "care", "population")
CONDITIONS = [item.condition_id for item in CONTRACT.conditions]
RATE: dict[str, Any] = {
    "n": 1000,
    "recovered": 640,
    "rate": 0.64,
    "rate_low": 0.61,
    "rate_high": 0.669,
    "eligible": 1300,
    "completeness": 1000 / 1300,
    "rate_if_missing_none": 640 / 1300,
    "rate_if_missing_all": 940 / 1300,
    "suppressed": False,
}
HIDDEN = {**dict.fromkeys(RATE), "suppressed": True}
FUNNEL: dict[str, Any] = {
    "zone": "above",
    "network": 0.5,
    "is_widened": False,
    "suppressed": False,
    "not_compared": None,
    "completeness": 0.7,
    "eligible": 1300,
}
TIME: dict[str, Any] = {
    "n": 95,
    "from_day": 0,
    "median_day": 56.0,
    "median_low": 49.0,
    "median_high": 63.0,
    "recovered_share_28": 0.2,
    "recovered_share_56": 0.41,
    "recovered_share_84": 0.43,
    "suppressed": False,
}
HARBOUR = Scope("Harbour", 12)
WHERE = ("from_day", "day", "at_n")
"""Numbers that say where a row stands, and are never hidden."""


def merged(base: Any, change: Any) -> Any:
    """Merge as the page engine does."""
    if change is None or not isinstance(change, dict):
        return change
    made: Any = list(base) if isinstance(base, list) else dict(base or {})
    for key, value in change.items():
        place = int(key) if isinstance(made, list) else key
        before = made[place] if isinstance(made, list) else made.get(place)
        made[place] = merged(before, value)
    return made


def shown(page: Page, **chosen: str) -> dict[str, Any]:
    """What the page engine shows for values chosen of the filters, by their value in the address."""
    assert page.payload
    filters = {item["id"]: [value[0] for value in item["values"]] for item in page.payload["filters"]}
    places = {name: values.index(chosen[name]) if name in chosen else 0 for name, values in filters.items()}
    file = page.payload["chunks"]["files"][places["clinic"]]
    more = page.chunks[file.removeprefix("data/").removesuffix(".js")] if file else []
    made: dict[str, Any] = {"text": {}, "plots": {}, "rows": {}, "steps": {}, "alert": [], "hide": []}
    for part in (*page.payload["parts"], *more):
        state = part["states"].get("|".join(str(places[name]) for name in part["by"]) or "0")
        for name, value in (state or {}).items():
            made[name] = made[name] + value if isinstance(value, list) else merged(made[name], value)
    for card, base in page.payload["base"].items():
        change = made["plots"].get(card, {})
        made["plots"][card] = None if change is None else merged(base, change)
    return made


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    return sample_frames.network()


@pytest.fixture(scope="module")
def page(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> Page:
    return recovery.build(Published(frames, CONTRACT), meta)


# ---- sentences -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("above", "That is above the 50% of all clinics: outside the 99.8% limits for a clinic of this size."),
        ("below", "That is below the 50% of all clinics: outside the 99.8% limits for a clinic of this size."),
        ("possibly_above", "possibly above the 50% of all clinics: between the 95% and the 99.8% limits"),
        ("possibly_below", "possibly below the 50% of all clinics: between the 95% and the 99.8% limits"),
        ("as_expected", "not clearly different from the 50% of all clinics: within the 95% limits"),
    ],
)
def test_a_clinic_is_compared_by_its_zone_alone(zone: str, words: str, meta: SiteMeta) -> None:
    funnel = {**FUNNEL, "zone": zone}
    assert words in say.comparison(RATE, {**RATE, "rate": 0.5}, funnel, HARBOUR, meta)
    wide = say.comparison(RATE, {**RATE, "rate": 0.5}, {**funnel, "is_widened": True}, HARBOUR, meta)
    assert wide.endswith(", which allow for the usual variation between clinics.")


@pytest.mark.parametrize(
    ("funnel", "scope", "words"),
    [
        (None, HARBOUR, " Across all clinics it is 50%."),
        (
            {**FUNNEL, "zone": None, "suppressed": True},
            HARBOUR,
            "not compared: fewer than 11 episodes, or beside such a group.",
        ),
        ({**FUNNEL, "zone": None, "not_compared": "too_incomplete"}, HARBOUR, "70% of outcomes known, 60% needed."),
        (FUNNEL, replace(HARBOUR, care="dry_needling"), "is judged for any care and all years together."),
        (FUNNEL, replace(HARBOUR, period="2025"), "is judged for any care and all years together."),
    ],
)
def test_without_a_zone_there_is_no_comparison(
    funnel: dict[str, Any] | None, scope: Scope, words: str, meta: SiteMeta
) -> None:
    said = say.comparison(RATE, {**RATE, "rate": 0.5}, funnel, scope, meta)
    assert said.endswith(words)
    assert not re.search(r"above|below|different", said)
    assert say.badge(funnel, scope) == ""


def test_all_clinics_and_hidden_rows_are_compared_with_nothing(meta: SiteMeta) -> None:
    assert say.comparison(RATE, RATE, FUNNEL, Scope(None, 12), meta) == ""
    assert say.comparison(HIDDEN, RATE, FUNNEL, HARBOUR, meta) == ""
    assert say.badge(FUNNEL, Scope(None, 12)) == ""
    assert say.badge(FUNNEL, HARBOUR) == " · ▲ Above the network"


def test_lead_states_rate_interval_number_and_the_whole_selection(meta: SiteMeta) -> None:
    strong, rest = say.lead(RATE, Scope("Harbour", 12, "low back pain", "2025", "dry_needling"), meta)
    assert strong == "64% of episodes of care ended in recovery"
    assert rest == (
        " (95% CI 61 to 67%) at Harbour: low back pain, first visit in 2025, with dry needling; about 1,000 closed "
        "episodes with a known outcome."
    )
    assert "across 12 clinics; about" in say.lead(RATE, Scope(None, 12), meta)[1]


@pytest.mark.parametrize("row", [None, HIDDEN, {**RATE, "n": 0, "rate": None}, {**RATE, "n": None, "rate": None}])
def test_lead_without_a_rate_shows_no_number_of_patients(row: dict[str, Any] | None, meta: SiteMeta) -> None:
    said = "".join(say.lead(row, HARBOUR, meta))
    assert "%" not in said
    assert "None" not in said


def test_a_rate_without_interval_or_count_says_neither(meta: SiteMeta) -> None:
    said = "".join(say.lead({**RATE, "rate_low": None, "rate_high": None, "n": None}, HARBOUR, meta))
    assert said == "64% of episodes of care ended in recovery at Harbour; closed episodes with a known outcome."


def test_an_approximate_rate_is_marked_wherever_it_stands(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    """The profile for everybody makes some rates from rounded parts, and gives them no interval."""
    near = {**RATE, "approximate": True, "rate_low": None, "rate_high": None}
    assert say.lead(near, HARBOUR, meta)[0] == "About 64% of episodes of care ended in recovery"
    assert say.recovered(near, None, HARBOUR) == ("≈ 64%", "about 1,000 episodes")
    rates = frames["recovery_by_condition"].with_columns(approximate=pl.lit(value=True), rate_low=None, rate_high=None)
    made = recovery.build(Published({"recovery_by_condition": rates, "clinic": frames["clinic"]}, CONTRACT), meta)
    state = shown(made, clinic="Harbour")
    cells = rows_by_label(state, "conditions")[""]
    assert re.fullmatch(r"≈ \d+%", cells[2])
    assert state["text"]["recovered.number"] == cells[2]
    assert "approximate" in state["plots"]["conditions"]["layout"]["yaxis"]["ticktext"][-1]
    assert "CI" not in state["text"]["lead.rest"]
    assert "not compared" not in state["text"]["lead.rest"], "without a funnel nothing is said of one"


def test_a_hidden_selection_says_what_to_choose_instead(meta: SiteMeta) -> None:
    everything = Scope("Harbour", 12, "sciatica", "2026", "dry_needling")
    assert say.few(HIDDEN, everything, meta).endswith("Choose all years, all conditions, any care or all clinics.")
    assert say.few(HIDDEN, HARBOUR, meta).endswith("Choose all clinics.")
    assert say.few(HIDDEN, Scope(None, 12), meta).endswith("recognised.")
    assert say.few(RATE, everything, meta) == say.few(None, everything, meta) == ""


@pytest.mark.parametrize(
    ("row", "scope", "number", "words"),
    [
        (TIME, HARBOUR, "8.0", "95% CI 7.0 to 9.0 weeks · about 95 episodes"),
        ({**TIME, "median_high": None}, HARBOUR, "8.0", "95% CI from 7.0 weeks, upper end not reached"),
        ({**TIME, "median_day": None}, HARBOUR, "Not reached", "Fewer than half .*: 43% by week 12$"),
        ({**TIME, "median_day": None, "recovered_share_84": None}, HARBOUR, "Not reached", "41% by week 8$"),
        ({**TIME, "from_day": 14}, HARBOUR, "8.0", "of those not recovered on day 14$"),
        (TIME, replace(HARBOUR, period="2025"), "Not shown", "choose all years"),
        (None, replace(HARBOUR, care="dry_needling"), "Not shown", "for all clinics together"),
        (None, HARBOUR, "Not shown", "too few have"),
        ({**TIME, "suppressed": True}, HARBOUR, "Not shown", "Too few patients"),
    ],
)
def test_median_time_to_recovery(row: dict[str, Any] | None, scope: Scope, number: str, words: str) -> None:
    shown_number, _, sub = say.median(row, scope)
    assert shown_number == number
    assert re.search(words, sub)


def test_time_sentence_says_reached_or_not(meta: SiteMeta) -> None:
    assert say.time_sentence(TIME, HARBOUR, meta) == (
        "Half of the patients at Harbour (all years) had recovered by week 8.0 (95% CI 7.0 to 9.0 weeks)."
    )
    assert say.time_sentence({**TIME, "median_day": None}, HARBOUR, meta).startswith("Fewer than half")
    assert "fewer than 11 patients, or beside such a group" in say.time_sentence(None, HARBOUR, meta)


def test_what_changed_is_said_in_a_sentence_or_why_not() -> None:
    row = {"baseline_mean": 5.8, "last_mean": 2.2, "change_mean": 3.6, "change_low": 3.5, "change_high": 3.7, "n": 90}
    said = say.pain_sentence({**row, "mcid_rate": None}, HARBOUR)
    assert said == f"Pain went from 5.8 to 2.2 of 10 (95% CI of the change {MINUS}3.7 to {MINUS}3.5) at Harbour."
    assert say.pain_sentence({**row, "mcid_rate": 0.9}, HARBOUR).endswith(
        "90% had at least the smallest change that patients call important."
    )
    assert "No change in pain" in say.pain_sentence(None, HARBOUR)
    motion = {"baseline_percent": 71.4, "last_percent": 90.0}
    assert say.motion_sentence(motion, HARBOUR) == "Range of motion went from 71% to 90% of normal at Harbour."
    assert "No range of motion" in say.motion_sentence(None, HARBOUR)
    assert say.better(None) == say.motion(None) == ("", "")


def test_curve_names_only_weeks_that_are_drawn() -> None:
    rows = [
        {"from_day": 0, "day": day, "recovered_share": day / 168, "shown": day < 80, "suppressed": False}
        for day in range(0, 169, 7)
    ]
    assert say.curve(rows, HARBOUR) == "Recovered at Harbour (all years): 17% by week 4 and 33% by week 8."
    assert say.curve([], HARBOUR) == ""
    late = [{**row, "from_day": 14} for row in rows[2:]]
    assert "of those still in care and not recovered on day 14" in say.curve(late, HARBOUR)


def test_a_group_of_patients_says_that_it_is_of_all_clinics(meta: SiteMeta) -> None:
    said = say.population("Athletes", RATE, "low back pain", meta)
    assert said.startswith("Athletes, low back pain, all clinics, all years, any care: 64% (95% CI 61 to 67%) of about")
    assert "if all had, 72%" in said
    for row in (None, HIDDEN, {**RATE, "rate": None}):
        assert "%" not in say.population("Athletes", row, "low back pain", meta)


def test_arms_keep_their_name() -> None:
    assert Scope(None, 1, care="usual_care").words == "across 1 clinic: arm Usual care"


# ---- the page --------------------------------------------------------------------------------------------------------
def test_filters_are_those_of_the_issue_and_years_come_latest_first(page: Page) -> None:
    assert page.payload
    filters = {item["id"]: [value[0] for value in item["values"]] for item in page.payload["filters"]}
    assert tuple(filters) == FILTERS
    assert filters["period"] == ["all", "2026", "2025", "2024"]
    assert filters["condition"] == ["", *CONDITIONS]
    assert filters["clinic"] == ["", *sorted(sample_frames.CLINICS)]
    assert filters["care"] == ["any", "dry_needling", "other_care"]


def test_a_year_that_the_network_hides_is_not_offered(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    rates = frames["recovery_by_condition"]
    is_network = pl.col("clinic_key").is_null() & pl.col("condition_id").is_null() & (pl.col("care") == "any")
    hidden = rates.with_columns(suppressed=pl.col("suppressed") | (is_network & (pl.col("period") == "2026")))
    made = recovery.build(Published({**frames, "recovery_by_condition": hidden}, CONTRACT), meta)
    assert made.payload
    assert [value[0] for value in made.payload["filters"][2]["values"]] == ["all", "2025", "2024"]


def rows_by_label(state: Mapping[str, Any], table: str) -> dict[str, list[Any]]:
    return {row[0][0] if isinstance(row[0], list) else "": row for row in state["rows"][table]}


def test_every_rate_on_the_page_is_the_published_one(page: Page, frames: dict[str, pl.DataFrame]) -> None:
    rates = frames["recovery_by_condition"].filter(pl.col("definition_id") == "recovered_v1").to_dicts()
    found = {(row["clinic_key"] or "", row["period"], row["care"], row["condition_id"] or ""): row for row in rates}
    seen = hidden = 0
    for clinic, period, care in dict.fromkeys(key[:3] for key in found):
        state = shown(page, clinic=clinic, period=period, care=care)
        for condition, cells in rows_by_label(state, "conditions").items():
            row = found[clinic, period, care, condition]
            if row["suppressed"]:
                assert cells[1] == "hidden"
                assert not any(isinstance(cell, int | float) for cell in cells[1:-1])
                hidden += 1
                continue
            assert cells[1] == row["n"]
            names = ("rate", "rate_low", "rate_high", "completeness", "rate_if_missing_none", "rate_if_missing_all")
            for cell, name in zip(cells[2:8], names, strict=True):
                assert cell is None if row[name] is None else abs(cell - 100 * row[name]) <= 0.5
            seen += 1
    assert seen > 400
    assert hidden > 100, "the sample must hide groups"


def test_the_table_of_a_chart_and_the_chart_agree(page: Page) -> None:
    state = shown(page, clinic="Harbour", period="2025")
    marks = state["plots"]["conditions"]["data"][2]
    drawn = dict(zip(marks["customdata"], marks["text"], strict=True))
    cells = {key: row[2] for key, row in rows_by_label(state, "conditions").items() if isinstance(row[2], int)}
    assert drawn == {key: f"{rate}%" for key, rate in cells.items()}


def test_lead_and_tiles_are_those_of_the_selection(page: Page, frames: dict[str, pl.DataFrame]) -> None:
    chosen = {"condition_id": "low_back_pain", "care": "other_care", "period": "2025"}
    rates = frames["recovery_by_condition"].filter(pl.col("clinic_key").is_not_null(), **chosen)
    rate = next(row for row in rates.to_dicts() if row["definition_id"] == "recovered_v1" and row["rate"])
    clinic = rate["clinic_key"]
    state = shown(page, clinic=clinic, condition="low_back_pain", care="other_care", period="2025")
    chosen["clinic_key"] = clinic
    (pain,) = frames["pain_change"].filter(**chosen).to_dicts()
    texts = state["text"]
    assert texts["lead.strong"].startswith(f"{percent(rate['rate'])} of episodes")
    assert f"at {clinic}: low back pain, first visit in 2025, without dry needling" in texts["lead.rest"]
    assert texts["recovered.number"] == percent(rate["rate"])
    assert texts["fall.number"] == sentences.pain(pain)[0]
    assert texts["known.number"] == percent(rate["completeness"])
    assert "not assigned to treatments at random" in texts["notice.care"]
    assert state["steps"]["recovery_by_condition"][-1] == ["Recovered", f"{rate['recovered']:,}"]


def test_steps_lead_from_all_episodes_to_the_recovered(page: Page) -> None:
    steps = shown(page)["steps"]["recovery_by_condition"]
    assert [what for what, _ in steps][:2] == ["All episodes", "Still in care (not counted)"]
    assert [what for what, _ in steps][-3:] == ["Closed episodes that can be judged", "Known outcome", "Recovered"]
    assert shown(page, period="2025")["steps"]["recovery_by_condition"][0][0].startswith("Closed episodes")


def test_a_hidden_selection_keeps_the_charts_that_still_apply(page: Page) -> None:
    state = shown(page, clinic="Eastfield", condition=CONDITIONS[3], period="2026", care="dry_needling")
    texts = state["text"]
    assert texts["lead.strong"] == "Too few episodes to show"
    assert "Fewer than 11 episodes, or beside such a group. Small groups are hidden" in texts["few.say"]
    for tile in ("recovered", "fall", "better", "moved", "known"):
        assert texts[f"{tile}.number"] == "Not shown"
    assert "recovery_by_condition" not in state["steps"]
    assert not re.search(r"\d+%", texts["lead.rest"] + texts["few.say"])
    assert state["plots"]["conditions"] is not None
    assert state["plots"]["funnel"] is not None
    words = state["plots"]["conditions"]["data"][3]["text"]
    assert "fewer than 11 episodes, or beside such a group" in words
    assert shown(page)["text"]["few.say"] == ""


def test_the_choice_is_marked_and_nothing_is_drawn_where_nothing_is(page: Page) -> None:
    plain, marked = shown(page), shown(page, clinic="Harbour", condition=CONDITIONS[1], population="athlete")
    for card in ("conditions", "time", "pain", "motion"):
        assert plain["plots"][card]["layout"]["shapes"][0]["y1"] == -0.5
        assert marked["plots"][card]["layout"]["shapes"][0]["y1"] == 1.5
    assert marked["plots"]["clinics"]["layout"]["shapes"][0]["y1"] == 1.5
    assert marked["plots"]["population"]["layout"]["shapes"][0]["y0"] == -0.5
    assert marked["plots"]["population"]["layout"]["shapes"][0]["y1"] == 0.5
    assert plain["plots"]["funnel"]["data"][-1]["text"] == []
    assert marked["plots"]["funnel"]["data"][-1]["text"] == ["Harbour"]
    assert "network" in plain["hide"]
    assert "network" not in marked["hide"]
    without = shown(page, clinic="Harbour", condition=CONDITIONS[1], care="dry_needling")
    assert without["plots"]["time"] is None, "no time by care and clinic: a mark must not bring the chart back"
    assert "computed for all clinics together" in without["text"]["time.none"]


def test_the_chart_of_one_clinic_shows_that_clinic(page: Page, frames: dict[str, pl.DataFrame]) -> None:
    of = frames["recovery_curve"].filter(clinic_key="Harbour", care="any").sort("day")
    state = shown(page, clinic="Harbour")
    assert state["plots"]["curve"]["data"][4]["y"][4] == pytest.approx(100 * of["recovered_share"][4], abs=0.05)
    assert len(state["plots"]["curve"]["data"][2]["y"]) > 0, "all clinics behind it"
    assert "Shown for any care" in shown(page, clinic="Harbour", care="other_care")["text"]["curve.say"]
    assert shown(page, condition=CONDITIONS[0])["plots"]["curve"] is None


def test_control_chart_names_its_rule_and_says_what_it_falls_back_to(page: Page) -> None:
    said = shown(page)["text"]["over.say"]
    assert said.startswith("Across 12 clinics, any care. ")
    assert re.search(r"Improving: .*(in a row|since|outside|above|below)", said)
    fallback = shown(page, clinic="Eastfield", condition=CONDITIONS[0])
    assert "Shown for all conditions: one condition has too few episodes each month" in fallback["text"]["over.say"]
    none = shown(page, clinic=sample_frames.CLINICS[-1])
    assert none["plots"]["over"] is None
    assert "cannot be drawn" in none["text"]["over.none"]
    assert {"judged", "open", "trial"} <= set(none["hide"])


def test_a_group_of_patients_has_a_sentence_of_its_own(page: Page, frames: dict[str, pl.DataFrame]) -> None:
    assert shown(page)["text"]["notice.population"] == ""
    state = shown(page, clinic="Harbour", condition="low_back_pain", population="athlete")
    (row,) = (
        frames["subgroup_outcome"]
        .filter(condition_id="low_back_pain", dimension="population", subgroup="athlete")
        .to_dicts()
    )
    assert f"all clinics, all years, any care: {percent(row['rate'])}" in state["text"]["notice.population"]
    assert "the other numbers of this page are those of all patients" in state["text"]["notice.population"]
    assert rows_by_label(state, "population")["athlete"][1] == row["n"]


def test_order_is_fixed_whatever_is_chosen(page: Page) -> None:
    for chosen in ({}, {"clinic": "Northgate"}, {"period": "2025", "care": "dry_needling"}):
        state = shown(page, **chosen)
        assert list(rows_by_label(state, "conditions")) == [*CONDITIONS, ""]
        assert [row[0][1] for row in state["rows"]["clinics"]] == sorted(sample_frames.CLINICS)
        assert [row[0][1] for row in state["rows"]["funnel"]] == sorted(sample_frames.CLINICS)


def test_passports_and_drills_are_on_the_page(page: Page) -> None:
    for table in ("recovery_by_condition", "recovery_time", "pain_change", "rom_change", "clinic_funnel"):
        assert f'data-passport="{table}"' in page.body
    assert page.payload
    kinds = {name: table["columns"][0][1] for name, table in page.payload["tables"].items()}
    assert [name for name, kind in kinds.items() if kind == "drill:condition"] == [
        *("conditions", "time", "pain", "motion")
    ]
    marks = shown(page)["plots"]["pain"]["data"][2]
    assert marks["meta"] == {"drill": "condition"}
    assert marks["customdata"] == [*CONDITIONS, ""]


def test_trial_shows_no_chart_of_nothing(meta: SiteMeta) -> None:
    made = recovery.build(Published(sample_frames.trial(), CONTRACT), meta)
    assert 'data-plot="conditions"' not in made.body
    assert 'class="tiles"' not in made.body
    assert "How do scores change, by arm?" in made.body
    assert "Arm of the trial" in made.body
    assert "not assigned to treatments at random" not in script_json(made.payload)
    assert "Recovery is not known for any episode" in made.body


def test_without_motion_recovery_is_unknown_and_pain_is_shown(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    default = pl.col("definition_id") == "recovered_v1"
    unknown = [
        pl.when(default).then(None).otherwise(pl.col(name)).alias(name) for name in ("rate", "rate_low", "rate_high")
    ]
    rates = frames["recovery_by_condition"].with_columns(*unknown, n=pl.when(default).then(0).otherwise(pl.col("n")))
    without = {**frames, "recovery_by_condition": rates, "rom_change": frames["rom_change"].clear()}
    made = recovery.build(Published(without, CONTRACT), meta)
    assert "Recovery is not known for any episode" in made.body
    assert 'data-plot="motion"' not in made.body
    assert 'data-plot="conditions"' not in made.body
    assert 'data-plot="pain"' in made.body
    assert shown(made)["text"]["moved.number"] == "Not shown"


def test_no_frames_at_all_are_said(meta: SiteMeta) -> None:
    for none in ({}, sample_frames.empty()):
        assert NO_DATA in recovery.build(Published(none, CONTRACT), meta).body


def test_all_hidden_still_says_why(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    keys = {"condition_id", "clinic_key", "care", "period", "definition_id"}
    rates = frames["recovery_by_condition"]
    hidden = rates.with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in rates.schema.items() if name not in keys)
    ).with_columns(suppressed=pl.lit(value=True))
    made = recovery.build(Published({"recovery_by_condition": hidden, "clinic": frames["clinic"]}, CONTRACT), meta)
    assert "Too few episodes to show" in made.body
    assert "Fewer than 11 episodes, or beside such a group." in made.body
    assert made.payload
    assert [item["id"] for item in made.payload["filters"]] == ["clinic", "condition", "care"]


def test_any_number_may_be_hidden_by_itself(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    """Disclosure control hides single numbers of rows that are shown: the page says nothing about them, not 'None'."""
    few = pl.col("clinic_key").is_null() | pl.col("clinic_key").is_in(sample_frames.CLINICS[:2])
    draw = random.Random(3)  # noqa: S311 - repeatable, not secret
    holed = {}
    for name, frame in frames.items():
        kept = frame.filter(few) if "clinic_key" in frame.columns else frame
        numbers = [column for column, dtype in kept.schema.items() if dtype.is_numeric() and column not in WHERE]
        masks = {column: pl.Series([draw.random() < 0.25 for _ in range(len(kept))]) for column in numbers}
        holed[name] = kept.with_columns(
            pl.when(mask).then(None).otherwise(pl.col(column)).alias(column) for column, mask in masks.items()
        )
    made = recovery.build(Published(holed, CONTRACT), meta)
    written = script_json(made.payload) + "".join(script_json(part) for part in made.chunks.values())
    assert len(written) > 500 * KILO
    assert not re.search(r"\bNone\b", written)
    assert not re.search(r"\bNone\b", made.body)


def test_weights(page: Page) -> None:
    for data in (page.payload, *page.chunks.values()):
        written = script_json(data).encode()
        assert len(written) <= 800 * KILO
        assert len(gzip.compress(written)) <= 150 * KILO


def test_many_clinics_are_counted_and_the_page_stays_light(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    copies = MOST_CLINICS // len(sample_frames.CLINICS) + 1
    many = {name: _copied(frame, copies) for name, frame in frames.items() if "clinic_key" in frame.columns}
    made = recovery.build(Published({**frames, **many}, CONTRACT), meta)
    assert made.payload
    assert len(made.chunks) == copies * len(sample_frames.CLINICS) > MOST_CLINICS
    state = shown(made, clinic="Harbour 2", condition=CONDITIONS[0])
    bars = state["plots"]["clinics"]["data"][0]
    assert sum(bars["x"]) == len(made.chunks), "each clinic is counted once"
    assert len(state["rows"]["clinics"]) == len(made.chunks), "the table lists them all"
    assert "outside the 95% limits; all are on the page Clinics" in state["text"]["funnel.say"]
    written = script_json(made.payload).encode()
    assert len(written) <= 800 * KILO
    assert len(gzip.compress(written)) <= 150 * KILO


def _copied(frame: pl.DataFrame, times: int) -> pl.DataFrame:
    """Return the frame with every clinic several times, under new names."""
    own = frame.filter(pl.col("clinic_key").is_not_null())
    name = pl.col("clinic_key") + pl.lit(" ")
    copies = [own.with_columns(clinic_key=name + pl.lit(str(number))) for number in range(2, times + 1)]
    labelled = [copy.with_columns(label=pl.col("clinic_key")) if "label" in copy.columns else copy for copy in copies]
    return pl.concat([frame, *labelled])


# ---- in the browser --------------------------------------------------------------------------------------------------
MARKED = "document.querySelector('[data-plot=conditions]').layout.shapes[0].y1"


@pytest.mark.browser
def test_a_choice_loads_the_clinic_and_changes_numbers_charts_and_address(
    visit: Visitor, network_site: Path, page: Page
) -> None:
    made = visit(network_site / "recovery.html")
    open_page = made.page
    marks = "document.querySelector('[data-plot=conditions]').data[2].x"
    before = open_page.evaluate(marks)
    assert open_page.locator("[data-when=network]:visible").count() == 0
    open_page.locator("[data-filter=clinic]").select_option(label="Northgate")
    open_page.locator("[data-slot='lead.rest']", has_text="at Northgate").wait_for()
    open_page.locator("[data-filter=period]").select_option(label="2025")
    open_page.locator("[data-filter=care]").focus()
    open_page.locator("[data-filter=care]").select_option(label="With dry needling")
    assert open_page.evaluate("location.hash") == "#clinic=Northgate&period=2025&care=dry_needling"
    state = shown(page, clinic="Northgate", period="2025", care="dry_needling")
    open_page.locator("[data-slot='lead.rest']", has_text="first visit in 2025, with dry needling").wait_for()
    assert text(open_page, "[data-slot='lead.strong']") == state["text"]["lead.strong"]
    assert "not assigned to treatments at random" in text(open_page, "[data-slot='notice.care']")
    assert open_page.evaluate(marks) != before
    assert open_page.evaluate(marks) == state["plots"]["conditions"]["data"][2]["x"]
    assert open_page.evaluate("document.activeElement.dataset.filter") == "care", "focus stays where the reader is"
    assert open_page.locator("tbody[data-table=conditions] tr").count() == len(CONDITIONS) + 1
    made.assert_clean()


@pytest.mark.browser
def test_a_condition_is_chosen_from_its_row_and_from_its_mark(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html")
    open_page = made.page
    open_page.locator("#conditions summary", has_text="Show the numbers").click()
    button = open_page.locator("tbody[data-table=conditions] button[data-value=low_back_pain]")
    button.focus()
    open_page.keyboard.press("Enter")
    open_page.locator("[data-slot='lead.rest']", has_text="low back pain").wait_for()
    assert open_page.evaluate("location.hash") == "#condition=low_back_pain"
    assert open_page.evaluate(MARKED) == CONDITIONS.index("low_back_pain") + 0.5
    assert open_page.evaluate("document.activeElement.dataset.value") == "low_back_pain", "focus is not lost"
    open_page.keyboard.press("Enter")
    open_page.wait_for_function(f"{MARKED} === -0.5")
    assert open_page.evaluate("location.hash") == ""
    open_page.evaluate(
        "(() => { const plot = document.querySelector('[data-plot=pain]'); const data = plot.data[2];"
        " plot.emit('plotly_click', { points: [{ data, customdata: data.customdata[0] }] }); })()"
    )
    open_page.locator("[data-slot='lead.rest']", has_text="neck pain").wait_for()
    assert open_page.evaluate("location.hash") == f"#condition={CONDITIONS[0]}"
    made.assert_clean()


@pytest.mark.browser
def test_a_hidden_selection_shows_its_box_from_the_address(visit: Visitor, network_site: Path) -> None:
    anchor = f"#clinic=Eastfield&condition={CONDITIONS[3]}&period=2026&care=dry_needling"
    made = visit(network_site / "recovery.html", anchor=anchor, width=390)
    open_page = made.page
    assert text(open_page, "[data-slot='lead.strong']") == "Too few episodes to show"
    assert open_page.locator("[data-slot='few.say']").is_visible()
    assert "Loading" not in text(open_page, "[role=status]")
    assert open_page.locator("[data-plot=conditions]").is_visible()
    assert open_page.locator("[data-plot=time]").is_hidden()
    assert open_page.locator("[data-png=time]").is_hidden()
    open_page.locator("[data-do=reset]").click()
    open_page.locator("[data-slot='lead.rest']", has_text="across 12 clinics").wait_for()
    assert open_page.locator("[data-slot='few.say']").is_hidden()
    assert open_page.locator("[data-plot=time]").is_visible()
    made.assert_clean()


@pytest.mark.browser
def test_a_group_of_patients_is_chosen(visit: Visitor, network_site: Path) -> None:
    made = visit(network_site / "recovery.html", anchor="#population=athlete&condition=neck_pain")
    open_page = made.page
    assert text(open_page, "[data-slot='notice.population']").startswith("Athletes, neck pain, all clinics")
    open_page.reload()
    open_page.wait_for_selector(READY)
    assert text(open_page, "[data-slot='notice.population']").startswith("Athletes, neck pain, all clinics")
    open_page.locator("[data-filter=population]").select_option(label="All patients")
    open_page.locator("[data-slot='notice.population']").wait_for(state="hidden")
    made.assert_clean()
