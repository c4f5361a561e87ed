"""De-identification of FHIR R4 resources, for the clinic's side: an allow-list of elements, everything else is dropped.

Ids and references become keyed pseudonyms of the same form (``Patient/P...``), dates become years, and the day of the
resource, counted from the patient's first dated event in the feeds of one call, is kept in an extension of ours. Only
the year of that first event is exact. Later ones are those of a first event on 2 July: exact years beside exact counts
of days would give its date away, by the two events between which a year ends.

Of a code system and code are kept and no words, of a quantity the number as it was written. The checks are consistent
with Safe Harbor column rules; see ``keys`` for what a key made from a record number needs.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from assets.contract.tables import AGE_TOP_CODE_YEARS
from assets.privacy.fhir import AGE_URL, DAY_URL, MINUTE_URL
from assets.privacy.fhir_kept import DATED, DOMAINS, KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.privacy.keys import Keys

ASSUMED_FIRST_DAY: Final = (7, 2)
"""The middle of a year, so that as many estimated years are too early as too late."""
_BIRTH_SEX: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_GENDERS: Final = {"F": "female", "M": "male"}
_REFERENCE: Final = re.compile(
    r"(?:https?://[^\s?#]+/)?([A-Z][A-Za-z]+)(?:/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?|\?(\S+))"
)
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}).*)?)?)?")
_WORD: Final = re.compile(r"[^\s@]{1,255}")
_QUANTITY: Final = ("value", "comparator", "unit", "system", "code")


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it was written: 1.10 is not 1.1 to whoever counts decimals."""

    text: str


@dataclass(slots=True)
class Course:
    """What has to be known of a patient before anything is written: ordinals of days, and the date of birth."""

    first: int | None = None
    last: int | None = None
    born: dt.date | None = None

    @property
    def age(self) -> int | None:
        """Years at the first dated event. 90 if the patient reaches 90 at any, for days between would tell the age."""
        if self.born is None or self.first is None or self.last is None:
            return None
        first, last = (_years(self.born, dt.date.fromordinal(day)) for day in (self.first, self.last))
        return AGE_TOP_CODE_YEARS if last >= AGE_TOP_CODE_YEARS else max(first, 0)


def parse_resource(line: str | bytes) -> dict[str, object] | None:
    """The resource of a line with its numbers as written, or None if there is none."""
    try:
        content = json.loads(line, parse_float=Written, parse_int=Written, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and isinstance(content.get("resourceType"), str) else None


def write_resource(resource: object) -> str:
    """A resource on one line, numbers as they were written."""
    if isinstance(resource, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{write_resource(value)}" for key, value in resource.items()) + "}"
    if isinstance(resource, list):
        return "[" + ",".join(map(write_resource, resource)) + "]"
    return resource.text if isinstance(resource, Written) else json.dumps(resource)


def note_course(resource: dict[str, object], courses: dict[str, Course]) -> None:
    """First pass: take down what has to be known of the patient that a resource speaks of."""
    kind = str(resource["resourceType"])
    if kind == "Patient" and isinstance(resource.get("id"), str):
        course = courses.setdefault(str(resource["id"]), Course())
        course.born = _birth(resource.get("birthDate"))
        return
    patient, day = _patient_of(resource), _day_of(kind, resource)
    if patient is not None and day is not None:
        course = courses.setdefault(patient, Course())
        course.first = day if course.first is None else min(course.first, day)
        course.last = day if course.last is None else max(course.last, day)


class CleanResources:
    """Second pass: strips resources to what is kept."""

    def __init__(self, courses: dict[str, Course], keys: Keys) -> None:
        """``courses`` as ``note_course`` took them down over all files."""
        self._courses = courses
        self._keys = keys
        self._trees = {kind: _tree(paths) for kind, paths in KEPT.items()}

    def clean(self, resource: dict[str, object]) -> dict[str, object] | None:
        """The resource that may leave, or None if its type is not needed or it has no id."""
        kind = str(resource["resourceType"])
        identity = resource.get("id")
        if kind not in self._trees or not (isinstance(identity, str) and _ID.fullmatch(identity)):
            return None
        cleaned: dict[str, object] = {"resourceType": kind, "id": self._key(kind, identity)}
        first = None
        if kind == "Patient":
            extensions = self._of_patient(identity)
            gender = resource.get("gender") or _gender(resource.get("extension"))
            resource = {**resource, "gender": gender} if gender else resource
        else:
            first = self._courses.get(_patient_of(resource) or "", Course()).first
            extensions = self._of_event(kind, resource, first)
        if extensions:
            cleaned["extension"] = extensions
        cleaned.update(self._branch(resource, self._trees[kind], first))
        return cleaned

    def _key(self, kind: str, identity: str) -> str:
        # FHIR tells ids apart by case, so they are not made upper case
        return self._keys.key(DOMAINS.get(kind, kind.lower()), f"{kind}/{identity}")

    def _of_patient(self, identity: str) -> list[object]:
        age = self._courses.get(identity, Course()).age
        return [] if age is None else [_extension(AGE_URL, age)]

    def _of_event(self, kind: str, resource: dict[str, object], first: int | None) -> list[object]:
        day, minute = _day_of(kind, resource), _minute_of(kind, resource)
        extensions: list[object] = [] if day is None or first is None else [_extension(DAY_URL, day - first)]
        return extensions if minute is None else [*extensions, _extension(MINUTE_URL, minute)]

    def _branch(self, element: dict[str, object], tree: _Tree, first: int | None) -> dict[str, object]:
        kept = {key: self._kept(element[key], below, first) for key, below in tree.items() if key in element}
        return {key: value for key, value in kept.items() if value not in (None, [], {})}

    def _kept(self, value: object, tree: _Tree, first: int | None) -> object:
        if isinstance(value, list):
            return [kept for kept in (self._kept(item, tree, first) for item in value) if kept not in (None, [], {})]
        if tree:
            return self._branch(value, tree, first) if isinstance(value, dict) else None
        return self._datatype(value, first)

    def _datatype(self, value: object, first: int | None) -> object:
        """A value of one of the data types that are kept, without its words."""
        if isinstance(value, str):
            return _year(value, first) if _DATE.fullmatch(value) else _word(value)
        if isinstance(value, Written | bool):
            return value
        if not isinstance(value, dict):
            return None  # a list within a list, which FHIR does not have
        if "reference" in value:
            reference = self._reference(value["reference"])
            return {"reference": reference} if reference else None
        if "coding" in value:
            codings = value["coding"] if isinstance(value["coding"], list) else []
            kept = [coding for coding in (self._datatype(coding, first) for coding in codings) if coding]
            return {"coding": kept} if kept else None
        names = ("start", "end") if "start" in value or "end" in value else _QUANTITY
        parts = {
            name: self._datatype(value[name], first) for name in names if isinstance(value.get(name), str | Written)
        }
        return {name: part for name, part in parts.items() if part is not None}

    def _reference(self, reference: object) -> str | None:
        found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        return f"{found[1]}/{self._key(found[1], found[2] or found[3])}" if found else None


_Tree = dict[str, "_Tree"]


def _tree(paths: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for path in paths:
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def _word(text: str) -> str | None:
    """Codes, statuses and addresses of code systems have no blanks; what has is text somebody wrote."""
    return text if _WORD.fullmatch(text) else None


def _extension(url: str, value: int) -> dict[str, object]:
    return {"url": url, "valueInteger": value}


def _no_constant(_name: str) -> NoReturn:
    message = "NaN and Infinity are no JSON"
    raise ValueError(message)


def _date_text(kind: str, resource: dict[str, object]) -> str | None:
    for name in DATED.get(kind, ()):
        value = resource.get(name)
        value = value.get("start") if isinstance(value, dict) else value
        if isinstance(value, str):
            return value
    return None


def _day_of(kind: str, resource: dict[str, object]) -> int | None:
    date = _date(_date_text(kind, resource))
    return date.toordinal() if date else None


def _minute_of(kind: str, resource: dict[str, object]) -> int | None:
    found = _DATE.fullmatch(_date_text(kind, resource) or "")
    return int(found[4]) * 60 + int(found[5]) if found and found[4] else None


def _date(text: object) -> dt.date | None:
    """A whole date; of a year or month alone no day can be counted."""
    found = _DATE.fullmatch(text) if isinstance(text, str) else None
    try:
        return dt.date(int(found[1]), int(found[2]), int(found[3])) if found and found[3] else None
    except ValueError:
        return None


def _year(text: str, first: int | None) -> str:
    """The year of a date, see the head of this file for how exact."""
    date = _date(text)
    if date is None or first is None:
        return text[:4]
    assumed = dt.date(dt.date.fromordinal(first).year, *ASSUMED_FIRST_DAY)
    days = assumed.toordinal() + date.toordinal() - first
    return f"{dt.date.fromordinal(min(max(days, 1), dt.date.max.toordinal())).year:04}"


def _birth(text: object) -> dt.date | None:
    """A date of birth; where only year or month is known, the earliest it can be, so that no age over 89 is missed."""
    found = _DATE.fullmatch(text) if isinstance(text, str) else None
    try:
        return dt.date(int(found[1]), int(found[2] or 1), int(found[3] or 1)) if found else None
    except ValueError:
        return None


def _years(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _patient_of(resource: dict[str, object]) -> str | None:
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return found[2] or found[3] if found and found[1] == "Patient" else None


def _gender(extensions: object) -> str | None:
    """The US Core birth sex, for a patient without a gender."""
    for extension in extensions if isinstance(extensions, list) else []:
        if isinstance(extension, dict) and extension.get("url") == _BIRTH_SEX:
            return _GENDERS.get(str(extension.get("valueCode")))
    return None
