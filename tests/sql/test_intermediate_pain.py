"""The pain measure of an episode, its series and when the pain goal was reached."""
# ruff: noqa: E501 - tables are drawn as wide as they are

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EPISODES = """
    episode_no | condition_id | discharge_day
    1          | sciatica     | 60
    """
COURSE = (
    "episode_no | measure_id | side | active_passive | method | baseline_day | baseline_value | last_day | last_value"
)
WAY = "none | any | any"
GOAL = "definition_id | pain_at_most | sustained_days | occasion | counts_held | counts_discharge"


def test_primary_measure_before_average_current_worst(sql: Sandbox) -> None:
    sql.run(
        "intermediate.episode_pain",
        {
            "intermediate.episode": EPISODES,
            "intermediate.measure_course": f"""
                {COURSE}
                1 | nprs_worst24h | {WAY} | 0 | 8 | 50 | 2
                1 | nprs_avg24h   | {WAY} | 0 | 6 | 60 | 1
                1 | odi           | {WAY} | 0 | 6 | 60 | 1
                """,
        },
    )
    sql.expect(
        "intermediate.episode_pain",
        """
        measure_id    | is_points | baseline_value | last_day | last_value | is_scored_at_both_ends | is_same_at_both_ends
        nprs_worst24h | true      | 8              | 50       | 2          | true                   | true
        """,
    )


@pytest.mark.parametrize(
    ("primary", "chosen", "last"),
    [
        ("0 | 8 | 45 | 2", "nprs_avg24h", "1"),  # 15 days before discharge
        ("0 | 8 | 46 | 2", "nprs_worst24h", "2"),  # 14 days before discharge
        ("  |   | 60 | 2", "nprs_avg24h", "1"),  # no baseline
        ("5 | 8 | 5  | 2", "nprs_avg24h", "1"),  # one visit is no pair
    ],
)
def test_primary_measure_needs_a_comparable_pair(sql: Sandbox, primary: str, chosen: str, last: str) -> None:
    sql.run(
        "intermediate.episode_pain",
        {
            "intermediate.episode": EPISODES,
            "intermediate.measure_course": f"""
                {COURSE}
                1 | nprs_worst24h | {WAY} | {primary}
                1 | nprs_avg24h   | {WAY} | 0 | 6 | 60 | 1
                """,
        },
    )
    sql.expect("intermediate.episode_pain", f"measure_id | last_value\n {chosen} | {last}")


def test_no_pair_keeps_the_baseline_and_says_whether_the_scale_changed(sql: Sandbox) -> None:
    sql.run(
        "intermediate.episode_pain",
        {
            "intermediate.episode": """
                episode_no | condition_id | discharge_day
                1          | sciatica     | 60
                2          | sciatica     | 60
                3          | sciatica     |
                4          | sciatica     | 60
                """,
            "intermediate.measure_course": f"""
                {COURSE}
                1 | nprs_worst24h | {WAY} | 0 | 8 | 0  | 8
                1 | nprs_avg24h   | {WAY} |   |   | 60 | 1
                2 | nprs_worst24h | {WAY} | 0 | 8 | 0  | 8
                3 | nprs_worst24h | {WAY} | 0 | 8 | 9  | 7
                4 | vas_mm        | {WAY} | 0 | 8 | 60 | 7
                """,
        },
    )
    sql.expect(
        "intermediate.episode_pain",
        """
        episode_no | measure_id    | baseline_value | last_value | is_scored_at_both_ends | is_same_at_both_ends
        1          | nprs_worst24h | 8              |            | true                   | false
        2          | nprs_worst24h | 8              |            | false                  | false
        3          | nprs_worst24h | 8              | 7          | true                   | true
        4          |               |                |            | true                   | true
        """,
    )


def test_occasions_are_the_worst_score_of_a_day(sql: Sandbox) -> None:
    sql.run(
        "intermediate.pain_occasion",
        {
            "intermediate.episode_pain": """
                episode_no | measure_id    | is_points
                1          | nprs_worst24h | true
                2          | vas_mm        | false
                """,
            "intermediate.visit": """
                visit_key | episode_no | day_offset | is_outcome | is_discharge
                a         | 1          | 0          | true       | false
                b         | 1          | 7          | true       | false
                c         | 1          | 7          | true       | true
                d         | 1          | 99         | false      | false
                e         | 2          | 0          | true       | false
                """,
            "staging.measurement": """
                visit_key | measure_id    | side | value
                a         | nprs_worst24h | none | 8
                a         | nprs_avg24h   | none | 9
                b         | nprs_worst24h | none | 3
                c         | nprs_worst24h | none | 2
                d         | nprs_worst24h | none | 0
                e         | vas_mm        | none | 50
                lost      | nprs_worst24h | none | 0
                """,
        },
    )
    sql.expect(
        "intermediate.pain_occasion",
        """
        episode_no | day_offset | pain | is_discharge
        1          | 0          | 8    | false
        1          | 7          | 3    | true
        """,
    )


@pytest.mark.parametrize(
    ("series", "reached"),
    [
        ("7:1 14:1", "7"),  # 7 days apart
        ("7:1 13:1", ""),  # 6 days apart
        ("7:1 10:2 14:1", ""),  # above the limit between
        ("7:1 10:1 14:1", "7"),  # the first and the last of three
        ("7:1 10:2 14:0 21:1 40:9", "14"),  # the second run holds; pain may rise later
        ("7:1", ""),  # a single visit
        ("7:1d", "7"),  # a single visit, at discharge
        ("7:2d", ""),
        ("7:1 10:3 20:1d", "20"),  # at discharge only
        ("7:1 14:1d", "7"),  # held and at discharge: the earlier day
        ("0:1 7:1", ""),  # the baseline day itself does not count
        ("", ""),
    ],
)
def test_pain_relief(sql: Sandbox, series: str, reached: str) -> None:
    occasions = "\n".join(
        f"1 | {day} | {pain.rstrip('d')} | {'true' if pain.endswith('d') else 'false'}"
        for day, pain in (part.split(":") for part in series.split())
    )
    sql.run(
        "intermediate.pain_relief",
        {
            "reference.definition": f"{GOAL}\n a | 1 | 7 | either | true | true\n b | 1 | 7 | either | true | true",
            "intermediate.episode_pain": "episode_no | baseline_day\n 1 | 0",
            "intermediate.pain_occasion": f"episode_no | day_offset | pain | is_discharge\n{occasions}",
        },
    )
    sql.expect(
        "intermediate.pain_relief",
        "episode_no | pain_at_most | relief_day" + (f"\n 1 | 1 | {reached}" if reached else ""),
    )


@pytest.mark.parametrize(
    ("series", "held", "discharge"),
    [
        ("7:1 14:1", "7", ""),
        ("7:1 14:1d", "7", "14"),
        ("7:1d", "", "7"),  # low at discharge alone
        ("7:1 10:3 20:1d", "", "20"),
        ("7:1 14:1 21:5d", "7", ""),  # held once, worse again at discharge
        ("7:2 14:2d", "", ""),
    ],
)
def test_held_and_at_discharge_apart(sql: Sandbox, series: str, held: str, discharge: str) -> None:
    occasions = "\n".join(
        f"1 | {day} | {pain.rstrip('d')} | {'true' if pain.endswith('d') else 'false'}"
        for day, pain in (part.split(":") for part in series.split())
    )
    sql.run(
        "intermediate.pain_relief",
        {
            "reference.definition": f"{GOAL}\n a | 1 | 7 | held | true | false\n b | 1 | 0 | discharge | false | true",
            "intermediate.episode_pain": "episode_no | baseline_day\n 1 | 0",
            "intermediate.pain_occasion": f"episode_no | day_offset | pain | is_discharge\n{occasions}",
        },
    )
    reached = (("held", 7, held), ("discharge", 0, discharge))
    rows = "".join(f"\n 1 | {days} | {occasion} | {day}" for occasion, days, day in reached if day)
    sql.expect("intermediate.pain_relief", f"pain_at_most | sustained_days | occasion | relief_day{rows}")


def test_each_limit_is_judged_for_itself(sql: Sandbox) -> None:
    sql.run(
        "intermediate.pain_relief",
        {
            "intermediate.episode_pain": "episode_no | baseline_day\n 1 | 0",
            "intermediate.pain_occasion": """
                episode_no | day_offset | pain | is_discharge
                1          | 7          | 2    | false
                1          | 14         | 1    | false
                1          | 21         | 1    | false
                1          | 28         | 0    | true
                """,
        },
    )
    sql.expect(
        "intermediate.pain_relief",
        """
        pain_at_most | occasion  | relief_day
        0            | either    | 28
        1            | either    | 14
        2            | either    | 7
        1            | held      | 14
        1            | discharge | 28
        """,
    )
