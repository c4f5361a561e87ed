"""What a column holds, in numbers and forms. The only values kept are codes that a profile has to list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.profile.drafting import words as known
from assets.privacy.identifier_values import suspicion
from assets.privacy.identifiers import SERVICE_DATE, identifying_column

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d")
"""ISO 8601 first. Day before month and month before day are both tried; if both fit, the draft asks."""
CODE_FORM = re.compile(r"[A-Za-z0-9*%°][A-Za-z0-9_.%/+°*-]{0,23}")
CODE_ROWS = 5
CODES = 20
ICD10 = r"^\s*[A-TV-Z][0-9][0-9A-B](?:\.?[0-9A-Z]{1,4})?\s*$"
MOST = 0.95
DECIMAL_COMMA = r"^\s*[-+]?\d+,\d+\s*$"
NUMBER = r"^\s*[-+]?\d+(?:[.,]\d+)?\s*$"


@dataclass(frozen=True, slots=True)
class Column:
    """A column in numbers.

    ``codes`` are the values that may be shown: a column with at most 20 values, each of at least five rows and in the
    form of a code. ``rare`` counts its other values. ``blanks`` are texts and numbers that look like "not recorded".
    ``identifying`` says what the column seems to hold that must not be sent.
    """

    name: str
    filled: int
    distinct: int
    is_number: bool
    is_whole: bool
    low: float
    high: float
    dates: tuple[str, ...]
    is_icd10: bool
    has_comma: bool
    codes: tuple[str, ...]
    rare: int
    blanks: tuple[str, ...]
    identifying: str | None

    @property
    def is_date(self) -> bool:
        """Whether nearly every value is a date."""
        return bool(self.dates)

    @property
    def is_coded(self) -> bool:
        """Whether there are few enough values to be a list of codes."""
        return 0 < self.distinct <= CODES


def columns_of(sample: pl.DataFrame) -> tuple[Column, ...]:
    """Look at every column of a sample."""
    return tuple(_column(name, sample[name]) for name in sample.columns)


def _column(name: str, values: pl.Series) -> Column:
    text = values.cast(pl.String).str.strip_chars()
    text = text.filter(text.is_not_null() & (text != "")).rename("value")
    counts = text.value_counts(name="rows").sort("value")
    blanks = _blanks(counts)
    recorded = counts.filter(~counts["value"].is_in(blanks)) if blanks else counts
    dates = _dates(recorded)
    numbers = recorded.filter(recorded["value"].str.contains(NUMBER)) if not dates else recorded.clear()
    read = numbers["value"].str.replace(",", ".", literal=True).cast(pl.Float64)
    shown = (
        [value for value, rows in counts.rows() if rows >= CODE_ROWS and CODE_FORM.fullmatch(value)]
        if counts.height <= CODES
        else []
    )
    return Column(
        name=name,
        filled=len(text),
        distinct=counts.height,
        is_number=recorded.height > 0 and _share(numbers, recorded) >= MOST,
        is_whole=bool((read == read.floor()).all()),
        low=_float(read.min()),
        high=_float(read.max()),
        dates=dates,
        is_icd10=recorded.height > 0
        and _share(recorded.filter(recorded["value"].str.contains(ICD10)), recorded) >= MOST,
        has_comma=bool(recorded["value"].str.contains(DECIMAL_COMMA).any()),
        codes=tuple(shown),
        rare=counts.height - len(shown),
        blanks=blanks,
        identifying=_identifying(name, counts, len(text), is_date=bool(dates)),
    )


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _share(part: pl.DataFrame, whole: pl.DataFrame) -> float:
    return float(part["rows"].sum()) / max(int(whole["rows"].sum()), 1)


def _blanks(counts: pl.DataFrame) -> tuple[str, ...]:
    """Values from our own list of signs for "not recorded", each of five rows at least."""
    often = counts.filter(pl.col("rows") >= CODE_ROWS)["value"].to_list()
    numbers = counts.filter(pl.col("value").str.contains(NUMBER))
    words = [value for value in often if value.lower() in known.NOT_RECORDED_WORDS]
    ends = [value for value in often if value in known.NOT_RECORDED_NUMBERS and _stands_apart(value, numbers)]
    return tuple(sorted((*words, *ends)))


def _stands_apart(value: str, numbers: pl.DataFrame) -> bool:
    """Whether a number is far from all others of its column: a 9 beside 1 to 3, a 999 beside 0 to 100."""
    others = numbers.filter(~numbers["value"].is_in([*known.NOT_RECORDED_NUMBERS - {"8", "9"}, value]))["value"]
    read = others.str.replace(",", ".", literal=True).cast(pl.Float64)
    if not len(read):
        return False
    low, high = _float(read.min()), _float(read.max())
    number = float(value)
    return (number < low and number < 0) or number > high + max(1.0, (high - low) * 0.5)


def _dates(counts: pl.DataFrame) -> tuple[str, ...]:
    """Formats in which nearly every value is a date."""
    if not counts.height:
        return ()
    day = counts.with_columns(pl.col("value").str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$|^(.*)$", 1).alias("iso"))
    fitting = []
    for date_format in DATE_FORMATS:
        written = pl.coalesce("iso", "value") if date_format == DATE_FORMATS[0] else pl.col("value")
        read = day.filter(written.str.to_date(date_format, strict=False).is_not_null())
        if _share(read, counts) >= MOST:
            fitting.append(date_format)
    return tuple(fitting)


def _identifying(name: str, counts: pl.DataFrame, filled: int, *, is_date: bool) -> str | None:
    """What a column must not hold. Dates of care may be sent under a data use agreement, dates of birth never."""
    what = identifying_column(name)
    if what is not None and not (is_date and what == SERVICE_DATE):
        return what
    values = counts.with_columns(pl.lit(1).alias("first_row")).select("value", "rows", "first_row")
    found = suspicion(values, filled, dates=False)
    return found.what if found else None


def looks_like_values(header: tuple[str, ...]) -> bool:
    """Whether a header line is rather a row of values: numbers or dates have no place in it."""
    cells = pl.Series("value", header, dtype=pl.String)
    dates = (cells.str.to_date(date_format, strict=False).is_not_null() for date_format in DATE_FORMATS)
    return bool(cells.str.contains(NUMBER).any()) or any(bool(found.any()) for found in dates)


def asked(columns: tuple[Column, ...]) -> Iterator[Column]:
    """Columns that may be mapped."""
    return (column for column in columns if column.identifying is None)
