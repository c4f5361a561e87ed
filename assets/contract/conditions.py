"""The nine conditions in the fixed order of every page, with their primary outcomes.

ICD-10-CM rules were checked against the CMS April 2026 tabular file. Conditions are never ranked:
differences between them are differences between diseases.
"""

from __future__ import annotations

from assets.contract.model import Condition

CONDITIONS = (
    Condition(
        "neck_pain",
        "Neck pain",
        "neck pain",
        False,
        "nprs_avg24h",
        ("cerv_rot_left", "cerv_rot_right"),
        "M54.2",
        "Rotation to the worse side counts.",
    ),
    Condition(
        "low_back_pain",
        "Low back pain",
        "low back pain",
        False,
        "nprs_avg24h",
        ("lumb_flex",),
        "M54.50 M54.51 M54.59",
        "Lumbago with sciatica (M54.4-) is sciatica; low back strain (S39.012) is muscle strain.",
    ),
    Condition(
        "shoulder_impingement",
        "Shoulder impingement",
        "shoulder impingement",
        True,
        "nprs_avg24h",
        ("shld_flex",),
        "M75.40-M75.42",
    ),
    Condition(
        "plantar_fasciitis",
        "Plantar fasciitis",
        "plantar fasciitis",
        True,
        "nprs_firststep",
        ("ankle_df_wblt_cm",),
        "M72.2",
        "The code carries no side; the side must come from the feed.",
    ),
    Condition(
        "sciatica",
        "Sciatica",
        "sciatica",
        True,
        "nprs_worst24h",
        ("slr",),
        "M54.30-M54.32 M54.40-M54.42",
        "Leg pain, worst in 24 hours.",
    ),
    Condition(
        "tension_headache",
        "Tension headache",
        "tension headache",
        False,
        "nprs_avg7d",
        ("cerv_flex",),
        "G44.2-",
        "Cervicogenic headache (G44.86) is another diagnosis.",
    ),
    Condition(
        "it_band_syndrome",
        "IT band syndrome",
        "IT band syndrome",
        True,
        "nprs_worst_activity",
        ("hip_add_ober",),
        "M76.30-M76.32",
    ),
    Condition(
        "muscle_strain",
        "Muscle strain",
        "muscle strain",
        True,
        "nprs_worst24h",
        ("knee_flex",),
        "leaves titled 'Strain of' in S16.1 S29.01 S39.01 S46 S56 S66 S76 S86 S96",
        "The primary motion depends on the body region; knee flexion is the default for the thigh and calf.",
    ),
    Condition(
        "muscle_spasm",
        "Muscle spasm",
        "muscle spasm",
        False,
        "nprs_avg24h",
        ("lumb_flex",),
        "M62.830 M62.831 M62.838",
        "The primary motion depends on the body region; lumbar flexion is the default for the back.",
    ),
)
