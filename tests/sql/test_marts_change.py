"""Change, responders and their sums. Responder edges: vector T23 of the domain reference."""
# ruff: noqa: E501 - tables are drawn as wide as they are

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

# baseline, last, 30% responder, MCID of 2 points responder; '' where there is no denominator
T23 = [
    ("10", "7", "true", "true"),
    ("7", "5", "false", "true"),
    ("3", "2", "true", "false"),
    ("3", "1", "true", "true"),
    ("0", "0", "", "false"),
    ("1", "0", "true", "false"),
]


def outcome(sql: Sandbox, pain: str) -> None:
    sql.run(
        "marts.episode_outcome",
        {
            "intermediate.episode": "episode_no | episode_key | is_closed\n 1 | e1 | true",
            "marts.episode_recovery": "episode_key | definition_id | recovered\n e1 | recovered_v1 | no",
            "intermediate.episode_pain": f"episode_no | measure_id | is_points | baseline_value | last_value\n {pain}",
        },
    )


@pytest.mark.parametrize(("baseline", "last", "percent_30", "points_2"), T23)
def test_responder_edges_of_an_episode(sql: Sandbox, baseline: str, last: str, percent_30: str, points_2: str) -> None:
    outcome(sql, f"1 | nprs_avg24h | true | {baseline} | {last}")
    in_denominator = points_2 if int(baseline) >= 2 else ""
    sql.expect("marts.episode_outcome", f"responder_30 | responder_mcid\n {percent_30} | {in_denominator}")


@pytest.mark.parametrize(("baseline", "last", "percent_30", "points_2"), T23)
def test_responder_edges_of_a_measure(sql: Sandbox, baseline: str, last: str, percent_30: str, points_2: str) -> None:
    change = int(baseline) - int(last)
    sql.run(
        "marts.measure_response",
        {
            "marts.measure_change": f"""
                episode_key | measure_id  | side | baseline_value | value  | change
                e1          | nprs_avg24h | none | {baseline}     | {last} | {change}
                """
        },
    )
    got = dict(sql.con.execute("select rule_id, (eligible, responder) from marts.measure_response").fetchall())
    truth = {"true": True, "false": False, "": None}
    assert got["percent_30"] == (int(baseline) > 0, truth[percent_30])
    assert got["mcid"] == (int(baseline) >= 2, truth[points_2])


@pytest.mark.parametrize(
    ("baseline", "last", "band", "deteriorated"),
    [
        ("10", "11", "worse", "false"),
        ("0", "2", "worse", "true"),
        ("0", "0", "", "false"),
        ("10", "10", "none", "false"),
        ("10", "9", "minimal", "false"),
        ("10", "7", "moderate", "false"),
        ("10", "5", "substantial", "false"),
        ("7", "5", "minimal", "false"),
        ("5", "7", "worse", "true"),
        ("5", "", "", ""),
    ],
)
def test_immpact_band_and_deterioration(sql: Sandbox, baseline: str, last: str, band: str, deteriorated: str) -> None:
    outcome(sql, f"1 | nprs_avg24h | true | {baseline} | {last}")
    sql.expect("marts.episode_outcome", f"immpact_band | deteriorated\n {band} | {deteriorated}")


def test_points_mean_nothing_on_other_scales(sql: Sandbox) -> None:
    outcome(sql, "1 | fhsq_pain | false | 50 | 63")
    sql.expect(
        "marts.episode_outcome",
        """
        change | responder_mcid | responder_30 | responder_50 | deteriorated
        13     | true           | false        | false        |
        """,
    )


def test_an_episode_without_any_score_is_still_a_row(sql: Sandbox) -> None:
    sql.run(
        "marts.episode_outcome",
        {
            "intermediate.episode": "episode_no | episode_key | is_closed | visit_count\n 1 | e1 | true | 0",
            "marts.episode_recovery": "episode_key | definition_id | recovered\n e1 | recovered_v1 | unknown",
        },
    )
    sql.expect(
        "marts.episode_outcome",
        """
        episode_key | baseline_captured | discharge_captured | responder_30 | event_kind | rom_last_permille
        e1          | false             | false              |              |            |
        """,
    )


COURSE = """episode_no | measure_id | side | active_passive | method | baseline_day | baseline_value | last_day
    | last_value | window_1_value | window_2_value""".replace("\n", "")


def test_measure_change_at_every_time(sql: Sandbox) -> None:
    sql.run(
        "marts.measure_change",
        {
            "intermediate.episode": """
                episode_no | episode_key | patient_key | clinic_key | care | condition_id | is_closed | discharge_day
                1          | closed      | p1          | c1         | a    | sciatica     | true      | 60
                2          | trial       | p2          | c1         | b    | sciatica     | true      |
                """,
            "intermediate.measure_course": f"""
                {COURSE}
                1 | nprs_avg24h | none | any    | any        | 0 | 7  | 46 | 2  | 4 |
                1 | odi         | none | any    | any        | 0 | 40 | 45 | 20 |   | 30
                1 | lefs        | none | any    | any        | 5 | 40 | 5  | 40 |   |
                1 | rmdq        | none | any    | any        |   |    | 46 | 9  | 9 |
                1 | slr         | left | active | goniometer | 0 | 50 | 50 | 70 |   |
                1 | slr         | left | passive| goniometer | 0 | 55 | 50 | 70 |   |
                2 | nprs_avg24h | none | any    | any        | 0 | 6  | 365| 3  |   |
                """,
            "intermediate.second_way": """
                episode_no | measure_id | side | active_passive | method
                1          | slr        | left | passive        | goniometer
                """,
            "intermediate.planned_score": """
                episode_no | measure_id  | side | active_passive | method | planned_day | baseline_value | score_value
                2          | nprs_avg24h | none | any            | any    | 90          | 6              | 5
                2          | odi         | none | any            | any    | 90          |                | 5
                """,
        },
    )
    sql.expect(
        "marts.measure_change",
        """
        episode_key | measure_id  | side | planned_day | baseline_value | value | change
        closed      | nprs_avg24h | none |             | 7              | 2     | 5
        closed      | nprs_avg24h | none | 28          | 7              | 4     | 3
        closed      | odi         | none | 56          | 40             | 30    | 10
        closed      | slr         | left |             | 50             | 70    | 20
        trial       | nprs_avg24h | none |             | 6              | 3     | 3
        trial       | nprs_avg24h | none | 90          | 6              | 5     | 1
        """,
    )


CHANGES = """
    episode_key | condition_id | care | is_closed | measure_id | side  | planned_day | baseline_value | value | change
    e1          | sciatica     | a    | true      | slr        | left  |             | 50             | 60.5  | 10.5
    e1          | sciatica     | a    | true      | slr        | right |             | 70             | 69    | -1
    e2          | sciatica     | b    | false     | slr        | left  |             | 50             | 50    | 0
    e2          | sciatica     | b    | false     | slr        | left  | 28          | 50             | 50    | 0
    """


def test_measure_summary(sql: Sandbox) -> None:
    sql.run("marts.measure_summary", {"marts.measure_change": CHANGES})
    sql.con.execute("delete from marts.measure_summary where condition_id is not null or care <> 'any'")
    sql.expect(
        "marts.measure_summary",
        """
        side  | planned_day | n | baseline_sum | baseline_sum_squares | value_sum | change_sum | change_sum_squares | worsened
              |             | 2 | 120          | 7400                 | 129.5     | 9.5        | 111.25             | 1
        left  |             | 1 | 50           | 2500                 | 60.5      | 10.5       | 110.25             | 0
        right |             | 1 | 70           | 4900                 | 69        | -1         | 1                  | 1
              | 28          | 1 | 50           | 2500                 | 50        | 0          | 0                  | 0
        left  | 28          | 1 | 50           | 2500                 | 50        | 0          | 0                  | 0
        """,
    )


def test_response_summary_counts_responders_among_the_eligible(sql: Sandbox) -> None:
    sql.run(
        "marts.response_summary",
        {
            "marts.measure_response": """
                episode_key | condition_id | care | is_closed | measure_id  | side | planned_day | rule_id | eligible | responder
                e1          | sciatica     | a    | true      | nprs_avg24h | none | 28          | mcid    | true     | true
                e2          | sciatica     | a    | true      | nprs_avg24h | none | 28          | mcid    | true     | false
                e3          | sciatica     | a    | true      | nprs_avg24h | none | 28          | mcid    | false    | true
                e4          | sciatica     | a    | false     | nprs_avg24h | none |             | mcid    | true     | true
                """
        },
    )
    sql.con.execute("delete from marts.response_summary where condition_id is null or care = 'any' or side is null")
    sql.expect("marts.response_summary", "rule_id | planned_day | eligible | responders\n mcid | 28 | 2 | 1")


def test_pain_and_motion_cubes(sql: Sandbox) -> None:
    sql.give(
        "marts.episode_outcome",
        """
        episode_key | condition_id | clinic_key | care | start_year | is_closed | baseline_value | last_value | change | responder_mcid | responder_30 | responder_50 | deteriorated | rom_baseline_permille | rom_last_permille
        e1          | sciatica     | c1         | a    | 2024       | true      | 6              | 3          | 3      | true           | true         | true         | false        | 500                   | 900
        e2          | sciatica     | c1         | a    | 2024       | true      | 1              | 3          | -2     |                | false        | false        | true         | 400                   |
        e3          | sciatica     | c1         | a    | 2024       | false     | 6              | 3          | 3      | true           | true         | true         | false        | 500                   | 900
        e4          | sciatica     | c1         | a    | 2024       | true      | 6              |            |        |                |              |              |              |                       |
        """,
    )
    sql.run("marts.pain_cube")
    sql.run("marts.rom_cube")
    for cube in ("pain_cube", "rom_cube"):
        assert sql.con.execute(f"select count(*) from marts.{cube}").fetchone() == (16,)
        sql.con.execute(f"delete from marts.{cube} where condition_id is null or clinic_key is null")
        sql.con.execute(f"delete from marts.{cube} where care = 'any' or period = 'all'")
    sql.expect(
        "marts.pain_cube",
        """
        period | pairs | baseline_sum | baseline_sum_squares | last_sum | change_sum | change_sum_squares | mcid_eligible | mcid_responders | percent_eligible | responders_30 | responders_50 | deteriorated
        2024   | 2     | 7            | 37                   | 6        | 1          | 13                 | 1             | 1               | 2                | 1             | 1             | 1
        """,
    )
    sql.expect("marts.rom_cube", "pairs | baseline_permille_sum | last_permille_sum\n 1 | 500 | 900")
