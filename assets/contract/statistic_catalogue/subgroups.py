"""Subgroups: population, symptom duration, local twitch response, kinds of treatment. As recorded, not adjusted."""

from assets.contract.model import Statistic

TWITCH_IS_A_HYPOTHESIS = (
    "Whether a twitch matters is a hypothesis: a review of 2017 did not find it necessary. It is no measure of quality."
)

STATISTICS = (
    Statistic(
        "subgroup_outcome",
        1,
        "Outcomes by subgroup",
        "Recovery and change in pain of patients of one group, as recorded; groups differ in more than their name.",
        numerator="episodes recovered by the default definition; sum of changes in pain; responders",
        denominator="episodes of the subgroup with a known outcome; with comparable pain at both ends; with room",
        exclusions="open episodes; for twitch, episodes without needling; nothing is adjusted for",
        window="from the first visit to discharge; kinds of treatment at any session, so that they overlap and longer "
        "care collects more of them",
        method="Wilson score interval, Student's t interval, 95%; bounds if none or all of the unknown had recovered",
        source="Wilson 1927; Student 1908; this project's proposal",
        of_recovery=True,
    ),
    Statistic(
        "twitch_outcome",
        1,
        "Pain by local twitch response",
        "Change in pain of patients in whom a twitch was seen, was not seen, or was not recorded. "
        f"{TWITCH_IS_A_HYPOTHESIS}",
        numerator="sum of changes in pain (positive = less pain); responders by the MCID at discharge",
        denominator="immediate: needling sessions with pain scored that day and again within 10 days; discharge: "
        "closed needled episodes with comparable pain at both ends",
        exclusions="sessions and episodes without both scores (their share stands beside the number)",
        window="immediate: from a session to the next scored occasion within 10 days, by the answer at that session; "
        "discharge: from baseline to the last score, by yes at any session, else no at any, else not recorded",
        method="mean with an interval that takes sessions of one patient to be alike (ratio estimator, t), 95%; Wilson "
        "interval of shares; pain is taken as scored before the needling of that day",
        source="Cochran 1977 section 6.3; Liang & Zeger 1986; Wilson 1927",
    ),
    Statistic(
        "twitch_difference",
        1,
        "Twitch seen minus not seen, not adjusted",
        "How far pain of patients with a twitch and with none seen differs, not adjusted for anything. Longer care has "
        f"more chances of a yes. {TWITCH_IS_A_HYPOTHESIS}",
        numerator="mean change in pain, or share of responders at discharge, with a yes minus with a no",
        denominator="sessions (immediate) or closed needled episodes (discharge) with an answer and both scores",
        exclusions="not recorded, which is not a no",
        window="as for pain by local twitch response",
        method="interval for values of the same patients on both sides (t), 95%; Newcombe interval (method 10) of "
        "shares, episodes taken as independent",
        source="Liang & Zeger 1986; Newcombe 1998",
    ),
    Statistic(
        "care_mix",
        1,
        "What care consists of",
        "How many episodes, and how many of those with needling, received each kind of treatment. Needling is rarely "
        "alone, so no outcome of needled episodes belongs to the needle only.",
        numerator="episodes that received the kind at any attended visit",
        denominator="all episodes; those with dry needling at any attended visit",
        exclusions="none; kinds overlap, so shares add up to more than 100%",
        window="all of care",
        method="share of a count",
        source="this project's proposal",
    ),
)
