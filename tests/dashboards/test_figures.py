"""Every figure is valid for normal, single, hidden and no rows, holds plain lists and knows both themes."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from dashboards.figures import (
    check_status,
    completeness,
    count_bars,
    recovery_curve,
    recovery_dot,
    score_change,
    time_dot,
)
from dashboards.figures.build import difference
from dashboards.theme import CLEAR, DARK_OF_LIGHT, LIGHT
from tests.dashboards import sample_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from plotly import graph_objects as go

Row = dict[str, Any]
RATE: Row = {
    "label": "Neck pain",
    "note": "n 100",
    "rate": 0.643,
    "rate_low": 0.61,
    "rate_high": 0.68,
    "n": 100,
    "network": 0.6,
    "words": "",
}
HIDDEN_RATE: Row = {
    **dict.fromkeys(RATE),
    "label": "Sciatica",
    "note": "",
    "words": "fewer than 11 episodes, or beside such a group",
}
KNOWN: Row = {"label": "Harbour", "completeness": 0.7, "words": "", "is_selected": True}
COUNT: Row = {"label": "Out of range", "note": "measurement", "value": 12, "words": ""}
SCORE: Row = {"label": "Week 4", "note": "", "first": 5.84, "last": 3.0, "words": ""}
TIME: Row = {"label": "Neck pain", "note": "n 90", "median": 7.4, "low": 6.1, "high": None, "network": 8.0, "words": ""}
STATUS: Row = {"label": "Visit", "passed": 3, "warned": 1, "failed": 0, "not_run": 2}
BUILDERS: dict[str, tuple[Callable[[pl.DataFrame], go.Figure], Row, Row]] = {
    "dot": (lambda frame: recovery_dot.figure(frame, "Recovered", 0.6), RATE, HIDDEN_RATE),
    "completeness": (
        completeness.figure,
        KNOWN,
        {**KNOWN, "completeness": None, "words": "fewer than 11 episodes, or beside such a group"},
    ),
    "bars": (lambda frame: count_bars.figure(frame, "Rows"), COUNT, {**COUNT, "value": None, "words": "hidden"}),
    "scores": (lambda frame: score_change.figure(frame, "points"), SCORE, {**SCORE, "first": None, "last": None}),
    "times": (lambda frame: time_dot.figure(frame, 8.2), TIME, {**TIME, "median": None, "words": "Not reached"}),
    "status": (check_status.figure, STATUS, {**STATUS, "passed": 0, "warned": 0, "not_run": 0}),
}
COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}|rgba?\([^)]*\)")


@pytest.mark.parametrize("name", BUILDERS)
def test_valid_for_any_number_of_rows(name: str) -> None:
    build, shown, hidden = BUILDERS[name]
    schema = pl.DataFrame([shown]).schema
    for rows in ([shown, hidden, shown], [shown], [hidden, hidden], []):
        made = build(pl.DataFrame(rows, schema=schema))
        assert len(made.layout.yaxis.ticktext or ()) == len(rows)
        assert made.layout.height > 0
        _no_arrays(made)


def test_curve_stops_where_too_few_are_left() -> None:
    frame = sample_frames.network()["recovery_curve"].filter(pl.col("clinic_key").is_null(), pl.col("care") == "any")
    cut = frame.with_columns(shown=pl.col("day") <= 70)
    made = recovery_curve.figure(cut, frame)
    assert list(made.data[4].x) == list(range(11))
    assert list(made.data[2].x) == list(range(25))
    assert made.data[4].y[4] == pytest.approx(100 * frame["recovered_share"][4], abs=0.05)
    for empty in (frame.clear(), frame.with_columns(shown=pl.lit(value=False)), frame.head(1)):
        _no_arrays(recovery_curve.figure(empty))


def test_dot_keeps_the_order_of_rows_and_says_why_one_is_missing() -> None:
    made = recovery_dot.spec([{**RATE, "rate": 0.2}, HIDDEN_RATE, {**RATE, "rate": 0.9}], "Recovered")  # type: ignore[list-item]
    overall, network, rates, words = made["data"]
    assert overall["x"] == []
    assert network["y"] == [0, 2]
    assert (rates["y"], rates["text"]) == ([0, 2], ["20%", "90%"])
    assert (words["y"], words["text"]) == ([1], ["fewer than 11 episodes, or beside such a group"])


def test_interval_ends_where_the_published_interval_ends() -> None:
    rates = recovery_dot.spec([RATE], "Recovered")["data"][2]  # type: ignore[list-item]
    assert rates["x"][0] + rates["error_x"]["array"][0] == pytest.approx(68)
    assert rates["x"][0] - rates["error_x"]["arrayminus"][0] == pytest.approx(61)


def test_below_target_has_another_shape() -> None:
    rows = [{**KNOWN, "completeness": share} for share in (0.8, 0.794, 0.796)]
    reached, missed, _ = completeness.spec(rows)["data"]  # type: ignore[arg-type]
    assert (reached["y"], reached["marker"]["symbol"]) == ([0, 2], "circle")
    assert (missed["y"], missed["marker"]["symbol"]) == ([1], "triangle-down")


def test_an_open_interval_ends_in_an_arrow_and_a_closed_one_does_not() -> None:
    rows = [TIME, {**TIME, "high": 9.0}, {**TIME, "median": None, "words": "Not reached"}]
    _, network, medians, arrows, words = time_dot.spec(rows)["data"]  # type: ignore[arg-type]
    assert arrows["y"] == [0]
    assert [x + gap for x, gap in zip(medians["x"], medians["error_x"]["array"], strict=True)] == [24, 9.0]
    assert (words["y"], words["text"]) == ([2], ["Not reached"])
    assert "upper" not in medians["hovertext"][1]
    assert "not reached" in medians["hovertext"][0]
    assert network["x"] == [8.0, 8.0, 8.0]


def test_a_fall_that_matters_is_marked_below_the_first_score() -> None:
    look = score_change.Look((0, 10), fall=2)
    marked = score_change.spec([SCORE], "points", look)["data"]  # type: ignore[list-item]
    plain = score_change.spec([SCORE], "points")["data"]  # type: ignore[list-item]
    assert marked[1]["x"] == [3.8]
    assert [trace for trace in marked if trace is not marked[1]] == plain


@pytest.mark.parametrize("name", BUILDERS)
def test_labels_cannot_become_markup(name: str) -> None:
    build, shown, _ = BUILDERS[name]
    ticks = build(pl.DataFrame([{**shown, "label": "<a href='x'>&"}])).layout.yaxis.ticktext[0]
    assert "<a" not in ticks
    assert "&lt;a href='x'&gt;&amp;" in ticks


@pytest.mark.parametrize("name", BUILDERS)
def test_every_colour_has_a_dark_one(name: str) -> None:
    build, shown, hidden = BUILDERS[name]
    found = set(COLOUR.findall(build(pl.DataFrame([shown, hidden])).to_json()))
    assert found <= set(LIGHT.values()) | {CLEAR}
    assert len(DARK_OF_LIGHT) == len(LIGHT), "two tokens share a light colour: the dark one would be ambiguous"


@pytest.mark.parametrize(
    ("base", "other"),
    [
        ({"a": 1, "b": [1, 2]}, {"a": 2, "b": [1]}),
        ({"data": [{"x": [1], "y": [1]}, {"x": [2]}]}, {"data": [{"x": [3], "y": [1]}, {"x": [2], "z": {"k": 1}}]}),
        ({"data": [{"x": 1}]}, {"data": [{"x": 1}, {"x": 2}]}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_difference_leads_from_one_figure_to_the_other(base: Any, other: Any) -> None:
    change = difference(base, other)
    assert (change is None) == (base == other)
    assert _merged(copy.deepcopy(base), change) == other


def _merged(base: Any, change: Any) -> Any:
    """Merge as the page engine does."""
    if change is None:
        return base
    for key, value in change.items():
        place = int(key) if isinstance(base, list) else key
        nested = isinstance(value, dict) and (isinstance(base, list) or isinstance(base.get(place), dict | list))
        base[place] = _merged(base[place], value) if nested else value
    return base


def _no_arrays(made: go.Figure) -> None:
    text = made.to_json()
    assert "bdata" not in text
    assert "mapbox" not in text
    json.loads(text)
