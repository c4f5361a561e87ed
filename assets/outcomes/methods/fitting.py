"""Why a model could not be fitted: a reason instead of a number."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What stands in the way of an estimate; published in the place of the numbers."""

    TOO_FEW_ROWS = "too_few_rows"  # not more rows than coefficients
    ONE_GROUP = "one_group"  # nothing to compare between groups
    NO_REPEATS = "no_repeats"  # variation between and within groups cannot be told apart
    CONSTANT_OUTCOME = "constant_outcome"  # nothing varies, or nothing within groups
    COLLINEAR = "collinear"  # a covariate is a combination of others
    SEPARATED = "separated"  # a covariate tells the outcome with certainty: its coefficient is infinite
    NOT_IDENTIFIED = "not_identified"  # several values of a variance fit equally well
    NOT_CONVERGED = "not_converged"  # the search ended at a point that is no maximum


class FitError(Exception):
    """No estimate exists or none was found. ``reason`` is one of ``Reason``; no value of the data is in it."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(f"no estimate: {reason}")
        self.reason = reason
