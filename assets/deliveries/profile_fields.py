"""The part of a profile that says which column of which file holds what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr, model_validator


class Strict(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldSource(Strict):
    """Where a canonical field comes from: a column, several columns joined, or a constant.

    ``codes`` translates source codes; a code that is not listed stays as it is and is set aside as unknown. ``missing``
    lists texts that mean "not recorded". ``missing_when_blank`` names a sibling column: where that is blank, or one of
    ``missing``, this value is missing too, whatever it says (a 0 beside a blank score was never measured).
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    separator: str = "-"
    constant: StrictStr | StrictInt | None = None
    prefix: str = ""
    suffix: str = ""
    codes: dict[str, str] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    missing_when_blank: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSource:
        given = (self.column is not None) + bool(self.columns) + (self.constant is not None)
        if given != 1:
            message = "give exactly one of column, columns and constant"
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

Delimiter = Literal[",", ";", "\t", "|"]


class TableSource(Strict):
    """A canonical table that a file feeds; ``fields`` names the source of each canonical column."""

    table: str
    fields: dict[str, Source] | Literal["same_names"]
    skip_when_blank: str | None = None


class Score(Strict):
    """One score of a wide layout: which column holds which measure."""

    measure: str
    column: str
    side: Source = FieldSource(constant="none")
    method: Source = FieldSource(constant="unknown")
    active_passive: Source = FieldSource(constant="not_applicable")
    missing: tuple[str, ...] = ()
    missing_when_blank: str | None = None


class PlannedVisit(Strict):
    """One visit of a wide layout, with the scores taken at it."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.:-]+$")
    day: int
    visit_type: str
    scores: tuple[Score, ...] = Field(min_length=1)


class FileSource(Strict):
    """One file of a delivery and the canonical tables it feeds."""

    match: str
    format: Literal["csv", "parquet"] = "csv"
    delimiter: Delimiter = ","
    tables: tuple[TableSource, ...] = Field(min_length=1)
    visits: tuple[PlannedVisit, ...] = ()
    ignored: tuple[str, ...] = ()
    optional: bool = False
