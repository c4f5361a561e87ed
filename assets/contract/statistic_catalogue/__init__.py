"""Every published number in words: what it counts, of whom, over which time, by which method. One module per topic."""

from assets.contract.statistic_catalogue import recovery, scores

STATISTICS = (*recovery.STATISTICS, *scores.STATISTICS)

__all__ = ["STATISTICS"]
