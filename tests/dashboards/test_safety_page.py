"""Treatment and safety: no number where groups cannot be compared, a bound at zero, not recorded is never none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT, contrasts
from assets.contract.wording import causal_claims
from dashboards.care_words import covariate_label, groups_of, short_verdict, verdict
from dashboards.figures import balance, care_pair, event_gaps, interval_dot, share_bars
from dashboards.pages import care_events, care_evidence, safety
from dashboards.published import Published
from dashboards.sentences import NOT_RANDOMISED
from dashboards.site import build_site
from dashboards.theme import CLEAR, DARK_OF_LIGHT
from dashboards.words import DASH
from tests.dashboards import care_frames, sample_frames
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plotly import graph_objects as go

    from dashboards.site import SiteMeta

Row = dict[str, Any]
ESTIMATE: Row = {"label": "Neck", "note": "n 9", "value": 3.2, "low": -1.0, "high": 7.4, "text": "+3.2", "words": ""}
PAIR: Row = {"label": "Neck", "note": "", "treated": 56.0, "control": 48.0, "words": ""}
SHARE: Row = {"label": "Massage", "share": 0.83, "wider": 0.7, "words": ""}
TRAIT: Row = {"label": "Age", "before": 0.2, "after": 0.0}
BUILDERS: dict[str, tuple[Callable[[pl.DataFrame], go.Figure], Row, Row]] = {
    "interval": (
        lambda frame: interval_dot.figure(frame, "points"),
        ESTIMATE,
        {**ESTIMATE, "value": None, "low": None, "high": None, "text": "", "words": "not shown"},
    ),
    "pair": (
        lambda frame: care_pair.figure(frame, "Recovered", "%", 100),
        PAIR,
        {**PAIR, "treated": None, "control": None, "words": "fewer than 11 patients, or beside such a group"},
    ),
    "shares": (
        lambda frame: share_bars.figure(frame, "Share"),
        SHARE,
        {**SHARE, "share": None, "wider": None, "words": "not recorded"},
    ),
    "balance": (balance.figure, TRAIT, {**TRAIT, "before": None, "after": None}),
}
COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}|rgba?\([^)]*\)")
TABLES_OF_COUNTS = ("mix", "who", "twitch", "asked", "precautions")


@pytest.fixture(scope="module")
def network() -> dict[str, pl.DataFrame]:
    return sample_frames.network()


@pytest.fixture(scope="module")
def data(network_site: Path) -> dict[str, Any]:
    return payload(network_site / "data" / "safety.js")


@pytest.fixture(scope="module")
def hidden_data(meta: SiteMeta, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("hidden")
    build_site({**sample_frames.network(), **care_frames.all_hidden(sample_frames.CLINICS)}, CONTRACT, meta, out)
    return payload(out / "data" / "safety.js")


def comparison(frames: dict[str, pl.DataFrame], failed: str) -> Row:
    return frames["care_comparison"].filter(pl.col("verdict") == failed).row(0, named=True)


@pytest.mark.parametrize("name", BUILDERS)
def test_figures_are_valid_for_any_number_of_rows(name: str) -> None:
    build, shown, hidden = BUILDERS[name]
    schema = pl.DataFrame([shown]).schema
    for rows in ([shown, hidden, shown], [shown], [hidden, hidden], []):
        made = build(pl.DataFrame(rows, schema=schema))
        assert len(made.layout.yaxis.ticktext or ()) == len(rows)
        assert "bdata" not in made.to_json()
        assert set(COLOUR.findall(made.to_json())) <= set(DARK_OF_LIGHT) | {CLEAR}


@pytest.mark.parametrize("name", BUILDERS)
def test_figures_take_labels_for_text(name: str) -> None:
    build, shown, _ = BUILDERS[name]
    assert "<a" not in build(pl.DataFrame([{**shown, "label": "<a href='x'>&"}])).layout.yaxis.ticktext[0]


def test_interval_ends_where_it_is_published_and_zero_has_its_line_where_it_means_something() -> None:
    zero, marks, _ = interval_dot.spec([ESTIMATE], "points")["data"]  # type: ignore[list-item]
    assert marks["x"][0] + marks["error_x"]["array"][0] == pytest.approx(7.4)
    assert marks["x"][0] - marks["error_x"]["arrayminus"][0] == pytest.approx(-1.0)
    assert zero["x"] == [0, 0, None]
    positive = interval_dot.spec([{**ESTIMATE, "low": 1.0}], "points")  # type: ignore[list-item]
    assert positive["data"][0]["x"] == []
    assert positive["layout"]["xaxis"]["range"][0] < 0 < positive["layout"]["xaxis"]["range"][1]


def test_pairs_keep_their_shapes_and_numbers_outside() -> None:
    rows = [PAIR, {**PAIR, "treated": 40.0}, {**PAIR, "treated": 48.0}]
    one, other, _ = care_pair.spec(rows, "Recovered", "%", 100)["data"]  # type: ignore[arg-type]
    assert (one["marker"]["symbol"], other["marker"]["symbol"]) == ("circle", "diamond-open")
    assert one["textposition"] == ["middle right", "middle left", "middle right"]
    assert other["textposition"] == ["middle left", "middle right", "middle left"]


def test_a_few_of_many_are_not_none() -> None:
    rows = [{**SHARE, "share": share} for share in (0.0, 0.0037, 0.005, 1.0)]
    assert share_bars.spec(rows, "Share")["data"][0]["text"] == ["0%", "&lt;1%", "1%", "100%"]  # type: ignore[arg-type]


def test_gap_chart_parts_signals_by_shape(network: dict[str, pl.DataFrame]) -> None:
    frame, chart = network["adverse_event_gap"], network["adverse_event_chart"]
    made = event_gaps.figure(frame, chart["centre"][0], chart["upper_limit"][0])
    line, ordinary, long, short, centre, upper = made.data
    assert len(line.x) == frame.height == len(ordinary.x) + len(long.x) + len(short.x)
    assert list(long.y) == [4000]
    assert long.marker.symbol == "triangle-up"
    assert centre.y[0] < upper.y[0]
    for empty in (frame.clear(), frame.with_columns(sessions_between=pl.lit(None, pl.Int64))):
        assert event_gaps.figure(empty, None, None).data[0].x == ()


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (
            "max_smd",
            (
                "Not shown: the groups still differ after weighting (largest standardised difference 0.14; limit "
                f"{contrasts.LARGEST_SMD:.2f})"
            ),
        ),
        ("equipoise", "Not shown: only 12% of the patients might well have been in either group (limit 20%)"),
        ("effective_size", "Not shown: effective sample size of the smaller group 35 (limit 50)"),
        (
            "positivity",
            (
                "Not shown: too few patients are in clinics that treat some with needling and some without "
                "(2 clinics left out)"
            ),
        ),
        ("separated", "Not shown: no model could be fitted (a trait tells the care with certainty)"),
        ("too_many_covariates", "Not shown: fewer than 5 patients for each trait to adjust for"),
    ],
)
def test_a_diagnostic_that_failed_is_named_with_its_value(
    network: dict[str, pl.DataFrame], meta: SiteMeta, failed: str, words: str
) -> None:
    row = comparison(network, failed)
    assert verdict(row, meta) == words
    assert short_verdict(row, meta).startswith("not shown: ")
    assert causal_claims(f"{words} {short_verdict(row, meta)}") == []


def test_balance_beyond_the_model_is_named(network: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    row = comparison(network, "max_smd") | {"max_smd_after": 0.01, "max_smd_beyond": 0.38}
    assert "squares and products" in verdict(row, meta)
    assert "0.38" in verdict(row, meta)


def test_small_groups_have_words(meta: SiteMeta) -> None:
    for row in (None, {"suppressed": True}):
        assert verdict(row, meta) == "Not shown: fewer than 11 patients, or beside such a group"
        assert short_verdict(row, meta) == "fewer than 11 patients, or beside such a group"


def test_groups_and_traits_have_names() -> None:
    assert groups_of("with_or_without_needling") == ("With dry needling", "Without dry needling")
    assert groups_of("needling_or_massage") == ("Dry needling, no massage", "Massage, no dry needling")
    assert all(groups_of(item.contrast_id) for item in contrasts.CONTRASTS)
    assert covariate_label("age_years", {}) == "Age"
    assert covariate_label("condition_id=neck", {"neck": "Neck pain"}) == "Condition: Neck pain"
    assert covariate_label("symptom_duration=chronic", {}) == "Symptoms over 12 weeks"
    assert covariate_label("sex=others", {}) == "Sex: others together"


def test_adjusted_numbers_stand_only_where_every_diagnostic_passed(
    network: dict[str, pl.DataFrame], data: dict[str, Any], meta: SiteMeta
) -> None:
    chosen = [value[0] for value in data["filters"][0]["values"]]
    outcomes = [value[0] for value in data["filters"][1]["values"]]
    labels = {None: "All conditions"} | {item.condition_id: item.label for item in CONTRACT.conditions}
    rows = {
        (row["contrast_id"], row["outcome_id"], labels[row["condition_id"]]): row
        for row in network["care_comparison"].to_dicts()
    }
    seen = {True: 0, False: 0}
    for key, state in data["states"].items():
        contrast, outcome = (int(place) for place in key.split("|"))
        for label, difference, ends, *_ in state["rows"]["adjusted"]:
            row = rows[chosen[contrast], outcomes[outcome], label]
            is_shown = row["verdict"] == "shown" and not row["suppressed"]
            assert (difference == verdict(row, meta)) is not is_shown
            assert (ends == DASH) is not is_shown
            seen[is_shown] += 1
    assert min(seen.values()) > 10


def test_recorded_outcomes_equal_the_frame(network: dict[str, pl.DataFrame], data: dict[str, Any]) -> None:
    frame = network["care_comparison"].filter(
        pl.col("condition_id").is_null(),
        pl.col("contrast_id") == "with_or_without_needling",
        pl.col("outcome_id") == "recovered",
    )
    row = frame.row(0, named=True)
    cells = data["states"]["0|0"]["rows"]["compared"][0]
    assert cells == [
        "All conditions",
        *(row["n_treated"], 22, f"{row['treated_mean'] * 100:.0f}%"),
        *(row["n_control"], 30, f"{row['control_mean'] * 100:.0f}%"),
    ]
    strong = data["states"]["0|0"]["text"]["lead.strong"]
    assert strong.startswith(f"Recovered: {cells[3]} with dry needling and {cells[6]} without")


def test_the_notice_is_always_there(network_site: Path, trial_site: Path, empty_site: Path) -> None:
    for site in (network_site, empty_site):
        assert NOT_RANDOMISED in (site / "safety.html").read_text(encoding="utf-8")
    # Arms may have been assigned by chance: there the notice says what was not.
    text = (trial_site / "safety.html").read_text(encoding="utf-8")
    assert safety.TRIAL in text
    assert NOT_RANDOMISED not in text


def test_none_seen_has_a_bound_and_not_asked_is_not_none(data: dict[str, Any], network_site: Path) -> None:
    events = {row[0]: row[1:] for row in data["rows"]["events"]}
    count, rate, _, words, surveys = events["Any serious event"]
    assert (count, rate) == (0, "0")
    assert re.fullmatch(r"None in [\d,]+ sessions: at most 1 in [\d,]+ \(95% certain\)", words)
    assert surveys.startswith("0 (up to 0.04), Brady et al. 2014")
    assert events["Fainting"][:4] == [
        DASH,
        DASH,
        DASH,
        "Not shown: it would tell of fewer than 11 patients, or beside such a group",
    ]
    asked = {row[0]: row[1:] for row in data["rows"]["asked"]}
    assert asked[care_frames.NEVER_ASKS][1:] == [0, 0, DASH, DASH, "Not recorded: nobody was asked"]
    text = (network_site / "safety.html").read_text(encoding="utf-8")
    assert f"Not recorded at {care_frames.NEVER_ASKS}" in text
    assert "No serious event in" in text


def test_clinics_are_in_alphabetical_order(data: dict[str, Any]) -> None:
    clinics = [row[0] for row in data["rows"]["asked"]]
    assert clinics == sorted(sample_frames.CLINICS)


def test_serious_events_that_are_few_are_not_counted(meta: SiteMeta, network: dict[str, pl.DataFrame]) -> None:
    def said(**numbers: Any) -> str:
        rates = network["adverse_event_rate"].with_columns(
            pl.when(pl.col("event_type") == "any_major").then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
            for name, value in numbers.items()
        )
        return care_events.events(Published({"adverse_event_rate": rates}, CONTRACT), meta).card.say

    assert "fewer than 11 patients had one" in said(events=None, rate_per_100=None)
    assert said(events=14, rate_per_100=0.18, rate_low=0.1, rate_high=0.31).startswith("14 serious events in ")
    assert said(recorded_sessions=0).startswith("Not recorded: nobody was asked")


def test_precautions_are_said_without_hidden_counts(data: dict[str, Any]) -> None:
    rows = {row[0]: row[1:] for row in data["rows"]["precautions"]}
    assert rows["Bleeding disorder"] == [98, *["not shown"] * 4, 30, 30]
    assert rows["Anticoagulant"][1:4] == [250, 125, 50]


def test_time_between_serious_events_names_the_rule_or_the_reason(
    data: dict[str, Any], network: dict[str, pl.DataFrame]
) -> None:
    filled = care_events.gaps(Published(network, CONTRACT))
    assert filled.card.spec is not None
    assert "1 longer than the limit" in filled.card.say
    assert len(data["rows"]["gaps"]) == 21
    reason = "No order: real dates may not be sent, so events of different patients cannot be put in order"
    undated = network["adverse_event_chart"].with_columns(upper_limit=pl.lit(None), reason=pl.lit(reason))
    filled = care_events.gaps(Published({"adverse_event_chart": undated}, CONTRACT))
    assert (filled.card.spec, filled.card.keys) == (None, ())
    assert filled.card.say == f"Not drawn. {reason}."
    filled = care_events.gaps(Published({}, CONTRACT))
    assert filled.card.say == "Not drawn. No needling sessions on record."


def test_evidence_from_memory_has_no_number_and_missing_evidence_is_said(data: dict[str, Any]) -> None:
    rows = data["rows"]["evidence"]
    memory = [row for row in rows if row[5] == care_evidence.FROM_MEMORY]
    assert memory
    assert not any(re.search(r"\d", row[5]) for row in memory)
    labels = [item.label for item in CONTRACT.conditions]
    order = [labels.index(row[0]) for row in rows if row[0] in labels]
    assert order == sorted(order)
    assert sum(row[5] == "No pooled evidence found." for row in rows) == 4
    assert all(row[2] and row[4] and row[7] for row in rows), "comparator, time and citation"
    assert len(data["rows"]["corrections"]) == len(care_frames.literature()["evidence_correction"]), (
        "every correction is listed"
    )


def test_evidence_never_shares_an_axis(data: dict[str, Any]) -> None:
    assert "evidence" not in data["base"]
    assert "arms" not in data["base"]


def test_groups_of_patients_stand_with_what_is_known(data: dict[str, Any], network: dict[str, pl.DataFrame]) -> None:
    frame = network["subgroup_outcome"].filter(pl.col("condition_id").is_null())
    found = {row["subgroup"]: row for row in frame.filter(pl.col("dimension") == "population").to_dicts()}
    athletes = next(row for row in data["rows"]["who"] if row[1] == "Athletes")
    assert athletes[2:4] == [found["athlete"]["episodes"], found["athlete"]["n"]]
    assert athletes[4] == round(100 * found["athlete"]["completeness"])
    assert [row[1] for row in data["rows"]["twitch"]][:3] == ["Twitch recorded", "No twitch recorded", "Not recorded"]
    assert data["rows"]["twitch"][4][2:] == ["hidden", *["not shown"] * 7]


def test_a_trial_shows_arms_as_assigned_and_compares_no_routine_care(trial_site: Path) -> None:
    made = payload(trial_site / "data" / "safety.js")
    assert made["filters"] == []
    assert "compared" not in made["cards"]
    rows = made["rows"]["arms"]
    best = next(row for row in rows if row[6] == 4.64)
    assert best[4:6] == ["160 of 205", "140 of 195"]
    assert best[7:10] == ["2.20 to 7.08", "< 0.001", "first score, age, sex"]
    assert [row[-1] for row in rows if row[6] is None] == [
        "traits repeat each other",
        "fewer than 11 patients, or beside such a group",
    ]
    text = (trial_site / "safety.html").read_text(encoding="utf-8")
    assert "Difference between arms as assigned" in text


def test_hidden_groups_leave_no_number(hidden_data: dict[str, Any]) -> None:
    for table in (*TABLES_OF_COUNTS, "events", "gaps"):
        for row in hidden_data["rows"][table]:
            # Published surveys are not about these patients.
            cells = row[:-1] if table == "events" else row
            assert not any(isinstance(cell, int | float) and cell for cell in cells), (table, row)
    for state in hidden_data["states"].values():
        for table in ("compared", "adjusted", "balance"):
            assert not any(isinstance(cell, int | float) for row in state["rows"][table] for cell in row)
        assert state["text"]["lead.strong"] == "Too few patients to compare"
    marks = [
        trace
        for name, figure in hidden_data["base"].items()
        for trace in figure["data"]
        if trace.get("x") and (trace.get("mode") == "markers+text" or trace["type"] == "bar") and name != "balance"
    ]
    assert marks == []


def test_words_about_hidden_groups_hold_no_count(hidden_data: dict[str, Any]) -> None:
    for text in hidden_data["states"]["0|0"]["text"].values():
        assert not re.search(r"\d{2,}", text.replace("11", "")), text


@pytest.mark.parametrize("site", ["network_site", "trial_site"])
def test_every_number_shown_is_of_eleven_or_none(site: str, request: pytest.FixtureRequest) -> None:
    made = payload(request.getfixturevalue(site) / "data" / "safety.js")
    columns = {name: [column[0] for column in table["columns"]] for name, table in made["tables"].items()}
    counts = 0
    for table in TABLES_OF_COUNTS:
        for row in made["rows"].get(table, []):
            for name, cell in zip(columns[table], row, strict=True):
                if re.search(r"patients|episodes|sessions|known outcomes|needled$|with it", name, re.IGNORECASE):
                    assert not isinstance(cell, int) or cell == 0 or cell >= 11, (table, row)
                    counts += isinstance(cell, int)
    assert counts > 20 or site == "trial_site"


def test_all_sentences_claim_no_cause(data: dict[str, Any], hidden_data: dict[str, Any]) -> None:
    for made in (data, hidden_data):
        for state in made["states"].values():
            assert [causal_claims(text) for text in state["text"].values()] == [[]] * len(state["text"])


def test_without_frames_the_page_says_so(meta: SiteMeta) -> None:
    page = safety.build(Published({}, CONTRACT), meta)
    assert page.payload is None
    assert "No data has been published yet" in page.body
