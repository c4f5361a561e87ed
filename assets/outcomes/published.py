"""All tables of the statistics: exact here, and published once disclosure control has gone over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.outcomes.tables import (
    care,
    case_mix,
    clinics,
    completion,
    curves,
    definitions,
    evidence,
    labels,
    over_time,
    provider_gain,
    quality,
    rates,
    recovery_time,
    safety,
    sources,
    subgroups,
    trajectories,
    trials,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from assets.contract.model import Contract
    from assets.outcomes.topic import Topic

STATISTICS: tuple[Topic, ...] = (
    labels.TOPIC,
    quality.TOPIC,
    rates.TOPIC,
    curves.TOPIC,
    recovery_time.TOPIC,
    over_time.TOPIC,
    clinics.TOPIC,
    provider_gain.TOPIC,
    case_mix.TOPIC,
    completion.TOPIC,
    care.TOPIC,
    definitions.TOPIC,
    evidence.TOPIC,
    subgroups.TOPIC,
    safety.TOPIC,
    trajectories.TOPIC,
    trials.TOPIC,
)
TOPICS = (*STATISTICS, sources.topic(STATISTICS))

READ_RELATIONS = tuple(dict.fromkeys(relation for topic in TOPICS for relation in topic.reads))
"""Relations of the warehouse that the statistics read."""

PUBLISHED_TABLES = dict(sorted(item for topic in TOPICS for item in topic.tables.items()))
"""Tables and what each one says; ``exact_frames`` returns exactly these, and these are published."""


LAYOUTS = {name: layout for topic in TOPICS for name, layout in topic.layouts.items()}
"""Layouts of the tables about patients."""


def exact_frames(
    read: Callable[[str], pl.DataFrame], contract: Contract, topics: Sequence[Topic] = TOPICS
) -> dict[str, pl.DataFrame]:
    """Compute the frames of the topics, exact and with nothing hidden, by name in alphabetical order.

    The same input gives equal frames, cell by cell, whatever the order of its rows.

    Args:
        read: Returns a relation of ``READ_RELATIONS``. Counts are integers; sums are integers or decimals.
        contract: With what the profiles of the feeds add.
        topics: All of them in a release; a test may look at some.

    Raises:
        ValueError: input that contradicts itself, or a topic that does not make what it says; the message names
            columns and codes, never a value of a patient.

    """
    frames: dict[str, pl.DataFrame] = {}
    for topic in topics:
        made = topic.build({relation: read(relation) for relation in topic.reads}, contract)
        if set(made) != set(topic.tables):
            message = f"a topic makes other tables than it names: {', '.join(sorted(set(made) ^ set(topic.tables)))}"
            raise ValueError(message)
        frames |= made
    return dict(sorted(frames.items()))
