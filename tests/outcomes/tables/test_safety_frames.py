"""Safety frames: a clinic that never asks has no rate, zero has a bound, few events are hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT, evidence
from assets.outcomes.tables.safety import (
    EVIDENCE,
    FEW_EVENTS,
    FEW_RECORDED,
    NO_DATES,
    NO_EVENT,
    NOT_RECORDED,
    SMALL_GROUP,
    TOO_FEW_EVENTS,
    TOPIC,
    adverse_event_chart,
    adverse_event_gap,
    adverse_event_rate,
    precaution_exposure,
)
from tests.outcomes.printed import printed

CUBE_COLUMNS = {
    **dict.fromkeys(("clinic_key", "session_kind", "event_type"), pl.String),
    **dict.fromkeys(
        (
            *("sessions", "patients", "recorded_sessions", "recorded_patients", "dated_sessions"),
            *("events", "event_sessions", "event_patients", "unasked_events", "unasked_patients"),
        ),
        pl.Int64,
    ),
}
EVENTS = ("event_sessions", "event_patients", "event_share", "event_share_high", "events", "rate_per_100", "rate_high")


def cube(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CUBE_COLUMNS, orient="row")


def clinic(counts: dict[str, tuple[int, int, int]], key: str | None = "c1", kind: str = "needling") -> pl.DataFrame:
    """Rows of one clinic with 1,000 sessions asked about; counts are events, sessions, patients."""
    return cube(*((key, kind, name, 1200, 300, 1000, 250, 0, *n, 0, 0) for name, n in counts.items()))


def row(frame: pl.DataFrame, event_type: str = "any") -> dict[str, Any]:
    return frame.row(by_predicate=pl.col("event_type") == event_type, named=True)


def test_rate_and_share_of_a_clinic_that_asks() -> None:
    got = row(adverse_event_rate(clinic({"any": (230, 190, 120)})))
    assert (got["sessions"], got["recorded_sessions"], got["recorded_share"]) == (1200, 1000, pytest.approx(5 / 6))
    assert (got["rate_per_100"], got["event_share"]) == (23.0, 0.19)
    # exact Poisson limits of 230 events and Wilson limits of 190 of 1,000, both from scipy
    assert [got["rate_low"], got["rate_high"]] == pytest.approx([20.1234, 26.1723], abs=5e-3)
    assert [got["event_share_low"], got["event_share_high"]] == pytest.approx([0.1669, 0.2154], abs=5e-4)
    assert (got["zero_upper_share"], got["zero_one_in"], got["reason"]) == (None, None, None)
    assert got["statistic_id"] == CONTRACT.statistic("adverse_event_rate").versioned_id


def test_a_clinic_that_never_asks_has_no_rate() -> None:
    exact = adverse_event_rate(cube(("c1", "needling", "any", 900, 200, 0, 0, 0, 0, 0, 0, 15, 12)))
    got = row(printed("adverse_event_rate", exact))
    assert got["reason"] == NOT_RECORDED
    assert (got["sessions"], got["recorded_sessions"], got["recorded_share"]) == (900, 0, 0.0)
    assert {name: got[name] for name in EVENTS} == dict.fromkeys(EVENTS)
    assert got["zero_upper_share"] is None
    assert (got["unasked_events"], got["unasked_patients"]) == (15, 15)


def test_no_event_has_a_bound() -> None:
    frame = adverse_event_rate(
        cube((None, "needling", "any_major", 9000, 900, 7629, 800, 0, 0, 0, 0, 0, 0)),
    )
    got = row(frame, "any_major")
    assert (got["events"], got["rate_per_100"], got["event_share"], got["rate_low"]) == (0, 0.0, 0.0, 0.0)
    # T1f of the domain reference; 3.689 / 7,629 per 100
    assert got["event_share_high"] == got["zero_upper_share"] == pytest.approx(0.0003926, abs=5e-8)
    assert got["rate_high"] == pytest.approx(0.04835, abs=5e-5)
    assert got["zero_one_in"] == 2547
    assert (got["evidence_ids"], got["reason"]) == ("aeserb aeboycem", None)
    # of 7,628 to 7,632 sessions, which all are printed as 7,630, the fewest: the bound holds whichever it was
    shown = row(printed("adverse_event_rate", frame), "any_major")
    assert (shown["recorded_sessions"], shown["zero_one_in"], shown["zero_upper_share"]) == (7630, 2546, 0.00039)


def test_evidence_beside_a_rate_is_a_verified_rate_of_harm() -> None:
    known = {row.evidence_id: row for row in evidence.EVIDENCE}
    assert set(EVIDENCE) <= {*CONTRACT.table("adverse_event").column("event_type").allowed, "any_minor", "any_major"}
    for ids in EVIDENCE.values():
        rows = [known[evidence_id] for evidence_id in ids.split()]
        assert all(row.kind == "harm" and row.verified and row.effect_type == "proportion" for row in rows)


@pytest.mark.parametrize(
    ("sizes", "reason", "hidden"),
    [
        ((50, 10, 50, 10, 0, 0, 0, 0, 0, 0), SMALL_GROUP, ("sessions", "recorded_sessions", *EVENTS)),
        ((90, 40, 20, 10, 0, 0, 0, 0, 0, 0), FEW_RECORDED, ("recorded_sessions", "recorded_share", *EVENTS)),
        ((90, 40, 80, 35, 0, 40, 30, 10, 0, 0), FEW_EVENTS, EVENTS),
        ((90, 40, 80, 35, 0, 1, 1, 1, 4, 2), FEW_EVENTS, (*EVENTS, "unasked_events", "unasked_patients")),
    ],
)
def test_few_are_hidden(sizes: tuple[int, ...], reason: str, hidden: tuple[str, ...]) -> None:
    got = row(printed("adverse_event_rate", adverse_event_rate(cube(("c1", "needling", "any", *sizes)))))
    assert got["reason"] == reason
    assert {name: got[name] for name in hidden} == dict.fromkeys(hidden)
    assert got["suppressed"] == (reason == SMALL_GROUP)


def test_eleven_patients_are_shown() -> None:
    got = row(adverse_event_rate(cube(("c1", "needling", "any", 90, 11, 80, 11, 0, 40, 30, 11, 11, 11))))
    assert (got["events"], got["event_patients"], got["unasked_events"], got["reason"]) == (40, 11, 11, None)


def test_few_events_are_hidden_and_their_clinic_alone() -> None:
    frame = printed(
        "adverse_event_rate",
        adverse_event_rate(
            pl.concat(
                [
                    clinic(
                        {
                            "any": (220, 200, 120),
                            "any_minor": (217, 199, 119),
                            "any_major": (3, 3, 3),
                            "infection": (3, 3, 3),
                            "nausea": (40, 40, 30),
                            "bruising": (177, 170, 100),
                            "fatigue": (0, 0, 0),
                        }
                    ),
                    clinic({"any": (50, 40, 30), "any_minor": (50, 40, 30), "any_major": (0, 0, 0)}, "c2"),
                ]
            )
        ),
    )
    first = frame.filter(pl.col("clinic_key") == "c1")
    for name in ("any_major", "infection"):
        assert (row(first, name)["events"], row(first, name)["reason"]) == (None, FEW_EVENTS)
    second = frame.filter(pl.col("clinic_key") == "c2")
    assert second["events"].to_list() == [50, 0, 50]


def gaps(*between: int) -> pl.DataFrame:
    values = [None, *between]
    return pl.DataFrame(
        {"event_no": range(1, len(values) + 1), "sessions_between": values},
        schema={"event_no": pl.Int64, "sessions_between": pl.Int64},
    )


def dated(sessions: int) -> pl.DataFrame:
    return cube(
        (None, "needling", "any", 5000, 400, 4000, 400, sessions, 0, 0, 0, 0, 0),
        (None, "other", "any", 5000, 400, 4000, 400, 77, 0, 0, 0, 0, 0),
    )


@pytest.mark.parametrize(
    ("between", "sessions", "reason"),
    [
        (None, 0, NO_DATES),
        (None, 3000, NO_EVENT),
        ([200] * 11, 3000, TOO_FEW_EVENTS),
        ([20], 3000, TOO_FEW_EVENTS),
    ],
)
def test_no_chart_says_why(between: list[int] | None, sessions: int, reason: str) -> None:
    events = gaps().clear() if between is None else gaps(*between)
    got = adverse_event_chart(events, dated(sessions)).row(0, named=True)
    assert (got["reason"], got["centre"], got["upper_limit"]) == (reason, None, None)
    assert got["events"] == len(events)
    assert adverse_event_gap(events).is_empty()


def test_chart_of_serious_events() -> None:
    between = [900, 30, 0, 0, 0, 1100, 5, *[60] * 8, 20000, 700]
    events = gaps(*between).sample(fraction=1, shuffle=True, seed=1)
    chart = adverse_event_chart(events, dated(60_000)).row(0, named=True)
    assert chart["reason"] is None
    assert (chart["dated_sessions"], chart["events"]) == (60_000, 18)
    chance = 16 / 17 / (1 + np.mean(between))
    assert chart["centre"] == pytest.approx(np.log(0.5) / np.log1p(-chance) - 1, abs=0.5)
    points = adverse_event_gap(events)
    assert points["sessions_between"].to_list() == between
    assert points.filter("is_long")["sessions_between"].to_list() == [20000]
    assert points.filter("is_zero")["position"].to_list() == [3, 4, 5]
    assert set(points.columns) == {
        *("position", "events", "sessions_between", "is_long", "is_short", "is_zero", "statistic_id")
    }


PRECAUTION_COLUMNS = {
    **dict.fromkeys(("clinic_key", "precaution_type", "state"), pl.String),
    **dict.fromkeys(("patients", "needled_patients", "needling_sessions"), pl.Int64),
}


def precautions(*rows: tuple[Any, ...], is_printed: bool = False) -> dict[str, dict[str, Any]]:
    """Rows of one clinic by state, exact or as printed."""
    cube = pl.DataFrame([("c1", "needle_phobia", *counts) for counts in rows], schema=PRECAUTION_COLUMNS, orient="row")
    exact = precaution_exposure(cube)
    table = printed("precaution_exposure", exact) if is_printed else exact
    return {got["state"]: got for got in table.rows(named=True)}


def test_precautions_and_who_was_needled() -> None:
    got = precautions(("yes", 60, 15, 30), ("no", 800, 500, 2500), ("unknown", 40, 12, 20), ("not_asked", 100, 0, 0))
    assert got["yes"]["needled_share"] == 0.25
    assert {(row["answered_patients"], row["answered_share"]) for row in got.values()} == {(860, 0.86)}
    assert [got["not_asked"][name] for name in ("patients", "needled_patients", "needled_share")] == [100, 0, 0.0]


def test_few_needled_patients_are_hidden() -> None:
    got = precautions(
        ("yes", 60, 4, 9), ("no", 800, 500, 2500), ("unknown", 40, 12, 20), ("not_asked", 100, 0, 0), is_printed=True
    )
    assert [got["yes"][name] for name in ("needled_patients", "needled_share", "needling_sessions")] == [None] * 3
    assert got["yes"]["patients"] == 60
    assert got["no"]["needled_patients"] == 500


def test_few_patients_with_a_precaution_do_not_follow_from_the_others() -> None:
    got = precautions(("yes", 5, 1, 3), ("no", 90, 50, 120), ("unknown", 14, 0, 0), is_printed=True)
    assert got["yes"]["suppressed"]
    # what is left shows at least five values for the yes: 107 to 111 patients of whom 88 to 92 said no, 14 are unknown
    assert got["unknown"]["patients"] in {None, 15}


def test_empty_marts_give_empty_frames() -> None:
    marts = {
        "marts.safety_cube": cube(),
        "marts.event_gap": gaps().clear(),
        "marts.precaution_cube": pl.DataFrame(schema=PRECAUTION_COLUMNS),
    }
    frames = TOPIC.build(marts, CONTRACT)
    assert set(frames) == set(TOPIC.tables)
    assert {name for name, frame in frames.items() if not frame.is_empty()} == {"adverse_event_chart"}
    assert frames["adverse_event_chart"]["reason"].to_list() == [NO_DATES]
