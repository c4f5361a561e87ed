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
            r"(^|_)(first|last|middle|full|maiden|sur|given|patient|contact|guardian|employer|provider|therapist)_?name$"
            r"|^name$|(^|_)initials?$"
        ),
    ),
    (
        "a place smaller than a state",
        (
            r"(^|_)(addr(ess)?|street|city|town|county|parish|precinct|geocode|lat(itude)?|lon(g|gitude)?|census_tract"
            r"|zip|zip5|postal(_?code)?|zcta)(_|$)"
        ),
    ),
    (
        "a date",
        r"(^|_)(dob|birth_?(date|day|month)|date|dt|datetime|timestamp|admit|discharge_?date|service_?date|dos)($|_)",
    ),
    ("a telephone number", r"(^|_)(phone|telephone|tel|mobile|cell_?phone)(_?(no|num|number))?($|_)"),
    ("a fax number", r"(^|_)fax(_?(no|num|number))?($|_)"),
    ("an e-mail address", r"(^|_)e?mail(_?(addr|address))?($|_)"),
    ("a social security number", r"(^|_)(ssn|ssn_?last_?4|social_security(_?(no|num|number))?)($|_)"),
    ("a record number", r"(^|_)(mrn|medical_record(_?(no|num|number|id))?|chart_?(no|num|id)|emr_?id)($|_)"),
    (
        "a health plan number",
        r"(^|_)(mbi|hicn|(member|subscriber|beneficiary|medicare|medicaid|policy)_?(id|no|num|number))($|_)",
    ),
    ("an account number", r"(^|_)(account|acct|invoice|claim)(_?(id|no|num|number))?($|_)"),
    ("a certificate or licence number", r"(^|_)(licen[sc]e|certificate|cert|dl)(_?(id|no|num|number))?($|_)"),
    ("a vehicle identifier", r"(^|_)(vin|licen[sc]e_plate|plate(_?(no|num|number))?|vehicle(_?id)?)($|_)"),
    ("a device identifier", r"(^|_)(serial|udi|imei|(device|sensor)_?(id|no|num|number|serial))($|_)"),
    ("a web address", r"(^|_)(url|uri|hyperlink|website)($|_)"),
    ("an IP address", r"(^|_)(ip|ip_?addr(ess)?)($|_)"),
    ("a biometric identifier", r"(^|_)(finger_?print|voice_?print|retina|iris|biometric)($|_)"),
    ("a photograph", r"(^|_)(photo|image|video|avatar)(_?(id|path|url))?($|_)"),
    (
        "free text or another identifier",
        (
            r"(^|_)(uuid|guid|token|barcode|notes?|comments?|narrative|free_?text|employer|sport_?team|team_name)($|_)"
            r"|(^|_)occupation($|_(title|name|text))"
        ),
    ),
)
"""What a column holds, and the pattern of its name in snake case."""

IDENTIFIER_VALUES: tuple[tuple[str, str], ...] = (
    ("social security numbers", r"^\d{3}-\d{2}-\d{4}$"),
    ("e-mail addresses", r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    ("telephone numbers", r"^(\+?1[-. ]?)?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}$"),
    ("calendar dates", r"^\d{4}-\d{2}-\d{2}([T ].*)?$|^\d{1,2}/\d{1,2}/\d{2,4}$"),
    ("names of persons", r"^[A-Z][a-z]+(,? [A-Z]\.?)?,? [A-Z][a-z]+$"),
    ("web addresses", r"^https?://"),
)
"""What a value looks like, and its form."""

_COLUMN_PATTERNS = tuple((what, re.compile(pattern)) for what, pattern in IDENTIFIER_COLUMNS)
_ANY_VALUE = "|".join(f"(?:{pattern})" for _, pattern in IDENTIFIER_VALUES)


def identifying_column(name: str) -> str | None:
    """What a column of this name would hold, or None. camelCase is read as snake_case."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(" ", "_").replace("-", "_")
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
            value = text.filter(pl.col(row_number) == row).select(name).collect().item()
            return name, int(row), next(what for what, pattern in IDENTIFIER_VALUES if re.search(pattern, value))
    return None
