"""A run that kills itself: at the n-th change of a file that belongs to a phase, or a moment after.

``python killing.py HOME FEED [PHASE NUMBER SECONDS]``; without the last three it counts the changes of each phase. With
less than no seconds the change fails, as on a disk that cannot be written for a moment, and nobody is killed.
Changes are what Python's audit hook sees. DuckDB and Polars write in between: the delay lands in them.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from pipelines.runner import run
from pipelines.settings import HOME_VARIABLE, OFFLINE

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link"}
LOAD, BUILD, PUBLISH = PHASES = ("load", "build", "publish")


class Killer:
    """Counts what is changed below a home, and kills this process at one of the changes."""

    def __init__(self, home: Path, at: tuple[str, int, float] | None) -> None:
        """``at``: phase, number of the change in it, and how many seconds after that."""
        self._home = f"{home}/"
        self._at = at
        self._is_publishing = False
        self.counts: Counter[str] = Counter()

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        """Hear of an event of the interpreter."""
        if event == "open":
            flags = args[2]
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in CHANGES:
            return
        names = [os.fsdecode(name) for name in args if isinstance(name, (str, bytes, os.PathLike))]
        if any(name.startswith(self._home) for name in names):
            self._changed(" ".join(names))

    def _changed(self, names: str) -> None:
        if ".building/manifest.json" in names:
            self._is_publishing = True
        phase = PUBLISH if self._is_publishing else BUILD if "releases/" in names else LOAD
        self.counts[phase] += 1
        if self._at and (phase, self.counts[phase]) == self._at[:2]:
            if self._at[2] < 0:
                raise OSError(errno.EIO, "planted")
            if self._at[2] == 0:
                _kill()
            threading.Timer(self._at[2], _kill).start()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run a feed under the eyes of the killer."""
    home, feed, *at = sys.argv[1:]
    os.environ |= OFFLINE | {HOME_VARIABLE: home}
    killer = Killer(Path(home), (at[0], int(at[1]), float(at[2])) if at else None)
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    sys.addaudithook(killer)
    outcome = run(Home(Path(home), memory_limit="1GB", threads=1), [Path(feed)], profile, lambda _: None)
    print(json.dumps({"released": outcome.released, "failed": [str(one) for one in outcome.failed], **killer.counts}))  # noqa: T201 read by the test


if __name__ == "__main__":
    main()
