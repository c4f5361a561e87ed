"""Bands of change, deterioration and responders: limits come from the contract, region MCIDs only when switched on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.warehouse.reference import write_reference

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EPISODE = "episode_no | episode_key | is_closed | care | condition_id | discharge_day | last_visit_day"
PAIN = "episode_no | measure_id | is_points | baseline_value | last_value"
RECOVERY = "episode_key | definition_id | recovered"
OUTCOME = "condition_id | clinic_key | care | is_closed | deteriorated | immpact_band"


def judge(sql: Sandbox, *episodes: tuple[str, str]) -> None:
    """Outcomes of closed episodes, each a condition and its pain at both ends."""
    numbered = list(enumerate(episodes, start=1))
    sql.run(
        "marts.episode_outcome",
        {
            "intermediate.episode": EPISODE
            + "".join(f"\n{n} | e{n} | true | other_care | {condition} | 60 | 58" for n, (condition, _) in numbered),
            "intermediate.episode_pain": PAIN
            + "".join(f"\n{n} | nprs_avg24h | true | {ends}" for n, (_, ends) in numbered),
            "marts.episode_recovery": RECOVERY + "".join(f"\ne{n} | recovered_v1 | no" for n, _ in numbered),
        },
    )


@pytest.mark.parametrize(
    ("ends", "band", "deteriorated", "responder_30", "responder_50"),
    [
        ("10 | 5", "substantial", "false", "true", "true"),  # exactly 50%
        ("10 | 5.1", "moderate", "false", "true", "false"),
        ("10 | 7", "moderate", "false", "true", "false"),  # exactly 30%
        ("7 | 5", "minimal", "false", "false", "false"),  # 2 points, but 28.57%
        ("10 | 9", "minimal", "false", "false", "false"),  # exactly 10%
        ("10 | 9.1", "none", "false", "false", "false"),
        ("4 | 4", "none", "false", "false", "false"),
        ("4 | 5", "worse", "false", "false", "false"),
        ("4 | 6", "worse", "true", "false", "false"),  # exactly 2 points
        ("0 | 2", "worse", "true", "", ""),
        ("0 | 1", "worse", "false", "", ""),
        ("0 | 0", "", "false", "", ""),  # no percentage of nothing
        ("6 | ", "", "", "", ""),
    ],
)
def test_bands_responders_and_deterioration(
    sql: Sandbox, ends: str, band: str, deteriorated: str, responder_30: str, responder_50: str
) -> None:
    judge(sql, ("sciatica", ends))
    sql.expect(
        "marts.episode_outcome",
        f"""immpact_band | deteriorated | responder_30 | responder_50
        {band} | {deteriorated} | {responder_30} | {responder_50}""",
    )


def test_limits_are_those_of_the_contract(sql: Sandbox) -> None:
    sql.con.execute("update reference.impact_band set below_percent = 60 where band_id = 'moderate'")
    sql.con.execute("update reference.impact_band set at_least_percent = 60 where band_id = 'substantial'")
    sql.con.execute("update reference.parameter set value = 1 where name = 'deterioration_points'")
    judge(sql, ("sciatica", "10 | 5"), ("sciatica", "4 | 5"))
    sql.expect("marts.episode_outcome", "immpact_band | deteriorated\n moderate | false\n worse | true")


PLANTED = (
    ("neck_pain", "5 | 4"),
    ("neck_pain", "5 | 3"),
    ("shoulder_impingement", "5 | 3"),  # 2 points: below 2.17
    ("shoulder_impingement", "5 | 2"),
    ("shoulder_impingement", "2 | 0"),  # no room for 2.17
    ("sciatica", "5 | 3"),
)
OFF = "episode_key | responder_mcid\n e1 | false\n e2 | true\n e3 | true\n e4 | true\n e5 | true\n e6 | true"
ON = "episode_key | responder_mcid\n e1 | false\n e2 | true\n e3 | false\n e4 | true\n e5 | \n e6 | true"


@pytest.mark.parametrize(("is_on", "expected"), [(False, OFF), (True, ON)])
def test_region_mcids_change_planted_episodes_only_when_on(sql: Sandbox, *, is_on: bool, expected: str) -> None:
    write_reference(sql.con, replace(CONTRACT, region_mcid=is_on))
    judge(sql, *PLANTED)
    sql.expect("marts.episode_outcome", expected)


@pytest.mark.parametrize("is_on", [False, True])
def test_region_mcids_reach_every_measure_response(sql: Sandbox, *, is_on: bool) -> None:
    write_reference(sql.con, replace(CONTRACT, region_mcid=is_on))
    sql.run(
        "marts.measure_response",
        {
            "marts.measure_change": """
                episode_key | condition_id         | measure_id   | side | baseline_value | change
                e1          | shoulder_impingement | nprs_avg24h  | none | 5              | 2
                e2          | shoulder_impingement | nprs_current | none | 5              | 2
                e3          | sciatica             | nprs_avg24h  | none | 5              | 2
                """
        },
    )
    rows = sql.con.execute(
        "select episode_key, rule_id, eligible, responder from marts.measure_response where rule_id <> 'percent_50'"
    ).fetchall()
    assert sorted(rows) == [
        ("e1", "mcid", True, not is_on),
        ("e1", "percent_30", True, True),
        ("e2", "mcid", True, True),  # another pain score than the condition's own
        ("e2", "percent_30", True, True),
        ("e3", "mcid", True, True),
        ("e3", "percent_30", True, True),
    ]


def test_response_band_cube_adds_up(sql: Sandbox) -> None:
    sql.run(
        "marts.response_band_cube",
        {
            "marts.episode_outcome": f"""
                {OUTCOME}
                sciatica  | c1 | a | true  | false | moderate
                sciatica  | c1 | a | true  | true  | worse
                sciatica  | c2 | b | true  | false | worse
                sciatica  | c2 | b | true  | false |
                sciatica  | c2 | b | true  |       | worse
                sciatica  | c2 | b | false | true  | worse
                """,
        },
    )
    sql.expect(
        "marts.response_band_cube",
        """
        condition_id | clinic_key | care | band_id  | episodes | deteriorated
                     |            | any  | moderate | 1        | 0
                     |            | any  | worse    | 2        | 1
                     |            | a    | moderate | 1        | 0
                     |            | a    | worse    | 1        | 1
                     |            | b    | worse    | 1        | 0
                     | c1         | any  | moderate | 1        | 0
                     | c1         | any  | worse    | 1        | 1
                     | c1         | a    | moderate | 1        | 0
                     | c1         | a    | worse    | 1        | 1
                     | c2         | any  | worse    | 1        | 0
                     | c2         | b    | worse    | 1        | 0
        sciatica     |            | any  | moderate | 1        | 0
        sciatica     |            | any  | worse    | 2        | 1
        sciatica     |            | a    | moderate | 1        | 0
        sciatica     |            | a    | worse    | 1        | 1
        sciatica     |            | b    | worse    | 1        | 0
        sciatica     | c1         | any  | moderate | 1        | 0
        sciatica     | c1         | any  | worse    | 1        | 1
        sciatica     | c1         | a    | moderate | 1        | 0
        sciatica     | c1         | a    | worse    | 1        | 1
        sciatica     | c2         | any  | worse    | 1        | 0
        sciatica     | c2         | b    | worse    | 1        | 0
        """,
    )
