"""Clinics beside the network: funnel, spread, shrunken estimates, adjusted gains."""

from assets.contract.model import Statistic

OUTCOME = "recoveries by the definition named beside the value, or the sum of changes in pain"
PATIENTS = "closed episodes with a known outcome, or with a comparable pair of pain scores"
NOT_COMPARED = "clinics with fewer than 11 patients or with under 60% of outcomes known: shown, not compared"
WINDOW = "from the first visit to discharge"

STATISTICS = (
    Statistic(
        "clinic_funnel",
        1,
        "Clinics and the range expected for their size",
        "Whether a clinic lies further from the network than chance, or the usual variation between clinics, explains.",
        numerator=OUTCOME,
        denominator=PATIENTS,
        exclusions=NOT_COMPARED,
        window=WINDOW,
        method="exact binomial limits (shares) and t limits with the pooled SD (pain) at 95% and 99.8%; lines of "
        "shares interpolated; over-dispersion from 10 clinics: 10% winsorised z, additive",
        source="Spiegelhalter 2005 Stat Med 24:1185-1202; DerSimonian & Laird 1986",
    ),
    Statistic(
        "clinic_spread",
        1,
        "How much clinics differ",
        "How much of the variation between clinics is more than chance, and whether any two can be told apart.",
        numerator=OUTCOME,
        denominator=PATIENTS,
        exclusions=f"{NOT_COMPARED}; fewer than 10 clinics that can be compared (pairs: fewer than 4)",
        window=WINDOW,
        method="Q, tau2 and between-clinic SD; ICC, reliability by Spearman-Brown; pairs of shrunken values by "
        "Benjamini-Hochberg over all pairs",
        source="DerSimonian & Laird 1986; Spearman 1910; Brown 1910; Benjamini & Hochberg 1995",
    ),
    Statistic(
        "clinic_shrunken",
        1,
        "Clinics, with small ones pulled towards the network",
        "The best guess of a clinic's true value, which leans on the network the more the fewer patients it has.",
        numerator=OUTCOME,
        denominator=PATIENTS,
        exclusions=f"{NOT_COMPARED}; fewer than 4 clinics that can be compared",
        window=WINDOW,
        method="empirical Bayes with interval; probability of a quarter from 10,000 draws (standard error up to 0.005)",
        source="Efron & Morris 1977; Morris 1983 JASA 78:47-55; Goldstein & Spiegelhalter 1996",
    ),
    Statistic(
        "provider_gain",
        1,
        "Adjusted gain",
        "How far a provider's patients came, against what the source's own model predicted for such patients.",
        numerator="sum of later scores minus predicted later scores, plus the mean gain of all",
        denominator="pairs of scores with a prediction of the later one",
        exclusions="records without a prediction; providers with fewer than 30 such records: shown, not adjusted",
        window="baseline to the planned time",
        method="mean of score minus prediction, less that of all, plus the mean gain of all; z with the SD of score "
        "minus prediction of all, over sqrt(n); limits 1.96 and 3.09",
        source="NHS England PROMs, finalised 2017-18: the publisher's method",
    ),
)
