"""Outcomes by month or year of the first visit, as control charts."""

from assets.contract.model import Statistic

STATISTICS = (
    Statistic(
        "outcome_over_time",
        1,
        "Outcomes over time",
        "Recovery rate, mean fall in pain and share of known outcomes by period of the first visit, with the limits "
        "within which they vary if nothing changes.",
        numerator="recovered episodes by the default definition; sum of changes in pain; known outcomes",
        denominator="known outcomes; comparable pairs of pain scores; closed episodes with room to recover",
        exclusions="periods whose 12-week window is still open; periods with fewer than 11 in the denominator, which "
        "stay gaps; periods without a date where only years may be known",
        window="month of the first visit where dates are real, else its year",
        method="p-chart, Laney p' or XmR chart (mean +- 2.66 times the mean moving range, screened once); limits from "
        "the first 12 points, set anew only by a recorded decision; the four rules of Making Data Count",
        source="Shewhart 1931; Laney 2002; NHS England, Making Data Count",
        of_recovery=True,
    ),
    Statistic(
        "outcome_signal",
        1,
        "Change over time",
        "Whether the latest period of a series is a signal of change or ordinary variation.",
        numerator="the latest period that has a value",
        denominator="the periods since the limits were last set",
        exclusions="series with fewer than 12 periods that have a value",
        window="all periods whose 12-week window is closed",
        method="the four rules of Making Data Count; 6% of stable series of 24 periods show a signal at the latest one",
        source="NHS England, Making Data Count",
        of_recovery=True,
    ),
)
