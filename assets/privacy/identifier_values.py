"""Identifiers by what a value looks like, for columns of text.

A form is a pattern in the syntax of Polars, which is run over every row, and where that is not enough a test in Python
for the few values that fit it. Forms that chance can make (eleven letters and digits in the order of a Medicare number)
only count from a share of the rows.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

FREE_TEXT = "free text"
DATES = "calendar dates"
SHORTEST_BYTES = 5
"""No shorter value has one of the forms."""

_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NAME = r"\p{Lu}['\u2019]?\p{L}+(?:['\u2019-]\p{L}+)*"
_BEFORE, _AFTER = r"(?:^|[\s,;:(])", r"(?:$|[\s,;:.)])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_ISO_DATE = r"(?:1[89]|20|21)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"

ORDINARY_WORDS = frozenset(
    """
    acute adverse alcohol analog analogue and ankle arm arthritis assessment back balance baseline bilateral body bone
    both by calf care cervical chest chronic closed collar commercial compensation control day days degeneration
    degrees disability disc discharge disease disorder dry education elbow encounter eq evaluation event exercise
    extension external female fever finger first flexion follow foot for fracture from full functional goals group
    hand headache heel height high hip home index infection initial injury inpatient insurance internal inversion
    isometric joint knee known left leg limb low lower lumbar male manual massage measure medicaid medicare met
    migraine minor mobilisation mobility mobilization moderate month motion muscle neck needling nerve neurological no
    none normal not numeric of open or other outpatient oxford pain patient pelvic physical plan plantar post practice
    pressure primary private problem procedure questionnaire range rate rating reason referral reported resting right
    rotation sacral scale sciatica score second secondary service session sessions severe severity shoulder show side
    specified spinal spine sprain standard status strain strength stretching surgery syndrome tendon tension test
    therapeutic therapy thigh third thoracic time tissue to total trauma treatment trial unit unknown unspecified up
    upper usual vas verbal visit visual waiting walking week weeks weight with without wrist yes
    """.split()  # noqa: SIM905 four hundred quotation marks would hide the words
)
"""Words of clinics that are no names of persons: with one of them, two capitalised words are a term."""

_PERSONAL = (
    r"pt|he|she|his|hers?|him|mrs?|ms|dr|wife|husband|daughter|son|mother|father|brother|sister|lives|works|complains"
    r"|denies|reports|says|said|told|called|phoned"
)
MANY_WORDS, FEW_WORDS = 6, 4
_OWN_WORDS_BELOW = 2.0
"""A text of many words that on average stands in fewer rows was written, not chosen from a list."""


@dataclass(frozen=True, slots=True)
class Form:
    """What values look like.

    ``pattern`` finds candidates, ``confirm`` decides about one of them. It counts from ``share`` of the rows that are
    filled in, and from ``rows`` of them.
    """

    what: str
    pattern: str
    confirm: Callable[[str], bool] | None = None
    share: float = 0.0
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How many rows look like what, and the first of them. No value."""

    what: str
    rows: int
    first_row: int


def _is_address_of_the_internet(text: str) -> bool:
    text = text.strip().partition("/")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 4:  # noqa: PLR2004 1.2.3.4 is more often a version
        return any(len(part) > 1 for part in text.split("."))
    return len([part for part in text.split(":") if part]) > 2 or text.lower().startswith("fe80")  # noqa: PLR2004


def _is_vehicle_number(text: str) -> bool:
    """ISO 3779 with the North American check digit in the ninth place."""
    text = text.strip().upper()
    values = [int(char) if char.isdigit() else _VEHICLE_LETTERS[char] for char in text]
    remainder = sum(value * weight for value, weight in zip(values, _VEHICLE_WEIGHTS, strict=True)) % 11
    return text[8] == ("X" if remainder == 10 else str(remainder))  # noqa: PLR2004


_VEHICLE_LETTERS = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))
_VEHICLE_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_provider_number(text: str) -> bool:
    """National Provider Identifier: the check digit of Luhn over the number with 80840 before it."""
    digits = [int(char) for char in "80840" + text.strip()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (doubled + sum(digits[-1::-2])) % 10 == 0


def is_name(text: str) -> bool:
    """Whether a text of the form of a name has no word that a clinic's terms are made of."""
    return ORDINARY_WORDS.isdisjoint(re.split(r"[\W_]+", text.lower()))


def is_sentence(text: str) -> bool:
    """Whether a text that speaks of a person is more than a code or two."""
    return len(text.split()) >= FEW_WORDS


def is_prose(text: str) -> bool:
    """Whether less than half of a long text is what terms are made of."""
    words = {word for word in re.split(r"[\W_]+", text.lower()) if word}
    return 2 * len(ORDINARY_WORDS & words) < len(words)


_PHONE = r"(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?:,? ?(?:x|ext\.?) ?\d{1,6})?"
_MBI_LETTER, _MBI_ANY = "[AC-HJKMNP-RT-Yac-hjkmnp-rt-y]", "[0-9AC-HJKMNP-RT-Yac-hjkmnp-rt-y]"

IDENTIFIER_VALUES: tuple[Form, ...] = (
    Form("social security numbers", rf"{_BEFORE}\d{{3}}[- ]\d{{2}}[- ]\d{{4}}{_AFTER}"),
    Form("e-mail addresses", r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    Form(
        "telephone numbers",
        rf"{_BEFORE}{_PHONE}{_AFTER}|^\s*\+\d[\d ().-]{{7,18}}$|^\s*00\d{{1,3}} [\d ().-]{{6,16}}$",
    ),
    Form(
        DATES,
        (
            rf"{_BEFORE}{_ISO_DATE}(?:[\sT,;.)]|$)"
            rf"|{_BEFORE}\d{{1,2}}/\d{{1,2}}/(?:\d{{4}}|\d{{2}}){_AFTER}|^\s*\d{{4}}/\d{{1,2}}/\d{{1,2}}(?: .*)?$"
            r"|^\s*\d{1,2}[.-]\d{1,2}[.-](?:19|20)\d{2}(?: .*)?$"
            rf"|{_BEFORE}{_DAY}(?:st|nd|rd|th)?[ -]{_MONTH}[ ,-]+(?:\d{{4}}|\d{{2}}){_AFTER}"
            rf"|{_BEFORE}{_MONTH} {_DAY}(?:st|nd|rd|th)?,? \d{{4}}{_AFTER}"
        ),
    ),
    Form(
        DATES,
        r"^\s*(?:19|20)\d{2}-?(?:0[1-9]|1[0-2]|[QW][0-5]?\d)\s*$|^\s*(?:0?[1-9]|1[0-2])[/-](?:19|20)\d{2}\s*$"
        rf"|^\s*{_MONTH}[ -]\d{{4}}\s*$|^\s*(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s*$",
        share=0.9,
        rows=5,
    ),
    Form("web addresses", rf"{_BEFORE}(?i:(?:https?|s?ftp|file)://|www\.)"),
    Form(
        "photographs or files",
        r"^\s*(?:data:[a-z]+/|/9j/|iVBORw0KGgo|R0lGOD)|(?i:\.(?:jpe?g|png|gif|bmp|tiff?|heic|dcm|pdf)\s*$)",
    ),
    Form(
        "IP addresses",
        r"^\s*(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?:/\d{1,3})?\s*$",
        _is_address_of_the_internet,
    ),
    Form("device addresses", r"^\s*[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\s*$"),
    Form(
        "geographic positions",
        r"^\s*[-+]?\d{1,3}\.\d{3,}°?\s*[,; ]\s*[-+]?\d{1,3}\.\d{3,}°?\s*$|^\s*\d{1,3}°.*[NSEW]\s*$",
    ),
    Form(
        "street addresses",
        r"^\s*\d{1,6}[A-Za-z]? (?:[^\W_][\w.'\u2019]* ){1,4}(?i:st|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln"
        r"|lane|ct|court|way|pl|place|pkwy|parkway|hwy|highway|ter|terrace|row|square|circle|cir)\b\.?"
        r"|(?i:\bp\.? ?o\.? box \d)",
    ),
    Form(
        "Medicare numbers",
        rf"^\s*[1-9]{_MBI_LETTER}{_MBI_ANY}\d-{_MBI_LETTER}{_MBI_ANY}\d-{_MBI_LETTER}{{2}}\d{{2}}\s*$",
    ),
    Form(
        "Medicare numbers",
        rf"^\s*[1-9]{_MBI_LETTER}{_MBI_ANY}\d{_MBI_LETTER}{_MBI_ANY}\d{_MBI_LETTER}{{2}}\d{{2}}\s*$",
        share=0.02,
    ),
    Form(
        "vehicle identification numbers",
        r"^\s*[A-HJ-NPR-Za-hj-npr-z0-9]{8}[0-9Xx][A-HJ-NPR-Za-hj-npr-z0-9]{4}\d{4}\s*$",
        _is_vehicle_number,
        share=0.02,
    ),
    Form("provider numbers (NPI)", r"^\s*[12]\d{9}\s*$", is_provider_number, share=0.5),
    Form(
        "names of persons",
        (
            rf"^\s*{_NAME}(?: \p{{Lu}}\.?)?(?: {_NAME}){{1,3}}\s*$|^\s*\p{{Lu}}\. ?{_NAME}\s*$"
            r"|^\s*\p{L}[\p{L}'\u2019 -]*, ?\p{L}[\p{L}'\u2019. -]*$"
        ),
        is_name,
    ),
    Form("names of persons", rf"(?:^|\s)(?i:mrs?|ms|dr|prof)\.? {_NAME}"),
    Form(FREE_TEXT, rf"\b(?i:{_PERSONAL})\b", is_sentence),
    Form(FREE_TEXT, rf"^\s*(?:\S+\s+){{{MANY_WORDS - 1},}}\S", is_prose),
)
"""The first form that fits counts. The last one depends on how often texts repeat, see ``suspicion``."""


def any_form(*, dates: bool) -> str:
    """One pattern for whatever may identify; without ``dates`` where a column may hold them."""
    return "|".join(f"(?:{form.pattern})" for form in IDENTIFIER_VALUES if dates or form.what != DATES)


_ANY = any_form(dates=True)


def looks_identifying(text: pl.Expr) -> pl.Expr:
    """Whether text has the form of an identifying value, on the safe side."""
    return text.str.contains(_ANY)


def suspicion(values: pl.DataFrame, filled: int, *, dates: bool) -> Suspicion | None:
    """What most of a column's suspicious values look like, or None if they are harmless after all.

    Args:
        values: ``value``, ``rows`` (how many have it), ``first_row``; one row per value that fits ``any_form``.
        filled: rows of the column that are filled in.
        dates: whether dates count.

    """
    found: dict[str, Suspicion] = {}
    for form in IDENTIFIER_VALUES:
        if form.what == DATES and not dates:
            continue
        fits = values["value"].str.contains(form.pattern)
        here, values = values.filter(fits), values.filter(~fits)
        if form.confirm is not None:
            confirmed = pl.Series(map(form.confirm, here["value"]), dtype=pl.Boolean)
            here, values = here.filter(confirmed), pl.concat([values, here.filter(~confirmed)])
        rows = int(here["rows"].sum())
        if rows < form.rows or rows < form.share * filled:
            values = pl.concat([values, here])
        elif not _is_list_of_terms(form, here, rows):
            first = int(here["first_row"].min())  # type: ignore[arg-type]
            known = found.get(form.what, Suspicion(form.what, 0, first))
            found[form.what] = Suspicion(form.what, known.rows + rows, min(known.first_row, first))
    return max(found.values(), key=lambda one: one.rows, default=None)


def _is_list_of_terms(form: Form, values: pl.DataFrame, rows: int) -> bool:
    return form is IDENTIFIER_VALUES[-1] and rows / values.height >= _OWN_WORDS_BELOW
