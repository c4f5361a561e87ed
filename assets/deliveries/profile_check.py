"""Compares a profile with the contract: tables, fields, measures and codes that it names must exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.checks import allowed_codes
from assets.contract.model import ColumnType

if TYPE_CHECKING:
    from assets.contract.model import Contract, Table
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile_fields import FieldSource, FileSource, PlannedVisit
    from assets.deliveries.profile_text import Location, ProfileText

RESERVED_COLUMNS = ("row_number", "structure")
"""Columns that reading adds beside those of the source."""


def check_profile(text: ProfileText, profile: Profile, contract: Contract) -> None:
    """Find the first name that the contract, with the profile's own additions, does not have.

    Raises:
        InputProblem: naming the line, the entry and the nearest one that exists.

    """
    measures = {measure.measure_id for measure in contract.measures}
    for position, extra in enumerate(profile.measures):
        if extra.low >= extra.high:
            raise text.problem(("measures", position, "high"), "low is not below high", "Correct the bounds")
    for position, condition in enumerate(profile.conditions):
        for key, names in (("pain_measure", (condition.pain_measure,)), ("rom_measures", condition.rom_measures)):
            for measure in names:
                if measure not in measures:
                    raise text.unknown(("conditions", position, key), "measure", measure, measures)
    for position, rule in enumerate(profile.responder_rules):
        if rule.measure not in measures:
            raise text.unknown(("responder_rules", position, "measure"), "measure", rule.measure, measures)
    for position, file in enumerate(profile.files):
        _check_file(text, ("files", position), file, contract)


def _check_file(text: ProfileText, at: Location, file: FileSource, contract: Contract) -> None:
    tables = {table.name: table for table in contract.tables}
    keyed = False
    for position, source in enumerate(file.tables):
        here = (*at, "tables", position)
        if source.table not in tables:
            raise text.unknown((*here, "table"), "table", source.table, tables)
        if source.fields != "same_names":
            _check_table_fields(text, (*here, "fields"), contract, tables[source.table], source.fields)
            keyed = keyed or source.table == "episode"
    for column in file.ignored:
        if column in RESERVED_COLUMNS:
            raise _reserved(text, (*at, "ignored"), column)
    if file.visits and not keyed:
        raise text.problem((*at, "visits"), f"the visits of {file.match} belong to no episode", "Add its fields")
    names = [visit.name for visit in file.visits]
    for position, visit in enumerate(file.visits):
        here = (*at, "visits", position)
        if visit.name in names[:position]:
            raise text.problem((*here, "name"), f"a second visit is called {visit.name!r}", "Give it another name")
        _check_visit(text, here, contract, visit)


def _check_visit(text: ProfileText, at: Location, contract: Contract, visit: PlannedVisit) -> None:
    kinds = contract.table("visit").column("visit_type").allowed
    if visit.visit_type not in kinds:
        raise text.unknown((*at, "visit_type"), "visit_type", visit.visit_type, kinds)
    measures = {measure.measure_id for measure in contract.measures}
    for position, score in enumerate(visit.scores):
        here = (*at, "scores", position)
        if score.measure not in measures:
            raise text.unknown((*here, "measure"), "measure", score.measure, measures)
        if score.column in RESERVED_COLUMNS:
            raise _reserved(text, (*here, "column"), score.column)
        for name in ("side", "method", "active_passive"):
            _check_field(text, (*here, name), contract, contract.table("measurement"), name, getattr(score, name))


def _check_table_fields(
    text: ProfileText, at: Location, contract: Contract, table: Table, fields: dict[str, FieldSource]
) -> None:
    for name, field in fields.items():
        if name not in table.names:
            raise text.unknown((*at, name), f"in {table.name} the field", name, table.names)
        _check_field(text, (*at, name), contract, table, name, field)
    for column in table.columns:
        if column.required and column.name not in fields:
            raise text.problem(at, f"{table.name} needs the field {column.name!r}", "Say which column holds it")


def _check_field(
    text: ProfileText, at: Location, contract: Contract, table: Table, name: str, field: FieldSource
) -> None:
    for column in field.used_columns:
        if column in RESERVED_COLUMNS:
            raise _reserved(text, at, column)
    known = allowed_codes(contract, table, table.column(name))
    if table.column(name).type is not ColumnType.CODE or not known:
        return
    if field.constant is not None and str(field.constant) not in known:
        raise text.unknown((*at, "constant"), "code", str(field.constant), known)
    if field.prefix or field.suffix:
        return
    for source, code in field.codes.items():
        if code not in known:
            raise text.unknown((*at, "codes", source), "code", code, known)


def _reserved(text: ProfileText, at: Location, column: str) -> Exception:
    return text.problem(at, f"the column name {column!r} is taken by the reader", "Rename the column in the export")
