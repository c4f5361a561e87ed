"""Motion as a share of its reference: the other side, else the normal value or a lower median of the clinic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

COURSE = (
    "episode_no | measure_id | side | active_passive | method | baseline_day | baseline_value | last_day | last_value"
)
MEDIAN = "clinic_key | measure_id | active_passive | method | sex | age_band | patients | middle_value"
LEFT = "1 | shld_flex | left  | active | goniometer"
RIGHT = "1 | shld_flex | right | active | goniometer"


def run(
    sql: Sandbox, rows: str, *, condition: str = "shoulder_impingement", side: str = "left", medians: str = ""
) -> None:
    episode = f"1 | p1 | c1 | {condition} | {side}"
    sql.run(
        "intermediate.asymptomatic_side",
        {"intermediate.episode": f"episode_no | patient_key | clinic_key | condition_id | side\n {episode}"},
    )
    sql.run(
        "intermediate.episode_rom",
        {
            "staging.patient": "patient_key | sex | age_years\n p1 | F | 50",
            "intermediate.rom_reference": f"{MEDIAN}\n{medians}",
            "intermediate.episode_pain": "episode_no | baseline_day\n 1 | 0",
            "intermediate.measure_course": f"{COURSE}\n{rows}",
        },
    )


@pytest.mark.parametrize(
    ("other", "reference", "first", "last"),
    [
        ("0 | 170 | 60 | 160", "160", "562", "937"),
        ("0 | 170 | 46 | 160", "160", "562", "937"),  # 14 days apart
        ("0 | 170 | 45 | 160", "180", "500", "833"),  # 15 days apart: the normal value
        ("0 | 170 |    |    ", "180", "500", "833"),
    ],
)
def test_the_other_side_is_the_reference_within_14_days(
    sql: Sandbox, other: str, reference: str, first: str, last: str
) -> None:
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150\n{RIGHT} | {other}")
    sql.expect(
        "intermediate.episode_rom",
        f"side | reference | mdc | baseline_permille | last_permille\n left | {reference} | 8 | {first} | {last}",
    )


def test_another_way_of_measuring_is_no_reference(sql: Sandbox) -> None:
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150\n 1 | shld_flex | right | passive | goniometer | 0 | 170 | 60 | 160")
    sql.expect("intermediate.episode_rom", "side | reference\n left | 180")


@pytest.mark.parametrize("side", ["bilateral", "none", ""])
def test_without_a_known_side_the_worse_side_counts_against_the_normal_value(sql: Sandbox, side: str) -> None:
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150\n{RIGHT} | 0 | 170 | 60 | 140", side=side)
    sql.expect("intermediate.episode_rom", "side | reference | last_value\n right | 180 | 140")


def test_the_worse_motion_counts(sql: Sandbox) -> None:
    run(
        sql,
        """1 | cerv_rot_left  | none | active | crom | 0 | 30 | 60 | 55
        1 | cerv_rot_right | none | active | crom | 0 | 30 | 60 | 50
        1 | cerv_flex      | none | active | crom | 0 | 30 | 60 | 1""",
        condition="neck_pain",
    )
    sql.expect("intermediate.episode_rom", "measure_id | last_value | mdc\n cerv_rot_right | 50 | 7")


def test_the_way_used_last_counts(sql: Sandbox) -> None:
    run(sql, f"{LEFT} | 0 | 90 | 40 | 100\n 1 | shld_flex | left | passive | goniometer | 0 | 90 | 60 | 170")
    sql.expect("intermediate.episode_rom", "last_day | last_value\n 60 | 170")


@pytest.mark.parametrize("ends", ["0 | 90 | 0 | 90", "5 | 90 | 5 | 90"])
def test_a_single_visit_has_no_last_score(sql: Sandbox, ends: str) -> None:
    run(sql, f"{LEFT} | {ends}\n{RIGHT} | 0 | 160 | 60 | 100")
    sql.expect(
        "intermediate.episode_rom",
        "last_value | last_permille | baseline_permille | reference\n | | 562 | 160",
    )


def test_without_a_first_score_any_later_one_is_the_last(sql: Sandbox) -> None:
    run(sql, f"{LEFT} |  |  | 20 | 170")
    sql.expect("intermediate.episode_rom", "last_value | last_permille | baseline_permille\n 170 | 944 |")


def test_shares_are_cut_off(sql: Sandbox) -> None:
    run(sql, "1 | hip_add_ober | left | passive | inclinometer | 0 | -10 | 60 | 30", condition="it_band_syndrome")
    sql.expect("intermediate.episode_rom", "baseline_permille | last_permille | mdc\n 0 | 1000 | 0")


def test_no_reference_no_judgement(sql: Sandbox) -> None:
    sql.con.execute("update reference.measure set reference_value = null where measure_id = 'shld_flex'")
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150")
    sql.expect("intermediate.episode_rom", "last_value")


@pytest.mark.parametrize(
    ("median", "reference"),
    [
        ("c1 | shld_flex | active  | goniometer   | F | 3 | 11 | 165", "165"),  # lower than the normal value
        ("c1 | shld_flex | active  | goniometer   | F | 3 | 11 | 185", "180"),  # more than normal is asked of nobody
        ("c1 | shld_flex | passive | goniometer   | F | 3 | 11 | 165", "180"),
        ("c1 | shld_flex | active  | inclinometer | F | 3 | 11 | 165", "180"),
        ("c1 | shld_flex | active  | goniometer   | M | 3 | 11 | 165", "180"),
        ("c1 | shld_flex | active  | goniometer   | F | 2 | 11 | 165", "180"),
        ("c2 | shld_flex | active  | goniometer   | F | 3 | 11 | 165", "180"),
        ("c1 | shld_abd  | active  | goniometer   | F | 3 | 11 | 165", "180"),
    ],
)
def test_a_lower_median_of_the_clinic_stands_for_the_normal_value(sql: Sandbox, median: str, reference: str) -> None:
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150", medians=median)
    sql.expect("intermediate.episode_rom", f"side | reference\n left | {reference}")


def test_the_own_other_side_goes_before_any_median(sql: Sandbox) -> None:
    median = "c1 | shld_flex | active | goniometer | F | 3 | 11 | 150"
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150\n{RIGHT} | 0 | 170 | 60 | 160", medians=median)
    sql.expect("intermediate.episode_rom", "side | reference\n left | 160")


def test_a_median_alone_is_a_reference(sql: Sandbox) -> None:
    sql.con.execute("update reference.measure set reference_value = null where measure_id = 'shld_flex'")
    run(sql, f"{LEFT} | 0 | 90 | 60 | 150", medians="c1 | shld_flex | active | goniometer | F | 3 | 11 | 165")
    sql.expect("intermediate.episode_rom", "side | reference\n left | 165")


@pytest.mark.parametrize(
    ("others", "side"),
    [
        ("", "right"),
        ("2 | p1 | shoulder_impingement | right", ""),  # the other shoulder hurts too
        ("2 | p1 | shoulder_impingement | bilateral", ""),
        ("2 | p1 | shoulder_impingement | left", "right"),
        ("2 | p2 | shoulder_impingement | right", "right"),  # another patient
        ("2 | p1 | sciatica | right", "right"),  # another complaint
    ],
)
def test_the_other_side_is_asymptomatic_unless_an_episode_names_it(sql: Sandbox, others: str, side: str) -> None:
    sql.run(
        "intermediate.asymptomatic_side",
        {
            "intermediate.episode": f"""
                episode_no | patient_key | condition_id | side
                1          | p1          | shoulder_impingement | left
                {others}
                """
        },
    )
    sql.con.execute("delete from intermediate.asymptomatic_side where episode_no <> 1")
    sql.expect("intermediate.asymptomatic_side", "asymptomatic_side" + (f"\n {side}" if side else ""))


@pytest.mark.parametrize(("condition", "side"), [("neck_pain", "left"), ("sciatica", "none"), ("sciatica", "")])
def test_without_a_side_nothing_is_known_to_be_asymptomatic(sql: Sandbox, condition: str, side: str) -> None:
    sql.run(
        "intermediate.asymptomatic_side",
        {"intermediate.episode": f"episode_no | patient_key | condition_id | side\n 1 | p1 | {condition} | {side}"},
    )
    sql.expect("intermediate.asymptomatic_side", "asymptomatic_side")


def medians(sql: Sandbox, values: list[str], *, sex: str = "F", age: str = "50") -> None:
    """One episode of left shoulder pain for each patient, with ``values`` of the right side."""
    numbers = range(1, len(values) + 1)
    sql.run(
        "intermediate.rom_reference",
        {
            "staging.patient": "patient_key | sex | age_years\n"
            + "\n".join(f"p{number} | {sex} | {age}" for number in numbers),
            "intermediate.episode": "episode_no | patient_key | clinic_key | condition_id\n"
            + "\n".join(f"{number} | p{number} | c1 | shoulder_impingement" for number in numbers),
            "intermediate.asymptomatic_side": "episode_no | asymptomatic_side\n"
            + "\n".join(f"{number} | right" for number in numbers),
            "intermediate.measure_course": f"{COURSE}\n"
            + "\n".join(
                f"{number} | shld_flex | right | active | goniometer | {value}\n"
                f"{number} | shld_flex | left | active | goniometer | 0 | 90 | 60 | 91"
                for number, value in zip(numbers, values, strict=True)
            ),
        },
    )


TEN = [f"0 | {150 + number} | 60 | 99" for number in range(10)]


@pytest.mark.parametrize(
    ("values", "median"),
    [
        (TEN, ""),  # one patient too few
        ([*TEN, "0 | 170 | 60 | 99"], "11 | 155"),
        ([*TEN, "0 | 170 | 60 | 99", "0 | 170 | 60 | 99"], "12 | 155"),  # the lower of the two in the middle
        ([*TEN, " | | 60 | 100"], "11 | 154"),  # no first score: the last one
        ([*TEN, " | | | "], ""),  # never measured
    ],
)
def test_median_of_asymptomatic_sides(sql: Sandbox, values: list[str], median: str) -> None:
    medians(sql, values)
    expected = f"\n c1 | shld_flex | active | goniometer | F | 3 | {median}" if median else ""
    sql.expect("intermediate.rom_reference", f"{MEDIAN}{expected}")


@pytest.mark.parametrize(
    ("sex", "age", "band"),
    [("F", "44", "2"), ("F", "45", "3"), ("M", "90", "4"), ("X", "50", "3"), ("unknown", "50", ""), ("F", "", "")],
)
def test_medians_are_of_one_sex_and_age_band(sql: Sandbox, sex: str, age: str, band: str) -> None:
    medians(sql, [*TEN, "0 | 170 | 60 | 99"], sex=sex, age=age)
    sql.expect("intermediate.rom_reference", "sex | age_band" + (f"\n {sex} | {band}" if band else ""))


def test_a_patient_counts_once(sql: Sandbox) -> None:
    medians(sql, [*TEN, "0 | 170 | 60 | 99"])
    sql.con.execute("update intermediate.episode set patient_key = 'p1' where episode_no = 2")
    sql.run("intermediate.rom_reference")
    sql.expect("intermediate.rom_reference", "middle_value")
