"""Public quality measures."""

from assets.contract.model import Statistic

STATISTICS = (
    Statistic(
        "public_measure",
        1,
        "Public quality measures",
        "The measures clinics report to registries, computed here after the published texts; no submission.",
        numerator="pain: patients with at least 2 points less at the last visit than at the first; function: actual "
        "minus predicted change, in points of 0 to 100",
        denominator="closed episodes of routine care, the first of each patient, of conditions of the region and of "
        "the age asked for, with a first and a last score",
        exclusions="under 18 (function: 14) or age not known; one score only; no score; each counted beside. Language, "
        "illiteracy and cognitive exclusions of the texts are not in the data",
        window="first to last score up to discharge; function: last score within 14 days of discharge",
        method="observed minus expected by the network's case-mix model, 95% intervals by Wilson or Student's t; a "
        "mean residual of 0 or more meets the function measures; data are complete from 75%",
        source="QCDR and MIPS texts named beside each measure; this project's proposal",
    ),
)
