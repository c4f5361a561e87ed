"""Arms of trials compared."""

from assets.contract.model import Statistic

STATISTICS = (
    Statistic(
        "trial_effect",
        1,
        "Difference between arms",
        "How much better or worse one arm of a trial scores at a planned day than the reference arm, as assigned. This "
        "is a difference between means: the MCID, a threshold for one patient, does not apply to it.",
        numerator="difference in mean score, positive = better than the reference arm",
        denominator="patients with a baseline and a score at the planned day; two sides of a patient are two rows",
        exclusions="patients without one of the two scores; arms with fewer than 11 patients",
        window="from baseline to the planned day",
        method="analysis of covariance on the baseline and the covariates of the trial's plan (else age and sex): "
        "least squares, t interval, 95%; where both sides count, a random intercept per patient by REML",
        source="Vickers & Altman 2001 BMJ 323:1123; Dworkin 2009 Pain 146:238 (MCID and differences between groups)",
    ),
)
