"""What was recorded of closed episodes, and what care was received by the landmark day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract.contrasts import CONTRASTS

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

CASE = "episode_key | condition_id | clinic_key | care | period | is_closed"
OUTCOME = "episode_key | measure_id | baseline_captured | discharge_captured | rom_last_permille"
EPISODE = "episode_no | episode_key | discharge_day | is_closed"
VISIT = "visit_key | episode_key | day_offset | visit_type | attendance"
SCORE = "visit_key | measure_id | side | value"
WHOLE = "care = 'any' and period = 'all' and condition_id is null and clinic_key is null"


def completion(sql: Sandbox, *, case: str, outcome: str, episode: str, visit: str = "", score: str = "") -> None:
    sql.run(
        "marts.completion_cube",
        {
            "marts.case_mix": f"{CASE}\n{case}",
            "marts.episode_outcome": f"{OUTCOME}\n{outcome}",
            "intermediate.episode": f"{EPISODE}\n{episode}",
            "staging.visit": f"{VISIT}\n{visit}",
            "staging.measurement": f"{SCORE}\n{score}",
        },
    )


def test_each_score_is_counted_among_all_closed_episodes(sql: Sandbox) -> None:
    completion(
        sql,
        case="""
        e1 | sciatica  | c1 | dry_needling | 2024 | true
        e2 | sciatica  | c1 | other_care   | 2025 | true
        e3 | neck_pain | c1 | other_care   | 2025 | true
        e4 | neck_pain | c2 | other_care   | 2025 | false
        """,
        outcome="""
        e1 | nprs_worst24h | true  | true  | 900
        e2 | nprs_worst24h | true  | false |
        e3 |               | false | false | 0
        e4 | nprs_avg24h   | true  | true  | 900
        """,
        episode="1 | e1 | 60 | true\n 2 | e2 | 60 | true\n 3 | e3 | 60 | true\n 4 | e4 | | false",
    )
    sql.con.execute("delete from marts.completion_cube where care <> 'any' or period <> 'all'")
    sql.expect(
        "marts.completion_cube",
        """
        condition_id | clinic_key | closed | baseline | discharge | motion | follow_up
                     |            | 3      | 2        | 1         | 2      | 0
                     | c1         | 3      | 2        | 1         | 2      | 0
        sciatica     |            | 2      | 2        | 1         | 1      | 0
        sciatica     | c1         | 2      | 2        | 1         | 1      | 0
        neck_pain    |            | 1      | 0        | 0         | 1      | 0
        neck_pain    | c1         | 1      | 0        | 0         | 1      | 0
        """,
    )


@pytest.mark.parametrize(
    ("discharge", "visit", "measure", "follow_up"),
    [
        ("60", "61 | treat | attended", "nprs_worst24h", "1"),  # later than discharge, whatever it is called
        ("60", "60 | follow_up | attended", "nprs_worst24h", "0"),  # the day of discharge is not later
        ("60", "90 | follow_up | no_show", "nprs_worst24h", "0"),
        ("60", "90 | follow_up | attended", "nprs_avg24h", "0"),  # another pain score does not count
        ("", "90 | follow_up | attended", "nprs_worst24h", "1"),
        ("", "90 | treat | attended", "nprs_worst24h", "0"),  # without a discharge day it may be care going on
    ],
)
def test_a_follow_up_is_a_score_of_the_same_measure_after_discharge(
    sql: Sandbox, discharge: str, visit: str, measure: str, follow_up: str
) -> None:
    day, kind, attendance = (part.strip() for part in visit.split("|"))
    completion(
        sql,
        case="e1 | sciatica | c1 | other_care | 2025 | true",
        outcome="e1 | nprs_worst24h | true | true | 900",
        episode=f"1 | e1 | {discharge} | true",
        visit=f"v1 | e1 | {day} | {kind} | {attendance}",
        score=f"v1 | {measure} | none | 2",
    )
    sql.con.execute(f"delete from marts.completion_cube where not ({WHOLE})")
    sql.expect("marts.completion_cube", f"closed | follow_up\n 1 | {follow_up}")


def test_two_follow_up_scores_are_one_episode(sql: Sandbox) -> None:
    completion(
        sql,
        case="e1 | sciatica | c1 | other_care | 2025 | true",
        outcome="e1 | nprs_worst24h | true | true | 900",
        episode="1 | e1 | 60 | true",
        visit="v1 | e1 | 70 | follow_up | attended\n v2 | e1 | 80 | follow_up | attended",
        score="v1 | nprs_worst24h | none | 2\n v2 | nprs_worst24h | none | 3",
    )
    sql.con.execute(f"delete from marts.completion_cube where not ({WHOLE})")
    sql.expect("marts.completion_cube", "closed | follow_up\n 1 | 1")


def test_care_received_ends_at_the_landmark_and_needs_attendance(sql: Sandbox) -> None:
    sql.run(
        "marts.care_received",
        {
            "staging.visit": f"""{VISIT}
            v1 | e1 | 0  | eval  | attended
            v2 | e1 | 14 | treat | attended
            v3 | e1 | 15 | treat | attended
            v4 | e2 | 7  | treat | no_show
            v5 | e3 | 7  | treat | attended
            """,
            "staging.treatment": """visit_key | treatment_class
            v1 | manual_therapy
            v2 | manual_therapy
            v2 | massage
            v2 | education
            v3 | strengthening
            v4 | massage
            v5 | dry_needling
            """,
        },
    )
    sql.expect(
        "marts.care_received",
        """
        episode_key | manual_therapy | massage | stretching_mobility | strengthening
        e1          | true           | true    | false               | false
        """,
    )


def test_every_comparator_of_the_contract_has_a_column(sql: Sandbox) -> None:
    columns = {row[0] for row in sql.con.execute("describe marts.care_received").fetchall()}
    assert columns == {"episode_key", *(contrast.comparator for contrast in CONTRASTS if contrast.comparator)}
