"""Clinics ``clinics.html``: the profile of one clinic beside the network, condition by condition.

Clinics stand in alphabetical order and are never ranked; the zone of the funnel is the one rule for above and below.

What all clinics share (the funnels of a condition) is written once for each condition; what is about one clinic comes
in a file of its own, loaded when it is chosen: the page stays as light with two hundred clinics as with twelve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dashboards.figures import calibration, control_chart, control_grid, funnel, interval_dot, recovery_dot
from dashboards.pages import (
    clinic_compared,
    clinic_expected,
    clinic_gains,
    clinic_known,
    clinic_profile,
    clinic_public,
    clinic_time,
)
from dashboards.pages.clinic_compared import FUNNEL, FUNNEL_AXES, PAIN_AXES, PAIN_FUNNEL, SPREAD, TOLD, marked
from dashboards.pages.clinic_expected import ADJUSTED, MODEL
from dashboards.pages.clinic_frames import ClinicFrames
from dashboards.pages.clinic_known import KNOWN
from dashboards.pages.clinic_profile import CONDITIONS, TILES
from dashboards.pages.clinic_public import PUBLIC
from dashboards.pages.clinic_selection import Selection
from dashboards.pages.clinic_time import CHARTS, OVER_TIME
from dashboards.pages.filled import Filled, place
from dashboards.pages.frame import Page, empty
from dashboards.pages.parts import (
    Card,
    State,
    card_html,
    definition_html,
    filters_html,
    joined,
    slot,
    table_html,
    tile_html,
    when,
)
from dashboards.pages.payload import parts_json, payload, selection_filter, table_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from assets.contract.model import Contract
    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published

NAME, HEADING = "clinics", "Clinics"
ORDER = (
    "Clinics are in alphabetical order, not ranked. Above and below mean outside the 99.8% limits for a clinic of that "
    "size; most differences between clinics are chance."
)
NO_CLINIC = "The data name no clinic, so there is none to show beside the others."


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, the frame without which it would show nothing, and its figure where there is nothing to draw."""

    card: Card
    frame: str
    blank: Callable[[], Spec] | None


CARDS = (
    Shown(FUNNEL, "clinic_funnel", lambda: funnel.spec([], [], None, FUNNEL_AXES, is_share=True, drill="clinic")),
    Shown(CONDITIONS, "clinic_funnel", None),
    Shown(OVER_TIME, "outcome_over_time", lambda: control_chart.spec([], is_share=True)),
    Shown(CHARTS, "outcome_over_time", lambda: control_grid.spec([])),
    Shown(KNOWN, "completion", lambda: recovery_dot.spec([], "")),
    Shown(PAIN_FUNNEL, "clinic_funnel", lambda: funnel.spec([], [], None, PAIN_AXES, is_share=False, drill="clinic")),
    Shown(TOLD, "clinic_shrunken", lambda: marked(recovery_dot.spec([], ""), None)),
    Shown(ADJUSTED, "clinic_adjusted", lambda: marked(interval_dot.spec([], ""), None)),
    Shown(MODEL, "case_mix_model", lambda: calibration.spec([])),
    Shown(PUBLIC, "public_measure", None),
)
PAIRS = ((KNOWN, PAIN_FUNNEL), (TOLD, ADJUSTED), (MODEL, PUBLIC))
"""Cards that share a line."""


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page, with the first clinic and all conditions written in."""
    frames = ClinicFrames(published)
    if frames.is_empty:
        return Page(NAME, HEADING, empty())
    if not published.clinics:
        return Page(NAME, HEADING, f'<p class="notice">{NO_CLINIC}</p>')
    clinics = [key for key, _ in published.clinics]
    conditions = [None, *(key for key, _ in published.conditions)]
    gains = clinic_gains.cards(frames, meta)

    shared = {str(j): _shared(Selection(frames, meta, None, key), gains) for j, key in enumerate(conditions)}
    present = [item for item in CARDS if published.rows(item.frame)]
    # Of the figures of the page, those of all clinics come first: the others are drawn into them.
    base = {item.card.card_id: _figure(item, shared["0"]) for item in present if item.blank}
    own = [_of_clinic(Selection(frames, meta, key, None), conditions, shared, base) for key in clinics]
    reading = State({f"{card.card_id}.read": card.read for card in (*_cards(present), *_cards(gains))})
    start = joined([reading, shared["0"], own[0].of_condition["0"], own[0].of_all])
    base |= {item.card.card_id: _figure(item, start) for item in present if item.blank and _is_own(item.card)}

    cards = [_with_figure(item, start, base, present) for item in present]
    gains = [Filled(replace(item.card, read=""), item.rows) for item in gains]
    every = [*cards, *_cards(gains)]
    kept = {card.table.table_id for card in every} | {SPREAD.table_id}
    for state in (*shared.values(), *(state for item in own for state in item.states)):
        state.rows = {name: rows for name, rows in state.rows.items() if name in kept}
    content = _content([((), {"0": reading}), (("condition",), shared)], own, every)
    filters = [
        selection_filter("clinic", "Clinic", published.clinics),
        selection_filter("condition", "Condition", [("", "All conditions"), *published.conditions]),
    ]
    rows = {item.card.table.table_id: item.rows for item in gains}
    made = payload(NAME, meta, every, filters, rows=rows, **content.payload)
    made["tables"][SPREAD.table_id] = table_json(SPREAD)
    start.rows |= rows
    body = _top(published.contract, filters, start) + _grid(cards, gains, start)
    return Page(NAME, HEADING, body, made, chunks=content.chunks)


# ---- what is shown for a selection -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfClinic:
    """States of one clinic: by place of the condition, and what is the same for every condition."""

    of_condition: dict[str, State]
    of_all: State

    @property
    def states(self) -> list[State]:
        """All of them."""
        return [*self.of_condition.values(), self.of_all]


def _shared(selection: Selection, gains: Sequence[Filled]) -> State:
    """What is shown for a condition, whatever the clinic."""
    made = State()
    clinic_compared.fill(selection, made)
    clinic_expected.fill(selection, made)
    place(gains, made)
    return made


def _of_clinic(
    selection: Selection, conditions: Sequence[str | None], shared: dict[str, State], base: dict[str, Spec]
) -> OfClinic:
    return OfClinic(
        {
            str(j): _own(Selection(selection.frames, selection.meta, selection.clinic, key), shared[str(j)], base)
            for j, key in enumerate(conditions)
        },
        _whatever_condition(selection),
    )


def _own(selection: Selection, shared: State, base: dict[str, Spec]) -> State:
    """What is shown for one clinic and one condition, beside what is shared."""
    made = State()
    clinic_profile.fill(selection, made)
    clinic_known.fill(selection, made)
    clinic_time.fill(selection, made)
    clinic_public.fill(selection, made)
    clinic_compared.choose(selection, shared, base, made)
    clinic_compared.mark_row(selection, "adjusted", shared, base, made)
    return made


def _whatever_condition(selection: Selection) -> State:
    """What is shown for one clinic, whatever the condition."""
    made = State()
    clinic_profile.fill_rows(selection, made)
    clinic_known.fill_rows(selection, made)
    clinic_time.fill_charts(selection, made)
    clinic_public.fill_rows(selection, made)
    return made


@dataclass(frozen=True, slots=True)
class Content:
    """Parts of the page itself, and those of each clinic but the first in a file of its own."""

    payload: dict[str, Any]
    chunks: dict[str, Any]


def _content(
    shared: Sequence[tuple[Sequence[str], dict[str, State]]], own: Sequence[OfClinic], cards: Sequence[Card]
) -> Content:
    first, *others = own
    of_first = {f"0|{key}": state for key, state in first.of_condition.items()}
    parts = parts_json([*shared, (("clinic", "condition"), of_first), (("clinic",), {"0": first.of_all})], cards)
    chunks = {
        f"{NAME}-{number}": parts_json([(("condition",), item.of_condition), ((), {"0": item.of_all})], cards)
        for number, item in enumerate(others, start=1)
    }
    files = ["", *(f"data/{name}.js" for name in chunks)]
    return Content({"parts": parts, "chunks": {"filter": "clinic", "files": files}}, chunks)


# ---- cards with their figures ----------------------------------------------------------------------


def _is_own(card: Card) -> bool:
    """Whether the figure of a card is that of the chosen clinic alone."""
    return card in (OVER_TIME, CHARTS, KNOWN)


def _figure(shown: Shown, state: State) -> Spec:
    """The figure of a state; an empty one where it has none, or where two of them have little in common."""
    spec = None if shown.card is CHARTS else state.plots.get(shown.card.card_id)
    return spec or (shown.blank() if shown.blank else {})


def _with_figure(shown: Shown, start: State, base: dict[str, Spec], present: Sequence[Shown]) -> Card:
    card = shown.card
    there = [item.card for item in present]
    is_alone = any(card in pair and not all(one in there for one in pair) for pair in PAIRS)
    extra = ""
    if card is TOLD:
        table = table_html(SPREAD, start.rows[SPREAD.table_id])
        extra = f'<div class="risk"{when("spread", start)}>{table}</div>'
    # How to read it comes with the data: without the engine there is no chart to read.
    return replace(card, spec=base.get(card.card_id), width=12 if is_alone else card.width, extra=extra, read="")


def _cards(items: Iterable[Shown | Filled]) -> list[Card]:
    return [item.card for item in items]


# ---- HTML ------------------------------------------------------------------------------------------


def _top(contract: Contract, filters: Sequence[dict[str, object]], start: State) -> str:
    tiles = "".join(tile_html(name, label, text, start, passport) for name, label, text, passport in TILES)
    return (
        f"{filters_html(filters)}"
        f'<p class="lead" data-lead>{slot("lead.strong", start, "strong")}{slot("lead.rest", start, "span")}</p>'
        f"{definition_html(contract.default_definition)}"
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f"{slot('notice.definition', start, css='notice')}{slot('notice.missing', start, css='notice')}"
        f'<p class="definition">{ORDER}</p>'
        '<noscript><p class="notice">Other clinics, charts and most tables need JavaScript. The numbers are in '
        '<a href="data/clinic_funnel.csv">clinic_funnel.csv</a> and the files beside it.</p></noscript>'
        f'<section class="tiles" aria-label="Key numbers">{tiles}</section>'
    )


def _grid(cards: Sequence[Card], gains: Sequence[Filled], start: State) -> str:
    inner = "".join(card_html(card, start) for card in (*cards, *_cards(gains)))
    return f'<div class="grid">{inner}</div>'
