"""Which clinic what was sent belongs to, and the counts by night that drift is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.audit.delivery_profile import PROFILE_SCHEMA, delivery_profile
from assets.audit.drift import write_drift
from assets.contract import CONTRACT
from assets.warehouse.connection import WarehouseError

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

DELIVERIES = """
    delivery_id | extract_stamp        | profile   | state    | file_count
    d1          | 2026-01-01T02:00:00Z | canonical | accepted | 7
    d2          | 2026-01-02T02:00:00Z | canonical | accepted | 7
    d3          | 2026-01-03T02:00:00Z | canonical | accepted | 6
    """
EPISODES = """
    delivery_id | episode_key | patient_key | clinic_key | discharge_reason | side  | symptom_duration | surgery_count
    d1          | e1          | p1          | c1         | still_open       | left  | acute            | 0
    d1          | e2          | p2          | c2         | still_open       | none  |                  | 1
    d2          | e1          | p1          | c1         | goals_met        | left  | acute            | 0
    d3          | e1          | p1          | c1         | goals_met        | left  | acute            | 0
    d3          | e3          | p3          | c1         | still_open       | right |                  | 2
    """
VISITS = """
    delivery_id | visit_key | episode_key | day_offset | attendance
    d1          | v1        | e1          | 0          | attended
    d1          | v2        | e2          | 0          | attended
    d2          | v3        | e1          | 7          | attended
    d2          | v4        | e2          | 4          | no_show
    d3          | v5        | e3          | 0          | attended
    """


def test_clinics_of_deliveries(sql: Sandbox) -> None:
    sql.run(
        "audit.delivery_clinic",
        {
            "lake.delivery": """
                delivery_id | extract_stamp        | profile   | state    | file_count
                d1          | 2026-01-01T02:00:00Z | canonical | accepted | 7
                d2          | 2026-01-02T02:00:00Z | canonical | accepted | 7
                d3          | 2026-01-03T02:00:00Z | canonical | accepted | 6
                d4          | 2026-01-04T02:00:00Z | canonical | held     | 7
                """,
            "lake.episode": EPISODES,
            "lake.visit": VISITS,
        },
    )
    sql.expect(
        "audit.delivery_clinic",
        """
        delivery_id | clinic_key | episode_rows | extract_stamp        | file_count
        d1          | c1         | 1            | 2026-01-01T02:00:00Z | 7
        d1          | c2         | 1            | 2026-01-01T02:00:00Z | 7
        d2          | c1         | 1            | 2026-01-02T02:00:00Z | 7
        d2          | c2         | 0            | 2026-01-02T02:00:00Z | 7
        d3          | c1         | 2            | 2026-01-03T02:00:00Z | 6
        """,
    )


def test_a_delivery_without_a_stamp_has_no_place_in_time(sql: Sandbox) -> None:
    sql.give("lake.delivery", "delivery_id | extract_stamp | profile | state\nd1 | | canonical | accepted")
    sql.con.execute("update lake.delivery set extract_stamp = ''")
    sql.run("audit.delivery_clinic", {"lake.episode": EPISODES, "lake.visit": VISITS})
    sql.expect("audit.delivery_clinic", "delivery_id")


def profile(sql: Sandbox) -> pl.DataFrame:
    window = pl.DataFrame(
        {
            "delivery_id": ["d2", "d3"],
            "profile": ["canonical", "canonical"],
            "sent_on": ["2026-01-02", "2026-01-03"],
        }
    )
    found = delivery_profile(sql.con, CONTRACT, window)
    assert found.schema == PROFILE_SCHEMA
    return found


def lines(found: pl.DataFrame, check_id: str, feature: str) -> list[tuple[object, ...]]:
    return (
        found.filter(pl.col("check_id") == check_id, pl.col("feature") == feature)
        .select("clinic_key", "sent_on", "item", "value", "n", "rows")
        .sort(pl.all())
        .rows()
    )


SECOND, THIRD = "2026-01-02", "2026-01-03"


def test_rows_that_repeat_and_rows_that_change(sql: Sandbox) -> None:
    for name, text in {"lake.delivery": DELIVERIES, "lake.episode": EPISODES, "lake.visit": VISITS}.items():
        sql.give(name, text)
    found = profile(sql)
    rows = "episode.rows.drift"
    assert lines(found, rows, "volume") == [("c1", SECOND, "", None, 1, 1), ("c1", THIRD, "", None, 1, 1)]
    assert lines(found, rows, "changed") == [("c1", SECOND, "", None, 1, 1), ("c1", THIRD, "", None, 1, 0)]
    assert lines(found, rows, "repeated") == [("c1", SECOND, "", None, 1, 0), ("c1", THIRD, "", None, 2, 1)]
    assert lines(found, "episode.discharge_reason.drift", "code") == [
        ("c1", SECOND, "goals_met", None, 0, 1),
        ("c1", THIRD, "still_open", None, 0, 1),
    ]
    assert lines(found, "episode.symptom_duration.drift", "empty") == [
        ("c1", SECOND, "", None, 1, 0),
        ("c1", THIRD, "", None, 1, 1),
    ]
    assert lines(found, "episode.surgery_count.drift", "level") == [
        ("c1", SECOND, "", 0.0, 0, 1),
        ("c1", THIRD, "", 2.0, 0, 1),
    ]
    visits = [("c1", SECOND, "", None, 1, 1), ("c1", THIRD, "", None, 1, 1), ("c2", SECOND, "", None, 1, 1)]
    assert lines(found, "visit.rows.drift", "volume") == visits


def test_codes_of_scores_are_counted_by_visit_and_empty_fields_by_row(sql: Sandbox) -> None:
    given = {
        "lake.delivery": DELIVERIES,
        "lake.episode": EPISODES,
        "lake.visit": VISITS,
        "lake.measurement": """
            delivery_id | visit_key | measure_id  | side  | method        | value
            d2          | v3        | nprs_avg24h | none  | questionnaire | 5
            d2          | v3        | hip_flex    | left  | goniometer    | 100
            d2          | v3        | hip_flex    | right |               | 110
            d2          | v4        | nprs_avg24h | none  | questionnaire | 5
            """,
    }
    for name, text in given.items():
        sql.give(name, text)
    found = profile(sql)
    assert lines(found, "measurement.rows.drift", "volume") == [
        ("c1", SECOND, "", None, 3, 3),
        ("c2", SECOND, "", None, 1, 1),
    ]
    assert lines(found, "measurement.method.drift", "unit") == [
        ("c1", SECOND, "", None, 1, 1),
        ("c2", SECOND, "", None, 1, 1),
    ]
    assert lines(found, "measurement.method.drift", "empty") == [
        ("c1", SECOND, "", None, 3, 1),
        ("c2", SECOND, "", None, 1, 0),
    ]
    assert lines(found, "measurement.value.drift.hip_flex", "level") == [
        ("c1", SECOND, "", 100.0, 0, 1),
        ("c1", SECOND, "", 110.0, 0, 1),
    ]


def test_episodes_of_a_year_to_come(sql: Sandbox) -> None:
    sql.give(
        "lake.delivery",
        """
        delivery_id | extract_stamp        | profile   | state    | file_count
        d2          | 2026-01-02T02:00:00Z | canonical | accepted | 7
        d3          | 2026-12-31T23:00:00Z | canonical | accepted | 7
        """,
    )
    sql.give(
        "lake.episode",
        """
        delivery_id | episode_key | patient_key | clinic_key | start_year
        d2          | e1          | p1          | c1         | 2026
        d2          | e2          | p2          | c1         | 2027
        d2          | e3          | p3          | c1         |
        d3          | e4          | p4          | c1         | 2027
        """,
    )
    days = {"delivery_id": ["d2", "d3"], "profile": ["canonical"] * 2, "sent_on": ["2026-01-02", "2026-12-31"]}
    found = delivery_profile(sql.con, CONTRACT, pl.DataFrame(days))
    assert lines(found, "episode.start_year.drift", "ahead") == [
        ("c1", "2026-01-02", "", None, 3, 1),
        ("c1", "2026-12-31", "", None, 1, 0),
    ], "on the last evening of a year the next has begun elsewhere"


def test_attended_visits_of_which_nothing_was_written_down(sql: Sandbox) -> None:
    given = {
        "staging.episode": "episode_key | clinic_key | side\ne1 | c1 | left",
        "staging.visit": """
            delivery_id | visit_key | episode_key | day_offset | attendance
            d2          | v1        | e1          | 0          | attended
            d2          | v2        | e1          | 3          | attended
            d2          | v3        | e1          | 5          | no_show
            d3          | v4        | e1          | 7          | attended
            d3          | v5        | e1          | 9          | attended
            """,
        "staging.measurement": """
            delivery_id | visit_key | measure_id  | side | value
            d2          | v1        | nprs_avg24h | none | 8
            d2          | v1        | nprs_best24h| none | 8
            d3          | v2        | nprs_avg24h | none | 5
            """,
        "staging.treatment": "delivery_id | visit_key | treatment_class\nd3 | v4 | exercise",
    }
    for name, text in given.items():
        sql.give(name, text)
    assert lines(profile(sql), "visit.attendance.drift", "bare") == [
        ("c1", SECOND, "", None, 2, 1),
        ("c1", THIRD, "", None, 2, 1),
    ], "what comes a night later does not count, as it could not for the latest night"


def test_steps_and_gaps(sql: Sandbox) -> None:
    given = {
        "staging.episode": """
            episode_key | clinic_key | side
            e1          | c1         | right
            e2          | c2         | none
            """,
        "staging.visit": """
            delivery_id | visit_key | episode_key | day_offset
            d1          | v1        | e1          | 0
            d2          | v3        | e1          | 7
            d3          | v5        | e1          | 16
            d2          | v4        | e2          | 0
            """,
        "staging.measurement": """
            delivery_id | visit_key | measure_id  | side  | value
            d1          | v1        | nprs_avg24h | none  | 8
            d2          | v3        | nprs_avg24h | none  | 5
            d3          | v5        | nprs_avg24h | none  | 6
            d2          | v3        | hip_flex    | left  | 110
            d2          | v3        | hip_flex    | right | 90
            d2          | v4        | hip_flex    | left  | 80
            d2          | v4        | hip_flex    | right | 90
            """,
    }
    for name, text in given.items():
        sql.give(name, text)
    found = profile(sql)
    assert lines(found, "visit.day_offset.drift", "step") == [
        ("c1", SECOND, "", 7.0, 0, 1),
        ("c1", THIRD, "", 9.0, 0, 1),
    ]
    assert lines(found, "visit.day_offset.drift", "first_day") == [
        ("c1", SECOND, "", None, 1, 0),
        ("c1", THIRD, "", None, 1, 0),
        ("c2", SECOND, "", None, 1, 1),
    ]
    assert lines(found, "measurement.value.drift.nprs_avg24h", "step") == [
        ("c1", SECOND, "", 3.0, 0, 1),
        ("c1", THIRD, "", 1.0, 0, 1),
    ]
    assert lines(found, "measurement.value.drift.hip_flex", "gap") == [("c1", SECOND, "", -20.0, 0, 1)]


def test_rows_set_aside_by_rule(sql: Sandbox) -> None:
    given = {
        "audit.quarantine_finding": """
            delivery_id | file | row_number | table_name | check_id   | is_current
            d2          | a    | 1          | visit      | a.b.range  | true
            d2          | a    | 2          | visit      | a.b.range  | true
            d2          | a    | 3          | visit      | a.b.range  | false
            d2          | a    | 4          | visit      | a.b.orphan | true
            """,
        "audit.quarantine_origin": """
            delivery_id | file | row_number | table_name | clinic_key
            d2          | a    | 1          | visit      | c1
            d2          | a    | 2          | visit      | c1
            d2          | a    | 3          | visit      | c1
            d2          | a    | 4          | visit      |
            """,
    }
    for name, text in given.items():
        sql.give(name, text)
    assert lines(profile(sql), "visit.rows.drift", "set_aside") == [("c1", SECOND, "a.b.range", None, 0, 2)]


def test_few_nights_leave_an_empty_table(sql: Sandbox) -> None:
    sql.run("audit.delivery_clinic", {"lake.delivery": DELIVERIES, "lake.episode": EPISODES, "lake.visit": VISITS})
    assert write_drift(sql.con, CONTRACT).is_empty()
    sql.expect("audit.drift", "check_id | clinic_key | is_flagged")


def test_violations_by_clinic(sql: Sandbox) -> None:
    sql.run(
        "audit.violation_clinic",
        {
            "audit.quarantine_finding": """
                delivery_id | file | row_number | table_name | check_id | is_current
                d1          | a    | 1          | visit      | range    | true
                d1          | a    | 2          | visit      | range    | true
                d1          | a    | 3          | visit      | range    | false
                d1          | a    | 4          | visit      | orphan   | true
                """,
            "audit.quarantine_origin": """
                delivery_id | file | row_number | table_name | clinic_key
                d1          | a    | 1          | visit      | c1
                d1          | a    | 2          | visit      | c2
                d1          | a    | 4          | visit      |
                """,
            "audit.rule_violation": """
                check_id | table_name  | delivery_id | file | row_number | clinic_key | recorder_key | fate
                orphan   | visit       | d1          | a    | 4          |            |              | quarantined
                late     | visit       | d1          | a    | 5          |            |              | reported
                scale    | measurement | d1          | b    | 6          |            |              | reported
                habit    | measurement |             |      |            | c2         | t1           | reported
                habit    | measurement |             |      |            | c2         | t2           | reported
                volume   | delivery    | d1          |      |            |            |              | reported
                volume   | delivery    | d2          |      |            |            |              | reported
                """,
            "audit.delivery_clinic": """
                delivery_id | clinic_key
                d1          | c1
                d1          | c2
                d2          | c2
                """,
            "staging.visit": """
                delivery_id | file | row_number | visit_key | episode_key
                d1          | a    | 5          | v5        | e1
                d1          | a    | 7          | v7        | e2
                """,
            "staging.measurement": """
                delivery_id | file | row_number | visit_key
                d1          | b    | 6          | v7
                d1          | b    | 6          | v7
                """,
            "staging.episode": """
                episode_key | clinic_key
                e1          | c1
                e2          | c2
                """,
        },
    )
    sql.expect(
        "audit.violation_clinic",
        """
        check_id | clinic_key | violated
        range    | c1         | 1
        range    | c2         | 1
        orphan   |            | 1
        late     | c1         | 1
        scale    | c2         | 1
        habit    | c2         | 2
        volume   |            | 1
        volume   | c2         | 1
        """,
    )


def test_no_column_of_the_contract_is_taken_for_one_of_the_profile() -> None:
    own = {"profile", "sent_on", "counted_key", "is_known", "is_new"}
    assert not own & {column.name for table in CONTRACT.tables for column in table.columns}


def test_an_error_of_the_database_is_ours(sql: Sandbox) -> None:
    sql.con.execute("drop table audit.delivery_clinic")
    with pytest.raises(WarehouseError, match=r"audit\.drift failed with CatalogException"):
        write_drift(sql.con, CONTRACT)
