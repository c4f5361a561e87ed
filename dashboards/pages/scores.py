"""Scores ``scores.html``: every measure at the first visit and later, by care or trial arm, and who responded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboards.figures import recovery_dot, score_change
from dashboards.markup import clean
from dashboards.pages.frame import Page, empty
from dashboards.pages.parts import Card, Column, Key, State, Table, card_html, filters_html, slot
from dashboards.pages.payload import payload, selection_filter, states_json
from dashboards.sentences import NOT_RANDOMISED
from dashboards.words import (
    ANY_CARE,
    DOT,
    count,
    planned_label,
    rounded,
    side_label,
    spoken,
    whole,
)

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

NAME, HEADING = "scores", "Scores by measure"
MOST_ROWS = 16
"""More rows than this make a chart unreadable: it then shows the last score only, the table all."""

SCORE_COLUMNS = (
    Column("Pairs", "int"),
    Column("First mean", "dec2"),
    Column("First SD", "dec2"),
    Column("Later mean", "dec2"),
    Column("Later SD", "dec2"),
    Column("Mean change for the better", "dec2"),
    Column("SD of change", "dec2"),
    Column("Worse than at first", "int"),
)
CHANGE = Card(
    "change",
    "How do scores change?",
    7,
    "Hollow circle: mean at the first visit. Filled circle: mean later, of the same patients. Only pairs with both "
    "scores are counted, so the first mean differs a little from time to time. Scores change in part because patients "
    "come when they are worst: a change alone is not the effect of a treatment.",
    Table("change", "Scores at both ends", (Column("Time"), Column("Care"), Column("Side"), *SCORE_COLUMNS)),
    keys=(Key("hollow", "first visit"), Key("dot", "later")),
)
RESPONSE = Card(
    "response",
    "How many responded?",
    5,
    "Share of pairs whose score changed for the better by at least the threshold of the rule, among those who had "
    "room for it, with its 95% interval. Thresholds and their sources are on the page Definitions.",
    Table(
        "response",
        "Responders",
        (
            Column("Rule"),
            Column("Time"),
            Column("Care"),
            Column("Side"),
            Column("In the denominator", "int"),
            Column("Responders", "int"),
            Column("Rate", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
        ),
    ),
    keys=(Key("dot", "responders, with 95% interval"),),
)
ARMS_SAY = "Every measure that was scored at both ends, arm by arm, at the last score. More on the page Scores."


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page, with the first measure written in."""
    measures = _measures(published)
    if not measures:
        return Page(NAME, HEADING, empty() if published.is_empty else '<p class="notice">No scores at both ends.</p>')
    filters = [selection_filter("measure", "Measure", [(key, _label(published.contract, key)) for key in measures])]
    states = {str(place): _state(published, meta, key) for place, key in enumerate(measures)}
    start = states["0"]
    cards = [_card(CHANGE, start), _card(RESPONSE, start)]
    routine = len(published.care) > 1 and not published.is_trial
    body = (
        f"{filters_html(filters)}"
        f'<p class="lead" data-lead>{slot("lead.strong", start, "strong")}{slot("lead.rest", start, "span")}</p>'
        f'<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f"{f'<p class=notice>{NOT_RANDOMISED}</p>' if routine else ''}"
        f'<div class="grid">{"".join(card_html(card, start) for card in cards)}</div>'
    )
    return Page(NAME, HEADING, body, payload(NAME, meta, cards, filters, states=states_json(states, cards)))


def arms_card(published: Published, meta: SiteMeta) -> tuple[Card, list[list[Cell]]]:
    """Return a table of all measures by trial arm, and its rows."""
    cells: list[list[Cell]] = []
    for measure in _measures(published):
        rows = [row for row in _ordered(published.scores[measure], published) if row["care"] != ANY_CARE]
        label = _label(published.contract, measure)
        cells += [[label, _who(published, row), *_score_cells(row, meta)] for row in _latest(rows)]
    table = Table(
        "arms", "Scores at both ends by arm", (Column("Measure"), Column("Arm"), *SCORE_COLUMNS), grouped=True
    )
    return Card("arms", "How do scores change, by arm?", 12, CHANGE.read, table, say=ARMS_SAY), cells


def _card(card: Card, start: State) -> Card:
    return replace(card, spec=start.plots[card.card_id] or recovery_dot.spec([], ""))


def _measures(published: Published) -> list[str]:
    present = set(published.scores)
    known = [item.measure_id for item in published.contract.measures]
    return [key for key in known if key in present] + sorted(present - set(known))


def _label(contract: Contract, measure: str) -> str:
    return next((clean(item.label) for item in contract.measures if item.measure_id == measure), spoken(measure))


def _ordered(rows: list[Row], published: Published) -> list[Row]:
    """Return the rows of one measure in order of time, care and side."""
    sides = {row["side"] for row in rows}
    # A measure without sides has the same rows twice: under "all sides" and under "none".
    if None in sides:
        rows = [row for row in rows if row["side"] != "none"]
    care = {value: place for place, value in enumerate(published.care)}
    last = max((row["planned_day"] or 0 for row in rows), default=0) + 1
    return sorted(
        rows,
        key=lambda row: (
            last if row["planned_day"] is None else row["planned_day"],
            care.get(row["care"], 0),
            row["side"] or "",
        ),
    )


def _state(published: Published, meta: SiteMeta, measure: str) -> State:
    made = State()
    summary = _ordered(published.scores[measure], published)
    response = _ordered(published.responses.get(measure, []), published)
    known = {item.measure_id: item for item in published.contract.measures}.get(measure)
    made.text["lead.strong"] = _label(published.contract, measure)
    made.text["lead.rest"] = f": {known.unit}, {known.better} is better. All clinics and conditions." if known else ""
    made.plots["change"] = score_change.spec(
        [_score_row(published, row, meta) for row in _few(summary)], known.unit if known else ""
    )
    made.rows["change"] = [
        [
            planned_label(row["planned_day"]),
            published.care_name(row["care"]),
            side_label(row["side"]),
            *_score_cells(row, meta),
        ]
        for row in summary
    ]
    made.text["change.say"] = f"Means of the pairs scored at both ends, in {known.unit}." if known else ""
    rules = {item.rule_id: clean(item.label) for item in published.contract.responder_rules}
    response.sort(key=lambda row: list(rules).index(row["rule_id"]) if row["rule_id"] in rules else len(rules))
    made.plots["response"] = (
        recovery_dot.spec([_rate_row(published, row, rules, meta) for row in _few(response)], "Responders")
        if response
        else None
    )
    made.text["response.none"] = "" if response else "No responder rule applies to this measure."
    made.text["response.say"] = (
        "Share of responders among those who had room to respond, rule by rule." if response else ""
    )
    made.rows["response"] = [_response_cells(published, row, rules, meta) for row in response]
    return made


def _few(rows: list[Row]) -> list[Row]:
    whole_body = [row for row in rows if row["side"] is None] or rows
    return rows if len(rows) <= MOST_ROWS else (whole_body if len(whole_body) <= MOST_ROWS else _latest(whole_body))


def _latest(rows: list[Row]) -> list[Row]:
    """Return the rows of the last score; where none is published, those of the latest planned time."""
    last = [row for row in rows if row["planned_day"] is None]
    latest = max((row["planned_day"] or 0 for row in rows), default=0)
    return last or [row for row in rows if row["planned_day"] == latest]


def _who(published: Published, row: Row) -> str:
    side = "" if row["side"] in (None, "none") else f", {side_label(row['side']).lower()}"
    return f"{published.care_name(row['care'])}{side}"


def _score_row(published: Published, row: Row, meta: SiteMeta) -> score_change.ScoreRow:
    size = meta.hidden if row["suppressed"] else count(row["n"])
    return {
        "label": planned_label(row["planned_day"]),
        "note": f"{_who(published, row)} {DOT} n {size}",
        "first": row["baseline_mean"],
        "last": row["value_mean"],
        "words": meta.too_few if row["suppressed"] else "no scores",
    }


def _rate_row(published: Published, row: Row, rules: dict[str, str], meta: SiteMeta) -> recovery_dot.RateRow:
    time = planned_label(row["planned_day"]).lower()
    return {
        "label": rules.get(row["rule_id"], spoken(row["rule_id"])),
        "note": f"{_who(published, row)} {DOT} {time}",
        "rate": row["rate"],
        "rate_low": row["rate_low"],
        "rate_high": row["rate_high"],
        "n": row["n"],
        "network": None,
        "words": meta.too_few if row["suppressed"] else "nobody had room to respond",
    }


def _score_cells(row: Row, meta: SiteMeta) -> list[Any]:
    if row["suppressed"]:
        return [meta.hidden, *["not shown"] * 7]
    names = ("baseline_mean", "baseline_sd", "value_mean", "value_sd", "change_mean", "change_sd")
    return [row["n"], *(rounded(row[name], 2) for name in names), row["worsened"]]


def _response_cells(published: Published, row: Row, rules: dict[str, str], meta: SiteMeta) -> list[Any]:
    start = [
        rules.get(row["rule_id"], spoken(row["rule_id"])),
        planned_label(row["planned_day"]),
        published.care_name(row["care"]),
        side_label(row["side"]),
    ]
    if row["suppressed"]:
        return [*start, meta.hidden, *["not shown"] * 4]
    return [*start, row["n"], row["responders"], *(whole(row[name]) for name in ("rate", "rate_low", "rate_high"))]
