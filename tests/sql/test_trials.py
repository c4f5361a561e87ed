"""Episodes with an arm, their baselines and their scores at planned days."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox


def test_episodes_with_an_arm_and_what_was_known_of_them(sql: Sandbox) -> None:
    sql.run(
        "marts.trial_episode",
        {
            "lake.delivery": """
                delivery_id | profile
                d1          | a_trial
                d2          | routine
                """,
            "staging.patient": """
                patient_key | age_years | sex
                p1          | 50        | F
                p2          |           |
                p3          | 60        | M
                """,
            "staging.episode": """
                episode_key | patient_key | clinic_key | condition_id | arm   | payer    | surgery_count | delivery_id
                e1          | p1          | c1         | sciatica     | usual | medicare | 1             | d1
                e2          | p2          | c2         | neck_pain    | sham  |          |               | d1
                e3          | p3          | c1         | sciatica     |       | medicare | 1             | d2
                """,
        },
    )
    sql.expect(
        "marts.trial_episode",
        """
        episode_key | patient_key | trial_id | arm   | age_years | sex     | payer    | surgery_count | clinic_key
        e1          | p1          | a_trial  | usual | 50        | F       | medicare | 1             | c1
        e2          | p2          | a_trial  | sham  |           | unknown | unknown  |               | c2
        """,
    )


def test_baselines_and_planned_scores_of_trials_only(sql: Sandbox) -> None:
    sql.run(
        "marts.trial_score",
        {
            "intermediate.episode": """
                episode_no | episode_key | arm
                1          | e1          | usual
                2          | e2          |
                """,
            "intermediate.measure_course": """
                episode_no | measure_id  | side | active_passive | method     | baseline_value
                1          | nprs_avg24h | none | any            | any        | 6
                1          | slr         | left | active         | goniometer | 50
                1          | slr         | left | passive        | goniometer | 60
                1          | odi         | none | any            | any        |
                2          | nprs_avg24h | none | any            | any        | 7
                """,
            "intermediate.second_way": """
                episode_no | measure_id | side | active_passive | method
                1          | slr        | left | passive        | goniometer
                """,
            "marts.measure_change": """
                episode_key | measure_id  | side | planned_day | baseline_value | value
                e1          | nprs_avg24h | none | 91          | 6              | 4
                e1          | nprs_avg24h | none |             | 6              | 3
                e2          | nprs_avg24h | none | 91          | 7              | 5
                """,
        },
    )
    sql.expect(
        "marts.trial_score",
        """
        episode_key | measure_id  | side | planned_day | value
        e1          | nprs_avg24h | none | 0           | 6
        e1          | slr         | left | 0           | 50
        e1          | nprs_avg24h | none | 91          | 4
        """,
    )


def test_what_describes_the_patient_has_no_change(sql: Sandbox) -> None:
    sql.con.execute("update reference.measure set construct = 'context' where measure_id = 'odi'")
    sql.run(
        "marts.measure_change",
        {
            "intermediate.episode": """
                episode_no | episode_key | is_closed | discharge_day
                1          | e1          | true      |
                """,
            "intermediate.measure_course": """
                episode_no | measure_id | side | active_passive |method|baseline_day|baseline_value|last_day|last_value
                1          | odi        | none | any            | any    | 0            | 40             | 60       |20
                1          | rmdq       | none | any            | any    | 0            | 12             | 60       |8
                """,
        },
    )
    sql.expect("marts.measure_change", "measure_id | change\n rmdq | 4")
