"""The part of a profile that says which column of which file holds what."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr, model_validator


class Strict(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldSource(Strict):
    """Where a canonical field comes from: a column, several columns joined, a constant, or the number of the row.

    ``row_number`` makes keys for sources that have none; such rows cannot be corrected by a later delivery.

    ``codes`` translates source codes; a code that is not listed stays as it is and is set aside as unknown. ``missing``
    lists texts that mean "not recorded". ``missing_when_blank`` names a sibling column: where that is blank, or one of
    ``missing``, this value is missing too, whatever it says (a 0 beside a blank score was never measured).
    ``if_blank`` is a code that stands for "not recorded" in the contract's own list.
    ``replace`` changes characters before anything else, so that a key can be made of a date such as 3/4/2025.
    ``vocabulary`` looks codes up in a list that Needlepoint ships, after removing blanks and dots, in each column.
    ``date_format`` is how a date is written (``%d/%m/%Y``); the default is ISO 8601, of which the day counts and not
    the time.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    separator: str = "-"
    constant: StrictStr | StrictInt | None = None
    row_number: bool = False
    prefix: str = ""
    suffix: str = ""
    replace: dict[str, str] = Field(default_factory=dict)
    codes: dict[str, str] = Field(default_factory=dict)
    vocabulary: Literal["icd10cm", "icd10cm_side"] | None = None
    date_format: str | None = None
    missing: tuple[str, ...] = ()
    missing_when_blank: str | None = None
    if_blank: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSource:
        given = (self.column is not None) + bool(self.columns) + (self.constant is not None) + self.row_number
        if given != 1:
            message = "give exactly one of column, columns, constant and row_number"
            raise ValueError(message)
        return self

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Every source column this field reads."""
        named = (self.column, *self.columns, self.missing_when_blank)
        return tuple(name for name in named if name is not None)


def _short_form(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Source = Annotated[FieldSource, BeforeValidator(_short_form)]

Delimiter = Annotated[str, Field(pattern=r"^[\t !#-&*+,/:;<=>?@^_`|~]$")]
"""One ASCII character that is neither a letter, a digit, a quotation mark, a point nor a minus sign."""

Format = Literal["csv", "parquet", "excel", "spss", "stata", "fhir"]
Encoding = Literal["utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15"]


class UnitSource(Strict):
    """What a unit of the source is: one of the contract's units, or so many of them."""

    unit: str
    times: Annotated[Decimal, Field(gt=0)] = Decimal(1)


class Selection(Strict):
    """Rows a file is read for: those where ``column`` is filled in, or holds one of ``among`` or of ``vocabulary``."""

    column: str
    among: tuple[str, ...] = ()
    vocabulary: Literal["icd10cm"] | None = None


class SignFlip(Strict):
    """Measures that a clinic records with the opposite sign (10 for an extension that lacks 10 degrees)."""

    measures: tuple[str, ...] = Field(min_length=1)
    where: Selection | None = None


class Withdrawal(Strict):
    """How a row says that what was sent under its key is taken back: ``column`` holds one of ``codes``."""

    column: str
    codes: tuple[str, ...] = Field(min_length=1)


class TableSource(Strict):
    """A canonical table that a file feeds; ``fields`` names the source of each canonical column.

    For measurements, ``units`` says what the source's words for units mean; ``convert`` lists measures that scores of
    another scale are converted to, which marks them as converted; ``flip_sign`` turns signs round.
    """

    table: str
    fields: dict[str, Source] | Literal["same_names"]
    skip_when_blank: str | None = None
    withdrawn: Withdrawal | None = None
    units: dict[str, UnitSource] = Field(default_factory=dict)
    convert: tuple[str, ...] = ()
    flip_sign: tuple[SignFlip, ...] = ()


class Score(Strict):
    """One score of a wide layout: which column holds which measure. ``unit``: of the source, if not the measure's."""

    measure: str
    column: str
    side: Source = FieldSource(constant="none")
    method: Source = FieldSource(constant="unknown")
    active_passive: Source = FieldSource(constant="not_applicable")
    rater_key: Source | None = None
    unit: UnitSource | None = None
    flip_sign: Selection | Literal["always"] | None = None
    missing: tuple[str, ...] = ()
    missing_when_blank: str | None = None


class PlannedVisit(Strict):
    """One visit of a wide layout, with the scores taken at it."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.:-]+$")
    day: int
    visit_type: str
    scores: tuple[Score, ...] = Field(min_length=1)


class Join(Strict):
    """Columns taken from another file of the delivery, or from a reference list of the profile, where keys are equal.

    Of several rows with one key the first counts that ``only`` selects. ``take`` maps names there to names here.
    """

    file: str | None = None
    reference: str | None = None
    on: tuple[str, ...] = Field(min_length=1)
    key: tuple[str, ...] = Field(min_length=1)
    take: dict[str, str] = Field(min_length=1)
    only: tuple[Selection, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> Join:
        if (self.file is None) == (self.reference is None) or len(self.on) != len(self.key):
            message = "give either file or reference, and as many columns in on as in key"
            raise ValueError(message)
        return self


class FileSource(Strict):
    """One file of a delivery and the canonical tables it feeds.

    ``match`` is the pattern of the file's name, which may carry ``.gz`` or ``.zip`` beyond it. ``sheet`` names the
    sheet of a workbook (needed where there are several). ``resource`` and ``columns`` (name to JMESPath) say what is
    taken from FHIR. ``only``: rows to which not all of it applies are out of scope and counted as such. ``scores`` are
    taken at the visit that each row describes, ``visits`` are planned times with scores of their own.
    """

    match: str
    format: Format = "csv"
    delimiter: Delimiter = ","
    encoding: Encoding = "utf-8"
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    resource: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    only: tuple[Selection, ...] = ()
    tables: tuple[TableSource, ...] = ()
    scores: tuple[Score, ...] = ()
    visits: tuple[PlannedVisit, ...] = ()
    ignored: tuple[str, ...] = ()
    optional: bool = False


class ReferenceSource(Strict):
    """A list beside the profile (CSV, UTF-8, commas) that files can be joined to: episodes, clinics, items of a code.

    ``sha256`` pins its content where it is given.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    file: str
    sha256: str = ""
