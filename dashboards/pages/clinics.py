"""Clinics ``clinics.html``: each beside the network, with what chance, case mix and missing outcomes explain.

Clinics stand in alphabetical order and are never ranked; the zone of the funnel is the one rule for above and below.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assets.contract.definitions import (
    COMPARISON_FLOOR_PERCENT,
    COMPARISON_MINIMUM_CLINICS,
    COMPLETENESS_TARGET_PERCENT,
)
from dashboards.figures import calibration, control_chart, funnel, interval_dot, recovery_dot
from dashboards.pages import clinic_gains
from dashboards.pages.clinic_frames import ClinicFrames
from dashboards.pages.clinics_state import FUNNEL_AXES, STAGES, Selection, state
from dashboards.pages.filled import place
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
    when,
)
from dashboards.pages.payload import payload, selection_filter, states_json, table_json

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from dashboards.pages.filled import Filled
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import State
    from dashboards.published import Published

NAME, HEADING = "clinics", "Clinics"
WRITTEN_FIRST, WRITTEN = 4, 1
"""Rows in the page itself, of the first table and of the others: the engine writes all, and all are in the files."""
ORDER = (
    "Clinics are in alphabetical order, not ranked. Above and below mean outside the 99.8% limits for a clinic of that "
    "size."
)

LIMITS = (
    Column("95% limits low", "pct"),
    Column("95% limits high", "pct"),
    Column("99.8% limits low", "pct"),
    Column("99.8% limits high", "pct"),
)
INTERVAL = (Column("95% CI low", "dec1"), Column("95% CI high", "dec1"))
FUNNEL = Card(
    "funnel",
    "How does each clinic compare?",
    12,
    "Each mark is a clinic: the further right, the more episodes. The lines are the limits within which 95% and 99.8% "
    "of clinics of that size would lie if all had the same true rate; where clinics vary more than chance explains, "
    "the limits are widened by the variation between them, and the grey band is the 95% range by chance alone. A "
    "clinic with few episodes may lie far from the middle by chance. Outside the limits, look for a reason first: "
    f"data quality, then case mix, then care. Clinics with under {COMPARISON_FLOOR_PERCENT}% of outcomes known are not "
    "compared. The columns after adjustment count the first episode of each patient only. "
    "Clinics are in alphabetical order; this is no ranking.",
    Table(
        "funnel",
        "Clinics beside the range expected for their size",
        (
            Column("Clinic"),
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            *LIMITS,
            Column("Against the network"),
            Column("Outcome known", "pct"),
            Column("Adjusted: observed", "pct"),
            Column("Adjusted: expected", "pct"),
            Column("Observed less expected, points", "dec1"),
            Column("After adjustment"),
            Column("Depends on the definition"),
        ),
        written=WRITTEN_FIRST,
    ),
    keys=(
        Key("hollow", "clinic, as expected", when="funnel"),
        Key("above", "above the limits (hollow: possibly)", when="funnel"),
        Key("below", "below the limits (hollow: possibly)", when="funnel"),
        Key("centre", "all clinics", when="funnel"),
        Key("dashed", "95% limits", when="funnel"),
        Key("dotted", "99.8% limits", when="funnel"),
        Key("not-run", "95% range by chance alone", when="chance"),
    ),
)
TOLD = Card(
    "told",
    "How far can clinics be told apart?",
    6,
    "The dot is the best guess of a clinic's true rate: its own rate, pulled towards all clinics the more, the fewer "
    "episodes it has. The line is its 95% interval, the dotted line the rate of all clinics. Two clinics whose lines "
    "overlap much cannot be told apart. The chance of lying in the best or the worst quarter says how uncertain any "
    "order would be; it is a probability, not a place. Reliability is the share of the differences seen between such "
    "clinics that is true difference.",
    Table(
        "told",
        "Clinics' own rates, and the best guess of their true rates",
        (
            Column("Clinic"),
            Column("Known outcomes", "int"),
            Column("Own rate", "pct"),
            Column("Best guess", "pct"),
            Column("95% interval low", "pct"),
            Column("95% interval high", "pct"),
            Column("Chance of the best quarter", "pct"),
            Column("Chance of the worst quarter", "pct"),
            Column("Can be told apart from"),
        ),
        written=WRITTEN,
    ),
    keys=(Key("dot", "best guess, with 95% interval", when="told"), Key("dotted", "all clinics", when="told")),
)
SPREAD = Table("spread", "Variation between clinics", (Column("What"), Column("Value")))
ADJUSTED = Card(
    "adjusted",
    "What would be expected of these patients?",
    6,
    "Expected is what a model predicts from what was known before treatment: pain, function, age, sex, duration and "
    "more, never anything that happened later. The dot is observed less expected, the line its 95% interval with the "
    "expected taken as known. Zero is what patients like these have in the network as a whole. A model knows only what "
    "was recorded: a difference that stays may be case mix nobody wrote down. Limits are those of chance, widened "
    f"where {COMPARISON_MINIMUM_CLINICS} clinics or more vary by more than that. The first episode of each patient of "
    "routine care counts.",
    Table(
        "adjusted",
        "Observed and expected outcome by clinic",
        (
            Column("Outcome"),
            Column("Clinic"),
            Column("Patients", "int"),
            Column("Outcome known", "pct"),
            Column("Observed", "dec1"),
            Column("Expected", "dec1"),
            Column("Observed less expected", "dec1"),
            *INTERVAL,
            Column("After adjustment"),
        ),
        grouped=True,
        written=WRITTEN,
    ),
    keys=(Key("dot", "observed less expected, with 95% interval", when="adjusted"),),
)
MODEL = Card(
    "model",
    "How good is the expectation?",
    5,
    "Patients are grouped by the chance of recovery that the model gave them without having seen them. On the dotted "
    "line, as many recovered as were expected. AUC is the chance that a patient who recovered was given the higher "
    "chance (50% is guessing); R² is the share of the variation that is explained. Cross-validated figures count "
    "patients the model had not seen, apparent ones those it was fitted to. A slope below 1 means that predictions are "
    "too extreme: what is expected of patients is pulled towards the mean by that factor ('Shrinkage'; 0: the mean is "
    "expected of everybody). Figures and the chart are before it. 'Clinics' is the share of what is left that lies "
    "between clinics.",
    Table(
        "model",
        "Cards of the models",
        (
            Column("Condition"),
            Column("Outcome"),
            Column("Episodes", "int"),
            Column("Outcome known", "pct"),
            Column("Terms", "int"),
            Column("Figure"),
            Column("Apparent", "dec2"),
            Column("Cross-validated", "dec2"),
            Column("Calibration slope", "dec2"),
            Column("Shrinkage", "dec2"),
            Column("Clinics", "pct"),
            Column("State"),
        ),
        grouped=True,
        written=WRITTEN,
    ),
    keys=(Key("dot", "observed, with 95% interval", when="model"), Key("dotted", "as expected", when="model")),
)
KNOWN = Card(
    "known",
    "How complete are the outcomes?",
    7,
    "Share of closed episodes with each of the scores that outcomes rest on. Where outcomes are missing, the rate lies "
    "between the two bounds whatever is assumed. The weighted rate lets the known stand for all with the same traits; "
    "it holds if nothing else decides who is known. The tipping point says what share of the unknown would have to "
    "recover for a clinic's place by chance alone to change. No last score is carried forward. The target of "
    f"{COMPLETENESS_TARGET_PERCENT}% is a proposal of the field, not a published standard.",
    Table(
        "known",
        "What was recorded, and what the rest could change",
        (
            Column("Clinic"),
            Column("Closed episodes", "int"),
            *(Column(label, "pct") for label in STAGES.values()),
            Column("Rate", "pct"),
            Column("Rate if no other recovered", "pct"),
            Column("Rate if all others recovered", "pct"),
            Column("Weighted rate", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
            Column("What would change its place"),
        ),
        written=WRITTEN,
    ),
    keys=(
        Key("dot", "recorded, with 95% interval"),
        Key("network", "all clinics", when="network"),
        Key("dotted", f"target {COMPLETENESS_TARGET_PERCENT}%"),
    ),
)
OVER_TIME = Card(
    "over",
    "Is recovery changing over time?",
    12,
    "Each point is the share that recovered of those with a first visit in that month (or year). The middle line is "
    "the average of the first twelve points, the dashed lines the limits within which points vary if nothing changes. "
    "Four rules make a signal: a point outside a limit; seven in a row on one side of the average; seven rising or "
    "falling in a row; two of three close to one limit. Everything else is ordinary variation, and comparing two "
    "points says nothing. Limits from fewer than twelve points are trial limits, by which nothing is judged. Months "
    "with too few patients, and those whose twelve weeks are not over, stay gaps. A signal says that something "
    "changed, not why.",
    Table(
        "over",
        "Recovery by period of the first visit",
        (
            Column("Period"),
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            Column("Average", "pct"),
            Column("Lower limit", "pct"),
            Column("Upper limit", "pct"),
            Column("What it is"),
            Column("Rule"),
        ),
        written=WRITTEN,
    ),
    keys=(
        Key("circle", "ordinary variation", when="judged"),
        Key("above", "signal for the better", when="judged"),
        Key("below", "signal of concern", when="judged"),
        Key("dashed", "limits", when="judged"),
        Key("open", "not judged", when="open"),
        Key("dotted", "trial limits", when="trial"),
    ),
)
PUBLIC = Card(
    "public",
    "What do public measures say?",
    12,
    "Pain measures (QCDR) count patients with at least 2 points less pain at the last visit than at the first; the "
    "numbers are percent. Function measures (MIPS, after FOTO) take the change in function against the change "
    "predicted, in points of 0 to 100; a clinic meets them if the mean difference is 0 or more, which about half of "
    "clinics do by chance. Expected is the model of this network, unless the source brings its own. The texts ask for "
    "exclusions (language, illiteracy, cognition) that are not in the data. Data are complete from 75%.",
    Table(
        "public",
        "Public measures by clinic",
        (
            Column("Measure"),
            Column("Clinic"),
            Column("Eligible", "int"),
            Column("Reported", "int"),
            Column("Complete", "pct"),
            Column("Observed", "dec1"),
            *INTERVAL,
            Column("Expected", "dec1"),
            Column("Observed less expected", "dec1"),
            *INTERVAL,
            Column("Measure met"),
            Column("Too young", "int"),
            Column("Age unknown", "int"),
            Column("No first score", "int"),
            Column("No last score", "int"),
            Column("No room for 2 points", "int"),
            Column("Remark"),
        ),
        grouped=True,
        written=WRITTEN,
    ),
)
CARDS = (
    (FUNNEL, "clinic_funnel"),
    (TOLD, "clinic_shrunken"),
    (ADJUSTED, "clinic_adjusted"),
    (MODEL, "case_mix_model"),
    (KNOWN, "completion"),
    (OVER_TIME, "outcome_over_time"),
    (PUBLIC, "public_measure"),
)
"""Cards and the frames without which they would show nothing."""
PAIRS = ((TOLD, ADJUSTED), (MODEL, KNOWN))
"""Cards that share a line."""


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page, with all clinics and all conditions written in."""
    frames = ClinicFrames(published)
    if frames.is_empty:
        return Page(NAME, HEADING, empty())
    filters = [
        selection_filter("clinic", "Clinic", [("", "All clinics"), *published.clinics]),
        selection_filter("condition", "Condition", [("", "All conditions"), *published.conditions]),
    ]
    clinics = [None, *(key for key, _ in published.clinics)]
    conditions = [None, *(key for key, _ in published.conditions)]
    states = {f"0|{j}": state(Selection(frames, meta, None, condition)) for j, condition in enumerate(conditions)}
    like = {f"{i}|{j}": f"0|{j}" for i in range(1, len(clinics)) for j in range(len(conditions))}
    for key, everybody in like.items():
        i, j = (int(place) for place in key.split("|"))
        states[key] = state(Selection(frames, meta, clinics[i], conditions[j]), states[everybody])
    start = states["0|0"]
    present = [card for card, name in CARDS if published.rows(name)]
    cards = [_with_figure(card, start, is_alone=_is_alone(card, present)) for card in present]
    gains = clinic_gains.cards(frames, meta)
    for one in states.values():
        place(gains, one)
        _drop_unused(one, cards)
    every = [*cards, *(item.card for item in gains)]
    rows = {item.card.table.table_id: item.rows for item in gains}
    made = payload(NAME, meta, every, filters, states=states_json(states, every, like), rows=rows)
    made["tables"][SPREAD.table_id] = table_json(SPREAD)
    start.rows |= rows
    return Page(NAME, HEADING, _top(published.contract, filters, start) + _grid(cards, gains, start), made)


def _drop_unused(one: State, cards: list[Card]) -> None:
    """Leave out the rows of cards that the page does not have."""
    kept = {card.table.table_id for card in cards} | {SPREAD.table_id}
    one.rows = {name: rows for name, rows in one.rows.items() if name in kept}


def _is_alone(card: Card, present: list[Card]) -> bool:
    return any(card in pair and not all(one in present for one in pair) for pair in PAIRS)


def _with_figure(card: Card, start: State, *, is_alone: bool) -> Card:
    """Return a card with the figure of the default selection; with an empty one where that selection has none."""
    if card is PUBLIC:
        return card
    blank = {
        FUNNEL.card_id: lambda: funnel.spec([], [], None, FUNNEL_AXES, is_share=True),
        ADJUSTED.card_id: lambda: interval_dot.spec([], ""),
        MODEL.card_id: lambda: calibration.spec([]),
        OVER_TIME.card_id: lambda: control_chart.spec([], is_share=True),
    }
    spec = start.plots[card.card_id] or blank.get(card.card_id, lambda: recovery_dot.spec([], ""))()
    extra = {TOLD.card_id: _spread, OVER_TIME.card_id: _others}.get(card.card_id)
    width = 12 if is_alone else card.width
    return replace(card, spec=spec, width=width, extra=extra(start) if extra else "")


def _spread(start: State) -> str:
    return f'<div class="risk"{when("spread", start)}>{table_html(SPREAD, start.rows["spread"])}</div>'


def _others(start: State) -> str:
    return f'<div class="risk">{slot("over.others", start, css="say")}</div>'


def _top(contract: Contract, filters: list[dict[str, object]], start: State) -> str:
    return (
        f"{filters_html(filters)}"
        f'<p class="lead" data-lead>{slot("lead.strong", start, "strong")}{slot("lead.rest", start, "span")}</p>'
        f"{definition_html(contract.default_definition)}"
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f"{slot('notice.definition', start, css='notice')}{slot('notice.missing', start, css='notice')}"
        f'<p class="definition">{ORDER}</p>'
        '<noscript><p class="notice">Filters and charts need JavaScript, long tables are cut. The numbers are in '
        '<a href="data/clinic_funnel.csv">clinic_funnel.csv</a> and the files beside it.</p></noscript>'
    )


def _grid(cards: list[Card], gains: list[Filled], start: State) -> str:
    inner = "".join(card_html(card, start) for card in (*cards, *(item.card for item in gains)))
    return f'<div class="grid">{inner}</div>'
