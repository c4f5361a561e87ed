"""Private files for what has to be unpacked or rewritten before it can be read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

CHUNK_BYTES = 1 << 20


def new_file(scratch: Path, suffix: str = "") -> Path:
    """An empty file that only this user can read."""
    handle, path = tempfile.mkstemp(suffix=suffix, dir=scratch)
    os.close(handle)
    return Path(path)
