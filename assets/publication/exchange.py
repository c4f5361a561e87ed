"""Puts a folder in the place of another in one step, so that whoever reads there finds the one or the other."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = -100
"""AT_FDCWD: paths are those of this process."""
EXCHANGE = 2
"""RENAME_EXCHANGE of Linux. Python offers no name for it."""
CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
"""What a file system says that has no such step, as NFS."""


def take_place(built: Path, place: Path, retired: Path) -> None:
    """Move a folder to where another one is, which goes. All three paths are on one file system.

    Where the system has no such step, the other one is called ``retired`` first and nothing is there for a moment: who
    dies in it leaves the two for the next run to put in order.
    """
    shutil.rmtree(retired, ignore_errors=True)
    if _exchange(built, place):
        shutil.rmtree(built)
        return
    place.rename(retired)
    built.rename(place)
    shutil.rmtree(retired)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders; False where the system cannot."""
    rename = _renameat2()
    if rename is None:
        return False
    if rename(HERE, os.fsencode(first), HERE, os.fsencode(second), EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in CANNOT:
        return False
    raise OSError(number, os.strerror(number))


@cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    """The call of the C library, None where it has none, as on macOS."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
        call.restype = ctypes.c_int
    return call
