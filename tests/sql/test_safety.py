"""Unwanted events, precautions and serious events in order: what has been asked for, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EPISODE = """
    episode_no | episode_key | clinic_key | patient_key
    1          | e1          | asks       | p1
    2          | e2          | asks       | p2
    3          | e3          | never      | p3
    """


def test_a_session_is_an_attended_visit_with_a_treatment(sql: Sandbox) -> None:
    sql.run(
        "intermediate.session",
        {
            "intermediate.episode": EPISODE,
            "staging.visit": """
                visit_key | episode_key | day_offset | attendance | adverse_events_asked
                needled   | e1          | 3          | attended   | yes
                unanswered| e1          | 5          | attended   | unknown
                other     | e2          | 4          | attended   | no
                sham      | e2          | 6          | attended   |
                untreated | e2          | 9          | attended   | yes
                missed    | e3          | 1          | no_show    | yes
                """,
            "staging.treatment": """
                visit_key | treatment_class | ltr_elicited
                needled   | dry_needling    | no
                needled   | massage         |
                unanswered| dry_needling    |
                other     | strengthening   |
                sham      | sham            | yes
                missed    | dry_needling    | yes
                """,
        },
    )
    sql.expect(
        "intermediate.session",
        """
        visit_key  | episode_no | day_offset | is_needled | twitch       | is_recorded
        needled    | 1          | 3          | true       | no           | true
        unanswered | 1          | 5          | true       | not_recorded | false
        other      | 2          | 4          | false      |              | false
        sham       | 2          | 6          | false      |              | false
        """,
    )


def test_events_count_where_they_were_asked_for(sql: Sandbox) -> None:
    sql.run(
        "marts.safety_cube",
        {
            "intermediate.episode": EPISODE,
            "intermediate.session": """
                visit_key | episode_no | is_needled | is_recorded
                v1        | 1          | true       | true
                v2        | 1          | true       | true
                v3        | 2          | true       | true
                v4        | 2          | true       | false
                v5        | 3          | true       | false
                v6        | 3          | false      | true
                """,
            "staging.first_visit": "episode_key | start_year\n e1 | 2024\n e2 |",
            "staging.adverse_event": """
                visit_key | event_type  | severity
                v1        | bruising    | minor
                v1        | bleeding    | minor
                v2        | bruising    | minor
                v2        | infection   | major
                v4        | bruising    | minor
                v5        | pneumothorax| major
                v9        | bruising    | minor
                """,
        },
    )
    columns = """session_kind | clinic_key | sessions | patients | recorded_sessions | recorded_patients
        | dated_sessions | events | event_sessions | event_patients | unasked_events | unasked_patients"""
    rows = {
        "any": """
            needling |       | 5 | 3 | 3 | 2 | 2 | 4 | 2 | 1 | 2 | 2
            needling | asks  | 4 | 2 | 3 | 2 | 2 | 4 | 2 | 1 | 1 | 1
            needling | never | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 1
            other    |       | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0
            other    | never | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0
            """,
        "any_major": """
            needling |       | 5 | 3 | 3 | 2 | 2 | 1 | 1 | 1 | 1 | 1
            needling | asks  | 4 | 2 | 3 | 2 | 2 | 1 | 1 | 1 | 0 | 0
            needling | never | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 1
            other    |       | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0
            other    | never | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0
            """,
        "nausea": """
            needling |       | 5 | 3 | 3 | 2 | 2 | 0 | 0 | 0 | 0 | 0
            needling | asks  | 4 | 2 | 3 | 2 | 2 | 0 | 0 | 0 | 0 | 0
            needling | never | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
            other    |       | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0
            other    | never | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0
            """,
    }
    sql.con.execute("create or replace table marts.every_event as select * from marts.safety_cube")
    for event_type, expected in rows.items():
        sql.con.execute(
            "create or replace table marts.safety_cube as select * from marts.every_event where event_type = ?",
            [event_type],
        )
        sql.expect("marts.safety_cube", " ".join(columns.split()) + expected)


def test_serious_events_in_order(sql: Sandbox) -> None:
    sql.run(
        "marts.event_gap",
        {
            "intermediate.episode": "episode_no | episode_key\n 1 | e1\n 2 | e2\n 3 | undated",
            "staging.first_visit": """
                episode_key | first_calendar_day | start_year
                e1          | 19000              | 2022
                e2          | 19010              | 2022
                undated     | 5                  |
                """,
            "intermediate.session": """
                visit_key | episode_no | day_offset | is_needled | is_recorded
                a         | 1          | 0          | true       | true
                b         | 1          | 3          | true       | true
                c         | 1          | 12         | true       | true
                not_asked | 1          | 13         | true       | false
                no_needle | 1          | 14         | false      | true
                d         | 2          | 5          | true       | true
                e         | 2          | 9          | true       | true
                f         | 1          | 19         | true       | true
                g         | 1          | 19         | true       | true
                h         | 2          | 30         | true       | true
                undated   | 3          | 1          | true       | true
                """,
            "staging.adverse_event": """
                visit_key | event_type | severity
                a         | bruising   | minor
                b         | infection  | major
                b         | fainting   | major
                not_asked | fainting   | major
                no_needle | fainting   | major
                e         | fainting   | major
                f         | fainting   | major
                undated   | fainting   | major
                """,
        },
    )
    # Days: a 0, b 3 *, c 12, d 15, e 19 *, f 19 *, g 19, h 40: on day 19 g comes first, then the two events
    sql.expect(
        "marts.event_gap",
        """
        event_no | sessions_between
        1        |
        2        | 3
        3        | 0
        """,
    )


def test_without_dates_there_is_no_order(sql: Sandbox) -> None:
    sql.run(
        "marts.event_gap",
        {
            "intermediate.episode": "episode_no | episode_key\n 1 | e1",
            "staging.first_visit": "episode_key | first_calendar_day | start_year\n e1 | 5 |",
            "intermediate.session": "visit_key | episode_no | day_offset | is_needled | is_recorded\n"
            "a | 1 | 0 | true | true",
            "staging.adverse_event": "visit_key | event_type | severity\n a | fainting | major",
        },
    )
    sql.expect("marts.event_gap", "event_no | sessions_between")


def test_precautions_and_who_was_needled(sql: Sandbox) -> None:
    sql.run(
        "marts.precaution_cube",
        {
            "intermediate.episode": """
                episode_no | clinic_key | patient_key
                1          | c1         | p1
                2          | c2         | p1
                3          | c1         | p2
                4          | c1         | p3
                """,
            "intermediate.episode_twitch": "episode_no | sessions\n 1 | 3\n 3 | 2",
            "staging.precaution": """
                patient_key | precaution_type | present
                p1          | needle_phobia   | yes
                p2          | needle_phobia   | unknown
                p2          | anticoagulant   | no
                """,
            "reference.precaution_type": "precaution_type\n needle_phobia\n anticoagulant",
        },
    )
    sql.expect(
        "marts.precaution_cube",
        """
        clinic_key | precaution_type | state     | patients | needled_patients | needling_sessions
                   | needle_phobia   | yes       | 1        | 1                | 3
        c1         | needle_phobia   | yes       | 1        | 1                | 3
        c2         | needle_phobia   | yes       | 1        | 0                | 0
                   | needle_phobia   | unknown   | 1        | 1                | 2
        c1         | needle_phobia   | unknown   | 1        | 1                | 2
                   | needle_phobia   | not_asked | 1        | 0                | 0
        c1         | needle_phobia   | not_asked | 1        | 0                | 0
                   | anticoagulant   | no        | 1        | 1                | 2
        c1         | anticoagulant   | no        | 1        | 1                | 2
                   | anticoagulant   | not_asked | 2        | 1                | 3
        c1         | anticoagulant   | not_asked | 2        | 1                | 3
        c2         | anticoagulant   | not_asked | 1        | 0                | 0
        """,
    )
