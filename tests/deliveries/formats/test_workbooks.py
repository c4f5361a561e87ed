"""Excel: a sheet is read as it would be written to CSV; what cannot be trusted is set aside or refused in words."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.styles import Font

from assets.deliveries.formats import workbook
from assets.deliveries.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliveries.formats.conftest import Opener

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def written(*rows: list[Any], change: Callable[[openpyxl.Workbook], None] | None = None) -> bytes:
    """A workbook that openpyxl writes."""
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    if change:
        change(workbook)
    held = io.BytesIO()
    workbook.save(held)
    return held.getvalue()


def raw(
    data: str, after: str = "", *, before: str = "", parts: dict[str, str] | None = None, prefix: str = ""
) -> bytes:
    """A workbook of which ``data`` is what lies in the sheet's data, as XML."""
    scope = f":{prefix[:-1]}" if prefix else ""
    parts = {
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="x"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{RELATIONS}/sharedStrings" '
        'Target="/xl/sharedStrings.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}" xmlns:r="{RELATIONS}"><sheets>'
        '<sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'{before}<{prefix}worksheet xmlns{scope}="{NAMESPACE}">'
        f"<{prefix}sheetData>{data}</{prefix}sheetData>{after}</{prefix}worksheet>",
        **(parts or {}),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return held.getvalue()


def cells(*texts: str) -> str:
    row = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return f"<row>{row}</row>"


HEADER = cells("key", "value")


def excel(opener: Opener, content: bytes, **source: Any) -> list[tuple[Any, ...]]:
    return opener.frame(content, "t.xlsx", format="excel", **source).rows()


def values(opener: Opener, *column: Any, change: Callable[[openpyxl.Workbook], None] | None = None) -> list[str]:
    content = written(["value", "key"], *([value, "k"] for value in column), change=change)
    return [row[0] for row in excel(opener, content)]


def test_cells_become_exact_text(opener: Opener) -> None:
    numbers = [5, 5.0, 5.5, 0.1, 1e-7, 123456789012, 1e15, 1e21, -0.0]
    assert values(opener, *numbers) == [
        "5", "5", "5.5", "0.1", "0.0000001", "123456789012", "1000000000000000", "1000000000000000000000", "0"
    ]  # fmt: skip
    assert values(opener, *(True, False, "007", " x ", None)) == ["true", "false", "007", " x ", ""]


def test_dates_become_iso_text(opener: Opener) -> None:
    column = [
        dt.date(2024, 2, 29),
        dt.datetime(2024, 2, 29, 14, 30),  # noqa: DTZ001 a workbook knows no time zones
        dt.time(14, 30),
    ]
    assert values(opener, *column) == ["2024-02-29", "2024-02-29T14:30:00", "14:30:00"]

    def from_1904(workbook: openpyxl.Workbook) -> None:
        workbook.epoch = openpyxl.utils.datetime.MAC_EPOCH

    assert values(opener, *column, change=from_1904)[0] == "2024-02-29"
    iso = '<row><c t="d"><v>2024-02-29T00:00:00</v></c><c t="d"><v>2024-02-29T14:30:00</v></c></row>'
    assert excel(opener, raw(HEADER + iso)) == [("2024-02-29", "2024-02-29T14:30:00", False)]
    assert values(opener, 45351) == ["45351"], "a number that is not shown as a date is a number"


def test_texts_may_be_formatted_in_parts_spoken_or_escaped(opener: Opener) -> None:
    shared = (
        f'<sst xmlns="{NAMESPACE}"><si><r><t>k</t></r><r><t>ey</t></r></si><si><t>v</t><rPh><t>spoken</t></rPh></si>'
        "<si><t>a_x000A_b</t></si></sst>"
    )
    data = (
        '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c t="s"><v>2</v></c><c t="str"><v>x</v></c></row>'
    )
    frame = opener.frame(raw(data, parts={"xl/sharedStrings.xml": shared}), "t.xlsx", format="excel")
    assert frame.columns == ["key", "v", "structure"]
    assert frame.rows() == [("a\nb", "x", False)]


def test_names_of_elements_may_have_a_prefix(opener: Opener) -> None:
    row = '<x:row><x:c t="inlineStr"><x:is><x:t>{}</x:t></x:is></x:c></x:row>'
    assert excel(opener, raw(row.format("key") + row.format("1"), prefix="x:")) == [("1", False)]


def test_rows_are_counted_as_the_sheet_counts_them(opener: Opener) -> None:
    content = written(["key", "value"], ["a", 1], [], [], ["b", None], [None, 2], [], [None, None])
    assert excel(opener, content) == [
        ("a", "1", False), ("", "", False), ("", "", False), ("b", "", False), ("", "2", False)
    ]  # fmt: skip


def test_cells_that_are_only_formatted_are_blank(opener: Opener) -> None:
    def bold(workbook: openpyxl.Workbook) -> None:
        for place in ("D1", "A9", "Z4"):
            workbook.active[place].font = Font(bold=True)

    assert excel(opener, written(["key"], ["a"], change=bold)) == [("a", False)]


def test_what_stands_beyond_the_header_makes_a_row_malformed(opener: Opener) -> None:
    assert excel(opener, written(["key"], ["a"], ["b", "note"], ["c"])) == [("a", False), ("b", True), ("c", False)]


def test_formulas_count_by_their_result(opener: Opener) -> None:
    with_result = "<row><c><f>1+1</f><v>2</v></c></row>"
    blank = '<row><c t="str"><f>""</f><v></v></c><c><v>1</v></c></row>'
    without = "<row><c><f>1+1</f></c><c><v>5</v></c></row>"
    assert excel(opener, raw(HEADER + with_result + blank + without)) == [
        ("2", "", False), ("", "1", False), ("", "5", True)
    ]  # fmt: skip
    assert excel(opener, written(["key"], ["=1+1"]))[0][1] is True, "never calculated"


def test_errors_stay_text(opener: Opener) -> None:
    assert excel(opener, raw(HEADER + '<row><c t="e"><v>#N/A</v></c></row>')) == [("#N/A", "", False)]


def merged(*places: str) -> str:
    return "<mergeCells>" + "".join(f'<mergeCell ref="{place}"/>' for place in places) + "</mergeCells>"


def test_rows_with_merged_cells_are_malformed(opener: Opener) -> None:
    data = HEADER + cells("a", "1") * 6
    content = raw(data, merged("A3:A4", "B4:B5", "D7:E9", "A100:XFD1048576", "C7"))
    assert [row[2] for row in excel(opener, content)] == [False, True, True, True, False, True]
    found = opener.problem(raw(data, merged("A1:B1")), "t.xlsx", format="excel")
    assert (found.code, found.where) == ("HEADER", "t.xlsx, header")
    content = written(["key"], ["a"], ["b"], change=lambda workbook: workbook.active.merge_cells("A3:B3"))
    assert [row[1] for row in excel(opener, content)] == [False, True]


def test_text_that_does_not_belong_makes_a_row_malformed(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a_x0000_b", "a_xD800_b", "x" * 5000, "x" * 40_000, "fine"]
    content = raw(HEADER + "".join(cells(text, "1") for text in texts))
    assert [row[2] for row in excel(opener, content)] == [True, True, True, True, False]
    monkeypatch.setattr(workbook, "CHUNK_BYTES", 7)
    assert [row[2] for row in excel(opener, content)] == [True, True, True, True, False]


def sheets(*names: str, hidden: int = 0) -> Callable[[openpyxl.Workbook], None]:
    def change(workbook: openpyxl.Workbook) -> None:
        for name in names:
            workbook.create_sheet(name).append([name])
        for other in workbook.worksheets[len(workbook.worksheets) - hidden :]:
            other.sheet_state = "hidden"

    return change


def test_of_several_sheets_the_declared_one_is_read(opener: Opener) -> None:
    content = written(["key"], ["a"], change=sheets("Canary & Co", "other"))
    found = opener.problem(content, "t.xlsx", format="excel")
    assert (found.code, "3 sheets" in found.what, "Canary" in str(found)) == ("SHEET", True, False)
    assert opener.table(content, "t.xlsx", format="excel", sheet="Canary & Co").header == ("Canary & Co",)
    found = opener.problem(content, "t.xlsx", format="excel", sheet="scores")
    assert "none of its 3 sheets is called 'scores'" in str(found)


def test_hidden_sheets_are_not_passed_over(opener: Opener) -> None:
    content = written(["key"], ["a"], change=sheets("keys and names", hidden=1))
    assert "2 sheets, 1 of them hidden" in str(opener.problem(content, "t.xlsx", format="excel"))
    assert opener.table(content, "t.xlsx", format="excel", sheet="Sheet").records == 1


def part_added(name: str, content: bytes = b"") -> bytes:
    held = io.BytesIO(written(["key"], ["a"]))
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr(name, content)
    return held.getvalue()


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "' + f"&{previous};" * 10 + '">' for previous, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"key,value\n1,2\n", "FORMAT", "Save it as Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "FORMAT", "old .xls kind"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "FORMAT",
            "password",
        ),
        (part_added("xl/vbaProject.bin"), "FORMAT", "macros"),
        (part_added("xl/macrosheets/sheet1.xml"), "FORMAT", "macros"),
        (part_added("xl/externalLinks/externalLink1.xml"), "FORMAT", "Break the links"),
        (part_added("xl/workbook.bin"), "FORMAT", "not an .xlsx workbook"),
        (written(["key"])[:-30], "TRUNCATED", "Send it again"),
        (raw(""), "HEADER", "first row of the sheet is blank"),
        (raw("<row/>" + HEADER), "HEADER", "first row of the sheet is blank"),
        (raw('<row r="2"><c><v>1</v></c></row>'), "HEADER", "first row of the sheet is blank"),
        (raw("<row><c><f>A1</f></c></row>"), "HEADER", "Type the names"),
        (raw("<row><c><v>1</v></c>"), "TRUNCATED", "Send it again"),
        (raw(HEADER + '<row r="1"/>'), "FORMAT", "does not hold what it should"),
        (raw(HEADER + '<row r="1048577"/>'), "FORMAT", "does not hold what it should"),
        (raw(HEADER + '<row><c r="B2"/><c r="A2"/></row>'), "FORMAT", "does not hold what it should"),
        (raw(HEADER + '<row><c t="s"><v>7</v></c></row>'), "FORMAT", "does not hold what it should"),
        (raw(HEADER + "<row><c><v>Canary</v></c></row>"), "FORMAT", "does not hold what it should"),
        (raw(HEADER + cells("&j;"), before=f"{BOMB}]>"), "FORMAT", "does not hold what it should"),
        (raw(HEADER, before='<!DOCTYPE b SYSTEM "http://localhost/x">'), "FORMAT", "does not hold what it should"),
        (raw(HEADER, parts={"xl/sharedStrings.xml": f"{BOMB}]><sst><si><t>&j;</t></si></sst>"}), "FORMAT", "should"),
        (raw(HEADER, parts={"xl/workbook.xml": f"{BOMB}]><workbook/>"}), "FORMAT", "does not hold what it should"),
    ],
)
def test_what_is_no_plain_workbook_is_refused_in_words(opener: Opener, content: bytes, code: str, words: str) -> None:
    found = opener.problem(content, "t.xlsx", format="excel")
    assert found.code == code
    assert words in str(found)
    assert "Canary" not in str(found)


def test_a_workbook_is_judged_before_it_is_unpacked(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    content = raw(HEADER + cells("k" * 100, "1") * 50_000)
    read: list[str] = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda _, part, *__: read.append(part))
    for limits, code in (
        (Limits(ratio=50, ratio_bytes=1_000_000), "COMPRESSION"),
        (Limits(unpacked_bytes=1_000_000), "TOO_LARGE"),
    ):
        assert opener.problem(content, "t.xlsx", limits, format="excel").code == code
    assert not read


def test_limits_of_rows_and_columns(opener: Opener) -> None:
    content = raw(HEADER + cells("a", "1") * 11)
    assert opener.problem(content, "t.xlsx", Limits(rows=10), format="excel").code == "TOO_MANY_ROWS"
    assert opener.problem(content, "t.xlsx", Limits(columns=1), format="excel").code == "TOO_MANY_COLUMNS"


def test_a_gap_is_rows_too(opener: Opener) -> None:
    content = raw(HEADER + '<row r="200001"><c><v>1</v></c></row>')
    rows = excel(opener, content)
    assert (len(rows), set(rows[:-1]), rows[-1]) == (200_000, {("", "", False)}, ("1", "", False))


def test_a_packed_workbook(opener: Opener) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("t.xlsx", written(["key"], ["a"]))
    assert opener.frame(held.getvalue(), "t.xlsx.zip", format="excel").rows() == [("a", False)]
