"""Opens the files of a feed without a profile. Here, and nowhere else, settings are guessed: a draft is a proposal."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.formats import STRUCTURE, open_table
from assets.deliveries.formats.unpack import unpacked
from assets.deliveries.limits import LIMITS
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile.drafting.columns import Column, columns_of, looks_like_values
from assets.deliveries.profile.fields import FileSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assets.deliveries.profile.fields import Encoding, Format

SAMPLE_ROWS = 20_000
START_BYTES = 1 << 18
FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".xlsx": "excel", ".xls": "excel",
    ".sav": "spss", ".zsav": "spss", ".dta": "stata", ".ndjson": "fhir", ".jsonl": "fhir",
}  # fmt: skip
DELIMITERS = ",;\t|"
STAMP = re.compile(r"\d{8}T\d{6}Z?")


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as far as it was looked at. ``frame`` stays in memory: it is asked whether columns together make a key."""

    name: str
    match: str
    source: FileSource
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    assumed: tuple[str, ...] = field(default=())

    def is_key(self, names: Sequence[str]) -> bool:
        """Whether these columns together are different on every row."""
        return bool(self.frame.select(pl.struct(list(names)).is_unique().all()).item())


def feed_files(feeds: Sequence[Path]) -> list[Path]:
    """The files of a feed whose format is known by their ending, one of each pattern.

    Raises:
        InputProblem: there is none.

    """
    found: dict[str, Path] = {}
    for feed in feeds:
        if not feed.exists():
            raise InputProblem("NOT_FOUND", str(feed), "there is no such file or folder", "Check the path")
        for path in sorted(feed.rglob("*")) if feed.is_dir() else [feed]:
            if path.is_file() and not path.is_symlink() and format_of(path.name):
                found.setdefault(match_of(path.name), path)
    if not found:
        endings = ", ".join(FORMATS)
        raise InputProblem("NOT_FOUND", str(feeds[0]), "there is no file of a known kind", f"Known are {endings}")
    return [found[match] for match in sorted(found)]


def format_of(name: str) -> Format | None:
    """The format that the ending of a name says."""
    return FORMATS.get(Path(_plain(name)).suffix.lower())


def match_of(name: str) -> str:
    """The pattern of a file's name: without packing, a star for the moment of the extract and for numbers of parts."""
    stamped = STAMP.sub("*", _plain(name))
    return re.sub(r"(?<=[._-])\d{3,}(?=\.[a-z]+$)", "*", stamped)


def _plain(name: str) -> str:
    return re.sub(r"\.(gz|zip)$", "", name, flags=re.IGNORECASE)


def is_fhir(paths: Sequence[Path]) -> bool:
    """Whether a feed is lines of FHIR resources."""
    return any(format_of(path.name) == "fhir" and "resourceType" in _first_object(path) for path in paths)


def _first_object(path: Path) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as scratch:
        start, _ = _start(path, Path(scratch))
    try:
        line = json.loads(start.splitlines()[0]) if start.strip() else {}
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def samples(paths: Sequence[Path]) -> Iterator[Sample]:
    """Look at each file. Raises InputProblem where one cannot be opened."""
    for path in paths:
        with tempfile.TemporaryDirectory() as scratch:
            yield _sample(path, Path(scratch))


def _sample(path: Path, scratch: Path) -> Sample:
    source, assumed = _settings(path, scratch)
    table = open_table(path, path.name, source, scratch, "limited_data_set")
    if not table.header or looks_like_values(table.header) or not all(name.strip() for name in table.header):
        raise _no_header(path)
    try:
        rows = table.rows.filter(~pl.col(STRUCTURE)).head(SAMPLE_ROWS).select(table.header)
        frame = rows.select(pl.all().cast(pl.String)).collect()
    except pl.exceptions.PolarsError:
        raise InputProblem("STRUCTURE", path.name, "the file cannot be parsed", "Check quotes and line ends") from None
    if any((frame[name] == name).any() for name in frame.columns):
        raise _no_header(path)
    columns = columns_of(frame)
    if source.format == "csv" and source.delimiter != "," and any(column.has_comma for column in columns):
        source = source.model_copy(update={"decimal": ","})
        assumed = (*assumed, "decimal")
    return Sample(path.name, source.match, source, columns, frame, assumed)


def _no_header(path: Path) -> InputProblem:
    """What would be shown as names of columns would be values of a row."""
    what = "the first line is rather a row of values than a header"
    return InputProblem("HEADER", path.name, what, "Send a file that names its columns")


def _settings(path: Path, scratch: Path) -> tuple[FileSource, tuple[str, ...]]:
    """How a file seems to be written, and which of that was guessed."""
    match, kind = match_of(path.name), format_of(path.name) or "csv"
    if kind == "excel":
        return FileSource(match=match, format=kind, sheet=_sheet(path, scratch)), ()
    if kind != "csv":
        return FileSource(match=match, format=kind), ()
    text, encoding = _start(path, scratch)
    delimiter = _delimiter(text)
    guessed = tuple(
        key for key, usual in (("encoding", encoding == "utf-8"), ("delimiter", delimiter == ",")) if not usual
    )
    return FileSource(match=match, delimiter=delimiter, encoding=encoding), guessed


def _start(path: Path, scratch: Path) -> tuple[str, Encoding]:
    """The beginning of a file as text, and its encoding."""
    with unpacked(path, path.name, scratch).open("rb") as file:
        start = file.read(START_BYTES)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", errors="ignore"), "utf-16"
    try:
        return start.decode("utf-8-sig", errors="strict"), "utf-8"
    except UnicodeDecodeError as error:
        if len(start) == START_BYTES and error.start > START_BYTES - 4:  # a letter cut in two
            return start[: error.start].decode("utf-8-sig"), "utf-8"
    return start.decode("cp1252", errors="replace"), "cp1252"


def _delimiter(text: str) -> str:
    """The sign that gives the most columns, the same number in nearly every line."""
    lines = text.splitlines()[:50]
    best, most = ",", 1
    for sign in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=sign)]
        except csv.Error:
            continue
        usual = max(widths, key=widths.count, default=1)
        if usual > most and widths.count(usual) * 2 > len(widths) and widths[0] == usual:
            best, most = sign, usual
    return best


def _sheet(path: Path, scratch: Path) -> str | None:
    """The first sheet of a workbook, where there are several."""
    from assets.deliveries.formats.workbook import opened  # noqa: PLC0415 few feeds are workbooks

    content = unpacked(path, path.name, scratch, zipped=True)
    with opened(content, path.name, LIMITS) as workbook:
        names = [sheet.name for sheet in workbook.sheets if sheet.visible]
    return names[0] if len(names) > 1 else None
