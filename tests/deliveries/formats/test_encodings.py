"""Text in the declared encoding arrives unchanged; in another one it is refused with what to declare."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest

from assets.deliveries.formats import encoding

if TYPE_CHECKING:
    from tests.deliveries.formats.conftest import Opener

TEXT = 'key,word\r\n1,Mu\u00f1oz\r\n2,"two\nlines"\r\n3,\u20ac 5\r\n'
LATIN = TEXT.replace("\u20ac", "EUR")
VALUES = ["Mu\u00f1oz", "two\nlines", "\u20ac 5"]


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ("utf-8", TEXT.encode()),
        ("utf-8", codecs.BOM_UTF8 + TEXT.encode()),
        ("utf-16", codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")),
        ("utf-16", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")),
        ("cp1252", TEXT.encode("cp1252")),
        ("iso-8859-15", TEXT.encode("iso-8859-15")),
    ],
)
@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
def test_text_arrives_unchanged(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, declared: str, content: bytes, chunk: int
) -> None:
    monkeypatch.setattr(encoding, "CHUNK_BYTES", chunk)
    frame = opener.frame(content, encoding=declared)
    assert frame.columns == ["key", "word", "structure"]
    assert frame["word"].to_list() == VALUES
    assert not frame["structure"].any()


def test_latin_1_has_no_euro_sign_but_all_else(opener: Opener) -> None:
    frame = opener.frame(LATIN.encode("latin-1"), encoding="iso-8859-1")
    assert frame["word"].to_list() == ["Mu\u00f1oz", "two\nlines", "EUR 5"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_any_declared_delimiter(opener: Opener, delimiter: str) -> None:
    content = f"key{delimiter}word\n1{delimiter}5,5;\t|\n".replace(";\t|", "").encode()
    if delimiter == ",":
        content = b'key,word\n1,"5,5"\n'
    assert opener.frame(content, delimiter=delimiter).rows() == [("1", "5,5", False)]


@pytest.mark.parametrize(
    ("declared", "content", "where", "advice"),
    [
        ("utf-8", TEXT.encode("utf-16"), "t.csv", "Declare encoding: utf-16"),
        ("utf-8", TEXT.encode("utf-16-le"), "t.csv", "Export it as UTF-8"),
        ("utf-8", TEXT.encode("utf-16-be"), "t.csv", "Export it as UTF-8"),
        ("utf-8", TEXT.encode("cp1252"), "t.csv, line 2", "Declare encoding: cp1252"),
        ("utf-16", TEXT.encode(), "t.csv", "Declare encoding: utf-8"),
        ("utf-16", TEXT.encode("cp1252"), "t.csv", "Declare encoding: cp1252"),
        ("utf-16", TEXT.encode("utf-16-le"), "t.csv", "Export it with one"),
        (
            "utf-16",
            codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le") + b"\x00\xd8\x41\x00",
            "t.csv, line 6",
            "Send it again",
        ),
        ("utf-16", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be") + b"\xd8", "t.csv, line 6", "Send it again"),
        ("cp1252", codecs.BOM_UTF8 + TEXT.encode(), "t.csv", "Declare encoding: utf-8"),
        ("cp1252", TEXT.encode(), "t.csv", "Declare encoding: utf-8"),
        ("cp1252", TEXT.encode("utf-16"), "t.csv", "Declare encoding: utf-16"),
        (
            "cp1252",
            LATIN.encode("latin-1") + b"4,\x81\n",
            "t.csv, line 6",
            "Declare the encoding that this source sends",
        ),
        ("cp1252", "key,word\n1,\u00cdo\n".encode(), "t.csv, line 2", "Declare encoding: utf-8"),
        ("iso-8859-1", TEXT.encode("cp1252"), "t.csv, line 5", "Declare encoding: cp1252"),
        ("iso-8859-1", TEXT.encode(), "t.csv", "Declare encoding: utf-8"),
        ("iso-8859-15", TEXT.encode(), "t.csv", "Declare encoding: utf-8"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
def test_another_encoding_is_refused_with_what_to_declare(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, declared: str, content: bytes, where: str, advice: str, chunk: int
) -> None:
    monkeypatch.setattr(encoding, "CHUNK_BYTES", chunk)
    found = opener.problem(content, encoding=declared)
    assert (found.code, found.where) == ("ENCODING", where)
    assert advice in found.remedy
    assert "oz" not in str(found)


@pytest.mark.parametrize(
    "word", ["CAF\u00c9\u2122", "S\u00c3O PAULO", "\u00c3 1 \u00c2", "plain", "25 \u00b0C", "\u00e9\u00ab"]
)
def test_words_of_one_byte_encodings_are_not_mistaken(opener: Opener, word: str) -> None:
    assert opener.frame(f"key,word\n1,{word}\n".encode("cp1252"), encoding="cp1252")["word"].item() == word


def test_line_end_of_mainframes_is_no_sign_of_cp1252(opener: Opener) -> None:
    assert opener.frame(b"key,word\n1,a\x85b\n", encoding="iso-8859-1")["word"].item() == "a\x85b"


def test_nul_bytes_in_a_row_are_not_taken_for_utf_16(opener: Opener) -> None:
    frame = opener.frame(b"key,word\n1,a\x00b\n2,c\n")
    assert frame["structure"].to_list() == [True, False]
