"""Code lists of the field that source codes are looked up in: ICD-10-CM to condition and side of the body.

The list (``vocabularies/icd10cm.csv``) holds the codes of the nine conditions, checked against the CMS release of
April 2026, without official titles. Not in it: sequelae (seventh character S), which are no treatment of the injury
itself, and neighbouring diagnoses such as myofascial pain, which a profile adds under ``codes`` if it wants them.
Codes are looked up whole, never by their beginning: S46.0 holds lacerations beside strains.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from assets.contract.tables import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

ICD10CM = "icd10cm"
"""From a code to the id of its condition; a code that is not listed stays as it is."""
ICD10CM_SIDE = "icd10cm_side"
"""From a code to the side it names; null for a code that names none. A side in words stays as it is."""
NAMES = (ICD10CM, ICD10CM_SIDE)

_COLUMNS = {ICD10CM: "condition_id", ICD10CM_SIDE: "side"}
_FOLDER = Path(__file__).parent / "vocabularies"
_NOT_OF_THE_CODE = r"[\s.]"


@cache
def lookup(name: str) -> Mapping[str, str]:
    """The vocabulary ``name``: what each code (upper case, no dot) means; KeyError if there is none of this name."""
    meaning = _COLUMNS[name]
    with (_FOLDER / "icd10cm.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["code"]: row[meaning] for row in csv.DictReader(file) if row[meaning]})


def normalised(text: pl.Expr) -> pl.Expr:
    """Codes as they are listed: feeds send them with and without the dot, in lower case, and padded."""
    return text.str.replace_all(_NOT_OF_THE_CODE, "").str.to_uppercase()


def is_listed(text: pl.Expr, name: str) -> pl.Expr:
    """Whether each text is a code of the vocabulary; false for null."""
    return normalised(text).is_in(sorted(lookup(name))).fill_null(value=False)


def translate(text: pl.Expr, name: str) -> pl.Expr:
    """What each code means in the vocabulary ``name``."""
    codes, meanings = list(lookup(name)), list(lookup(name).values())
    # batch by batch: the expression of Polars would hold the whole column in memory
    meaning = normalised(text).map_batches(
        lambda batch: batch.replace_strict(codes, meanings, default=None, return_dtype=pl.String),
        return_dtype=pl.String,
        is_elementwise=True,
    )
    kept = pl.when(text.is_in(SIDES)).then(text) if name == ICD10CM_SIDE else text
    return pl.coalesce(meaning, kept)
