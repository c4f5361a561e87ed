"""Motion on each day by the reference of the episode, and the scores that a course is fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox


def test_motion_on_each_day_as_the_episode_is_judged(sql: Sandbox) -> None:
    sql.run(
        "intermediate.motion_occasion",
        {
            "intermediate.episode_rom": """
                episode_no | measure_id | side | active_passive | method     | reference
                1          | shld_flex  | left | active         | goniometer | 160
                2          | slr        | left | unknown        | unknown    | 80
                3          | slr        | left | active         | goniometer | 0
                """,
            "intermediate.visit": """
                visit_key | episode_no | day_offset | is_outcome
                v0        | 1          | 0          | true
                v1        | 1          | 7          | true
                v1b       | 1          | 7          | true
                v2        | 1          | 90         | false
                w0        | 2          | 0          | true
                x0        | 3          | 0          | true
                """,
            "staging.measurement": """
                visit_key | measure_id | side  | active_passive | method       | value
                v0        | shld_flex  | left  | active         | goniometer   | 80
                v0        | shld_flex  | right | active         | goniometer   | 100
                v0        | shld_flex  | left  | passive        | goniometer   | 120
                v0        | shld_flex  | left  | active         | inclinometer | 130
                v0        | shld_abd   | left  | active         | goniometer   | 140
                v1        | shld_flex  | left  | active         | goniometer   | 170
                v1b       | shld_flex  | left  | active         | goniometer   | 150.5
                v2        | shld_flex  | left  | active         | goniometer   | 160
                w0        | slr        | left  |                |              | 90
                x0        | slr        | left  | active         | goniometer   | 70
                """,
        },
    )
    sql.expect(
        "intermediate.motion_occasion",
        """
        episode_no | day_offset | permille
        1          | 0          | 500
        1          | 7          | 940
        2          | 0          | 1000
        """,
    )


def test_scores_of_a_course_need_two_days_and_no_trial(sql: Sandbox) -> None:
    sql.run(
        "marts.trajectory_score",
        {
            "intermediate.episode": """
                episode_no | condition_id | arm
                1          | sciatica     |
                2          | neck_pain    |
                3          | neck_pain    | sham
                4          | neck_pain    |
                """,
            "intermediate.pain_occasion": """
                episode_no | day_offset | pain
                1          | 0          | 6
                1          | 168        | 4.5
                1          | 169        | 2
                2          | 0          | 6
                2          | 169        | 5
                3          | 0          | 6
                3          | 7          | 5
                """,
            "intermediate.motion_occasion": """
                episode_no | day_offset | permille
                1          | 0          | 600
                4          | 3          | 700
                4          | 9          | 650
                """,
        },
    )
    sql.expect(
        "marts.trajectory_score",
        """
        outcome | condition_id | episode_no | day_offset | thousandths
        pain    | sciatica     | 1          | 0   | 6000
        pain    | sciatica     | 1          | 168 | 4500
        motion  | neck_pain    | 4          | 3   | 700
        motion  | neck_pain    | 4          | 9   | 650
        """,
    )
