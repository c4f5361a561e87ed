"""What alerts are about in a home: its checks, runs, sources, and what is held back.

Each kind is looked at by itself: where one cannot be read, that is an alert, and the others are told all the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from assets.audit.history import history, readable, standing
from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import SETTLED
from assets.publication.holds import HELD_BY, held_since, open_holds
from assets.publication.run_log import RunState, read_runs
from assets.quality.catalogue import all_checks
from assets.quality.results import Status
from dashboards.markup import clean
from dashboards.words import source_name
from pipelines.alerts import Alert, Kind
from pipelines.landing_folder import unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assets.deliveries.ledger import Delivery
    from assets.home import Home

NEEDS_ATTENTION = {Status.WARN: "warns", Status.FAIL: "failed", Status.ERROR: "could not be evaluated"}
LONGEST_RUN = timedelta(hours=6)
"""A run that has not ended after so long was killed, or hangs."""
GAPS = 10
"""How many of the last gaps between deliveries say what is usual."""
UNUSUAL = 2.0
"""How many usual gaps a source may be silent."""


def home_watches(home: Home, now: datetime, stale_after: timedelta) -> Mapping[Kind, Callable[[], Iterable[Alert]]]:
    """What there is to look at, by kind. The records of a year are read once for all of them."""
    deliveries = cache(home.ledger.all)
    return {
        Kind.CHECK: lambda: failing_checks(home, deliveries()),
        Kind.RUN: lambda: failed_runs(home, now),
        Kind.STALE: lambda: stale_sources(deliveries(), now, stale_after),
        Kind.LEFT: lambda: [*left_behind(deliveries(), now), *not_landed(home)],
        Kind.HELD: lambda: [*held_releases(home), *held_deliveries(deliveries())],
    }


def look(watches: Mapping[Kind, Callable[[], Iterable[Alert]]]) -> dict[Kind, list[Alert]]:
    """Look at everything; a kind that cannot be looked at is left out, and an alert says so."""
    found: dict[Kind, list[Alert]] = {}
    unreadable: dict[str, list[Kind]] = {}
    for kind, watch in watches.items():
        try:
            found[kind] = list(watch())
        except InputProblem as problem:
            unreadable.setdefault(problem.code, []).append(kind)
        except Exception as error:  # noqa: BLE001 whatever it is, it must not silence the rest; its text is not told
            unreadable.setdefault(type(error).__name__, []).append(kind)
    return found | {Kind.HOME: [_unreadable(code, kinds) for code, kinds in unreadable.items()]}


def failing_checks(home: Home, deliveries: Iterable[Delivery]) -> list[Alert]:
    """Checks that warned, failed or could not be evaluated, in the last release and the last delivery of each source.

    What holds the release or a delivery back is told as held, and what people have waived is not told.
    """
    titles = {check.check_id: check.title for check in all_checks(CONTRACT)}
    newest = _newest_accepted(deliveries)
    told = _holding(home)
    with readable():
        rows = (
            standing(history(home))
            .filter(pl.col("status").is_in([status.value for status in NEEDS_ATTENTION]), ~pl.col("waived"))
            .select("check_id", "delivery_id", "status", "evaluated", "violated")
            .unique()
            .sort("check_id", "delivery_id")
            .collect()
        )
    return [
        _check_alert(check_id, titles, newest.get(delivery_id), status, evaluated, violated)
        for check_id, delivery_id, status, evaluated, violated in rows.iter_rows()
        if (delivery_id in newest if delivery_id else check_id not in told)
    ]


def failed_runs(home: Home, now: datetime) -> list[Alert]:
    """The last run of the command line, if it failed or never ended; Dagster tells of its own runs."""
    records = [one for one in read_runs(home.path).records if one.dagster_run is None]
    if not records:
        return []
    last = records[-1]
    if _is_released_since(home, last.finished or last.started):
        return []
    if last.state is RunState.FAILED:
        what = ", ".join(last.problems) or "a step of the release failed"
        says = f"The {last.kind} of {last.started} failed ({what})"
        return [Alert(Kind.RUN, last.kind, says, "Run the same command again and read what it says.", urgent=True)]
    if last.state is RunState.UNFINISHED and now - _moment(last.started) > LONGEST_RUN:
        says = f"The {last.kind} of {last.started} never ended"
        to_do = "If it does not run any more, run the same command again: it takes up what is left."
        return [Alert(Kind.RUN, last.kind, says, to_do, urgent=True)]
    return []


def stale_sources(deliveries: Iterable[Delivery], now: datetime, stale_after: timedelta) -> list[Alert]:
    """Sources that have sent before, more than once, and nothing for so long that it is not usual for them."""
    alerts = []
    for (profile, source), sent in _by_source(deliveries).items():
        moments = sorted({_moment(stamp) for one in sent if (stamp := one.extract_stamp or one.landed_at)})
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)][-GAPS:]
        if not gaps:
            continue
        silent = now - moments[-1]
        if silent > max(stale_after, timedelta(seconds=UNUSUAL * median(gaps))):
            last = f"{moments[-1]:%Y-%m-%d}"
            says = f"Source {_named(source)} has sent nothing for {silent.days} days; its last extract is of {last}"
            to_do = "Ask the clinic whether its export still runs, and look into the landing folder."
            alerts.append(Alert(Kind.STALE, f"{profile} {source}", says, to_do))
    return alerts


def left_behind(deliveries: Iterable[Delivery], now: datetime) -> list[Alert]:
    """Deliveries that were landed long ago and never read to their end."""
    return [
        Alert(
            Kind.LEFT,
            one.delivery_id,
            f"Delivery {_named(one.label)} was landed at {one.landed_at} and never read to its end",
            "Run the same command again, or open its failed run in Dagster: it says what went wrong.",
            urgent=True,
        )
        for one in deliveries
        if one.state not in SETTLED and one.landed_at and now - _moment(one.landed_at) > LONGEST_RUN
    ]


def not_landed(home: Home) -> list[Alert]:
    """What lies in the landing folder and cannot be read, by profile and reason; names are for those who look there."""
    reasons = sorted({(one.folder.name, problem.code) for one, problem in unreadable(home)})
    return [
        Alert(
            Kind.LEFT,
            f"landing {profile} {code}",
            f"Something in the landing folder of {clean(profile)} cannot be read ({code})",
            "`needlepoint doctor` names it. Send it in another way, or take it away.",
        )
        for profile, code in reasons
    ]


def held_releases(home: Home) -> list[Alert]:
    """Checks that hold the release."""
    return [
        Alert(
            Kind.HELD,
            f"release {check_id}",
            f"No release since {since}: check {check_id} holds it back",
            "The page of the check says what to do; `needlepoint audit waive` lets it pass until a day.",
            urgent=True,
        )
        for check_id, since in _holding(home).items()
    ]


def held_deliveries(deliveries: Iterable[Delivery]) -> list[Alert]:
    """Sources of which something is held back, or whose last delivery was refused."""
    found = tuple(deliveries)
    held: dict[tuple[str, str], Delivery] = {_source(one): one for one in open_holds(found)}
    last = {source: sent[-1] for source, sent in _by_source(found).items()}
    refused = {source: one for source, one in last.items() if one.state is State.REJECTED}
    return [_held_alert(source, one) for source, one in sorted((held | refused).items())]


def _holding(home: Home) -> dict[str, str]:
    """Checks that hold the release now, with their beginning."""
    return held_since(read_runs(home.path).records)


def _is_released_since(home: Home, moment: str) -> bool:
    """Whether the release in force was made after a moment."""
    manifest = home.current / "manifest.json"
    return manifest.exists() and datetime.fromtimestamp(manifest.stat().st_mtime, UTC) > _moment(moment)


def _held_alert(source: tuple[str, str], one: Delivery) -> Alert:
    problem = one.problem or ""
    by = problem.removeprefix(HELD_BY) if problem.startswith(HELD_BY) else one.problem_code
    says = f"Delivery {_named(one.label)} is {'refused' if one.state is State.REJECTED else 'held back'} ({by})"
    return Alert(Kind.HELD, f"delivery {' '.join(source)}", says, "`needlepoint check` says why, with the feed of it.")


def _check_alert(
    check_id: str,
    titles: Mapping[str, str],
    delivery: Delivery | None,
    status: str,
    evaluated: int | None,
    violated: int | None,
) -> Alert:
    where = f"delivery {_named(delivery.label)}" if delivery else "the last release"
    source = " ".join(_source(delivery)) if delivery else "release"
    title = (
        f" \N{LEFT DOUBLE QUOTATION MARK}{titles[check_id]}\N{RIGHT DOUBLE QUOTATION MARK}"
        if check_id in titles
        else ""
    )
    counted = "" if evaluated is None or violated is None else f", {violated:,} of {evaluated:,}"
    says = f"Check {check_id}{title} {NEEDS_ATTENTION[Status(status)]} in {where}{counted}"
    return Alert(
        Kind.CHECK, f"{check_id} {source} {status}", says, "The page of the check says what it asks and what to do."
    )


def _newest_accepted(deliveries: Iterable[Delivery]) -> dict[str, Delivery]:
    accepted = [one for one in deliveries if one.state is State.ACCEPTED]
    return {sent[-1].delivery_id: sent[-1] for sent in _by_source(accepted).values()}


def _by_source(deliveries: Iterable[Delivery]) -> dict[tuple[str, str], list[Delivery]]:
    """Deliveries by profile and source, in the order of their extracts."""
    found: dict[tuple[str, str], list[Delivery]] = {}
    for one in deliveries:
        found.setdefault(_source(one), []).append(one)
    return found


def _source(delivery: Delivery) -> tuple[str, str]:
    return delivery.profile, source_name(delivery.label)


def _named(label: str) -> str:
    """A name as somebody gave it to a file: it must not pass for something else."""
    return clean(label)


def _unreadable(code: str, kinds: Sequence[Kind]) -> Alert:
    says = f"The home or Dagster's storage cannot be read ({code}), so that nothing is known of: {', '.join(kinds)}"
    to_do = "`needlepoint doctor` and `needlepoint audit verify` name what is broken."
    return Alert(Kind.HOME, code, says, to_do, urgent=True)


def _moment(text: str) -> datetime:
    """A moment of a record; one without a zone is of UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
