"""FHIR NDJSON as a table of text: what is taken arrives exactly, what cannot be trusted is counted, nobody is named."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.deliveries.formats import fhir
from assets.deliveries.formats.fhir import BATCH_ROWS, MAXIMUM_LINE_BYTES, MAXIMUM_TEXT, check_paths, open_fhir
from assets.deliveries.limits import Limits
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile.fields import FileSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assets.deliveries.formats import TextTable

CANARY = "Zxqcanary"
COLUMNS = {
    "id": "id",
    "encounter": "encounter.reference",
    "code": "code.coding[?system=='http://loinc.org'].code | [0]",
    "value": "not_null(valueQuantity.value, valueInteger)",
    "day": "extension[?url=='urn:needlepoint:day'].valueInteger | [0]",
}
SOURCE = FileSource(match="*.ndjson", format="fhir", resource="Observation", columns=COLUMNS)
GOOD: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "O1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
    "encounter": {"reference": "Encounter/E1"},
    "valueQuantity": {"value": 5, "code": "{score}"},
    "extension": [{"url": "urn:needlepoint:day", "valueInteger": 14}],
}
GOOD_ROW = {"id": "O1", "encounter": "E1", "code": "72514-3", "value": "5", "day": "14"}


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., TextTable]:
    """Open a file of these lines (bytes, text, or resources to be written as JSON)."""

    def open_lines(*lines: object, columns: dict[str, str] | None = None, **how: Any) -> TextTable:
        path = tmp_path / "Observation.ndjson"
        path.write_bytes(b"\n".join(map(as_bytes, lines)))
        source = SOURCE if columns is None else SOURCE.model_copy(update={"columns": columns})
        return open_fhir(path, path.name, source, tmp_path, "safe_harbor", **how)

    return open_lines


def as_bytes(line: object) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line)).encode()


def malformed(table: TextTable) -> list[bool]:
    return table.rows.collect()["structure"].to_list()


@pytest.fixture
def value_of(
    opened: Callable[..., TextTable], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[str | None, bool]]:
    """What becomes of one value as written in JSON, and whether its line is malformed; a good line stands beside it."""
    monkeypatch.setattr(fhir, "identifying_elements", lambda *_: [])

    def read(value: str, path: str = "v") -> tuple[str | None, bool]:
        line = f'{{"resourceType": "Observation", "v": {value}}}'
        row = opened(line, GOOD, columns={"v": path}).rows.collect().row(0, named=True)
        return row["v"], row["structure"]

    return read


def test_one_line_is_one_record_in_order(opened: Callable[..., TextTable]) -> None:
    table = opened(GOOD, GOOD | {"id": "O2", "valueQuantity": {"value": 0}}, GOOD | {"id": "O3"})
    assert table.header == tuple(COLUMNS)
    assert table.records == 3
    assert table.rows.collect().rows(named=True) == [
        GOOD_ROW | {"row_number": 1, "structure": False},
        GOOD_ROW | {"id": "O2", "value": "0", "row_number": 2, "structure": False},
        GOOD_ROW | {"id": "O3", "row_number": 3, "structure": False},
    ]


@pytest.mark.parametrize(
    "number", ["0", "-3", "1.10", "176.35499866729558", "1E-2", "12345678901234567890", "0.0", "1e400"]
)
def test_numbers_are_as_they_were_written(value_of: Callable[..., tuple[str | None, bool]], number: str) -> None:
    assert value_of(number) == (number, False)


@pytest.mark.parametrize(
    ("value", "text"),
    [("true", "true"), ("false", "false"), ("null", None), ("[]", None), ('""', None), ('"caf\\u00e9"', "café")],
)
def test_what_else_a_value_becomes(
    value_of: Callable[..., tuple[str | None, bool]], value: str, text: str | None
) -> None:
    assert value_of(value) == (text, False)


def test_numbers_can_be_compared_and_added(value_of: Callable[..., tuple[str | None, bool]]) -> None:
    assert value_of("[1.5, 2, 3.25]", "sum(v)") == ("6.75", False)
    assert value_of("[1.5, 2, 3.25]", "v[?@ > `3`] | [0]") == ("3.25", False)


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("Encounter/E1", "E1"),
        ("https://ehr.example.org/fhir/Encounter/E1", "E1"),
        ("https://ehr.example.org/fhir/Encounter/E1/_history/2", "E1"),
        ("#contained", "#contained"),
        ("mg/kg", "mg/kg"),
        ("Encounter/", "Encounter/"),
    ],
)
def test_a_reference_is_the_id_it_ends_in(
    value_of: Callable[..., tuple[str | None, bool]], reference: str, key: str
) -> None:
    assert value_of(json.dumps(reference)) == (key, False)


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        '{"a": 1}',
        "[1]",
        '["a", "b"]',
        '"a\\u0000b"',
        '"a\\nb"',
        '"\\ud800"',
        json.dumps("x" * (MAXIMUM_TEXT + 1)),
        "NaN",
        "-Infinity",
        "1" * 5000,
        "01",
        "5,",
    ],
)
def test_a_value_that_is_no_text_makes_the_record_malformed(
    value_of: Callable[..., tuple[str | None, bool]], value: str
) -> None:
    assert value_of(value) == (None, True)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"resourceType": "Observation", "id": "O2"',
        "[]",
        "null",
        '"Observation"',
        '{"resourceType": "Observation", "id": "O2", "id": "O3"}',
        '{"resourceType": "Observation", "code": {"text": 1, "coding": [], "coding": []}}',
        '{"resourceType": "Observation"} {"resourceType": "Observation"}',
        b'{"resourceType": "Observation", "id": "\xff"}',
        b'{"resourceType": "Observation", "id": "\x00"}',
        '{"resourceType": "Encounter", "id": "O2"}',
        '{"id": "O2"}',
        '{"resourceType": "Observation", "v": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"resourceType": "Observation", "v": "' + "x" * MAXIMUM_LINE_BYTES + '"}',
    ],
)
def test_a_line_that_cannot_be_trusted_is_counted_and_blank(opened: Callable[..., TextTable], line: object) -> None:
    table = opened(GOOD, line, GOOD | {"id": "O3"})
    rows = table.rows.collect()
    assert table.records == rows.height == 3
    assert rows["structure"].to_list() == [False, True, False]
    assert rows.select(*COLUMNS).row(1) == (None,) * len(COLUMNS)
    assert rows["id"].to_list() == ["O1", None, "O3"]


def test_an_expression_that_fails_on_a_record_makes_it_malformed(opened: Callable[..., TextTable]) -> None:
    table = opened(GOOD, {"resourceType": "Observation"}, columns={"v": "starts_with(id, 'O')"})
    assert table.rows.collect()["v"].to_list() == ["true", None]
    assert malformed(table) == [False, True]


def test_line_ends_blank_lines_and_a_byte_order_mark(opened: Callable[..., TextTable]) -> None:
    table = opened(b"\xef\xbb\xbf" + as_bytes(GOOD) + b"\r", b"", b" \t\r", as_bytes(GOOD) + b"\r", b"")
    assert table.records == 2
    assert table.rows.collect()["row_number"].to_list() == [1, 2]
    assert malformed(table) == [False, False]


def test_a_file_larger_than_a_batch(opened: Callable[..., TextTable]) -> None:
    table = opened(*(GOOD | {"id": f"O{number}"} for number in range(BATCH_ROWS + 1)))
    rows = table.rows.collect()
    assert table.records == rows.height == BATCH_ROWS + 1
    assert rows["row_number"].to_list() == list(range(1, BATCH_ROWS + 2))
    assert rows["id"].to_list() == [f"O{number}" for number in range(BATCH_ROWS + 1)]


def test_a_packed_file_is_the_same_table(opened: Callable[..., TextTable], tmp_path: Path) -> None:
    plain = opened(GOOD, "{").rows.collect()
    path = tmp_path / "Observation.ndjson.gz"
    path.write_bytes(gzip.compress(as_bytes(GOOD) + b"\n{\n"))
    assert open_fhir(path, path.name, SOURCE, tmp_path, "safe_harbor").rows.collect().equals(plain)


def refusal(opened: Callable[..., TextTable], *lines: object, **how: Any) -> InputProblem:
    with pytest.raises(InputProblem) as caught:
        opened(*lines, **how)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize("lines", [(), (b"", b" ")])
def test_an_empty_file_is_refused(opened: Callable[..., TextTable], lines: tuple[bytes, ...]) -> None:
    assert refusal(opened, *lines).code == "EMPTY"


@pytest.mark.parametrize(
    "lines",
    [
        ('{"resourceType": "Encounter", "id": "E1"}',),
        ('{"resourceType": "Bundle", "entry": []}',),
        ("{", '  "resourceType": "Observation"', "}"),
        ("id,value", "1,2"),
    ],
)
def test_a_file_of_something_else_is_refused(opened: Callable[..., TextTable], lines: tuple[str, ...]) -> None:
    problem = refusal(opened, *lines)
    assert problem.code == "HEADER"
    assert "Observation" in problem.what


def test_utf_16_is_refused_as_such(opened: Callable[..., TextTable]) -> None:
    assert refusal(opened, json.dumps(GOOD).encode("utf-16")).code == "ENCODING"


def test_too_many_lines_are_refused(opened: Callable[..., TextTable]) -> None:
    assert refusal(opened, GOOD, GOOD, limits=Limits(rows=1)).code == "TOO_MANY_ROWS"


def test_what_identifies_people_is_counted_over_the_file_and_never_told(opened: Callable[..., TextTable]) -> None:
    named = GOOD | {"text": {"status": "generated", "div": f"<div>{CANARY}</div>"}, "note": [{"text": CANARY}]}
    problem = refusal(opened, GOOD, named, "{", named, GOOD | {"note": [{"text": CANARY}]})
    assert problem.code == "PHI_SUSPECTED"
    assert "note (3)" in problem.what
    assert "text (2)" in problem.what
    assert CANARY not in str(problem)
    assert "needlepoint deidentify" in problem.remedy


def test_a_key_that_is_no_element_of_fhir_is_not_told(opened: Callable[..., TextTable]) -> None:
    problem = refusal(opened, GOOD | {f"Mary {CANARY}": {"name": "x"}})
    assert problem.code == "PHI_SUSPECTED"
    assert CANARY not in str(problem)


def test_a_resource_of_another_type_passes_the_gate_too(opened: Callable[..., TextTable]) -> None:
    other = {"resourceType": "Patient", "id": "P1", "name": [{"family": CANARY}]}
    problem = refusal(opened, GOOD, other)
    assert problem.code == "PHI_SUSPECTED"
    assert CANARY not in str(problem)


def test_paths_are_checked_before_a_file_is_read() -> None:
    assert check_paths(COLUMNS) is None
    assert check_paths({"a": "id", "b": "code.coding[?system=="}) is not None
    assert check_paths({"a": "id", "b": ""}) == ("b", 1)
    assert check_paths({"a": "a b"}) == ("a", 3)
    assert check_paths({"a": "item[?first(id)]"}) == ("a", 7)
    assert check_paths({"a": "contains(id)"}) == ("a", 1)
    assert check_paths({"a": "not_null(a, b, c)"}) is None


QUIET = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
KEYS = ["id", "code", "coding", "value", "url", "reference", "extension", "text", CANARY]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just(CANARY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)
RESOURCES = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Observation", "Encounter"]) | JSON},
    optional=dict.fromkeys(("id", "code", "encounter", "valueQuantity", "valueInteger", "extension", "meta"), JSON),
)
MUTATIONS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255), st.booleans()), max_size=4)


def mutated(line: bytes, mutations: list[tuple[int, int, bool]]) -> bytes:
    for position, byte, insert in mutations:
        at = position % (len(line) + 1)
        line = line[:at] + bytes([byte]) + line[at + (not insert) :]
    return line


@QUIET
@given(lines=st.lists(st.tuples(RESOURCES | st.just(GOOD), MUTATIONS), max_size=5))
def test_any_lines_are_counted_or_refused_and_none_is_told(
    opened: Callable[..., TextTable], lines: list[tuple[dict[str, Any], list[tuple[int, int, bool]]]]
) -> None:
    content = b"\n".join(mutated(as_bytes(resource), mutations) for resource, mutations in lines)
    try:
        table = opened(content)
    except InputProblem as problem:
        assert CANARY not in str(problem)  # noqa: PT017 refused or read, both are right
    else:
        rows = table.rows.collect()
        assert table.records == rows.height == sum(bool(line.strip()) for line in content.split(b"\n"))
        assert rows["row_number"].to_list() == list(range(1, rows.height + 1))


@QUIET
@given(content=st.binary(max_size=200))
def test_any_bytes_are_counted_or_refused(opened: Callable[..., TextTable], content: bytes) -> None:
    try:
        table = opened(content, GOOD)
    except InputProblem:
        return
    assert table.records == table.rows.collect().height
