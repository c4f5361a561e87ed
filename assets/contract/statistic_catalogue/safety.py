"""Safety: unwanted events, the chart of serious ones, precautions. Not recorded is never none."""

from assets.contract.model import Statistic

STATISTICS = (
    Statistic(
        "adverse_event_rate",
        1,
        "Unwanted events per 100 sessions",
        "How often an unwanted event was recorded, of the sessions at which somebody asked. A clinic that records more "
        "is not less safe: published surveys recorded 19% and 37% of sessions with a minor event.",
        numerator="events at sessions with the question; sessions with at least one",
        denominator="attended sessions with treatment at which unwanted events were asked for",
        exclusions="sessions without the question: no row there does not mean no event, and events on record there are "
        "counted apart; where 1 to 10 patients had the event it is hidden",
        window="the session and what was reported of it later",
        method="exact Poisson interval of the rate, two-sided 95%; Wilson interval of the share, at zero events the "
        "exact one-sided upper bound (95%), never 0% risk; sessions taken as independent",
        source="Garwood 1936; Wilson 1927; Clopper & Pearson 1934; Brady 2014; Boyce 2020",
    ),
    Statistic(
        "adverse_event_chart",
        1,
        "Sessions between serious events",
        "How many needling sessions lay between one serious event and the next, and whether that changed by more than "
        "chance explains.",
        numerator="needling sessions without a serious event since the last one",
        denominator="needling sessions at which events were asked for, with a real date, all clinics together",
        exclusions="sessions without a real date, so everything under Safe Harbor: no order across patients is known; "
        "no limits with fewer than 13 events; sessions before the first event",
        window="all data",
        method="g-chart: median and upper limit (0.99865) of the geometric distribution, interpolated; signals: above "
        "the limit, 7 in a row below the median, or as many zeros in a row as have a chance of at most 0.00135",
        source="Benneyan 2001; Kaminsky 1992",
    ),
    Statistic(
        "precaution_exposure",
        1,
        "Precautions and needling",
        "How many patients with a precaution on record were needled. Not asked is never no. A precaution is no "
        "prohibition: antithrombotic medication is not an absolute contraindication by a published review, bleeding "
        "disorders and pregnancy call for caution, needle phobia is commonly listed as a contraindication.",
        numerator="patients with that answer who had dry needling at an attended visit",
        denominator="patients with that answer: yes, no, unknown or not asked",
        exclusions="none",
        window="all of care; precautions are asked for at intake, and one that came up later counts for all sessions",
        method="share of a count",
        source="Pain Res Manag 2022:1363477; this project's proposal",
    ),
)
