"""Scores at both ends and their change: pain, motion, every measure, responders."""

from assets.contract.model import Statistic

PAIRS = "closed episodes with a comparable score at both ends"
ENDS = (
    "baseline (day 0 to 7, before or on the first treatment) to the last comparable score within 14 days of discharge"
)

STATISTICS = (
    Statistic(
        "pain_change",
        1,
        "Change in pain",
        "How much less pain patients report at the end than at the start, and how many got better by the MCID.",
        numerator="sum of changes; responders of those with room to respond",
        denominator=PAIRS,
        exclusions="episodes without a pair of scores of one measure",
        window=ENDS,
        method="mean with Student's t interval, 95%; Wilson interval of shares",
        source="Student 1908; Wilson 1927",
    ),
    Statistic(
        "rom_change",
        1,
        "Change in range of motion",
        "Motion of the affected part in percent of its reference, at the start and at the end.",
        numerator="sum of shares of the reference, capped at 100%",
        denominator="closed episodes with the primary motion measured at both ends",
        exclusions="motions without a reference",
        window="baseline to the last score up to discharge",
        method="mean",
        source="this project's proposal",
    ),
    Statistic(
        "measure_summary",
        1,
        "Scores of a measure",
        "Mean and standard deviation of a measure at both ends and of its change.",
        numerator="sum of scores",
        denominator="episodes with both scores",
        exclusions="episodes without a baseline or without a score at the time",
        window="baseline to the planned time, or to the last comparable score",
        method="mean and sample standard deviation from exact sums",
        source="textbook formulas on integers",
    ),
    Statistic(
        "response",
        1,
        "Responders",
        "Of the episodes with room to get better by that much, the share that did.",
        numerator="episodes that reach the threshold of the rule named beside the rate",
        denominator="episodes with both scores and room to respond",
        exclusions="episodes whose baseline leaves no room; no follow-up is not a non-responder",
        window="baseline to the planned time, or to the last comparable score",
        method="Wilson score interval, 95%; thresholds in exact arithmetic",
        source="Dworkin 2008; Farrar 2001; Wilson 1927",
    ),
)
