"""Versions of the contract, as records name them: whole numbers that only grow."""

from __future__ import annotations


def is_later(version: str, than: str) -> bool:
    """Whether a version is later than another one; what is no version we ever wrote counts as later."""
    return not version.isdecimal() or int(version) > int(than)


def is_older(version: str, than: str) -> bool:
    """Whether a version is older than another one."""
    return not is_later(version, than) and version != than
