"""Turns what ``detection`` kept into ``assets/quality/DETECTION.md``: ``python -m tests.truth.detection_report``."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.contract.drift import SUFFIX
from assets.simulation.nights import NIGHTS
from tests.truth.detection import FOLLOWED_NIGHTS, PHASES, PLANTED_IN, ROWS_PLANTED_IN, Found
from tests.truth.night_stage import INSTANCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TARGET = Path(__file__).parents[2] / "assets" / "quality" / "DETECTION.md"
SHOWN = 3
DAYS_PER_MONTH = 30
REFUSED, HELD = "rejected: ", "held: "
ROWS = " (rows)"

WHY_NOT = {
    "code_replaced": "6 of 23 episodes in a night have met their goals: found alone, missed among others",
    "code_vanished": "6 to 8 visits of a night do not take place; that none of 6 is left happens by chance too often",
    "index_in_points": "a night has 4 to 26 scores of this index, and only odd points are scores it never had",
}
"""Why a fault is not found in its night, for those that are not."""
WHY_ALARMS = {
    "delivery.rows.usual_volume": "a history of 120 days is far larger than its nights: once there are three to "
    "compare it with it is named, and stays so; the nights are not"
}


def report(folder: Path) -> str:
    """The page, from the files that the phases left in ``folder``."""
    about, nights, clean, many, rows = (_read(folder, name) for name in ("about", *PHASES))
    alone = [Found(**{**one, "by": tuple(one["by"])}) for one in (*nights, *rows)]
    known = {one.fault: set(one.by) for one in alone}
    together = [_recognised(Found(**{**one, "by": tuple(one["by"])}), known) for one in many[0]]
    return "\n".join(
        [
            "# What is found of planted faults, and when",
            "",
            (
                "Made by `python -m tests.truth.detection_report` from a run of `python -m tests.truth.detection`. "
                "Do not edit."
            ),
            "",
            f"Run of {about['date']}, code {about['code']}, seed {about['seed']}, contract {about['contract']}; "
            + ", ".join(f"{name} {version}" for name, version in about["versions"].items())
            + ".",
            "",
            *_how(about),
            *_in_short(alone, together, many[1], clean),
            *_false_alarms(clean),
            *_nights([one for one in alone if one.kind == "night"]),
            *_rows([one for one in alone if one.kind == "row"]),
            *_together(together, many[1]),
            *_misses([*alone, *together]),
        ]
    )


def _recognised(found: Found, alone: Mapping[str, set[str]]) -> Found:
    """A fault among others is found by what finds it alone; what else is said of its night may be of another fault."""
    kept = tuple(one for one in found.by if one in alone[found.fault] or one.startswith((REFUSED, HELD)))
    return replace(found, by=kept, after=found.after if kept else None)


def _how(about: dict[str, Any]) -> Iterator[str]:
    whole, rows = (" or ".join(map(str, nights)) for nights in (PLANTED_IN, ROWS_PLANTED_IN[-1:]))
    yield from (
        "## How it was tried",
        "",
        (
            f"Four simulated records systems, one clinic each, send their history and then {NIGHTS} nights: what was "
            f"new that day, about {about['visits']:,} visits and {about['scores']:,} scores a night and system. "
            "Deliveries and releases are judged by the functions that the Dagster assets call; statistics and pages "
            "are not made."
        ),
        "",
        (
            f"* Alone: each kind is planted in night {whole} of one system. Faults of single rows are "
            f"planted {INSTANCES} times each, with keys of their own, in a delivery without another fault: kinds of "
            f"rules between rows in night {rows}, kinds that are judged when a delivery is read in night "
            f"{ROWS_PLANTED_IN[0]} to {ROWS_PLANTED_IN[-1]}."
        ),
        (
            "* Found: something is said that the same night without the fault does not say. A delivery is refused or "
            "held, a check warns (alarm), or a check names rows."
        ),
        (
            "* Recall and precision count pairs of row and check: which pairs the fault breaks is known when it is "
            "planted."
        ),
        f"* What its night does not show is waited for {FOLLOWED_NIGHTS} nights.",
        "* False alarm: an alarm in a night without faults that was not there the night before.",
        "",
        (
            "Not tried: days without visits, clinics that open or close, and slow change. Nights of a real clinic "
            "differ by more than chance; what drift makes of that is said where its limits are stated."
        ),
        "",
    )


def _in_short(
    alone: Sequence[Found], together: Sequence[Found], false: dict[str, int], clean: Sequence[Sequence[Any]]
) -> Iterator[str]:
    rows = [one for one in alone if one.kind == "row"]
    nights = [one for one in alone if one.kind == "night"]
    many = [one for one in together if one.kind == "row"]
    months = NIGHTS / DAYS_PER_MONTH
    drift = sum(_is_drift(check) for _, check, _ in clean)
    yield from (
        "## In short",
        "",
        "| | kinds | found in their night | later | not found | recall | precision |",
        "|---|---:|---:|---:|---:|---:|---:|",
        _line("Single rows, alone", rows),
        _line("Whole nights, alone", nights),
        _line(f"{len(together)} together", together, many),
        "",
        (
            f"Without faults: {len(clean)} false alarms in {NIGHTS} nights ({len(clean) / NIGHTS:.2f} a night), "
            f"{drift} of them of drift ({drift / months:.1f} a month). With {len(together)} faults together: "
            f"{sum(false.values())} alarms about deliveries and clinics without a fault."
        ),
        "",
    )


def _line(name: str, found: Sequence[Found], counted: Sequence[Found] | None = None) -> str:
    counted = found if counted is None else counted
    first = sum(one.after == 0 for one in found)
    later = sum(bool(one.after) for one in found)
    planted, caught, named = (sum(getattr(one, what) for one in counted) for what in ("planted", "caught", "named"))
    return (
        f"| {name} | {len(found)} | {first} ({_share(first, len(found))}) | {later} | {len(found) - first - later} "
        f"| {_share(caught, planted)} | {_share(caught, named)} |"
    )


def _false_alarms(clean: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield from ("## False alarms without faults", "")
    if not clean:
        yield from ("None.", "")
        return
    counts = Counter(check for _, check, _ in clean)
    yield from ("| check | alarms | nights |", "|---|---:|---|")
    for check, count in sorted(counts.items()):
        nights = sorted({night for night, name, _ in clean if name == check})
        yield f"| `{check}` | {count} | {', '.join(map(str, nights))} |"
    yield ""
    yield from (f"`{check}`: {WHY_ALARMS[check]}." for check in sorted(counts) if check in WHY_ALARMS)
    yield ""


def _nights(found: Sequence[Found]) -> Iterator[str]:
    yield from (
        "## Faults of a whole night, alone",
        "",
        "| fault | what happened | how it is found | by | night after |",
        "|---|---|---|---|---:|",
    )
    for one in found:
        yield f"| {one.fault} | {one.title} | {_way(one)} | {_by(one)} | {_after(one)} |"
    yield ""


def _rows(found: Sequence[Found]) -> Iterator[str]:
    yield from (
        "## Faults of single rows, alone",
        "",
        "`superseded`: the second of two identical rows does no harm; it is counted and not used.",
        "",
        "| fault | named by | pairs planted | caught | others named | recall | precision | night after |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    )
    for one in found:
        yield (
            f"| {one.fault} | {_by(one)} | {one.planted} | {one.caught} | {one.named - one.caught} "
            f"| {_share(one.caught, one.planted)} | {_share(one.caught, one.named)} | {_after(one)} |"
        )
    yield ""


def _together(found: Sequence[Found], false: dict[str, int]) -> Iterator[str]:
    yield from (
        f"## {len(found)} together",
        "",
        (
            "Drawn by lot, half of them of whole nights; each in a delivery of its own, up to four in a night. What is "
            "planted in one night is history in the next. Found is what is refused or held, or said by a check that "
            "also finds the fault alone. Good rows whose parent an earlier fault kept out are named as orphans, "
            "rightly; they count for no fault."
        ),
        "",
        "| fault | night | how it is found | by | night after |",
        "|---|---:|---|---|---:|",
    )
    for one in found:
        yield f"| {one.fault} | {one.night} | {_way(one)} | {_by(one)} | {_after(one)} |"
    yield ""
    if false:
        told = ", ".join(f"`{check}` ({count})" for check, count in sorted(false.items()))
        yield from (f"Alarms about deliveries and clinics without a fault of that night: {told}.", "")


def _misses(found: Sequence[Found]) -> Iterator[str]:
    yield from ("## Not found in their night", "")
    missed = sorted({one.fault for one in found if one.after != 0})
    if not missed:
        yield from ("None.", "")
    for name in missed:
        yield f"* `{name}`: {WHY_NOT.get(name, 'not looked into yet')}."
    if missed:
        yield ""


def _way(one: Found) -> str:
    if any(check.startswith(REFUSED) for check in one.by):
        return "refused"
    if any(check.startswith(HELD) or check.endswith(".usable") for check in one.by):
        return "held"
    if one.kind == "night" and any(not check.endswith(ROWS) for check in one.by):
        return "alarm"
    return "rows named" if one.by else "not found"


def _by(one: Found) -> str:
    checks = list(dict.fromkeys(check.removesuffix(ROWS) for check in one.by))
    more = f" and {len(checks) - SHOWN} more" if len(checks) > SHOWN else ""
    return ", ".join(f"`{check}`" for check in checks[:SHOWN]) + more


def _after(one: Found) -> str:
    return "-" if one.after is None else str(one.after)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


def _is_drift(check: str) -> bool:
    return SUFFIX in check.split(".")


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    """Write the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, help="what `detection` was given")
    TARGET.write_text(report(arguments.parse_args().folder), encoding="utf-8")


if __name__ == "__main__":
    main()
