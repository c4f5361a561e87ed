"""Counts by calendar period: months where dates are real, years always, and which windows are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

JAN_1 = 20089  # 2025-01-01 as days since 1970
FEB_28 = JAN_1 + 58
COUNTS = "eligible | known | recovered | pairs | change_sum | change_sum_squares"


def give_outcomes(sql: Sandbox, smallest_group: int = 1) -> None:
    sql.give("reference.parameter", f"name | value\n behaviour_smallest_group | {smallest_group}")
    sql.give(
        "marts.episode_outcome",
        """
        episode_key | condition_id | clinic_key | is_closed | recovered | unknown_reason     | deteriorated | change
        e1          | neck_pain    | c1         | true      | yes       |                    | false        | 4
        e2          | neck_pain    | c1         | true      | unknown   | no_comparable_pair |              |
        e3          | sciatica     | c2         | true      | no        |                    | true         | -2.5
        e4          | sciatica     | c2         | false     | unknown   | still_open         | false        | 3
        e5          | sciatica     | c2         | true      | unknown   | baseline_too_low   | false        | 1
        """,
    )


def test_months_and_years_with_all_totals(sql: Sandbox) -> None:
    give_outcomes(sql)
    sql.give(
        "intermediate.episode",
        """
        episode_key | start_year | start_month | last_visit_day
        e1          | 2025       | 2025-01     | 30
        e2          | 2025       | 2025-01     | 20
        e3          | 2025       | 2025-02     | 10
        e4          | 2025       |             | 10
        e5          | 2026       |             | 10
        """,
    )
    sql.run("marts.period_count")
    sql.expect(
        "(select * from marts.period_count where time_unit = 'month')",
        f"""
        period  | condition_id | clinic_key | {COUNTS}
        2025-01 |              |            | 2 | 1 | 1 | 1 | 4    | 16
        2025-01 | neck_pain    |            | 2 | 1 | 1 | 1 | 4    | 16
        2025-01 |              | c1         | 2 | 1 | 1 | 1 | 4    | 16
        2025-01 | neck_pain    | c1         | 2 | 1 | 1 | 1 | 4    | 16
        2025-02 |              |            | 1 | 1 | 0 | 1 | -2.5 | 6.25
        2025-02 | sciatica     |            | 1 | 1 | 0 | 1 | -2.5 | 6.25
        2025-02 |              | c2         | 1 | 1 | 0 | 1 | -2.5 | 6.25
        2025-02 | sciatica     | c2         | 1 | 1 | 0 | 1 | -2.5 | 6.25
        """,
    )
    sql.expect(
        "(select * from marts.period_count where time_unit = 'year' and condition_id is null and clinic_key is null)",
        f"""
        period | episodes | {COUNTS}
        2025   | 4        | 3 | 2 | 1 | 2 | 1.5 | 22.25
        2026   | 1        | 0 | 0 | 0 | 1 | 1   | 1
        """,
    )


def closed(sql: Sandbox, last_visit_day: int, expected: str) -> None:
    """One episode of February 2025 and one of 2024; the later one's last visit is the last day on record."""
    give_outcomes(sql)
    sql.give(
        "intermediate.episode",
        f"""
        episode_key | start_year | start_month | last_visit_day
        e1          | 2025       | 2025-02     | {last_visit_day}
        e2          | 2024       |             | 900
        """,
    )
    sql.run(
        "marts.period_count",
        {
            "staging.first_visit": f"""
                episode_key | first_calendar_day | start_year | start_month
                e1          | {FEB_28 - 27}      | 2025       | 2025-02
                e2          | 5                  |            |
                """
        },
    )
    sql.expect(
        "(select * from marts.period_count where condition_id is null and clinic_key is null)",
        f"time_unit | period | is_window_closed\n{expected}",
    )


def test_a_month_is_closed_84_days_after_its_last_day(sql: Sandbox) -> None:
    closed(sql, 27 + 84, "month | 2025-02 | true\n year | 2025 | false\n year | 2024 | true")


def test_a_month_is_open_until_then(sql: Sandbox) -> None:
    closed(sql, 27 + 83, "month | 2025-02 | false\n year | 2025 | false\n year | 2024 | true")


def test_a_year_with_dates_needs_its_window_too(sql: Sandbox) -> None:
    """The feed ends in February 2025: a later year is in the data, but the window of 2024 is still open."""
    closed(sql, 27, "month | 2025-02 | false\n year | 2025 | false\n year | 2024 | false")


def test_without_dates_a_later_year_closes_a_year(sql: Sandbox) -> None:
    give_outcomes(sql)
    sql.run(
        "marts.period_count",
        {"intermediate.episode": "episode_key | start_year\n e1 | 2025\n e2 | 2024\n e3 |"},
    )
    sql.expect(
        "(select * from marts.period_count where condition_id is null and clinic_key is null)",
        "time_unit | period | is_window_closed | episodes\n year | 2025 | false | 1\n year | 2024 | true | 1",
    )


def test_a_year_that_is_a_typing_error_closes_none(sql: Sandbox) -> None:
    give_outcomes(sql, smallest_group=2)
    years = "episode_key | start_year\n e1 | 2024\n e2 | 2024\n e3 | 2025\n e4 | 2025\n e5 | 2036"
    sql.run("marts.period_count", {"intermediate.episode": years})
    sql.expect(
        "(select * from marts.period_count where condition_id is null and clinic_key is null)",
        "period | is_window_closed | episodes\n 2024 | true | 2\n 2025 | false | 2\n 2036 | false | 1",
    )
