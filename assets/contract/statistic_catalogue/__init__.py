"""Every published number in words: what it counts, of whom, over which time, by which method. One module per topic."""

from assets.contract.statistic_catalogue import (
    care,
    case_mix,
    clinics,
    completion,
    definitions,
    over_time,
    public_measures,
    recovery,
    recovery_time,
    safety,
    scores,
    subgroups,
    trajectories,
    trials,
)

STATISTICS = (
    *definitions.STATISTICS,
    *clinics.STATISTICS,
    *completion.STATISTICS,
    *care.STATISTICS,
    *case_mix.STATISTICS,
    *public_measures.STATISTICS,
    *recovery.STATISTICS,
    *recovery_time.STATISTICS,
    *scores.STATISTICS,
    *over_time.STATISTICS,
    *subgroups.STATISTICS,
    *safety.STATISTICS,
    *trajectories.STATISTICS,
    *trials.STATISTICS,
)

__all__ = ["STATISTICS"]
