"""Which errors may pass by themselves, and which say that the disk is full. Their texts are never shown."""

from __future__ import annotations

import errno
import sqlite3

import duckdb

PASSES = (OSError, duckdb.IOException, duckdb.FatalException, duckdb.TransactionException, sqlite3.OperationalError)
STAYS = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Kinds of OSError that are as wrong a second later."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK_FULL_WORDS = ("No space left on device", "database or disk is full")
"""How DuckDB and SQLite pass on what the system told them."""


def may_pass(error: BaseException) -> bool:
    """Whether trying again may help: some error behind this one is of the disk or a lock."""
    return any(isinstance(one, PASSES) and not isinstance(one, STAYS) for one in causes(error))


def is_disk_full(error: BaseException) -> bool:
    """Whether no space is left where something was to be written."""
    return any(
        (isinstance(one, OSError) and one.errno in DISK_FULL) or any(words in str(one) for words in DISK_FULL_WORDS)
        for one in causes(error)
    )


def causes(error: BaseException | None) -> list[BaseException]:
    """The error and all that led to it, also those that are not to be shown."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
