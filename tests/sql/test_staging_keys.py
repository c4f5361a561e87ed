"""Repeated keys, orphans and set-aside parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

DELIVERIES = """
delivery_id | extract_stamp
d1          | 2026-01-01
d2          | 2026-02-01
"""

# table -> columns of key and content, the key, another key, content, other content
SHAPES = {
    "patient": ("patient_key | sex", "p1", "p2", "F", "M"),
    "episode": ("episode_key | clinic_key", "e1", "e2", "c1", "c2"),
    "visit": ("visit_key | visit_type", "v1", "v2", "treat", "eval"),
    "treatment": ("visit_key | treatment_class | minutes", "v1 | massage", "v1 | education", "10", "20"),
    "adverse_event": ("visit_key | event_type | severity", "v1 | fatigue", "v1 | nausea", "minor", "major"),
    "precaution": ("patient_key | precaution_type | present", "p1 | pregnancy", "p1 | other", "yes", "no"),
    "measurement": ("visit_key | measure_id | side | value", "v1 | slr | left", "v1 | slr | right", "50", "60"),
}

IN_DOUBT = {"measurement": "staging.visit_in_doubt", "treatment": "staging.treatment_in_doubt"}


@pytest.mark.parametrize("table", SHAPES)
def test_repeated_keys(sql: Sandbox, table: str) -> None:
    header, key, other, content, changed = SHAPES[table]
    if table in IN_DOUBT:
        sql.give(IN_DOUBT[table], "visit_key | is_repeated\n v1 | true")
    sql.run(
        f"staging.{table}_repeat",
        {
            "lake.delivery": DELIVERIES,
            f"lake.{table}": f"""
                {header} | delivery_id | row_number | accepted
                {key}   | {content} | d1 | 1 | true
                {key}   | {content} | d1 | 2 | true
                {key}   | {changed} | d2 | 1 | true
                {key}   | {content} | d2 | 2 | false
                {other} | {content} | d1 | 3 | true
                """,
        },
    )
    sql.expect(
        f"staging.{table}_repeat",
        f"""
        delivery_id | row_number | check_id           | fate
        d1          | 1          | {table}.key.unique | superseded
        d1          | 2          | {table}.key.unique | superseded
        """,
    )


@pytest.mark.parametrize("table", SHAPES)
def test_conflict_within_a_delivery_is_quarantined_and_brings_nothing_back(sql: Sandbox, table: str) -> None:
    header, key, other, content, changed = SHAPES[table]
    if table in IN_DOUBT:
        sql.give(IN_DOUBT[table], "visit_key | is_repeated\n v1 | true")
    sql.run(
        f"staging.{table}_repeat",
        {
            "lake.delivery": DELIVERIES,
            f"lake.{table}": f"""
                {header} | delivery_id | row_number
                {key}   | {content} | d1 | 1
                {key}   | {content} | d2 | 1
                {key}   | {changed} | d2 | 2
                {other} | {content} | d2 | 3
                {other} |           | d2 | 4
                """,
        },
    )
    sql.expect(
        f"staging.{table}_repeat",
        """
        delivery_id | row_number | fate
        d1          | 1          | superseded
        d2          | 1          | quarantined
        d2          | 2          | quarantined
        d2          | 3          | quarantined
        d2          | 4          | quarantined
        """,
    )


def test_same_stamp_falls_back_on_the_delivery_id(sql: Sandbox) -> None:
    sql.run(
        "staging.patient_repeat",
        {
            "lake.delivery": "delivery_id | extract_stamp\n d1 | 2026-01-01\n d2 | 2026-01-01",
            "lake.patient": """
                patient_key | sex | delivery_id
                p1          | F   | d2
                p1          | M   | d1
                """,
        },
    )
    sql.expect("staging.patient_repeat", "delivery_id | fate\n d1 | superseded")


@pytest.mark.parametrize("table", [table.name for table in CONTRACT.tables])
def test_current_rows_are_the_accepted_ones_not_set_aside(sql: Sandbox, table: str) -> None:
    header, key, other, content, _ = SHAPES[table]
    aside = "patient_repeat" if table == "patient" else f"{table}_set_aside"
    names = header.rsplit("|", 1)[0]
    if table in IN_DOUBT:
        sql.give(IN_DOUBT[table], "visit_key | is_repeated\n v1 | true")
    sql.run(
        f"staging.{table}",
        {
            f"lake.{table}": f"""
                {header} | row_number | accepted
                {key}   | {content} | 1 | true
                {other} | {content} | 2 | true
                {other} | {content} | 3 | false
                """,
            f"staging.{aside}": f"""
                {names} | delivery_id | file  | row_number
                {key}   | d1          | a.csv | 1
                """,
        },
    )
    sql.expect(f"staging.{table}", f"{names} | row_number\n {other} | 2")


@pytest.mark.parametrize(
    ("table", "column", "parent"),
    [
        ("visit", "episode_key", "episode"),
        ("treatment", "visit_key", "visit"),
        ("adverse_event", "visit_key", "visit"),
        ("precaution", "patient_key", "patient"),
    ],
)
def test_orphans_are_quarantined_once(sql: Sandbox, table: str, column: str, parent: str) -> None:
    header, key, other, content, _ = SHAPES[table]
    extra = "" if column in header else f"| {column}"
    known, lost = ("| k", "| x") if extra else ("", "")
    keys = (key, other) if extra else (key, other.replace("v1", "v9").replace("p1", "p9"))
    parent_key = "k" if extra else keys[0].split("|", maxsplit=1)[0]
    names = header.rsplit("|", 1)[0]
    if table in IN_DOUBT:
        sql.give(IN_DOUBT[table], f"{column} | is_orphan\n {keys[1].split('|', maxsplit=1)[0]} | true")
    sql.run(
        f"staging.{table}_set_aside",
        {
            f"lake.{table}": f"""
                {header} {extra} | row_number
                {keys[0]} | {content} {known} | 1
                {keys[1]} | {content} {lost}  | 2
                {keys[1]} | {content} {lost}  | 3
                """,
            f"staging.{table}_repeat": f"""
                {names} | delivery_id | file  | row_number | check_id           | fate
                {keys[1]} | d1        | a.csv | 3          | {table}.key.unique | superseded
                """,
            f"staging.{parent}": f"{column}\n {parent_key}",
        },
    )
    sql.expect(
        f"staging.{table}_set_aside",
        f"""
        row_number | check_id                   | fate
        2          | {table}.{column}.reference | quarantined
        3          | {table}.key.unique         | superseded
        """,
    )


def test_episode_without_patient_or_with_visits_after_discharge(sql: Sandbox) -> None:
    sql.run(
        "staging.episode_set_aside",
        {
            "lake.episode": """
                episode_key | patient_key | discharge_day
                e1          | p1          | 30
                e2          | p1          | 30
                e3          | p1          | 30
                e4          | p1          |
                e5          | p9          | 30
                e6          | p1          | 30
                """,
            "staging.patient": "patient_key\n p1",
            "lake.visit": """
                visit_key | episode_key | day_offset | visit_type | attendance
                v1        | e1          | 31         | treat      | attended
                v2        | e2          | 30         | discharge  | attended
                v3        | e3          | 31         | follow_up  | attended
                v4        | e3          | 31         | treat      | no_show
                v5        | e4          | 99         | treat      | attended
                v6        | e5          | 99         | treat      | attended
                v7        | e6          | 99         | treat      | attended
                """,
            "staging.visit_repeat": "visit_key | delivery_id | file | row_number\n v7 | d1 | a.csv | 7",
        },
    )
    sql.expect(
        "staging.episode_set_aside",
        """
        episode_key | check_id                               | fate
        e1          | episode.discharge_day.after_last_visit | quarantined
        e5          | episode.patient_key.reference          | quarantined
        """,
    )


def test_sham_outside_trials(sql: Sandbox) -> None:
    sql.run(
        "staging.treatment_set_aside",
        {
            "lake.treatment": """
                visit_key | treatment_class
                v1        | sham
                v2        | sham
                v1        | massage
                v9        | sham
                """,
            "staging.treatment_in_doubt": "visit_key | is_repeated | is_orphan\n v9 | false | true",
            "staging.visit": "visit_key | episode_key\n v1 | e1\n v2 | e2",
            "staging.episode": "episode_key | arm\n e1 | \n e2 | control",
        },
    )
    sql.expect(
        "staging.treatment_set_aside",
        """
        visit_key | treatment_class | check_id                                      | fate
        v1        | sham            | treatment.treatment_class.sham_in_trials_only | quarantined
        v9        | sham            | treatment.visit_key.reference                 | quarantined
        """,
    )


def test_visits_whose_treatments_are_in_doubt(sql: Sandbox) -> None:
    sql.run(
        "staging.treatment_in_doubt",
        {
            "lake.treatment": """
                visit_key | treatment_class | accepted
                clean     | massage         | true
                clean     | education       | true
                clean     | ergonomic       | true
                twice     | massage         | true
                twice     | massage         | true
                unread    | massage         | true
                unread    | massage         | false
                lost      | sham            | true
                both      | sham            | true
                both      | sham            | true
                """,
            "staging.visit": "visit_key\n clean\n twice\n unread",
        },
    )
    sql.expect(
        "staging.treatment_in_doubt",
        """
        visit_key | is_repeated | is_orphan
        twice     | true        | false
        lost      | false       | true
        both      | true        | true
        """,
    )


def test_more_treatment_classes_than_bits_never_hide_a_repetition(sql: Sandbox) -> None:
    classes = [f"class_{number:03}" for number in range(130)]
    rows = "\n".join(f"all | {name}\n two_{name} | {name}\n two_{name} | {name}" for name in classes)
    sql.run("staging.treatment_in_doubt", {"lake.treatment": f"visit_key | treatment_class\n{rows}"})
    found = sql.con.execute("select visit_key from staging.treatment_in_doubt where is_repeated").fetchall()
    assert {key for (key,) in found} >= {f"two_{name}" for name in classes}


# table -> columns of the key, the key set aside in one row, another of the same visit if possible, one of another visit
CURRENT = {
    "visit": ("visit_key", "v1", "v2", "v3"),
    "treatment": ("visit_key | treatment_class", "v1 | massage", "v1 | education", "v3 | massage"),
    "measurement": (
        "visit_key | measure_id | side | method",
        "v1 | slr | left |",
        "v1 | slr | left | app",
        "v3 | slr | left |",
    ),
}


@pytest.mark.parametrize("table", CURRENT)
def test_current_rows_of_a_visit_of_which_something_was_set_aside(sql: Sandbox, table: str) -> None:
    header, key, other, elsewhere = CURRENT[table]
    sql.run(
        f"staging.{table}",
        {
            f"lake.{table}": f"""
                {header} | delivery_id | row_number | accepted
                {key}   | d1 | 1 | true
                {key}   | d2 | 1 | true
                {key}   | d2 | 2 | false
                {other} | d2 | 3 | true
                {elsewhere} | d2 | 4 | true
                {elsewhere} | d2 | 5 | false
                """,
            f"staging.{table}_set_aside": f"{header} | delivery_id | file | row_number\n {key} | d1 | a.csv | 1",
        },
    )
    sql.expect(
        f"staging.{table}",
        """
        delivery_id | row_number
        d2          | 1
        d2          | 3
        d2          | 4
        """,
    )


def test_visits_in_doubt(sql: Sandbox) -> None:
    sql.run(
        "staging.visit_in_doubt",
        {
            "lake.measurement": """
                visit_key | measure_id        | side  | active_passive | accepted
                clean     | slr               | left  | passive        | true
                clean     | slr               | right | passive        | true
                clean     | knee_flex         | left  | active         | true
                clean     | knee_flex         | left  | passive        | true
                clean     | nprs_avg24h       | none  |                | true
                clean     | ankle_df_wblt_cm  | right | active         | true
                clean     | ankle_pf          | right | active         | true
                twice     | nprs_avg24h       | none  |                | true
                twice     | nprs_avg24h       | none  |                | true
                unread    | nprs_avg24h       | none  |                | true
                unread    | nprs_avg24h       | none  |                | false
                lost      | nprs_avg24h       | none  |                | true
                """,
            "staging.visit": "visit_key\n clean\n twice\n unread",
        },
    )
    sql.expect(
        "staging.visit_in_doubt",
        """
        visit_key | is_repeated | is_orphan
        twice     | true        | false
        lost      | false       | true
        """,
    )


def test_measurements_of_lost_visits(sql: Sandbox) -> None:
    sql.run(
        "staging.measurement_set_aside",
        {
            "staging.visit_in_doubt": "visit_key | is_repeated | is_orphan\n lost | true | true\n kept | true | false",
            "lake.measurement": """
                visit_key | measure_id | side | method
                lost      | slr        | left |
                lost      | slr        | left |
                lost      | slr        | left | app
                kept      | slr        | left |
                """,
            "staging.measurement_repeat": """
                delivery_id | file  | row_number | visit_key | measure_id | side | check_id               | fate
                d1          | a.csv | 2          | lost      | slr        | left | measurement.key.unique | superseded
                """,
        },
    )
    sql.expect(
        "staging.measurement_set_aside",
        """
        row_number | check_id                        | fate
        1          | measurement.visit_key.reference | quarantined
        2          | measurement.key.unique          | superseded
        3          | measurement.visit_key.reference | quarantined
        """,
    )
