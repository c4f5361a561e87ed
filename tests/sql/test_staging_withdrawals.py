"""Rows that are sent again, and rows that are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

THREE = """
delivery_id | extract_stamp
d1          | 2026-01-01
d2          | 2026-02-01
d3          | 2026-03-01
"""


def repeats(sql: Sandbox, rows: str, expected: str, withdrawals: str = "table_name | key_1") -> None:
    sql.run("staging.withdrawal", {"lake.delivery": THREE, "lake.withdrawal": withdrawals})
    sql.run("staging.patient_repeat", {"lake.patient": rows})
    sql.expect("staging.patient_repeat", expected)


def test_a_row_sent_again_unchanged_replaces_nothing(sql: Sandbox) -> None:
    repeats(
        sql,
        """
        patient_key | sex | delivery_id
        p1          | F   | d1
        p1          | F   | d2
        p1          | F   | d3
        """,
        """
        delivery_id | check_id           | fate
        d2          | patient.key.unique | superseded
        d3          | patient.key.unique | superseded
        """,
    )


def test_a_correction_replaces_and_its_repetition_does_not(sql: Sandbox) -> None:
    repeats(
        sql,
        """
        patient_key | sex | delivery_id
        p1          | F   | d1
        p1          | M   | d2
        p1          | M   | d3
        """,
        "delivery_id | fate\n d1 | superseded\n d3 | superseded",
    )


def test_what_is_said_again_after_something_else_is_said_anew(sql: Sandbox) -> None:
    repeats(
        sql,
        """
        patient_key | sex | delivery_id
        p1          | F   | d1
        p1          | M   | d2
        p1          | F   | d3
        """,
        "delivery_id | fate\n d1 | superseded\n d2 | superseded",
    )


def test_after_a_contradiction_the_next_delivery_decides(sql: Sandbox) -> None:
    repeats(
        sql,
        """
        patient_key | sex | delivery_id
        p1          | F   | d1
        p1          | F   | d2
        p1          | M   | d2
        p1          | M   | d3
        """,
        """
        delivery_id | fate
        d1          | superseded
        d2          | quarantined
        d2          | quarantined
        """,
    )


def test_a_withdrawal_supersedes_earlier_rows_and_not_later_ones(sql: Sandbox) -> None:
    rows = """
        patient_key | sex | delivery_id
        p1          | F   | d1
        p1          | F   | d3
        p2          | F   | d1
        p3          | F   | d2
        p4          | F   | d1
        """
    repeats(
        sql,
        rows,
        """
        patient_key | delivery_id | check_id              | fate
        p1          | d1          | patient.key.withdrawn | superseded
        p2          | d1          | patient.key.withdrawn | superseded
        p3          | d2          | patient.key.withdrawn | superseded
        """,
        """
        table_name | key_1 | key_2 | key_3 | key_4 | key_5 | delivery_id
        patient    | p1    |       |       |       |       | d2
        patient    | p2    |       |       |       |       | d2
        patient    | p2    |       |       |       |       | d3
        patient    | p3    |       |       |       |       | d2
        episode    | p4    |       |       |       |       | d2
        """,
    )


def test_a_withdrawal_that_was_set_aside_takes_nothing_back(sql: Sandbox) -> None:
    repeats(
        sql,
        "patient_key | sex | delivery_id\n p1 | F | d1",
        "delivery_id | fate",
        "table_name | key_1 | delivery_id | accepted\n patient | p1 | d2 | false",
    )


def test_what_hangs_on_a_withdrawn_patient_is_superseded_with_it(sql: Sandbox) -> None:
    sql.give("lake.delivery", THREE)
    sql.give("lake.withdrawal", "table_name | key_1 | delivery_id\n patient | p1 | d2")
    sql.give("lake.patient", "patient_key | sex\n p1 | F\n p2 | F")
    sql.give("lake.episode", "episode_key | patient_key\n e1 | p1\n e2 | p2\n e3 | p9")
    sql.give(
        "lake.visit",
        """
        visit_key | episode_key | day_offset | attendance | visit_type
        v1        | e1          | 0          | attended   | eval
        v2        | e2          | 0          | attended   | eval
        v3        | e3          | 0          | attended   | eval
        """,
    )
    sql.give("lake.treatment", "visit_key | treatment_class\n v1 | massage\n v2 | massage\n v3 | massage")
    for model in (
        "withdrawal",
        "withdrawn_patient",
        "withdrawn_episode",
        "withdrawn_visit",
        "patient_repeat",
        "patient",
        "episode_repeat",
        "visit_repeat",
        "first_visit",
        "episode_set_aside",
        "episode",
        "visit_set_aside",
        "visit",
        "treatment_in_doubt",
        "treatment_repeat",
        "treatment_set_aside",
    ):
        sql.run(f"staging.{model}")
    sql.expect(
        "staging.episode_set_aside",
        """
        episode_key | check_id                      | fate
        e1          | episode.key.withdrawn         | superseded
        e3          | episode.patient_key.reference | quarantined
        """,
    )
    sql.expect(
        "staging.visit_set_aside",
        """
        visit_key | check_id                    | fate
        v1        | visit.key.withdrawn         | superseded
        v3        | visit.episode_key.reference | quarantined
        """,
    )
    sql.expect(
        "staging.treatment_set_aside",
        """
        visit_key | check_id                      | fate
        v1        | treatment.key.withdrawn       | superseded
        v3        | treatment.visit_key.reference | quarantined
        """,
    )


def test_a_withdrawn_score_makes_its_visit_doubtful(sql: Sandbox) -> None:
    sql.give("lake.withdrawal", "table_name | key_1 | key_2 | key_3\n measurement | v1 | slr | left")
    sql.give("lake.delivery", THREE)
    sql.run("staging.withdrawal")
    sql.run(
        "staging.visit_in_doubt",
        {
            "staging.visit": "visit_key\n v1\n v2",
            "lake.measurement": "visit_key | measure_id | side\n v1 | slr | left\n v2 | slr | left",
        },
    )
    sql.expect("staging.visit_in_doubt", "visit_key | is_repeated | is_orphan\n v1 | true | false")
