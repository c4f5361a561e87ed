"""Completion: what was recorded of closed episodes, and how far recovery depends on what was not."""

from assets.contract.model import Statistic

STATISTICS = (
    Statistic(
        "completion",
        1,
        "Completion",
        "Of the closed episodes, the share with a baseline score, a comparable score at discharge, a motion that can "
        "be judged, and a follow-up.",
        numerator="episodes with the score in question",
        denominator="closed episodes",
        exclusions="none: what was not recorded is missing, for whatever reason",
        window="baseline day 0 to 7; discharge within 14 days before the end; follow-up on any later day",
        method="Wilson score interval, 95%; on target from 80%, too low to compare below 60% (a proposal, no standard)",
        source="Wilson 1927; this project's proposal",
    ),
    Statistic(
        "completion_sensitivity",
        1,
        "What unknown outcomes could change",
        "The recovery rate as it is, at its extremes, weighted for those with an unknown outcome, and where the "
        "conclusion about a clinic would change.",
        numerator="recovered episodes by the default definition, weighted where stated",
        denominator="closed episodes whose baseline pain leaves room to recover, or that have no baseline",
        exclusions="weighted rate: episodes without a baseline, and those with a trait for which no outcome is known",
        window="from the first visit to discharge",
        method="bounds if none or all of the unknown had recovered; inverse probability of completion (logistic model "
        "on what was known before treatment, condition and clinic; stabilised, cut at the 1st and 99th percentile; at "
        "least 5 episodes for each covariate; "
        "robust interval on the logit scale); tipping point against the exact binomial funnel limits at 95%. No last "
        "observation is carried forward",
        source="Robins, Hernan & Brumback 2000; Cole & Hernan 2008; Spiegelhalter 2005; this project's proposal",
        of_recovery=True,
    ),
)
