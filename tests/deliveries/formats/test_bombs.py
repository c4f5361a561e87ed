"""Small files made to fill the memory, the disk or the night: each is refused in words before it has done so.

They are small here because the limits are: a file of the same build could ask for any amount.
"""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from assets.deliveries.formats import statistical
from assets.deliveries.limits import Limits
from assets.deliveries.structure import MAXIMUM_RECORD_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deliveries.formats.conftest import Opener

SMALL = Limits(ratio=20, ratio_bytes=2_000_000, part_bytes=1_000_000, footer_bytes=100_000)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
FHIR = {"format": "fhir", "resource": "Observation", "columns": {"id": "id"}}


def archive(entries: int, *, same_stream: bool) -> bytes:
    """An archive whose list names one stream again and again, under new names."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("00000.csv", b"0" * 1_000_000)
    content = held.getvalue()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[start:end]
    names = (b"%05d.csv" % (number if same_stream else 0) for number in range(entries))
    listing = b"".join(entry[:46] + name for name in names)
    count = min(entries, 0xFFFE)
    return content[:start] + listing + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(listing), start, 0)


def test_entries_that_share_one_stream_are_not_unpacked(opener: Opener) -> None:
    assert "holds 1000 files" in str(opener.problem(archive(1000, same_stream=True), "t.csv.zip"))
    assert not any(path.stat().st_size for path in opener.scratch.iterdir())


def test_a_list_of_files_that_fills_the_memory_is_not_read(opener: Opener) -> None:
    content = archive(120_000, same_stream=False)
    tracemalloc.start()
    try:
        assert opener.problem(content, "t.csv.zip").code == "TRUNCATED"
        assert opener.problem(content, "t.xlsx", format="excel").code == "TRUNCATED"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_link_in_an_archive_is_the_text_of_its_target(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("key,word\n1,secret\n")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as written:
        link = zipfile.ZipInfo("t.csv")
        link.external_attr = 0o120777 << 16
        written.writestr(link, str(tmp_path / "secret.csv"))
    table = opener.table(held.getvalue(), "t.csv.zip")
    assert (table.header, table.records) == ((str(tmp_path / "secret.csv"),), 0)


def workbook(sheet: str, *, texts: str = "<sst/>", texts_in: str = "xl/sharedStrings.xml") -> bytes:
    parts = {
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="x"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{RELATIONS}/sharedStrings" '
        f'Target="/{texts_in}"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns:r="{RELATIONS}"><sheets><sheet name="one" r:id="r1"/></sheets></workbook>',
        SHEET: f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
        texts_in: texts,
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in parts.items():
            written.writestr(name, content)
    return held.getvalue()


def header(width: int) -> str:
    cells = "".join(f'<c t="inlineStr"><is><t>c{number}</t></is></c>' for number in range(width))
    return f"<row>{cells}</row>"


FIRST_TEXT = '<row><c t="s"><v>0</v></c></row>'
WIDE_GAP = header(2000) + '<row r="1048576"><c><v>1</v></c></row>'
TEXTS = f"<sst>{'<si><t>x</t></si>' * 70_000}</sst>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (workbook(header(1), texts=TEXTS), "TOO_LARGE"),
        (workbook(header(1), texts=TEXTS, texts_in="xl/worksheets/sheet2.xml"), "TOO_LARGE"),
        (workbook(header(1), texts=TEXTS, texts_in="xl/texts.bin"), "TOO_LARGE"),
        (workbook(header(1) + FIRST_TEXT * 3000, texts=f"<sst><si><t>{'x' * 30_000}</t></si></sst>"), "COMPRESSION"),
        (workbook(WIDE_GAP), "COMPRESSION"),
    ],
)
def test_a_workbook_whose_content_would_fill_the_memory(opener: Opener, content: bytes, code: str) -> None:
    assert opener.problem(content, "t.xlsx", SMALL, format="excel").code == code


@pytest.mark.parametrize(
    "sheet", [f"{header(1)}<row><c r='{'A' * 9_000_000}'/></row>", f"<!--{'x' * 9_000_000}-->", "<a>" * 1_000_000]
)
def test_what_the_parser_of_a_workbook_would_keep_is_bounded(opener: Opener, sheet: str) -> None:
    found = opener.problem(workbook(sheet), "t.xlsx", format="excel")
    assert (found.code, "does not hold what it should" in str(found)) == ("FORMAT", True)


def test_a_text_of_a_workbook_longer_than_a_cell_is_not_kept(opener: Opener) -> None:
    content = workbook(header(1) + FIRST_TEXT, texts=f"<sst><si>{'<t>xxxxxxxx</t>' * 5000}</si></sst>")
    assert opener.frame(content, "t.xlsx", format="excel").rows() == [("", True)]


def parquet(table: pa.Table, **options: object) -> bytes:
    held = io.BytesIO()
    pq.write_table(table, held, compression="zstd", **options)
    return held.getvalue()


def test_a_parquet_file_that_says_one_text_over_and_over(opener: Opener) -> None:
    said = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["V" * 4000]))
    content = parquet(pa.table({"key": said}))
    assert len(content) < 50_000
    assert opener.problem(content, "t.parquet", SMALL, format="parquet").code == "COMPRESSION"
    assert opener.problem(content, "t.parquet", format="parquet").code == "COMPRESSION"


def test_a_parquet_file_of_nothing_but_rows(opener: Opener) -> None:
    content = parquet(pa.table({"key": pa.nulls(5_000_000, pa.int8())}))
    limits = Limits(ratio=20, ratio_bytes=2_000_000)
    assert opener.problem(content, "t.parquet", limits, format="parquet").code == "COMPRESSION"


def test_a_list_that_the_profile_ignores_is_never_decoded(opener: Opener) -> None:
    entries = 5_000_000
    lists = pa.ListArray.from_arrays(pa.array([0, entries], pa.int32()), pa.nulls(entries, pa.int8()))
    content = parquet(pa.table({"key": ["a"], "notes": lists}))
    before = pa.default_memory_pool().max_memory()
    assert opener.table(content, "t.parquet", format="parquet", ignored=("notes",)).records == 1
    assert pa.default_memory_pool().max_memory() == before


def test_a_page_larger_than_the_footer_says(opener: Opener) -> None:
    """Sizes in the footer are only words: the page below unpacks to 20 MB and the footer says 50 bytes."""
    size = 20_000_000
    content = parquet(pa.table({"key": ["x" * size]}), use_dictionary=False, write_statistics=False)
    footer = pq.read_metadata(io.BytesIO(content)).row_group(0)
    at = content.rindex(b"key")
    patched = content[at:]
    for stated in {footer.total_byte_size, footer.column(0).total_uncompressed_size}:
        patched = patched.replace(varint(stated), b"\xe4\x80\x80\x00")
    content = content[:at] + patched
    assert pq.read_metadata(io.BytesIO(content)).row_group(0).total_byte_size == 50
    assert opener.problem(content, "t.parquet", SMALL, format="parquet").code in ("TOO_LARGE", "COMPRESSION")


def varint(number: int) -> bytes:
    """A number as Parquet's footer writes it: zigzag, seven bits a byte."""
    number *= 2
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def test_a_footer_that_fills_the_memory_is_not_read(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet(pa.table({f"column {number}": ["a"] for number in range(1000)}))
    monkeypatch.setattr(pq, "read_metadata", None)
    found = opener.problem(content, "t.parquet", SMALL, format="parquet")
    assert (found.code, "footer" in str(found)) == ("TOO_LARGE", True)


def test_a_statistical_file_that_says_one_text_over_and_over(
    opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.zsav"
    pyreadstat.write_sav(pd.DataFrame({"key": ["x" * 4000] * 1000}), str(path), compress=True)
    monkeypatch.setattr(statistical, "_PART_BYTES", 400_000)
    read: list[int] = []
    reader = pyreadstat.read_sav
    monkeypatch.setattr(
        pyreadstat,
        "read_sav",
        lambda *given, **options: read.append(options.get("row_limit", 0)) or reader(*given, **options),
    )
    assert opener.problem(path, "t.zsav", SMALL, format="spss").code == "COMPRESSION"
    assert set(read) == {0, 100}, "no more rows at once than the memory holds"


def test_texts_without_a_greatest_length(opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One may stand in any number of rows, so that a few of them are taken and many are not."""
    path = tmp_path / "t.dta"
    pd.DataFrame({"key": ["a", "b"], "note": ["x" * 3000, "y"]}).to_stata(path, version=117, write_index=False)
    assert opener.frame(path, "t.dta", format="stata")["note"].to_list() == ["x" * 3000, "y"]
    monkeypatch.setattr(statistical, "_PART_BYTES", 50 * path.stat().st_size)
    found = opener.problem(path, "t.dta", format="stata")
    assert (found.code, "strL" in str(found)) == ("FORMAT", True)


def test_names_of_elements_that_a_file_makes_up_are_not_all_kept(opener: Opener) -> None:
    letters = "abcdefghij"
    names = ["x" + "".join(letters[int(digit)] for digit in str(number)) for number in range(5000)]
    lines = "\n".join(f'{{"resourceType": "Observation", "id": "a", "{name}": {{"name": "b"}}}}' for name in names)
    found = opener.problem(lines.encode(), "t.ndjson", **FHIR)
    assert found.code == "PHI_SUSPECTED"
    others = int(str(found).rpartition(" and ")[2].split()[0])
    assert others < 1100


def test_a_quotation_mark_left_open_does_not_last_the_night(opener: Opener) -> None:
    content = b"key,word\n" + b'"' + b"a,b\n" * (MAXIMUM_RECORD_BYTES // 4)
    began = time.process_time()
    assert opener.problem(content).code == "STRUCTURE"
    assert time.process_time() - began < 5
