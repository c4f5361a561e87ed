"""ZIP codes: their first three digits may be kept where more than 20,000 people share them, 45 CFR 164.514(b)(2)(i)(B).

An allow-list, for a list of forbidden prefixes misses those that nobody has been counted in.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

NO_AREA = "000"
FULL_ZIP = r"^\d{4,5}(?:-?\d{4})?$"
"""Five digits, or four where a spreadsheet ate the leading zero, with or without the four digits of ZIP+4."""
ZIP_DIGITS = 5
LONG_DIGITS = 9
PREFIX_DIGITS = 3


@cache
def allowed_prefixes() -> tuple[str, ...]:
    """Every prefix that may be kept."""
    lines = (Path(__file__).parent / "zip3_allowed.txt").read_text(encoding="ascii").splitlines()
    return tuple(prefix for line in lines if not line.startswith("#") for prefix in line.split())


def is_too_fine(text: pl.Expr) -> pl.Expr:
    """Whether a ZIP code says more than a prefix that may be kept."""
    text = text.str.strip_chars()
    unknown = text.str.contains(r"^\d{3}$") & ~text.is_in([*allowed_prefixes(), NO_AREA])
    return text.str.contains(FULL_ZIP) | unknown


def prefix(text: pl.Expr) -> pl.Expr:
    """The prefix of a ZIP code where it may be kept, 000 for everything else that is filled in."""
    text = text.str.strip_chars()
    whole = text.str.contains(FULL_ZIP)
    digits = text.str.replace("-", "", literal=True)
    padded = (
        pl.when(digits.str.len_bytes() > ZIP_DIGITS)
        .then(digits.str.zfill(LONG_DIGITS))
        .otherwise(digits.str.zfill(ZIP_DIGITS))
    )
    first = pl.when(whole).then(padded).otherwise(text).str.slice(0, PREFIX_DIGITS)
    keep = (whole | text.str.contains(r"^\d{3}$")) & first.is_in(allowed_prefixes())
    return pl.when(keep).then(first).when(text != "").then(pl.lit(NO_AREA))
