"""``needlepoint audit diff``: what moved between two releases and why, kept in ``HOME/audit/diffs``.

In no site and no bundle: the states in between were never published, and beside what was they would tell what is
hidden.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.audit.diff import moved_numbers
from assets.audit.ledger import FOLDER as AUDIT
from assets.audit.release_inputs import OTHERS, THRESHOLDS, published_frames
from assets.audit.states import between, follow
from assets.contract import CONTRACT
from assets.home import PRIVATE_FOLDER
from assets.outcomes.published import LAYOUTS
from assets.packages import package_versions
from dashboards.pages.release_diff import CAUSES, DiffMeta, cause_counts, lead, page
from dashboards.words import DASH, listing, stamp_text
from pipelines.preflight_home import no_run, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import polars as pl

    from assets.audit.release_inputs import Inputs
    from assets.audit.states import Between
    from assets.home import Home

FOLDER = "diffs"
PAGE, NUMBERS = "index.html", "numbers"
PRIVATE_FILE = 0o600
MIXED = (
    "The code of the first release does not run with the definitions of the second, so that what definitions and "
    "thresholds moved stands under code."
)
OTHER_PACKAGES = (
    "Packages have other versions now than when a release was made ({names}). Its code ran with those of now; what "
    "that changes stands under code."
)


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What moved. ``page`` is the page about it; ``built`` is how many states in between had to be built."""

    meta: DiffMeta
    numbers: pl.DataFrame
    built: int
    page: Path

    def as_text(self) -> str:
        """A few lines for people."""
        width = max(map(len, CAUSES.values()))
        counts = cause_counts(self.numbers)
        causes = (f"  {CAUSES[cause]:<{width}}  {count:>9,}" for cause, count in counts.items() if count)
        return "\n".join([lead(self.numbers, self.meta), *causes, *self.meta.notes, f"Open {self.page}"])

    def as_dict(self) -> dict[str, Any]:
        """The same for machines; every number is in the file beside the page."""
        return {
            "first": self.meta.first,
            "second": self.meta.second,
            "compared": self.meta.compared,
            "moved": self.numbers.height,
            "mostly_by": cause_counts(self.numbers),
            "by_table": dict(self.numbers.group_by("table_name").len().sort("table_name").iter_rows()),
            "states_built": self.built,
            "notes": list(self.meta.notes),
            "page": str(self.page),
            "numbers": str(self.page.with_name(f"{NUMBERS}.parquet")),
        }


def diff_releases(home: Home, first: str, second: str, say: Callable[[str], None]) -> ReleaseDiff:
    """Split what moved between two kept releases, and write the page and the numbers.

    Raises:
        InputProblem: BUSY: a run is writing; else see ``assets.audit.states``.

    """
    with scratch_folder(home) as scratch:
        with no_run(home):
            found = between(home, first, second, scratch)
            before, after = (published_frames(home, release) for release in (first, second))
        route, is_split, built = follow(found, say)
    keys = {name: tuple(layout.keys) for name, layout in LAYOUTS.items()}
    numbers = moved_numbers(before, after, route, keys, are_deliveries_new=bool(found.later))
    meta = DiffMeta(
        first,
        second,
        _inputs(found),
        _notes(found, is_split=is_split),
        CONTRACT.default_definition.definition_id,
        _count(before, after),
    )
    return ReleaseDiff(meta, numbers, built, _written(home, meta, numbers))


def _count(before: Mapping[str, pl.DataFrame], after: Mapping[str, pl.DataFrame]) -> int:
    """How many numbers the larger of the two releases publishes."""
    return max(
        sum(column.count() for frame in frames.values() for column in frame if column.dtype.is_numeric())
        for frames in (before, after)
    )


def _inputs(found: Between) -> list[tuple[str, str, str]]:
    first, second = found.first, found.second
    changed = [name for name in sorted(first.packages) if first.packages[name] != second.packages.get(name)]
    both = (first, second)
    return [
        ("Deliveries", *_pair(f"{len(inputs.deliveries):,}" for inputs in both)),
        ("Of these new, read again", DASH, f"{len(found.later):,}, {len(found.again):,}"),
        ("Newest extract", *_pair(map(_newest, both))),
        ("Waivers and rebases", *_pair(_decided(inputs, OTHERS) for inputs in both)),
        ("Decided thresholds", *_pair(_decided(inputs, THRESHOLDS) for inputs in both)),
        ("Code", first.code_version, second.code_version),
        *((name, first.packages[name], second.packages.get(name, DASH)) for name in changed),
    ]


def _pair(texts: Iterable[str]) -> tuple[str, str]:
    first, second = texts
    return first, second


def _newest(inputs: Inputs) -> str:
    return stamp_text(max((one.extract_stamp for one in inputs.accepted), default="")) or "not stated"


def _decided(inputs: Inputs, kinds: tuple[str, ...]) -> str:
    return f"{sum(entry.kind in kinds for entry in inputs.decisions):,}"


def _notes(found: Between, *, is_split: bool) -> list[str]:
    now = package_versions()
    others = {name for inputs in (found.first, found.second) for name in now if inputs.packages.get(name) != now[name]}
    notes = [] if is_split else [MIXED]
    return notes + ([OTHER_PACKAGES.format(names=listing(sorted(others)))] if others else [])


def _written(home: Home, meta: DiffMeta, numbers: pl.DataFrame) -> Path:
    """Write page and numbers into a folder of their own, which replaces that of an earlier call."""
    folder = home.path / AUDIT / FOLDER / f"{meta.first}_{meta.second}"
    building = folder.with_name(f".{folder.name}")
    shutil.rmtree(building, ignore_errors=True)
    for place in (folder.parent, building):
        place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    (building / PAGE).write_text(page(numbers, meta), encoding="utf-8")
    numbers.write_csv(building / f"{NUMBERS}.csv")
    numbers.write_parquet(building / f"{NUMBERS}.parquet")
    for path in building.iterdir():
        path.chmod(PRIVATE_FILE)
    shutil.rmtree(folder, ignore_errors=True)
    building.replace(folder)
    return folder / PAGE
