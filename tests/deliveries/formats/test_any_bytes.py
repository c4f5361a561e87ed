"""Whatever bytes a file holds: it is refused in our words, or every record of it arrives. No value is ever told."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import polars as pl
import pyreadstat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.deliveries import structure
from assets.deliveries.formats import encoding
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deliveries.formats.conftest import Opener

QUIET = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
CANARY = "qzx9"
CSV = f'key,word,value\r\n1,{CANARY}é,0.5\r\n2,"a ""{CANARY}""\r\nb",\r\n3,,7\r\n'
ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15")
MUTATIONS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(["set", "cut", "put", "end"]), st.binary(max_size=4)),
    max_size=6,
)


def mutated(content: bytes, mutations: list[tuple[float, str, bytes]]) -> bytes:
    changed = bytearray(content)
    for place, kind, new in mutations:
        at = int(place * len(changed))
        if kind == "set":
            changed[at : at + len(new)] = new
        elif kind == "cut":
            del changed[at : at + 1 + len(new) * 4]
        elif kind == "put":
            changed[at:at] = new
        else:
            del changed[at + len(changed) // 2 :]
    return bytes(changed)


def opens_or_says_why(opener: Opener, content: bytes, name: str, **source: str) -> None:
    try:
        table = opener.table(content, name, **source)
        frame = table.rows.collect()
    except InputProblem as problem:
        assert CANARY not in str(problem)  # noqa: PT017 an exception is one of the two good ends
        assert problem.__suppress_context__ or problem.__context__ is None  # noqa: PT017
    else:
        assert frame.height == table.records
        assert frame["row_number"].to_list() == list(range(1, table.records + 1))
        assert frame["structure"].null_count() == 0
        assert len(frame.columns) == len(table.header) + 2
    finally:
        for path in opener.scratch.iterdir():
            path.unlink()


# What once went wrong stays here as an example.
@QUIET
@given(content=st.binary(max_size=300), declared=st.sampled_from(ENCODINGS), chunk=st.integers(1, 60))
@example(content=b"", declared="utf-16", chunk=1)
@example(content=b"\xef\xbb\xbf", declared="utf-8", chunk=1)
def test_any_bytes_as_csv(opener: Opener, content: bytes, declared: str, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "CHUNK_BYTES", chunk)
        patch.setattr(encoding, "CHUNK_BYTES", chunk)
        opens_or_says_why(opener, content, "t.csv", encoding=declared)
        opens_or_says_why(opener, b"key,word\n" + content, "t.csv", encoding=declared)


@QUIET
@given(mutations=MUTATIONS, declared=st.sampled_from(ENCODINGS), written=st.sampled_from(ENCODINGS))
def test_changed_csv(opener: Opener, mutations: list[tuple[float, str, bytes]], declared: str, written: str) -> None:
    opens_or_says_why(opener, mutated(CSV.encode(written), mutations), "t.csv", encoding=declared)


@QUIET
@given(text=st.text(alphabet='a7é",;\n\r\t \0', max_size=60), delimiter=st.sampled_from(",;\t"))
@example(text='""\r7', delimiter=",")
def test_any_text_as_csv(opener: Opener, text: str, delimiter: str) -> None:
    opens_or_says_why(opener, text.encode(), "t.csv", delimiter=delimiter)
    opens_or_says_why(opener, f"key{delimiter}word\n{text}".encode(), "t.csv", delimiter=delimiter)
    opens_or_says_why(opener, f"key\n{text}".encode(), "t.csv", delimiter=delimiter)


@QUIET
@given(
    rows=st.lists(
        st.lists(st.text(st.characters(codec="utf-16", exclude_characters="\r"), max_size=6), min_size=3, max_size=3)
    ),
    declared=st.sampled_from(ENCODINGS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_value_arrives_in_every_encoding(
    opener: Opener, rows: list[list[str]], declared: str, quoting: int
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows([["a", "b", "c"], *rows])  # type: ignore[arg-type]
    try:
        content = text.getvalue().encode(declared)
    except UnicodeEncodeError:
        return
    opens_or_says_why(opener, content, "t.csv", encoding=declared)
    try:
        frame = opener.frame(content, encoding=declared)
    except InputProblem as problem:
        assert problem.code == "ENCODING"  # noqa: PT017 text that another encoding explains better
        return
    for row, (*cells, malformed) in zip(rows, frame.rows(), strict=True):
        assert malformed or cells == row


@QUIET
@given(mutations=MUTATIONS)
@example(mutations=[(0.5, "cut", b"")])
def test_changed_gzip_and_zip(opener: Opener, mutations: list[tuple[float, str, bytes]]) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{CANARY}.csv", CSV)
    opens_or_says_why(opener, mutated(gzip.compress(CSV.encode()), mutations), "t.csv.gz")
    opens_or_says_why(opener, mutated(held.getvalue(), mutations), "t.csv.zip")


@pytest.fixture(scope="module")
def workbook() -> dict[str, bytes]:
    """Parts of a small workbook."""
    book = openpyxl.Workbook()
    for row in (["key", "word", "day"], [1, CANARY, pd.Timestamp("2024-02-29")], [], [2.5, "b", None]):
        book.active.append(row)
    book.active.title = CANARY
    book.active.merge_cells("A4:A5")
    held = io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@QUIET
@given(mutations=MUTATIONS, part=st.integers(0, 20))
def test_changed_workbook(
    opener: Opener, workbook: dict[str, bytes], mutations: list[tuple[float, str, bytes]], part: int
) -> None:
    names = sorted(workbook)
    changed = names[part % len(names)]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in workbook.items():
            archive.writestr(name, mutated(content, mutations) if name == changed else content)
    opens_or_says_why(opener, held.getvalue(), "t.xlsx", format="excel")
    opens_or_says_why(opener, mutated(held.getvalue(), mutations), "t.xlsx", format="excel")


@pytest.fixture(scope="module")
def statistical(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder: Path = tmp_path_factory.mktemp("statistical")
    frame = pd.DataFrame(
        {"key": ["a", CANARY], "score": [1.0, 97.0], "day": pd.to_datetime(["2024-02-29", None]), "whole": [1, 2]}
    )
    pyreadstat.write_sav(frame, str(folder / "t.sav"), missing_ranges={"score": [97]})
    pyreadstat.write_sav(frame, str(folder / "t.zsav"), compress=True)
    pyreadstat.write_dta(frame, str(folder / "t.dta"))
    pyreadstat.write_dta(frame, str(folder / "old.dta"), version=8)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@QUIET
@given(mutations=MUTATIONS, name=st.sampled_from(["t.sav", "t.zsav", "t.dta", "old.dta"]))
@example(mutations=[(0.30859375, "set", b"\x00\x00\x00")], name="t.sav")
@example(mutations=[(0.3125, "cut", b"\x00")], name="old.dta")
def test_changed_files_of_spss_and_stata(
    opener: Opener, statistical: dict[str, bytes], mutations: list[tuple[float, str, bytes]], name: str
) -> None:
    kind = "stata" if name.endswith(".dta") else "spss"
    opens_or_says_why(opener, mutated(statistical[name], mutations), name, format=kind)


@QUIET
@given(mutations=MUTATIONS)
@example(mutations=[(0.046875, "set", b"\x01")])
def test_changed_parquet(opener: Opener, mutations: list[tuple[float, str, bytes]]) -> None:
    held = io.BytesIO()
    pl.DataFrame({"key": ["a", CANARY] * 20, "score": [0.5, None] * 20}).write_parquet(held)
    opens_or_says_why(opener, mutated(held.getvalue(), mutations), "t.parquet", format="parquet")


@QUIET
@given(content=st.binary(max_size=200), kind=st.sampled_from(["parquet", "excel", "spss", "stata"]))
def test_any_bytes_in_any_format(opener: Opener, content: bytes, kind: str) -> None:
    for start in (b"", b"PAR1", b"PK\x03\x04", b"$FL2", b"<stata_dta>", b"\x72"):
        opens_or_says_why(opener, start + content, "t", format=kind)
