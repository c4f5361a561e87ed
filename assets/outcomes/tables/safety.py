"""Published frames about safety: unwanted events, the time between serious ones, precautions.

Not recorded is never none: a clinic that does not ask has no rate, and the frame says so in words. Numbers of events
are numbers of few people: where 1 to 10 patients had an event, its count and everything computed from it are hidden;
that nobody had one is shown, with the largest rate that would still fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract import CONTRACT
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, Sum, columns
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
from assets.privacy.disclosure.profiles import behind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

NEEDLING = "needling"
PRECAUTION_TYPES = CONTRACT.table("precaution").column("precaution_type").allowed
EVENT_TYPES = CONTRACT.table("adverse_event").column("event_type").allowed
ANY, SEVERITIES = "any", ("any_minor", "any_major")
PER_SESSIONS = 100

RECORDED = ("recorded_sessions", "recorded_patients", "recorded_share")
EVENTS = (
    *("event_sessions", "event_patients", "event_share", "event_share_low", "event_share_high"),
    *("events", "rate_per_100", "rate_low", "rate_high", "zero_upper_share", "zero_one_in"),
)
UNASKED = ("unasked_events", "unasked_patients")

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


def _rate_words(rates: pl.DataFrame) -> pl.DataFrame:
    """Add the ids of published rates of the same event, and why there is no rate."""
    reason = (
        pl.when(pl.col("patients").is_null())
        .then(pl.lit(SMALL_GROUP))
        .when(pl.col("recorded_sessions").is_null())
        .then(pl.lit(FEW_RECORDED))
        .when(pl.col("recorded_sessions") == 0)
        .then(pl.lit(NOT_RECORDED))
        .when(pl.col("events").is_null())
        .then(pl.lit(FEW_EVENTS))
    )
    evidence = pl.when(pl.col("session_kind") == NEEDLING).then(
        pl.col("event_type").replace_strict(EVIDENCE, default=None, return_dtype=pl.String)
    )
    return rates.with_columns(evidence_ids=evidence, reason=reason)


def _rate_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Rates with two digits; the bounds of what never happened from the fewest sessions that are printed so."""
    fewest, _ = behind(protected["recorded_sessions"].fill_null(0).to_numpy())
    none = ((protected["events"] == 0) & (protected["recorded_sessions"] > 0)).fill_null(value=False).to_numpy()
    asked = pl.col("recorded_sessions") > 0
    digits = ("rate_per_100", "rate_low", "rate_high", "zero_upper_share")
    bounded = protected.with_columns(_bounds(none, fewest))
    return _rate_words(bounded.with_columns(pl.col(digits).round_sig_figs(2))).with_columns(
        # Where nobody was asked there are no events to count, not 0 of them
        pl.when(asked).then(pl.col(name)).alias(name)
        for name in EVENTS
    )


def _bounds(none: NDArray[np.bool_], sessions: NDArray[np.int64]) -> tuple[pl.Series, pl.Series]:
    """Largest share with an event that would still fit where there was none, and one in how many sessions that is."""
    bound = np.where(none, exact_upper(np.zeros(len(none)), sessions), np.nan)
    largest = pl.Series("zero_upper_share", bound, dtype=pl.Float64).fill_nan(None)
    return largest, (1 / largest).floor().cast(pl.Int64).alias("zero_one_in")


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
        **columns(STRING, "evidence_ids", "reason"),
    },
    groups=("patients",),
    subgroups={"recorded_patients": (*RECORDED, *EVENTS), "event_patients": EVENTS, "unasked_patients": UNASKED},
    statistic="adverse_event_rate",
    counts={
        **{name: Count(name, at={"event_type": None}) for name in ("sessions", "patients", *RECORDED[:2])},
        **{name: Count(name) for name in ("event_sessions", "event_patients", "events", *UNASKED)},
    },
    plain=("zero_one_in",),
    ratios={
        "recorded_share": ("recorded_sessions", "sessions"),
        "event_share": ("event_sessions", "recorded_sessions"),
    },
    decimals=dict.fromkeys(("rate_per_100", "rate_low", "rate_high"), 3),
    sums=tuple(
        Sum(Count(name, at={"event_type": ANY}), over="event_type", part=name, where={"event_type": kinds})
        for name in ("events", "unasked_events")
        for kinds in (SEVERITIES, EVENT_TYPES)
    ),
    finish=_rate_as_printed,
)
CHART = Layout(
    columns(STRING, "session_kind"),
    {
        **columns(INTEGER, "dated_sessions", "events"),
        **columns(FLOAT, "centre", "upper_limit"),
        **columns(INTEGER, "zeros_in_a_row"),
        **columns(STRING, "reason"),
    },
    groups=("dated_sessions",),
    subgroups={"events": ("events", "centre", "upper_limit", "zeros_in_a_row")},
    statistic="adverse_event_chart",
    counts={"dated_sessions": Count("dated_sessions"), "events": Count("serious_sessions")},
    plain=("zeros_in_a_row",),
    decimals=dict.fromkeys(("centre", "upper_limit"), 0),
)
GAP = Layout(
    columns(INTEGER, "position"),
    {**columns(INTEGER, "events", "sessions_between"), **columns(BOOLEAN, "is_long", "is_short", "is_zero")},
    groups=("events",),
    statistic="adverse_event_chart",
    counts={"events": Count("serious_sessions", at={"session_kind": NEEDLING, "position": None})},
    plain=("sessions_between",),
)
NEEDLED = ("needled_patients", "needled_share", "needling_sessions")
ANSWERED = ("answered_patients", "answered_share")
PRECAUTION = Layout(
    columns(STRING, "clinic_key", "precaution_type", "state"),
    {
        **columns(INTEGER, "clinic_patients", "patients", "needled_patients"),
        **columns(FLOAT, "needled_share"),
        **columns(INTEGER, "needling_sessions", "answered_patients"),
        **columns(FLOAT, "answered_share"),
    },
    groups=("clinic_patients", "patients"),
    subgroups={"needled_patients": NEEDLED, "answered_patients": ANSWERED},
    statistic="precaution_exposure",
    counts={
        "clinic_patients": Count("clinic_patients", at={"precaution_type": None, "state": None}),
        "patients": Count("with_precaution"),
        "needled_patients": Count("needled_with_precaution"),
        "needling_sessions": Count("needling_sessions_with_precaution"),
        "answered_patients": Count("answered_precaution", at={"state": None}),
    },
    ratios={
        "needled_share": ("needled_patients", "patients"),
        "answered_share": ("answered_patients", "clinic_patients"),
    },
    sums=(
        *(
            Sum("clinic_patients", over="state", part="patients", where={"precaution_type": (name,)})
            for name in PRECAUTION_TYPES
        ),
        Sum("answered_patients", over="state", part="patients", where={"state": ANSWERS}),
    ),
)
"""Every patient has one state of each precaution, if only that nobody asked."""


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
    counted = cube.with_columns(
        recorded_share=pl.Series(share(recorded, cube["sessions"])),
        event_share=pl.Series(part),
        event_share_low=pl.Series(low),
        event_share_high=pl.Series(high),
        rate_per_100=pl.Series(rate),
        rate_low=pl.Series(rate_low),
        rate_high=pl.Series(rate_high),
    ).with_columns(_bounds(none, recorded.to_numpy()))
    return RATE.arrange(_rate_words(counted))


def adverse_event_chart(event_gap: pl.DataFrame, safety_cube: pl.DataFrame) -> pl.DataFrame:
    """Limits of the chart of serious events after needling, all clinics together, or ``reason`` why there are none.

    ``centre`` and ``upper_limit`` count sessions between two events; ``zeros_in_a_row`` gaps of 0 are a signal.
    """
    dated = _dated_sessions(safety_cube)
    limits = gap_limits(_gaps(event_gap))
    reason = None
    if dated == 0:
        reason = NO_DATES
    elif event_gap.is_empty():
        reason = NO_EVENT
    elif np.isnan(limits.upper):
        reason = TOO_FEW_EVENTS
    frame = pl.DataFrame(
        {
            "session_kind": [NEEDLING],
            "dated_sessions": [dated],
            "events": [len(event_gap)],
            "centre": [limits.centre],
            "upper_limit": [limits.upper],
            "zeros_in_a_row": [None if np.isnan(limits.zeros) else int(limits.zeros)],
            "reason": [reason],
        },
        schema={**CHART.keys, **CHART.numbers},
    )
    return CHART.arrange(frame)


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
    return GAP.arrange(frame.clear() if np.isnan(limits.upper) else frame)


def precaution_exposure(precaution_cube: pl.DataFrame) -> pl.DataFrame:
    """Patients by state of each precaution, and how many of them were needled.

    ``answered_patients`` of a clinic have a yes or no to that precaution; unknown and not asked never mean no.
    """
    place = ["clinic_key", "precaution_type"]
    cube = precaution_cube.with_columns(
        answered_patients=pl.when(pl.col("state").is_in(ANSWERS)).then("patients").otherwise(0).sum().over(place),
        clinic_patients=pl.col("patients").sum().over(place),
    )
    return PRECAUTION.arrange(
        cube.with_columns(
            needled_share=pl.Series(share(cube["needled_patients"], cube["patients"])),
            answered_share=pl.Series(share(cube["answered_patients"], cube["clinic_patients"])),
        )
    )


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
    layouts={
        "adverse_event_chart": CHART,
        "adverse_event_gap": GAP,
        "adverse_event_rate": RATE,
        "precaution_exposure": PRECAUTION,
    },
)
