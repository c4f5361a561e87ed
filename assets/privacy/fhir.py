"""The identifier gate of FHIR R4 resources: which elements of a resource identify somebody.

Answers with the names of elements and never with a value. An element that holds a name, a number, an address or free
text by its definition identifies; of the others the text is looked at. Codes with their displays are terms of a code
system and pass.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assets.contract.tables import AGE_TOP_CODE_YEARS

if TYPE_CHECKING:
    from collections.abc import Iterator

OUR_EXTENSIONS: Final = "urn:needlepoint:"
DAY_URL: Final = "urn:needlepoint:day"
MINUTE_URL: Final = "urn:needlepoint:minute"
AGE_URL: Final = "urn:needlepoint:age"

IDENTIFYING: Final = frozenset(
    {
        "address",
        "attachment",
        "birthDate",
        "comment",
        "contact",
        "contained",
        "content",
        "deceasedDateTime",
        "description",
        "div",
        "identifier",
        "implicitRules",
        "link",
        "name",
        "note",
        "patientInstruction",
        "photo",
        "serialNumber",
        "telecom",
        "udiCarrier",
        "valueAddress",
        "valueAttachment",
        "valueContactPoint",
        "valueHumanName",
        "valueIdentifier",
        "valueMarkdown",
        "valueString",
        "valueUri",
        "valueUrl",
    }
)
"""Elements that identify, or may hold free text, wherever they are."""

_META_SOURCE: Final = "meta.source"

_REFERENCE_TO_A_TERM: Final = ("Condition/", "Procedure/", "Observation/", "Medication/", "Questionnaire/")
_PARTIAL_DATE: Final = re.compile(r"\d{4}(?:-\d{2}){1,2}(?:T.*)?")
_SERVER: Final = re.compile(r"^https?://[^\s?#]+/(?=[A-Z][A-Za-z]+/)")
_SYSTEMS: Final = frozenset({"system", "url", "profile", "questionnaire", "instantiatesCanonical", "code", "unit"})
"""Elements whose text comes from a vocabulary."""
_IN_TEXT: Final = re.compile(
    r"(?:^|[\s,;:(])\d{3}[- ]\d{2}[- ]\d{4}(?:$|[\s,;:.)])"
    r"|[^@\s]@[^@\s]+\.[^@\s]"
    r"|(?:^|[\s,;:(])(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}\b"
    r"|(?:19|20)\d{2}-\d{2}-\d{2}|\b\d{1,2}/\d{1,2}/\d{4}\b"
    r"|https?://"
    r"|\b(?i:mrs?|ms|dr|prof)\.? [A-Z]"
)


def identifying_elements(resource: dict[str, object], mode: str) -> list[str]:
    """Names of the elements of a resource that identify somebody, each once, as ``subject.display``.

    Args:
        resource: one resource, as parsed.
        mode: ``safe_harbor`` allows years only; ``limited_data_set`` allows dates, but no date of birth.

    """
    found: set[str] = set()
    _look(resource, "", found, years_only=mode == "safe_harbor")
    return sorted(found)


def _look(element: dict[str, object], path: str, found: set[str], *, years_only: bool) -> None:
    for key, value in element.items():
        here = f"{path}.{key}" if path else key
        if key in IDENTIFYING or key[:1] == "_" or here == _META_SOURCE:
            found.add(here)
        elif key in ("extension", "modifierExtension"):
            _look_at_extensions(value, here, found)
        elif key == "text" and isinstance(value, dict):  # a narrative
            found.add(here)
        else:
            for item in _items(value):
                if isinstance(item, dict):
                    _look(item, here, found, years_only=years_only)
                elif (
                    isinstance(item, str)
                    and key not in _SYSTEMS
                    and _identifies(key, item, element, years_only=years_only)
                ):
                    found.add(here)


def _items(value: object) -> Iterator[object]:
    """What an element holds, also in lists within lists: FHIR does not have these, a file may."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        else:
            yield item


def _identifies(key: str, text: str, element: dict[str, object], *, years_only: bool) -> bool:
    if key == "reference":
        text = _SERVER.sub("", text)
    elif key == "display" and not _is_display_of_a_term(element):
        return True
    if _is_partial_date(text):
        return years_only or key in ("display", "text")
    return _has_identifier(text)


@lru_cache(maxsize=4096)
def _is_partial_date(text: str) -> bool:
    return _PARTIAL_DATE.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _has_identifier(text: str) -> bool:
    return _IN_TEXT.search(text) is not None


def _is_display_of_a_term(element: dict[str, object]) -> bool:
    """Whether the display is that of a code, or of a reference to something that is called by a term."""
    reference = element.get("reference")
    return "code" in element or (isinstance(reference, str) and reference.startswith(_REFERENCE_TO_A_TERM))


def _look_at_extensions(extensions: object, path: str, found: set[str]) -> None:
    for extension in extensions if isinstance(extensions, list) else [extensions]:
        if not isinstance(extension, dict) or not _is_ours(extension):
            found.add(path)
        elif extension["url"] == AGE_URL and extension["valueInteger"] > AGE_TOP_CODE_YEARS:
            found.add(f"{path}.age")


def _is_ours(extension: dict[str, object]) -> bool:
    """An extension of ours holds a whole number and nothing else."""
    return (
        extension.keys() == {"url", "valueInteger"}
        and str(extension["url"]).startswith(OUR_EXTENSIONS)
        and isinstance(extension["valueInteger"], int)
    )
