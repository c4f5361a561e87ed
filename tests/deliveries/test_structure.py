"""The byte pass agrees with Python's csv reader, whatever the chunk size and quoting."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.deliveries import structure
from assets.deliveries.problems import InputProblem
from assets.deliveries.structure import read_structure

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "a,b,c\n"
QUIET = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
CELLS = st.text(alphabet=st.sampled_from('x7 ,;"\n\u00e9\u20ac\U0001f600'), max_size=6)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12)


def shape(folder: Path, content: bytes | str, delimiter: str = ",") -> tuple[int, tuple[int, ...]]:
    path = folder / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = read_structure(path, "t.csv", delimiter)
    return found.records, found.malformed


def problem(folder: Path, content: bytes | str) -> InputProblem:
    with pytest.raises(InputProblem) as caught:
        shape(folder, content)
    return caught.value


@pytest.mark.parametrize(
    ("content", "records", "malformed"),
    [
        (HEADER, 0, ()),
        (HEADER + "1,2,3", 1, ()),
        (HEADER + "1,2,3\n", 1, ()),
        (HEADER + "1,2\n4,5,6\n", 2, (1,)),
        (HEADER + "1,2,3\n4,5,6,7", 2, (2,)),
        (HEADER + "1,2,3\n\n4,5,6\n", 3, (2,)),
        (HEADER + "1,2,3\n\n", 2, (2,)),
        ("a,b,c\r\n1,2,3\r\n4,5,6", 2, ()),
        (HEADER + "1,2\r9,3\n4,5,6\n", 2, (1,)),
        (HEADER + "1,2\x009,3\n4,5,6\n", 2, (1,)),
        (HEADER + "1,2\x1b9,3\n4,5,6\n", 2, (1,)),
        (HEADER + "1,2\t,3\n", 1, ()),
        (HEADER + '1,"x\ny",3\n4,5\x00,6\n7,8,9\n', 3, (2,)),
        (HEADER + '1,"a""b",3\n4,"",6\n7,"""",9\n', 3, ()),
        (HEADER + '1,"2",3,4\n4,"5"\n7,8,9\n', 3, (1, 2)),
        (HEADER + '1,"x\r\ny",3\r\n4,5,6\r\n', 2, ()),
        ('\ufeff"a","b","c"\n1,2,3\n', 1, ()),
        ('"a\nz",b,c\n1,2,3\n', 1, ()),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
def test_records_and_malformed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, records: int, malformed: tuple[int, ...], chunk: int
) -> None:
    monkeypatch.setattr(structure, "CHUNK_BYTES", chunk)
    assert shape(tmp_path, content) == (records, malformed)


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        (HEADER + '1,2",3\n4,5,6\n', "STRUCTURE", "t.csv, row 1"),
        (HEADER + '1,2,3\n4,2"x"y,3\n', "STRUCTURE", "t.csv, row 2"),
        (HEADER + '1,"2"x,3\n', "STRUCTURE", "t.csv, row 1"),
        (HEADER + '1, "2",3\n', "STRUCTURE", "t.csv, row 1"),
        (HEADER + '1,""\r7,3\n', "STRUCTURE", "t.csv, row 1"),
        (HEADER + '1,2,3\n4,"5,6\n7,8,9\n', "STRUCTURE", "t.csv, row 2"),
        (HEADER + '1,2,3\n4,5,"', "STRUCTURE", "t.csv, row 2"),
        ("a,b,c\r1,2,3\r", "HEADER", "t.csv, header"),
        (b"a,b,c\n1,2,3\n4,\xff,6\n", "ENCODING", "t.csv, line 3"),
        (b"a,b,c\n1,2,\xc3", "ENCODING", "t.csv, line 2"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
def test_what_cannot_be_told_apart_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | str, code: str, where: str, chunk: int
) -> None:
    monkeypatch.setattr(structure, "CHUNK_BYTES", chunk)
    found = problem(tmp_path, content)
    assert (found.code, found.where) == (code, where)


def test_bad_byte_deep_in_the_file_is_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "CHUNK_BYTES", 64)
    monkeypatch.setattr(structure, "HEADER_BYTES", 64)
    found = problem(tmp_path, HEADER.encode() + b"1,2,3\n" * 100 + b"1,\xe9,3\n")
    assert found.where == "t.csv, line 102"


def test_endless_record_is_refused_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "CHUNK_BYTES", 100)
    monkeypatch.setattr(structure, "MAXIMUM_RECORD_BYTES", 1000)
    assert problem(tmp_path, HEADER + "x" * 5000).where == "t.csv, row 1"
    assert problem(tmp_path, HEADER + '1,2,3\n1,"' + "4,5,6\n" * 500).where == "t.csv, row 2"


def test_long_line_is_malformed(tmp_path: Path) -> None:
    assert shape(tmp_path, HEADER + "1," + "x" * 5000 + ",3\n4,5,6\n") == (2, (1,))


def test_three_megabyte_field_is_one_malformed_record(tmp_path: Path) -> None:
    assert shape(tmp_path, HEADER + "1,2,3\n4," + "x" * 3_000_000 + ",6\n7,8,9\n") == (3, (2,))


def test_many_columns_may_make_long_lines(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(300))
    assert shape(tmp_path, header + "\n" + ",".join(["123456789012345678"] * 300) + "\n") == (1, ())


@QUIET
@given(table=TABLES, chunk=st.integers(1, 40), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_agrees_with_the_csv_reader(tmp_path: Path, table: list[list[str]], chunk: int, quoting: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["a", "b", "c"])
    writer.writerows(table)
    content = text.getvalue()
    expected = list(csv.reader(io.StringIO(content, newline="")))[1:]
    wrong = tuple(number for number, fields in enumerate(expected, start=1) if len(fields) != 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "CHUNK_BYTES", chunk)
        assert shape(tmp_path, content) == (len(expected), wrong)


@QUIET
@given(content=st.binary(max_size=200), chunk=st.integers(1, 50))
def test_any_bytes_give_the_same_answer_for_any_chunk(tmp_path: Path, content: bytes, chunk: int) -> None:
    answers = []
    for size in (chunk, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(structure, "CHUNK_BYTES", size)
            try:
                answers.append(str(shape(tmp_path, b"a,b\n" + content)))
            except InputProblem as found:
                answers.append(found.code)
    assert answers[0] == answers[1]


@QUIET
@given(
    rows=st.lists(st.lists(st.text(alphabet="x7 \u00e9;", max_size=5), min_size=1, max_size=5), min_size=1, max_size=10)
)
def test_quotes_that_are_not_needed_change_nothing(tmp_path: Path, rows: list[list[str]]) -> None:
    plain = HEADER + "".join(",".join(row) + "\n" for row in rows)
    quoted = HEADER + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    assert shape(tmp_path, plain) == shape(tmp_path, quoted)
