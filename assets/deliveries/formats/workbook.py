"""What lies in an .xlsx file: sheets, the table of texts, which styles show dates.

The parts are read by a streaming XML parser that refuses entities, and only after the archive's directory has told how
large they are. Library readers of workbooks lose what matters here: formulas without a result, and merged cells.
"""

from __future__ import annotations

import errno
import posixpath
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH
from openpyxl.utils.escape import unescape

from assets.deliveries.formats.scratch import CHUNK_BYTES
from assets.deliveries.formats.unpack import opened_archive
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from assets.deliveries.limits import Limits

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_ZIP = b"PK\x03\x04"
_WORKBOOK = "xl/workbook.xml"
_MACROS = ("vbaProject.bin", "macrosheets/")
LONGEST_CELL = 32_767
"""Characters that a cell can have. A longer text is not kept, so that no cell can fill the memory."""
MARK = "\0"
"""Stands for a formula whose result was not saved, or a text too long for a cell."""
_LONGEST_TAG = 1 << 22
"""Bytes. The parser keeps a tag or a comment whole; those of workbooks have some hundred."""
_DEEPEST = 256
"""Elements within each other, of which the parser keeps account; those of workbooks are a dozen."""


class _BadWorkbook(ValueError):  # noqa: N818 a fault of the file, caught here
    """A part of the workbook does not hold what it should."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with cells, by the name its tab shows."""

    name: str
    part: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    """An opened workbook. ``dates`` are the styles that show a number as a date or time."""

    archive: zipfile.ZipFile
    sheets: tuple[Sheet, ...]
    texts: list[str]
    dates: frozenset[int]
    epoch: datetime


@contextmanager
def opened(path: Path, name: str, limits: Limits) -> Iterator[Workbook]:
    """Open a workbook; what goes wrong while it is read is said in our words.

    Raises:
        InputProblem: FORMAT if it is none, or has macros, links to others or a password; TRUNCATED if it is damaged;
            TOO_LARGE, COMPRESSION.

    """
    _check_signature(path, name)
    try:
        with opened_archive(path) as archive:
            _check_directory(archive, name, limits)
            yield _workbook(archive, name, limits)
    except (zipfile.BadZipFile, EOFError, zlib.error, expat.ExpatError, NotImplementedError, RuntimeError):
        raise _damaged(name) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the beginning of the file, as a damaged directory states it
            raise
        raise _damaged(name) from None
    except (ValueError, KeyError, IndexError, OverflowError):
        raise _no_workbook(name, "a part of the workbook does not hold what it should") from None


def _check_signature(path: Path, name: str) -> None:
    with path.open("rb") as file:
        start = file.read(len(_OLE))
        if start == _OLE:
            file.seek(0)
            if _ENCRYPTED_PACKAGE in file.read(CHUNK_BYTES):
                raise InputProblem("FORMAT", name, "the workbook has a password", "Save it without one")
            raise _no_workbook(name, "this is a workbook of the old .xls kind, or no workbook")
    if not start.startswith(_ZIP):
        raise _no_workbook(name, "this is not an .xlsx workbook")


def _check_directory(archive: zipfile.ZipFile, name: str, limits: Limits) -> None:
    """Judge a workbook by the list of its parts, before any is unpacked."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    limits.check_unpacked(
        sum(part.file_size for part in parts), max(sum(part.compress_size for part in parts), 1), name
    )
    for part in parts:
        limits.check_unpacked(part.file_size, part.compress_size, name)
    if any(macro in part for part in names for macro in _MACROS):
        raise _no_workbook(name, "the workbook holds macros")
    if any(part.startswith("xl/externalLinks/") for part in names):
        raise InputProblem(
            "FORMAT",
            name,
            "the workbook is linked to others, so its numbers may be out of date",
            "Break the links (Data, Edit Links) and save it",
        )
    if "xl/workbook.bin" in names or _WORKBOOK not in names:
        raise _no_workbook(name, "this is not an .xlsx workbook")


def _damaged(name: str) -> InputProblem:
    return InputProblem("TRUNCATED", name, "the workbook is damaged", "Send it again")


def _no_workbook(name: str, what: str) -> InputProblem:
    return InputProblem("FORMAT", name, what, "Save it as Excel workbook (.xlsx)")


def _workbook(archive: zipfile.ZipFile, name: str, limits: Limits) -> Workbook:
    def kept(part: str) -> str:
        """A part whose content is kept; the archive gives no more of it than its directory states."""
        if archive.getinfo(part).file_size > limits.part_bytes:
            raise InputProblem(
                "TOO_LARGE",
                name,
                f"a part of the workbook has more than {limits.part_bytes:,} bytes",
                "Export it as CSV",
            )
        return part

    targets = {}
    sheets: list[tuple[str, str, bool]] = []
    epoch = WINDOWS_EPOCH

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            targets[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], attributes["Target"])

    def part(tag: str, attributes: dict[str, str]) -> None:
        nonlocal epoch
        if tag == "sheet":
            state = attributes.get("state", "visible")
            sheets.append((attributes["name"], attributes["id"], state == "visible"))
        elif tag == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epoch = MAC_EPOCH

    parse(archive, kept("xl/_rels/workbook.xml.rels"), relation)
    parse(archive, kept(_WORKBOOK), part)
    kinds = {kind: _path(target) for kind, target in targets.values()}
    there = {
        kind: kept(kinds[kind]) for kind in ("sharedStrings", "styles") if kinds.get(kind, "") in archive.namelist()
    }
    return Workbook(
        archive,
        tuple(
            Sheet(unescape(title), _path(targets[key][1]), visible)
            for title, key, visible in sheets
            if targets[key][0] == "worksheet"
        ),
        _texts(archive, there.get("sharedStrings")),
        _dates(archive, there.get("styles")),
        epoch,
    )


def _path(target: str) -> str:
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _texts(archive: zipfile.ZipFile, part: str | None) -> list[str]:
    shared = _SharedTexts()
    if part:
        parse(archive, part, shared.start, shared.end, shared.text)
    return shared.texts


class _SharedTexts:
    """The table of texts, of which cells give the number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._length = 0
        self._inside = False
        self._spoken = 0

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag == "t":
            self._inside = not self._spoken
        elif tag == "rPh":  # how a word is pronounced
            self._spoken += 1
        elif tag == "si":
            self._pieces.clear()
            self._length = 0

    def end(self, tag: str) -> None:
        if tag == "t":
            self._inside = False
        elif tag == "rPh":
            self._spoken -= 1
        elif tag == "si":
            whole = "".join(self._pieces)
            whole = MARK if self._length > LONGEST_CELL else whole
            self.texts.append(unescape(whole) if "_x" in whole else whole)

    def text(self, data: str) -> None:
        if self._inside:
            self._length += len(data)
            if self._length <= LONGEST_CELL:
                self._pieces.append(data)


def _dates(archive: zipfile.ZipFile, part: str | None) -> frozenset[int]:
    formats = dict(BUILTIN_FORMATS)
    styles: list[int] = []
    inside = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if tag == "numFmt":
            formats[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            styles.append(int(attributes.get("numFmtId", "0")))

    def end(tag: str) -> None:
        nonlocal inside
        if tag == "cellXfs":
            inside = False

    if part:
        parse(archive, part, start, end)
    shown = {number for number, code in formats.items() if is_date_format(code) and not is_timedelta_format(code)}
    return frozenset(style for style, number in enumerate(styles) if number in shown)


def parse(
    archive: zipfile.ZipFile,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Parse a part as a stream; tags and attributes are named without namespace."""
    for _ in fed(
        archive,
        part,
        Handlers(
            lambda tag, attributes: start(local(tag), {local(key): value for key, value in attributes.items()}),
            lambda tag: end(local(tag)) if end else None,
            text,
        ),
    ):
        pass


class Handlers(NamedTuple):
    """What is called for the beginning and the end of an element and for text; tags have their namespace."""

    start: Callable[[str, dict[str, str]], None]
    end: Callable[[str], None]
    text: Callable[[str], None] | None


def fed(archive: zipfile.ZipFile, part: str, handlers: Handlers) -> Iterator[None]:
    """Parse a part as a stream, pausing after every piece of it.

    Declarations of entities are refused: workbooks have none, and they can blow up a file. So is what the parser would
    have to keep: tags without end, and elements in elements.
    """
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            message = "elements within each other without end"
            raise _BadWorkbook(message)
        handlers.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        handlers.end(tag)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, handlers.text
    size = 0
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            parser.Parse(chunk, False)  # noqa: FBT003 expat takes no keyword
            size += len(chunk)
            if size - parser.CurrentByteIndex > _LONGEST_TAG:
                message = "a tag without end"
                raise _BadWorkbook(message)
            yield
        parser.Parse(b"", True)  # noqa: FBT003
    yield


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(" ")[2]


def _refuse(*_: object) -> None:
    message = "a document type declaration"
    raise _BadWorkbook(message)
