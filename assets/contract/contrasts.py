"""Which kinds of care are compared, by what rules, and what has to hold before a number is shown.

Clinic data hold patients who were treated in one way or another because somebody chose so. They can say how outcomes
differ after adjustment for what was recorded; they cannot show that needling caused a difference. Needling is rarely
alone, so what is compared are whole ways of care, as received by the landmark day.
"""

from __future__ import annotations

from dataclasses import dataclass

CANNOT_SHOW = "Care was chosen, not assigned: this cannot show that needling caused a difference."


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two ways of care, by what was received up to the landmark day.

    Without a ``comparator``: dry needling against no dry needling, whatever else was given. With one: dry needling
    without the comparator against the comparator without dry needling. ``comparator`` is a treatment class.
    """

    contrast_id: str
    label: str
    sentence: str
    comparator: str | None = None


CONTRASTS = (
    Contrast(
        "with_or_without_needling",
        "Therapy with or without dry needling",
        "Patients who received dry needling beside other therapy by day 14, and patients who received therapy without "
        "it.",
    ),
    Contrast(
        "needling_or_manual_therapy",
        "Dry needling or manual therapy",
        "Patients who received dry needling and no manual therapy by day 14, and patients who received manual therapy "
        "and no dry needling; both with whatever else was given.",
        "manual_therapy",
    ),
    Contrast(
        "needling_or_massage",
        "Dry needling or massage",
        "Patients who received dry needling and no massage by day 14, and patients who received massage and no dry "
        "needling; both with whatever else was given.",
        "massage",
    ),
    Contrast(
        "needling_or_stretching",
        "Dry needling or stretching",
        "Patients who received dry needling and no stretching by day 14, and patients who received stretching and no "
        "dry needling; both with whatever else was given.",
        "stretching_mobility",
    ),
    Contrast(
        "needling_or_exercise",
        "Dry needling or strengthening exercise",
        "Patients who received dry needling and no strengthening exercise by day 14, and patients who received "
        "strengthening exercise and no dry needling; both with whatever else was given.",
        "strengthening",
    ),
)

NOT_IN_CLINIC_DATA = (
    Contrast(
        "needling_or_sham",
        "Dry needling or sham needling",
        "Not from clinic data: nobody receives sham needling outside a trial. See the evidence from trials.",
        "sham",
    ),
    Contrast(
        "needling_or_nothing",
        "Dry needling or no treatment",
        "Not from clinic data: everybody who comes to a clinic is treated. See the evidence from trials.",
        "no_treatment",
    ),
)
"""Comparators that trials have and clinic data never can."""

LARGEST_SMD = 0.1
"""Standardised differences after weighting must stay below this (Austin 2011; OHDSI CohortMethod uses the same)."""
SMALLEST_EQUIPOISE = 0.2
"""Share of patients with a preference score of 0.3 to 0.7 (Walker 2013) from which groups can be compared: default of
OHDSI CohortMethod (createCmDiagnosticThresholds). Walker asked for half."""
SMALLEST_EFFECTIVE_SIZE = 50
"""Effective patients in each group. A proposal: at 50 and 50 the interval of a difference of shares is about
plus or minus 20 percentage points wide."""
PATIENTS_PER_COVARIATE = 5
"""Patients for each column of the propensity model. Simulated: with 3 or 4 the 95% interval covers 91 to 93%, from 5 on
94% and more."""
SMALLEST_ARM = 11
"""Patients in each group before a model is tried."""
POSITIVITY_PERCENT = (5, 95)
"""A clinic that needles fewer or more of the patients compared than this never, or always, needles: left out."""

RETEST_CORRELATION = 0.6
"""Between two pain scores of a patient whose state does not change: assumed, domain reference 4.7."""
SELECTION_CUT_POINTS = 6
"""Pain at the first visit from which regression to the mean is shown, points of 0 to 10: assumed, as above."""
