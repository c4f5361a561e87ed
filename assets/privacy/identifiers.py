"""Identifiers by the name of a column: no name, date of birth, number or address of a person enters.

The classes follow the 18 of 45 CFR 164.514(b)(2) (Safe Harbor). Column names are an alarm, not the wall: the wall is
that every column must be declared, codes come from closed lists and keys have a form. What values look like is in
``identifier_values``.
"""

from __future__ import annotations

import re

SERVICE_DATE = "a date"
"""The class that a limited data set may hold, in columns declared as days."""

IDENTIFIER_COLUMNS: tuple[tuple[str, str], ...] = (
    (
        "a name",
        (
            r"(^|_)(first|last|middle|full|maiden|sur|fore|given|family|patient|contact|guardian|employer|provider"
            r"|therapist|clinician|doctor|physician|next_of_kin)_?names?\d*$|^names?\d*$|^(f|l|m)names?$"
            r"|^names?_(first|last|middle|full)$|(^|_)initials?$"
        ),
    ),
    (
        "a date of birth",
        r"(^|_)(p?dob|birth_?(date|day|month|datetime|dt)|(date|day|month)_?of_?birth|born(_on)?)($|_)",
    ),
    (
        SERVICE_DATE,
        (
            r"(^|_)(date|dt|datetime|time_?stamp|admit|discharge_?date|service_?date|dos|week_?day|day_of_week"
            r"|iso_?week|week_number)($|_)"
        ),
    ),
    ("a telephone number", r"(^|_)(phone|telephone|tel|mobile|cell|cell_?phone|pager)(_?(no|num|number))?\d*($|_)"),
    ("a fax number", r"(^|_)fax(_?(no|num|number))?\d*($|_)"),
    ("an e-mail address", r"(^|_)e?mail(_?(addr|address))?\d*($|_)"),
    (
        "a social security number",
        r"(^|_)(ssn(_?(last)?_?4)?|last_?4(_of)?_ssn|social_?sec(urity)?(_?(no|num|number))?)($|_)",
    ),
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
    (
        "a certificate or licence number",
        r"(^|_)(licen[sc]e|certificate|cert|dl|passport|npi)(_?(id|no|num|number))?($|_)",
    ),
    ("a vehicle identifier", r"(^|_)(vin|licen[sc]e_plate|plate(_?(no|num|number))?|vehicle(_?id)?)($|_)"),
    (
        "a device identifier",
        r"(^|_)(serial|udi|imei|mac_?addr(ess)?|(device|sensor)_?(id|no|num|number|serial))($|_)",
    ),
    ("a photograph", r"(^|_)(photo|image|video|avatar)(_?(id|path|url))?($|_)"),
    ("a web address", r"(^|_)(url|uri|hyperlink|website)($|_)"),
    ("an IP address", r"(^|_)(ip|ip_?addr(ess)?)($|_)"),
    ("a biometric identifier", r"(^|_)(finger_?print|voice_?print|retina|iris|biometric)($|_)"),
    (
        "a place smaller than a state",
        (
            r"(^|_)(addr(ess)?\d*(_?line\d*)?|street|city|town|county|parish|precinct|geo_?code|gps|lat(itude)?"
            r"|lon(g|gitude)?|census_tract|zip|zip[459]|zip_?code|post_?code|postal(_?code)?|zcta)(_|$)"
        ),
    ),
    (
        "free text or another identifier",
        (
            r"(^|_)(uuid|guid|token|barcode|signature|notes?|comments?|narrative|free_?text|employer|sport_?team"
            r"|team_name)($|_)|(^|_)occupation($|_(title|name|text))"
        ),
    ),
)
"""What a column holds, and the pattern of its name in snake case; the first that fits counts."""

_COLUMN_PATTERNS = tuple((what, re.compile(pattern)) for what, pattern in IDENTIFIER_COLUMNS)


def identifying_column(name: str) -> str | None:
    """What a column of this name would hold, or None. camelCase and other separators are read as snake_case."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    snake = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    return next((what for what, pattern in _COLUMN_PATTERNS if pattern.search(snake)), None)
