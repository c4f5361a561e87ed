"""One more night on top of two years of nights: what it costs, and what of that grows with the history.

    python tests/benchmark/incremental.py [--nights 730] [--patients 10000] [--keep FOLDER] [--json FILE]

A network of four clinics sends one delivery a night. At the beginning, at a quarter, at half and at the whole of the
history, the next night is taken in and released by ``needlepoint run`` on a copy of the home as it is then, with a
clock on every stage. The nights between are laid down by ``nightly_history.py``, which is many times faster. All
figures are of whole processes, importing of libraries included.

Not part of the test suite. 730 nights take about ten CPU minutes and 3 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from processes import HERE, measure

LOG = "runs/runs.jsonl"
SHARES = (0, 0.25, 0.5, 1)
RUN = ("-c", "from pipelines.cli import main; main()", "run")
MEMORY = {"NEEDLEPOINT_MEMORY_LIMIT": "4GB"}
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Night:
    """A night taken in and released on top of a history: CPU, wall and peak of its process, and where they went.

    ``stages`` are CPU and wall seconds by stage, ``steps`` wall seconds by step of Dagster.
    """

    history: int
    rows: int
    cpu: float
    wall: float
    peak: int
    stages: dict[str, tuple[float, float]]
    steps: dict[str, float]
    lake_files: int
    home_bytes: int


def main() -> None:
    """Make the nights, take them in, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=730)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave everything there")
    parser.add_argument("--json", type=Path, help="also write all numbers to this file")
    asked = parser.parse_args()
    folder = (asked.keep or Path(tempfile.mkdtemp(prefix="needlepoint-incremental-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        rows = _feed(folder / "feed", asked.patients, asked.nights + 1)
        measured = []
        first = 0
        for history in sorted({round(share * asked.nights) for share in SHARES}):
            _take_in(folder, first, history)
            first = history + 1
            home = folder / f"home-{history}"
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(folder / "home", home, symlinks=True)
            measured.append(_night(folder, home, history + 1, history, rows))
    finally:
        if asked.keep is None:
            shutil.rmtree(folder)
    _print(measured)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in measured], indent=1) + "\n", encoding="utf-8")


def _feed(feed: Path, patients: int, nights: int) -> list[int]:
    """Write a folder per night, unless they are there; return their rows. Night 0 is what was before the first."""
    counts = feed.with_suffix(".json")
    if not counts.exists():
        made = measure(
            [str(HERE / "nightly_feed.py"), str(feed), "--patients", str(patients), "--nights", str(nights)],
            feed.with_name("made"),
        )
        counts.write_text(made.output, encoding="utf-8")
    return list(json.loads(counts.read_text(encoding="utf-8")))


def _take_in(folder: Path, first: int, last: int) -> None:
    """Take nights into the growing home: the first by a run and a release, those after it many times faster."""
    home, feed = str(folder / "home"), folder / "feed"
    if first == 0:
        measure([*RUN, str(feed / "0000"), "--home", home], folder / "first", MEMORY)
    else:
        laid = measure(
            [str(HERE / "nightly_history.py"), home, str(feed), str(first), str(last)], folder / f"laid-{last}"
        )
        _say(f"nights {first} to {last} laid down: {laid.cpu:.0f} CPU s")


def _night(folder: Path, home: Path, night: int, history: int, rows: list[int]) -> Night:
    feed = str(folder / "feed" / f"{night:04d}")
    cost = measure([str(HERE / "stages.py"), feed, "--home", str(home)], folder / f"night-{night}-on-{history}", MEMORY)
    lake = [path for path in (home / "lake").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    return Night(
        history,
        rows[night],
        cost.cpu,
        cost.wall,
        cost.peak,
        json.loads(cost.output)["stages"],
        json.loads((home / LOG).read_text(encoding="utf-8").splitlines()[-1])["steps"],
        len(lake),
        size,
    )


def _print(measured: list[Night]) -> None:
    head = " ".join(f"{one.history:>14,}" for one in measured)
    _say(f"\n{'nights of history':44} {head}")
    _line("rows of the night", [f"{one.rows:,}" for one in measured])
    _line("files in the lake", [f"{one.lake_files:,}" for one in measured])
    _line("home, MB", [f"{one.home_bytes / MB:,.0f}" for one in measured])
    _line("all: CPU s / wall s", [f"{one.cpu:.1f} / {one.wall:.1f}" for one in measured])
    _line("peak MB", [f"{one.peak / MB:,.0f}" for one in measured])
    for label_ in dict.fromkeys(name for one in measured for name in one.stages):
        found = [one.stages.get(label_, (0.0, 0.0)) for one in measured]
        _line(label_, [f"{cpu:.2f} / {wall:.2f}" for cpu, wall in found])
    for step in dict.fromkeys(name for one in measured for name in one.steps):
        _line(f"step {step}, wall s", [f"{one.steps.get(step, 0.0):.2f}" for one in measured])


def _line(name: str, values: list[str]) -> None:
    _say(f"{name:44} " + " ".join(f"{value:>14}" for value in values))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
