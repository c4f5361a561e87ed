"""What a file feeds, with the short forms of a profile written out.

An emitter makes at most one canonical row of one table from each source row. A file of the canonical layout has one; a
wide file has one for the patient, one for the episode, and one for each visit and each score.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from assets.deliveries.profile.fields import FieldSource, SignFlip, Withdrawal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from assets.contract.model import Contract, Table
    from assets.deliveries.profile.fields import FileSource, PlannedVisit, Score, Selection, UnitSource

WITHDRAWN = Withdrawal(column="withdrawn", codes=("yes",))
"""The optional column of the canonical layout that takes a row back."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """What happens to a score before it is a score of the contract.

    ``units`` translates the source's words for units; ``convert`` lists measures that scores of another scale become;
    ``flips`` says whose signs are turned round.
    """

    units: Mapping[str, UnitSource] = field(default_factory=dict)
    convert: tuple[str, ...] = ()
    flips: tuple[SignFlip, ...] = ()

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Source columns that decide about signs."""
        return tuple(flip.where.column for flip in self.flips if flip.where)


@dataclass(frozen=True, slots=True)
class Emitter:
    """Fields of one canonical row. It is only made where one of ``when_any`` has a value (empty: always).

    ``optional`` columns may be missing from the file. ``withdrawn`` says which rows take back what was sent under
    their key.
    """

    table: Table
    fields: Mapping[str, FieldSource]
    when_any: tuple[FieldSource, ...] = ()
    optional: frozenset[str] = frozenset()
    withdrawn: Withdrawal | None = None
    scaling: Scaling = Scaling()

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Source columns this emitter reads."""
        named = [column for source in (*self.fields.values(), *self.when_any) for column in source.used_columns]
        if self.withdrawn:
            named.append(self.withdrawn.column)
        return (*named, *self.scaling.used_columns)

    def extracted_on(self, day: int) -> Emitter:
        """The same emitter for a file of real dates, extracted on ``day`` (since 1970-01-01)."""
        if "extract_day" not in self.table.names:
            return self
        return replace(self, fields={**self.fields, "extract_day": FieldSource(constant=day)})

    def present(self, columns: AbstractSet[str]) -> Emitter:
        """The same emitter for a file that has these columns: without what only absent optional columns say."""
        absent = self.optional - columns
        return replace(
            self,
            fields={name: source for name, source in self.fields.items() if not absent & set(source.used_columns)},
            withdrawn=None if self.withdrawn and self.withdrawn.column in absent else self.withdrawn,
        )


def emitters_of(file: FileSource, contract: Contract) -> tuple[Emitter, ...]:
    """All emitters of a file, parents before children."""
    return tuple(_emitters(file, contract))


def _emitters(file: FileSource, contract: Contract) -> Iterator[Emitter]:
    for source in file.tables:
        table = contract.table(source.table)
        when = (FieldSource(column=source.skip_when_blank),) if source.skip_when_blank else ()
        scaling = Scaling(source.units, source.convert, source.flip_sign)
        if source.fields == "same_names":
            sent = [column.name for column in table.columns if not column.written_by_reader]
            fields = {name: FieldSource(column=name) for name in sent}
            optional = frozenset({column.name for column in table.columns if column.optional} | {WITHDRAWN.column})
            yield Emitter(table, fields, when, optional, WITHDRAWN, scaling)
        else:
            yield Emitter(table, dict(source.fields), when, withdrawn=source.withdrawn, scaling=scaling)
    for score in file.scores:
        yield _score(score, _key_of(file, "visit"), contract)
    for visit in file.visits:
        yield from _visit(visit, _key_of(file, "episode"), contract)


def _visit(visit: PlannedVisit, episode_key: FieldSource, contract: Contract) -> Iterator[Emitter]:
    visit_key = episode_key.model_copy(update={"suffix": f"{episode_key.suffix}-{visit.name}"})
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
        when_any=tuple(_value(score) for score in visit.scores),
    )
    for score in visit.scores:
        yield _score(score, visit_key, contract)


def _score(score: Score, visit_key: FieldSource, contract: Contract) -> Emitter:
    value = _value(score)
    measure = contract.measure(score.measure)
    fields = {
        "visit_key": visit_key,
        "measure_id": FieldSource(constant=score.measure),
        "side": score.side,
        "active_passive": score.active_passive,
        "method": score.method,
        "value": value,
        "unit": FieldSource(constant=SOURCE_UNIT if score.unit else measure.unit),
    }
    if score.rater_key:
        fields["rater_key"] = score.rater_key
    units = {SOURCE_UNIT: score.unit} if score.unit else {}
    return Emitter(
        contract.table("measurement"), fields, when_any=(value,), scaling=Scaling(units, (), tuple(_flips(score)))
    )


SOURCE_UNIT = "source"
"""How the unit of a score column is called until it is translated."""


def _flips(score: Score) -> Iterator[SignFlip]:
    if score.flip_sign is not None:
        where: Selection | None = None if score.flip_sign == "always" else score.flip_sign
        yield SignFlip(measures=(score.measure,), where=where)


def _key_of(file: FileSource, table: str) -> FieldSource:
    """Where the key of the episode or visit that a row speaks of comes from."""
    for source in file.tables:
        if source.table == table and not isinstance(source.fields, str):
            return source.fields[f"{table}_key"]
    message = f"{file.match} needs a table {table!r} with its key"
    raise ValueError(message)


def _value(score: Score) -> FieldSource:
    return FieldSource(column=score.column, missing=score.missing, missing_when_blank=score.missing_when_blank)
