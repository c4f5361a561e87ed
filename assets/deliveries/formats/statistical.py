"""SPSS (.sav, .zsav) and Stata (.dta): values as exact text, read in parts so that memory stays bounded.

Labels of values are not applied: the profile translates codes. Missing values that the file declares keep their code,
so that the profile decides what they mean; only the system's own "missing" is blank.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyreadstat

from assets.deliveries.formats.scratch import TextWriter
from assets.deliveries.formats.sheet import number_text
from assets.deliveries.formats.table import TextTable, frame_names
from assets.deliveries.problems import InputProblem
from assets.deliveries.structure import USUAL_FIELD_BYTES, USUAL_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assets.deliveries.limits import Limits
    from assets.deliveries.profile_fields import FileSource

_PART_CELLS = 1 << 21
_SIGNATURES = {"spss": (b"$FL2", b"$FL3"), "stata": (b"<stata_dta>", *(bytes([version]) for version in range(102, 116)))}
_PROGRAM = {"spss": "SPSS (.sav)", "stata": "Stata (.dta)"}
_SPSS_EPOCH = datetime.datetime(1582, 10, 14)  # noqa: DTZ001 both programs know no time zones
_STATA_EPOCH = datetime.datetime(1960, 1, 1)  # noqa: DTZ001
_SPSS_DAYS = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "MOYR", "QYR", "WKYR")
_SPSS_MOMENTS = ("DATETIME", "YMDHMS")
_DAY_SECONDS = 86_400


def open_statistical(path: Path, name: str, source: FileSource, scratch: Path, limits: Limits) -> TextTable:
    """Open a file of SPSS or Stata.

    Raises:
        InputProblem: FORMAT, TRUNCATED, EMPTY, TOO_MANY_ROWS, TOO_MANY_COLUMNS.

    """
    with path.open("rb") as file:
        start = file.read(16)
    if not start.startswith(_SIGNATURES[source.format]):
        raise InputProblem(
            "FORMAT", name, f"this is not a file of {_PROGRAM[source.format]}", "Send one, or declare its format"
        )
    about = _read(path, name, source.format, metadataonly=True)[1]
    header = tuple(about.column_names)
    stated = about.number_rows if about.number_rows is not None and about.number_rows >= 0 else None
    limits.check_columns(len(header), name)
    limits.check_rows(stated or 0, name)
    if not header:
        raise InputProblem("EMPTY", name, "the file has no columns", "Send it again")
    texts = [_text_of(source.format, about, column) for column in header]
    names = frame_names(header, source.ignored, name)
    longest = max(USUAL_LINE_BYTES, USUAL_FIELD_BYTES * len(header))
    size = max(_PART_CELLS // len(header), 1)
    with TextWriter(scratch, names) as writer:
        while stated is None or writer.records < stated:
            part, _ = _read(path, name, source.format, row_offset=writer.records, row_limit=size)
            columns = [
                pl.Series(map(text, part[column]), dtype=pl.String)
                for column, text in zip(header, texts, strict=True)
            ]
            if not len(columns[0]):
                break
            length = sum((column.str.len_bytes().fill_null(0).cast(pl.Int64) for column in columns[1:]),
                         columns[0].str.len_bytes().fill_null(0).cast(pl.Int64))
            writer.write(columns, length > longest)
            limits.check_rows(writer.records, name)
    if stated is not None and writer.records != stated:
        raise _damaged(name, source.format)
    return TextTable(header, writer.rows(), writer.records)


def _read(path: Path, name: str, kind: str, **options: Any) -> tuple[dict[str, list[Any]], Any]:  # noqa: ANN401
    reader = pyreadstat.read_sav if kind == "spss" else pyreadstat.read_dta
    try:
        return reader(  # type: ignore[no-any-return]
            str(path), output_format="dict", user_missing=True, disable_datetime_conversion=True, **options
        )
    except UnicodeDecodeError:
        raise InputProblem(
            "ENCODING", name, "its texts are not in the encoding that it states", "Save it with Unicode texts"
        ) from None
    except Exception:  # noqa: BLE001 the parser raises whatever it meets, and its messages quote the file
        raise _damaged(name, kind) from None


def _damaged(name: str, kind: str) -> InputProblem:
    return InputProblem(
        "TRUNCATED", name, f"this is not a complete file of {_PROGRAM[kind]}, or one of an unknown version",
        "Save and send it again",
    )


def _text_of(kind: str, about: Any, column: str) -> Callable[[Any], str | None]:  # noqa: ANN401
    """How values of a column are written."""
    stored = about.readstat_variable_types[column]
    if stored == "string":
        return _as_is
    shown = about.original_variable_types[column]
    if kind == "spss":
        shape = shown.rstrip("0123456789.").upper()
        if shape in _SPSS_DAYS:
            return lambda value: _day(value, _SPSS_EPOCH, 1)
        if shape in _SPSS_MOMENTS:
            return lambda value: _moment(value, _SPSS_EPOCH, 1)
        return _time if shape == "TIME" else _number
    if shown.startswith(("%td", "%-td", "%d", "%-d")):
        return lambda value: _day(value, _STATA_EPOCH, _DAY_SECONDS)
    if shown.startswith(("%tc", "%-tc")):
        return lambda value: _moment(value, _STATA_EPOCH, 0.001)
    return _single if stored == "float" else _number


def _as_is(value: Any) -> str | None:  # noqa: ANN401
    return value or None


def _number(value: Any) -> str | None:  # noqa: ANN401
    if value is None:
        return None
    # Stata has 26 kinds of missing; the reader gives their letters
    return f".{value}" if isinstance(value, str) else number_text(float(value))


def _single(value: Any) -> str | None:  # noqa: ANN401
    """A number of single precision has fewer digits: 3.3 and not 3.299999952316284."""
    return number_text(float(str(np.float32(value)))) if isinstance(value, float) else _number(value)


def _moment(value: Any, epoch: datetime.datetime, seconds: float) -> str | None:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return _number(value)
    try:
        return (epoch + datetime.timedelta(seconds=value * seconds)).isoformat()
    except (OverflowError, ValueError):  # before or after all dates
        return _number(value)


def _day(value: Any, epoch: datetime.datetime, seconds: float) -> str | None:  # noqa: ANN401
    text = _moment(value, epoch, seconds)
    return text.removesuffix("T00:00:00") if text else text


def _time(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, float) and 0 <= value < _DAY_SECONDS:
        return (_SPSS_EPOCH + datetime.timedelta(seconds=value)).time().isoformat()
    return _number(value)
