"""The ledger: who decided what and why, and the hashes of what was made, chained so that no line can be changed.

``HOME/audit/ledger.jsonl`` only ever grows: one JSON object per line, with the hash of the line before it. A line is
written whole or not at all. What a crash left of a line is cut off by the next writer, who says so in a line of its
own. A chain proves that no line was changed, taken out or moved; it cannot prove that none was cut off its end. For
that its head must be known from elsewhere: sealed files and printed packs name it (see ``assets.audit.verify``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CODE = "LEDGER"
FOLDER = "audit"
FILE = "ledger.jsonl"
START = "0" * 64
LOST = "lost"
KINDS = (
    "waiver",
    "rebase",
    "threshold",
    "sign_off",
    "history",
    "fold",
    "release",
    "rollback",
    "resume",
    "prune",
    "pack",
    "held",
    LOST,
)
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
REMEDY = "Run `needlepoint audit verify`, and put the ledger of your last backup back; no line of it is ever corrected"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``by`` is the person who answers for it, None for what the program records itself."""

    number: int
    at: str
    kind: str
    by: str | None
    body: dict[str, Any]
    previous: str
    hash: str

    @property
    def line(self) -> bytes:
        """The line as it stands in the file, without its end."""
        return _canonical(self._fields())

    @property
    def expected_hash(self) -> str:
        """The hash it must have: of all its fields but the hash."""
        content = self._fields()
        del content["hash"]
        return _sha256(_canonical(content))

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FIELDS}


FIELDS = tuple(field.name for field in fields(Entry))


def ledger_file(home: Path) -> Path:
    """Where the ledger of a home is."""
    return home / FOLDER / FILE


def entries(home: Path) -> tuple[Entry, ...]:
    """Every entry of a home, oldest first. What a crash left of a last line is no entry.

    Raises:
        InputProblem: LEDGER, naming the first line that is not what was written.

    """
    found, problems = inspected(home)
    if problems:
        raise problems[0]
    return found


def inspected(home: Path) -> tuple[tuple[Entry, ...], tuple[InputProblem, ...]]:
    """Every line that is an entry by itself, and a problem for each line that is none or does not follow."""
    return _chained(_content(home))


def append(home: Path, kind: str, body: dict[str, Any], by: str | None = None, now: datetime | None = None) -> Entry:
    """Add an entry, whole or not at all, and return it.

    Args:
        home: whose ledger.
        kind: one of ``KINDS``.
        body: what JSON can hold; no value of a patient.
        by: who answers for it.
        now: when, if not this moment.

    Raises:
        InputProblem: LEDGER: a line is not what was written, or the file cannot be written.

    """
    if kind not in KINDS:
        message = "no entry of this kind"
        raise ValueError(message)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    with _locked(home):
        content = _content(home)
        kept, rest = _split(content)
        last = _last(kept)
        lines = b""
        if _is_whole(rest):
            last, lines, kept = _parsed(rest, None), b"\n", content  # only the end of the line was not written
        elif rest:
            lost = {"what": "a line that was not written to its end", "bytes": len(rest), "sha256": _sha256(rest)}
            last = _next(last, moment, LOST, None, lost)
            lines = last.line + b"\n"
        entry = _next(last, moment, kind, by, body)
        _write(ledger_file(home), len(kept), lines + entry.line + b"\n")
    return entry


def cut_line(home: Path) -> bool:
    """Whether the last line was not written to its end."""
    return bool(_split(_content(home))[1])


def _next(last: Entry | None, moment: datetime, kind: str, by: str | None, body: dict[str, Any]) -> Entry:
    number, previous = (last.number + 1, last.hash) if last else (1, START)
    plain: dict[str, Any] = json.loads(_canonical(body))  # as it will be read back: no tuples, no other keys than text
    unsigned = Entry(number, moment.isoformat(timespec="seconds"), kind, by, plain, previous, "")
    return replace(unsigned, hash=unsigned.expected_hash)


@lru_cache(maxsize=2)  # a run reads the same ledger several times, and after a year that costs half a second
def _chained(content: bytes) -> tuple[tuple[Entry, ...], tuple[InputProblem, ...]]:
    kept, rest = _split(content)
    found: list[Entry] = []
    problems: list[InputProblem] = []
    number, previous = 0, START
    for place, line in enumerate(kept.split(b"\n")[:-1] + ([rest] if _is_whole(rest) else []), start=1):
        try:
            entry = _parsed(line, place)
        except InputProblem as problem:
            problems.append(problem)
            number, previous = number + 1, ""
            continue
        if entry.number != number + 1 or previous not in ("", entry.previous):
            problems.append(_broken(place, "it does not follow the line before: one was changed, moved or taken out"))
        found.append(entry)
        number, previous = entry.number, entry.hash
    return tuple(found), tuple(problems)


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Whole lines, and what stands behind them."""
    end = content.rfind(b"\n") + 1
    return content[:end], content[end:]


def _last(kept: bytes) -> Entry | None:
    """The last of whole lines; those before it are looked at by whoever reads them."""
    return _parsed(kept[kept.rfind(b"\n", 0, -1) + 1 : -1], None) if kept else None


def _is_whole(rest: bytes) -> bool:
    """Whether a last line without an end holds all of an entry; a crash can leave no more than its beginning."""
    try:
        json.JSONDecoder().raw_decode(rest.decode("utf-8", errors="replace"))
    except json.JSONDecodeError:
        return False
    return True


def _parsed(line: bytes, number: int | None) -> Entry:
    """One line, which must be to the byte what its content is written as. ``number`` None: the last line."""
    try:
        entry = Entry(**json.loads(line))
        is_ours = entry.line == line and entry.expected_hash == entry.hash
    except (ValueError, TypeError, RecursionError):
        raise _broken(number, "it is not an entry") from None
    if not is_ours:
        raise _broken(number, "it is not what was written")
    return entry


def _broken(number: int | None, what: str) -> InputProblem:
    place = "last line" if number is None else f"line {number}"
    return InputProblem(CODE, f"{FOLDER}/{FILE}, {place}", what, REMEDY)


def _canonical(content: object) -> bytes:
    return ENCODER.encode(content).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _content(home: Path) -> bytes:
    try:
        return ledger_file(home).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError:
        raise InputProblem(CODE, f"{FOLDER}/{FILE}", "the file cannot be read", "Check its permissions") from None


def _write(path: Path, kept: int, lines: bytes) -> None:
    """Put lines behind the first ``kept`` bytes; if they cannot all be written, the file ends there."""
    problem = InputProblem(CODE, f"{FOLDER}/{FILE}", "the file cannot be written", "Check its permissions and the disk")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE)
    except OSError:
        raise problem from None
    try:
        os.ftruncate(descriptor, kept)
        os.lseek(descriptor, kept, os.SEEK_SET)
        try:
            if os.write(descriptor, lines) != len(lines):
                raise problem
            os.fsync(descriptor)
        except OSError:
            raise problem from None
    except InputProblem:
        os.ftruncate(descriptor, kept)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Only one writer at a time; others wait, for it takes milliseconds."""
    try:
        (home / FOLDER).mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(home / FOLDER / ".lock", os.O_WRONLY | os.O_CREAT, PRIVATE_FILE)
    except OSError:
        raise InputProblem(CODE, FOLDER, "the folder cannot be written", "Check its permissions") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
