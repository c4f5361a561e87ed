"""What a file feeds, with the short forms of a profile written out.

An emitter makes at most one canonical row of one table from each source row. A file of the canonical layout has one; a
wide file has one for the patient, one for the episode, and one for each visit and each score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.profile_fields import FieldSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assets.contract.model import Contract, Table
    from assets.deliveries.profile_fields import FileSource, PlannedVisit, Score


@dataclass(frozen=True, slots=True)
class Emitter:
    """Fields of one canonical row. It is only made where one of ``when_any`` has a value (empty: always)."""

    table: Table
    fields: Mapping[str, FieldSource]
    when_any: tuple[FieldSource, ...] = ()

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Source columns this emitter reads."""
        return tuple(column for source in (*self.fields.values(), *self.when_any) for column in source.used_columns)


def emitters_of(file: FileSource, contract: Contract) -> tuple[Emitter, ...]:
    """All emitters of a file, parents before children."""
    return tuple(_emitters(file, contract))


def _emitters(file: FileSource, contract: Contract) -> Iterator[Emitter]:
    for source in file.tables:
        table = contract.table(source.table)
        fields = (
            {name: FieldSource(column=name) for name in table.names}
            if source.fields == "same_names"
            else dict(source.fields)
        )
        when = (FieldSource(column=source.skip_when_blank),) if source.skip_when_blank else ()
        yield Emitter(table, fields, when)
    if file.visits:
        for visit in file.visits:
            yield from _visit(visit, _episode_key(file), contract)


def _visit(visit: PlannedVisit, episode_key: FieldSource, contract: Contract) -> Iterator[Emitter]:
    visit_key = episode_key.model_copy(update={"suffix": f"{episode_key.suffix}-{visit.name}"})
    scores = tuple(_value(score) for score in visit.scores)
    yield Emitter(
        contract.table("visit"),
        {
            "visit_key": visit_key,
            "episode_key": episode_key,
            "day_offset": FieldSource(constant=visit.day),
            "planned_day": FieldSource(constant=visit.day),
            "visit_type": FieldSource(constant=visit.visit_type),
            "attendance": FieldSource(constant="attended"),
        },
        when_any=scores,
    )
    for score, value in zip(visit.scores, scores, strict=True):
        measure = contract.measure(score.measure)
        yield Emitter(
            contract.table("measurement"),
            {
                "visit_key": visit_key,
                "measure_id": FieldSource(constant=score.measure),
                "side": score.side,
                "active_passive": score.active_passive,
                "method": score.method,
                "value": value,
                "unit": FieldSource(constant=measure.unit),
            },
            when_any=(value,),
        )


def _episode_key(file: FileSource) -> FieldSource:
    for source in file.tables:
        if source.table == "episode" and not isinstance(source.fields, str):
            return source.fields["episode_key"]
    message = "visits need a table 'episode' with its key in the same file"
    raise ValueError(message)


def _value(score: Score) -> FieldSource:
    return FieldSource(column=score.column, missing=score.missing, missing_when_blank=score.missing_when_blank)
