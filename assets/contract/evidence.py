"""What the literature says about dry needling, as versioned reference data, and common statements it does not bear out.

Published results with their comparator and time window: a number without these two says nothing. They come from trials
and reviews that compared groups; the change of patients in a clinic compares nobody, so the two never share an axis.
Rows marked as not verified come from memory: they say that something is known to exist, and never show a number. Most
verified rows were read as abstracts or excerpts. Read on 22 November 2026.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

VERSION = 1
"""Rises when a row is added, corrected or verified."""

_FILE = Path(__file__).parent / "evidence.csv"
_WORDS = ("evidence_id", "intervention", "comparator", "outcome", "window", "effect_type", "unit", "finding")


class Kind(StrEnum):
    """What a row of evidence is about."""

    EFFECT = "effect"  # needling against something else
    HARM = "harm"  # adverse events
    COURSE = "course"  # what happens without needling
    METHOD = "method"  # measuring, registries


@dataclass(frozen=True, slots=True)
class Evidence:
    """One published result.

    ``condition_id`` None: musculoskeletal pain in general. ``effect`` with its 95% interval is in ``unit``, of type
    ``effect_type``: MD (difference of means), SMD (the same in standard deviations), NNT, proportion, share, count or
    score; negative differences of pain and disability favour the intervention. Results in words are in ``finding``
    (``direction``, ``mean`` of several days, ``none``). ``trials`` and ``participants`` are None where not stated.
    """

    evidence_id: str
    kind: Kind
    condition_id: str | None
    intervention: str
    comparator: str
    outcome: str
    window: str
    effect_type: str
    unit: str
    effect: float | None
    low: float | None
    high: float | None
    finding: str
    trials: int | None
    participants: int | None
    certainty: str
    citation: str
    url: str
    verified: bool
    note: str

    @property
    def result(self) -> str:
        """The result in words, with its interval; no number where it is not verified."""
        if not self.verified:
            return "From memory: no number is shown until the source has been read."
        if self.effect is None:
            return self.finding
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None or self.high is None:
            return f"{self.effect_type} {self.effect:g}{unit}"
        return f"{self.effect_type} {self.effect:g}{unit} (95% CI {self.low:g} to {self.high:g})"


@dataclass(frozen=True, slots=True)
class Correction:
    """A statement that is often made, and what the literature says instead. ``verified``: read in the source."""

    correction_id: str
    claim: str
    literature: str
    source: str
    verified: bool


def _rows() -> tuple[Evidence, ...]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Evidence(
                kind=Kind(row["kind"]),
                condition_id=row["condition_id"] or None,
                effect=float(row["effect"]) if row["effect"] else None,
                low=float(row["low"]) if row["low"] else None,
                high=float(row["high"]) if row["high"] else None,
                trials=int(row["trials"]) if row["trials"] else None,
                participants=int(row["participants"]) if row["participants"] else None,
                certainty=row["certainty"],
                citation=row["citation"],
                url=row["url"],
                verified=row["verified"] == "yes",
                note=row["note"],
                **{name: row[name] for name in _WORDS},
            )
            for row in csv.DictReader(file)
        )


EVIDENCE = _rows()

CORRECTIONS = (
    Correction(
        "jospt_2021",
        "A meta-analysis in JOSPT in 2021 showed that dry needling lowers pain.",
        "No such article could be found. The match is Sanchez-Infante 2021, which is in Physical Therapy (PTJ). The "
        "reviews in JOSPT are Kietrys 2013 and Gattie 2017. Not finding it is no proof that it does not exist.",
        "Sanchez-Infante 2021 Phys Ther 101(3):pzab070; Kietrys 2013 JOSPT 43:620; Gattie 2017 JOSPT 47:133",
        verified=True,
    ),
    Correction(
        "comparator",
        "Dry needling lowers pain by so many points.",
        "By how many depends on what it is compared with. Neck: 2.31 points less than sham or waiting list, 0.51 less "
        "than manual therapy. Heel: 0.30 less than other treatment, and the interval includes no difference.",
        "Navarro-Santana 2020 J Clin Med 9:3300; 2024 Front Neurol 15:1520585",
        verified=True,
    ),
    Correction(
        "recovery_defined",
        "Recovery rates can be compared between publications.",
        "No definition is accepted: 82 studies of low back pain used 66 different measures, 59 of them once.",
        "Kamper 2011 Eur Spine J 20:9",
        verified=True,
    ),
    Correction(
        "pain_of_one",
        "Pain of 1 or 2 out of 10 is recovery.",
        "Patients call themselves completely recovered at 0, not at 1 or 2 (diagnostic odds ratio 43.9 at 0). So rates "
        "are shown at 0, 1 and 2.",
        "Kamper 2010 Eur Spine J 19:1495",
        verified=True,
    ),
    Correction(
        "mcid_above_mdc",
        "A patient who reaches the MCID has really changed.",
        "The smallest important change can be smaller than the error of measurement: QuickDASH 13.4 against 17.1. Such "
        "a change is important on average and cannot be told from error in one patient.",
        "van Kampen 2013 J Orthop Surg Res 8:40",
        verified=True,
    ),
    Correction(
        "motion_is_exact",
        "Range of motion is an objective number.",
        "Two therapists cannot tell shoulder motion apart that differs by less than 20 to 25 degrees.",
        "de Winter 2004 BMC Musculoskelet Disord, PMC434511",
        verified=True,
    ),
    Correction(
        "before_and_after",
        "Patients had less pain after treatment, so the treatment did it.",
        "Patients come when pain is worst. With a mean of 5, a standard deviation of 2 and a correlation of 0.6, those "
        "who start at 6 or more are expected to report 0.91 points less without any treatment.",
        "computed from the bivariate normal distribution; Davis 1976",
        verified=True,
    ),
    Correction(
        "twitch",
        "A local twitch response is a key indicator of success.",
        "A review of 2017 did not find it necessary for benefit. Here it is a hypothesis, never a score of quality.",
        "Perreault 2017 J Bodyw Mov Ther, narrative review",
        verified=False,
    ),
    Correction(
        "antithrombotics",
        "Patients who take blood thinners must not be needled.",
        "Antithrombotic medication is no absolute contraindication by published review; caution is advised where "
        "bleeding is abnormal.",
        "Pain Res Manag 2022:1363477",
        verified=True,
    ),
    Correction(
        "no_risk",
        "No serious event was seen, so there is no risk.",
        "None in 7,629 treatments still allows up to 0.04%. Another survey counted 20 major events in 20,494 sessions, "
        "1 in 1,024.",
        "Brady 2014 J Man Manip Ther 22:134; Boyce 2020 IJSPT 15:103",
        verified=True,
    ),
    Correction(
        "fatigue",
        "Fatigue is a typical event after needling.",
        "It was reported after 0.04% of treatments; bruising after 7.55%, bleeding after 4.65%.",
        "Brady 2014 J Man Manip Ther 22:134",
        verified=True,
    ),
    Correction(
        "needle_alone",
        "What needling with exercise does is what the needle does.",
        "Needling is rarely given alone. For low back pain patients with the combination had less pain than those with "
        "needling alone (SMD 0.83, 95% CI 0.55 to 1.11).",
        "Liu 2018 Arch Phys Med Rehabil 99:144-152",
        verified=True,
    ),
)
