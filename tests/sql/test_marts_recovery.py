"""Recovered, not recovered, unknown: by definition, and as an event in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EPISODE = "episode_no | episode_key | is_closed | care | condition_id | discharge_day | last_visit_day"
PAIN = "episode_no | measure_id | is_points | baseline_value | last_value"
ROM = "episode_no | reference | mdc | last_value"
RELIEF = "episode_no | pain_at_most | sustained_days | occasion | relief_day"
OCCASION = "episode_no | day_offset | pain | is_discharge"


def recovery(
    sql: Sandbox, *, closed: str = "true", pain: str, rom: str = "", relief: str = "", at_discharge: str = "true"
) -> None:
    sql.run(
        "marts.episode_recovery",
        {
            "intermediate.episode": f"{EPISODE}\n 1 | e1 | {closed} | other_care | sciatica | 60 | 58",
            "intermediate.episode_pain": f"{PAIN}\n{pain}",
            "intermediate.episode_rom": f"{ROM}\n{rom}",
            "intermediate.pain_relief": f"{RELIEF}\n{relief}",
            "intermediate.pain_occasion": f"{OCCASION}\n 1 | 58 | 1 | {at_discharge}",
        },
    )


GOOD_PAIN = "1 | nprs_worst24h | true | 6 | 1"
GOOD_ROM = "1 | 80 | 8 | 72"
GOOD_RELIEF = "1 | 1 | 7 | either | 30\n 1 | 2 | 7 | either | 20\n 1 | 1 | 0 | discharge | 58"


def test_each_definition_has_its_own_limits(sql: Sandbox) -> None:
    recovery(sql, pain=GOOD_PAIN, rom="1 | 80 | 8 | 71.9", relief=GOOD_RELIEF)
    sql.expect(
        "marts.episode_recovery",
        """
        definition_id | recovered | unknown_reason | event_day
        recovered_v1  | no        |                |
        pain_0        | no        |                |
        pain_2        | no        |                |
        pain_only     | yes       |                | 30
        rom_90        | no        |                |
        sustained     | no        |                |
        at_discharge  | no        |                |
        """,
    )


@pytest.mark.parametrize(
    ("relief", "at_discharge", "sustained", "discharge"),
    [
        ("1 | 1 | 7 | either | 30\n 1 | 1 | 7 | held | 30", "true", "yes |  | 30", "no |  | "),
        ("1 | 1 | 7 | either | 58\n 1 | 1 | 0 | discharge | 58", "true", "no |  | ", "yes |  | 58"),
        # no score at the discharge visit: what it would have been nobody knows
        ("1 | 1 | 7 | either | 30\n 1 | 1 | 7 | held | 30", "false", "yes |  | 30", "unknown | no_comparable_pair | "),
    ],
)
def test_held_and_at_discharge_are_definitions_of_their_own(
    sql: Sandbox, relief: str, at_discharge: str, sustained: str, discharge: str
) -> None:
    recovery(sql, pain=GOOD_PAIN, rom=GOOD_ROM, relief=relief, at_discharge=at_discharge)
    sql.con.execute("delete from marts.episode_recovery where definition_id not in ('sustained', 'at_discharge')")
    sql.expect(
        "marts.episode_recovery",
        f"""definition_id | recovered | unknown_reason | event_day
        sustained     | {sustained}
        at_discharge  | {discharge}""",
    )


@pytest.mark.parametrize(
    ("reached", "minus_mdc", "share_of_90"),
    [("71.9", "no", "no"), ("72", "yes", "yes"), ("71.999", "no", "no")],
)
def test_motion_goals_are_reached_when_equal(sql: Sandbox, reached: str, minus_mdc: str, share_of_90: str) -> None:
    recovery(sql, pain=GOOD_PAIN, rom=f"1 | 80 | 8 | {reached}", relief=GOOD_RELIEF)
    sql.con.execute("delete from marts.episode_recovery where definition_id not in ('recovered_v1', 'rom_90')")
    sql.expect(
        "marts.episode_recovery",
        f"definition_id | recovered\n recovered_v1 | {minus_mdc}\n rom_90 | {share_of_90}",
    )


@pytest.mark.parametrize(
    ("case", "reason", "recovered"),
    [
        ({"pain": GOOD_PAIN, "rom": GOOD_ROM, "relief": GOOD_RELIEF}, "", "yes"),
        ({"pain": GOOD_PAIN, "rom": GOOD_ROM}, "", "no"),
        ({"pain": GOOD_PAIN, "rom": "1 | 80 | 0 | 79", "relief": GOOD_RELIEF}, "", "no"),
        ({"closed": "false", "pain": GOOD_PAIN, "rom": GOOD_ROM, "relief": GOOD_RELIEF}, "still_open", "unknown"),
        ({"pain": "1 | nprs_worst24h | true | 1 | 0", "rom": GOOD_ROM}, "baseline_too_low", "unknown"),
        ({"pain": "1 | nprs_worst24h | true | 2 | 1", "rom": GOOD_ROM}, "", "no"),
        ({"pain": "1 | | | | ", "rom": GOOD_ROM}, "no_baseline", "unknown"),
        ({"pain": "", "rom": GOOD_ROM}, "no_baseline", "unknown"),
        ({"pain": "1 | nprs_worst24h | true | 6 | ", "rom": GOOD_ROM}, "no_comparable_pair", "unknown"),
        ({"pain": "1 | vas_mm | false | 60 | 1", "rom": GOOD_ROM}, "no_comparable_pair", "unknown"),
        # reached during care, but whether it was kept nobody knows: the outcome must not decide who counts
        (
            {"pain": "1 | nprs_worst24h | true | 6 | ", "rom": GOOD_ROM, "relief": GOOD_RELIEF},
            "no_comparable_pair",
            "unknown",
        ),
        ({"pain": GOOD_PAIN, "relief": GOOD_RELIEF}, "rom_not_measured", "unknown"),
        ({"pain": GOOD_PAIN}, "rom_not_measured", "unknown"),
        ({"pain": GOOD_PAIN, "rom": "1 | 80 | 8 | ", "relief": GOOD_RELIEF}, "rom_not_measured", "unknown"),
    ],
)
def test_unknown_reasons_of_the_default_definition(
    sql: Sandbox, case: dict[str, str], reason: str, recovered: str
) -> None:
    recovery(sql, **case)
    sql.con.execute("delete from marts.episode_recovery where definition_id <> 'recovered_v1'")
    sql.expect("marts.episode_recovery", f"recovered | unknown_reason\n {recovered} | {reason}")


@pytest.mark.parametrize(
    ("case", "kind", "day"),
    [
        ({"pain": GOOD_PAIN, "rom": GOOD_ROM, "relief": GOOD_RELIEF}, "recovered", "30"),
        ({"pain": GOOD_PAIN, "rom": GOOD_ROM}, "left", "60"),
        ({"pain": GOOD_PAIN, "rom": "1 | 80 | 0 | 79", "relief": GOOD_RELIEF}, "left", "60"),
        ({"closed": "false", "pain": GOOD_PAIN, "rom": GOOD_ROM}, "open", "58"),
        ({"closed": "false", "pain": GOOD_PAIN, "rom": GOOD_ROM, "relief": GOOD_RELIEF}, "recovered", "30"),
        ({"closed": "false", "pain": GOOD_PAIN}, "open", "58"),
        ({"closed": "false", "pain": GOOD_PAIN, "relief": GOOD_RELIEF}, "unknown", ""),
        ({"pain": GOOD_PAIN, "relief": GOOD_RELIEF}, "unknown", ""),
        ({"pain": "1 | nprs_worst24h | true | 1 | 0", "rom": GOOD_ROM}, "", ""),
        ({"pain": "1 | | | | ", "rom": GOOD_ROM}, "", ""),
        ({"pain": "1 | vas_mm | false | 60 | 1", "rom": GOOD_ROM}, "", ""),
    ],
)
def test_event_kind_and_day(sql: Sandbox, case: dict[str, str], kind: str, day: str) -> None:
    recovery(sql, **case)
    sql.run("marts.episode_outcome")
    sql.expect("marts.episode_outcome", f"event_kind | event_day\n {kind} | {day}")


def test_left_without_a_discharge_day_on_the_last_visit(sql: Sandbox) -> None:
    recovery(sql, pain=GOOD_PAIN, rom=GOOD_ROM)
    sql.con.execute("update intermediate.episode set discharge_day = null")
    sql.run("marts.episode_outcome")
    sql.expect("marts.episode_outcome", "event_kind | event_day\n left | 58")


def test_recovery_cube_adds_up(sql: Sandbox) -> None:
    sql.run(
        "marts.recovery_cube",
        {
            "intermediate.episode": """
                episode_no | episode_key | condition_id | clinic_key | care | start_year
                1          | e1          | sciatica     | c1         | a    | 2024
                2          | e2          | sciatica     | c1         | b    |
                3          | e3          | neck_pain    | c2         | a    | 2024
                4          | e4          | neck_pain    | c2         | a    | 2024
                5          | e5          | neck_pain    | c2         | a    | 2024
                """,
            "marts.episode_recovery": """
                episode_key | definition_id | recovered | unknown_reason
                e1          | pain_only     | yes       |
                e2          | pain_only     | no        |
                e3          | pain_only     | unknown   | still_open
                e4          | pain_only     | unknown   | baseline_too_low
                e5          | pain_only     | unknown   | no_comparable_pair
                """,
        },
    )
    sets = sql.con.execute(
        """select count(*), count(distinct (condition_id is null, clinic_key is null, care = 'any', period = 'all'))
        from marts.recovery_cube"""
    ).fetchone()
    assert sets == (40, 16)  # three kinds of episode fall into 40 cells of the 16 grouping sets
    assert sql.con.execute(
        """select episodes, open, baseline_too_low, eligible, known, recovered, no_comparable_pair
        from marts.recovery_cube
        where condition_id is null and clinic_key is null and care = 'any' and period = 'all'"""
    ).fetchall() == [(5, 1, 1, 3, 2, 1, 1)]
    assert sql.con.execute(
        """select count(*) from marts.recovery_cube
        where eligible <> known + no_baseline + no_comparable_pair + rom_not_measured"""
    ).fetchone() == (0,)


CASES = """
    episode_key | condition_id | clinic_key | care | is_trial | is_in_care_at_landmark | event_day | event_kind
    e1          | sciatica     | c1         | a    | false    | true                   | 30        | recovered
    e2          | sciatica     | c1         | a    | false    | true                   | 30        | recovered
    e3          | sciatica     | c1         | b    | false    | true                   |           | unknown
    e4          | sciatica     | c1         | b    | false    | true                   |           |
    e5          | sciatica     | c1         | a    | false    | false                  | 14        | left
    e6          | sciatica     | c1         | b    | false    | false                  |           | unknown
    """


def test_event_count(sql: Sandbox) -> None:
    sql.run("marts.event_count", {"marts.case_mix": CASES})
    sql.expect(
        "marts.event_count",
        """
        condition_id | clinic_key | care | from_day | event_day | event_kind | definition_id | episodes
                     |            | any  | 0        | 30        | recovered  | recovered_v1  | 2
        sciatica     |            | any  | 0        | 30        | recovered  | recovered_v1  | 2
                     | c1         | any  | 0        | 30        | recovered  | recovered_v1  | 2
        sciatica     | c1         | any  | 0        | 30        | recovered  | recovered_v1  | 2
                     |            | any  | 0        | 14        | left       | recovered_v1  | 1
        sciatica     |            | any  | 0        | 14        | left       | recovered_v1  | 1
                     | c1         | any  | 0        | 14        | left       | recovered_v1  | 1
        sciatica     | c1         | any  | 0        | 14        | left       | recovered_v1  | 1
                     |            | any  | 0        |           | unknown    | recovered_v1  | 2
        sciatica     |            | any  | 0        |           | unknown    | recovered_v1  | 2
                     | c1         | any  | 0        |           | unknown    | recovered_v1  | 2
        sciatica     | c1         | any  | 0        |           | unknown    | recovered_v1  | 2
                     |            | a    | 14       | 30        | recovered  | recovered_v1  | 2
        sciatica     |            | a    | 14       | 30        | recovered  | recovered_v1  | 2
                     |            | b    | 14       |           | unknown    | recovered_v1  | 1
        sciatica     |            | b    | 14       |           | unknown    | recovered_v1  | 1
        """,
    )


def test_arms_of_a_trial_are_followed_from_the_first_day(sql: Sandbox) -> None:
    arms = CASES.replace("| false    |", "| true     |")
    sql.run("marts.event_count", {"marts.case_mix": arms})
    sql.con.execute("delete from marts.event_count where care = 'any' or condition_id is null")
    sql.expect(
        "marts.event_count",
        """
        care | from_day | event_day | event_kind | episodes
        a    | 0        | 30        | recovered  | 2
        a    | 0        | 14        | left       | 1
        b    | 0        |           | unknown    | 2
        """,
    )


def test_visit_density(sql: Sandbox) -> None:
    visits = """
        episode_key | visit_count
        e1          | 4
        e2          | 2
        e3          | 9
        e4          | 9
        e5          | 3
        e6          | 9
        e7          | 0
        """
    cases = CASES + "e7 | sciatica | c1 | a | false | true | 20 | open"
    sql.give("marts.case_mix", cases)
    for line in visits.strip().splitlines()[1:]:
        key, count = (cell.strip() for cell in line.split("|"))
        sql.con.execute("update marts.case_mix set visit_count = ? where episode_key = ?", [int(count), key])
    sql.run(
        "marts.visit_density",
        {
            "intermediate.episode": """
                episode_no | episode_key | last_visit_day
                1          | e1          | 40
                2          | e2          | 20
                3          | e3          | 90
                4          | e4          | 90
                5          | e5          | 10
                6          | e6          | 90
                7          | e7          |
                """
        },
    )
    sql.expect(
        "marts.visit_density",
        """
        condition_id | clinic_key | care | from_day | episodes | visits | days_followed
                     |            | any  | 0        | 3        | 9      | 70
        sciatica     |            | any  | 0        | 3        | 9      | 70
                     | c1         | any  | 0        | 3        | 9      | 70
        sciatica     | c1         | any  | 0        | 3        | 9      | 70
                     |            | a    | 14       | 2        | 6      | 60
        sciatica     |            | a    | 14       | 2        | 6      | 60
        """,
    )


def test_visit_density_of_nobody_is_empty(sql: Sandbox) -> None:
    sql.run("marts.visit_density")
    sql.expect("marts.visit_density", "episodes | visits | days_followed")
