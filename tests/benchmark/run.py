"""Benchmark: the main job, a pandas script that does the same, and a bare scan, side by side in one run.

    python tests/benchmark/run.py                                    # 100 thousand and 1 million rows
    python tests/benchmark/run.py --rows 100000 1000000 10000000     # what the targets are written for
    python tests/benchmark/run.py --rows 1000000 --stages            # and where the main job spends its time
    python tests/benchmark/run.py --rows 100000000 --format parquet --cases floor main
    python tests/benchmark/run.py --rows 1000000 --day               # one more day on top

For each size one delivery of a simulated clinic network is made with about that many measurement rows. Every case is a
process of its own; cases take turns, so that a busy machine is busy for all of them. CPU seconds are user and system
seconds of the process and its children, start included; of several ``--repeats`` the least counts. Judge by CPU and by
ratios taken in the same run: wall time doubles on a busy machine, CPU grows by a tenth.

* floor: one typed DuckDB scan of the measurement file, every column hashed, rejects kept (``scan_floor.py``).
* main: ``needlepoint run FEED --home NEW`` with everything: copy, identifier gate, typing, Great Expectations,
  quarantine, models, statistics, site, under Dagster.
* rival: ``rival_pandas.py``; "without curves" leaves out its lifelines step, which costs the same at every size.

It prints what each case cost, the targets with met or not met, and with ``--stages`` the CPU by stage of a second run
of the main job on the smallest and largest size, in one process with a clock around the functions that do the work.
T7 (orchestration) comes from that run: importing Dagster and the definitions plus whatever is in no stage.
T5 with ``--day``: a day of other patients (92,000 rows) on top of the largest size; "beyond the fixed cost" is what it
costs more than the same day in an empty home.

Needs the environment of the project and nothing else. Not part of the test suite. Ten million rows need about 4 GB of
memory (the rival does) and 6 GB of disk; 100 million Parquet rows about 10 GB of disk, without the rival.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import HERE, Cost, ProcessError, measure
from targets import Measured, judge

CASES = ("floor", "main", "rival")
DAY_ROWS = 92_000
THREADS_ROWS = 1_000_000
MAIN = ("-c", "from pipelines.cli import main; main()", "run")
MB = 1_000_000


@dataclass(slots=True)
class Bench:
    """Folders and settings of one call."""

    folder: Path
    file_format: str
    memory_limit: str
    repeats: int
    cases: tuple[str, ...]
    runs: int = 0
    homes: dict[int, list[Path]] = field(default_factory=dict)

    def log(self, name: str) -> Path:
        """Where the next process writes."""
        self.runs += 1
        return self.folder / f"{self.runs:03d}-{name}"

    def feed(self, rows: int, *, day: bool = False) -> dict[str, Any]:
        """Make a feed and return what is in it."""
        out = self.folder / (f"day-{rows}" if day else f"feed-{rows}")
        arguments = [str(HERE / "feed.py"), str(out), "--rows", str(rows), "--format", self.file_format]
        made = json.loads(measure([*arguments, *(["--day"] if day else [])], self.log("feed")).output)
        profile = out / "profile.yaml"
        return made | {"profile": ["--profile", str(profile)] if profile.exists() else []}

    def main(self, feeds: list[dict[str, Any]], home: Path, **environment: str) -> Cost:
        """Run the main job."""
        arguments = [*MAIN, *(feed["folder"] for feed in feeds), "--home", str(home), *feeds[0]["profile"]]
        variables = {"NEEDLEPOINT_MEMORY_LIMIT": self.memory_limit, **environment}
        return measure(arguments, self.log("main"), variables, home / "spill")

    def case(self, name: str, rows: int, feed: dict[str, Any], repeat: int) -> Cost:
        """Run one case once."""
        if name == "floor":
            path = str(Path(feed["folder"]) / f"measurement.{self.file_format}")
            return measure([str(HERE / "scan_floor.py"), path], self.log(name))
        target = self.folder / f"{name}-{rows}-{repeat}"
        if name == "rival":
            return measure([str(HERE / "rival_pandas.py"), feed["folder"], str(target)], self.log(name))
        self.homes.setdefault(rows, []).append(target)
        return self.main([feed], target)

    def compare(self, first: Path, second: Path) -> dict[str, Any]:
        """Compare two results cell by cell."""
        return dict(
            json.loads(measure([str(HERE / "compare.py"), str(first), str(second)], self.log("compare")).output)
        )


def main() -> None:
    """Parse the call, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--stages", action="store_true", help="also print the CPU of the main job by stage")
    parser.add_argument("--day", action="store_true", help="also add one day to the largest size")
    parser.add_argument("--threads", action="store_true", help="also repeat the main job with one and two threads")
    parser.add_argument("--memory-limit", default="4GB", help="DuckDB's limit in the main job")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave everything there")
    parser.add_argument("--json", type=Path, help="also write all numbers to this file")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="needlepoint-benchmark-"))
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder.resolve(), options.format, options.memory_limit, options.repeats, tuple(options.cases))
    try:
        numbers = _run(bench, sorted(options.rows), options)
    except ProcessError as error:
        sys.exit(str(error))
    finally:
        if options.keep is None:
            shutil.rmtree(folder)
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=1, default=str) + "\n", encoding="utf-8")


def _run(bench: Bench, sizes: list[int], options: argparse.Namespace) -> list[dict[str, Any]]:
    measured: list[Measured] = []
    feeds: dict[int, dict[str, Any]] = {}
    for rows in sizes:
        feeds[rows] = feed = bench.feed(rows)
        costs: dict[str, list[Cost]] = {name: [] for name in bench.cases}
        for repeat in range(bench.repeats):
            for name in bench.cases:
                costs[name].append(bench.case(name, rows, feed, repeat))
        found = Measured(feed["rows"]["measurement"], bench.file_format, bench.memory_limit, costs)
        _agreement(bench, rows, found)
        _print_costs(found, feed)
        measured.append(found)
    if "main" in bench.cases:
        if options.threads:
            _threads(bench, feeds, measured, sizes)
        if options.stages:
            for place in sorted({0, len(sizes) - 1}):
                _stages(bench, sizes[place], feeds[sizes[place]], measured[place])
        if options.day:
            _day(bench, feeds[sizes[-1]], sizes[-1], measured[-1])
    _say("\nTargets")
    for line in judge(measured):
        _say(line)
    return [found.as_dict() for found in measured]


def _agreement(bench: Bench, rows: int, found: Measured) -> None:
    """Compare the main job with the rival and with its own repeats."""
    homes = bench.homes.get(rows, [])
    for second in homes[1:]:
        found.agreement["repeat"] = bench.compare(homes[0], second)
    if homes and "rival" in bench.cases:
        rival = bench.folder / f"rival-{rows}-0"
        found.agreement["rival"] = bench.compare(homes[0], rival)
    if "rival" in bench.cases:
        stages = json.loads((bench.folder / f"rival-{rows}-0" / "summary.json").read_text())["stages"]
        found.rival_stages = stages


def _threads(bench: Bench, feeds: dict[int, dict[str, Any]], measured: list[Measured], sizes: list[int]) -> None:
    """Repeat the main job with one thread and with two, on the largest size up to a million rows."""
    place = max((n for n, rows in enumerate(sizes) if rows <= THREADS_ROWS), default=0)
    rows = sizes[place]
    for threads in ("1", "2"):
        home = bench.folder / f"threads-{threads}"
        bench.main([feeds[rows]], home, NEEDLEPOINT_THREADS=threads)
        measured[place].agreement[f"{threads} threads"] = bench.compare(bench.homes[rows][0], home)


def _stages(bench: Bench, rows: int, feed: dict[str, Any], found: Measured) -> None:
    """Run the main job with a clock on every stage and print the table."""
    home = bench.folder / f"stages-{rows}"
    arguments = [str(HERE / "stages.py"), feed["folder"], "--home", str(home), *feed["profile"]]
    variables = {"NEEDLEPOINT_MEMORY_LIMIT": bench.memory_limit}
    found.stages = json.loads(measure(arguments, bench.log("stages"), variables).output)
    stages = found.stages["stages"]
    total = sum(cpu for cpu, _ in stages.values())
    _say(f"\nStages of the main job, {found.rows:,} rows\n{'CPU s':>8} {'wall s':>8} {'share':>6}  stage")
    for label, (cpu, wall) in stages.items():
        _say(f"{cpu:8.2f} {wall:8.2f} {cpu / total:6.1%}  {label}")
    _say(
        f"{total:8.2f} {'':8} {'':6}  all; {found.stages['steps']} steps, {found.stages['check_results']} check results"
    )


def _day(bench: Bench, feed: dict[str, Any], rows: int, found: Measured) -> None:
    """Add a day to a home that holds the feed, twice; compare with a rebuild from both."""
    day = bench.feed(DAY_ROWS, day=True)
    home = bench.homes[rows][0]
    alone = bench.main([day], bench.folder / "day-alone")
    on_top = bench.main([day], home)
    first = bench.compare(home, home)["fingerprint"]
    again = bench.main([day], home)
    rebuilt = bench.folder / "day-rebuilt"
    bench.main([feed, day], rebuilt)
    found.day = {
        "rows": day["rows"]["measurement"],
        "alone": alone.cpu,
        "on_top": on_top.cpu,
        "again": again.cpu,
        "unchanged": bench.compare(home, home)["fingerprint"] == first,
        "rebuilt": bench.compare(home, rebuilt),
    }


def _print_costs(found: Measured, feed: dict[str, Any]) -> None:
    rows, size = feed["rows"], feed["bytes"] / MB
    _say(f"\n{found.rows:,} measurement rows, {rows['episode']:,} episodes, {size:,.0f} MB {found.file_format}")
    _say(f"{'case':24} {'CPU s':>8} {'wall s':>8} {'peak MB':>8} {'CPU / scan':>11}")
    for name, best in found.best().items():
        ratio = f"{best.cpu / found.floor:11.1f}" if found.floor else ""
        _say(f"{name:24} {best.cpu:8.2f} {best.wall:8.2f} {best.peak / MB:8.0f} {ratio}")
    if found.rival_stages:
        cpu = found.rival_cpu - found.rival_stages["curves"]
        _say(f"{'rival, without curves':24} {cpu:8.2f}")
        stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found.rival_stages.items())
        _say(f"rival by stage: {stages}")
    for other, compared in found.agreement.items():
        _say(f"main job and {other}: {'identical' if compared['equal'] else 'DIFFERENT'} {compared['outcome']}")
        for table, differences in compared["tables"].items():
            if differences["different"]:
                _say(f"  {table}: {differences['different']} of {differences['cells']} cells differ")
                _say(f"    {differences['example']}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
