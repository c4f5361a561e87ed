"""Keyed pseudonyms: HMAC-SHA-256 with a secret that never leaves the clinic.

A plain hash of a record number can be reversed by trying all numbers; with a secret of 32 bytes it cannot. The same
identifier gives the same key in every file and every later delivery that is made with the same secret. A key made from
a record number is still derived from information about the person: under 45 CFR 164.514(c) that needs Expert
Determination, unless the identifier at the source is a random surrogate already.

Of the 256 bits 130 are kept: among a billion identifiers of one domain two share a key with probability 4e-22.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
from typing import TYPE_CHECKING, Final

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SMALLEST_SECRET: Final = 32
KEY_CHARACTERS: Final = 26
SEPARATOR: Final = b"\x1f"
OTHER_LETTER: Final = "X"
SAID: Final = "the key file"
LETTERS: Final = {"patient": "P", "episode": "E", "visit": "V", "clinic": "C", "therapist": "T"}
"""The first character of a key says what it is the key of; each domain has hashes of its own."""


def canonical(identifier: str) -> str:
    """How an identifier is written for hashing: composed characters, no blanks around, upper case."""
    composed = unicodedata.normalize("NFC", identifier).strip().upper()
    return unicodedata.normalize("NFC", composed)


def hmac_sha256(secret: bytes, message: bytes) -> bytes:
    """RFC 2104 with SHA-256."""
    return hmac.digest(secret, message, hashlib.sha256)


class Keys:
    """Makes keys of the form of the contract."""

    def __init__(self, secret: bytes) -> None:
        """Take a secret. Raises ValueError if it is shorter than 32 bytes."""
        if len(secret) < SMALLEST_SECRET:
            message = f"a secret has at least {SMALLEST_SECRET} bytes"
            raise ValueError(message)
        self._secret = secret

    def key(self, domain: str, identifier: str) -> str:
        """The key of ``identifier`` among those of ``domain``; pass it through ``canonical`` unless case matters."""
        digest = hmac_sha256(self._secret, domain.encode() + SEPARATOR + identifier.encode())
        kept = base64.b32encode(digest)[:KEY_CHARACTERS].decode()
        return LETTERS.get(domain, OTHER_LETTER) + kept


def new_key_file(path: Path) -> None:
    """Write a new secret that only its owner may read.

    Raises:
        InputProblem: KEY_FILE, if the file exists already or cannot be written.

    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputProblem(
            "KEY_FILE", SAID, "it exists already, and without it no key can be made again", "Name another file"
        ) from None
    except OSError:
        raise InputProblem("KEY_FILE", SAID, "it cannot be written", "Name a file in a folder of your own") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(SMALLEST_SECRET) + "\n")


def read_key_file(path: Path, away_from: Iterable[Path]) -> Keys:
    """Read a secret.

    Args:
        path: the key file.
        away_from: feeds and output folders, which the key must not lie in: whoever gets them would get it too.

    Raises:
        InputProblem: KEY_FILE, if it is missing, no plain file, readable by others, too short or in the wrong place.

    """
    place = path.resolve()
    for other in away_from:
        if place.is_relative_to(other.resolve()):
            raise InputProblem(
                "KEY_FILE", SAID, "it lies among the files of the feed or the output", "Keep it in a folder of its own"
            )
    try:
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
    except OSError:
        raise InputProblem("KEY_FILE", SAID, "it cannot be read", "Name the file, or make one with --new-key") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputProblem("KEY_FILE", SAID, "it is no plain file", "Name the file itself")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputProblem("KEY_FILE", SAID, "others can read it", "Run chmod 600 on it")
    secret = content.strip()
    if len(secret) < SMALLEST_SECRET:
        raise InputProblem("KEY_FILE", SAID, f"it holds fewer than {SMALLEST_SECRET} bytes", "Make one with --new-key")
    return Keys(secret)
