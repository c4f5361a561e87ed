"""Drift: quiet where nothing changed, loud on the first night of a gross fault, silent where it cannot know."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.audit.drift import DRIFT_SCHEMA, drift
from assets.audit.drift_facts import drift_facts
from assets.audit.drift_features import window_of
from assets.contract import CONTRACT
from assets.contract.check_kinds import Kind
from assets.contract.drift import (
    ARRIVAL,
    ATTENDANCE,
    COMPANY,
    FEWEST_NIGHTS,
    FILES,
    HISTORY_NIGHTS,
    START_YEAR,
    drift_checks,
    watched_columns,
)
from tests.audit.drift_nights import CLINICS, SENT_SCHEMA, Night, network

if TYPE_CHECKING:
    from collections.abc import Callable

SCORES = "measurement.value.drift.nprs_avg24h"
MOTION = "measurement.value.drift.shoulder_flexion"
Found = set[tuple[str, str, str]]


def flagged(found: pl.DataFrame) -> Found:
    """Check, feature and direction of what is flagged, all of the first clinic."""
    rows = found.filter("is_flagged")
    assert set(rows["clinic_key"]) <= {CLINICS[0]}
    return set(rows.select("check_id", "feature", "direction").iter_rows())


def change(**values: object) -> Callable[[Night], None]:
    def fault(night: Night) -> None:
        for name, value in values.items():
            setattr(night, name, value(night) if callable(value) else value)

    return fault


@pytest.mark.parametrize("seed", range(8))
def test_nothing_stands_out_when_nothing_has_changed(seed: int) -> None:
    found = drift(*network(seed), {})
    assert found.schema == DRIFT_SCHEMA
    assert set(found["earlier_nights"]) == {29}
    assert found.height == 10 * len(CLINICS), "six checks of rows and scores, four facts"
    assert flagged(found) == set()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (change(visits=40), ("visit.rows.drift", "volume", "fewer")),
        (change(visits=0), ("visit.rows.drift", "empty_table", "none")),
        (change(visits=190), ("visit.rows.drift", "volume", "more")),
        (change(changed=12), ("visit.rows.drift", "changed", "more")),
        (change(set_aside=15), ("visit.rows.drift", "set_aside", "more")),
        (change(empty_raters=45), ("measurement.rater_key.drift", "empty", "more")),
        (change(reasons=["plateau"] * 18), ("episode.discharge_reason.drift", "code", "more")),
        (change(reasons=["insurance"] * 8 + ["goals_met"] * 10), ("episode.discharge_reason.drift", "code", "more")),
        (change(scores=lambda night: night.scores // 2), (SCORES, "level", "lower")),
        (change(scores=lambda night: np.minimum(night.scores + 2, 10)), (SCORES, "level", "higher")),
        (change(scores=lambda night: night.before), (SCORES, "step", "lower")),
        (change(scores=lambda night: np.full(night.visits, 4)), (SCORES, "spread", "lower")),
        (change(scores=lambda night: np.sort(night.scores)), (SCORES, "step", "higher")),
        (
            change(motion=lambda night: night.other_side, other_side=lambda night: night.other_side),
            (MOTION, "gap", "higher"),
        ),
        (change(motion=lambda night: night.motion // 2), (MOTION, "gap", "lower")),
        (
            change(motion=lambda night: night.motion // 10 * 10, other_side=lambda night: night.other_side // 10 * 10),
            (MOTION, "round", "more"),
        ),
        (
            change(scores=lambda night: night.scores + np.where(np.arange(night.visits) % 2, 0.5, -0.5)),
            (SCORES, "unseen", "more"),
        ),
        (change(missed=0), (ATTENDANCE, "one_code", "none")),
        (change(missed=0, bare=8), (ATTENDANCE, "bare", "more")),
        (change(ahead=1), (START_YEAR, "ahead", "later")),
        (change(files=6), (FILES, "files", "fewer")),
    ],
)
def test_a_gross_fault_stands_out_in_its_first_night(
    fault: Callable[[Night], None], expected: tuple[str, str, str]
) -> None:
    sent, profile = network(3, fault=fault)
    check, feature, _ = expected
    counted_as = {"spread": "level", "round": "level", "unseen": "level", "one_code": "code"}.get(feature, feature)
    alone = (pl.col("check_id") != check) | pl.col("feature").is_in([counted_as, "volume", "unit"])
    assert expected in flagged(drift(sent, profile.filter(alone), {}))


def test_swapped_sides_stand_out() -> None:
    def swap(night: Night) -> None:
        night.motion, night.other_side = night.other_side, night.motion

    assert (MOTION, "gap", "higher") in flagged(drift(*network(3, fault=swap), {}))


def test_what_is_found_names_the_code_and_the_delivery() -> None:
    found = drift(*network(3, fault=change(reasons=["plateau"] * 18)), {}).filter("is_flagged")
    assert found.select("delivery_id", "item").rows() == [("Harbour-30", "plateau")]


@pytest.mark.parametrize(("nights", "is_judged"), [(FEWEST_NIGHTS, False), (FEWEST_NIGHTS + 1, True)])
def test_ten_earlier_nights_are_needed(nights: int, is_judged: bool) -> None:  # noqa: FBT001 # a table of cases
    found = drift(*network(1, nights=nights, fault=change(visits=0)), {})
    assert ("visit.rows.drift" in found["check_id"].to_list()) is is_judged


def test_nothing_was_sent() -> None:
    sent, profile = network(1, nights=2)
    assert drift(sent.clear(), profile.clear(), {}).is_empty()


def test_a_night_that_stood_out_before_hides_no_other() -> None:
    found = drift(*network(5, fault=change(visits=40), earlier={12: 5.0, 20: 0.1}), {})
    assert ("visit.rows.drift", "volume", "fewer") in flagged(found)


def test_weekends_are_compared_with_weekends() -> None:
    # 1 January 2026 is a Thursday; night 37 is a Saturday, night 39 a Monday
    quiet = {number: 0.15 for number in range(1, 41) if (number + 3) % 7 in (5, 6)}
    assert flagged(drift(*network(2, nights=37, earlier=quiet), {})) == set()
    assert flagged(drift(*network(2, nights=39, earlier=quiet), {})) == set()
    monday = flagged(drift(*network(2, nights=39, fault=change(visits=20), earlier=quiet), {}))
    assert ("visit.rows.drift", "volume", "fewer") in monday


def test_the_past_sent_first_and_nights_long_ago_are_left_out() -> None:
    sent, _ = network(1, nights=60)
    window = window_of(sent)
    assert set(window["nights"]) == {HISTORY_NIGHTS + 1}
    assert "2026-01-01" not in window["sent_on"].to_list()
    assert window.filter(pl.col("place") == HISTORY_NIGHTS)["delivery_id"].to_list() == [f"{c}-60" for c in CLINICS]


def test_several_deliveries_of_one_day_are_one_night() -> None:
    sent, _ = network(1, nights=12)
    again = sent.filter(pl.col("delivery_id") == "Harbour-12").with_columns(
        delivery_id=pl.lit("correction"), extract_stamp=pl.lit("2026-01-13T09:00:00Z")
    )
    window = window_of(pl.concat([sent, again])).filter(pl.col("clinic_key") == "Harbour")
    assert window["nights"].to_list() == [12] * 12
    assert window["delivery_id"].to_list()[-1] == "correction"


def test_a_code_that_may_be_absent_by_chance_is_not_missed() -> None:
    """Half of the nights bring no such row when one is expected: that all have one code is no news."""
    sent, profile = network(3, fault=change(missed=0))
    rare = profile.filter((pl.col("item") != "no_show") | (pl.col("sent_on").str.slice(8).cast(pl.Int64) % 9 == 0))
    assert flagged(drift(sent, rare, {})) == set()


def test_people_may_decide_another_threshold() -> None:
    sent, profile = network(3, fault=change(visits=40))
    score = drift(sent, profile, {}).filter("is_flagged")["score"].max()
    assert isinstance(score, float)
    assert flagged(drift(sent, profile, {"visit.rows.drift": score})) == set()


def test_the_order_of_rows_does_not_matter() -> None:
    sent, profile = network(3, fault=change(visits=40))
    shuffled = drift(
        sent.sample(fraction=1, shuffle=True, seed=1), profile.sample(fraction=1, shuffle=True, seed=2), {}
    )
    assert shuffled.equals(drift(sent, profile, {}))


def deliveries(days: dict[str, list[int]], names: dict[str, list[str]] | None = None) -> pl.DataFrame:
    """Deliveries of sources on days counted from a Monday; ``names``: clinics of a delivery, else the source itself."""
    return pl.DataFrame(
        [
            (f"{source}-{day}", clinic, 3, "canonical", f"{date(2026, 1, 5) + timedelta(days=day)}T02:00:00Z", 7)
            for source, sent in days.items()
            for day in sent
            for clinic in (names or {}).get(f"{source}-{day}", [source])
        ],
        schema=SENT_SCHEMA,
        orient="row",
    )


def facts(sent: pl.DataFrame, check_id: str) -> dict[str, bool]:
    rows = drift_facts(sent).filter(pl.col("check_id") == check_id)
    return dict(rows.select("clinic_key", "is_found").iter_rows())


WORKDAYS = [day for day in range(40) if day % 7 < 5]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"a": list(range(20)), "b": list(range(20))}, {"a": False, "b": False}),
        ({"a": list(range(20)), "b": list(range(19))}, {"a": False, "b": True}),
        ({"a": list(range(41)), "b": WORKDAYS}, {"a": False, "b": False}),
        ({"a": list(range(41)), "b": [*range(5), *WORKDAYS[5:]]}, {"a": False, "b": False}),
        ({"a": list(range(40)), "b": [day for day in WORKDAYS if day != 39]}, {"a": False, "b": True}),
        ({"a": list(range(20)), "b": list(range(9))}, {"a": False}),
    ],
    ids=["both", "silent", "weekend", "saturday", "weekday", "young"],
)
def test_who_always_sends_is_missed(days: dict[str, list[int]], expected: dict[str, bool]) -> None:
    if 39 in days["b"] and len(days["b"]) < len(days["a"]):
        days = {**days, "b": [day for day in days["b"] if day < 40]}
    assert facts(deliveries(days), ARRIVAL) == expected


def test_clinics_that_meet_for_the_first_time() -> None:
    apart = {"a": list(range(20)), "b": list(range(20))}
    assert facts(deliveries(apart), COMPANY) == {"a": False, "b": False}
    assert facts(deliveries(apart, {"a-19": ["a", "b"]}), COMPANY)["a"] is True
    assert facts(deliveries(apart, {"a-4": ["a", "b"], "a-19": ["a", "b"]}), COMPANY)["a"] is False
    together = {f"a-{day}": ["a", "c"] for day in range(20)}
    assert facts(deliveries({"a": list(range(20))}, together), COMPANY) == {"a": False, "c": False}
    assert facts(deliveries(apart, {"a-19": ["a", "new"]}), COMPANY)["a"] is False


def test_every_drift_check_is_stated_once() -> None:
    checks = drift_checks(CONTRACT)
    ids = [check.check_id for check in checks]
    assert len(ids) == len(set(ids))
    assert {ARRIVAL, FILES, COMPANY, "visit.rows.drift", "episode.condition_id.drift", SCORES} <= set(ids)
    assert all(check.kind is Kind.DRIFT and check.violated_sql and check.evaluated_sql for check in checks)
    assert START_YEAR in ids, "a fact: how years are distributed is not watched, as every January would be a drift"
    episode = CONTRACT.table("episode")
    assert "start_year" not in [column.name for column in watched_columns(CONTRACT, episode)]
