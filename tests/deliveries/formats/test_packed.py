"""gzip and zip: one file, packed once, no larger than allowed; anything else is refused in words."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from assets.deliveries.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deliveries.formats.conftest import Opener

CSV = b"key,word\n" + b"".join(b"%d,w%d\n" % (i, i) for i in range(2000))


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def encrypted() -> bytes:
    """An archive whose entry is marked as encrypted."""
    content = bytearray(zipped({"t.csv": CSV}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzip.compress(CSV, mtime=0)),
        ("T.CSV.GZ", gzip.compress(CSV, mtime=0)),
        ("t.csv.gz", gzip.compress(CSV[:900], mtime=0) + gzip.compress(CSV[900:], mtime=0)),
        ("t.csv.zip", zipped({"t.csv": CSV})),
        ("t.csv.zip", zipped({"t.csv": CSV}, zipfile.ZIP_STORED)),
        ("t.csv.zip", zipped({"folder/": b"", "folder/t.csv": CSV, "__MACOSX/folder/._t.csv": b"x"})),
        ("t.csv.zip", zipped({"../../etc/t.csv": CSV})),
    ],
)
def test_a_packed_file_is_read_as_if_it_were_plain(opener: Opener, name: str, content: bytes) -> None:
    assert opener.frame(content, name).equals(opener.frame(CSV))


def test_nothing_is_written_outside_scratch(opener: Opener, tmp_path: Path) -> None:
    opener.frame(zipped({"../escaped.csv": CSV}), "t.csv.zip")
    opener.frame(zipped({"/tmp/needlepoint-escaped.csv": CSV}), "t.csv.zip")  # noqa: S108 what an attacker would write
    assert {path.name for path in tmp_path.iterdir()} == {"landed", "scratch"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in opener.scratch.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("t.csv.gz", gzip.compress(CSV, mtime=0)[:-20], "TRUNCATED", "Send it again"),
        ("t.csv.gz", gzip.compress(CSV, mtime=0)[:-1], "TRUNCATED", "Send it again"),
        ("t.csv.gz", gzip.compress(CSV, mtime=0)[:-6] + b"\0\0\0\0\0\0", "TRUNCATED", "Send it again"),
        ("t.csv.gz", gzip.compress(CSV, mtime=0) + b"more", "TRUNCATED", "Send it again"),
        ("t.csv.zip", zipped({"t.csv": CSV})[:-20], "TRUNCATED", "Send it again"),
        ("t.csv.zip", zipped({"t.csv": CSV})[:1000], "TRUNCATED", "Send it again"),
        ("t.csv", gzip.compress(CSV, mtime=0), "FORMAT", "Add .gz to its name"),
        ("t.csv", zipped({"t.csv": CSV}), "FORMAT", "Add .zip to its name"),
        ("t.csv", bz2.compress(CSV), "FORMAT", "packed by gzip or zip"),
        ("t.csv", lzma.compress(CSV), "FORMAT", "packed by gzip or zip"),
        ("t.csv.gz", CSV, "FORMAT", "not packed by gzip"),
        ("t.csv.zip", CSV, "FORMAT", "no zip archive"),
        ("t.csv.gz", zipped({"t.csv": CSV}), "FORMAT", "not packed by gzip"),
        ("t.csv.zip", gzip.compress(CSV, mtime=0), "FORMAT", "no zip archive"),
        ("t.csv.zip", zipped({"a.csv": CSV, "b.csv": CSV}), "FORMAT", "holds 2 files"),
        ("t.csv.zip", zipped({}), "FORMAT", "holds 0 files"),
        ("t.csv.zip", zipped({"t.csv": CSV}, zipfile.ZIP_BZIP2), "FORMAT", "Pack it by deflate"),
        ("t.csv.zip", zipped({"t.csv": CSV}, zipfile.ZIP_LZMA), "FORMAT", "Pack it by deflate"),
        ("t.csv.zip", encrypted(), "FORMAT", "password"),
        ("t.csv.gz", gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "FORMAT", "packed again (gzip)"),
        ("t.csv.zip", zipped({"t.csv.gz": gzip.compress(CSV, mtime=0)}), "FORMAT", "packed again (gzip)"),
        ("t.csv.zip", zipped({"t.zip": zipped({"t.csv": CSV})}), "FORMAT", "packed again (zip)"),
        ("t.csv.gz", b"", "EMPTY", "Send it again"),
        ("t.csv.gz", gzip.compress(b"", mtime=0), "EMPTY", "Send it again"),
        ("t.csv.zip", zipped({"t.csv": b""}), "EMPTY", "Send it again"),
    ],
)
def test_what_is_not_one_whole_packed_file_is_refused(
    opener: Opener, name: str, content: bytes, code: str, words: str
) -> None:
    found = opener.problem(content, name)
    assert found.code == code
    assert words in str(found)


def test_a_tar_archive_is_refused(opener: Opener) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        entry = tarfile.TarInfo("t.csv")
        entry.size = len(CSV)
        archive.addfile(entry, io.BytesIO(CSV))
    assert "packed again (tar)" in str(opener.problem(held.getvalue(), "t.tar.gz"))


SMALL = Limits(file_bytes=200_000, unpacked_bytes=400_000, ratio=20, ratio_bytes=100_000, rows=1000, columns=5)
BOMB = b"0" * 10_000_000


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv.gz", gzip.compress(BOMB, mtime=0), "COMPRESSION"),
        ("t.csv.zip", zipped({"t.csv": BOMB}), "COMPRESSION"),
        ("t.csv.gz", gzip.compress(bytes(range(256)) * 2000, 0, mtime=0)[:150_000], "TRUNCATED"),
        ("t.csv", b"key,word\n" + b"1,2\n" * 1001, "TOO_MANY_ROWS"),
        ("t.csv", b"k,w,x,y,z,a\n" + b"1,2\n" * 10, "TOO_MANY_COLUMNS"),
        ("t.csv", b"0" * 200_001, "TOO_LARGE"),
    ],
)
def test_limits(opener: Opener, name: str, content: bytes, code: str) -> None:
    assert opener.problem(content, name, SMALL).code == code
    assert sum(path.stat().st_size for path in opener.scratch.iterdir()) <= 2_000_000


def test_a_file_that_unpacks_to_too_much_is_stopped_while_it_is_unpacked(opener: Opener) -> None:
    limits = Limits(unpacked_bytes=2_000_000)
    assert opener.problem(gzip.compress(BOMB, mtime=0), "t.csv.gz", limits).code == "TOO_LARGE"
    assert opener.problem(zipped({"t.csv": BOMB}), "t.csv.zip", limits).code == "TOO_LARGE"
    assert sum(path.stat().st_size for path in opener.scratch.iterdir()) <= 2_000_000


def test_an_archive_that_lies_about_its_size_is_stopped_there(opener: Opener) -> None:
    content = bytearray(zipped({"t.csv": BOMB}))
    for at in (22, content.index(b"PK\x01\x02") + 24):  # where the two headers state the unpacked size
        content[at : at + 4] = (1000).to_bytes(4, "little")
    assert opener.problem(bytes(content), "t.csv.zip").code == "TRUNCATED"
    assert sum(path.stat().st_size for path in opener.scratch.iterdir()) <= 1000


def test_a_small_file_may_repeat_itself_and_a_large_one_may_pack_a_hundredfold(opener: Opener) -> None:
    row = b"V1,nprs_avg24h,none,not_applicable,questionnaire,R1,5,points\n"
    repeating = b"a,b,c,d,e,f,g,h\n" + row * 50_000
    packed = gzip.compress(repeating, mtime=0)
    assert len(repeating) > 250 * len(packed)
    assert opener.table(packed, "t.csv.gz").records == 50_000
    assert opener.table(zlib_level(repeating, 1), "t.csv.gz", Limits(ratio_bytes=1000)).records == 50_000


def zlib_level(content: bytes, level: int) -> bytes:
    packed = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packed.compress(content) + packed.flush()
