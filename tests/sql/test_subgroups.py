"""Local twitch response, kinds of treatment and subgroups: who counts where, and exact sums."""
# ruff: noqa: E501 - tables are drawn as wide as they are

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox


def test_twitch_of_an_episode(sql: Sandbox) -> None:
    sql.run(
        "intermediate.episode_twitch",
        {
            "intermediate.session": """
                visit_key | episode_no | is_needled | twitch
                a         | 1          | true       | no
                b         | 1          | true       | yes
                c         | 1          | true       | not_recorded
                d         | 2          | true       | no
                e         | 2          | true       | not_recorded
                f         | 3          | true       | not_recorded
                g         | 4          | false      |
                """
        },
    )
    sql.expect(
        "intermediate.episode_twitch",
        """
        episode_no | sessions | answered_sessions | twitch
        1          | 3        | 2                 | yes
        2          | 2        | 1                 | no
        3          | 1        | 0                 | not_recorded
        """,
    )


def test_kinds_of_treatment_of_an_episode(sql: Sandbox) -> None:
    sql.run(
        "intermediate.episode_treatment",
        {
            "intermediate.session": "visit_key | episode_no\n a | 1\n b | 1\n c | 2",
            "staging.treatment": """
                visit_key | treatment_class
                a         | dry_needling
                a         | massage
                b         | massage
                c         | education
                missed    | massage
                """,
        },
    )
    sql.expect(
        "intermediate.episode_treatment",
        """
        episode_no | treatment_class | sessions
        1          | dry_needling    | 1
        1          | massage         | 2
        2          | education       | 1
        """,
    )


EPISODE = """
    episode_no | episode_key | patient_key | condition_id
    1          | e1          | p1          | sciatica
    2          | e2          | p1          | neck_pain
    3          | e3          | p2          | sciatica
    4          | e4          | p3          | sciatica
    """
CASE_MIX = """
    episode_key | patient_key | condition_id | population | symptom_duration | is_closed | recovered | unknown_reason     | baseline_pain | pain_change | responder_mcid
    e1          | p1          | sciatica     | athlete    | chronic          | true      | yes       |                    | 7             | 6           | true
    e2          | p1          | neck_pain    | unknown    | chronic          | true      | unknown   | no_comparable_pair | 6             |             |
    e3          | p2          | sciatica     | athlete    | unknown          | true      | unknown   | baseline_too_low   | 1             | 1           |
    e4          | p3          | sciatica     | other      | acute            | false     | unknown   | still_open         | 5             | 4           | true
    """


def test_pain_after_a_session_and_at_discharge(sql: Sandbox) -> None:
    sql.run(
        "marts.twitch_cube",
        {
            "intermediate.episode": EPISODE,
            "intermediate.session": """
                visit_key | episode_no | day_offset | is_needled | twitch
                a         | 1          | 0          | true       | yes
                b         | 1          | 7          | true       | yes
                c         | 1          | 18         | true       | no
                d         | 1          | 20         | false      |
                e         | 2          | 0          | true       | yes
                f         | 3          | 3          | true       | yes
                g         | 4          | 0          | true       | yes
                """,
            # day 18 is 11 days after day 7, nobody scored on day 3 of episode 3, episode 2 was scored once
            "intermediate.pain_occasion": """
                episode_no | day_offset | pain
                1          | 0          | 7
                1          | 7          | 5
                1          | 18         | 6
                1          | 28         | 2
                2          | 0          | 6
                3          | 0          | 1
                4          | 0          | 5
                4          | 10         | 6
                """,
            "intermediate.episode_twitch": "episode_no | twitch\n 1 | yes\n 2 | not_recorded\n 3 | no\n 4 | yes",
            "marts.case_mix": CASE_MIX,
        },
    )
    sql.expect(
        "marts.twitch_cube",
        """
        condition_id | outcome   | twitch       | patients | pair_patients | units | pairs | baseline_sum | change_sum | change_by_change | change_by_pairs | pairs_by_pairs | mcid_eligible | mcid_responders | mcid_patients
                     | immediate | yes          | 3        | 2             | 5     | 2     | 12           | 1          | 5                | 1               | 2              | 0             | 0               | 0
        sciatica     | immediate | yes          | 3        | 2             | 4     | 2     | 12           | 1          | 5                | 1               | 2              | 0             | 0               | 0
        neck_pain    | immediate | yes          | 1        | 0             | 1     | 0     | 0            | 0          | 0                | 0               | 0              | 0             | 0               | 0
                     | immediate | no           | 1        | 1             | 1     | 1     | 6            | 4          | 16               | 4               | 1              | 0             | 0               | 0
        sciatica     | immediate | no           | 1        | 1             | 1     | 1     | 6            | 4          | 16               | 4               | 1              | 0             | 0               | 0
                     | discharge | yes          | 1        | 1             | 1     | 1     | 7            | 6          | 36               | 6               | 1              | 1             | 1               | 1
        sciatica     | discharge | yes          | 1        | 1             | 1     | 1     | 7            | 6          | 36               | 6               | 1              | 1             | 1               | 1
                     | discharge | no           | 1        | 1             | 1     | 1     | 1            | 1          | 1                | 1               | 1              | 0             | 0               | 0
        sciatica     | discharge | no           | 1        | 1             | 1     | 1     | 1            | 1          | 1                | 1               | 1              | 0             | 0               | 0
                     | discharge | not_recorded | 1        | 0             | 1     | 0     | 0            | 0          | 0                | 0               | 0              | 0             | 0               | 0
        neck_pain    | discharge | not_recorded | 1        | 0             | 1     | 0     | 0            | 0          | 0                | 0               | 0              | 0             | 0               | 0
        """,
    )


def test_totals_of_a_patient_on_both_sides(sql: Sandbox) -> None:
    """Patient p1: yes 2 + 3 in two sessions, no 1 and -2 in two; patient p2: no 4."""
    sql.run(
        "marts.twitch_cube",
        {
            "intermediate.episode": EPISODE,
            "intermediate.session": """
                visit_key | episode_no | day_offset | is_needled | twitch
                a         | 1          | 0          | true       | yes
                b         | 1          | 7          | true       | yes
                c         | 1          | 14         | true       | no
                d         | 1          | 21         | true       | no
                e         | 3          | 0          | true       | no
                """,
            "intermediate.pain_occasion": """
                episode_no | day_offset | pain
                1          | 0          | 7
                1          | 7          | 5
                1          | 14         | 2
                1          | 21         | 1
                1          | 28         | 3
                3          | 0          | 8
                3          | 7          | 4
                """,
            "intermediate.episode_twitch": "episode_no | twitch",
            "marts.case_mix": "episode_key",
        },
    )
    sql.con.execute("delete from marts.twitch_cube where condition_id is null")
    sql.expect(
        "marts.twitch_cube",
        """
        twitch | patients | patients_also_no | pairs | change_sum | change_by_change | change_by_pairs | pairs_by_pairs | change_by_no_change | change_by_no_pairs | pairs_by_no_change | pairs_by_no_pairs
        yes    | 1        | 1                | 2     | 5          | 25               | 10              | 4              | -5                  | 10                 | -2                 | 4
        no     | 2        | 2                | 3     | 3          | 17               | 2               | 5              | 17                  | 2                  | 2                  | 5
        """,
    )


def test_subgroups_of_every_dimension(sql: Sandbox) -> None:
    sql.run(
        "marts.subgroup_cube",
        {
            "intermediate.episode": EPISODE,
            "intermediate.episode_twitch": "episode_no | twitch\n 1 | yes\n 4 | not_recorded",
            "intermediate.episode_treatment": """
                episode_no | treatment_class
                1          | massage
                1          | dry_needling
                4          | dry_needling
                """,
            "marts.case_mix": CASE_MIX,
        },
    )
    sql.con.execute("delete from marts.subgroup_cube where condition_id = 'neck_pain'")
    sql.expect(
        "marts.subgroup_cube",
        """
        condition_id | dimension        | subgroup     | episodes | eligible | known | recovered | pairs | baseline_sum | change_sum | change_sum_squares | mcid_eligible | mcid_responders
                     | population       | athlete      | 2        | 1        | 1     | 1         | 2     | 8            | 7          | 37                 | 1             | 1
        sciatica     | population       | athlete      | 2        | 1        | 1     | 1         | 2     | 8            | 7          | 37                 | 1             | 1
                     | population       | unknown      | 1        | 1        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
                     | population       | other        | 1        | 0        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
        sciatica     | population       | other        | 1        | 0        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
                     | symptom_duration | chronic      | 2        | 2        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
        sciatica     | symptom_duration | chronic      | 1        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
                     | symptom_duration | unknown      | 1        | 0        | 0     | 0         | 1     | 1            | 1          | 1                  | 0             | 0
        sciatica     | symptom_duration | unknown      | 1        | 0        | 0     | 0         | 1     | 1            | 1          | 1                  | 0             | 0
                     | symptom_duration | acute        | 1        | 0        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
        sciatica     | symptom_duration | acute        | 1        | 0        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
                     | twitch           | yes          | 1        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
        sciatica     | twitch           | yes          | 1        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
                     | twitch           | not_recorded | 1        | 0        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
        sciatica     | twitch           | not_recorded | 1        | 0        | 0     | 0         | 0     | 0            | 0          | 0                  | 0             | 0
                     | care_mix         | massage      | 1        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
        sciatica     | care_mix         | massage      | 1        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
                     | care_mix         | dry_needling | 2        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
        sciatica     | care_mix         | dry_needling | 2        | 1        | 1     | 1         | 1     | 7            | 6          | 36                 | 1             | 1
        """,
    )


def test_what_goes_with_needling(sql: Sandbox) -> None:
    sql.run(
        "marts.care_mix_cube",
        {
            "intermediate.episode": EPISODE,
            "intermediate.episode_treatment": """
                episode_no | treatment_class | sessions
                1          | dry_needling    | 3
                1          | massage         | 5
                2          | massage         | 1
                3          | massage         | 2
                """,
        },
    )
    sql.expect(
        "marts.care_mix_cube",
        """
        condition_id | treatment_class | episodes | needled | with_class | needled_with_class | sessions
                     | dry_needling    | 4        | 1       | 1          | 1                  | 3
        sciatica     | dry_needling    | 3        | 1       | 1          | 1                  | 3
                     | massage         | 4        | 1       | 3          | 1                  | 8
        sciatica     | massage         | 3        | 1       | 2          | 1                  | 7
        neck_pain    | massage         | 1        | 0       | 1          | 0                  | 1
        """,
    )
