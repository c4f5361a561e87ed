"""Nothing is lost: every row has one fate, every violation is named."""
# ruff: noqa: E501 - tables are drawn as wide as they are

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox


def test_rows_set_aside_of_all_tables(sql: Sandbox) -> None:
    header = "delivery_id | file | row_number | check_id | fate"
    sql.run(
        "audit.row_set_aside",
        {
            "staging.patient_repeat": f"{header} | patient_key\n d1 | a.csv | 1 | patient.key.unique | superseded | p1",
            "staging.measurement_set_aside": f"""
                {header} | visit_key | measure_id | side
                d1 | wide.csv | 2 | measurement.visit_key.reference | quarantined | v1 | slr | left
                d1 | wide.csv | 2 | measurement.visit_key.reference | quarantined | v1 | slr | right
                """,
        },
    )
    sql.expect(
        "audit.row_set_aside",
        """
        table_name  | file     | row_number | check_id                        | fate
        patient     | a.csv    | 1          | patient.key.unique              | superseded
        measurement | wide.csv | 2          | measurement.visit_key.reference | quarantined
        """,
    )


SET_ASIDE = """
    table_name  | delivery_id | file     | row_number | check_id                    | fate
    visit       | d1          | a.csv    | 1          | visit.key.unique            | quarantined
    visit       | d1          | a.csv    | 2          | visit.key.unique            | superseded
    measurement | d2          | wide.csv | 1          | measurement.key.unique      | quarantined
    patient     | d2          | wide.csv | 2          | patient.key.unique          | superseded
    patient     | d2          | wide.csv | 3          | patient.key.unique          | superseded
    """


def test_rule_violations(sql: Sandbox) -> None:
    sql.run(
        "audit.rule_violation",
        {
            "audit.row_set_aside": SET_ASIDE,
            "staging.visit": """
                visit_key | episode_key | day_offset | attendance | delivery_id | file  | row_number
                v1        | late        | 0          | no_show    | d1          | a.csv | 1
                v2        | late        | 3          | attended   | d1          | a.csv | 2
                v3        | late        | 3          | attended   | d1          | a.csv | 3
                v4        | punctual    | 0          | attended   | d1          | a.csv | 4
                """,
            "intermediate.episode_pain": """
                episode_no | is_scored_at_both_ends | is_same_at_both_ends
                1          | true                   | false
                2          | true                   | true
                """,
            "intermediate.visit": """
                visit_key | episode_no | day_offset | is_baseline
                v2        | 1          | 3          | true
                v3        | 1          | 3          | false
                v4        | 2          | 0          | true
                """,
            "staging.measurement": """
                visit_key | measure_id  | delivery_id | file  | row_number
                v2        | slr         | d1          | m.csv | 1
                v2        | nprs_avg24h | d1          | m.csv | 2
                v3        | vas_mm      | d1          | m.csv | 3
                v4        | vas_mm      | d1          | m.csv | 4
                """,
            "audit.behaviour": """
                check_id                                | clinic_key | recorder_key | is_flagged
                measurement.value.varies_within_clinic  | c1         |              | true
                visit.recorded_minute.spread_over_day   | c1         | t1           | true
                visit.recorded_minute.spread_over_day   | c1         | t2           | false
                """,
            "audit.delivery_volume": "delivery_id | is_unusual\n d1 | false\n d2 | true",
        },
    )
    sql.expect(
        "audit.rule_violation",
        """
        check_id                                 | table_name  | delivery_id | file     | row_number | clinic_key | recorder_key | fate        | reason
        visit.key.unique                         | visit       | d1          | a.csv    | 1          |            |              | quarantined | DUPLICATE_KEY
        measurement.key.unique                   | measurement | d2          | wide.csv | 1          |            |              | quarantined | DUPLICATE_KEY
        visit.day_offset.starts_at_zero          | visit       | d1          | a.csv    | 2          |            |              | reported    | DATE_ORDER
        measurement.measure_id.same_at_both_ends | measurement | d1          | m.csv    | 2          |            |              | reported    | NO_COMPARABLE_PAIR
        measurement.value.varies_within_clinic   | measurement |             |          |            | c1         |              | reported    | REPEATED_SCORE
        visit.recorded_minute.spread_over_day    | visit       |             |          |            | c1         | t1           | reported    | SAME_MINUTE
        delivery.rows.usual_volume               | delivery    | d2          |          |            |            |              | reported    | VOLUME
        """,
    )


def test_every_release_check_is_evaluated(sql: Sandbox) -> None:
    sql.run(
        "audit.rule_evaluated",
        {
            "lake.visit": "visit_key | accepted\n v1 | true\n v1 | true\n v2 | true\n | false",
            "staging.visit_repeat": "visit_key\n v1",
            "staging.episode": "episode_key | discharge_day\n e1 | 30\n e2 |",
            "staging.episode_set_aside": """
                episode_key | check_id
                e3          | episode.discharge_day.after_last_visit
                e4          | episode.key.unique
                """,
            "intermediate.episode": "episode_no | visit_count\n 1 | 0\n 2 | 3",
        },
    )
    evaluated = dict(sql.con.execute("select check_id, evaluated from audit.rule_evaluated").fetchall())
    checks = {
        row[0]
        for row in sql.con.execute("select check_id from reference.quality_check where stage = 'release'").fetchall()
    }
    assert set(evaluated) == checks
    assert evaluated["visit.key.unique"] == 3
    assert evaluated["visit.episode_key.reference"] == 2
    assert evaluated["episode.discharge_day.after_last_visit"] == 2
    assert evaluated["visit.day_offset.starts_at_zero"] == 1


def test_conservation_of_long_and_wide_files(sql: Sandbox) -> None:
    sql.run(
        "audit.conservation",
        {
            "lake.delivery": """
                delivery_id | state    | problem_code | ingested | set_aside_on_reading | rejected
                d1          | accepted |              | 4        | 1                    | 0
                d2          | accepted |              | 6        | 1                    | 0
                d3          | rejected | HEADER       | 7        | 0                    | 7
                """,
            "lake.source_row": """
                delivery_id | file     | row_number | accepted
                d2          | wide.csv | 1          | true
                d2          | wide.csv | 2          | true
                d2          | wide.csv | 3          | true
                d2          | wide.csv | 4          | true
                d2          | wide.csv | 5          | true
                d2          | wide.csv | 6          | false
                """,
            "audit.row_set_aside": SET_ASIDE,
            "staging.visit": "visit_key | delivery_id | file | row_number\n v1 | d1 | a.csv | 3",
            "staging.patient": """
                patient_key | delivery_id | file     | row_number
                p1          | d2          | wide.csv | 1
                p4          | d2          | wide.csv | 4
                """,
            "staging.measurement": """
                visit_key | measure_id | side | delivery_id | file     | row_number
                v2        | slr        | left | d2          | wide.csv | 2
                v4        | slr        | left | d2          | wide.csv | 4
                """,
        },
    )
    sql.expect(
        "audit.conservation",
        """
        delivery_id | state    | problem_code | ingested | accepted | quarantined | superseded | rejected
        d1          | accepted |              | 4        | 1        | 2           | 1          | 0
        d2          | accepted |              | 6        | 3        | 2           | 1          | 0
        d3          | rejected | HEADER       | 7        | 0        | 0           | 0          | 7
        """,
    )
