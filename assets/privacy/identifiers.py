"""The identifier gate: no name, date of birth, number or address of a person enters.

Column names and value forms follow the 18 identifier classes of 45 CFR 164.514(b)(2) (Safe Harbor). The gate is an
alarm, not the wall: the wall is that every column must be declared, codes come from closed lists and keys have a form.
"""

from __future__ import annotations

import re

import polars as pl

IDENTIFIER_COLUMNS: tuple[tuple[str, str], ...] = (
    (
        "a name",
        (
            r"(^|_)(first|last|middle|full|maiden|sur|fore|given|family|patient|contact|guardian|employer|provider"
            r"|therapist)_?names?\d*$|^names?\d*$|^(f|l|m)names?$|^names?_(first|last|middle|full)$|(^|_)initials?$"
        ),
    ),
    (
        "a date",
        r"(^|_)(dob|birth_?(date|day|month)|date|dt|datetime|timestamp|admit|discharge_?date|service_?date|dos)($|_)",
    ),
    ("a telephone number", r"(^|_)(phone|telephone|tel|mobile|cell|cell_?phone)(_?(no|num|number))?\d*($|_)"),
    ("a fax number", r"(^|_)fax(_?(no|num|number))?\d*($|_)"),
    ("an e-mail address", r"(^|_)e?mail(_?(addr|address))?\d*($|_)"),
    ("a social security number", r"(^|_)(ssn|ssn_?last_?4|social_security(_?(no|num|number))?)($|_)"),
    (
        "a record number",
        r"(^|_)(mrn|medical_record(_?(no|num|number|id))?|chart_?(no|num|number|id)|emr_?id|nhs_?(no|num|number))($|_)",
    ),
    (
        "a health plan number",
        (
            r"(^|_)(mbi|hicn|(member|subscriber|beneficiary|medicare|medicaid|policy|insurance)_?(id|no|num|number))"
            r"($|_)"
        ),
    ),
    ("an account number", r"(^|_)(account|acct|invoice|claim)(_?(id|no|num|number))?($|_)"),
    ("a certificate or licence number", r"(^|_)(licen[sc]e|certificate|cert|dl|passport)(_?(id|no|num|number))?($|_)"),
    ("a vehicle identifier", r"(^|_)(vin|licen[sc]e_plate|plate(_?(no|num|number))?|vehicle(_?id)?)($|_)"),
    ("a device identifier", r"(^|_)(serial|udi|imei|(device|sensor)_?(id|no|num|number|serial))($|_)"),
    ("a photograph", r"(^|_)(photo|image|video|avatar)(_?(id|path|url))?($|_)"),
    ("a web address", r"(^|_)(url|uri|hyperlink|website)($|_)"),
    ("an IP address", r"(^|_)(ip|ip_?addr(ess)?)($|_)"),
    ("a biometric identifier", r"(^|_)(finger_?print|voice_?print|retina|iris|biometric)($|_)"),
    (
        "a place smaller than a state",
        (
            r"(^|_)(addr(ess)?\d*|street|city|town|county|parish|precinct|geocode|lat(itude)?|lon(g|gitude)?"
            r"|census_tract|zip|zip5|zip_?code|post_?code|postal(_?code)?|zcta)(_|$)"
        ),
    ),
    (
        "free text or another identifier",
        (
            r"(^|_)(uuid|guid|token|barcode|notes?|comments?|narrative|free_?text|employer|sport_?team|team_name)($|_)"
            r"|(^|_)occupation($|_(title|name|text))"
        ),
    ),
)
"""What a column holds, and the pattern of its name in snake case; the first that fits counts."""

_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NAME = r"\p{Lu}['\u2019]?\p{L}+(?:['\u2019-]\p{L}+)*"

IDENTIFIER_VALUES: tuple[tuple[str, str], ...] = (
    ("social security numbers", r"^\s*\d{3}[- ]\d{2}[- ]\d{4}\s*$"),
    ("e-mail addresses", r"^\s*(?:mailto:)?[^@\s]+@[^@\s]+\.[^@\s]+\s*$"),
    ("telephone numbers", r"^\s*(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}\s*$|^\s*\+\d[\d ().-]{7,18}$"),
    (
        "calendar dates",
        (
            r"^\s*\d{4}-\d{2}-\d{2}(?:[T ].*)?$|^\s*\d{1,2}/\d{1,2}/\d{2,4}(?: .*)?$|^\s*\d{4}/\d{1,2}/\d{1,2}(?: .*)?$"
            r"|^\s*\d{1,2}[.-]\d{1,2}[.-](?:19|20)\d{2}\s*$"
            rf"|^\s*\d{{1,2}}[ -]{_MONTH}[ ,-]+\d{{2,4}}\s*$|^\s*{_MONTH} \d{{1,2}}(?:,? \d{{4}})\s*$"
        ),
    ),
    (
        "names of persons",
        (
            rf"^\s*{_NAME}(?: \p{{Lu}}\.)?(?: {_NAME}){{1,3}}\s*$"
            r"|^\s*\p{L}[\p{L}'\u2019 -]*, ?\p{L}[\p{L}'\u2019. -]*$"
        ),
    ),
    ("web addresses", r"^\s*(?:https?://|www\.)"),
)
"""What a value looks like, and its form in the syntax of Polars."""

_COLUMN_PATTERNS = tuple((what, re.compile(pattern)) for what, pattern in IDENTIFIER_COLUMNS)
_ANY_VALUE = "|".join(f"(?:{pattern})" for _, pattern in IDENTIFIER_VALUES)


def identifying_column(name: str) -> str | None:
    """What a column of this name would hold, or None. camelCase and other separators are read as snake_case."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    snake = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    return next((what for what, pattern in _COLUMN_PATTERNS if pattern.search(snake)), None)


def identifying_values(text: pl.LazyFrame, columns: tuple[str, ...], row_number: str) -> tuple[str, int, str] | None:
    """First column that holds identifying values: its name, the first row number, and what they look like.

    The value itself is never returned.
    """
    found = (
        text.select(
            pl.col(row_number).filter(pl.col(name).str.contains(_ANY_VALUE)).min().alias(name) for name in columns
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    for name in columns:
        row = found[name]
        if row is not None:
            value = text.filter(pl.col(row_number) == row).select(name).collect().get_column(name)
            return name, int(row), next(w for w, pattern in IDENTIFIER_VALUES if value.str.contains(pattern).any())
    return None
