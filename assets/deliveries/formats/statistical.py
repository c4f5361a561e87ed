"""SPSS (.sav, .zsav) and Stata (.dta): values as exact text, read in parts so that memory stays bounded.

Labels of values are not applied: the profile translates codes. Missing values that the file declares keep their code,
so that the profile decides what they mean; only the system's own "missing" is blank.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyreadstat

from assets.deliveries.formats.sheet import number_text
from assets.deliveries.formats.table import TextTable, frame_names
from assets.deliveries.formats.text_writer import TextWriter
from assets.deliveries.problems import InputProblem
from assets.deliveries.structure import USUAL_FIELD_BYTES, USUAL_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assets.deliveries.limits import Limits
    from assets.deliveries.profile.fields import FileSource

_PART_CELLS = 1 << 21
_PART_BYTES = 1 << 28
_PART_ROWS = 100
"""At least, for every part is sought from the beginning of the file."""
_SIGNATURES = {
    "spss": (b"$FL2", b"$FL3"),
    "stata": (b"<stata_dta>", *(bytes([version]) for version in range(102, 116))),
}
_PROGRAM = {"spss": "SPSS (.sav)", "stata": "Stata (.dta)"}
_SPSS_EPOCH = dt.datetime(1582, 10, 14)  # noqa: DTZ001 both programs know no time zones
_STATA_EPOCH = dt.datetime(1960, 1, 1)  # noqa: DTZ001
_SPSS_DAYS = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "MOYR", "QYR", "WKYR")
_SPSS_MOMENTS = ("DATETIME", "YMDHMS")
_NOT_CONVERTED = "Unable to convert string"
_STATA_DAYS = ("%td", "%d")
_STATA_MOMENTS = "%tc"
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
    about = _read(path, name, source, metadataonly=True)[1]
    header = tuple(about.column_names)
    stated = about.number_rows if about.number_rows is not None and about.number_rows >= 0 else None
    limits.check_columns(len(header), name)
    limits.check_rows(stated or 0, name)
    if not all(isinstance(column, str) for column in header):  # None is the name of a column without one
        raise _damaged(name, source.format)
    if not header:
        raise InputProblem("EMPTY", name, "the file has no columns", "Send it again")
    texts = [_text_of(source.format, about, column) for column in header]
    names = frame_names(header, source.ignored, name)
    longest = max(USUAL_LINE_BYTES, USUAL_FIELD_BYTES * len(header))
    size = min(max(_PART_CELLS // len(header), 1), _rows_at_once(about, path, name))
    with TextWriter(scratch, names) as writer:
        while stated is None or writer.records < stated:
            part, _ = _read(path, name, source, row_offset=writer.records, row_limit=size)
            columns = [
                pl.Series(map(text, part[column]), dtype=pl.String) for column, text in zip(header, texts, strict=True)
            ]
            if not len(columns[0]):
                break
            length = sum(
                (column.str.len_bytes().fill_null(0).cast(pl.Int64) for column in columns[1:]),
                columns[0].str.len_bytes().fill_null(0).cast(pl.Int64),
            )
            writer.write(columns, length > longest)
            limits.check_rows(writer.records, name)
            limits.check_unpacked(writer.size, path.stat().st_size, name)
    if stated is not None and writer.records != stated:
        raise _damaged(name, source.format)
    return TextTable(header, writer.rows(), writer.records)


def _rows_at_once(about: Any, path: Path, name: str) -> int:  # noqa: ANN401
    """Rows whose texts the memory holds, however well they are packed.

    A text of Stata's kind strL has no width, and one may stand in any number of rows: it may be as long as the file.
    """
    widths = [about.variable_storage_width[column] or path.stat().st_size for column in about.column_names]
    rows = _PART_BYTES // sum(widths)
    if rows < _PART_ROWS and not all(about.variable_storage_width.values()):
        raise InputProblem(
            "FORMAT", name, "it holds texts without a greatest length (strL)", "Store them as str20 or another width"
        )
    return max(rows, 1)


def _read(path: Path, name: str, source: FileSource, **options: Any) -> tuple[dict[str, list[Any]], Any]:  # noqa: ANN401
    reader = pyreadstat.read_sav if source.format == "spss" else pyreadstat.read_dta
    if source.encoding != "utf-8":
        options["encoding"] = source.encoding.upper()  # old files do not say theirs
    try:
        return reader(str(path), output_format="dict", user_missing=True, disable_datetime_conversion=True, **options)
    except Exception as error:  # noqa: BLE001 the parser raises whatever it meets, and its messages quote the file
        if isinstance(error, UnicodeDecodeError) or str(error).startswith(_NOT_CONVERTED):
            raise InputProblem(
                "ENCODING",
                name,
                "its texts are not in the encoding that it states",
                "Declare encoding: cp1252 in the profile if that is what this source sends, or save it as Unicode",
            ) from None
        raise _damaged(name, source.format) from None


def _damaged(name: str, kind: str) -> InputProblem:
    return InputProblem(
        "TRUNCATED",
        name,
        f"this is not a complete file of {_PROGRAM[kind]}, or one of an unknown version",
        "Save and send it again",
    )


def _text_of(kind: str, about: Any, column: str) -> Callable[[Any], str | None]:  # noqa: ANN401
    """How values of a column are written."""
    stored = about.readstat_variable_types[column]
    if stored == "string":
        return _as_is
    shown = about.original_variable_types[column] or ""
    shape = shown.rstrip("0123456789.").upper() if kind == "spss" else shown.replace("-", "")[:3]
    if shape in _SPSS_DAYS:
        return lambda value: _day(value, _SPSS_EPOCH, 1)
    if shape in _SPSS_MOMENTS:
        return lambda value: _moment(value, _SPSS_EPOCH, 1)
    if shape.startswith(_STATA_DAYS):
        return lambda value: _day(value, _STATA_EPOCH, _DAY_SECONDS)
    if shape == _STATA_MOMENTS:
        return lambda value: _moment(value, _STATA_EPOCH, 0.001)
    return {"TIME": _time}.get(shape) or {"float": _single}.get(stored, _number)


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


def _moment(value: Any, epoch: dt.datetime, seconds: float) -> str | None:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return _number(value)
    try:
        return (epoch + dt.timedelta(seconds=value * seconds)).isoformat()
    except (OverflowError, ValueError):  # before or after all dates
        return _number(value)


def _day(value: Any, epoch: dt.datetime, seconds: float) -> str | None:  # noqa: ANN401
    text = _moment(value, epoch, seconds)
    return text.removesuffix("T00:00:00") if text else text


def _time(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, float) and 0 <= value < _DAY_SECONDS:
        return (_SPSS_EPOCH + dt.timedelta(seconds=value)).time().isoformat()
    return _number(value)
