"""Clinics: the zone decides, nobody is ranked, nothing small is shown, and a selection is whole when its parts join."""

from __future__ import annotations

import copy
import gzip
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.wording import causal_claims
from dashboards import clinic_words as say
from dashboards.figures import calibration, control_chart, control_grid, funnel
from dashboards.markup import script_json
from dashboards.pages import clinic_gains, clinics
from dashboards.pages.clinic_expected import MODEL
from dashboards.pages.clinic_frames import ClinicFrames
from dashboards.pages.frame import NO_DATA
from dashboards.published import PEER, Published
from dashboards.theme import CLEAR, DARK_OF_LIGHT
from tests.dashboards import clinic_frames, sample_frames
from tests.dashboards.clinic_frames import ABOVE, BELOW, INCOMPLETE, NO_MODEL, TINY
from tests.dashboards.test_figures import _merged

if TYPE_CHECKING:
    from pathlib import Path

    from plotly import graph_objects as go

    from dashboards.pages.frame import Page
    from dashboards.site import SiteMeta

Row = dict[str, Any]
COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}|rgba?\([^)]*\)")
HARMLESS = re.compile(r"fewer than 11|12 weeks|80%|0 of \d|\d measures?|11 or more|12 providers")
"""Numbers in sentences about hidden groups that tell nothing about them."""
POINT: Row = {"label": "Harbour", "n": 120, "value": 0.61, "zone": "as_expected"}
LINE: Row = {
    "at_n": 100,
    "low_95": 0.4,
    "high_95": 0.7,
    "low_998": 0.3,
    "high_998": 0.8,
    "chance_low": None,
    "chance_high": None,
}
PERIOD: Row = {
    "period": "2025-01",
    "time_unit": "month",
    "n": 40,
    "value": 0.6,
    "centre": 0.5,
    "lower": 0.3,
    "upper": 0.7,
    "limits": "frozen",
    "point_class": "common_cause",
    "phase": 1,
}
GAP: Row = {**PERIOD, **dict.fromkeys(("n", "value", "centre", "lower", "upper", "limits", "point_class", "phase"))}
PART: Row = {"expected": 0.4, "observed": 0.45, "low": 0.3, "high": 0.6, "n": 24}


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    return sample_frames.network()


@pytest.fixture(scope="module")
def indexed(frames: dict[str, pl.DataFrame]) -> ClinicFrames:
    return ClinicFrames(Published(frames, CONTRACT))


@pytest.fixture(scope="module")
def page(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> Page:
    return clinics.build(Published(frames, CONTRACT), meta)


@dataclass
class Chosen:
    """What the page engine shows for a selection: the chosen states of all parts, joined; figures whole."""

    text: dict[str, str] = field(default_factory=dict)
    plots: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, list[list[Any]]] = field(default_factory=dict)
    hide: list[str] = field(default_factory=list)
    alert: list[str] = field(default_factory=list)
    steps: dict[str, list[list[str]]] = field(default_factory=dict)


def chosen(page: Page, clinic: str = "Eastfield", condition: str = "") -> Chosen:
    data: dict[str, Any] = page.payload or {}
    values = {item["id"]: [value[0] for value in item["values"]] for item in data["filters"]}
    places = {"clinic": values["clinic"].index(clinic), "condition": values["condition"].index(condition)}
    file = data["chunks"]["files"][places["clinic"]]
    more = page.chunks[file.removeprefix("data/").removesuffix(".js")] if file else []
    made = Chosen()
    changes: dict[str, list[Any]] = {}
    for part in [*data["parts"], *more]:
        state = part["states"].get("|".join(str(places[name]) for name in part["by"]) or "0", {})
        made.text |= state.get("text", {})
        made.rows |= {name: [cells(row) for row in rows] for name, rows in state.get("rows", {}).items()}
        made.steps |= state.get("steps", {})
        made.hide += state.get("hide", [])
        made.alert += state.get("alert", [])
        for card, change in state.get("plots", {}).items():
            changes.setdefault(card, []).append(change)
    for card, base in data["base"].items():
        figure = copy.deepcopy(base)
        for change in changes.get(card, []):
            figure = None if change is None else _merged(figure, copy.deepcopy(change))
        made.plots[card] = figure
    return made


def cells(row: list[Any]) -> list[Any]:
    """A row as it is read: of a button, its label."""
    return [cell[1] if isinstance(cell, list) else cell for cell in row]


# ---- figures -----------------------------------------------------------------------------------


def checked(made: go.Figure) -> go.Figure:
    text = made.to_json()
    assert "bdata" not in text
    assert set(COLOUR.findall(text)) <= set(DARK_OF_LIGHT) | {CLEAR}
    assert made.layout.height > 0
    return made


@pytest.mark.parametrize("rows", [[POINT, {**POINT, "zone": "below"}, POINT], [POINT], []])
@pytest.mark.parametrize("lines", [[LINE, {**LINE, "at_n": 200, "chance_low": 0.45, "chance_high": 0.6}], [LINE], []])
def test_funnel_is_valid_for_any_number_of_rows(rows: list[Row], lines: list[Row]) -> None:
    points = pl.DataFrame(rows, schema=pl.DataFrame([POINT]).schema)
    schema = {**pl.DataFrame([LINE]).schema, "chance_low": pl.Float64, "chance_high": pl.Float64}
    made = checked(funnel.figure(points, pl.DataFrame(lines, schema=schema), 0.5 if rows else None, ("n", "Recovered")))
    assert len(made.data[7].x) == len(rows)
    assert len(made.data[8].x) == 0


def test_zone_gives_the_shape_and_names_those_outside_only() -> None:
    rows: list[Any] = [{**POINT, "label": zone, "zone": zone} for zone in funnel.MARKS]
    every = funnel.spec(rows, [], None, ("n", "y"), is_share=True)["data"][7]
    assert every["text"] == ["", *list(funnel.MARKS)[1:]]
    marker = every["marker"]
    assert len(set(zip(marker["symbol"], marker["color"], strict=True))) == len(funnel.MARKS)
    assert set(marker["symbol"]) == {"circle", "triangle-up", "triangle-down"}


def test_the_chosen_clinic_is_filled_and_named_once() -> None:
    above: Row = {**POINT, "label": "Other", "zone": "above"}
    spec = funnel.spec([POINT, above], [], None, ("n", "y"), is_share=True)  # type: ignore[list-item]
    for point, text in ((POINT, "Harbour"), (above, "")):
        every, chosen = funnel.with_chosen(spec, point, is_share=True)["data"][7:]  # type: ignore[arg-type]
        assert (every["text"], chosen["text"]) == (["", "Other"], [text])
        assert chosen["marker"]["color"] == chosen["marker"]["line"]["color"]
        assert chosen["x"] == [point["n"]]
    assert spec["data"][8]["x"] == []


def test_names_in_the_funnel_do_not_cover_each_other() -> None:
    near: list[Any] = [
        {**POINT, "label": f"Clinic {n}", "n": n, "zone": "below", "value": 0.2} for n in (100, 104, 300)
    ]
    beside = funnel.spec(near, [], 0.5, ("n", "y"), is_share=True)["data"][7]["textposition"]
    assert beside[0] != beside[1]
    apart: list[Any] = [{**near[0], "n": n} for n in (100, 200)]
    beside = funnel.spec(apart, [], 0.5, ("n", "y"), is_share=True)["data"][7]["textposition"]
    assert beside == ["bottom center", "middle left"]


def test_names_in_the_funnel_are_text_and_short() -> None:
    rows: list[Any] = [{**POINT, "label": "<b>" + "x" * 10_000, "zone": "above"}]
    name = funnel.spec(rows, [], None, ("n", "y"), is_share=True)["data"][7]["text"][0]
    assert name.startswith("&lt;b&gt;xxx")
    assert len(name) < 60


@pytest.mark.parametrize("rows", [[PERIOD, GAP, {**PERIOD, "period": "2025-03"}], [PERIOD], [GAP, GAP], []])
def test_control_chart_is_valid_for_any_number_of_rows(rows: list[Row]) -> None:
    made = checked(control_chart.figure(pl.DataFrame(rows, schema=pl.DataFrame([PERIOD]).schema), is_share=True))
    shown = sum(row["value"] is not None for row in rows)
    assert sum(len(trace.x or ()) for trace in made.data[6:]) == shown


def test_gaps_stay_gaps_and_limits_break_there() -> None:
    rows = [PERIOD, {**GAP, "period": "2025-02"}, {**PERIOD, "period": "2025-03", "point_class": "better"}]
    traces = control_chart.spec(rows, is_share=True)["data"]
    assert traces[5]["y"] == [60.0, None, 60.0]
    assert traces[0]["y"] == [50.0, None, 50.0, None]
    assert [trace["x"] for trace in traces[6:]] == [["2025-01"], ["2025-03"], [], []]
    assert traces[7]["marker"]["symbol"] == "triangle-up"


def test_trial_limits_look_otherwise() -> None:
    traces = control_chart.spec([{**PERIOD, "period": "2025", "limits": "trial"}], is_share=True)["data"]
    assert [len(trace["x"]) for trace in traces[1:5]] == [0, 0, 2, 2]
    assert (traces[1]["line"]["dash"], traces[3]["line"]["dash"]) == ("dash", "dot")


@pytest.mark.parametrize("rows", [[PART, {**PART, **dict.fromkeys(PART)}, PART], [PART], [dict.fromkeys(PART)], []])
def test_calibration_is_valid_for_any_number_of_rows(rows: list[Row]) -> None:
    made = checked(calibration.figure(pl.DataFrame(rows, schema=pl.DataFrame([PART]).schema)))
    assert len(made.data[1].x) == sum(row["observed"] is not None for row in rows)


@pytest.mark.parametrize("panels", [0, 1, 2, 5])
def test_small_charts_have_their_own_scale_and_room(panels: int) -> None:
    rows = [PERIOD, GAP, {**PERIOD, "period": "2025-03", "point_class": "concern"}]
    many: list[Any] = [{"title": f"<b>{place}", "rows": rows, "is_share": bool(place % 2)} for place in range(panels)]
    made = checked(control_grid.figure(many))
    domains = [made.layout[f"yaxis{'' if place == 0 else place + 1}"].domain for place in range(panels)]
    assert all(bottom < top for bottom, top in domains)
    assert len({(trace.xaxis, trace.yaxis) for trace in made.data}) == panels
    assert [item.text for item in made.layout.annotations] == [f"<b>&lt;b&gt;{place}</b>" for place in range(panels)]


# ---- sentences ---------------------------------------------------------------------------------

ZONED: Row = {
    "zone": "as_expected",
    "chance_zone": "as_expected",
    "is_widened": False,
    "suppressed": False,
    "n": 90,
    "not_compared": None,
    "completeness": 0.8,
    "eligible": 110,
    "value": 0.5,
    "network": 0.5,
    "low_95": 0.4,
    "high_95": 0.6,
}
NO_ROW: Row = {**dict.fromkeys(ZONED), "suppressed": True}


def test_funnel_sentence_counts_names_and_gives_reasons(meta: SiteMeta) -> None:
    rows = [
        ("A", ZONED),
        ("B", {**ZONED, "zone": "above"}),
        ("C", {**ZONED, "zone": "possibly_below"}),
        ("D", {**ZONED, "zone": None, "not_compared": "too_incomplete", "completeness": 0.36}),
        ("E", NO_ROW),
        ("F", NO_ROW),
        ("G", None),
        ("H", {**ZONED, "zone": None, "not_compared": "too_few_patients", "n": 0}),
    ]
    assert say.funnel_sentence(rows, meta) == (
        "1 of 3 clinics is within the range expected by chance. Outside the 99.8% limits: B (above). Between the 95% "
        "and the 99.8% limits: C (possibly below). Not compared: D (36% of outcomes known, 60% needed); E and F (fewer "
        "than 11 episodes, or beside such a group); G (no episodes); H (no known outcome)."
    )
    assert say.zones_sentence(rows) == say.funnel_sentence(rows, meta).partition(" Not compared")[0]
    assert say.funnel_sentence([("E", NO_ROW)], meta) == (
        "No clinic can be compared. Not compared: E (fewer than 11 episodes, or beside such a group)."
    )


def test_widened_limits_are_said_with_what_chance_alone_would_say(meta: SiteMeta) -> None:
    wide = {**ZONED, "is_widened": True}
    text = say.funnel_sentence([("A", wide), ("B", {**wide, "chance_zone": "above"})], meta)
    assert text.startswith("2 of 2 clinics are within the range expected from chance and the usual variation between")
    assert "by chance alone 1 would lie outside the 95% limits" in text


@pytest.mark.parametrize("zone", say.ZONES)
def test_lead_takes_its_words_from_the_zone_only(zone: str, meta: SiteMeta) -> None:
    row = {**ZONED, "zone": zone, "value": 0.99, "chance_zone": "below"}
    strong, rest = say.clinic_lead("A", "Neck pain", row, None, meta)
    assert strong == f"A is {say.PLACES[zone]}"
    assert "99% of about 90 episodes" in rest


def test_lead_of_a_clinic_that_is_not_compared_says_why(meta: SiteMeta) -> None:
    assert say.clinic_lead("A", "Neck pain", NO_ROW, None, meta) == (
        "A is not compared",
        " (Neck pain): fewer than 11 episodes, or beside such a group.",
    )
    assert say.clinic_lead("A", "Neck pain", None, None, meta)[1] == " (Neck pain): no episodes."


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"conclusion": "not_compared"}, "Not compared"),
        ({"conclusion": "holds"}, "Holds whatever the unknown outcomes are"),
        (
            {"chance_zone": "above", "tipping_down": 0.185},
            "No longer above if 19% or fewer of the unknown had recovered",
        ),
        (
            {"chance_zone": "possibly_below", "tipping_up": 0.7},
            "No longer possibly below if 70% or more of the unknown had recovered",
        ),
        (
            {"chance_zone": "as_expected", "tipping_down": 0.3, "tipping_up": 0.7},
            "Below if 30% or fewer of the unknown had recovered; above if 70% or more had",
        ),
    ],
)
def test_tipping_point_in_words(row: Row, words: str) -> None:
    none = {"suppressed": False, "conclusion": "tips", "chance_zone": None, "tipping_down": None, "tipping_up": None}
    assert say.tipping_words({**none, **row}) == words


def test_spread_says_what_cannot_be_said() -> None:
    row: Row = {
        "suppressed": False,
        "reason": None,
        "pairs": 45,
        "clinics": 10,
        "chance_p": 0.2,
        "q": 12.34,
        "pairs_sentence": "Pairs.",
        "reliability_sentence": "Reliable.",
    }
    assert say.spread_sentence(row) == (
        "Pairs. Together the clinics do not differ more than chance explains (Q 12.3 on 9 degrees of freedom, "
        "p = 0.200). Reliable."
    )
    few = {**row, "reason": "too_few_clinics", "clinics": 7, "reliability_sentence": None, "chance_p": 0.0001}
    assert say.spread_sentence(few).endswith("is estimated from 10 clinics that can be compared; here are 7.")
    assert "p < 0.001" in say.spread_sentence(few)
    assert say.spread_sentence({**few, "pairs": None, "clinics": 3}).endswith("tell any two apart: 3.")
    assert say.spread_sentence({**few, "reason": "no_variation"}).startswith("All patients have the same outcome")
    assert say.spread_sentence(None).startswith("Too few patients")


def test_definitions_are_named_where_a_conclusion_depends_on_them() -> None:
    first, second, third, *_ = CONTRACT.definitions
    rows: list[Row] = [
        {"definition_id": first.definition_id, "conclusion": "as_expected", "depends_on_definition": True},
        {"definition_id": second.definition_id, "conclusion": "below", "depends_on_definition": True},
        {"definition_id": third.definition_id, "conclusion": "as_expected", "depends_on_definition": True},
    ]
    assert say.definition_notice("A", rows, CONTRACT) == (
        f"What is said of A depends on the definition of recovery: as expected under {first.label} and {third.label}; "
        f"below under {second.label}. No definition is accepted by all."
    )
    assert say.definition_notice("A", [{**row, "depends_on_definition": False} for row in rows], CONTRACT) == ""


def test_reasons_for_no_model_name_the_condition() -> None:
    assert say.model_reason("sciatica: too_few_events, neck_pain: separated", str.upper) == (
        "SCIATICA: too few outcomes of one kind for a model; NECK_PAIN: a trait tells the outcome with certainty"
    )
    assert say.model_reason("some_new_reason") == "some new reason"
    assert say.model_reason(None) == ""


# ---- the page ----------------------------------------------------------------------------------


def test_the_funnel_table_equals_the_frame(page: Page, frames: dict[str, pl.DataFrame]) -> None:
    default = CONTRACT.default_definition.definition_id
    rows = frames["clinic_funnel"].filter(pl.col("outcome_id") == default).to_dicts()
    by_place = {(row["condition_id"], row["clinic_key"]): row for row in rows}
    labels = {row["label"]: row["clinic_key"] for row in frames["clinic"].to_dicts()}
    seen = 0
    for condition in ("", *clinic_frames.CONDITIONS):
        found = chosen(page, condition=condition).rows["funnel"]
        assert [row[0] for row in found] == sorted(labels), "alphabetical"
        for label, n, rate, low, high, _, _, words, known, *_ in found:
            row = by_place.get((condition or None, labels[label]))
            if row is None or row["suppressed"]:
                assert n == ("hidden" if row else 0)
                continue
            if row["value"] is None:
                assert (n, rate) == (0, None)
                continue
            assert (n, rate, known) == (
                row["n"],
                round(100 * row["value"] + 1e-9),
                round(100 * row["completeness"] + 1e-9),
            )
            if row["zone"] is None:
                assert words.startswith("Not compared: ")
                assert low is None
            else:
                assert words == say.zone_words(row["zone"])
                assert abs(low - 100 * row["low_95"]) <= 0.5
                assert abs(high - 100 * row["high_95"]) <= 0.5
                seen += 1
    assert seen > 50


@pytest.mark.parametrize(
    ("clinic", "condition"), [("Eastfield", ""), ("Northgate", ""), ("Harbour", "low_back_pain"), (BELOW, "neck_pain")]
)
def test_the_chosen_clinic_is_marked_in_the_charts_of_all(page: Page, clinic: str, condition: str) -> None:
    made = chosen(page, clinic, condition)
    names = [row[0] for row in made.rows["funnel"]]
    (own,) = [row for row in made.rows["funnel"] if row[0] == clinic]
    assert (page.payload or {})["base"]["funnel"]["data"][8]["x"] == []
    every, mark = made.plots["funnel"]["data"][7:]
    assert mark["x"] == [own[1]]
    assert own[1] in every["x"]
    assert every["meta"] == {"drill": "clinic"}
    assert clinic in [data[0] for data in every["customdata"]]
    assert len(made.plots["painfall"]["data"][8]["x"]) == 1
    for card in ("told", "adjusted"):
        (band,) = made.plots[card]["layout"]["shapes"]
        assert band["y1"] == names.index(clinic) + 0.5
    other = chosen(page, "Hillcrest", condition).plots["funnel"]["data"]
    assert other[7] == every, "what is drawn of all does not depend on the choice"
    assert other[8]["x"] != mark["x"]


def test_planted_clinics_are_named_and_the_tiny_one_has_no_number(page: Page) -> None:
    made = chosen(page)
    assert f"{ABOVE} (above)" in made.text["funnel.say"]
    assert f"{BELOW} (below)" in made.text["funnel.say"]
    assert f"{INCOMPLETE} (33% of outcomes known, 60% needed)" in made.text["funnel.say"]
    assert f"{TINY} (fewer than 11 episodes, or beside such a group)" in made.text["funnel.say"]
    above = chosen(page, ABOVE)
    assert above.text["lead.strong"] == f"{ABOVE} is above the range expected"
    assert (above.text["against.number"], above.text["against.unit"]) == ("▲", "Above")
    assert chosen(page, INCOMPLETE).text["lead.strong"] == f"{INCOMPLETE} is not compared"
    assert chosen(page, INCOMPLETE).alert == ["outcomes"]
    tiny = chosen(page, TINY)
    assert not re.search(r"\d", tiny.text["lead.rest"].replace("11", ""))
    for name, text in tiny.text.items():
        if name.split(".")[0] in ("recovered", "against", "outcomes"):
            assert not re.search(r"\d", text.replace("11", "")), name
    assert {step[1] for step in tiny.steps["clinic_funnel"]} == {"hidden"}
    for table in ("funnel", "told", "adjusted", "public"):
        (first, *_) = [row for row in tiny.rows[table] if TINY in row[:2]]
        assert not any(isinstance(cell, int | float) for cell in first[2:]), table
    assert not any(isinstance(cell, int | float) and cell for row in tiny.rows["known"] for cell in row[1:])


def test_the_profile_has_every_condition_by_the_one_rule(page: Page, frames: dict[str, pl.DataFrame]) -> None:
    funnel_rows = frames["clinic_funnel"].filter(
        clinic_key="Northgate", outcome_id=CONTRACT.default_definition.definition_id
    )
    zones = {row["condition_id"]: row["zone"] for row in funnel_rows.to_dicts()}
    made = chosen(page, "Northgate")
    labels = ["All conditions", *(item.label for item in CONTRACT.conditions)]
    assert [row[0] for row in made.rows["conditions"]] == labels, "fixed order"
    shown = dict(zip([None, *clinic_frames.CONDITIONS], [row[6] for row in made.rows["conditions"]], strict=True))
    assert {key: shown[key] for key, zone in zones.items() if zone} == {
        key: say.zone_words(zone) for key, zone in zones.items() if zone
    }
    assert made.text["conditions.say"].startswith("Outside the 99.8% limits: ")
    harbour = chosen(page, "Harbour").text["conditions.say"]
    assert harbour == "Harbour is outside the 99.8% limits for none of 9 conditions."
    assert chosen(page, INCOMPLETE).text["conditions.say"] == f"{INCOMPLETE} can be compared for no condition."


def test_models_say_why_there_is_none(page: Page) -> None:
    without = chosen(page, condition=NO_MODEL)
    assert without.plots["adjusted"] is None
    assert "Too few outcomes of one kind for a model" in without.text["adjusted.none"]
    assert without.plots["model"] is None
    everywhere = chosen(page)
    assert everywhere.text["model.say"] == "A model of recovery could be fitted for 8 of 9 conditions."
    assert "choose one" in everywhere.text["model.none"]
    one = chosen(page, condition=clinic_frames.CONDITIONS[1])
    assert one.plots["model"] is not None
    assert len(one.plots["model"]["data"][1]["x"]) == 4, "the hidden part is left out"
    assert "knows: pain at the first visit, symptoms and age" in one.text["model.say"]


def test_models_say_how_far_what_is_expected_is_pulled_towards_the_mean(page: Page) -> None:
    one = chosen(page, condition=clinic_frames.CONDITIONS[1])
    assert one.text["model.say"].endswith("pulled towards the mean by the factor 0.80.")
    columns = [column.label for column in MODEL.table.columns]
    assert {row[columns.index("Shrinkage")] for row in one.rows["model"]} == {0.8}
    assert {row[-1] for row in one.rows["model"]} == {"Model fitted"}
    assert say.shrinkage_sentence(None) == say.shrinkage_sentence(1.0) == ""


def test_a_model_that_says_nothing_says_so(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    cards = frames["case_mix_model"].with_columns(shrinkage=pl.when(pl.col("shrinkage").is_not_null()).then(0.0))
    without = clinics.build(Published({**frames, "case_mix_model": cards}, CONTRACT), meta)
    one = chosen(without, condition=clinic_frames.CONDITIONS[1])
    assert one.text["model.say"].endswith("so the mean of all is expected of each.")
    assert {row[-1] for row in one.rows["model"]} == {"Says nothing: mean expected of all"}


def test_after_adjustment_the_sentence_says_what_the_limits_allow_for() -> None:
    rows: list[Any] = [None, {"is_widened": None}, {"is_widened": False}]
    assert say.limits_by(rows) == "by chance"
    assert say.limits_by([*rows, {"is_widened": True}]) == "from chance and the usual variation between clinics"


def test_change_over_time_names_the_rule_and_the_gaps(page: Page) -> None:
    gaps = chosen(page)
    assert gaps.text["over.say"].startswith("Stable: month-to-month changes are ordinary variation.")
    assert "2 months with fewer than 11 episodes, or beside such a group" in gaps.text["over.say"]
    assert "2 months in which the 12 weeks are not over" in gaps.text["over.say"]
    hidden = [row for row in gaps.rows["over"] if row[6] == "fewer than 11 episodes, or beside such a group"]
    assert [row[1] for row in hidden] == ["hidden", "hidden"]
    years = chosen(page, "Lakeside")
    assert years.text["over.say"].startswith("Too few years to judge")
    assert "judged" in years.hide
    assert "trial" not in years.hide
    none = chosen(page, condition=NO_MODEL)
    assert none.plots["over"] is None
    assert none.text["over.none"].startswith("Nothing to draw")


def test_small_charts_are_those_with_enough_patients_and_the_others_are_named(page: Page) -> None:
    made = chosen(page)
    titles = [item["text"] for item in made.plots["charts"]["layout"]["annotations"]]
    assert titles == ["<b>Fall in pain</b>", "<b>Outcomes known</b>"]
    assert list(dict.fromkeys(row[0] for row in made.rows["charts"])) == ["Fall in pain", "Outcomes known"]
    assert "Too few patients a month for a chart: neck pain, low back pain" in made.text["charts.say"]
    other = chosen(page, "Harbour").plots["charts"]["data"]
    assert not any(value is None for trace in other for value in trace.values()), "two clinics share no trace"
    years = chosen(page, "Lakeside")
    assert years.plots["charts"] is None
    assert years.text["charts.none"] == "Nothing else of this clinic can be charted."


def test_public_measures_say_what_is_met_and_left_out(page: Page) -> None:
    assert chosen(page, ABOVE).text["public.say"].startswith("8 measures of registries")
    assert f"{ABOVE} meets 3 of 3" in chosen(page, ABOVE).text["public.say"]
    assert "Harbour meets 0 of 3" in chosen(page, "Harbour").text["public.say"]
    headache = chosen(page, condition="tension_headache")
    assert headache.text["public.say"] == (
        "No public measure of these two kinds for tension headache: no public measure of these two kinds is about "
        "headache."
    )
    rows = chosen(page).rows["public"]
    assert [row[1] for row in rows[:2]] == ["Eastfield", "All clinics"]
    shoulder = [row for row in rows if "houlder" in row[0] or "pper" in row[0]]
    assert {row[-1] for row in shoulder} == {"Shoulder impingement: too few outcomes of one kind for a model"}
    assert {row[12] for row in rows if "QCDR" in row[0]} == {"No mark in the text"}
    assert any("wording not verified" in row[0] for row in rows)
    neck = [row for row in rows if row[0].startswith("Neck") and "MIPS" in row[0]]
    assert {row[-1] for row in neck} == {"Expected by the source's own model"}


def test_adjusted_gains_have_their_labels(indexed: ClinicFrames, meta: SiteMeta) -> None:
    (gain,) = clinic_gains.cards(indexed, meta)
    places = {row[0]: row[-1] for row in gain.rows}
    assert places[ABOVE] == say.zone_words("above")
    assert places[INCOMPLETE] == "Not adjusted: too few records"
    assert places[TINY] == "fewer than 11 episodes, or beside such a group"
    assert [row[0] for row in gain.rows] == sorted(places)
    assert f"Above the 99.8% limits: {ABOVE}." in gain.card.say
    assert gain.card.spec is not None
    assert "not adjusted" in gain.card.say


def test_no_small_group_leaves_a_number(page: Page, meta: SiteMeta) -> None:
    hidden = {**sample_frames.network(), **clinic_frames.all_hidden(sample_frames.CLINICS)}
    hidden["pain_change"] = hidden["pain_change"].clear()
    made = clinics.build(Published(hidden, CONTRACT), meta)
    for clinic, condition in (("Eastfield", ""), ("Eastfield", "sciatica"), (ABOVE, "")):
        state = chosen(made, clinic, condition)
        for table, rows in state.rows.items():
            for row in rows:
                assert not any(isinstance(cell, int | float) and cell for cell in row), table
        for name, text in state.text.items():
            assert name.endswith(".read") or not re.search(r"\d", HARMLESS.sub("", text)), (name, text)
        assert state.plots["funnel"] is None
    for row in chosen(page).rows["funnel"]:
        assert row[1] == "hidden" or row[1] == 0 or row[1] >= 11


def test_clinics_without_names_are_points_and_nothing_else(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    """A clinic's own bundle: the others are drawn, cannot be chosen, and have no row where they have no number."""
    own = {
        name: frame.filter(pl.col("clinic_key").is_null() | (pl.col("clinic_key") == "Harbour"))
        if "clinic_key" in frame.columns
        else frame
        for name, frame in frames.items()
    }
    others = frames["clinic_funnel"].filter(pl.col("clinic_key").is_in([ABOVE, BELOW]))
    kept = ("condition_id", "outcome_id", "clinic_key", "n", "value", "zone", "network", "suppressed")
    peers = others.select(
        pl.col("clinic_key").replace({ABOVE: f"{PEER} 1", BELOW: f"{PEER} 2"})
        if name == "clinic_key"
        else (pl.col(name) if name in kept else pl.lit(None, dtype).alias(name))
        for name, dtype in others.schema.items()
    )
    own["clinic_funnel"] = pl.concat([own["clinic_funnel"], peers])
    page = clinics.build(Published(own, CONTRACT), meta)
    data: dict[str, Any] = page.payload or {}
    assert data["filters"][0]["values"] == [["Harbour", "Harbour"]]
    assert page.chunks == {}
    made = chosen(page, "Harbour")
    assert [row[0] for row in made.rows["funnel"]] == ["Harbour", f"{PEER} 1", f"{PEER} 2"]
    assert len(made.plots["funnel"]["data"][7]["x"]) == 3
    assert [row[0] for row in made.rows["told"]] == ["Harbour"]
    assert f"{PEER} 1 (above)" in made.text["funnel.say"]
    assert ABOVE not in script_json(data) + page.body


def test_missing_frames_leave_their_cards_out(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    only = {name: frames[name] for name in ("recovery_by_condition", "clinic", "clinic_funnel", "clinic_shrunken")}
    page = clinics.build(Published(only, CONTRACT), meta)
    assert page.payload is not None
    assert set(page.payload["cards"]) == {"funnel", "conditions", "painfall", "told"}
    assert 'class="card w12" aria-labelledby="told-q"' in page.body
    assert set(chosen(page).rows) == {"funnel", "conditions", "painfall", "told", "spread"}
    assert NO_DATA in clinics.build(Published({}, CONTRACT), meta).body


def test_nobody_is_ranked_and_nothing_is_claimed(page: Page) -> None:
    words = f"{page.payload} {page.chunks} {page.body}"
    assert not re.search(
        r"\b(rank(s|ed)? (first|second|last)|best clinic|worst clinic|league|grade)\b", words, re.IGNORECASE
    )
    assert causal_claims(words) == []


def test_every_clinic_is_loaded_when_it_is_chosen_and_is_light(page: Page, network_site: Path) -> None:
    data: dict[str, Any] = page.payload or {}
    files = data["chunks"]["files"]
    assert files[0] == ""
    assert len(files) == len(data["filters"][0]["values"])
    assert all((network_site / name).is_file() for name in files[1:])
    assert {part["by"] == ["condition"] or part["by"] == [] for parts in page.chunks.values() for part in parts} == {
        True
    }
    for weight in (script_json(data), *(script_json(parts) for parts in page.chunks.values())):
        assert len(weight.encode()) <= 400_000
        assert len(gzip.compress(weight.encode())) <= 75_000
