"""Recovery by condition ``recovery.html``: recovery, how it is reached over time, and how much of it is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT, LANDMARK_DAY
from dashboards.figures import count_bars, recovery_curve
from dashboards.pages import scores
from dashboards.pages.frame import Page, empty
from dashboards.pages.parts import (
    Card,
    Column,
    Key,
    Table,
    card_html,
    definition_html,
    filters_html,
    slot,
    table_html,
    tile_html,
    when,
)
from dashboards.pages.payload import payload, selection_filter, states_json, table_json
from dashboards.pages.recovery_state import RISK_WEEKS, Selection, state
from dashboards.words import improvement_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.contract.model import Contract
    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import State
    from dashboards.published import Published

NAME, HEADING = "recovery", "Recovery by condition"

RATE_COLUMNS = (
    Column("Known outcomes", "int"),
    Column("Recovered", "int"),
    Column("Rate", "pct"),
    Column("95% CI low", "pct"),
    Column("95% CI high", "pct"),
)
NETWORK_KEY = Key("network", "all clinics", when="network")

CONDITIONS = Card(
    "conditions",
    "How often do episodes end in recovery, by condition?",
    7,
    "The dot is the share of closed episodes with a known outcome that ended in recovery; the line through it is "
    "the 95% "
    "interval: with so many episodes, the true share plausibly lies anywhere on it. n is the number of episodes, and "
    "'known' the share of closed episodes whose outcome is known. The dotted line is the rate of all conditions "
    "together. Conditions are never ranked: they heal at different speeds under any care.",
    Table(
        "conditions",
        "Recovery by condition",
        (Column("Condition"), *RATE_COLUMNS, Column("Outcome known", "pct"), Column("All clinics", "pct")),
    ),
    keys=(Key("dot", "recovered, with 95% interval"), NETWORK_KEY, Key("dotted", "all conditions of this selection")),
)
CURVE = Card(
    "curve",
    "How soon do patients recover?",
    5,
    "The line is the share of all episodes that had recovered by each week (Aalen-Johansen): leaving without "
    "recovery is "
    "taken for what it is, and not as if the patient could still recover in care. The band is its 95% interval. The "
    "dashed Kaplan-Meier line answers another question: if care had continued and leaving were unrelated to pain. "
    "That is not credible, because patients leave when they are better or when nothing changes, so it always lies "
    "higher. By care received in routine data the line starts on "
    f"day {LANDMARK_DAY}, with those still in care and not recovered by then: care is what was given until that day. "
    "Recovery is found at a visit, so more visits find it sooner. The line stops where too few patients are still in "
    "care.",
    Table(
        "curve",
        "Cumulative recovery by week",
        (
            Column("Time"),
            Column("Recovered", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
            Column("Left, no recovery on record", "pct"),
            Column("Kaplan-Meier", "pct"),
            Column("Still in care", "int"),
            Column("Recovered so far", "int"),
            Column("Left so far", "int"),
            Column("Followed no further", "int"),
        ),
    ),
    keys=(
        Key("line", "recovered, with 95% band", when="curve"),
        Key("dashed", "Kaplan-Meier: if care had continued and leaving were unrelated to pain", when="curve"),
        Key("dotted", "all clinics", when="network"),
    ),
)
CLINICS = Card(
    "clinics",
    "How complete are the outcomes?",
    12,
    "Share of closed episodes whose outcome is known, clinic by clinic in alphabetical order. Where many outcomes are "
    "missing the rate could be quite another: the table shows what it would be if none, or all, of the others had "
    f"recovered. The target of {COMPLETENESS_TARGET_PERCENT}% is a proposal of the field, not a published standard.",
    Table(
        "clinics",
        "Known outcomes by clinic",
        (
            Column("Clinic"),
            Column("Closed episodes", "int"),
            Column("Known outcomes", "int"),
            Column("Known", "pct"),
            Column("Rate if no other recovered", "pct"),
            Column("Rate if all others recovered", "pct"),
        ),
    ),
    keys=(
        Key("dot", "on target"),
        Key("below", "below target"),
        Key("dashed grey", f"target {COMPLETENESS_TARGET_PERCENT}%"),
    ),
)
VARIANTS = Card(
    "variants",
    "How much depends on the definition?",
    7,
    "The same episodes counted under each definition. A stricter definition gives a lower rate without any "
    "patient being worse off, so rates from elsewhere can be compared only under the same definition.",
    Table(
        "variants",
        "Recovery under each definition",
        (Column("Definition"), Column("In words"), *RATE_COLUMNS, Column("Outcome known", "pct")),
    ),
    keys=(Key("dot", "recovered, with 95% interval"),),
)
REASONS = Card(
    "reasons",
    "Why are outcomes unknown?",
    5,
    "Every episode without a known outcome, by the first reason that applies. Episodes still in care, and those that "
    "began with too little pain to recover from, are not counted in the rate; the others are counted as unknown, never "
    "as not recovered.",
    Table(
        "reasons",
        "Episodes without a known outcome",
        (Column("Reason"), Column("Counts as"), Column("Episodes", "int"), Column("Share of all episodes", "pct")),
    ),
)
RISK = Table("risk", "Patients the line rests on", (Column("Week"), *(Column(str(week), "int") for week in RISK_WEEKS)))
CARDS = (CONDITIONS, CURVE, VARIANTS, REASONS, CLINICS)


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the overview, with the network and any care written in."""
    if published.is_empty:
        return Page(NAME, HEADING, empty())
    label = "Arm of the trial" if published.is_trial else "Care received"
    filters = [
        selection_filter("clinic", "Clinic", [("", "All clinics"), *published.clinics]),
        selection_filter("care", label, [(care, published.care_name(care)) for care in published.care]),
    ]
    clinics = [None, *(key for key, _ in published.clinics)]
    states = {
        f"{i}|{j}": state(Selection(published, meta, clinic, care))
        for i, clinic in enumerate(clinics)
        for j, care in enumerate(published.care)
    }
    start = states["0|0"]
    known = any(row["rate"] is not None for row in published.rates.values())
    # A feed may carry no pain score or no motion at all: charts of nothing would only hide what it does carry.
    cards = [_with_figure(card, start) for card in (CARDS if known else (replace(REASONS, width=12),))]
    content: dict[str, Any] = {"states": states_json(states, cards)}
    if published.is_trial:
        card, rows = scores.arms_card(published, meta)
        cards.insert(0, card)
        content["rows"] = {card.table.table_id: rows}
        start.rows |= content["rows"]
    body = _top(published.contract, filters, start, with_tiles=known) + _grid(cards, start)
    made = payload(NAME, meta, cards, filters, **content)
    made["tables"][RISK.table_id] = table_json(RISK)
    return Page(NAME, HEADING, body, made)


def _with_figure(card: Card, start: State) -> Card:
    """Return a card with the figure of the default selection; with an empty one where that selection has none."""
    spec: Spec | None = start.plots[card.card_id]
    blank = recovery_curve.spec([]) if card is CURVE else count_bars.spec([], "Episodes")
    return replace(card, spec=spec or blank, extra=_risk(start) if card is CURVE else "")


def _top(contract: Contract, filters: list[dict[str, object]], start: State, *, with_tiles: bool) -> str:
    definition = contract.default_definition
    tiles = (
        ("recovered", "Recovered", f"{definition.sentence} Share of the closed episodes with a known outcome."),
        (
            "pain",
            "Change in pain",
            (
                "Mean of the pain score at the last visit minus that at the first, on one and the same scale. "
                "Pain falls in part because patients come when it is worst: this is not the effect of a treatment."
            ),
        ),
        (
            "better",
            improvement_label(contract),
            (
                "Share of episodes with at least the smallest change that patients call important, among those "
                "with room for it."
            ),
        ),
        (
            "motion",
            "Range of motion",
            (
                "Mean of the condition's main motion in percent of normal: of the other side if it is healthy, "
                "else of the published value. More than normal counts as 100%."
            ),
        ),
        (
            "known",
            "Outcome known",
            (
                "Share of the closed episodes for which recovery could be decided. Episodes that began with too "
                "little pain to recover from are left out."
            ),
        ),
    )
    return (
        f"{filters_html(filters)}"
        '<p class="lead" data-lead>'
        f"{slot('lead.strong', start, 'strong')}{slot('lead.rest', start, 'span')}</p>{definition_html(definition)}"
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f"{slot('notice.missing', start, css='notice')}{slot('notice.care', start, css='notice')}"
        '<noscript><p class="notice">Filters and charts need JavaScript. All numbers of this selection are in the '
        'tables below, those of the others in <a href="data/recovery_by_condition.csv">recovery_by_condition.csv</a>.'
        "</p></noscript>"
        f"{_tiles_html(tiles, start) if with_tiles else ''}"
    )


def _tiles_html(tiles: Iterable[tuple[str, str, str]], start: State) -> str:
    inner = "".join(tile_html(*tile, start) for tile in tiles)
    return f'<section class="tiles" aria-label="Key numbers">{inner}</section>'


def _grid(cards: list[Card], start: State) -> str:
    return f'<div class="grid">{"".join(card_html(card, start) for card in cards)}</div>'


def _risk(start: State) -> str:
    return f'<div class="risk"{when("curve", start)}>{table_html(RISK, start.rows["risk"])}</div>'
