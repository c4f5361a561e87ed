"""Care compared: outcomes by care received, balance of the groups, regression to the mean."""

from assets.contract.model import Statistic

COMPARED = (
    "closed episodes of routine care, the first of each patient, still in care at day 14, with pain above 1 at the "
    "first visit"
)

STATISTICS = (
    Statistic(
        "care_comparison",
        1,
        "Care compared",
        "How outcomes of patients who received one kind of care differ from those of another, after adjustment for "
        "what was recorded before treatment. It cannot show that needling caused a difference.",
        numerator="weighted mean of the outcome in each group: recovery, response or change in pain",
        denominator=f"{COMPARED} and a known outcome",
        exclusions="clinics that needle fewer than 5% or more than 95% of the patients compared; patients with a trait "
        "found in one group only; both counted. Unknown outcomes are left out, their share is stated",
        window="care received by day 14; outcome at the end of the episode",
        method="propensity by logistic model; overlap weights (the patients described might have been in either "
        "group); 95% interval by M-estimation, the propensity being estimated; unadjusted difference by Newcombe or "
        "Welch; shown only if standardised differences stay below 0.1, at least 20% of patients are in equipoise, both "
        "groups have an effective size of 50 and there are 5 patients for each covariate; E-value; false discovery "
        "rate over all comparisons shown",
        source="Li, Morgan & Zaslavsky 2018; Walker 2013; Austin 2011; VanderWeele & Ding 2017; Benjamini & Hochberg "
        "1995",
        of_recovery=True,
    ),
    Statistic(
        "care_balance",
        1,
        "Balance of the groups compared",
        "What patients of both groups were like before treatment, as they are and after weighting.",
        numerator="mean of the covariate; for a level of a category the share of patients with it",
        denominator="patients of the comparison of recovery, all conditions, that could be weighted",
        exclusions="as for care compared; a number that is missing; levels with fewer than 11 patients in a group are "
        "counted together",
        window="before treatment",
        method="standardised difference in units of the pooled standard deviation before weighting",
        source="Austin 2011",
    ),
    Statistic(
        "regression_to_mean",
        1,
        "Fall in pain expected from selection alone",
        "Patients who come with much pain have less at the next score even if nothing happens in between.",
        numerator="expected fall of those whose first score is at least 6 of 10",
        denominator="closed episodes of routine care with a baseline pain score, the first of each patient",
        exclusions="episodes without a baseline; the observed change needs a comparable later score",
        window="from the first visit to discharge",
        method="SD (1 - rho) phi(z) / (1 - Phi(z)) with the mean and SD of these patients and rho 0.6, which is "
        "assumed; a lower bound, as patients were selected by pain before they came",
        source="Davis 1976; this project's proposal",
    ),
)
