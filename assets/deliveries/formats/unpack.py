"""Files packed by gzip or zip, unpacked into the scratch folder while their size is watched."""

from __future__ import annotations

import errno
import gzip
import zipfile
import zlib
from contextlib import contextmanager
from io import FileIO
from typing import TYPE_CHECKING, BinaryIO

from assets.deliveries.formats.scratch import CHUNK_BYTES, new_file
from assets.deliveries.limits import LIMITS, Limits
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OTHER_PACKERS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}
_BZIP2, _BZIP2_AT = b"1AY&SY", 4
_TAR, _TAR_AT = b"ustar", 257
_SIGNATURE_BYTES = 512
_ENCRYPTED = 1
_MAC_FOLDER = "__MACOSX/"
_LONGEST_READ = 1 << 22
"""Bytes that an archive is asked for at once: its list of files above all, which is kept in memory."""


def unpacked(path: Path, name: str, scratch: Path, *, zipped: bool = False, limits: Limits = LIMITS) -> Path:
    """The file itself if it is not packed, else a copy of what it holds.

    Args:
        path: the landed copy.
        name: what the clinic called the file; its ending says whether it is packed.
        scratch: a private folder for the copy.
        zipped: whether files of this format are zip archives by themselves, as workbooks are.
        limits: what unpacking may give.

    Raises:
        InputProblem: FORMAT if name and content disagree or there is not exactly one file in it, TRUNCATED if it is
            damaged, TOO_LARGE, COMPRESSION.

    """
    with path.open("rb") as file:
        start = file.read(_SIGNATURE_BYTES)
    if not start:
        return path  # empty is for the reader to say
    lower = name.lower()
    if lower.endswith(".gz"):
        if not start.startswith(_GZIP):
            raise InputProblem("FORMAT", name, "its name ends in .gz but it is not packed by gzip", _RENAME)
        found = _gunzip(path, name, scratch, limits)
    elif lower.endswith(".zip"):
        if not start.startswith((_ZIP, _EMPTY_ZIP)):
            raise InputProblem("FORMAT", name, "its name ends in .zip but it is no zip archive", _RENAME)
        found = _unzip(path, name, scratch, limits)
    else:
        _refuse_packed(start, name, zipped=zipped)
        return path
    with found.open("rb") as file:
        if packer := _packer(file.read(_SIGNATURE_BYTES), zipped=zipped):
            raise InputProblem("FORMAT", name, f"what is packed in it is packed again ({packer})", "Pack it once")
    return found


_RENAME = "Send it under a name that says what it is"


def _refuse_packed(start: bytes, name: str, *, zipped: bool) -> None:
    packer = _packer(start, zipped=zipped)
    if packer in ("gzip", "zip"):
        ending = ".gz" if packer == "gzip" else ".zip"
        raise InputProblem(
            "FORMAT", name, f"it is packed by {packer} but its name does not say so", f"Add {ending} to its name"
        )
    if packer:
        raise InputProblem("FORMAT", name, f"it is packed by {packer}", "Send it plain, or packed by gzip or zip")


def _packer(start: bytes, *, zipped: bool) -> str | None:
    if start.startswith(_GZIP):
        return "gzip"
    if start.startswith((_ZIP, _EMPTY_ZIP)):
        return None if zipped else "zip"
    if start.startswith(b"BZh") and start[_BZIP2_AT:].startswith(_BZIP2):
        return "bzip2"
    if start[_TAR_AT:].startswith(_TAR):
        return "tar"
    return next((packer for signature, packer in _OTHER_PACKERS.items() if start.startswith(signature)), None)


def _gunzip(path: Path, name: str, scratch: Path, limits: Limits) -> Path:
    target = new_file(scratch)
    try:
        with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as reader:
            _copy(reader, target, packed, name, limits)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _damaged(name) from None
    return target


def _copy(reader: gzip.GzipFile, target: Path, packed: BinaryIO, name: str, limits: Limits) -> None:
    size = 0
    with target.open("wb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            size += len(chunk)
            limits.check_unpacked(size, packed.tell(), name)
            writer.write(chunk)


def _unzip(path: Path, name: str, scratch: Path, limits: Limits) -> Path:
    """Copy the one file of an archive. Names in the archive are never used as paths."""
    target = new_file(scratch)
    try:
        with opened_archive(path) as archive:
            entry = _only_file(archive, name)
            limits.check_unpacked(entry.file_size, entry.compress_size, name)
            # a reader that stops at the size the archive states: a false one shows in the checksum
            with archive.open(entry) as reader, target.open("wb") as writer:
                while chunk := reader.read(CHUNK_BYTES):
                    writer.write(chunk)
    except NotImplementedError:
        raise InputProblem(
            "FORMAT", name, "the archive is packed in a way that cannot be read", "Pack it by deflate, as is usual"
        ) from None
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError, OverflowError):
        raise _damaged(name) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the beginning of the file, as a damaged directory states it
            raise
        raise _damaged(name) from None
    return target


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive that cannot fill the memory.

    Its list of files is short, and nothing in it is packed by bzip2 or LZMA, which unpack all that they are given at
    once, whatever size was stated.

    Raises:
        zipfile.BadZipFile: it is damaged, or lists too many files.
        NotImplementedError: something in it is packed in another way than by deflate.

    """
    with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
        if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in archive.infolist()):
            raise NotImplementedError
        yield archive


class _Bounded(FileIO):
    """A file of which no more than a bounded part is read at once."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(_LONGEST_READ + 1 if size is None or size < 0 else min(size, _LONGEST_READ + 1)) or b""
        if len(content) > _LONGEST_READ:
            raise zipfile.BadZipFile
        return content


def _only_file(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    files = [entry for entry in archive.infolist() if not (entry.is_dir() or entry.filename.startswith(_MAC_FOLDER))]
    if len(files) != 1:
        raise InputProblem(
            "FORMAT", name, f"the archive holds {len(files)} files", "Pack each file by itself, so that it holds one"
        )
    if files[0].flag_bits & _ENCRYPTED:
        raise InputProblem("FORMAT", name, "the archive is protected by a password", "Pack it without a password")
    return files[0]


def _damaged(name: str) -> InputProblem:
    return InputProblem("TRUNCATED", name, "it cannot be unpacked to its end", "Send it again")
