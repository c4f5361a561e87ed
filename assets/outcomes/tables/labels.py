"""Published lists: clinics, conditions, recovery definitions, statistics in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.outcomes.frames import BOOLEAN, INTEGER, STRING, Layout, columns
from assets.outcomes.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

DEFINITION = Layout(
    columns(STRING, "definition_id"),
    {**columns(INTEGER, "version"), **columns(STRING, "label", "sentence"), **columns(BOOLEAN, "is_default")},
    plain=("version",),
)
CONDITION = Layout(
    columns(STRING, "condition_id"),
    {**columns(INTEGER, "position"), **columns(STRING, "label", "sentence_label")},
    plain=("position",),
)
CLINIC = Layout(columns(STRING, "clinic_key"), columns(STRING, "label"))
STATISTIC_WORDS = ("label", "sentence", "numerator", "denominator", "exclusions", "window", "method", "source")
STATISTIC = Layout(columns(STRING, "statistic_id"), columns(STRING, *STATISTIC_WORDS))


def definition(contract: Contract) -> pl.DataFrame:
    """Recovery definitions with their sentence."""
    rows = [
        (item.definition_id, item.version, item.label, item.sentence, item.is_default) for item in contract.definitions
    ]
    return _listed(DEFINITION, rows)


def statistic(contract: Contract) -> pl.DataFrame:
    """Every published number in words, by the id that stands beside it."""
    rows = [(item.versioned_id, *(getattr(item, name) for name in STATISTIC_WORDS)) for item in contract.statistics]
    return _listed(STATISTIC, rows)


def condition(contract: Contract) -> pl.DataFrame:
    """Conditions with their labels; ``position`` is the fixed order of every page, from 1."""
    rows = [
        (item.condition_id, position, item.label, item.sentence_label)
        for position, item in enumerate(contract.conditions, start=1)
    ]
    return _listed(CONDITION, rows)


def clinic(recovery_cube: pl.DataFrame) -> pl.DataFrame:
    """Clinics that have episodes. Feeds send keys only: the key is the label, with spaces, which keys cannot have."""
    keys = recovery_cube.select("clinic_key").drop_nulls().unique()
    return CLINIC.arrange(keys.with_columns(label=pl.col("clinic_key").str.replace_all("_", " ")))


def _listed(layout: Layout, rows: Sequence[tuple[str | int | bool, ...]]) -> pl.DataFrame:
    return layout.arrange(pl.DataFrame(rows, schema={**layout.keys, **layout.numbers}, orient="row"))


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {
        "clinic": clinic(marts["marts.recovery_cube"]),
        "condition": condition(contract),
        "definition": definition(contract),
        "statistic": statistic(contract),
    }


TOPIC = Topic(
    reads=("marts.recovery_cube",),
    tables={
        "clinic": "Clinics that have episodes",
        "condition": "Conditions in the fixed order of every page",
        "definition": "Recovery definitions in words",
        "statistic": "Every published number in words: numerator, denominator, exclusions, window, method, source",
    },
    build=_build,
)
