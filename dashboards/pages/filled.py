"""A card whose content is the same for every selection, with its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboards.pages.parts import Card, Cell, State


@dataclass(frozen=True, slots=True)
class Filled:
    """``none``: words that stand in the place of a chart."""

    card: Card
    rows: list[list[Cell]] = field(default_factory=list)
    none: str = ""


def place(filled: Iterable[Filled], state: State) -> None:
    """Add the figures and words of the cards to a selection; their rows stand once beside all selections."""
    for item in filled:
        if item.card.spec is not None:
            state.plots[item.card.card_id] = item.card.spec
        if item.none:
            state.text[f"{item.card.card_id}.none"] = item.none
