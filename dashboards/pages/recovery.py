"""Recovery by condition ``recovery.html``: recovery, how it is reached over time, and how much of it is known.

The page itself holds the numbers of all clinics; those of one clinic are a chunk that the engine loads when the clinic
is chosen, so that the page weighs the same for 2 clinics and for 200.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from dashboards.care_words import SUBGROUPS, label_of
from dashboards.figures import control_chart, count_bars, funnel, recovery_curve, time_dot
from dashboards.pages import recovery_cards as cards_of
from dashboards.pages import recovery_clinics as of_clinics
from dashboards.pages import recovery_state as show
from dashboards.pages import scores
from dashboards.pages.frame import Page, empty
from dashboards.pages.parts import (
    Key,
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
from dashboards.pages.recovery_frames import POPULATION, RecoveryFrames
from dashboards.pages.recovery_state import Selection
from dashboards.recovery_words import ALL_YEARS
from dashboards.words import improvement_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assets.contract.model import Contract
    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Card
    from dashboards.pages.payload import Filter
    from dashboards.published import Published

NAME, HEADING = "recovery", "Recovery by condition"
Part = tuple[tuple[str, ...], dict[str, State]]
NEEDS = {
    cards_of.CONDITIONS: ("recovery_by_condition", "rate"),
    cards_of.TIME: ("recovery_time", "n"),
    cards_of.CURVE: ("recovery_curve", "recovered_share"),
    cards_of.FUNNEL: ("clinic_funnel", "value"),
    cards_of.OVER: ("outcome_over_time", "value"),
    cards_of.PAIN: ("pain_change", "change_mean"),
    cards_of.MOTION: ("rom_change", "last_percent"),
    cards_of.CLINICS: ("recovery_by_condition", "completeness"),
    cards_of.POPULATION: ("subgroup_outcome", "rate"),
    cards_of.VARIANTS: ("recovery_by_condition", "rate"),
    cards_of.REASONS: ("unknown_reason", "reason"),
}
"""Cards, and the number without any of which they would show nothing: charts of nothing only hide what there is."""


TILED = {cards_of.CONDITIONS, cards_of.PAIN, cards_of.MOTION}
"""Cards whose numbers are tiles too."""


@dataclass(frozen=True)
class Choices:
    """The filters of the page beside the clinic with their values; what has a single value is no filter."""

    frames: RecoveryFrames
    meta: SiteMeta
    values: dict[str, list[Any]]

    def part(self, by: Sequence[str], make: Callable[[Selection], State | None], clinic: str | None = None) -> Part:
        """Return the filters among ``by`` that are on the page, and the state of each combination of their values."""
        names = tuple(name for name in by if name in self.values)
        states = {}
        for places in product(*(range(len(self.values[name])) for name in names)):
            chosen = {name: self.values[name][place] for name, place in zip(names, places, strict=True)}
            state = make(Selection(self.frames, self.meta, clinic, **chosen))
            if state is not None:
                states["|".join(map(str, places)) or "0"] = state
        return names, states


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page with all clinics, conditions and years written in, and a chunk for each clinic."""
    if published.is_empty:
        return Page(NAME, HEADING, empty())
    frames = RecoveryFrames(published)
    filters, choices = _filters(frames, meta)
    present = [card for card, need in NEEDS.items() if frames.has(*need)]
    if not frames.has_recovery:
        present = [card for card in present if card is not cards_of.CONDITIONS]
    if len({key[-1] for key in frames.rates}) == 1:
        present = [card for card in present if card is not cards_of.VARIANTS]
    own = [_at_first(part) for part in _of_one(choices, present, None)]
    common = _of_all(choices, present)
    start = joined(_default(part) for part in (*common, *own))
    cards = [_filled(card, start, frames, is_alone=_is_alone(card, present)) for card in present]
    specs = {card.card_id: card.spec for card in cards}
    # What marks a row comes before what may say that there is no chart: the later part stands.
    parts = [*common, *_marks(choices, specs), *own, choices.part((), show.reading)]
    content: dict[str, Any] = {"parts": parts_json(parts, cards)}
    funnels = _funnels(choices, common)
    chunks = {
        f"{NAME}-{place}": parts_json(
            [*_of_one(choices, present, key), *_clinic_marks(choices, specs, funnels, key)], cards
        )
        for place, (key, _) in enumerate(published.clinics, 1)
    }
    content["chunks"] = {"filter": "clinic", "files": ["", *(f"data/{name}.js" for name in chunks)]}
    if published.is_trial:
        card, rows = scores.arms_card(published, meta)
        cards.insert(0, card)
        content["rows"] = {card.table.table_id: rows}
        start.rows |= content["rows"]
    # an audience may not have the table that a tile would show
    tiles = [tile for tile in _tiles(published.contract) if tile[2] in published.frames and set(present) & TILED]
    body = _top(published.contract, filters, start, tiles) + _grid(cards, start)
    made = payload(NAME, meta, cards, filters, **content)
    made["tables"][cards_of.RISK.table_id] = table_json(cards_of.RISK)
    return Page(NAME, HEADING, body, made, styles=("recovery",), chunks=chunks)


def _filters(frames: RecoveryFrames, meta: SiteMeta) -> tuple[list[Filter], Choices]:
    published = frames.published
    care_label = "Arm of the trial" if published.is_trial else "Care received"
    offered = {
        "condition": ("Condition", [("", show.ALL_CONDITIONS), *published.conditions]),
        "period": ("First visit in", [(year, "All years" if year == ALL_YEARS else year) for year in frames.periods]),
        "care": (care_label, [(care, published.care_name(care)) for care in published.care]),
        "population": (
            "Population (all clinics)",
            [("", "All patients"), *((key, label_of(SUBGROUPS[POPULATION], key)) for key in frames.populations)],
        ),
    }
    used = {name: item for name, item in offered.items() if len(item[1]) > 1}
    clinics = selection_filter("clinic", "Clinic", [("", "All clinics"), *published.clinics])
    filters = [clinics, *(selection_filter(name, label, values) for name, (label, values) in used.items())]
    values: dict[str, list[Any]] = {name: [value or None for value, _ in item[1]] for name, item in used.items()}
    return filters, Choices(frames, meta, values)


def _of_one(choices: Choices, present: Sequence[Card], clinic: str | None) -> list[Part]:
    """What is shown of one clinic (None: of all together)."""
    made = [
        (("condition", "period", "care"), show.summary, None),
        (("period", "care"), show.by_condition, None),
        (("care",), show.times, cards_of.TIME),
        (("condition", "care"), show.time_sentence, cards_of.TIME),
        (("condition", "care"), show.curve, cards_of.CURVE),
        (("condition",), show.over, cards_of.OVER),
        (("condition",), show.reasons, cards_of.REASONS),
        (("condition", "care"), show.variants, cards_of.VARIANTS),
        ((), show.place, None),
    ]
    return [choices.part(by, make, clinic) for by, make, card in made if card is None or card in present]


def _of_all(choices: Choices, present: Sequence[Card]) -> list[Part]:
    """What is the same whatever clinic is chosen."""
    made = [
        (("condition",), of_clinics.funnel_part, cards_of.FUNNEL),
        (("condition",), show.groups, cards_of.POPULATION),
        (of_clinics.completeness_by(choices.frames), of_clinics.completeness_part, cards_of.CLINICS),
        (("care",), show.not_randomised, None),
        (("condition", "population"), show.group_notice, cards_of.POPULATION),
    ]
    return [choices.part(by, make) for by, make, card in made if card is None or card in present]


def _at_first(part: Part) -> Part:
    """Return a part of all clinics as one of the first value of the filter of clinics."""
    by, states = part
    return ("clinic", *by), {f"0|{key}" if by else "0": state for key, state in states.items()}


def _default(part: Part) -> State:
    by, states = part
    return states["|".join("0" for _ in by) or "0"]


def _marks(choices: Choices, specs: Mapping[str, Spec | None]) -> list[Part]:
    """What marks the condition and the group of patients that were chosen, in whatever chart has a row for them."""
    drawn = {name: spec for name, spec in specs.items() if spec is not None}

    def condition(chosen: Selection) -> State | None:
        keys = [key for key, _ in chosen.published.conditions]
        if chosen.condition is None:
            return None
        place = keys.index(chosen.condition)
        return State(plots={name: show.marked(drawn[name], place) for name in show.ROW_CHARTS if name in drawn})

    def population(chosen: Selection) -> State | None:
        if chosen.population is None or "population" not in drawn:
            return None
        place = chosen.frames.populations.index(chosen.population)
        return State(plots={"population": show.marked(drawn["population"], place)})

    return [choices.part(("condition",), condition), choices.part(("population",), population)]


def _funnels(choices: Choices, common: Sequence[Part]) -> dict[str | None, Spec]:
    """The funnels that are drawn, by condition."""
    states = next((states for _, states in common if "funnel.say" in next(iter(states.values())).text), {})
    conditions = choices.values.get("condition", [None])
    made = (state.plots["funnel"] for state in states.values())
    return {condition: spec for condition, spec in zip(conditions, made, strict=False) if spec is not None}


def _clinic_marks(
    choices: Choices, specs: Mapping[str, Spec | None], funnels: Mapping[str | None, Spec], clinic: str
) -> list[Part]:
    """What marks a clinic in the charts of all clinics."""
    base = specs.get("funnel")

    def funnel_mark(chosen: Selection) -> State | None:
        point = of_clinics.chosen_mark(chosen, funnels.get(chosen.condition))
        if base is None or point is None:
            return None
        return State(plots={"funnel": {**base, "data": [*base["data"][:-1], point]}})

    def row_mark(chosen: Selection) -> State | None:
        spec = specs.get("clinics")
        if spec is None or not of_clinics.is_listed(chosen.frames):
            return None
        keys = [key for key, _ in chosen.published.clinics]
        return State(plots={"clinics": show.marked(spec, keys.index(clinic))})

    return [choices.part(("condition",), funnel_mark, clinic), choices.part((), row_mark, clinic)]


def _is_alone(card: Card, present: Sequence[Card]) -> bool:
    return any(card in pair and not all(one in present for one in pair) for pair in cards_of.PAIRS)


def _filled(card: Card, start: State, frames: RecoveryFrames, *, is_alone: bool) -> Card:
    """Return a card with the figure of the default selection; with an empty one where that selection has none."""
    made = replace(card, read="", spec=start.plots[card.card_id] or _blank(card), width=12 if is_alone else card.width)
    if card is cards_of.CURVE:
        risk = table_html(cards_of.RISK, start.rows["risk"])
        return replace(made, extra=f'<div class="risk js-only"{when("curve", start)}>{risk}</div>')
    if card is cards_of.PAIN:
        fall = show.smallest_fall(frames.published)
        mark = (
            (Key("fall", f"a fall of {fall:g} points, the smallest change that patients call important"),)
            if fall
            else ()
        )
        return replace(made, keys=(Key("hollow", "first visit"), Key("dot", "last visit"), *mark))
    if card is cards_of.CLINICS and of_clinics.is_listed(frames):
        return replace(made, keys=cards_of.CLINIC_KEYS)
    return made


def _blank(card: Card) -> Spec:
    """Return the figure that other selections of the card are told apart from."""
    made = {
        cards_of.CURVE: lambda: recovery_curve.spec([]),
        cards_of.FUNNEL: lambda: funnel.spec([], [], None, of_clinics.FUNNEL_AXES, is_share=True),
        cards_of.OVER: lambda: control_chart.spec([], is_share=True),
        cards_of.REASONS: lambda: count_bars.spec([], "Episodes"),
        cards_of.TIME: lambda: time_dot.spec([]),
    }
    return made[card]()


def _tiles(contract: Contract) -> tuple[tuple[str, str, str], ...]:
    """Name, label and passport of each tile."""
    return (
        ("recovered", "Recovered", "recovery_by_condition"),
        ("median", "Median time to recovery", "recovery_time"),
        ("fall", "Change in pain", "pain_change"),
        ("better", improvement_label(contract), "pain_change"),
        ("moved", "Range of motion", "rom_change"),
        ("known", "Outcome known", "recovery_by_condition"),
    )


def _top(contract: Contract, filters: list[Filter], start: State, tiles: Sequence[tuple[str, str, str]]) -> str:
    return (
        f"{filters_html(filters)}"
        '<p class="lead" data-lead>'
        f"{slot('lead.strong', start, 'strong')}{slot('lead.rest', start, 'span')}</p>"
        f"{definition_html(contract.default_definition)}"
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f"{slot('few.say', start, css='none')}{slot('notice.missing', start, css='notice')}"
        f"{slot('notice.care', start, css='notice')}{slot('notice.population', start, css='notice')}"
        '<noscript><p class="notice">Filters, charts and tables need JavaScript. Their numbers are in '
        '<a href="data/recovery_by_condition.csv">recovery_by_condition.csv</a> and the files beside it.</p></noscript>'
        f"{_tiles_html(tiles, start) if tiles else ''}"
    )


def _tiles_html(tiles: Sequence[tuple[str, str, str]], start: State) -> str:
    inner = "".join(tile_html(name, label, "", start, passport) for name, label, passport in tiles)
    return f'<section class="tiles" aria-label="Key numbers">{inner}</section>'


def _grid(cards: Sequence[Card], start: State) -> str:
    return f'<div class="grid">{"".join(card_html(card, start) for card in cards)}</div>'
