"""What is held back since the release in force, by which checks and since when, in words for every page.

The words name checks and times, no delivery and no clinic: the bundle of one clinic says the same as all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.deliveries.ledger import State
from assets.publication.run_log import RunState
from dashboards.words import listing, plural, source_name, stamp_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assets.audit.rolled_back import RolledBack
    from assets.deliveries.ledger import Delivery
    from assets.publication.run_log import RunRecord

STAYS = "The numbers below were released before that."
RELEASED = (RunState.RELEASED, RunState.WARNED)
HELD_BY = "Held by "
"""How the problem of a delivery begins that checks hold; their names follow."""
OTHER_REASON = ""
"""Stands for what is no check: a change of scale."""


def held_words(runs: Sequence[RunRecord], deliveries: Iterable[Delivery], titles: Mapping[str, str]) -> str:
    """Say what is held back now; empty if nothing is.

    Args:
        runs: the log of the runs, in the order in which they started.
        deliveries: every delivery of the home, in the order of their extracts.
        titles: what the checks are called.

    """
    parts = (_release_words(runs, titles), _delivery_words(open_holds(deliveries), titles))
    return " ".join(part for part in parts if part)


def rolled_back_words(back: RolledBack) -> str:
    """Say that an older release is in force; who put it back and why is in the ledger, not on pages for everybody."""
    held = " What has arrived since is not released until somebody decides so." if back.holds else ""
    return (
        f"An older release is in force since {_moment(back.at)}: release {back.release} was put back in place of "
        f"release {back.newest}. The numbers below are those of the older one.{held}"
    )


def held_since(runs: Sequence[RunRecord]) -> dict[str, str]:
    """Checks that hold the release now, with the start of the first run that each of them has held without a break.

    Empty after a release, and where no check held the last run that tried to make one.
    """
    tried = [run for run in runs if run.state in RELEASED or run.held_checks]
    if not tried or tried[-1].state in RELEASED:
        return {}
    since = dict.fromkeys(tried[-1].held_checks, tried[-1].started)
    for check_id in since:
        for run in reversed(tried):
            if check_id not in run.held_checks:
                break
            since[check_id] = run.started
    return since


def open_holds(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Held deliveries that no later one of the same source has replaced, in the order of their extracts."""
    held: dict[tuple[str, str], list[Delivery]] = {}
    for one in deliveries:
        source = (one.profile, source_name(one.label))
        if one.state is State.ACCEPTED:
            held.pop(source, None)
        elif one.state is State.HELD:
            held.setdefault(source, []).append(one)
    return sorted((one for found in held.values() for one in found), key=lambda one: one.extract_stamp)


def _release_words(runs: Sequence[RunRecord], titles: Mapping[str, str]) -> str:
    since = held_since(runs)
    if not since:
        return ""
    last = next(run for run in reversed(runs) if run.held_checks)
    named = listing([f"{_check(check_id, titles)} since {_moment(start)}" for check_id, start in since.items()])
    return f"The run of {_moment(last.started)} was not released. It is held by {named}. {STAYS}"


def _delivery_words(held: Sequence[Delivery], titles: Mapping[str, str]) -> str:
    if not held:
        return ""
    first: dict[str, str] = {}
    for one in held:
        for check_id in _checks(one):
            first[check_id] = min(first.get(check_id, one.landed_at), one.landed_at)
    named = [f"{_check(check_id, titles)} since {_moment(start)}" for check_id, start in first.items() if check_id]
    if OTHER_REASON in first:
        named.append(f"a change of scale since {_moment(first[OTHER_REASON])}")
    counted = plural(len(held), "delivery is", "deliveries are")
    return f"{counted} held back and not in these numbers: by {listing(named)}."


def _checks(delivery: Delivery) -> list[str]:
    """Checks that hold a delivery; one without a name where something else does."""
    problem = delivery.problem or ""
    return problem.removeprefix(HELD_BY).split(", ") if problem.startswith(HELD_BY) else [OTHER_REASON]


def _check(check_id: str, titles: Mapping[str, str]) -> str:
    title = titles.get(check_id)
    return (
        f"check \N{LEFT DOUBLE QUOTATION MARK}{title}\N{RIGHT DOUBLE QUOTATION MARK} ({check_id})"
        if title
        else f"check {check_id}"
    )


def _moment(stamp: str) -> str:
    return f"{stamp_text(stamp)} UTC" if stamp else "a time that was not written down"
