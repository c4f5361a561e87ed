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
        sided=False,
        pain_measure="nprs_avg24h",
        rom_measures=("cerv_rot_left", "cerv_rot_right"),
        icd10cm="M54.2",
        note="Rotation to the worse side counts.",
    ),
    Condition(
        "low_back_pain",
        "Low back pain",
        "low back pain",
        sided=False,
        pain_measure="nprs_avg24h",
        rom_measures=("lumb_flex",),
        icd10cm="M54.50 M54.51 M54.59",
        note="Lumbago with sciatica (M54.4-) is sciatica; low back strain (S39.012) is muscle strain.",
    ),
    Condition(
        "shoulder_impingement",
        "Shoulder impingement",
        "shoulder impingement",
        sided=True,
        pain_measure="nprs_avg24h",
        rom_measures=("shld_flex",),
        icd10cm="M75.40-M75.42",
    ),
    Condition(
        "plantar_fasciitis",
        "Plantar fasciitis",
        "plantar fasciitis",
        sided=True,
        pain_measure="nprs_firststep",
        rom_measures=("ankle_df_wblt_cm",),
        icd10cm="M72.2",
        note="The code carries no side; the side must come from the feed.",
    ),
    Condition(
        "sciatica",
        "Sciatica",
        "sciatica",
        sided=True,
        pain_measure="nprs_worst24h",
        rom_measures=("slr",),
        icd10cm="M54.30-M54.32 M54.40-M54.42",
        note="Leg pain, worst in 24 hours.",
    ),
    Condition(
        "tension_headache",
        "Tension headache",
        "tension headache",
        sided=False,
        pain_measure="nprs_avg7d",
        rom_measures=("cerv_flex",),
        icd10cm="G44.2-",
        note="Cervicogenic headache (G44.86) is another diagnosis.",
    ),
    Condition(
        "it_band_syndrome",
        "IT band syndrome",
        "IT band syndrome",
        sided=True,
        pain_measure="nprs_worst_activity",
        rom_measures=("hip_add_ober",),
        icd10cm="M76.30-M76.32",
    ),
    Condition(
        "muscle_strain",
        "Muscle strain",
        "muscle strain",
        sided=True,
        pain_measure="nprs_worst24h",
        rom_measures=("knee_flex",),
        icd10cm="leaves titled 'Strain of' in S16.1 S29.01 S39.01 S46 S56 S66 S76 S86 S96",
        note="The primary motion depends on the body region; knee flexion is the default for the thigh and calf.",
    ),
    Condition(
        "muscle_spasm",
        "Muscle spasm",
        "muscle spasm",
        sided=False,
        pain_measure="nprs_avg24h",
        rom_measures=("lumb_flex",),
        icd10cm="M62.830 M62.831 M62.838",
        note="The primary motion depends on the body region; lumbar flexion is the default for the back.",
    ),
)
