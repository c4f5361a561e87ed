"""Text of a declared encoding, rewritten as UTF-8. Nothing is guessed: what differs is refused with what to declare."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from assets.deliveries.formats.scratch import CHUNK_BYTES, new_file
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

    from assets.deliveries.limits import Limits

_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_START_BYTES = 4096
_MOSTLY = 0.4
_CERTAIN_UTF8 = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xe2[\x80-\x82][\x80-\xbf]")
"""Letters with accents and typographic signs in UTF-8. Read as a one-byte encoding they are a capital A with an accent
before a sign, or three signs in a row, which no text has."""
_BEGUN = re.compile(rb"(?:[\xc2\xc3]|\xe2[\x80-\x82]?)\Z")
"""Such a character cut off by the end of a chunk."""
_HIGH = re.compile(rb"[\x80-\xff]")
_C1 = re.compile(rb"[\x80-\x84\x86-\x9f]")
"""Control characters in ISO 8859, all but the line end of mainframes; letters and signs in cp1252."""


def check_start(path: Path, name: str, declared: str) -> None:
    """Refuse a file that plainly begins in another encoding than declared.

    Raises:
        InputProblem: ENCODING.

    """
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    marked = start.startswith(tuple(_UTF16_MARKS))
    if declared == "utf-16":
        if marked or not start:
            return
        if _is_utf16(start):
            raise _differs(name, "the file is UTF-16 without a byte-order mark", "Export it with one, or as UTF-8")
        other = "utf-8" if _is_utf8(start) else "cp1252"
        raise _differs(name, "the file is not UTF-16", _declare(other))
    if marked or _is_utf16(start):
        what = "the file is UTF-16" if marked else "the file is UTF-16 without a byte-order mark"
        raise _differs(
            name, what, _declare("utf-16") if marked else "Export it as UTF-8, or with a mark and declare utf-16"
        )
    if declared != "utf-8" and start.startswith(codecs.BOM_UTF8):
        raise _differs(name, "the file begins with the mark of UTF-8", _declare("utf-8"))


def as_utf8(path: Path, name: str, declared: str, scratch: Path, limits: Limits) -> Path:
    """A copy in UTF-8 of a file that passed ``check_start``.

    Raises:
        InputProblem: ENCODING with the line at which the text cannot be of the declared encoding; TOO_LARGE.

    """
    target = new_file(scratch, ".csv")
    single = _SingleByte(declared) if declared != "utf-16" else None
    lines = 1
    size = 0
    with path.open("rb") as reader, target.open("wb") as writer:
        codec = declared if single else _UTF16_MARKS[reader.read(2)]
        decoder = codecs.getincrementaldecoder(codec)()
        while True:
            chunk = reader.read(CHUNK_BYTES)
            if single:
                single.look(chunk, lines)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _undecodable(error, name, declared, lines, single) from None
            encoded = text.encode()
            size += len(encoded)
            limits.check_unpacked(size, size, name)
            writer.write(encoded)
            lines += text.count("\n")
            if not chunk:
                break
    if single:
        single.check(name)
    return target


class _SingleByte:
    """Looks for signs that a text declared as a one-byte encoding is of another one."""

    def __init__(self, declared: str) -> None:
        self._is_iso = declared.startswith("iso-8859")
        self._rest = b""
        self._multibyte = 0
        self.maybe_utf8 = True
        self._c1_line: int | None = None

    def look(self, chunk: bytes, line: int) -> None:
        if self._is_iso and self._c1_line is None and (found := _C1.search(chunk)):
            self._c1_line = line + chunk.count(b"\n", 0, found.start())
        if not self.maybe_utf8 or (chunk.isascii() and not self._rest):
            return
        block = self._rest + chunk
        begun = _BEGUN.search(block) if chunk else None
        cut = begun.start() if begun else len(block)
        rest, count = _CERTAIN_UTF8.subn(b"", block[:cut])
        self._rest = block[cut:]
        self._multibyte += count
        self.maybe_utf8 = not _HIGH.search(rest)

    def check(self, name: str) -> None:
        """Raise if the whole file was of another encoding."""
        if self.maybe_utf8 and self._multibyte:
            raise _differs(name, "all its letters with accents are written in UTF-8", _declare("utf-8"))
        if self._c1_line is not None:
            where = f"{name}, line {self._c1_line}"
            raise _differs(where, "there is a control character where cp1252 has a sign", _declare("cp1252"))


def _undecodable(
    error: UnicodeDecodeError, name: str, declared: str, lines: int, single: _SingleByte | None
) -> InputProblem:
    # the text before the fault was not handed out, so its lines are not counted yet
    lines += error.object[: error.start].decode(error.encoding).count("\n")
    if single is None:
        remedy = "Send it again: it is damaged or cut off"
    else:
        remedy = (
            _declare("utf-8") if single.maybe_utf8 else "Declare the encoding that this source sends, or send UTF-8"
        )
    return _differs(f"{name}, line {lines}", f"there is something that {declared} does not have", remedy)


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf16(start: bytes) -> bool:
    """Nearly every other byte is NUL, as in UTF-16 of Latin letters, and the ones between are not."""
    half = len(start) // 2
    even, odd = start[::2].count(0), start[1::2].count(0)
    return half > 0 and max(even, odd) > _MOSTLY * half and min(even, odd) <= half // 100


def _declare(encoding: str) -> str:
    return f"Declare encoding: {encoding} in the profile if that is what this source sends, or send it as declared"


def _differs(where: str, what: str, remedy: str) -> InputProblem:
    return InputProblem("ENCODING", where, what, remedy)
