"""FHIR R4 bulk NDJSON: one resource per line, of which the profile's JMESPath expressions take columns of text.

Every resource passes the identifier gate whole, not only what is taken from it. A line that cannot be trusted is a
malformed record: no parser's message is kept, for it would quote the line.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NoReturn

import jmespath
from jmespath.exceptions import JMESPathError, ParseError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

from assets.deliveries.formats.table import TextTable
from assets.deliveries.formats.text_writer import TextWriter
from assets.deliveries.formats.unpack import unpacked
from assets.deliveries.limits import LIMITS, Limits
from assets.deliveries.problems import InputProblem
from assets.privacy.fhir import identifying_elements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from assets.deliveries.profile.fields import FileSource
    from assets.deliveries.profile.loading import PrivacyMode

MAXIMUM_LINE_BYTES = 1 << 20
"""No resource without narrative and attachments is longer."""
MAXIMUM_TEXT = 4096
"""Keys, codes and numbers are far shorter; a longer value is text that does not belong."""
BATCH_ROWS = 20_000
BATCH_BYTES = 1 << 24
ELEMENTS_SAID = 12
ELEMENTS_KEPT = 1000
"""Names of elements that are counted one by one; a file can make up any number."""
STRANGE = "elements that FHIR does not have"

_REFERENCE = re.compile(
    r"(?:https?://[^\s?#]+/)?"
    r"(?:AdverseEvent|CarePlan|CareTeam|Condition|Device|Encounter|EpisodeOfCare|Group|HealthcareService|Location"
    r"|Observation|Organization|Patient|Practitioner|PractitionerRole|Procedure|Questionnaire|QuestionnaireResponse"
    r"|RelatedPerson|ServiceRequest)"
    r"/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?"
)
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of characters, which JSON can escape but no text can hold."""
_ELEMENT = re.compile(r"_?[a-z][A-Za-z]{1,39}(?:\._?[a-z][A-Za-z]{1,39}){0,9}")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class _Malformed(ValueError):  # noqa: N818 a fault of the line, caught here
    """This line is not a record that can be used."""


class _Number(float):
    """A number that knows how it was written: 1.10 is not 1.1 to whoever counts decimals."""

    text: str


_Number.__name__ = "float"  # JMESPath tells numbers by the name of their type


def open_fhir(
    path: Path, name: str, source: FileSource, scratch: Path, mode: PrivacyMode, limits: Limits = LIMITS
) -> TextTable:
    """Open a file of resources of one type.

    Args:
        path: the landed copy, plain or packed.
        name: what the clinic called the file, for messages.
        source: which ``resource`` it holds and which ``columns`` to take.
        scratch: a private folder for what is unpacked and for the columns taken.
        mode: whether real dates may be sent.
        limits: what unpacking may give, and how many lines there may be.

    Raises:
        InputProblem: EMPTY, ENCODING, TOO_MANY_ROWS, PHI_SUSPECTED, what unpacking raises; HEADER if no line holds a
            resource of the declared type.

    """
    resources = _Resources(source, mode)
    columns = tuple(source.columns)
    lines = _lines(unpacked(path, name, scratch, limits=limits), name)
    with TextWriter(scratch, columns) as writer:
        for values, malformed in resources.batches(lines):
            limits.check_rows(resources.records, name)
            writer.write(values, malformed)
    resources.check(name)
    return TextTable(columns, writer.rows(), resources.records)


def check_paths(columns: Mapping[str, str]) -> tuple[str, int] | None:
    """The first column whose expression is no JMESPath, and the character (from 1) at which that shows."""
    for column, path in columns.items():
        try:
            parsed = jmespath.compile(path).parsed
        except ParseError as error:  # an empty expression, a strange character and a missing bracket are all this
            return column, int(error.lex_position or 0) + 1
        except JMESPathError:
            return column, 1
        unknown = next(_unknown_functions(parsed), None)
        if unknown:
            return column, path.find(unknown) + 1
    return None


def _unknown_functions(node: Mapping[str, object]) -> Iterator[str]:
    """Functions that JMESPath does not have, or not with so many arguments; it would find out at each row."""
    children = node.get("children")
    children = children if isinstance(children, list) else []
    if node.get("type") == "function_expression":
        signature = Functions.FUNCTION_TABLE.get(str(node["value"]), {}).get("signature")
        given, wanted = len(children), len(signature or ())
        too_many = given > wanted and not (signature and signature[-1].get("variadic"))
        if signature is None or given < wanted or too_many:
            yield str(node["value"])
    for child in children:
        if isinstance(child, dict):
            yield from _unknown_functions(child)


class _Resources:
    """Takes columns from lines, and keeps account of what the lines were."""

    def __init__(self, source: FileSource, mode: PrivacyMode) -> None:
        self._type = source.resource
        self._mode = mode
        self._interpreter = TreeInterpreter()  # one for all rows takes half the time of one per value
        self._paths = [jmespath.compile(path).parsed for path in source.columns.values()]
        self._decoder = json.JSONDecoder(
            parse_float=_number, parse_constant=_no_constant, object_pairs_hook=_without_repeats
        )
        self._blank: list[str | None] = [None] * len(self._paths)
        self._identifying: Counter[str] = Counter()
        self.records = 0
        self._usable = 0

    def batches(self, lines: Iterable[bytes | None]) -> Iterator[tuple[list[list[str | None]], list[bool]]]:
        """The columns taken, and which records are malformed."""
        values, malformed, size = self._batch()
        for line in lines:
            self.records += 1
            found = self._values(line)
            self._usable += found is not None
            malformed.append(found is None)
            for column, text in zip(values, found or self._blank, strict=True):
                column.append(text)
            size += len(line or b"")
            if len(malformed) == BATCH_ROWS or size >= BATCH_BYTES:
                yield values, malformed
                values, malformed, size = self._batch()
        if malformed:
            yield values, malformed

    def _batch(self) -> tuple[list[list[str | None]], list[bool], int]:
        return [[] for _ in self._paths], [], 0

    def _values(self, line: bytes | None) -> list[str | None] | None:
        if line is None:
            return None
        try:
            resource = self._decoder.decode(line.decode())
            if not isinstance(resource, dict):
                return None
            for element in map(_said, identifying_elements(resource, self._mode)):
                known = element in self._identifying or len(self._identifying) < ELEMENTS_KEPT
                self._identifying[element if known else STRANGE] += 1
            if resource.get("resourceType") != self._type:
                return None
            return [_text(self._interpreter.visit(path, resource)) for path in self._paths]
        except (ValueError, ArithmeticError, RecursionError):  # no UTF-8, no JSON, nothing an expression fits, too deep
            return None

    def check(self, name: str) -> None:
        """Refuse the file if it identifies people, is empty, or is something else altogether."""
        if self._identifying:
            said = [f"{element} ({count:,})" for element, count in sorted(self._identifying.items())]
            more = f" and {len(said) - ELEMENTS_SAID} others" if len(said) > ELEMENTS_SAID else ""
            raise InputProblem(
                "PHI_SUSPECTED",
                name,
                f"the resources carry {', '.join(said[:ELEMENTS_SAID])}{more}",
                "Take these elements out with needlepoint deidentify before sending",
            )
        if not self.records:
            raise InputProblem("EMPTY", name, "the file is empty", "Send it again")
        if not self._usable:
            raise InputProblem(
                "HEADER",
                name,
                f"no line holds a resource of type {self._type} from which the columns can be taken",
                "Send one resource of this type per line (FHIR bulk NDJSON), or correct the profile",
            )


def _said(element: str) -> str:
    """An element for a sentence: by its name if FHIR can have it, for a key may be anything, even a name."""
    return element if _ELEMENT.fullmatch(element) else STRANGE


def _lines(path: Path, name: str) -> Iterator[bytes | None]:
    """Lines that are not blank; None for one that is too long."""
    with path.open("rb") as file:
        start = file.read(len(_UTF8_MARK))
        if start.startswith(_UTF16_MARKS):
            raise InputProblem(
                "ENCODING", name, "the file is UTF-16", "Export it as UTF-8: FHIR knows no other encoding"
            )
        if start != _UTF8_MARK:
            file.seek(0)
        while line := file.readline(MAXIMUM_LINE_BYTES):
            if line.endswith(b"\n") or len(line) < MAXIMUM_LINE_BYTES:
                if line.strip():
                    yield line
                continue
            while (rest := file.readline(MAXIMUM_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield None


def _text(value: object) -> str | None:
    """What an expression found, as exact text; nothing and an empty list are blank."""
    if value is None or value == []:
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, _Number):
        text = value.text
    elif isinstance(value, int | float) and math.isfinite(value):
        text = str(value)
    else:
        raise _Malformed
    if len(text) > MAXIMUM_TEXT or _UNFIT.search(text):
        raise _Malformed
    reference = _REFERENCE.fullmatch(text)
    return reference[1] if reference else text or None


def _number(text: str) -> _Number:
    number = _Number(text)
    number.text = text
    return number


def _no_constant(_: str) -> NoReturn:
    """NaN and Infinity, which Python's parser lets through."""
    raise _Malformed


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; one that says a key twice says two things, and parsers differ in which they hear."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Malformed
    return found
