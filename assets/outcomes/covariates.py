"""What was known before treatment, as the columns of a regression: one design for every model of single episodes.

Nothing that is known after the baseline may be here (domain reference 4.5): visits, needling and the reason of
discharge follow from how the patient fares, so adjusting for them would hide part of what is to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PRE_TREATMENT = (
    "baseline_pain",
    "baseline_function_permille",
    "baseline_rom_permille",
    "age_years",
    "sex",
    "symptom_duration",
    "side",
    "surgery_count",
    "comorbidity_count",
    "fear_avoidance",
    "payer",
    "population",
    "prior_episode",
    "anticoagulant",
    "needle_phobia",
    "start_year",
)
"""Columns of ``marts.case_mix`` that are known before treatment (domain reference 4.5 and 4.7)."""

PLACES = ("condition_id", "clinic_key")
"""Categories that a model may be given beside them: what is treated and where, which are fixed at the start too."""

SCALES = {
    "baseline_pain": (5.0, 2.0),
    "baseline_function_permille": (500.0, 200.0),
    "baseline_rom_permille": (700.0, 200.0),
    "age_years": (45.0, 15.0),
    "surgery_count": (0.0, 1.0),
    "comorbidity_count": (2.0, 2.0),
    "start_year": (2024.0, 1.0),
}
"""Numbers: centre and unit, in the unit of the column. Fixed, so that coefficients of two releases can be compared."""

SQUARED = ("baseline_pain",)
"""Numbers that enter with their square too: a patient near either end of the scale changes less."""

SMALLEST_LEVEL = 11
"""A level with fewer episodes joins the reference: no coefficient may rest on fewer, nor be published for them."""

INTERCEPT = "intercept"
_MISSING = ":missing"
_SQUARE = "^2"
_LEVEL = "="
_COLLINEAR = 1e-10
"""A column adds nothing if less than this share of its squared length is left unexplained by those before it."""


@dataclass(frozen=True, slots=True)
class Design:
    """A design matrix with the names of its columns; the first is the intercept.

    ``matrix`` is (episodes, columns) in the order of the frame. ``dropped`` names the columns left out because they
    are constant or follow from those before them, ``references`` the level of each category that the others are
    compared with. Names: ``age_years`` (a number), ``baseline_pain^2``, ``age_years:missing``, ``sex=M``.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    dropped: tuple[str, ...]
    references: dict[str, str]


def design(frame: pl.DataFrame, columns: Sequence[str] = PRE_TREATMENT) -> Design:
    """The covariates of the episodes of ``frame`` (rows of ``marts.case_mix``) as a design matrix.

    Numbers are centred and scaled by the constants of ``SCALES``. A missing number takes the centre, and a column of
    its own says that it was missing, so that the fit is the same whatever stands in; there is no such column if fewer
    than ``SMALLEST_LEVEL`` are missing or present. Categories become one column for each level but the most frequent
    (of equals the first by name); a level of fewer than ``SMALLEST_LEVEL`` rows counts as the most frequent one.
    The columns do not depend on the order of rows, and a row has the same values in any design that has the column.

    Raises:
        ValueError: a column that is neither one of ``PRE_TREATMENT`` nor of ``PLACES``.

    """
    late = sorted(set(columns) - {*PRE_TREATMENT, *PLACES})
    if late:
        message = f"not known before treatment: {', '.join(late)}"
        raise ValueError(message)
    references: dict[str, str] = {}
    names = [INTERCEPT]
    for column in columns:
        if column in SCALES:
            names += _of_number(frame[column])
        else:
            references[column], levels = _levels(frame[column])
            names += [f"{column}{_LEVEL}{level}" for level in levels]
    matrix = evaluate(frame, names)
    kept = independent_columns(matrix)
    return Design(
        tuple(name for name, keep in zip(names, kept, strict=True) if keep),
        np.ascontiguousarray(matrix[:, kept]),
        tuple(name for name, keep in zip(names, kept, strict=True) if not keep),
        references,
    )


def evaluate(frame: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """The columns called ``names`` (as in ``Design``) for the episodes of ``frame``: (episodes, names).

    With the names and coefficients of a model fitted before, this times the coefficients is its linear predictor for
    other episodes; a level that the model does not know counts as its reference.
    """
    matrix = np.empty((frame.height, len(names)))
    for position, name in enumerate(names):
        matrix[:, position] = _term(frame, name)
    return matrix


def column_of(name: str) -> str:
    """The column of ``marts.case_mix`` that a term rests on; the intercept rests on none and keeps its name."""
    return name.split(_LEVEL, 1)[0].removesuffix(_MISSING).removesuffix(_SQUARE)


def contrast(name: str, references: Mapping[str, str]) -> str:
    """What the coefficient of a term compares, in words; ``references`` as in ``Design``."""
    column = column_of(name)
    if name == INTERCEPT:
        return "numbers at their centre, categories at their reference"
    if _LEVEL in name:
        return f"against {references[column]}"
    centre, unit = SCALES[column]
    if name.endswith(_MISSING):
        return f"missing against {centre:g}"
    return f"per {unit:g} above {centre:g}" + (", squared" if name.endswith(_SQUARE) else "")


def independent_columns(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns are no combination of the columns before them; the first of several that say the same stays.

    The squared length of the unexplained part of a column is its pivot in the Cholesky factor of X'X. Columns are
    brought to unit length first, so that units do not matter; a column of zeros is not independent.
    """
    length = np.sqrt(np.einsum("ij,ij->j", matrix, matrix))
    unit = matrix / np.where(length > 0, length, 1.0)
    products = unit.T @ unit
    kept = np.zeros(matrix.shape[1], dtype=bool)
    for column in np.flatnonzero(length > 0):
        among = products[np.ix_(kept, kept)]
        shared = products[kept, column]
        if products[column, column] - shared @ np.linalg.solve(among, shared) > _COLLINEAR:
            kept[column] = True
    return kept


def _of_number(values: pl.Series) -> list[str]:
    missing = values.null_count()
    square = [f"{values.name}{_SQUARE}"] if values.name in SQUARED else []
    indicator = [f"{values.name}{_MISSING}"] if min(missing, len(values) - missing) >= SMALLEST_LEVEL else []
    return [values.name, *square, *indicator]


def _levels(values: pl.Series) -> tuple[str, list[str]]:
    """The reference and the other levels with enough rows, these in order of name."""
    counts = values.value_counts(name="n").sort(["n", values.name], descending=[True, False])
    if counts.is_empty():
        return "unknown", []
    reference = str(counts[values.name][0])
    return reference, sorted(counts.slice(1).filter(pl.col("n") >= SMALLEST_LEVEL)[values.name])


def _term(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    if name == INTERCEPT:
        return np.ones(frame.height)
    if _LEVEL in name:
        column, level = name.split(_LEVEL, 1)
        return (frame[column] == level).cast(pl.Float64).to_numpy()
    if name.endswith(_MISSING):
        return frame[name.removesuffix(_MISSING)].is_null().cast(pl.Float64).to_numpy()
    column = name.removesuffix(_SQUARE)
    centre, unit = SCALES[column]
    number = ((frame[column].cast(pl.Float64) - centre) / unit).fill_null(0.0).to_numpy()
    return number**2 if name.endswith(_SQUARE) else number
