"""What clinics do to the landing folder, as a process of its own: ``python dropping.py PLAN``.

The plan is a list of steps in JSON. ``copy`` puts a folder there as a file share does, file by file in pieces, over
some seconds; ``link`` makes a symbolic link; ``wait`` does nothing for some seconds. Nothing here knows Needlepoint.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

PIECES = 4


def copy(source: str, target: str, seconds: float) -> None:
    """Copy the files of a folder in pieces, spread over so many seconds."""
    Path(target).mkdir(parents=True)
    files = sorted(Path(source).iterdir())
    pause = seconds / (len(files) * PIECES)
    for path in files:
        content = path.read_bytes()
        length = len(content) // PIECES + 1
        with (Path(target) / path.name).open("wb") as written:
            for number in range(PIECES):
                written.write(content[number * length : (number + 1) * length])
                written.flush()
                time.sleep(pause)


def main() -> None:
    """Take the steps of a plan in turn."""
    for step in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        if "wait" in step:
            time.sleep(step["wait"])
        elif "link" in step:
            Path(step["link"]).parent.mkdir(parents=True, exist_ok=True)
            Path(step["link"]).symlink_to(step["to"])
        else:
            copy(step["copy"], step["to"], step["seconds"])


if __name__ == "__main__":
    main()
