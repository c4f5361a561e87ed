"""The identifier gate of a file: refuses a delivery in which columns, by name or by what they hold, identify people.

Every row of every column is searched, also of columns that the profile ignores, for the file as sent is kept. What the
profile and the contract list (codes, missing codes, units) was agreed on and is exempt. The sentence names all columns
with counts and never a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.contract.checks import allowed_codes
from assets.contract.model import ColumnType
from assets.contract.tables import AGE_TOP_CODE_YEARS, OLDEST_PERSON_YEARS
from assets.deliveries.formats import ROW_NUMBER, STRUCTURE
from assets.deliveries.problems import InputProblem, said_column
from assets.privacy.identifier_values import SHORTEST_BYTES, any_form, suspicion
from assets.privacy.identifiers import SERVICE_DATE, identifying_column
from assets.privacy.zip_codes import is_too_fine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from assets.contract.model import Table
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.formats import TextTable
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile.fields import FileSource

NAMED = 10
"""Columns that one sentence names; of more it says how many."""
JUDGED_ROWS = 1_000_000
"""Suspicious rows of a column that are looked at one by one; beyond, the pattern alone decides, in bounded memory."""
REMEDY = (
    "Send surrogate keys and day numbers instead: 'needlepoint deidentify' makes such files on the clinic's own machine"
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What profile and contract say about the columns of one file.

    ``known`` are columns that the profile names, ``days`` may hold dates,
    ``listed`` are values that were agreed on, ``zips`` and ``ages`` are those of patients.
    """

    known: frozenset[str]
    days: frozenset[str]
    listed: Mapping[str, frozenset[str]]
    zips: frozenset[str]
    ages: frozenset[str]


def agreed_on(source: FileSource, emitters: tuple[Emitter, ...], profile: Profile) -> Agreed:
    """Read off a profile what the gate has to know about a file."""
    listed: dict[str, set[str]] = {}
    for column, values in _listed(source, emitters, profile):
        listed.setdefault(column, set()).update(values)
    days = _columns(emitters, lambda table, field: table.column(field).type is ColumnType.DAY)
    return Agreed(
        known=frozenset({*source.ignored, *listed}),
        days=days if profile.privacy_mode == "limited_data_set" else frozenset(),
        listed={column: frozenset(values) for column, values in listed.items()},
        zips=_columns(emitters, lambda table, field: (table.name, field) == ("patient", "zip3")),
        ages=_columns(emitters, lambda table, field: (table.name, field) == ("patient", "age_years")),
    )


def gate_names(table: TextTable, name: str, agreed: Agreed) -> None:
    """Refuse columns named after an identifier, also those the profile ignores, unless nothing is filled in.

    Raises:
        InputProblem: PHI_SUSPECTED, naming also the columns whose values identify.

    """
    named = {}
    for column in table.header:
        what = identifying_column(column)
        if what and not (what == SERVICE_DATE and column in agreed.days):
            named[column] = what
    if not named:
        return
    unique = len(set(table.header)) == len(table.header)  # else the rows cannot be told apart by name
    filled = _filled(table, tuple(named), name) if unique else dict.fromkeys(named, table.records)
    said = {column: f"named like {named[column]} ({rows:,} filled in)" for column, rows in filled.items() if rows}
    if said:
        found = _suspicions(table, name, agreed) if unique else {}
        raise _problem(
            table, name, agreed, said | {column: what for column, what in found.items() if column not in said}
        )


def gate_values(table: TextTable, name: str, agreed: Agreed) -> None:
    """Refuse columns whose values identify.

    Raises:
        InputProblem: PHI_SUSPECTED, or STRUCTURE if the file cannot be read to its end.

    """
    said = _suspicions(table, name, agreed)
    if said:
        raise _problem(table, name, agreed, said)


def _problem(table: TextTable, name: str, agreed: Agreed, said: Mapping[str, str]) -> InputProblem:
    sentences = [
        f"{_said(column, position, agreed)}: {said[column]}"
        for position, column in enumerate(table.header, start=1)
        if column in said
    ]
    more = f"; {len(sentences) - NAMED} more columns" if len(sentences) > NAMED else ""
    return InputProblem("PHI_SUSPECTED", name, "; ".join(sentences[:NAMED]) + more, REMEDY)


def _said(column: str, position: int, agreed: Agreed) -> str:
    return f"column {column!r}" if column in agreed.known else said_column(column, position)


def _filled(table: TextTable, columns: tuple[str, ...], name: str) -> dict[str, int]:
    counts = _collect(table.rows.select(_is_filled(_in_frame(column)).sum().alias(column) for column in columns), name)
    return {column: int(rows) for column, rows in counts.row(0, named=True).items()}


def _suspicions(table: TextTable, name: str, agreed: Agreed) -> dict[str, str]:
    """What is wrong with which column: one pass over all rows, then a closer look at columns with a hit."""
    probes = list(_probes(table, agreed))
    hits = _count(table.rows, probes, name)
    said: dict[str, str] = {}
    for probe, rows in hits.items():
        if rows and probe.column not in said:
            filled = _filled(table, (probe.column,), name)[probe.column]
            what = f"{rows:,} of {filled:,} values are {probe.what}" if probe.what else None
            what = what or _closer(table, name, probe, filled, rows)
            if what:
                said[probe.column] = what
    return said


def _count(rows: pl.LazyFrame, probes: list[_Probe], name: str) -> dict[_Probe, int]:
    """Suspicious rows of every probe, in one pass."""
    if not probes:
        return {}
    counted = _collect(rows.select(probe.hits.alias(str(position)) for position, probe in enumerate(probes)), name)
    return dict(zip(probes, counted.row(0), strict=True))


@dataclass(frozen=True, eq=False, slots=True)
class _Probe:
    """``hit`` is true where ``text`` of a column may identify, ``hits`` counts such rows.

    ``what`` says what they would be, None where that is still open. ``dates`` count, or the column may hold them.
    """

    column: str
    text: pl.Expr
    hit: pl.Expr
    hits: pl.Expr
    what: str | None = None
    dates: bool = True


def _probes(table: TextTable, agreed: Agreed) -> Iterator[_Probe]:
    for column in table.header:
        text = _unlisted(column, agreed)
        if column in agreed.zips:
            hit, what = is_too_fine(text), "ZIP codes that are whole or of an area of few people"
            yield _Probe(column, text, hit, hit.sum(), what)
        if column in agreed.ages:
            hit, what = _is_too_old(text), f"ages over {AGE_TOP_CODE_YEARS}"
            yield _Probe(column, text, hit, hit.sum(), what)
        if column not in table.numeric:
            dates = column not in agreed.days
            pattern = any_form(dates=dates)
            sent = _in_frame(column).cast(pl.String)
            searched = sent.str.len_bytes() >= SHORTEST_BYTES
            if column in agreed.listed:
                searched &= ~sent.is_in(sorted(agreed.listed[column]))  # faster than a pattern
            hits = sent.filter(searched).str.contains(pattern).sum()
            yield _Probe(column, text, text.str.contains(pattern), hits, dates=dates)


def _closer(table: TextTable, name: str, probe: _Probe, filled: int, hits: int) -> str | None:
    values = (
        table.rows.filter(probe.hit)
        .head(JUDGED_ROWS)
        .group_by(probe.text.alias("value"))
        .agg(rows=pl.len(), first_row=pl.col(ROW_NUMBER).min())
    )
    found = suspicion(_collect(values, name), filled, dates=probe.dates)
    if found is None:
        return None
    rows = found.rows if hits <= JUDGED_ROWS else hits
    return f"{rows:,} of {filled:,} values look like {found.what} (first in row {found.first_row:,})"


def _in_frame(column: str) -> pl.Expr:
    """A column of the header; one that has a name of ours is called otherwise in the frame."""
    return pl.col(f"ignored {column}" if column in (ROW_NUMBER, STRUCTURE) else column)


def _unlisted(column: str, agreed: Agreed) -> pl.Expr:
    """A column's text without what the profile lists: "Usual Care" looks like a name but was agreed on."""
    text = _in_frame(column).cast(pl.String)
    listed = agreed.listed.get(column)
    return pl.when(~text.str.strip_chars().is_in(sorted(listed))).then(text) if listed else text


def _is_too_old(text: pl.Expr) -> pl.Expr:
    """Ages of persons; what is beyond them is a typing error, which sets its row aside."""
    years = text.str.strip_chars().cast(pl.Float64, strict=False)
    return (years > AGE_TOP_CODE_YEARS) & (years <= OLDEST_PERSON_YEARS)


def _is_filled(column: pl.Expr) -> pl.Expr:
    return (column.cast(pl.String).str.strip_chars() != "").fill_null(value=False)


def _collect(rows: pl.LazyFrame, name: str) -> pl.DataFrame:
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError:
        raise InputProblem("STRUCTURE", name, "the file cannot be parsed", "Check quotes and line ends") from None


def _columns(emitters: tuple[Emitter, ...], wanted: Callable[[Table, str], bool]) -> frozenset[str]:
    return frozenset(
        column
        for emitter in emitters
        for field, source in emitter.fields.items()
        if wanted(emitter.table, field)
        for column in (source.column, *source.columns)
        if column is not None
    )


def _listed(
    source: FileSource, emitters: tuple[Emitter, ...], profile: Profile
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Columns and values of them that profile or contract spell out."""
    contract = profile.extend(CONTRACT)
    for emitter in emitters:
        for field, origin in emitter.fields.items():
            values = (*origin.codes, *origin.missing)
            values = (*values, *allowed_codes(contract, emitter.table, emitter.table.column(field)))
            if field == "unit":
                values = (*values, *emitter.scaling.units, *(measure.unit for measure in contract.measures))
            for column in origin.used_columns:
                yield column, values
        if emitter.withdrawn:
            yield emitter.withdrawn.column, emitter.withdrawn.codes
        for flip in emitter.scaling.flips:
            if flip.where:
                yield flip.where.column, flip.where.among
    for selection in source.only:
        yield selection.column, selection.among
