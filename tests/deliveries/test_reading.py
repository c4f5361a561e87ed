"""From a file to typed rows: what is kept, what is set aside, what is refused, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliveries.conftest import Reader

COLUMNS = ["visit_key", "measure_id", "side", "active_passive", "method", "rater_key", "value", "unit"]


def test_clean_file_is_accepted_whole(reader: Reader, row: Callable[..., str]) -> None:
    reading = reader.scores(*(row(f"V{i}", value=str(i % 11)) for i in range(20)))
    assert (reading.delivery.state, reading.delivery.ingested, reading.delivery.set_aside) == (State.TYPED, 20, 0)
    rows = reading.rows("measurement")
    assert rows["row_number"].to_list() == list(range(1, 21))
    assert rows["accepted"].all()
    assert rows["violations"].to_list() == [0] * 20
    assert rows["value"].cast(pl.Int64).to_list() == [i % 11 for i in range(20)]
    assert set(rows["delivery_id"]) == {reading.delivery.delivery_id}
    assert set(rows["file"]) == {"scores.csv"}
    assert reading.faults == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("byte-order mark", lambda text: b"\xef\xbb\xbf" + text),
        ("CRLF", lambda text: text.replace(b"\n", b"\r\n")),
        ("no last line end", lambda text: text[:-1]),
        (
            "everything quoted",
            lambda text: b"\n".join(b'"' + b'","'.join(line.split(b",")) + b'"' for line in text.split()) + b"\n",
        ),
        ("mark and quotes", lambda text: b"\xef\xbb\xbf" + text.replace(b"visit_key", b'"visit_key"')),
        ("blanks around column names", lambda text: text.replace(b",measure_id,", b", measure_id ,")),
    ],
)
def test_harmless_differences_change_nothing(
    reader: Reader, row: Callable[..., str], header: str, name: str, change: Callable[[bytes], bytes]
) -> None:
    clean = "\n".join((header, row("V1"), row("V2", value="7"))).encode() + b"\n"
    expected = reader.text(clean).rows("measurement").drop("delivery_id")
    assert change(clean) != clean, name
    assert reader.text(change(clean)).rows("measurement").drop("delivery_id").equals(expected), name


def test_columns_are_bound_by_name(reader: Reader, row: Callable[..., str]) -> None:
    swapped = [*reversed(COLUMNS)]
    lines = [",".join(reversed(row(f"V{i}", value=str(i)).split(","))) for i in range(3)]
    reading = reader.scores(*lines, header=",".join(swapped))
    assert reading.delivery.set_aside == 0
    assert reading.rows("measurement")["visit_key"].to_list() == ["V0", "V1", "V2"]


@pytest.mark.parametrize(
    ("code", "content", "words"),
    [
        ("EMPTY", b"", "scores.csv: the file is empty. Send it again."),
        ("DELIMITER", ";".join(COLUMNS) + "\nV1;nprs_avg24h;none;x;y;z;5,5;points\n", "Declare delimiter: ';'"),
        ("SCHEMA_MISSING", ",".join(COLUMNS[:-1]) + "\n1,2,3,4,5,6,7\n", "column 'unit' is missing"),
        (
            "SCHEMA_EXTRA",
            ",".join([*COLUMNS, "remark"]) + "\n1,2,3,4,5,6,7,8,9\n",
            "column 'remark' is not in the profile",
        ),
        ("SCHEMA_EXTRA", ",".join([*COLUMNS, "5 secret"]) + "\n1,2,3,4,5,6,7,8,9\n", "column 9 is not in the profile"),
        ("SCHEMA_MISSING", ",".join(COLUMNS).replace("value", "score") + "\n", "column 'value' is missing"),
        ("SCHEMA_DUPLICATE", ",".join(COLUMNS).replace("side", "unit") + "\n", "column 'unit' occurs more than once"),
        ("HEADER", "V1,nprs_avg24h,none,not_applicable,questionnaire,R1,5,points\n", "Send a file with a header line"),
        ("HEADER", "<!DOCTYPE html>\n<html><body>502</body></html>\n", "none of the expected columns is there"),
        ("HEADER", "\n" + ",".join(COLUMNS) + "\n", "none of the expected columns is there"),
        ("HEADER", ",".join(COLUMNS) + "\rV1,nprs_avg24h,none,x,y,z,5,points\r", "End lines with LF or CR LF"),
        (
            "ENCODING",
            (",".join(COLUMNS) + "\nM\u00fcnchen,nprs_avg24h,none,x,y,z,5,points\n").encode("latin-1"),
            "is not UTF-8",
        ),
        ("ENCODING", (",".join(COLUMNS) + "\n").encode("utf-16"), "Declare encoding: utf-16 in the profile"),
        ("ENCODING", (",".join(COLUMNS) + "\n").encode("utf-16-le"), "UTF-16 without a byte-order mark"),
        ("FORMAT", b"\x1f\x8b\x08\x00" + bytes(range(256)), "packed by gzip but its name does not say so"),
        ("STRUCTURE", ",".join(COLUMNS) + '\nV1,a"b,none,x,y,z,5,points\n', "scores.csv, row 1: a quotation mark"),
        (
            "STRUCTURE",
            ",".join(COLUMNS) + '\nV1,a,none,x,y,z,5,points\nV2,"a,none,x,y,z,5,points\n',
            "row 2: a quotation",
        ),
    ],
)
def test_unusable_file_is_refused_in_one_sentence(reader: Reader, code: str, content: bytes | str, words: str) -> None:
    reading = reader.text(content)
    assert (reading.delivery.state, reading.delivery.problem_code) == (State.REJECTED, code)
    assert words in str(reading.delivery.problem)
    assert str(reading.delivery.problem).count("\n") == 0
    assert list((reading.folder / "rows").iterdir()) == []
    assert reading.delivery.ingested == reading.delivery.rejected


def test_refused_rows_are_counted(reader: Reader, row: Callable[..., str]) -> None:
    """Records, not line ends: the last line may have none, and a quoted field may hold one."""
    assert reader.scores(row("V1"), row("V2")[:-1], header="a,b").delivery.rejected == 2
    assert reader.text("a,b\n1,2\n3,4").delivery.rejected == 2
    assert reader.text('a,b\n1,"x\ny"\n3,4\n').delivery.rejected == 2
    assert reader.text("a\xe9,b\n1,2\n3,4".encode("latin-1")).delivery.rejected == 2
    assert reader.text("").delivery.rejected == 0


def test_header_alone_is_a_delivery_of_no_rows(reader: Reader, header: str) -> None:
    for content in (header, header + "\n", header + "\r\n"):
        reading = reader.text(content)
        assert (reading.delivery.state, reading.delivery.ingested) == (State.TYPED, 0)
        assert reading.rows("measurement").is_empty()


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("measurement.value.possible.nprs_avg24h", {"value": "11"}),
        ("measurement.value.possible.nprs_avg24h", {"value": "-1"}),
        ("measurement.value.decimals", {"value": "5.5"}),
        (
            "measurement.value.possible.shld_flex",
            {"measure_id": "shld_flex", "side": "left", "value": "400", "unit": "deg"},
        ),
        ("measurement.unit.of_measure", {"measure_id": "shld_flex", "side": "left", "value": "90", "unit": "inch"}),
        ("measurement.value.possible.vas_mm", {"measure_id": "vas_mm", "value": "650", "unit": "mm"}),
        ("measurement.unit.of_measure", {"measure_id": "vas_mm", "value": "65", "unit": "cm"}),
        ("measurement.measure_id.allowed", {"measure_id": "nprs_someday"}),
        ("measurement.side.allowed", {"side": "LEFTT"}),
        ("measurement.side.of_measure", {"side": "left"}),
        ("measurement.side.of_measure", {"measure_id": "shld_flex", "side": "none", "value": "90", "unit": "deg"}),
        ("measurement.visit_key.required", {"visit_key": ""}),
        ("measurement.rater_key.pattern", {"rater_key": "../../etc"}),
        ("measurement.value.required", {"value": ""}),
        ("measurement.unit.required", {"unit": ""}),
    ],
)
def test_bad_row_is_set_aside_with_its_reason(
    reader: Reader, row: Callable[..., str], fault: str, changes: dict[str, str]
) -> None:
    reading = reader.scores(row("V1"), row(**{"visit_key": "V2", **changes}), row("V3"))
    assert (2, fault) in reading.faults
    assert {number for number, _ in reading.faults} == {2}
    assert reading.delivery.set_aside == 1
    assert reading.rows("measurement")["accepted"].to_list() == [True, False, True]
    kept = reading.quarantined("measurement")
    assert kept["row_number"].to_list() == [2]
    assert sorted(kept["checks"][0]) == [check for _, check in reading.faults]


def test_ragged_and_control_rows_are_set_aside_alone(reader: Reader, row: Callable[..., str]) -> None:
    lines = [row(f"V{i}") for i in range(1, 8)]
    lines[1] += ",extra"
    lines[2] = "V3,nprs_avg24h"
    lines[4] = row("V5", rater_key="R\x001")
    lines[5] = row("V6", rater_key="x" * 3_000_000)
    reading = reader.scores(*lines)
    assert [n for n, check in reading.faults if check == "measurement.row.structure"] == [2, 3, 5, 6]
    assert reading.rows("measurement").filter("accepted")["visit_key"].to_list() == ["V1", "V4", "V7"]
    assert reading.delivery.ingested == 7


def test_blank_line_is_a_record_set_aside(reader: Reader, row: Callable[..., str]) -> None:
    for quote in ("", '"'):
        reading = reader.scores(row("V1"), "", row(f"{quote}V3{quote}"))
        assert reading.rows("measurement")["accepted"].to_list() == [True, False, True]


def test_row_numbers_count_records_not_lines(reader: Reader, row: Callable[..., str]) -> None:
    """A control character after a quoted line end is found in its own row."""
    reading = reader.scores(row("V1", rater_key='"R\n1"'), row("V2", rater_key="R\x002"), row("V3"), row("V4"))
    assert reading.delivery.ingested == 4
    assert reading.rows("measurement")["row_number"].to_list() == [1, 2, 3, 4]
    assert reading.faults == [
        (1, "measurement.rater_key.pattern"),
        (2, "measurement.rater_key.pattern"),
        (2, "measurement.row.structure"),
    ]


def test_declared_delimiter_is_used(reader: Reader, row: Callable[..., str], header: str) -> None:
    profile = """
    profile: scores
    version: 1
    description: Semicolons
    privacy_mode: safe_harbor
    files:
      - {match: "*.csv", delimiter: ";", tables: [{table: measurement, fields: same_names}]}
    """
    text = (
        "\n".join((header, row("V1", value="5,5").replace("5,5", "5#5"), row("V2"))).replace(",", ";").replace("#", ",")
    )
    reading = reader.files({"scores.csv": text}, profile)
    assert reading.faults == [(1, "measurement.value.readable")]
    assert reading.rows("measurement")["value__text"].to_list() == ["5,5", None]


def test_every_record_is_accepted_or_set_aside(reader: Reader, row: Callable[..., str]) -> None:
    """Conservation, counted again from what was written."""
    lines = [row(f"V{i}", value=value) for i, value in enumerate(["5", "11", "x", "", "0", "10", "5.5"])]
    lines.insert(3, "broken")
    reading = reader.scores(*lines)
    rows = reading.rows("measurement")
    accepted, set_aside = rows.filter("accepted").height, rows.filter(~pl.col("accepted")).height
    assert (accepted, set_aside) == (3, 5)
    assert reading.quarantined("measurement").height == set_aside
    assert len({number for number, _ in reading.faults}) == set_aside
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (len(lines), set_aside)
    assert rows.filter("accepted")["violations"].to_list() == [0] * accepted


def test_missing_file_of_a_folder_is_named(reader: Reader) -> None:
    profile = """
    profile: two
    version: 1
    description: Two files
    privacy_mode: safe_harbor
    files:
      - {match: "patient.csv", tables: [{table: patient, fields: same_names}]}
      - {match: "precaution.csv", tables: [{table: precaution, fields: same_names}]}
    """
    reading = reader.files({"patient.csv": "patient_key,sex,age_years,zip3,population\nP1,F,40,,\n"}, profile)
    assert reading.delivery.problem_code == "INCOMPLETE"
    assert "precaution.csv is missing" in str(reading.delivery.problem)
    assert reading.delivery.rejected == 1


def test_two_files_of_one_pattern_are_both_read(reader: Reader) -> None:
    profile = """
    profile: parts
    version: 1
    description: Patients in parts
    privacy_mode: safe_harbor
    files:
      - {match: "patient*.csv", tables: [{table: patient, fields: same_names}]}
      - {match: "pat*.csv", tables: [{table: precaution, fields: same_names}], optional: true}
    """
    header = "patient_key,sex,age_years,zip3,population\n"
    reading = reader.files({"patient1.csv": header + "P1,F,40,,\n", "patient2.csv": header + "P2,M,4000,,\n"}, profile)
    assert reading.rows("patient").select("patient_key", "file", "accepted").rows() == [
        ("P1", "patient1.csv", True),
        ("P2", "patient2.csv", False),
    ]
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (2, 1)


def test_skip_when_blank_makes_no_row(reader: Reader) -> None:
    """Also where a file feeds one table only; a malformed row is not skipped."""
    profile = """
    profile: skipping
    version: 1
    description: Rows without a kind are not precautions
    privacy_mode: safe_harbor
    files:
      - match: "*.csv"
        tables:
          - table: precaution
            skip_when_blank: kind
            fields: {patient_key: id, precaution_type: kind, present: {constant: "yes"}}
    """
    reading = reader.files({"p.csv": "id,kind\nP1,anticoagulant\nP2,\nP3\nP4,pregnancy,x\n"}, profile)
    assert reading.rows("precaution").sort("row_number").select("row_number", "accepted").rows() == [
        (1, True),
        (3, False),
        (4, False),
    ]
    assert reading.rows("source_row").select("row_number", "accepted").rows() == [
        (1, True),
        (2, True),
        (3, False),
        (4, False),
    ]
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (4, 2)


def test_reading_again_gives_the_same(reader: Reader, row: Callable[..., str]) -> None:
    lines = [row("V1"), row("V2", value="11")]
    first, second = reader.scores(*lines), reader.scores(*lines)
    assert first.delivery == second.delivery
    assert first.rows("measurement").equals(second.rows("measurement"))
