"""Clinics: the zone decides, nobody is ranked, nothing small is shown, and states written as differences are whole."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.wording import causal_claims
from dashboards import clinic_words as say
from dashboards.figures import calibration, control_chart, funnel
from dashboards.pages import clinic_gains, clinics, clinics_state
from dashboards.pages.clinic_frames import ClinicFrames
from dashboards.pages.clinics_state import Selection
from dashboards.pages.frame import NO_DATA
from dashboards.pages.parts import Card, Column, State, Table
from dashboards.pages.payload import states_json
from dashboards.published import Published
from dashboards.site import build_site
from dashboards.theme import CLEAR, DARK_OF_LIGHT
from tests.dashboards import clinic_frames, sample_frames
from tests.dashboards.clinic_frames import ABOVE, BELOW, INCOMPLETE, NO_MODEL, TINY
from tests.dashboards.test_figures import _merged
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from pathlib import Path

    from plotly import graph_objects as go

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
def data(network_site: Path) -> dict[str, Any]:
    return payload(network_site / "data" / "clinics.js")


def text_of(indexed: ClinicFrames, meta: SiteMeta, clinic: str | None = None, condition: str | None = None) -> State:
    everybody = clinics_state.state(Selection(indexed, meta, None, condition))
    return everybody if clinic is None else clinics_state.state(Selection(indexed, meta, clinic, condition), everybody)


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
        "than 11 episodes); G (no episodes); H (no known outcome)."
    )
    assert say.funnel_counts([row for _, row in rows], "Neck pain") == (
        "1 of 3 clinics is within the range expected",
        " (Neck pain). 5 are not compared.",
    )
    assert say.funnel_sentence([("E", NO_ROW)], meta) == (
        "No clinic can be compared. Not compared: E (fewer than 11 episodes)."
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
    assert "99% of 90 episodes" in rest


def test_lead_of_a_clinic_that_is_not_compared_says_why(meta: SiteMeta) -> None:
    assert say.clinic_lead("A", "Neck pain", NO_ROW, None, meta) == (
        "A is not compared",
        " (Neck pain): fewer than 11 episodes.",
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


def named(data: dict[str, Any], table: str, rows: list[list[Any]]) -> list[Row]:
    columns = [f"{place} {column[0]}" for place, column in enumerate(data["tables"][table]["columns"])]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def full_state(data: dict[str, Any], key: str) -> dict[str, Any]:
    """A state as the page engine puts it together."""
    own = data["states"][key]
    if "like" not in own:
        return copy.deepcopy(own)
    made: dict[str, Any] = _merged(copy.deepcopy(data["states"][own["like"]]), own)
    return made


def test_the_funnel_table_equals_the_frame(data: dict[str, Any], frames: dict[str, pl.DataFrame]) -> None:
    default = CONTRACT.default_definition.definition_id
    rows = frames["clinic_funnel"].filter(pl.col("outcome_id") == default).to_dicts()
    by_place = {(row["condition_id"], row["clinic_key"]): row for row in rows}
    labels = {row["label"]: row["clinic_key"] for row in frames["clinic"].to_dicts()}
    seen = 0
    for place, (condition, _) in enumerate(data["filters"][1]["values"]):
        cells = data["states"][f"0|{place}"]["rows"]["funnel"]
        assert [row[0] for row in cells] == sorted(labels), "alphabetical"
        for label, n, rate, low, high, _, _, words, known, *_ in cells:
            row = by_place.get((condition or None, labels[label]))
            if row is None or row["suppressed"]:
                assert n == ("<11" if row else 0)
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


def test_states_written_as_differences_are_whole(indexed: ClinicFrames, meta: SiteMeta, data: dict[str, Any]) -> None:
    """Of the chosen clinic only what differs is written; together with all clinics it is the full state."""
    names = [value[0] for value in data["filters"][0]["values"]]
    conditions = [value[0] for value in data["filters"][1]["values"]]
    shared = 0
    for key in ("7|0", "6|2", "12|9", "1|1"):
        clinic, condition = (int(part) for part in key.split("|"))
        expected = text_of(indexed, meta, names[clinic] or None, conditions[condition] or None)
        made = full_state(data, key)
        assert {name: text for name, text in made["text"].items() if text} == {
            name: text for name, text in expected.text.items() if text
        }
        assert made["rows"] == expected.rows
        assert sorted(made["hide"]) == sorted(expected.hide)
        for card, base in data["base"].items():
            if card.startswith("gain"):
                continue
            spec = expected.plots[card]
            change = made["plots"].get(card, {})
            assert (change is None) == (spec is None)
            if spec is not None:
                drawn = _merged(copy.deepcopy(base), change)
                assert [trace.get("x") for trace in drawn["data"]] == [trace.get("x") for trace in spec["data"]]
                assert [trace.get("y") for trace in drawn["data"]] == [trace.get("y") for trace in spec["data"]]
        shared += len(expected.rows) - len(data["states"][key]["rows"])
    assert shared > 0


def test_a_figure_that_only_one_of_two_like_states_has() -> None:
    table = Table("t", "T", (Column("A"),))
    spec = {"data": [{"type": "scatter", "x": [1]}], "layout": {"height": 9}}
    card = Card("c", "?", 12, "", table, spec=spec)
    none, one = State(plots={"c": None}), State(plots={"c": spec}, text={"a": "b"})
    written = states_json({"0": none, "1": one, "2": none}, [card], {"1": "0", "2": "1"})
    assert written["1"] == {"like": "0", "text": {"a": "b"}, "plots": {"c": spec}, "rows": {}, "alert": [], "hide": []}
    assert written["2"]["plots"] == {"c": None}
    assert written["2"]["text"] == {"a": ""}


def test_planted_clinics_are_named_and_the_tiny_one_has_no_number(indexed: ClinicFrames, meta: SiteMeta) -> None:
    made = text_of(indexed, meta)
    assert f"{ABOVE} (above)" in made.text["funnel.say"]
    assert f"{BELOW} (below)" in made.text["funnel.say"]
    assert f"{INCOMPLETE} (33% of outcomes known, 60% needed)" in made.text["funnel.say"]
    assert f"{TINY} (fewer than 11 episodes)" in made.text["funnel.say"]
    assert text_of(indexed, meta, ABOVE).text["lead.strong"] == f"{ABOVE} is above the range expected"
    assert text_of(indexed, meta, INCOMPLETE).text["lead.strong"] == f"{INCOMPLETE} is not compared"
    tiny = text_of(indexed, meta, TINY)
    assert not re.search(r"\d", tiny.text["lead.rest"].replace("11", ""))
    for table in ("funnel", "told", "adjusted", "known", "public"):
        (first, *_) = [row for row in tiny.rows[table] if TINY in row[:2]]
        assert not any(isinstance(cell, int | float) for cell in first[2:])


def test_models_say_why_there_is_none(indexed: ClinicFrames, meta: SiteMeta) -> None:
    without = text_of(indexed, meta, None, NO_MODEL)
    assert without.plots["adjusted"] is None
    assert "Too few outcomes of one kind for a model" in without.text["adjusted.none"]
    assert without.plots["model"] is None
    everywhere = text_of(indexed, meta)
    assert everywhere.text["model.say"] == "A model of recovery could be fitted for 8 of 9 conditions."
    assert "choose one" in everywhere.text["model.none"]
    one = text_of(indexed, meta, None, clinic_frames.CONDITIONS[1])
    assert one.plots["model"] is not None
    assert len(one.plots["model"]["data"][1]["x"]) == 4, "the hidden part is left out"
    assert "knows: pain at the first visit, symptoms and age" in one.text["model.say"]


def test_models_say_how_far_what_is_expected_is_pulled_towards_the_mean(indexed: ClinicFrames, meta: SiteMeta) -> None:
    one = text_of(indexed, meta, None, clinic_frames.CONDITIONS[1])
    assert one.text["model.say"].endswith("pulled towards the mean by the factor 0.80.")
    columns = [column.label for column in clinics.MODEL.table.columns]
    assert {row[columns.index("Shrinkage")] for row in one.rows["model"]} == {0.8}
    assert {row[-1] for row in one.rows["model"]} == {"Model fitted"}
    assert say.shrinkage_sentence(None) == say.shrinkage_sentence(1.0) == ""


def test_a_model_that_says_nothing_says_so(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    cards = frames["case_mix_model"].with_columns(shrinkage=pl.when(pl.col("shrinkage").is_not_null()).then(0.0))
    without = ClinicFrames(Published({**frames, "case_mix_model": cards}, CONTRACT))
    one = text_of(without, meta, None, clinic_frames.CONDITIONS[1])
    assert one.text["model.say"].endswith("so the mean of all is expected of each.")
    assert {row[-1] for row in one.rows["model"]} == {"Says nothing: mean expected of all"}


def test_after_adjustment_the_sentence_says_what_the_limits_allow_for() -> None:
    rows: list[Any] = [None, {"is_widened": None}, {"is_widened": False}]
    assert say.limits_by(rows) == "by chance"
    assert say.limits_by([*rows, {"is_widened": True}]) == "from chance and the usual variation between clinics"


def test_change_over_time_names_the_rule_and_the_gaps(indexed: ClinicFrames, meta: SiteMeta) -> None:
    made = text_of(indexed, meta)
    assert made.text["over.say"].startswith("Improving: above the upper limit in April 2026.")
    assert "2 months in which the 12 weeks are not over" in made.text["over.say"]
    assert made.rows["over"][27][6:] == ["▲ Signal for the better", "outside a limit, 7 on one side of the average"]
    gaps = text_of(indexed, meta, "Eastfield")
    assert "2 months with fewer than 11 episodes" in gaps.text["over.say"]
    hidden = [row for row in gaps.rows["over"] if row[6] == "fewer than 11 episodes"]
    assert [row[1] for row in hidden] == ["<11", "<11"]
    years = text_of(indexed, meta, "Lakeside")
    assert years.text["over.say"].startswith("Too few years to judge")
    assert "judged" in years.hide
    assert "trial" not in years.hide
    none = text_of(indexed, meta, "Eastfield", NO_MODEL)
    assert none.plots["over"] is None
    assert none.text["over.none"].startswith("Nothing to draw")


def test_public_measures_say_what_is_met_and_left_out(indexed: ClinicFrames, meta: SiteMeta) -> None:
    everywhere = text_of(indexed, meta)
    assert everywhere.text["public.say"].startswith("8 measures of registries")
    assert f"{ABOVE} meets 3 of 3" in text_of(indexed, meta, ABOVE).text["public.say"]
    assert "Harbour meets 0 of 3" in text_of(indexed, meta, "Harbour").text["public.say"]
    headache = text_of(indexed, meta, None, "tension_headache")
    assert headache.rows["public"] == []
    assert headache.text["public.say"].endswith("no public measure of these two kinds is about headache.")
    shoulder = text_of(indexed, meta, None, "shoulder_impingement").rows["public"]
    assert {row[-1] for row in shoulder if row[1] != TINY} == {
        "Shoulder impingement: too few outcomes of one kind for a model"
    }
    assert {row[12] for row in shoulder if "QCDR" in row[0] and row[1] != TINY} == {"No mark in the text"}
    assert any("wording not verified" in row[0] for row in shoulder)
    neck = text_of(indexed, meta, None, "neck_pain").rows["public"]
    assert {row[-1] for row in neck if "MIPS" in row[0] and row[1] != TINY} == {"Expected by the source's own model"}


def test_adjusted_gains_have_their_labels(indexed: ClinicFrames, meta: SiteMeta) -> None:
    (gain,) = clinic_gains.cards(indexed, meta)
    places = {row[0]: row[-1] for row in gain.rows}
    assert places[ABOVE] == say.zone_words("above")
    assert places[INCOMPLETE] == "Not adjusted: too few records"
    assert places[TINY] == "fewer than 11 episodes"
    assert [row[0] for row in gain.rows] == sorted(places)
    assert f"Above the 99.8% limits: {ABOVE}." in gain.card.say
    assert gain.card.spec is not None
    assert "not adjusted" in gain.card.say


def test_no_small_group_leaves_a_number(data: dict[str, Any], meta: SiteMeta, tmp_path: Path) -> None:
    hidden = {**sample_frames.network(), **clinic_frames.all_hidden(sample_frames.CLINICS)}
    build_site(hidden, CONTRACT, meta, tmp_path)
    made = payload(tmp_path / "data" / "clinics.js")
    for key in ("0|0", "0|3", "7|0"):
        state = full_state(made, key)
        for table, rows in state["rows"].items():
            for row in rows:
                assert not any(isinstance(cell, int | float) for cell in row), table
        for name, text in state["text"].items():
            assert not re.search(r"\d", HARMLESS.sub("", text)), name
    assert made["states"]["0|0"]["plots"]["funnel"] is None
    for row in data["states"]["0|0"]["rows"]["funnel"]:
        assert row[1] == "<11" or row[1] == 0 or row[1] >= 11


def test_missing_frames_leave_their_cards_out(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    only = {name: frames[name] for name in ("recovery_by_condition", "clinic", "clinic_funnel", "clinic_shrunken")}
    page = clinics.build(Published(only, CONTRACT), meta)
    assert page.payload is not None
    assert set(page.payload["cards"]) == {"funnel", "told"}
    assert 'class="card w12" aria-labelledby="told-q"' in page.body
    assert set(page.payload["states"]["0|0"]["rows"]) == {"funnel", "told", "spread"}
    assert NO_DATA in clinics.build(Published({}, CONTRACT), meta).body


def test_nobody_is_ranked_and_nothing_is_claimed(data: dict[str, Any]) -> None:
    words = str(data)
    assert not re.search(
        r"\b(rank(s|ed)? (first|second|last)|best clinic|worst clinic|league|grade)\b", words, re.IGNORECASE
    )
    assert causal_claims(words) == []


def test_overview_says_what_depends_on_the_definition(network_site: Path, frames: dict[str, pl.DataFrame]) -> None:
    said = payload(network_site / "data" / "index.js")["states"]
    flagged = frames["definition_sensitivity"].filter(pl.col("depends_on_definition"))
    conditions = set(flagged.filter(pl.col("clinic_key").is_null())["condition_id"])
    labels = [item.sentence_label for item in CONTRACT.conditions if item.condition_id in conditions]
    assert labels
    text = said["0|0"]["text"]["variants.say"]
    assert f"Whether most recover depends on it for {say.names(labels)}." in text
    assert "depends on it" not in said["0|1"]["text"]["variants.say"], "care has no funnel"
    places = set(flagged.filter(pl.col("clinic_key") == "Harbour")["condition_id"])
    assert ("depends on it" in said["2|0"]["text"]["variants.say"]) == bool(places)
