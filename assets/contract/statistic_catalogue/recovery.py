"""Recovery: rate, curve, unknown outcomes."""

from assets.contract.model import Statistic

CLOSED_WITH_ROOM = "closed episodes whose baseline pain leaves room to recover, or that have no baseline"

STATISTICS = (
    Statistic(
        "recovery_rate",
        1,
        "Recovery rate",
        "Of the episodes whose outcome is known, the share that ended in recovery.",
        numerator="episodes recovered by the definition named beside the rate",
        denominator=f"{CLOSED_WITH_ROOM}, with a known outcome",
        exclusions="open episodes; baseline pain of 1 or less; outcomes that are unknown (counted beside the rate)",
        window="from the first visit to discharge",
        method="Wilson score interval, 95%; bounds if none or all of the unknown had recovered",
        source="Wilson 1927; Newcombe 1998 method 3",
    ),
    Statistic(
        "recovery_curve",
        2,
        "Recovery over time",
        "How many had recovered by each day, with leaving care as an end of its own.",
        numerator="episodes recovered by the day",
        denominator="episodes whose baseline pain leaves room to recover and whose recovery can be told",
        exclusions="episodes whose motion was never measured; by care received in routine data also those that "
        "recovered or left up to the landmark day",
        window="day 0, or the landmark day by care received in routine data, to 168",
        method="Aalen-Johansen; 1 - Kaplan-Meier beside it; log(-log) intervals, 95%",
        source="Aalen & Johansen 1978; Greenwood 1926",
        of_recovery=True,
    ),
    Statistic(
        "unknown_outcome",
        1,
        "Why recovery is unknown",
        "Of all episodes, the share whose outcome cannot be told, by reason.",
        numerator="episodes with that reason",
        denominator="all episodes",
        exclusions="none",
        window="from the first visit to discharge",
        method="share of a count",
        source="this project's proposal",
        of_recovery=True,
    ),
)
