"""The shape of a CSV file, found in one pass over its bytes before any parser sees it.

Parsers fill short rows with nulls, cut long ones and load control characters without a word. This pass says which
records they would have damaged, and counts the records independently of the parser.
"""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.deliveries.limits import LIMITS, Limits
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK_BYTES = 1 << 20
HEADER_BYTES = 1 << 20
"""As many as the longest names of as many columns as are allowed."""
USUAL_LINE_BYTES = 4096
USUAL_FIELD_BYTES = 66
"""No row of keys (64 characters at most), codes and numbers is longer; a longer one is text that does not belong."""
MAXIMUM_RECORD_BYTES = 1 << 24
"""A record that has not ended after 16 MiB never will: a quotation mark was left open, or this is not text."""

_DELIMITER, _NEWLINE, _QUOTE, _CONTROL = 1, 2, 3, 4
_LF, _CR, _FIRST_PRINTED, _MARK = 10, 13, 32, ord('"')
_ENCODING_REMEDY = "Declare encoding: cp1252 in the profile if that is what this source sends, or send UTF-8"


@dataclass(frozen=True, slots=True)
class Structure:
    """``records`` counted without the header; ``malformed`` are record numbers (from 1) that cannot be trusted."""

    header: tuple[str, ...]
    records: int
    malformed: tuple[int, ...]


def read_structure(path: Path, name: str, delimiter: str, limits: Limits = LIMITS) -> Structure:
    """Check encoding and count fields per record.

    Args:
        path: the landed copy.
        name: what the clinic called the file, for messages.
        delimiter: as the profile declares it, one ASCII character.
        limits: how many rows and columns there may be.

    Raises:
        InputProblem: EMPTY, ENCODING, HEADER, TOO_MANY_ROWS, TOO_MANY_COLUMNS; STRUCTURE where records cannot be told
            apart, or have another shape than the header throughout.

    """
    if path.stat().st_size == 0:
        raise InputProblem("EMPTY", name, "the file is empty", "Send it again")
    header = _header(path, name, delimiter)
    limits.check_columns(len(header), name)
    counter = _Counter(name, delimiter, len(header), limits)
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                counter.add(chunk)
        counter.finish()
    except UnicodeDecodeError:
        raise _not_utf8(path, name) from None
    if not counter.records:  # nothing but a byte-order mark
        raise InputProblem("EMPTY", name, "the file is empty", "Send it again")
    return Structure(header, counter.records - 1, tuple(record - 1 for record in counter.malformed if record > 1))


class _Counter:
    """Fields per record (RFC 4180: delimiters and line ends between quotation marks are text)."""

    def __init__(self, name: str, delimiter: str, columns: int, limits: Limits) -> None:
        self.name = name
        self.columns = columns
        self._limits = limits
        self._delimiter = ord(delimiter)
        self.records = 0
        self.malformed: list[int] = []
        self._longest = max(USUAL_LINE_BYTES, USUAL_FIELD_BYTES * columns)
        self._rest = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._classes = np.zeros(256, np.uint8)
        self._classes[:32] = _CONTROL
        self._classes[[9, _CR]] = 0
        self._classes[ord(delimiter)] = _DELIMITER
        self._classes[_LF] = _NEWLINE
        self._classes[_MARK] = _QUOTE

    def add(self, chunk: bytes) -> None:
        self._decoder.decode(chunk)
        block = self._rest + chunk
        if self.records == 0:
            block = block.removeprefix(codecs.BOM_UTF8)
        between = _between_quotes(block)
        cut = _end_of_records(block, between)
        self._rest = block[cut:]
        if cut:
            self._count(block[:cut], between[:cut])
            self._limits.check_rows(self.records - 1, self.name)
            if len(self.malformed) > self._limits.malformed_rows:
                raise InputProblem(
                    "STRUCTURE",
                    self.name,
                    f"more than {self._limits.malformed_rows:,} rows have another number of fields than the header",
                    "Check delimiter and quotes",
                )
        if len(self._rest) > MAXIMUM_RECORD_BYTES:
            raise self._unclear(self.records, "the row does not end", "Check quotes and line ends")

    def finish(self) -> None:
        self._decoder.decode(b"", final=True)
        if self._rest.count(b'"') % 2:
            raise self._unclear(self.records, "a quotation mark is never closed", "Close it or leave it out")
        if self._rest:
            last = self._rest + b"\n"
            self._count(last, _between_quotes(last))

    def _count(self, block: bytes, between: NDArray[np.uint8]) -> None:
        """Count a block of whole records; ``between`` is empty if nothing is quoted."""
        data = np.frombuffer(block, np.uint8)
        if self.columns and not len(between) and (regular := self._regular(data)):
            self.records += regular
            return
        classes = self._classes[data]
        if b"\r" in block:
            returns = np.flatnonzero(data == _CR)
            classes[returns[data[returns + 1] != _LF]] = _CONTROL  # a return that ends no line; the last byte is LF
        if len(between):
            classes[(between == 1) & (classes != _CONTROL)] = 0
        ends = np.flatnonzero(classes == _NEWLINE)
        if len(between):
            self._check_quotes(data, between, ends)
        starts = np.concatenate(([0], ends[:-1] + 1))
        odd = ends - starts > self._longest
        controls = classes == _CONTROL
        if controls.any():
            odd |= np.add.reduceat(controls.astype(np.int32), starts) > 0
        if self.records == 0 and odd[0] and controls[: ends[0]].any():
            raise InputProblem(
                "HEADER", f"{self.name}, header", "it holds control characters", "End lines with LF or CR LF"
            )
        fields = np.add.reduceat((classes == _DELIMITER).astype(np.int32), starts) + 1
        wrong = (fields != self.columns) | odd
        self.malformed.extend((self.records + 1 + np.flatnonzero(wrong)).tolist())
        self.records += len(ends)

    def _regular(self, data: NDArray[np.uint8]) -> int:
        """Records of a block in which plainly nothing is wrong; 0 if a closer look is needed.

        Nearly every block is regular, and this look costs a fifth of the closer one.
        """
        separators = np.flatnonzero((data == self._delimiter) | (data == _LF))
        ends = separators[self.columns - 1 :: self.columns]
        line_feeds = np.count_nonzero(data[separators] == _LF)
        if len(separators) != self.columns * len(ends) or line_feeds != len(ends) or (data[ends] != _LF).any():
            return 0
        returns = np.count_nonzero(data[ends - 1] == _CR)
        controls = np.count_nonzero(data < _FIRST_PRINTED)
        if controls != returns + (len(ends) if self._delimiter >= _FIRST_PRINTED else len(separators)):
            return 0
        return len(ends) if np.diff(ends, prepend=-1).max() - 1 <= self._longest else 0

    def _check_quotes(self, data: NDArray[np.uint8], between: NDArray[np.uint8], ends: NDArray[np.intp]) -> None:
        """A mark opens a field, closes one or is doubled; anywhere else it is unclear where the record ends."""
        marks = np.flatnonzero(data == _MARK)
        outer = self._classes[data]
        before = outer[marks - 1]
        before[marks == 0] = _NEWLINE
        returns = data[marks + 1] == _CR
        returns[returns] = data[marks[returns] + 2] == _LF  # the last byte is LF, so there is one more
        after = np.where(returns, _NEWLINE, outer[marks + 1])
        beside = np.where(between[marks] == 1, before, after)  # what stands on the outer side of the mark
        misplaced = marks[(beside != _DELIMITER) & (beside != _NEWLINE) & (beside != _QUOTE)]
        if len(misplaced):
            record = self.records + int(np.searchsorted(ends, misplaced[0]))
            raise self._unclear(record, "a quotation mark stands inside a field", "Double it and quote the field")

    def _unclear(self, record: int, what: str, remedy: str) -> InputProblem:
        """``record`` counts from 0, the header."""
        where = f"{self.name}, row {record}" if record else f"{self.name}, header"
        return InputProblem("STRUCTURE", where, what, remedy)


def _between_quotes(block: bytes) -> NDArray[np.uint8]:
    """1 from an opening quotation mark up to, not including, the closing one; empty if there are no marks."""
    if b'"' not in block:
        return np.empty(0, np.uint8)
    # eight bits overflow, but parity survives it
    return np.cumsum(np.frombuffer(block, np.uint8) == _MARK, dtype=np.uint8) & np.uint8(1)


def _end_of_records(block: bytes, between: NDArray[np.uint8]) -> int:
    """Where the last whole record of a block ends that begins with a record."""
    if not len(between):
        return block.rfind(b"\n") + 1
    ends = np.flatnonzero((np.frombuffer(block, np.uint8) == _LF) & (between == 0))
    return int(ends[-1]) + 1 if len(ends) else 0


def _header(path: Path, name: str, delimiter: str) -> tuple[str, ...]:
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:
            raise _not_utf8(path, name) from None
        text = start[: error.start].decode("utf-8-sig")
    if "\0" in text.partition("\n")[0]:
        raise InputProblem("ENCODING", f"{name}, header", "it holds NUL bytes: this is no text", "Export it as UTF-8")
    lines = (f"{line}\n" for line in text.split("\n"))
    try:
        header = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        raise InputProblem(
            "HEADER", f"{name}, header", "it cannot be read", "End lines with LF or CR LF and check quotes"
        ) from None
    return tuple(column.strip() for column in header)


def _not_utf8(path: Path, name: str) -> InputProblem:
    """Say at which line; a second look is cheaper than counting lines of every file."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            try:
                line += decoder.decode(chunk).count("\n")
            except UnicodeDecodeError as error:
                line += error.object.count(b"\n", 0, error.start)
                break
    return InputProblem("ENCODING", f"{name}, line {line}", "the file is not UTF-8", _ENCODING_REMEDY)
