"""Treatment and safety ``safety.html``: care compared, evidence beside it, what care consists of, unwanted events.

Care was chosen, not assigned: the notice that says so is always there, and adjusted numbers stand only where the
groups can be compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dashboards.figures import balance
from dashboards.markup import esc
from dashboards.pages import care_compared, care_described, care_events, care_evidence
from dashboards.pages.care_compared import Compared
from dashboards.pages.filled import place
from dashboards.pages.frame import Page, empty
from dashboards.pages.parts import State, card_html, filters_html, slot
from dashboards.pages.payload import payload, selection_filter, states_json
from dashboards.sentences import NOT_RANDOMISED
from dashboards.words import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.filled import Filled
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Card
    from dashboards.published import Published

NAME, HEADING = "safety", "Treatment and safety"
TRIAL = (
    "Arms are compared as assigned; whether by chance is for the trial to say. Everything else on this page describes "
    "care that was chosen, not assigned, and cannot show that needling caused a difference."
)
SHOWN_FRAMES = ("care_comparison", "adverse_event_rate", "care_mix", "subgroup_outcome", "trial_effect")
"""Frames about patients without which there is nothing on this page but literature."""


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page, with the first comparison and outcome written in."""
    if not any(published.rows(name) for name in SHOWN_FRAMES):
        return Page(NAME, HEADING, f'<p class="notice">{NOT_RANDOMISED}</p>{empty()}')
    compared = Compared.of(published, meta)
    filters = _filters(compared)
    states = (
        {
            f"{i}|{j}": compared.state(contrast, outcome)
            for i, (contrast, _) in enumerate(compared.contrasts)
            for j, (outcome, _) in enumerate(compared.outcomes)
        }
        if filters
        else {"0": State()}
    )
    start = next(iter(states.values()))
    cards = [_drawn(card, start) for card in care_compared.CARDS] if filters else []
    reference = care_described.regression(published)
    if cards and reference:
        cards[0] = replace(cards[0], extra=f'<p class="say">{esc(reference)}</p>')
    arms = care_evidence.arms(published, meta)
    sections: list[tuple[str, Sequence[Filled]]] = [
        ("", [*([arms] if arms else []), care_described.care_mix(published, meta)]),
        ("Evidence", [care_evidence.evidence(published)]),
        ("Who comes", [care_described.who(published, meta), care_described.twitch(published, meta)]),
        (
            "Safety",
            [
                care_events.events(published, meta),
                care_events.asked(published, meta),
                care_events.precautions(published, meta),
                care_events.gaps(published),
            ],
        ),
        ("Often said", [care_evidence.corrections(published)]),
    ]
    filled = [item for _, items in sections for item in items]
    for state in states.values():
        place(filled, state)
    every = [*cards, *(item.card for item in filled)]
    rows = {item.card.table.table_id: item.rows for item in filled}
    made = payload(NAME, meta, every, filters, states=states_json(states, every), rows=rows)
    start.rows |= rows
    body = _top(filters, start, published) + _grids(cards, sections, start)
    return Page(NAME, HEADING, body, made)


def _filters(compared: Compared) -> list[dict[str, object]]:
    """Return the two filters; none where nothing is compared."""
    if not compared.contrasts:
        return []
    return [
        selection_filter("compare", "Compare", compared.contrasts),
        selection_filter("outcome", "Outcome", compared.outcomes),
    ]


def _drawn(card: Card, start: State) -> Card:
    """Return a card with the figure of the default selection; an empty one where that selection has none."""
    if card.card_id not in start.plots:
        return card
    return replace(card, spec=start.plots[card.card_id] or balance.spec([]))


def _top(filters: list[dict[str, object]], start: State, published: Published) -> str:
    lead = (
        f"{filters_html(filters)}"
        f'<p class="lead" data-lead>{slot("lead.strong", start, "strong")}{slot("lead.rest", start, "span")}</p>'
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        if filters
        else ""
    )
    files = (name for name in (*SHOWN_FRAMES, "evidence") if name in published.frames)
    notice = TRIAL if published.is_trial and not filters else NOT_RANDOMISED
    links = listing(f'<a href="data/{name}.csv">{name}.csv</a>' for name in files)
    return (
        f'{lead}<p class="notice">{notice}</p>'
        '<noscript><p class="notice">Filters and charts need JavaScript, and tables are cut without it. All numbers '
        f"are in the files of this site: {links}.</p></noscript>"
    )


def _grids(cards: list[Card], sections: list[tuple[str, Sequence[Filled]]], start: State) -> str:
    """Return the cards of comparisons and, under their headings, all others."""
    parts = [card_html(card, start) for card in cards]
    grids = []
    for title, items in sections:
        if title:
            grids.append(f'<div class="grid">{"".join(parts)}</div><h2 class="section">{title}</h2>')
            parts = []
        parts += [card_html(item.card, start) for item in items]
    grids.append(f'<div class="grid">{"".join(parts)}</div>')
    return "".join(grids)
