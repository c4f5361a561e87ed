"""Published frames about safety: unwanted events, the time between serious ones, precautions.

Not recorded is never none: a clinic that does not ask has no rate, and the frame says so in words. Numbers of events
are numbers of few people: where 1 to 10 patients had an event, its count and everything computed from it are hidden,
and so is what would tell it by subtraction within the clinic; that nobody had one is shown, with the largest rate that
would still fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Layout, columns
from assets.outcomes.methods.proportions import share
from assets.outcomes.methods.rare_events import (
    MINIMUM_GAPS,
    event_share,
    exact_upper,
    gap_limits,
    gap_signals,
    poisson_rate,
)
from assets.outcomes.topic import Topic
from assets.privacy.disclosure import MINIMUM_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

NEEDLING = "needling"
ANY, SEVERITIES = "any", ("any_minor", "any_major")
PER_SESSIONS = 100

RECORDED = ("recorded_sessions", "recorded_patients", "recorded_share")
EVENTS = (
    *("event_sessions", "event_patients", "event_share", "event_share_low", "event_share_high"),
    *("events", "rate_per_100", "rate_low", "rate_high", "zero_upper_share", "zero_one_in"),
)
UNASKED = ("unasked_events", "unasked_patients")

RATE = Layout(
    columns(STRING, "clinic_key", "session_kind", "event_type"),
    {
        **columns(INTEGER, "sessions", "patients", *RECORDED[:2]),
        **columns(FLOAT, RECORDED[2]),
        **columns(INTEGER, *EVENTS[:2]),
        **columns(FLOAT, *EVENTS[2:5]),
        **columns(INTEGER, EVENTS[5]),
        **columns(FLOAT, *EVENTS[6:10]),
        **columns(INTEGER, EVENTS[10], *UNASKED),
    },
    groups=("patients",),
    subgroups={"recorded_patients": (*RECORDED, *EVENTS), "event_patients": EVENTS, "unasked_patients": UNASKED},
    statistic="adverse_event_rate",
)
CHART = Layout(
    columns(STRING, "session_kind"),
    {
        **columns(INTEGER, "dated_sessions", "events"),
        **columns(FLOAT, "centre", "upper_limit"),
        **columns(INTEGER, "zeros_in_a_row"),
    },
    groups=("dated_sessions",),
    subgroups={"events": ("events", "centre", "upper_limit", "zeros_in_a_row")},
    statistic="adverse_event_chart",
)
GAP = Layout(
    columns(INTEGER, "position"),
    {**columns(INTEGER, "events", "sessions_between"), **columns(BOOLEAN, "is_long", "is_short", "is_zero")},
    groups=("events",),
    statistic="adverse_event_chart",
)
NEEDLED = ("needled_patients", "needled_share", "needling_sessions")
ANSWERED = ("answered_patients", "answered_share")
PRECAUTION = Layout(
    columns(STRING, "clinic_key", "precaution_type", "state"),
    {
        **columns(INTEGER, "patients", "needled_patients"),
        **columns(FLOAT, "needled_share"),
        **columns(INTEGER, "needling_sessions", "answered_patients"),
        **columns(FLOAT, "answered_share"),
    },
    groups=("patients",),
    subgroups={"needled_patients": NEEDLED, "answered_patients": ANSWERED},
    statistic="precaution_exposure",
)

EVIDENCE = {
    "any_minor": "aebrady aeboyce",
    "any_major": "aeserb aeboycem",
    "bruising": "aebruise",
    "bleeding": "aebleed aeboyceb",
    "aggravation": "aeagg",
    "fatigue": "aefat",
}
"""Published rates of the same event after needling (Brady 2014, Boyce 2020), as ids of the evidence."""

SMALL_GROUP = "Hidden: sessions of fewer than 11 patients"
NOT_RECORDED = "Not recorded: nobody was asked about unwanted events, so their rate is not known"
FEW_RECORDED = "Hidden: fewer than 11 patients were asked about unwanted events"
FEW_EVENTS = "Hidden: fewer than 11 patients had this event, or it would tell how few had another"
NO_DATES = "No order: real dates may not be sent, so events of different patients cannot be put in order"
NO_EVENT = "No serious event on record"
TOO_FEW_EVENTS = f"Too few serious events for limits: {MINIMUM_GAPS + 1} are needed"
ANSWERS = ("yes", "no")


def adverse_event_rate(safety_cube: pl.DataFrame) -> pl.DataFrame:
    """Unwanted events per 100 sessions at which they were asked for, and the share of such sessions with one.

    ``event_share_high`` is the exact one-sided bound where there was no event, so is ``zero_upper_share`` (null
    otherwise); ``zero_one_in`` is the same in words: at most 1 in so many sessions. ``unasked_events`` happened at
    sessions without the question; they are in no rate. ``reason`` says why there is no rate, null where there is one.
    """
    cube = safety_cube
    recorded = cube["recorded_sessions"]
    part, low, high = event_share(cube["event_sessions"], recorded)
    rate, rate_low, rate_high = (values * PER_SESSIONS for values in poisson_rate(cube["events"], recorded))
    none = cube["event_sessions"].to_numpy() == 0
    bound = np.where(none, exact_upper(np.zeros(len(cube)), recorded), np.nan)
    published = _without(
        RATE.publish(
            cube.with_columns(
                recorded_share=pl.Series(share(recorded, cube["sessions"])),
                event_share=pl.Series(part),
                event_share_low=pl.Series(low),
                event_share_high=pl.Series(high),
                rate_per_100=pl.Series(rate),
                rate_low=pl.Series(rate_low),
                rate_high=pl.Series(rate_high),
                zero_upper_share=pl.Series(bound),
                zero_one_in=(1 / pl.Series(bound, dtype=pl.Float64)).fill_nan(None).floor(),
            )
        ),
        _telling_events(cube),
        EVENTS,
    )
    asked = pl.col("recorded_sessions") > 0
    reason = (
        pl.when("suppressed")
        .then(pl.lit(SMALL_GROUP))
        .when(pl.col("recorded_sessions").is_null())
        .then(pl.lit(FEW_RECORDED))
        .when(~asked)
        .then(pl.lit(NOT_RECORDED))
        .when(pl.col("events").is_null())
        .then(pl.lit(FEW_EVENTS))
    )
    evidence = pl.when(pl.col("session_kind") == NEEDLING).then(
        pl.col("event_type").replace_strict(EVIDENCE, default=None, return_dtype=pl.String)
    )
    # Where nobody was asked there are no events to count, not 0 of them
    numbers = [pl.when(asked).then(pl.col(name)).alias(name) for name in EVENTS]
    return _statistic_last(published.with_columns(*numbers, evidence_ids=evidence, reason=reason))


def adverse_event_chart(event_gap: pl.DataFrame, safety_cube: pl.DataFrame) -> pl.DataFrame:
    """Limits of the chart of serious events after needling, all clinics together, or ``reason`` why there are none.

    ``centre`` and ``upper_limit`` count sessions between two events; ``zeros_in_a_row`` gaps of 0 are a signal.
    """
    dated = _dated_sessions(safety_cube)
    limits = gap_limits(_gaps(event_gap))
    frame = pl.DataFrame(
        {
            "session_kind": [NEEDLING],
            "dated_sessions": [dated],
            "events": [len(event_gap)],
            "centre": [limits.centre],
            "upper_limit": [limits.upper],
            "zeros_in_a_row": [None if np.isnan(limits.zeros) else int(limits.zeros)],
        },
        schema={**CHART.keys, **CHART.numbers},
    )
    reason = None
    if dated == 0:
        reason = NO_DATES
    elif event_gap.is_empty():
        reason = NO_EVENT
    elif np.isnan(limits.upper):
        reason = TOO_FEW_EVENTS
    return _statistic_last(CHART.publish(frame).with_columns(reason=pl.lit(reason, pl.String)))


def adverse_event_gap(event_gap: pl.DataFrame) -> pl.DataFrame:
    """Points of the chart: needling sessions between serious events in their order, with signals. No dates, no clinics.

    Empty with too few events for limits.
    """
    gaps = _gaps(event_gap)
    limits = gap_limits(gaps)
    signals = gap_signals(gaps, limits)
    frame = pl.DataFrame(
        {
            "position": np.arange(1, gaps.size + 1),
            "events": np.full(gaps.size, len(event_gap)),
            "sessions_between": gaps,
            "is_long": signals.long,
            "is_short": signals.short,
            "is_zero": signals.zero,
        },
        schema={**GAP.keys, **GAP.numbers},
    )
    return GAP.publish(frame.clear() if np.isnan(limits.upper) else frame)


def precaution_exposure(precaution_cube: pl.DataFrame) -> pl.DataFrame:
    """Patients by state of each precaution, and how many of them were needled.

    ``answered_patients`` of a clinic have a yes or no to that precaution; unknown and not asked never mean no.
    """
    place = ["clinic_key", "precaution_type"]
    has_answer = pl.col("state").is_in(ANSWERS)
    cube = precaution_cube.with_columns(
        answered_patients=pl.when(has_answer).then("patients").otherwise(0).sum().over(place),
        asked=pl.col("patients").sum().over(place),
    )
    published = PRECAUTION.publish(
        cube.with_columns(
            needled_share=pl.Series(share(cube["needled_patients"], cube["patients"])),
            answered_share=pl.Series(share(cube["answered_patients"], cube["asked"])),
        )
    )
    # States add up to the patients of the clinic, yes and no to the answered: a hidden one must not follow from others
    hidden = _hidden_together(cube, place, "patients", "patients")
    shown = cube.join(hidden, on=list(PRECAUTION.keys), how="anti", nulls_equal=True)
    needled = _hidden_together(shown, place, "needled_patients", "needled_patients")
    told = cube.join(hidden.filter(has_answer), on=place, how="semi", nulls_equal=True)
    published = _without(published, hidden, tuple(PRECAUTION.numbers))
    published = _without(_without(published, needled, NEEDLED), told, ANSWERED)
    return published.with_columns(suppressed=pl.col("patients").is_null())


def _telling_events(cube: pl.DataFrame) -> pl.DataFrame:
    """Rows that are hidden, or from which a hidden count of the same clinic and kind of session would follow.

    Minor and major events add up to any: where one of them is hidden, any is too. Kinds of event add up to any too.
    """
    place = ["clinic_key", "session_kind"]
    severity = pl.col("event_type").is_in(SEVERITIES)
    kinds = _hidden_together(cube.filter(~severity & (pl.col("event_type") != ANY)), place, "event_patients", "events")
    either = cube.filter(severity & _few("event_patients")).select(*place, event_type=pl.lit(ANY)).unique()
    return pl.concat([kinds.select(either.columns), either])


def _hidden_together(parts: pl.DataFrame, place: list[str], people: str, amount: str) -> pl.DataFrame:
    """Parts of a whole that are hidden: of 1 to 10 ``people``, and the next smallest until ``amount`` hides them.

    A single hidden part is the whole minus the others; so is the sum of several. At least two are hidden, with at least
    11 together, as far as there are any.
    """
    before = (pl.col(amount).cum_sum() - pl.col(amount)).over(place)
    few_or_single = (before < MINIMUM_GROUP) | (pl.int_range(pl.len()).over(place) < 2)  # noqa: PLR2004 - single: no two
    return (
        parts.filter(pl.col(people) > 0)
        .sort(~_few(people), amount, *(name for name in parts.columns if parts.schema[name] == pl.String))
        .filter(_few(people).any().over(place))
        .filter(_few(people) | few_or_single)
    )


def _few(people: str) -> pl.Expr:
    return pl.col(people).is_between(1, MINIMUM_GROUP - 1)


def _without(published: pl.DataFrame, rows: pl.DataFrame, numbers: Sequence[str]) -> pl.DataFrame:
    """Published frame with these numbers of these rows set to null; rows are found by the string columns they share."""
    keys = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    marked = published.join(
        rows.select(keys).with_columns(is_hidden=pl.lit(value=True)),
        on=keys,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    hidden = pl.col("is_hidden").is_not_null()
    return marked.with_columns(pl.when(~hidden).then(pl.col(name)).alias(name) for name in numbers).drop("is_hidden")


def _statistic_last(published: pl.DataFrame) -> pl.DataFrame:
    return published.select(pl.exclude("statistic_id", "suppressed"), "statistic_id", "suppressed")


def _gaps(event_gap: pl.DataFrame) -> NDArray[np.int64]:
    return event_gap.sort("event_no")["sessions_between"].drop_nulls().to_numpy()


def _dated_sessions(safety_cube: pl.DataFrame) -> int:
    """Needling sessions of all clinics with a real day at which events were asked for."""
    whole = safety_cube.filter(pl.col("clinic_key").is_null(), pl.col("session_kind") == NEEDLING)
    return max(whole["dated_sessions"].to_list(), default=0)


def _build(marts: Frames, _: Contract) -> dict[str, pl.DataFrame]:
    safety, gap = marts["marts.safety_cube"], marts["marts.event_gap"]
    return {
        "adverse_event_chart": adverse_event_chart(gap, safety),
        "adverse_event_gap": adverse_event_gap(gap),
        "adverse_event_rate": adverse_event_rate(safety),
        "precaution_exposure": precaution_exposure(marts["marts.precaution_cube"]),
    }


TOPIC = Topic(
    reads=("marts.safety_cube", "marts.event_gap", "marts.precaution_cube"),
    tables={
        "adverse_event_chart": "Limits of the chart of serious events after needling, or why there are none",
        "adverse_event_gap": "Needling sessions between serious events, in their order",
        "adverse_event_rate": "Unwanted events per 100 sessions at which they were asked for, by clinic and kind",
        "precaution_exposure": "Precautions to needling, how many patients were asked, and how many were needled",
    },
    build=_build,
)
