"""What the same episodes say under other definitions: bands of change, conclusions by recovery definition."""

from assets.contract.model import Statistic

STATISTICS = (
    Statistic(
        "response_band",
        1,
        "How much pain changed, in bands",
        "Of the episodes with pain scored at both ends, how many got worse, stayed, or had less pain by how much.",
        numerator="episodes in the band; episodes worse by the points of the deterioration rule are a part of 'worse'",
        denominator="closed episodes with a comparable pair of pain scores on a 0 to 10 scale",
        exclusions="episodes without a pair; first scores of 0 that did not rise, of which no percentage exists",
        window="baseline (day 0 to 7) to the last comparable score within 14 days of discharge",
        method="IMMPACT bands in percent of the first score, in exact arithmetic; Wilson score interval, 95%",
        source="Dworkin 2008 J Pain 9:105-121; Wilson 1927",
    ),
    Statistic(
        "definition_sensitivity",
        1,
        "Whether a conclusion depends on the definition of recovery",
        "What would be said of a condition or a clinic under each definition of recovery, and whether that differs.",
        numerator="episodes recovered by the definition named beside the rate",
        denominator="closed episodes whose baseline pain leaves room to recover, with a known outcome",
        exclusions="conclusions about fewer than 11 episodes; clinics with under 60% of outcomes known",
        window="from the first visit to discharge",
        method="a condition: whether the 95% Wilson interval lies above or below one half; a clinic: zone of its "
        "funnel against all clinics under the same definition; distinct conclusions are counted",
        source="Wilson 1927; Spiegelhalter 2005 Stat Med 24:1185-1202; Kamper 2011 Eur Spine J 20:9",
    ),
)
