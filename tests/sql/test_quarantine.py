"""What became of a row that was set aside: each status, by whom it was corrected, whose row it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

DELIVERIES = """
    delivery_id | label    | extract_stamp        | state
    d9          | west     | 2026-01-01T00:00:00Z | accepted
    d2          | north    | 2026-02-01T00:00:00Z | accepted
    d1          | north    | 2026-02-01T00:00:00Z | accepted
    d0          | refused  | 2030-01-01T00:00:00Z | rejected
    """


def test_findings_on_reading_and_by_the_models(sql: Sandbox) -> None:
    sql.run(
        "audit.quarantine_finding",
        {
            "lake.violation": """
                delivery_id | file  | table_name  | row_number | check_id
                d1          | b.csv | measurement | 9          | measurement.value.readable
                d1          | b.csv | measurement | 9          | measurement.value.readable
                """,
            "audit.row_set_aside": """
                table_name  | delivery_id | file  | row_number | check_id         | fate
                visit       | d1          | a.csv | 1          | visit.key.unique | quarantined
                visit       | d1          | a.csv | 2          | visit.key.unique | superseded
                """,
        },
    )
    sql.expect(
        "audit.quarantine_finding",
        """
        table_name  | file  | row_number | check_id                   | is_current
        measurement | b.csv | 9          | measurement.value.readable | true
        visit       | a.csv | 1          | visit.key.unique           | true
        """,
    )


def test_findings_of_earlier_readings_count_where_the_row_was_taken_in(sql: Sandbox) -> None:
    sql.run(
        "audit.quarantine_finding",
        {
            "lake.violation": """
                delivery_id | file  | table_name  | row_number | check_id
                d1          | b.csv | measurement | 2          | measurement.side.of_measure
                """,
            "lake.reading_history": """
                delivery_id | file  | table_name  | row_number | check_id
                d1          | b.csv | measurement | 1          | measurement.unit.of_measure
                d1          | b.csv | measurement | 1          | measurement.unit.of_measure
                d1          | b.csv | measurement | 2          | measurement.unit.of_measure
                """,
        },
    )
    sql.expect(
        "audit.quarantine_finding",
        """
        row_number | check_id                    | is_current
        1          | measurement.unit.of_measure | false
        2          | measurement.side.of_measure | true
        """,
    )


def test_keys_of_rows_set_aside(sql: Sandbox) -> None:
    sql.run(
        "audit.quarantine_row",
        {
            "lake.visit": """
                visit_key | episode_key | violations | accepted
                v1        | e1          | 4          | false
                v2        | e1          | 0          | false
                v3        | e1          | 0          | true
                """,
            "lake.measurement": """
                visit_key | measure_id | side | method | violations | accepted | row_number | file
                v1        | slr        | left |        | 2          | false    | 7          | wide.csv
                v1        | slr        | right | tape  | 2          | false    | 7          | wide.csv
                """,
            "staging.precaution_set_aside": """
                delivery_id | file  | row_number | patient_key | precaution_type | fate
                d1          | p.csv | 1          | p1          | pregnancy       | quarantined
                d1          | p.csv | 2          | p1          | pregnancy       | superseded
                """,
        },
    )
    found = sql.con.execute(
        "select table_name, file, row_number, key_1, key_2, key_3, key_4, key_5, visit_key, episode_key, patient_key "
        "from audit.quarantine_row order by all"
    ).fetchall()
    assert found == [
        ("measurement", "wide.csv", 7, "v1", "slr", "left", "", "", "v1", None, None),
        ("measurement", "wide.csv", 7, "v1", "slr", "right", "", "tape", "v1", None, None),
        ("precaution", "p.csv", 1, "p1", "pregnancy", "", "", "", None, None, "p1"),
        ("visit", "a.csv", 1, "v1", "", "", "", "", "v1", "e1", None),
    ]


ROWS = """
    delivery_id | file | row_number | table_name | key_1 | key_2 | key_3 | key_4 | key_5
    """


def give_rows(sql: Sandbox, *rows: tuple[str, int, str, list[str | None]]) -> None:
    """Set rows aside; a part of the key that is not given is ''."""
    sql.give("audit.quarantine_row", ROWS)
    for delivery_id, row_number, table, key in rows:
        cells = [*key, *[""] * (5 - len(key))]
        sql.con.execute(
            "insert into audit.quarantine_row (delivery_id, file, row_number, table_name, key_1, key_2, key_3, key_4, "
            "key_5) values (?, 'a.csv', ?, ?, ?, ?, ?, ?, ?)",
            [delivery_id, row_number, table, *cells],
        )


SHAPES = {
    "patient": ("patient_key", "p1"),
    "episode": ("episode_key", "e1"),
    "visit": ("visit_key", "v1"),
    "treatment": ("visit_key | treatment_class", "v1 | massage"),
    "adverse_event": ("visit_key | event_type", "v1 | fatigue"),
    "precaution": ("patient_key | precaution_type", "p1 | pregnancy"),
    "measurement": ("visit_key | measure_id | side", "v1 | slr | left"),
}


@pytest.mark.parametrize("table", SHAPES)
@pytest.mark.parametrize(
    ("delivery_id", "accepted", "corrected"),
    [
        pytest.param("d2", "true", True, id="later by stamp and id"),
        pytest.param("d2", "false", False, id="later but set aside too"),
        pytest.param("d9", "true", False, id="earlier by stamp though later by id"),
        pytest.param("d1", "true", False, id="the same delivery"),
    ],
)
def test_a_later_row_of_the_same_key_corrects(
    sql: Sandbox, table: str, delivery_id: str, accepted: str, *, corrected: bool
) -> None:
    header, key = SHAPES[table]
    give_rows(sql, ("d1", 1, table, [part.strip() for part in key.split("|")]))
    sql.run(
        "audit.quarantine_correction",
        {
            "lake.delivery": DELIVERIES,
            f"lake.{table}": f"{header} | delivery_id | accepted\n {key} | {delivery_id} | {accepted}",
        },
    )
    found = sql.con.execute("select table_name, row_number, corrected_by from audit.quarantine_correction").fetchall()
    assert found == ([(table, 1, delivery_id)] if corrected else [])


@pytest.mark.parametrize(
    ("delivery_id", "accepted", "corrected"),
    [
        pytest.param("d2", "true", True, id="later"),
        pytest.param("d1", "true", True, id="the same delivery"),
        pytest.param("d9", "true", False, id="earlier"),
        pytest.param("d2", "false", False, id="a withdrawal that was set aside itself"),
    ],
)
def test_a_withdrawal_of_the_key_corrects(sql: Sandbox, delivery_id: str, accepted: str, *, corrected: bool) -> None:
    give_rows(sql, ("d1", 1, "treatment", ["v1", "massage"]), ("d1", 2, "visit", ["v1"]))
    sql.give("lake.delivery", DELIVERIES)
    sql.give("lake.withdrawal", "delivery_id | table_name\n d0 | visit")
    sql.con.execute(
        "insert into lake.withdrawal (delivery_id, file, row_number, table_name, key_1, key_2, key_3, key_4, key_5, "
        "accepted) values (?, 'w.csv', 1, 'treatment', 'v1', 'massage', '', '', '', ?)",
        [delivery_id, accepted == "true"],
    )
    sql.run("audit.quarantine_correction")
    found = sql.con.execute("select row_number, corrected_by from audit.quarantine_correction").fetchall()
    assert found == ([(1, delivery_id)] if corrected else [])


def test_a_source_row_is_corrected_once_all_its_keys_are(sql: Sandbox) -> None:
    give_rows(
        sql,
        ("d9", 1, "measurement", ["v1", "slr", "left"]),
        ("d9", 1, "measurement", ["v1", "slr", "right"]),
        ("d9", 2, "measurement", ["v2", "slr", "left"]),
        ("d9", 2, "measurement", ["v2", "slr", "right"]),
        ("d9", 3, "measurement", [None, "slr", "left"]),
    )
    sql.run(
        "audit.quarantine_correction",
        {
            "lake.delivery": DELIVERIES,
            "lake.measurement": """
                visit_key | measure_id | side  | delivery_id
                v1        | slr        | left  | d1
                v1        | slr        | right | d2
                v2        | slr        | left  | d1
                          | slr        | left  | d1
                """,
        },
    )
    sql.expect("audit.quarantine_correction", "row_number | corrected_by\n 1 | d2")


def test_whose_row_it_is_and_which_parent_never_came(sql: Sandbox) -> None:
    sql.run(
        "audit.quarantine_origin",
        {
            "lake.delivery": DELIVERIES,
            "audit.quarantine_row": """
                delivery_id | file  | row_number | table_name  | visit_key | episode_key | patient_key | clinic_key
                d1          | a.csv | 1          | measurement | v1        |             |             |
                d1          | a.csv | 2          | measurement | gone      |             |             |
                d1          | a.csv | 3          | measurement | v2        |             |             |
                d1          | a.csv | 4          | measurement | v3        |             |             |
                d1          | a.csv | 5          | visit       | v4        | e1          |             |
                d1          | a.csv | 6          | visit       | v2        |             |             |
                d1          | a.csv | 7          | episode     |           | e9          | p9          | c9
                d1          | a.csv | 8          | patient     |           |             | p1          |
                d1          | a.csv | 9          | precaution  |           |             | p2          |
                d1          | a.csv | 10         | measurement |           |             |             |
                d1          | a.csv | 11         | episode     |           | e8          | p9          | c2
                """,
            "lake.visit": """
                visit_key | episode_key | accepted | delivery_id
                v1        | e1          | true     | d1
                v1        | old         | true     | d9
                v2        | gone        | true     | d1
                v3        | gone        | false    | d1
                """,
            "lake.episode": """
                episode_key | patient_key | clinic_key | accepted
                e1          | p1          | c1         | true
                e2          | p1          | c1         | false
                e3          | p2          | c1         | true
                e4          | p2          | c2         | true
                """,
            "lake.patient": "patient_key\n p1\n p2",
        },
    )
    sql.expect(
        "audit.quarantine_origin",
        """
        row_number | table_name  | clinic_key | missing_parent
        1          | measurement | c1         |
        2          | measurement |            | visit
        3          | measurement |            | episode
        4          | measurement |            |
        5          | visit       | c1         |
        6          | visit       |            | episode
        7          | episode     |            | patient
        8          | patient     | c1         |
        9          | precaution  |            |
        10         | measurement |            |
        11         | episode     | c2         | patient
        """,
    )


FINDINGS = """
    delivery_id | file  | row_number | table_name | check_id         | is_current
    d1          | a.csv | 1          | visit      | visit.key.unique | true
    d1          | a.csv | 2          | visit      | visit.key.unique | true
    d1          | b.csv | 2          | visit      | visit.key.unique | true
    d2          | a.csv | 1          | visit      | visit.key.unique | true
    d2          | a.csv | 3          | visit      | visit.key.unique | false
    """


@pytest.mark.parametrize(
    ("waiver", "covered"),
    [
        pytest.param("visit.key.unique | | | | 2026-12-31 | to_do", 4, id="a whole check"),
        pytest.param("visit.key.unique | d1 | | | 2026-12-31 | to_do", 3, id="of a delivery"),
        pytest.param("visit.key.unique | d1 | a.csv | | 2026-12-31 | to_do", 2, id="of a file"),
        pytest.param("visit.key.unique | d1 | a.csv | 2 | 2026-12-31 | to_do", 1, id="of a row"),
        pytest.param("visit.key.unique | d3 | | | 2026-12-31 | to_do", 0, id="of another delivery"),
        pytest.param("episode.key.unique | | | | 2026-12-31 | to_do", 0, id="of another check"),
        pytest.param("visit.key.unique | | | | 2026-12-31 | hold", 0, id="of a hold"),
    ],
)
def test_what_a_waiver_covers(sql: Sandbox, waiver: str, covered: int) -> None:
    sql.run(
        "audit.quarantine_waiver",
        {
            "lake.delivery": DELIVERIES,
            "audit.quarantine_finding": FINDINGS,
            "lake.waiver": f"check_id | delivery_id | file | row_number | ends_on | lifts\n {waiver}",
        },
    )
    assert sql.con.execute("select count(*) from audit.quarantine_waiver").fetchall() == [(covered,)]


@pytest.mark.parametrize(
    ("ends_on", "is_in_force"), [("2026-01-31", False), ("2026-02-01", True), ("2026-02-02", True)]
)
def test_a_waiver_ends_by_the_latest_accepted_extract_and_not_by_today(
    sql: Sandbox, ends_on: str, *, is_in_force: bool
) -> None:
    sql.run(
        "audit.quarantine_waiver",
        {
            "lake.delivery": DELIVERIES,
            "audit.quarantine_finding": FINDINGS,
            "lake.waiver": f"""
                check_id         | delivery_id | file | row_number | ends_on    | lifts
                visit.key.unique |             |      |            | {ends_on}  | to_do
                visit.key.unique |             |      |            | 2025-01-01 | to_do
                """,
        },
    )
    found = sql.con.execute("select distinct ends_on, is_in_force from audit.quarantine_waiver").fetchall()
    assert found == [(ends_on, is_in_force)]


def test_status_of_every_kind_and_its_sentence(sql: Sandbox) -> None:
    sql.run(
        "audit.quarantine",
        {
            "lake.delivery": DELIVERIES,
            "audit.quarantine_finding": """
                delivery_id | file  | row_number | table_name  | check_id                    | is_current
                d1          | a.csv | 1          | measurement | measurement.value.readable  | true
                d1          | a.csv | 2          | measurement | measurement.value.readable  | true
                d1          | a.csv | 3          | measurement | measurement.value.readable  | true
                d1          | a.csv | 4          | measurement | measurement.value.readable  | true
                d1          | a.csv | 5          | measurement | measurement.unit.of_measure | false
                d1          | a.csv | 6          | visit       | visit.episode_key.reference | true
                d1          | a.csv | 7          | visit       | no.such.check               | true
                """,
            "audit.quarantine_correction": """
                delivery_id | file  | row_number | table_name  | corrected_by
                d1          | a.csv | 2          | measurement | d2
                """,
            "audit.quarantine_waiver": """
                delivery_id | file  | row_number | table_name  | check_id                   | ends_on    | is_in_force
                d1          | a.csv | 2          | measurement | measurement.value.readable | 2026-12-31 | true
                d1          | a.csv | 3          | measurement | measurement.value.readable | 2026-12-31 | true
                d1          | a.csv | 4          | measurement | measurement.value.readable | 2026-01-01 | false
                """,
            "audit.quarantine_origin": """
                delivery_id | file  | row_number | table_name  | clinic_key | missing_parent
                d1          | a.csv | 1          | measurement | c1         | visit
                d1          | a.csv | 6          | visit       |            | episode
                """,
        },
    )
    sql.expect(
        "audit.quarantine",
        """
        row_number | reason | status | corrected_by | waived_until | clinic_key | delivery_label | missing_parent
        1          | NOT_NUMERIC | open        |              |              | c1         | north          |
        2          | NOT_NUMERIC | corrected   | d2           | 2026-12-31   |            | north          |
        3          | NOT_NUMERIC | waived      |              | 2026-12-31   |            | north          |
        4          | NOT_NUMERIC | expired     |              | 2026-01-01   |            | north          |
        5          | UNIT        | re_ingested |              |              |            | north          |
        6          | ORPHAN      | open        |              |              |            | north          | episode
        7          | UNREADABLE  | open        |              |              |            | north          |
        """,
    )
    sentences = dict(
        sql.con.execute("select check_id, any_value(sentence) from audit.quarantine group by all").fetchall()
    )
    assert sentences["measurement.unit.of_measure"] == "The unit is the unit of the measure."
    assert all(sentences.values())


def test_waivers_of_holds_and_whether_they_are_in_force(sql: Sandbox) -> None:
    sql.run(
        "audit.hold_waiver",
        {
            "lake.delivery": DELIVERIES,
            "lake.waiver": """
                check_id     | delivery_id | file | row_number | ends_on    | lifts
                visit.schema |             |      |            | 2026-01-31 | hold
                visit.schema |             |      |            | 2026-02-01 | hold
                visit.schema | d1          |      |            | 2026-01-31 | hold
                visit.key    |             |      |            | 2026-12-31 | to_do
                """,
        },
    )
    sql.expect(
        "audit.hold_waiver",
        """
        check_id     | delivery_id | ends_on    | is_in_force
        visit.schema | all         | 2026-02-01 | true
        visit.schema | d1          | 2026-01-31 | false
        """,
    )
