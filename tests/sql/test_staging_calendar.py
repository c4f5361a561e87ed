"""Feeds with a calendar instead of days: dates, or day numbers of the patient's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

DATED = "delivery_id | extract_stamp | privacy_mode\n d1 | 2025-04-01T02:00:00Z | limited_data_set"
NUMBERED = "delivery_id | extract_stamp | privacy_mode\n d1 | 2025-04-01T02:00:00Z | safe_harbor"
MARCH_1 = 20148  # 2025-03-01


def first_visits(sql: Sandbox, deliveries: str, visits: str, expected: str) -> None:
    sql.run("staging.first_visit", {"lake.delivery": deliveries, "lake.visit": visits})
    sql.expect("staging.first_visit", expected)


def test_days_are_counted_from_the_first_visit_that_took_place(sql: Sandbox) -> None:
    first_visits(
        sql,
        DATED,
        f"""
        visit_key | episode_key | calendar_day   | attendance
        v1        | e1          | {MARCH_1 - 4}  | cancelled
        v2        | e1          | {MARCH_1}      | attended
        v3        | e1          | {MARCH_1 + 9}  | attended
        v4        | e2          | {MARCH_1}      | cancelled
        v5        | e3          |                | attended
        """,
        f"""
        episode_key | first_calendar_day | start_year
        e1          | {MARCH_1}          | 2025
        e2          | {MARCH_1}          | 2025
        """,
    )


def test_a_calendar_of_the_patients_own_has_no_year(sql: Sandbox) -> None:
    first_visits(
        sql,
        NUMBERED,
        "visit_key | episode_key | calendar_day | attendance\n v1 | e1 | 12 | attended\n v2 | e1 | 90000 | attended",
        "episode_key | first_calendar_day | start_year\n e1 | 12 | ",
    )


def test_days_and_year_that_the_feed_states_are_kept(sql: Sandbox) -> None:
    sql.run(
        "staging.episode",
        {
            "lake.episode": f"""
                episode_key | start_year | discharge_day | discharge_calendar_day
                e1          |            |               | {MARCH_1 + 30}
                e2          | 2024       | 12            | {MARCH_1 + 30}
                e3          |            |               | {MARCH_1 + 30}
                """,
            "staging.first_visit": f"""
                episode_key | first_calendar_day | start_year
                e1          | {MARCH_1}          | 2025
                e2          | {MARCH_1}          | 2025
                """,
        },
    )
    sql.expect(
        "staging.episode",
        """
        episode_key | start_year | discharge_day
        e1          | 2025       | 30
        e2          | 2024       | 12
        e3          |            |
        """,
    )


def test_a_care_visit_after_a_discharge_date_is_found(sql: Sandbox) -> None:
    sql.give("staging.patient", "patient_key\n p1")
    sql.run(
        "staging.episode_set_aside",
        {
            "lake.episode": f"episode_key | patient_key | discharge_calendar_day\n e1 | p1 | {MARCH_1 + 5}",
            "lake.visit": f"""
                visit_key | episode_key | calendar_day  | attendance | visit_type
                v1        | e1          | {MARCH_1}     | attended   | eval
                v2        | e1          | {MARCH_1 + 6} | attended   | treat
                """,
            "staging.first_visit": f"episode_key | first_calendar_day\n e1 | {MARCH_1}",
        },
    )
    sql.expect("staging.episode_set_aside", "episode_key | check_id\n e1 | episode.discharge_day.after_last_visit")


def test_a_visit_whose_key_is_in_question_moves_no_day(sql: Sandbox) -> None:
    sql.give("staging.visit_repeat", "delivery_id | file | row_number | visit_key\n d1 | a.csv | 1 | v1")
    first_visits(
        sql,
        DATED,
        f"""
        visit_key | episode_key | calendar_day  | attendance
        v1        | e1          | {MARCH_1 - 9} | attended
        v2        | e1          | {MARCH_1}     | attended
        """,
        f"episode_key | first_calendar_day\n e1 | {MARCH_1}",
    )
    sql.run(
        "staging.visit",
        {
            "lake.visit": f"visit_key | episode_key | calendar_day\n v2 | e1 | {MARCH_1}\n v3 | e1 | {MARCH_1 + 31}",
            "staging.visit_set_aside": "visit_key",
        },
    )
    sql.expect("staging.visit", "visit_key | day_offset\n v2 | 0\n v3 | 31")
