"""A card whose content is the same for every selection, with its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboards.figures.build import Spec
    from dashboards.pages.parts import Card, Cell, State


@dataclass(frozen=True, slots=True)
class Filled:
    """The card has its answer and, if there is anything to draw, its figure."""

    card: Card
    rows: list[list[Cell]]


def filled(card: Card, say: str, rows: list[list[Cell]], spec: Spec | None = None) -> Filled:
    """Return the card with its content; without rows there is no chart of nothing."""
    drawn = spec if rows else None
    return Filled(replace(card, say=say, spec=drawn, keys=card.keys if drawn else ()), rows)


def place(items: Iterable[Filled], state: State) -> None:
    """Add the figures of the cards to a selection; their rows stand once beside all selections."""
    for item in items:
        if item.card.spec is not None:
            state.plots[item.card.card_id] = item.card.spec
