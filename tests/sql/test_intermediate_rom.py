"""Motion as a share of its reference: the other side, else the normal value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

COURSE = (
    "episode_no | measure_id | side | active_passive | method | baseline_day | baseline_value | last_day | last_value"
)
LEFT = "1 | shld_flex | left  | active | goniometer"
RIGHT = "1 | shld_flex | right | active | goniometer"


def run(sql: Sandbox, rows: str, *, condition: str = "shoulder_impingement", side: str = "left") -> None:
    sql.run(
        "intermediate.episode_rom",
        {
            "intermediate.episode": f"episode_no | condition_id | side\n 1 | {condition} | {side}",
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
