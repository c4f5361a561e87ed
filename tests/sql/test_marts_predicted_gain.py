"""Gains beside predictions: who is modelled, which way is better, and the sums by clinic and in all."""
# ruff: noqa: E501 - tables are drawn as wide as they are

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EPISODES = """
    episode_no | episode_key | clinic_key
    1          | e1          | A
    2          | e2          | A
    3          | e3          | B
    4          | e4          | B
    5          | e5          | B
    """
INTAKE = """
    episode_key | surgery_count
    e1          | 0
    e2          | 0
    e3          | 0
    e4          | 2
    e5          |
    """
SCORES = """
    episode_no | measure_id | side | active_passive | method | planned_day | baseline_value | score_value
    1          | score      | none | any            | any    | 182         | 20             | 40
    1          | forecast   | none | any            | any    | 182         |                | 38.5
    2          | score      | none | any            | any    | 182         | 10             | 20
    2          | forecast   | none | any            | any    | 182         |                | 24
    3          | score      | none | any            | any    | 182         | 15             | 30
    3          | forecast   | none | any            | any    | 182         |                | 30.25
    4          | score      | none | any            | any    | 182         | 12             | 30
    4          | forecast   | none | any            | any    | 182         |                | 31
    5          | score      | none | any            | any    | 182         | 12             | 12
    5          | forecast   | none | any            | any    | 182         |                | 10
    """
NOT_MODELLED = """
    1          | score      | none | any            | any    | 365         | 20             | 44
    2          | forecast   | none | any            | any    | 365         |                | 40
    3          | score      | none | any            | any    | 90          |                | 31
    3          | forecast   | none | any            | any    | 90          |                | 31
    3          | score      | left | any            | any    | 182         | 15             | 30
    3          | other      | none | any            | any    | 182         | 15             | 30
    """


def run(sql: Sandbox, better: str = "higher", more: str = "") -> None:
    sql.run(
        "marts.predicted_gain",
        {
            "reference.measure": f"measure_id | better | predicts\n score | {better} | \n forecast | {better} | score\n other | lower | ",
            "intermediate.planned_score": SCORES.rstrip() + more,
            "intermediate.episode": EPISODES,
            "staging.episode": INTAKE,
        },
    )


EXPECTED = """
    measure_id | planned_day | earlier_operations | clinic_key | n | baseline_sum | value_sum | predicted_sum | gain_sum | residual_sum | residual_sum_squares
    score      | 182         | none               |            | 3 | 45           | 90        | 92.75         | 45       | -2.75        | 18.3125
    score      | 182         | none               | A          | 2 | 30           | 60        | 62.5          | 30       | -2.5         | 18.25
    score      | 182         | none               | B          | 1 | 15           | 30        | 30.25         | 15       | -0.25        | 0.0625
    score      | 182         | some               |            | 1 | 12           | 30        | 31            | 18       | -1           | 1
    score      | 182         | some               | B          | 1 | 12           | 30        | 31            | 18       | -1           | 1
    score      | 182         | unknown            |            | 1 | 12           | 12        | 10            | 0        | 2            | 4
    score      | 182         | unknown            | B          | 1 | 12           | 12        | 10            | 0        | 2            | 4
    """


@pytest.mark.parametrize("more", ["", NOT_MODELLED])
def test_only_records_with_baseline_score_and_prediction_of_one_time_count(sql: Sandbox, more: str) -> None:
    run(sql, more=more)
    sql.expect("marts.predicted_gain", EXPECTED)


def test_where_lower_is_better_signs_turn_round(sql: Sandbox) -> None:
    run(sql, better="lower")
    sql.expect(
        "marts.predicted_gain",
        """
        earlier_operations | clinic_key | gain_sum | residual_sum | residual_sum_squares
        none               |            | -45      | 2.75         | 18.3125
        none               | A          | -30      | 2.5          | 18.25
        none               | B          | -15      | 0.25         | 0.0625
        some               |            | -18      | 1            | 1
        some               | B          | -18      | 1            | 1
        unknown            |            | 0        | -2           | 4
        unknown            | B          | 0        | -2           | 4
        """,
    )


def test_a_feed_without_predictions_has_none(sql: Sandbox) -> None:
    sql.run("marts.predicted_gain", {"intermediate.planned_score": SCORES, "intermediate.episode": EPISODES})
    assert sql.con.execute("select count(*) from marts.predicted_gain").fetchone() == (0,)


def test_a_prediction_has_no_change_of_its_own(sql: Sandbox) -> None:
    """Even where a feed gives it a value at both ends, as some do with the score that is hoped for."""
    sql.run(
        "marts.measure_change",
        {
            "reference.measure": "measure_id | construct | better | predicts\n score | function | higher | \n forecast | function | higher | score",
            "intermediate.episode": EPISODES,
            "intermediate.measure_course": """
                episode_no | measure_id | side | active_passive | method | baseline_day | last_day | baseline_value | last_value
                1          | score      | none | any            | any    | 0            | 30       | 20             | 40
                1          | forecast   | none | any            | any    | 0            | 30       | 38             | 39
                """,
        },
    )
    sql.expect("marts.measure_change", "episode_key | measure_id | change\n e1 | score | 20")
