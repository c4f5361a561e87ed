"""Habits are counted by group, and a group is flagged when its share is beyond the limit and beyond chance."""
# ruff: noqa: E501 - tables are drawn as wide as they are

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EMPTY_HABITS = {
    "intermediate.pain_habit": "clinic_key",
    "intermediate.side_habit": "clinic_key",
    "intermediate.recorder_habit": "clinic_key",
    "intermediate.discharge_minute": "clinic_key",
}


def test_consecutive_scores_that_repeat(sql: Sandbox) -> None:
    sql.run(
        "intermediate.pain_habit",
        {
            "intermediate.episode": """
                episode_no | clinic_key | therapist_key
                1          | c1         | t1
                2          | c1         | t1
                3          | c1         | t2
                4          | c2         |
                """,
            "intermediate.episode_pain": "episode_no\n 1\n 2\n 3\n 4",
            "intermediate.pain_occasion": """
                episode_no | day_offset | pain
                1          | 0          | 5
                1          | 7          | 5
                1          | 14         | 4
                1          | 21         | 4
                2          | 0          | 1
                2          | 7          | 0
                2          | 14         | 0
                2          | 21         | 1
                3          | 0          | 5
                3          | 7          | 5
                4          | 0          | 5
                """,
        },
    )
    sql.expect(
        "intermediate.pain_habit",
        """
        clinic_key | therapist_key | score_pairs | identical_pairs
        c1         | t1            | 5           | 2
        c1         | t2            | 1           | 1
        c2         |               | 0           | 0
        """,
    )


def test_changes_at_the_mcid_beside_it_and_none(sql: Sandbox) -> None:
    sql.run(
        "intermediate.pain_habit",
        {
            "intermediate.pain_occasion": "episode_no",
            "intermediate.episode": "\n".join(["episode_no | clinic_key", *(f"{n} | c1" for n in range(1, 10))]),
            "intermediate.episode_pain": """
                episode_no | measure_id  | baseline_value | last_value | is_scored_at_both_ends | is_same_at_both_ends
                1          | nprs_avg24h | 6              | 5          | true                   | true
                2          | nprs_avg24h | 6              | 4          | true                   | true
                3          | nprs_avg24h | 6              | 3          | true                   | true
                4          | nprs_avg24h | 6              | 2          | true                   | true
                5          | nprs_avg24h | 6              | 6          | true                   | true
                6          | nprs_avg24h | 4              | 6          | true                   | true
                7          | vas_mm      | 60             | 45         | true                   | true
                8          | vas_mm      | 60             | 47         | true                   | true
                9          | nprs_avg24h | 6              |            | true                   | false
                """,
        },
    )
    sql.expect(
        "intermediate.pain_habit",
        """
        clinic_key | ends | unchanged | near_mcid | at_mcid | scored | changed_scale
        c1         | 8    | 1         | 4         | 2       | 9      | 1
        """,
    )


def test_left_and_right_of_one_motion_on_one_day(sql: Sandbox) -> None:
    sql.run(
        "intermediate.side_habit",
        {
            "intermediate.episode": "episode_no | clinic_key | therapist_key\n 1 | c1 | t1\n 2 | c1 | t1\n 3 | c1 |",
            "intermediate.measure_course": """
                episode_no | measure_id | side  | active_passive | method     | baseline_day | last_day | baseline_value | last_value
                1          | slr        | left  | passive        | goniometer | 0            | 30       | 60             | 71
                1          | slr        | right | passive        | goniometer | 0            | 30       | 60             | 70
                1          | hip_ir     | left  | active         | goniometer | 0            | 0        | 40             | 40
                1          | hip_ir     | right | active         | goniometer | 0            | 0        | 40             | 40
                1          | hip_er     | left  | active         | goniometer | 0            | 28       | 40             | 41
                1          | hip_er     | right | active         | app        | 0            | 30       | 40             | 41
                2          | shld_flex  | left  | active         | goniometer |              | 30       |                | 180
                2          | shld_flex  | right | active         | goniometer |              | 30       |                | 180
                2          | shld_abd   | left  | active         | goniometer | 0            | 30       | 150            | 170
                2          | cerv_flex  | none  | active         | crom       | 0            | 30       | 40             | 40
                3          | shld_flex  | left  | active         | goniometer | 3            | 30       | 150            | 180
                3          | shld_flex  | right | active         | goniometer | 3            | 30       | 150            | 170
                """,
        },
    )
    sql.expect(
        "intermediate.side_habit",
        """
        clinic_key | therapist_key | side_pairs | identical_pairs
        c1         | t1            | 3          | 2
        c1         |               | 2          | 1
        """,
    )


def test_round_numbers_and_ranges_by_rater_else_therapist_else_nobody(sql: Sandbox) -> None:
    sql.run(
        "intermediate.recorder_habit",
        {
            "intermediate.episode": """
                episode_no | clinic_key | therapist_key
                1          | c1         | t1
                2          | c1         | t2
                3          | c2         |
                """,
            "intermediate.visit": "visit_key | episode_no\n v1 | 1\n v2 | 2\n v3 | 3",
            "staging.measurement": """
                visit_key | measure_id       | rater_key | value
                v1        | slr              | r1        | 55
                v1        | slr              | r1        | 60
                v1        | slr              | r1        | 60.5
                v1        | slr              | r1        | 61
                v1        | slr              | r1        | 80
                v2        | slr              | r1        | 0
                v2        | knee_ext         | t1        | -5
                v1        | ankle_df_wblt_cm |           | 10
                v1        | knee_ext         |           | -10
                v3        | nprs_avg24h      |           | 5
                """,
        },
    )
    sql.expect(
        "intermediate.recorder_habit",
        """
        clinic_key | recorder_key | measure_id       | scores | lowest | highest | whole_degrees | at_fives | at_tens
        c1         | r1           | slr              | 6      | 0      | 80      | 4             | 3        | 2
        c1         | t1           | knee_ext         | 2      | -10    | -5      | 2             | 2        | 1
        c1         | t1           | ankle_df_wblt_cm | 1      | 10     | 10      | 0             | 0        | 0
        c2         |              | nprs_avg24h      | 1      | 5      | 5       | 0             | 0        | 0
        """,
    )


def test_minutes_of_discharge_visits_only(sql: Sandbox) -> None:
    sql.run(
        "intermediate.discharge_minute",
        {
            "intermediate.episode": "episode_no | clinic_key | therapist_key\n 1 | c1 | t1\n 2 | c1 | t1",
            "intermediate.visit": """
                visit_key | episode_no | is_discharge
                v1        | 1          | true
                v2        | 1          | false
                v3        | 2          | true
                v4        | 2          | true
                v5        | 2          | true
                """,
            "staging.visit": """
                visit_key | recorded_minute
                v1        | 1015
                v2        | 1015
                v3        | 1015
                v4        | 0
                v5        |
                """,
        },
    )
    sql.expect(
        "intermediate.discharge_minute",
        """
        clinic_key | therapist_key | recorded_minute | visits
        c1         | t1            | 0               | 1
        c1         | t1            | 1015            | 2
        """,
    )


@pytest.mark.parametrize(
    ("n", "shown", "flagged"),
    [(36, 27, "false"), (36, 28, "true"), (20, 16, "false"), (20, 17, "true"), (10_000_000_000, 6_000_000_000, "true")],
)
def test_a_share_is_flagged_beyond_three_standard_errors(sql: Sandbox, n: int, shown: int, flagged: str) -> None:
    """50% and 3 standard errors are 27 of 36, and 16.7 of 20."""
    sql.run(
        "audit.behaviour",
        EMPTY_HABITS | {"intermediate.side_habit": f"clinic_key | side_pairs | identical_pairs\n c1 | {n} | {shown}"},
    )
    sql.expect(
        "audit.behaviour",
        f"""
        check_id                                | clinic_key | recorder_key | n   | shown   | limit_percent | is_flagged
        measurement.value.differs_between_sides | c1         |              | {n} | {shown} | 50            | {flagged}
        """,
    )


def test_groups_are_clinics_and_persons_large_enough(sql: Sandbox) -> None:
    sql.run(
        "audit.behaviour",
        EMPTY_HABITS
        | {
            "intermediate.pain_habit": """
                clinic_key | therapist_key | score_pairs | identical_pairs | ends | unchanged | near_mcid | at_mcid | scored | changed_scale
                c1         | t1            | 100         | 90              | 19   | 19        | 0         | 0       | 30     | 30
                c1         | t2            | 100         | 10              | 1    | 1         | 0         | 0       | 300    | 0
                c1         |               | 19          | 19              | 0    | 0         | 0         | 0       | 0      | 0
                """,
        },
    )
    sql.expect(
        "audit.behaviour",
        """
        check_id                                  | clinic_key | recorder_key | n   | shown | is_flagged
        measurement.value.varies_within_clinic    | c1         |              | 219 | 119   | true
        measurement.value.varies_within_clinic    | c1         | t1           | 100 | 90    | true
        measurement.value.varies_within_clinic    | c1         | t2           | 100 | 10    | false
        measurement.value.changes_by_discharge    | c1         |              | 20  | 20    | true
        measurement.measure_id.kept_within_clinic | c1         |              | 330 | 30    | false
        measurement.measure_id.kept_within_clinic | c1         | t1           | 30  | 30    | true
        measurement.measure_id.kept_within_clinic | c1         | t2           | 300 | 0     | false
        """,
    )


def test_the_minute_of_a_clinic_is_not_the_sum_of_its_therapists_minutes(sql: Sandbox) -> None:
    sql.run(
        "audit.behaviour",
        EMPTY_HABITS
        | {
            "intermediate.discharge_minute": """
                clinic_key | therapist_key | recorded_minute | visits
                c1         | t1            | 1015            | 20
                c1         | t1            | 600             | 5
                c1         | t2            | 900             | 20
                c1         | t2            | 1015            | 2
                c1         |               | 1015            | 3
                """,
        },
    )
    sql.expect(
        "audit.behaviour",
        """
        check_id                                | clinic_key | recorder_key | n  | shown | is_flagged
        visit.recorded_minute.spread_over_day   | c1         |              | 50 | 25    | true
        visit.recorded_minute.spread_over_day   | c1         | t1           | 25 | 20    | true
        visit.recorded_minute.spread_over_day   | c1         | t2           | 22 | 20    | true
        """,
    )


def test_one_score_for_every_patient(sql: Sandbox) -> None:
    """A normal motion never varies where all is well; nobody's scores count where the feed names nobody."""
    sql.run(
        "audit.behaviour",
        EMPTY_HABITS
        | {
            "intermediate.recorder_habit": """
                clinic_key | recorder_key | measure_id  | scores | lowest | highest | whole_degrees | at_fives | at_tens
                c1         | t1           | nprs_avg24h | 20     | 5      | 5       | 0             | 0        | 0
                c1         | t1           | groc        | 19     | 5      | 5       | 0             | 0        | 0
                c1         | t2           | knee_ext    | 40     | 0      | 0       | 0             | 0        | 0
                c1         | t2           | nprs_avg24h | 40     | 0      | 10      | 0             | 0        | 0
                c1         |              | vas_mm      | 90     | 50     | 50      | 0             | 0        | 0
                c2         |              | vas_mm      | 30     | 50     | 50      | 0             | 0        | 0
                c2         |              | nprs_avg24h | 30     | 4      | 5       | 0             | 0        | 0
                """,
        },
    )
    sql.expect(
        "audit.behaviour",
        """
        check_id                                  | clinic_key | recorder_key | n  | shown | is_flagged
        measurement.value.varies_within_therapist | c1         | t1           | 20 | 20    | true
        measurement.value.varies_within_therapist | c1         | t2           | 80 | 0     | false
        measurement.value.varies_within_therapist | c2         |              | 60 | 30    | true
        """,
    )


def test_round_numbers_are_judged_by_rater_and_clinic(sql: Sandbox) -> None:
    sql.run(
        "audit.behaviour",
        EMPTY_HABITS
        | {
            "intermediate.recorder_habit": """
                clinic_key | recorder_key | measure_id | scores | lowest | highest | whole_degrees | at_fives | at_tens
                c1         | r1           | slr        | 60     | 40     | 70      | 50            | 45       | 10
                c1         | r1           | hip_ir     | 60     | 20     | 40      | 50            | 40       | 20
                c1         | r2           | slr        | 100    | 40     | 70      | 100           | 22       | 11
                """,
        },
    )
    found = sql.con.execute(
        "select check_id, recorder_key, n, shown, is_flagged from audit.behaviour where check_id like '%heaping%' order by all"
    ).fetchall()
    assert found == [
        ("measurement.value.no_heaping_at_10", "r1", 100, 30, False),
        ("measurement.value.no_heaping_at_10", "r2", 100, 11, False),
        ("measurement.value.no_heaping_at_10", None, 200, 41, False),
        ("measurement.value.no_heaping_at_5", "r1", 100, 85, True),
        ("measurement.value.no_heaping_at_5", "r2", 100, 22, False),
        ("measurement.value.no_heaping_at_5", None, 200, 107, False),
    ]


def test_worst_pain_at_baseline_and_current_pain_at_discharge_is_no_pair(sql: Sandbox) -> None:
    sql.give(
        "intermediate.episode",
        """
        episode_no | condition_id | clinic_key | discharge_day
        1          | neck_pain    | c1         | 40
        2          | neck_pain    | c1         | 40
        3          | neck_pain    | c1         |
        """,
    )
    sql.give(
        "intermediate.measure_course",
        """
        episode_no | measure_id    | side | active_passive | method | baseline_day | last_day | baseline_value | last_value
        1          | nprs_worst24h | none | any            | any    | 0            | 0        | 8              | 8
        1          | nprs_current  | none | any            | any    |              | 40       |                | 2
        2          | nprs_worst24h | none | any            | any    | 0            | 40       | 8              | 3
        2          | nprs_current  | none | any            | any    |              | 40       |                | 2
        3          | nprs_worst24h | none | any            | any    | 0            | 0        | 8              | 8
        """,
    )
    sql.run("intermediate.episode_pain")
    sql.run("intermediate.pain_habit", {"intermediate.pain_occasion": "episode_no"})
    sql.expect(
        "intermediate.pain_habit",
        "clinic_key | scored | changed_scale | ends\n c1 | 2 | 1 | 1",
    )
    sql.give(
        "intermediate.visit",
        "visit_key | episode_no | day_offset | is_baseline\n v1 | 1 | 0 | true\n v2 | 2 | 0 | true",
    )
    sql.give(
        "staging.measurement",
        """
        visit_key | measure_id    | delivery_id | file  | row_number
        v1        | nprs_worst24h | d1          | m.csv | 7
        v2        | nprs_worst24h | d1          | m.csv | 8
        """,
    )
    sql.run("audit.rule_violation")
    sql.expect(
        "audit.rule_violation",
        """
        check_id                                 | file  | row_number | reason
        measurement.measure_id.same_at_both_ends | m.csv | 7          | NO_COMPARABLE_PAIR
        """,
    )
    sql.run("audit.rule_evaluated")
    evaluated = dict(sql.con.execute("select check_id, evaluated from audit.rule_evaluated").fetchall())
    assert evaluated["measurement.measure_id.same_at_both_ends"] == 2


EPISODES = """
    episode_key | delivery_id | clinic_key
    e1          | a           | c1
    e2          | a           | c2
    e3          | b           | c2
    e4          | b           | c1
    e5          | c           | c1
    e6          | c           | c2
    e7          | lone        | c1
    e8          | d           | c1
    e9          | d           | c2
    """


@pytest.mark.parametrize(
    ("rows", "unusual"),
    [(33, "true"), (34, "false"), (100, "false"), (300, "false"), (301, "true")],
)
def test_volume_is_compared_with_the_median_of_the_others(sql: Sandbox, rows: int, unusual: str) -> None:
    """The usual is 100 (90 and 110); the held delivery, the other profile and the other clinics do not count."""
    sql.run(
        "audit.delivery_volume",
        {
            "lake.episode": EPISODES,
            "lake.delivery": f"""
                delivery_id | profile | state    | ingested
                a           | emr     | accepted | {rows}
                b           | emr     | accepted | 90
                c           | emr     | accepted | 110
                d           | emr     | accepted | 100
                lone        | emr     | accepted | 1000000
                held        | emr     | held     | 1
                other       | fhir    | accepted | 5
                """,
        },
    )
    found = sql.con.execute(
        "select other_deliveries, twice_usual, is_unusual from audit.delivery_volume where delivery_id = 'a'"
    ).fetchall()
    assert found == [(3, 200, unusual == "true")]
    assert sql.con.execute("select count(*) from audit.delivery_volume").fetchall() == [(5,)]


def test_a_delivery_without_company_is_compared_with_all_of_its_profile(sql: Sandbox) -> None:
    """Three rows of one clinic where twenty of several are usual."""
    sql.run(
        "audit.delivery_volume",
        {
            "lake.episode": EPISODES,
            "lake.delivery": """
                delivery_id | profile | state    | ingested
                a           | emr     | accepted | 20
                b           | emr     | accepted | 20
                c           | emr     | accepted | 20
                lone        | emr     | accepted | 3
                """,
        },
    )
    sql.expect(
        "audit.delivery_volume",
        """
        delivery_id | other_deliveries | twice_usual | is_unusual
        lone        | 3                | 40          | true
        """,
    )


def test_the_median_leaves_the_delivery_itself_out(sql: Sandbox) -> None:
    sql.run(
        "audit.delivery_volume",
        {
            "lake.delivery": """
                delivery_id | profile | state    | ingested
                a           | emr     | accepted | 10
                b           | emr     | accepted | 20
                c           | emr     | accepted | 30
                d           | emr     | accepted | 100
                e           | fhir    | accepted | 10
                f           | fhir    | accepted | 40
                g           | fhir    | accepted | 40
                """,
        },
    )
    sql.expect(
        "audit.delivery_volume",
        """
        delivery_id | twice_usual | is_unusual
        a           | 60          | false
        b           | 60          | false
        c           | 40          | false
        d           | 40          | true
        """,
    )
