"""Time to recovery: how many by when, how long until, and whether groups differ."""

from assets.contract.model import Statistic

FOLLOWED = "episodes whose baseline pain leaves room to recover and whose recovery can be told"
NOT_FOLLOWED = (
    "episodes whose motion was never measured; by care received in routine data also those that recovered or left up "
    "to the landmark day, because care is fixed by what was given until then"
)
PAIRS = (
    "two kinds of care in routine data, or two arms of a trial; in routine data nothing is adjusted for, so a "
    "difference is an association and cannot show what the care did"
)
WINDOW = "from the first visit (any care, arms of a trial) or from the landmark day (care in routine data) to day"

STATISTICS = (
    Statistic(
        "recovery_time",
        1,
        "Time to recovery",
        "How many had recovered by weeks 4, 8 and 12, by which day half had, and how many of the first 84 days "
        "patients lived recovered on average. Recovery is found at a visit: it lies between the visit before and the "
        "day counted, and more visits find it sooner, so the days per visit stand beside it. Kaplan-Meier, shown with "
        "the curve, takes leaving for an end of follow-up: it answers what would be if nobody had left and leaving "
        "had nothing to do with pain, which is not credible. The bounds say what would be if none, or all, of those "
        "who left had recovered.",
        numerator="episodes recovered by the day; days since recovery, up to day 84",
        denominator=FOLLOWED,
        exclusions=NOT_FOLLOWED,
        window=f"{WINDOW} 84; the median up to day 168",
        method="Aalen-Johansen with leaving as a competing event, log(-log) intervals, 95%; median by inverting them, "
        "open where not reached; mean days recovered as the area under the curve, delta-method error, normal interval; "
        "days per visit as days from first to last visit by visits after the first",
        source="Aalen & Johansen 1978; Brookmeyer & Crowley 1982; Andersen 2013; Conner & Trinquart 2021",
        of_recovery=True,
    ),
    Statistic(
        "recovery_time_test",
        1,
        "Do two groups differ in time to recovery?",
        "Gray's test compares how many have recovered, with leaving as an end of its own. The cause-specific log-rank "
        "test compares how fast those still in care recover (or leave), with the other event taken as an end of "
        "follow-up. They ask different things and may disagree. The more often one group is seen, the sooner its "
        "recoveries are found, whatever the care.",
        numerator="observed less expected events",
        denominator=FOLLOWED,
        exclusions=f"{NOT_FOLLOWED}; pairs with a group under 11",
        window=f"{WINDOW} 168",
        method=f"between {PAIRS}; chi-square with 1 degree of freedom; q: false discovery rate over all m tests of the "
        "table",
        source="Gray 1988; Mantel 1966; Prentice 1978; Benjamini & Hochberg 1995",
        of_recovery=True,
    ),
    Statistic(
        "recovery_time_difference",
        1,
        "Difference in days recovered",
        "How many more of the first 84 days the first group lived recovered than the second, on average.",
        numerator="days since recovery, up to day 84",
        denominator=FOLLOWED,
        exclusions=NOT_FOLLOWED,
        window=f"{WINDOW} 84",
        method=f"between {PAIRS}; difference of two areas under the cumulative incidence, normal interval, 95%",
        source="Zhao 2016; Conner & Trinquart 2021",
        of_recovery=True,
    ),
)
