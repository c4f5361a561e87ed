"""How data come about: habits of a clinic or of one person that show in many scores and in no single one.

Each habit is a share: of the ``n`` cases in which it could show, how many do. It is counted for every clinic and for
every person who treats or measures there. A group is reported when its share exceeds the limit by more than
``STANDARD_ERRORS`` standard errors, so that chance alone reports nobody: the limits lie well above what honest data
show, and a group too small to tell is not reported. A habit is a reason to ask, not proof that scores were made up.
"""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST_GROUP = 20
"""Groups with fewer cases are not judged: three patients who recovered early would look like copied scores."""
STANDARD_ERRORS = 3
"""With some hundred groups a year, a group that sits exactly on its limit is reported once in 740 times."""
VOLUME_FACTOR = 3
"""A delivery with more than three times or less than a third of the usual rows: weekly extracts of one clinic vary with
holidays and staff, but by less than that; a filter or a second clinic in the extract changes more."""
VOLUME_DELIVERIES = 3
"""Fewer other deliveries say nothing of what is usual: the first of a source often holds its whole past, and of that
and one night each is unusual beside the other."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One habit. ``limit_percent`` is the largest share that is not reported, ``why`` the reason for it."""

    table: str
    column: str
    name: str
    title: str
    reason: str
    limit_percent: int
    why: str

    @property
    def check_id(self) -> str:
        """Id of the check that reports it."""
        return f"{self.table}.{self.column}.{self.name}"

    @property
    def sentence(self) -> str:
        """The rule in words, with its limit."""
        limit = (
            f"more than {self.limit_percent}% of cases, by more than chance," if self.limit_percent else "any such case"
        )
        return f"{self.title}. A clinic, therapist or rater with {limit} is reported: {self.why}."


BEHAVIOURS = (
    Behaviour(
        "measurement",
        "value",
        "varies_within_clinic",
        "Pain scores are not carried over from the visit before",
        "REPEATED_SCORE",
        40,
        "consecutive scores of patients who are asked are identical in a fifth to a third of cases, twice no pain left "
        "out",
    ),
    Behaviour(
        "measurement",
        "value",
        "changes_by_discharge",
        "The pain score at discharge is not the baseline score again",
        "REPEATED_SCORE",
        50,
        "of patients who stay until discharge far fewer than half end with exactly the score they began with",
    ),
    Behaviour(
        "measurement",
        "value",
        "differs_between_sides",
        "Left and right motion are measured, not copied",
        "COPIED_SIDE",
        50,
        "two honest readings in whole degrees agree in 2 to 20% of pairs, read to 5 degrees in about 40%; pairs that "
        "agree on the normal value are left out, because full motion is written down as such",
    ),
    Behaviour(
        "measurement",
        "value",
        "no_heaping_at_5",
        "Motion is read to the degree, not to 5 degrees",
        "DIGIT_HEAPING",
        50,
        "chance gives 20% multiples of 5; careful goniometry in print reaches 37%; from 50% on more than a third of "
        "the readings were rounded, which adds an error that the minimal detectable change does not cover; readings of "
        "the normal value are left out",
    ),
    Behaviour(
        "measurement",
        "value",
        "no_heaping_at_10",
        "Motion is read to the degree, not to 10 degrees",
        "DIGIT_HEAPING",
        40,
        "chance gives 10% multiples of 10; from 40% on a third of the readings were rounded; readings of the normal "
        "value are left out",
    ),
    Behaviour(
        "measurement",
        "value",
        "no_pile_at_mcid",
        "Last pain scores do not pile up where the patient just counts as a responder",
        "PILED_AT_MCID",
        50,
        "of changes equal to the MCID or one unit beside it a third equal it; 50% is twice the mean of the neighbours",
    ),
    Behaviour(
        "measurement",
        "value",
        "varies_within_therapist",
        "Nobody gives every patient the same score",
        "NO_VARIANCE",
        0,
        "patients differ, so that 20 or more scores of one measure are never all identical, the normal value of a "
        "motion apart",
    ),
    Behaviour(
        "measurement",
        "measure_id",
        "kept_within_clinic",
        "The pain question is the same at baseline and at discharge",
        "NO_COMPARABLE_PAIR",
        20,
        "baseline worst against discharge current makes a better score by itself; one patient in five is more than "
        "a change of therapist explains",
    ),
    Behaviour(
        "visit",
        "recorded_minute",
        "spread_over_day",
        "Discharge scores are not entered in one batch",
        "SAME_MINUTE",
        25,
        "even appointments on the hour spread discharges over eight or more minutes of the day",
    ),
)
"""Sources: domain reference 1.1 (40% identical scores, baseline equal to discharge, kinds of pain never subtracted) and
1.4 (error of motion, same value copied to both sides). Hip goniometry of 39 people (Chatfield 1995, Problem Solving)
has 33 to 37% multiples of 5 and agrees between sides in 5 to 18%."""
