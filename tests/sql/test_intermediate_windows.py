"""Which days count, and which scores are taken from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import CONTRACT

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox


def test_episode_days_and_care(sql: Sandbox) -> None:
    sql.run(
        "intermediate.episode",
        {
            "staging.patient": "patient_key | population\n p1 | athlete",
            "staging.episode": """
                episode_key | patient_key | discharge_reason | arm     | condition_id
                early       | p1          | goals_met        |         | sciatica
                late        | p1          | still_open       |         | sciatica
                trial       | p1          | unknown          | control | sciatica
                empty       | p1          | unknown          |         | sciatica
                """,
            "staging.visit": """
                visit_key | episode_key | day_offset | attendance
                v1        | early       | 0          | attended
                v2        | early       | 14         | attended
                v3        | early       | 40         | no_show
                v4        | late        | 0          | attended
                v5        | late        | 14         | no_show
                v6        | late        | 15         | attended
                v7        | trial       | 0          | attended
                """,
            "staging.treatment": """
                visit_key | treatment_class
                v1        | massage
                v2        | dry_needling
                v5        | dry_needling
                v6        | dry_needling
                v7        | acupuncture
                """,
        },
    )
    sql.expect(
        "intermediate.episode",
        """
        episode_key | care         | is_closed | visit_count | last_visit_day | first_treatment_day | population
        early       | dry_needling | true      | 2           | 14             | 0                   | athlete
        late        | other_care   | false     | 2           | 15             | 15                  | athlete
        trial       | control      | true      | 1           | 0              | 0                   | athlete
        empty       | other_care   | true      | 0           |                |                     | athlete
        """,
    )


def test_visit_roles(sql: Sandbox) -> None:
    sql.run(
        "intermediate.visit",
        {
            "intermediate.episode": """
                episode_no | episode_key | is_closed | discharge_day | first_treatment_day
                1          | closed      | true      | 30            | 3
                2          | open        | false     |               |
                3          | trial       | true      |               |
                """,
            "staging.visit": """
                visit_key | episode_key | day_offset | planned_day | visit_type | attendance
                a         | closed      | 0          |             | eval       | attended
                b         | closed      | 3          |             | treat      | attended
                c         | closed      | 4          |             | treat      | attended
                d         | closed      | 20         |             | treat      | attended
                e         | closed      | 30         |             | treat      | attended
                f         | closed      | 35         |             | follow_up  | attended
                g         | closed      | 36         |             | follow_up  | attended
                h         | closed      | 5          |             | treat      | cancelled
                i         | open        | 7          |             | discharge  | attended
                j         | open        | 8          |             | treat      | attended
                k         | trial       | 100        | 90          | follow_up  | attended
                l         | trial       | 28         | 30          | discharge  | attended
                """,
        },
    )
    sql.expect(
        "intermediate.visit",
        """
        visit_key | episode_no | is_baseline | is_outcome | is_discharge | window_no | planned_distance | planned_day
        a         | 1          | true        | true       | false        |           |                  |
        b         | 1          | true        | true       | false        |           |                  |
        c         | 1          | false       | true       | false        |           |                  |
        d         | 1          | false       | true       | false        |           |                  |
        e         | 1          | false       | true       | true         | 1         | 5                |
        f         | 1          | false       | false      | false        | 1         | 15               |
        g         | 1          | false       | false      | false        |           |                  |
        i         | 2          | true        | true       | false        |           |                  |
        j         | 2          | false       | true       | false        |           |                  |
        k         | 3          | false       | true       | false        |           | 21               | 90
        l         | 3          | false       | true       | true         |           | 4                | 30
        """,
    )


VISITS = """
    visit_key | episode_no | day_offset | is_baseline | is_outcome | window_no | planned_distance
    v0        | 1          | 0          | true        | true       |           |
    v5        | 1          | 5          | true        | true       |           |
    v27       | 1          | 27         | false       | true       | 1         | 2
    v29       | 1          | 29         | false       | true       | 1         | 3
    v29b      | 1          | 29         | false       | true       | 1         | 3
    v57       | 1          | 57         | false       | false      | 2         | 3
    """


def test_course_takes_first_last_and_nearest(sql: Sandbox) -> None:
    sql.run(
        "intermediate.measure_course",
        {
            "intermediate.visit": VISITS,
            "staging.measurement": """
                visit_key | measure_id  | side | value | method
                v0        | nprs_avg24h | none | 7     | questionnaire
                v5        | nprs_avg24h | none | 6     | questionnaire
                v27       | nprs_avg24h | none | 5     | app
                v29       | nprs_avg24h | none | 4     |
                v57       | nprs_avg24h | none | 3     | questionnaire
                v57       | odi         | none | 22.5  | questionnaire
                v99       | odi         | none | 10    | questionnaire
                """,
        },
    )
    sql.expect(
        "intermediate.measure_course",
        """
        measure_id  | method | baseline_day | baseline_value | last_day | last_value | window_1_value | window_2_value
        nprs_avg24h | any    | 0            | 7              | 29       | 4          | 5              | 3
        odi         | any    |              |                |          |            |                | 22.5
        """,
    )


def test_every_code_of_the_contract_makes_a_series_of_its_own(sql: Sandbox) -> None:
    allowed = {column.name: column.allowed or () for column in CONTRACT.table("measurement").columns}
    ways = [
        (side, motion, method)
        for side in allowed["side"]
        for motion in allowed["active_passive"]
        for method in allowed["method"]
    ]
    rows = "\n".join(f"v0 | slr | {' | '.join(way)} | 50" for way in ways)
    sql.run(
        "intermediate.measure_course",
        {
            "intermediate.visit": VISITS,
            "staging.measurement": f"visit_key | measure_id | side | active_passive | method | value\n{rows}",
        },
    )
    found = sql.con.execute("select side, active_passive, method from intermediate.measure_course").fetchall()
    assert sorted(found) == sorted(ways)
    assert len(CONTRACT.measures) < 1000


def test_ties_on_a_day_never_make_an_improvement(sql: Sandbox) -> None:
    sql.run(
        "intermediate.measure_course",
        {
            "intermediate.visit": VISITS,
            "staging.measurement": """
                visit_key | measure_id  | side | active_passive | value
                v0        | nprs_avg24h | none |                | 7
                v0        | nprs_avg24h | none |                | 5
                v29       | nprs_avg24h | none |                | 2
                v29b      | nprs_avg24h | none |                | 4
                v0        | slr         | left | passive        | -20.5
                v0        | slr         | left | passive        | 30
                v29       | slr         | left | passive        | 70
                v29b      | slr         | left | passive        | 60
                v29       | slr         | left | active         | 55
                """,
        },
    )
    sql.expect(
        "intermediate.measure_course",
        """
        measure_id  | side | active_passive | baseline_value | last_value | window_1_value
        nprs_avg24h | none | any            | 5              | 4          | 4
        slr         | left | passive        | 30             | 60         | 60
        slr         | left | active         |                | 55         | 55
        """,
    )


def test_planned_scores_of_a_trial(sql: Sandbox) -> None:
    sql.run(
        "intermediate.planned_score",
        {
            "intermediate.visit": """
                visit_key | episode_no | planned_day | planned_distance
                v0        | 1          | 0           | 0
                near      | 1          | 90          | 4
                far       | 1          | 90          | 20
                routine   | 1          |             |
                """,
            "staging.measurement": """
                visit_key | measure_id | side | value
                v0        | vas_mm     | none | 60
                near      | vas_mm     | none | 30
                far       | vas_mm     | none | 20
                far       | odi        | none | 20
                routine   | vas_mm     | none | 10
                """,
            "intermediate.measure_course": """
                episode_no | measure_id | side | active_passive | method | baseline_value
                1          | vas_mm     | none | any            | any    | 60
                1          | odi        | none | any            | any    |
                """,
        },
    )
    sql.expect(
        "intermediate.planned_score",
        """
        measure_id | planned_day | baseline_value | score_value
        vas_mm     | 90          | 60             | 30
        odi        | 90          |                | 20
        """,
    )


def test_second_ways_of_measuring_a_motion(sql: Sandbox) -> None:
    sql.run(
        "intermediate.second_way",
        {
            "intermediate.measure_course": """
                episode_no | measure_id | side | active_passive | method     | baseline_day | last_day
                1          | slr        | left | active         | goniometer | 0            | 0
                1          | slr        | left | passive        | app        | 0            | 9
                1          | slr        | left | passive        | goniometer | 0            | 9
                1          | slr        | right| passive        | goniometer | 0            | 9
                2          | slr        | left | passive        | goniometer | 0            | 9
                2          | slr        | left | active         | goniometer | 0            | 9
                """,
        },
    )
    sql.expect(
        "intermediate.second_way",
        """
        episode_no | side | active_passive | method
        1          | left | active         | goniometer
        1          | left | passive        | goniometer
        2          | left | passive        | goniometer
        """,
    )
