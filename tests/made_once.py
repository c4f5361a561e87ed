"""What every worker of a test run needs and takes long to make is made once, by the worker that asks first."""

from __future__ import annotations

import fcntl
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

Made = TypeVar("Made")


def made_once(factory: pytest.TempPathFactory, worker: str, name: str, make: Callable[[Path], Made]) -> Made:
    """Return what ``make`` returned for an empty folder, in whichever worker it was called; the others wait for it.

    Whoever changes what lies in the folder works on a copy: the other workers see it too.

    Args:
        factory: gives the folder of the test run.
        worker: the fixture ``worker_id``; without workers it is "master".
        name: of the thing made, the same in all workers.
        make: puts files into the folder and returns what can be pickled.

    """
    own = factory.getbasetemp()
    folder = (own if worker == "master" else own.parent) / f"once-{name}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = folder / "made"
        if not kept.exists():
            made = make(Path(tempfile.mkdtemp(dir=folder)))
            kept.write_bytes(pickle.dumps(made))
        value: Made = pickle.loads(kept.read_bytes())  # noqa: S301 our own
    return value
