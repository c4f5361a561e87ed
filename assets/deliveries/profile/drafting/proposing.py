"""What is proposed for each file of a feed: the tables it feeds, its planned visits, and what is left to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.deliveries.profile.drafting import mapping
from assets.deliveries.profile.drafting.naming import code_of, field_of, meaning_of
from assets.deliveries.profile.drafting.wide import score_columns, score_line, visit_drafts
from assets.deliveries.profile.drafting.writing import FileDraft, Line, TableDraft, flow, scalar, sequence, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assets.contract.model import Contract, Table
    from assets.deliveries.profile.drafting.columns import Column
    from assets.deliveries.profile.drafting.opening import Sample
    from assets.deliveries.profile.drafting.writing import VisitDraft

KEYS = {"patient": "patient_key", "episode": "episode_key", "visit": "visit_key"}
PREFIXES = {"patient": "P", "episode": "E", "visit": "V"}
SHARED = ("side", "method", "active_passive", "severity")
"""Fields whose names occur in several tables or are said of scores: alone they make no table."""
OPTIONAL_FILE = ("treatment", "adverse_event", "precaution")
DAY_FIELDS = ("calendar_day", "discharge_calendar_day")


def file_drafts(samples: Sequence[Sample], contract: Contract) -> list[FileDraft]:
    """A proposal for each file, parents first; tables that none of them describes are made where their keys are."""
    proposals = [_Proposal(sample, contract) for sample in samples]
    described = {name for proposal in proposals for name in proposal.described()}
    order = [table.name for table in contract.tables]
    drafts = [proposal.draft(described) for proposal in proposals]
    return sorted(drafts, key=lambda draft: min((order.index(part.table) for part in draft.tables), default=len(order)))


def _speaks(table: str, field: str) -> Callable[[Column, Contract], bool]:
    """Whether all codes of a column are words for codes of this field. Numbers are words for anything."""

    def fits(column: Column, contract: Contract) -> bool:
        allowed = contract.table(table).column(field).allowed
        words = [code for code in column.codes if code not in column.blanks]
        spoken = [code for code in words if not code.isdigit() and code_of(field, code, allowed)]
        return len(words) > 1 and len(spoken) == len(words) and not column.rare

    return fits


VALUES: Mapping[str, Callable[[Column, Contract], bool]] = {
    "sex": _speaks("patient", "sex"),
    "side": _speaks("episode", "side"),
    "attendance": _speaks("visit", "attendance"),
    "discharge_reason": _speaks("episode", "discharge_reason"),
    "condition_id": lambda column, _: column.is_icd10,
    "calendar_day": lambda column, _: column.is_date,
}
"""Fields that values give away, where exactly one column has them."""


class _Proposal:
    """One file: its columns by the field they may be, its scores, and what has been used."""

    def __init__(self, sample: Sample, contract: Contract) -> None:
        self._sample = sample
        self._contract = contract
        self._columns = {column.name: column for column in sample.columns if column.identifying is None}
        self._identifying = {c.name: c.identifying for c in sample.columns if c.identifying is not None}
        self._fields = self._by_name()
        self._by_values = self._found_by_values()
        self._fields.update(self._by_values)
        self._is_long = {"measure_id", "value"} <= set(self._fields)
        mapped = {column.name for column in self._fields.values()}
        free = [column for name, column in self._columns.items() if name not in mapped]
        self._scores = () if self._is_long else score_columns(free, contract)
        self._used: set[str] = set()
        self._has_dates = False

    def _by_name(self) -> dict[str, Column]:
        """The best column for each field. A column that is a measure, by its name, is no field."""
        found: dict[str, tuple[float, Column]] = {}
        for name, column in self._columns.items():
            field = field_of(name)
            if field and field[1] > found.get(field[0], (0.0,))[0] and column.filled:
                found[field[0]] = field[1], column
        if "visit_key" not in found and "value" in found and "measure_id" not in found:
            del found["value"]
        return {field: column for field, (_, column) in found.items() if not _is_measure(column, self._contract)}

    def _found_by_values(self) -> dict[str, Column]:
        """Columns whose names say nothing and whose values do: words of one list of codes, ICD-10 codes, dates."""
        taken = {column.name for column in self._fields.values()}
        free = [c for c in self._columns.values() if c.name not in taken and not _is_measure(c, self._contract)]
        found: dict[str, Column] = {}
        for field, fits in VALUES.items():
            fitting = [column for column in free if fits(column, self._contract)]
            if field not in self._fields and len(fitting) == 1:
                found[field] = fitting[0]
        return found

    @property
    def canonical(self) -> str | None:
        """The table of which this file has all columns, under their own names, and no others."""
        header = {column.name for column in self._sample.columns}
        for table in self._contract.tables:
            needed = {column.name for column in table.columns if not column.optional}
            if needed <= header <= {*table.names, "withdrawn"}:
                return table.name
        return None

    def described(self) -> list[str]:
        """Tables of which the file says more than the key."""
        if self.canonical:
            return [self.canonical]
        names = [table.name for table in self._contract.tables if self._describes(table)]
        if any(score.meaning.time for score in self._scores) and "visit" not in names and not self._visit_parts():
            return [name for name in names if name != "visit"]
        return names

    def _describes(self, table: Table) -> bool:
        if table.name == "measurement":
            return self._is_long
        marks = {"treatment": "treatment_class", "adverse_event": "event_type", "precaution": "precaution_type"}
        if table.name in marks:
            return marks[table.name] in self._fields and bool(self._key("visit") or table.name == "precaution")
        foreign = {reference.column for reference in table.references}
        own = set(table.names) - foreign - {KEYS[table.name], *SHARED, "clinic_key", "therapist_key"}
        return bool(own & set(self._fields)) and bool(self._key(table.name))

    def draft(self, described: set[str]) -> FileDraft:
        """The proposal; ``described`` are the tables that some file of the feed describes."""
        if self.canonical:
            optional = (Line("optional: true"),) if self.canonical in OPTIONAL_FILE else ()
            return FileDraft((*self._settings(), *optional), (TableDraft(self.canonical),))
        wanted = self._wanted(described)
        tables = tuple(self._table(self._contract.table(name)) for name in self._in_order(wanted))
        side = self._fields.get("side")
        scores: tuple[Line, ...] = ()
        visits: tuple[VisitDraft, ...] = ()
        if "visit" in wanted or self._visit_parts():
            scores = tuple(score_line(score, side, self._contract) for score in self._scores)
        else:
            visits = visit_drafts(self._scores, side, self._contract, self._sample.frame)
        self._used.update(score.column.name for score in self._scores)
        if self._scores and side is not None:
            self._used.add(side.name)
        return FileDraft(
            self._settings(), tables, scores, visits, tuple(self._ignored()), self._identifying, self._has_dates
        )

    def _in_order(self, wanted: set[str]) -> list[str]:
        return [table.name for table in self._contract.tables if table.name in wanted]

    def _wanted(self, described: set[str]) -> set[str]:
        """Tables described here, and the parents of its rows that no file describes."""
        wanted = set(self.described())
        if self._scores:
            wanted.add("visit" if self._visit_parts() else "episode")
        grown = True
        while grown:
            parents = {r.parent for name in wanted for r in self._contract.table(name).references}
            missing = {name for name in parents - described if name not in wanted}
            grown = bool(missing)
            wanted |= missing
        return wanted

    def _settings(self) -> tuple[Line, ...]:
        source = self._sample.source
        lines = [Line(f"match: {scalar(source.match)}")]
        usual = type(source)(match=source.match)
        for key in ("format", "delimiter", "encoding", "decimal", "sheet"):
            if getattr(source, key) != getattr(usual, key):
                ask = "this was guessed from the beginning of the file" if key in self._sample.assumed else ""
                ask = "the workbook has several sheets; is it this one?" if key == "sheet" else ask
                lines.append(Line(f"{key}: {scalar(getattr(source, key))}", ask))
        return tuple(lines)

    def _visit_parts(self) -> tuple[str, ...]:
        """Columns that together name a visit: its key, or episode and day."""
        if "visit_key" in self._fields:
            return (self._fields["visit_key"].name,)
        day = self._fields.get("calendar_day") or self._fields.get("day_offset")
        owner = self._fields.get("episode_key") or self._fields.get("patient_key")
        return (owner.name, day.name) if day and owner else ()

    def _key(self, table: str) -> tuple[str, ...]:
        """The columns that make the key of a table."""
        if table == "visit":
            return self._visit_parts()
        own = self._fields.get(KEYS[table]) or (self._fields.get("patient_key") if table == "episode" else None)
        if own is None:
            return ()
        side = self._fields.get("side")
        per_side = table == "episode" and self._scores and side and "episode_key" not in self._fields
        if per_side and side and not self._visit_parts() and not self._sample.is_key((own.name,)):
            return (own.name, side.name)
        return (own.name,)

    def _key_line(self, field: str, table: str) -> Line:
        parts = self._key(table)
        if any(char in date_format for name in parts for date_format in self._columns[name].dates[:1] for char in "/ "):
            return Line("", f"{field} is needed: a date with / cannot be part of it; is there a number of the {table}?")
        if not parts and self._scores and table != "visit":
            ask = "no column tells rows apart, so their numbers are the key and no row can be corrected; is there one?"
            return Line(f"{field}: {flow({'row_number': 'true', 'prefix': PREFIXES[table]})}", ask)
        if not parts:
            return Line("", f"{field} is needed: which column, or columns together, tell each {table} from all others?")
        self._used.update(parts)
        own = self._fields.get(KEYS[table])
        borrowed = own is None or len(parts) > 1
        shared = table == "patient" and "episode_key" not in self._fields
        ask = ""
        if borrowed and table == "episode":
            ask = "is every row one episode?" if self._scores else "has every patient one episode?"
        elif borrowed and table == "visit":
            ask = "is there never more than one visit on a day?"
        entry = {"column": scalar(parts[0])} if len(parts) == 1 else {"columns": sequence(parts)}
        if borrowed or shared:
            entry["prefix"] = PREFIXES[table]
        text = scalar(parts[0]) if list(entry) == ["column"] else flow(entry)
        return Line(f"{field}: {text}", ask)

    def _table(self, table: Table) -> TableDraft:
        lines: list[Line] = []
        keys = {reference.column: reference.parent for reference in table.references}
        if table.name in KEYS:
            keys[KEYS[table.name]] = table.name
        special, more = self._measurement() if table.name == "measurement" else ({}, ())
        for field in table.columns:
            column = self._fields.get(field.name)
            if self._is_long and (table.name, field.name) == ("episode", "side"):
                continue  # of the score, not of the condition: it differs from row to row
            if field.name in keys:
                lines.append(self._key_line(field.name, keys[field.name]))
                continue
            line = special.get(field.name)
            if line is None and column is not None:
                line = mapping.field_line(field, table, column, self._contract)
            if line and column:
                lines.append(self._used_line(field.name, line, column))
            elif line or (field.required and field.required_unless not in self._fields):
                lines.append(line or mapping.default_line(field))
        return TableDraft(table.name, tuple(lines), more)

    def _used_line(self, field: str, line: Line, column: Column) -> Line:
        """The line, with what has to be asked because of how its column was found."""
        self._used.add(column.name)
        self._has_dates |= field in DAY_FIELDS and column.is_date
        if field not in self._by_values:
            return line
        return Line(line.text, together(["recognised by its values only; is it right?", line.question]))

    def _measurement(self) -> tuple[dict[str, Line], tuple[Line, ...]]:
        """The lines of a long layout that depend on each other, and what is said about the whole table."""
        measure_id, measures = mapping.measure_line(self._fields["measure_id"], self._contract)
        unit, units = mapping.unit_lines(self._fields.get("unit"), measures, self._contract)
        value = mapping.value_line(self._fields["value"])
        return {"measure_id": measure_id, "unit": unit, "value": value}, (units,) if units else ()

    def _ignored(self) -> list[Line]:
        lines = []
        for name, column in self._columns.items():
            if name not in self._used:
                lines.append(Line(scalar(name), _question(column, meaning_of(name, self._contract).measures)))
        return lines


def _is_measure(column: Column, contract: Contract) -> bool:
    return column.is_number and bool(meaning_of(column.name, contract).measures)


def _question(column: Column, measures: tuple[str, ...]) -> str:
    if not column.filled:
        return "always blank in the rows looked at"
    if measures:
        return f"looks like {measures[0]} by its name, not by its values; what is it?"
    field = field_of(column.name)
    if field:
        return f"looks like {field[0]} by its name, but its values do not fit or another column fits better"
    return "not recognised; is it needed?"
