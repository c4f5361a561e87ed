"""Which checks passed, run by run: a card of the bundle for engineers and quality teams, which has the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.figures import check_heat
from dashboards.pages.parts import Card
from dashboards.pages.quality_heat import FEW, Results, keys_of_checks, spaced, table_of_checks
from dashboards.pages.quality_rows import ATTENTION, PASSED, short_day
from dashboards.words import DASH, STATUS, listing, plural, stamp_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.figures.build import Spec
    from dashboards.published import Published, Row

CARD = "runs_heat"
NAMED = 4
"""Runs in which a check did not pass are named up to this number."""
NOT_RUN = "not_applicable"
MARKS = {
    "pass": "✓",
    "pass_with_violations": check_heat.EXCEPTION,
    "warn": "!",
    "fail": "✕",
    "error": "✕",
    NOT_RUN: DASH,
}
TABLE = table_of_checks(CARD, "runs", "Not run", "in the run of")
KEYS = keys_of_checks("not run, or nothing to check")


def results_of(published: Published) -> Results | None:
    """Return the results of the last runs; None without a history."""
    runs = published.rows("check_run")
    if not runs:
        return None
    names: dict[str | None, str] = {row["run_id"]: f"{stamp_text(row['started'])} UTC" for row in runs}
    by_check: dict[str, dict[str | None, str]] = {}
    for row in published.rows("check_by_run"):
        found = by_check.setdefault(row["check_id"], dict.fromkeys(names, NOT_RUN))
        found[row["run_id"]] = row["status"]
    days = [short_day(row["started"]) for row in runs]
    # the last run is the one that is looked at first
    return Results(CARD, names, days if len(runs) <= FEW else spaced(days[::-1])[::-1], by_check)


def card(results: Results, runs: Sequence[Row], spec: Spec | None) -> Card:
    """Return the card."""
    return Card(
        CARD,
        "Which checks passed, run by run?",
        12,
        f"A row is a check, a column one of the last {len(results.names)} runs from left to right; what a run judged "
        "several times, as each of its deliveries, shows the worst result. A run judges only what it reads and the "
        "release it makes; a run that was held before the end has not judged what comes later. Runs are named by "
        "their start. Press a check to see what it means. Every result is in check_by_run.csv.",
        TABLE,
        spec,
        KEYS,
        say=say(results, runs),
    )


def say(results: Results, runs: Sequence[Row]) -> str:
    """How the last run ended, and how many were held."""
    last = runs[-1]["run_id"]
    ended = [found[last] for found in results.by_check.values() if found[last] != NOT_RUN]
    counts = [sum(status in group for status in ended) for group in (PASSED, ("warn",), ("fail", "error"))]
    held = sum(row["state"] == "held" for row in runs)
    of = f"of the last {plural(len(runs), 'run')}"
    stopped = f"{held:,} {of} {'was' if held == 1 else 'were'} held by a check" if held else f"None {of} was held"
    if len(runs) == 1:
        stopped = "It was held by a check" if held else "It was not held"
    return (
        f"{counts[0]:,} of {plural(len(ended), 'check')} passed in the run of {results.names[last]}; "
        f"{counts[1]:,} warned, {counts[2]:,} failed. {stopped}."
    )


def words(found: Sequence[tuple[str, str]]) -> str:
    """In how many of the last runs one check passed, and in which it did not."""
    ran = [(name, status) for name, status in found if status != NOT_RUN]
    if not ran:
        return "Not run, or nothing to check."
    bad = [(name, status) for name, status in ran if status in ATTENTION]
    passed = f"Passed in {len(ran) - len(bad):,} of {plural(len(ran), 'run')}"
    if not bad:
        return f"{passed}."
    named = [f"{name} ({STATUS[status]})" for name, status in bad[-NAMED:]]
    more = len(bad) - len(named)
    return f"{passed}. Not in that of {listing([*named, f'{more:,} before']) if more else listing(named)}."


def strip(found: Sequence[tuple[str, str]]) -> str:
    """One mark for each run, from left to right; the words beside it say the same."""
    return "".join(MARKS[status] for _, status in found)
