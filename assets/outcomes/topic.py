"""A topic: published tables that are computed together from the same relations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from assets.contract.model import Contract
    from assets.outcomes.frames import Layout

    Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a module of ``tables/`` offers.

    ``reads`` names relations of the warehouse (schema.table); they are in memory only while the topic is computed.
    ``tables`` names the tables and says what each is about. ``build`` makes exactly these, exact and with nothing
    hidden, from the relations and the contract with what profiles add to it. ``layouts`` are those of the tables about
    patients, by which disclosure control goes over them before anything is published.
    """

    reads: tuple[str, ...]
    tables: Mapping[str, str]
    build: Callable[[Frames, Contract], dict[str, pl.DataFrame]]
    layouts: Mapping[str, Layout] = field(default_factory=dict)
