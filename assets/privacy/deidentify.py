"""De-identification of tables, for the clinic's side: what a profile reads, with nothing in it that identifies.

Driven by the profile that will read the output. Fields that are keys become keyed pseudonyms, dates become days since
the first date of their episode in the feeds of one call, ages over 90 become 90, ZIP codes become prefixes that may be
kept. Codes and numbers stay as they are. Joins are carried out and rows out of scope are left out; columns that the
profile does not use are dropped.

The checks are consistent with Safe Harbor column rules; see ``keys`` for what a key made from a record number needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.model import ColumnType
from assets.contract.tables import AGE_TOP_CODE_YEARS, OLDEST_PERSON_YEARS
from assets.deliveries.profile.fields import FieldSource
from assets.deliveries.typing_pass import day_number, text_of
from assets.privacy.keys import canonical
from assets.privacy.zip_codes import prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.contract.model import Contract, Table
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.profile.fields import FileSource, PlannedVisit, Score, SignFlip, TableSource
    from assets.privacy.keys import Keys

UNREADABLE = "unreadable"
"""Stands where an age or a day cannot be read: the row is set aside for it, and the text does not leave the clinic."""
RECORDED = "recorded"
AGE, ZIP3 = ("patient", "age_years"), ("patient", "zip3")
LARGEST_WHOLE = 1e15


def domain_of(field: str) -> str:
    """Whose key a field is: a rater is a therapist."""
    return "therapist" if field in ("therapist_key", "rater_key") else field.removesuffix("_key")


def as_text(column: str) -> pl.Expr:
    """A column of numbers as text, whole ones without a decimal point: 9.0 is the missing code 9."""
    number = pl.col(column).cast(pl.Float64)
    whole = (number == number.round()) & (number.abs() < LARGEST_WHOLE)
    text = pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String))
    return text.otherwise(pl.col(column).cast(pl.String)).alias(column)


def first_days(rows: pl.LazyFrame, emitters: Iterable[Emitter]) -> pl.LazyFrame | None:
    """``episode`` (its key at the source) and ``first``, the earliest day that a file has for it; None without days."""
    parts = [
        rows.select(episode=text_of(emitter.fields["episode_key"]), first=_date(origin))
        for emitter in emitters
        for field, origin in emitter.fields.items()
        if _is_day(emitter.table, field) and origin.constant is None
    ]
    return pl.concat(parts).drop_nulls().group_by("episode").agg(pl.col("first").min()) if parts else None


class CleanColumns:
    """The columns of one file of the output, as expressions over the rows of the source, and who reads them.

    A source column that identifies is never passed on, whatever else reads it: fields get columns of their own, and
    where only matters whether something is filled in, that is what is said.
    """

    def __init__(
        self, columns: Iterable[str], emitters: Iterable[Emitter], first: pl.DataFrame, keys: Keys, *, are_dates: bool
    ) -> None:
        """``columns`` are those the profile reads; ``first`` is what ``first_days`` found in all feeds.

        ``are_dates``: whether days are dates, so that a number is none (45720 is one in a spreadsheet).
        """
        self.expressions: dict[str, pl.Expr] = {}
        self._taken = set(columns)
        self._first = first
        self._keys = keys
        self._are_dates = are_dates
        self._made: dict[tuple[str, str], str] = {}
        self._identifying = {
            column
            for emitter in emitters
            for field, origin in emitter.fields.items()
            if _is_changed(emitter.table, field)
            for column in (origin.column, *origin.columns)
        }

    def field(self, table: Table, field: str, origin: FieldSource, episode: FieldSource | None = None) -> FieldSource:
        """Where a field is found in the output. ``episode`` is the key by which days are counted."""
        if origin.constant is not None:
            if table.column(field).type is not ColumnType.KEY:
                return origin
            return FieldSource(constant=self._keys.key(domain_of(field), canonical(str(origin.constant))))
        if _is_changed(table, field):
            return FieldSource(column=self._own(table, field, origin, self._changed(table, field, origin, episode)))
        if self._identifying.isdisjoint(origin.used_columns):
            for column in origin.used_columns:
                self._pass_on(column)
            return origin
        return FieldSource(column=self._own(table, field, origin, text_of(origin)))

    def filled(self, column: str) -> str:
        """A column that is filled in where ``column`` is."""
        if column not in self._identifying:
            return self._pass_on(column)
        text = pl.col(column).cast(pl.String).str.strip_chars()
        return self._flag(f"filled {column}", pl.when(text != "").then(pl.lit(RECORDED)))

    def among(self, column: str, codes: tuple[str, ...]) -> str:
        """A column that holds those of ``codes`` that ``column`` holds."""
        if column not in self._identifying:
            return self._pass_on(column)
        text = pl.col(column).cast(pl.String)
        return self._flag(f"among {column} {codes}", pl.when(text.is_in(codes)).then(text))

    def _pass_on(self, column: str) -> str:
        text = pl.col(column).cast(pl.String)
        self.expressions.setdefault(column, text)
        return column

    def _flag(self, what: str, expression: pl.Expr) -> str:
        return self._remember((what, ""), f"{RECORDED}_{len(self._made)}", expression)

    def _own(self, table: Table, field: str, origin: FieldSource, expression: pl.Expr) -> str:
        own_name = origin.column == field and not origin.columns
        name = field if own_name or field not in self._taken else f"{table.name}_{field}"
        kind = domain_of(field) if table.column(field).type is ColumnType.KEY else f"{table.name}.{field}"
        return self._remember((kind, origin.model_dump_json()), name, expression)

    def _remember(self, made: tuple[str, str], name: str, expression: pl.Expr) -> str:
        if made not in self._made:
            while name in self.expressions or (name in self._taken and name not in self._identifying):
                name += "_"
            self._made[made] = name
            self.expressions[name] = expression
        return self._made[made]

    def _changed(self, table: Table, field: str, origin: FieldSource, episode: FieldSource | None) -> pl.Expr:
        text = text_of(origin)
        if _is_day(table, field):
            return self._days(text, origin, episode)
        if (table.name, field) == AGE:
            return _capped(text)
        if (table.name, field) == ZIP3:
            return prefix(text)
        domain = domain_of(field)
        return text.map_batches(
            lambda values: self._hashed(values, domain), return_dtype=pl.String, is_elementwise=True
        )

    def _hashed(self, values: pl.Series, domain: str) -> pl.Series:
        different = values.drop_nulls().unique()
        keys = [self._keys.key(domain, canonical(value)) for value in different]
        return values.replace_strict(different, pl.Series(keys, dtype=pl.String), default=None, return_dtype=pl.String)

    def _days(self, text: pl.Expr, origin: FieldSource, episode: FieldSource | None) -> pl.Expr:
        counted = pl.lit(None, pl.Int32) if self._are_dates else text.cast(pl.Int32, strict=False)
        key = text_of(episode)
        first = key.replace_strict(self._first["episode"], self._first["first"], default=None, return_dtype=pl.Int32)
        day = pl.coalesce(_date(origin) - first, counted).cast(pl.String)
        return pl.when(text.is_not_null()).then(day.fill_null(UNREADABLE))


def clean_source(source: FileSource, match: str, contract: Contract, columns: CleanColumns) -> FileSource:
    """The description of the output file that goes by ``match``; fills ``columns`` with what it needs."""
    tables = tuple(_clean_table(table, contract, columns) for table in source.tables)
    return source.model_copy(
        update={
            "match": match,
            "format": "csv",
            "delimiter": ",",
            "encoding": "utf-8",
            "decimal": source.decimal if source.format == "csv" else ".",
            "sheet": None,
            "resource": None,
            "columns": {},
            "joins": (),
            "only": (),
            "ignored": (),
            "tables": tables,
            "scores": tuple(_clean_score(score, contract, columns) for score in source.scores),
            "visits": tuple(_clean_visit(visit, contract, columns) for visit in source.visits),
        }
    )


def _clean_table(source: TableSource, contract: Contract, columns: CleanColumns) -> TableSource:
    table = contract.table(source.table)
    changes: dict[str, object] = {
        "flip_sign": tuple(_clean_flip(flip, columns) for flip in source.flip_sign),
        "skip_when_blank": columns.filled(source.skip_when_blank) if source.skip_when_blank else None,
    }
    if source.withdrawn:
        column = columns.among(source.withdrawn.column, source.withdrawn.codes)
        changes["withdrawn"] = source.withdrawn.model_copy(update={"column": column})
    if not isinstance(source.fields, str):
        episode = source.fields.get("episode_key")
        changes["fields"] = {
            field: columns.field(table, field, origin, episode) for field, origin in source.fields.items()
        }
    return source.model_copy(update=changes)


def clean_same_names(emitter: Emitter, columns: CleanColumns) -> None:
    """Fill ``columns`` with the fields of a table of the canonical layout, whose columns keep their names."""
    episode = emitter.fields.get("episode_key")
    for field, origin in emitter.fields.items():
        columns.field(emitter.table, field, origin, episode)
    if emitter.withdrawn:
        columns.among(emitter.withdrawn.column, emitter.withdrawn.codes)


def _clean_flip(flip: SignFlip, columns: CleanColumns) -> SignFlip:
    if flip.where is None:
        return flip
    where = flip.where
    column = columns.among(where.column, where.among) if where.among else columns.filled(where.column)
    return flip.model_copy(update={"where": where.model_copy(update={"column": column})})


def _clean_visit(visit: PlannedVisit, contract: Contract, columns: CleanColumns) -> PlannedVisit:
    scores = tuple(_clean_score(score, contract, columns) for score in visit.scores)
    return visit.model_copy(update={"scores": scores})


def _clean_score(score: Score, contract: Contract, columns: CleanColumns) -> Score:
    table = contract.table("measurement")
    origin = FieldSource(column=score.column, missing=score.missing, missing_when_blank=score.missing_when_blank)
    value = columns.field(table, "value", origin)
    changes: dict[str, object] = {
        "column": value.column,
        "missing": value.missing,
        "missing_when_blank": value.missing_when_blank,
        "side": columns.field(table, "side", score.side),
        "method": columns.field(table, "method", score.method),
        "active_passive": columns.field(table, "active_passive", score.active_passive),
    }
    if score.rater_key:
        changes["rater_key"] = columns.field(table, "rater_key", score.rater_key)
    if score.flip_sign is not None and score.flip_sign != "always":
        where = score.flip_sign
        column = columns.among(where.column, where.among) if where.among else columns.filled(where.column)
        changes["flip_sign"] = where.model_copy(update={"column": column})
    return score.model_copy(update=changes)


def _is_day(table: Table, field: str) -> bool:
    return table.column(field).type is ColumnType.DAY


def _is_changed(table: Table, field: str) -> bool:
    return table.column(field).type in (ColumnType.KEY, ColumnType.DAY) or (table.name, field) in (AGE, ZIP3)


def _date(origin: FieldSource) -> pl.Expr:
    return day_number(text_of(origin), origin.date_format)


def _capped(text: pl.Expr) -> pl.Expr:
    """An age in years, 90 for 90 and over; a typing error stays one."""
    years = text.str.strip_chars().cast(pl.Float64, strict=False)
    old = (years > AGE_TOP_CODE_YEARS) & (years <= OLDEST_PERSON_YEARS)
    kept = pl.when(old).then(pl.lit(str(AGE_TOP_CODE_YEARS))).when(years.is_finite()).then(text)
    return pl.when(text.is_not_null()).then(kept.otherwise(pl.lit(UNREADABLE)))
