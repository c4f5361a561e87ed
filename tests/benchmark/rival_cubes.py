"""The rival, part 5: counts and exact sums by group, with all totals (domain reference 4.1 to 4.4)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rival_scores import BURDEN, MEASURE_IDS, MEASURES, SIDES, THOUSAND

from assets.contract import CONTRACT
from assets.contract.definitions import DISCHARGE_WINDOW_DAYS, LANDMARK_DAY, PLANNED_WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DIMENSIONS = ("condition_id", "clinic_key", "care", "period")
ALL = {"condition_id": None, "clinic_key": None, "care": "any", "period": "all", "side": None}
CURVES = ((), ("condition_id",), ("clinic_key",), ("condition_id", "clinic_key"))
CURVES_BY_CARE = (("care",), ("condition_id", "care"))
REASONS = ("open", "baseline_too_low", "no_baseline", "no_comparable_pair", "rom_not_measured")


def recovery_cube(frame: pd.DataFrame) -> pd.DataFrame:
    """Episodes by what is known of their recovery, for each definition."""
    parts = []
    for definition in CONTRACT.definitions:
        reason = frame[f"reason {definition.definition_id}"]
        counted = frame[list(DIMENSIONS)].assign(
            episodes=1,
            known=(reason == "").astype(int),
            recovered=frame[f"recovered {definition.definition_id}"].astype(int),
            **{name: (reason == name).astype(int) for name in REASONS},
        )
        counted["eligible"] = 1 - counted["open"] - counted["baseline_too_low"]
        parts.append(_with_totals(counted, _subsets(DIMENSIONS)).assign(definition_id=definition.definition_id))
    return pd.concat(parts, ignore_index=True)


def pain_cube(frame: pd.DataFrame) -> pd.DataFrame:
    """Pain at both ends of closed episodes; sums in thousandths, sums of squares in millionths."""
    pairs = frame[frame["is_closed"] & frame["is_pair"]]
    counted = pairs[list(DIMENSIONS)].assign(
        pairs=1,
        **_moments({"baseline": pairs["baseline"], "change": pairs["change"]}),
        last_sum=pairs["last"].astype("int64"),
        mcid_eligible=pairs["mcid_eligible"].astype(int),
        mcid_responders=pairs["mcid_responder"].astype(int),
        percent_eligible=pairs["percent_eligible"].astype(int),
        responders_30=pairs["responder_30"].astype(int),
        responders_50=pairs["responder_50"].astype(int),
        deteriorated=pairs["deteriorated"].astype(int),
    )
    return _with_totals(counted, _subsets(DIMENSIONS))


def rom_cube(frame: pd.DataFrame) -> pd.DataFrame:
    """Primary motion at both ends of closed episodes, in tenths of a percent of its reference."""
    pairs = frame[frame["is_closed"] & frame["rom_baseline"].notna() & frame["rom_last"].notna()]
    counted = pairs[list(DIMENSIONS)].assign(
        pairs=1,
        baseline_permille_sum=pairs["rom_baseline"].astype("int64"),
        last_permille_sum=pairs["rom_last"].astype("int64"),
    )
    return _with_totals(counted, _subsets(DIMENSIONS))


def event_count(frame: pd.DataFrame) -> pd.DataFrame:
    """Episodes by day and kind of event; by care in routine data only those still in care after the landmark day."""
    followed = frame[frame["event_kind"] != ""]
    names = ["condition_id", "clinic_key", "care", "event_day", "event_kind"]
    return _from_landmark(followed, followed[names].assign(episodes=1), ("event_day", "event_kind"))


def visit_density(frame: pd.DataFrame) -> pd.DataFrame:
    """Visits and days from the first to the last of those with a known kind of event."""
    followed = frame[frame["event_kind"].isin(["recovered", "left", "open"]) & (frame["visit_count"] > 0)]
    counted = followed[["condition_id", "clinic_key", "care"]].assign(
        episodes=1, visits=followed["visit_count"], days_followed=followed["last_visit_day"].astype("int64")
    )
    return _from_landmark(followed, counted)


def measure_changes(course: pd.DataFrame, episode: pd.DataFrame) -> pd.DataFrame:
    """Baseline and later score of each measure and side, at the planned days and at the end (planned_day -1)."""
    course = course.assign(no_pair=~(course["last_day"] > course["baseline_day"]))
    place = ["episode", "measure", "side"]
    several = course.duplicated(place, keep=False)
    best = course[several].sort_values([*place, "no_pair", "way"]).drop_duplicates(place)
    course = pd.concat([course[~several], best])
    course = course[course["baseline_value"].notna()]
    own = course["episode"].to_numpy()
    discharge = episode["discharge_day"].to_numpy()[own]
    near_end = ~course["no_pair"] & ~(course["last_day"] < discharge - DISCHARGE_WINDOW_DAYS)
    at_end = near_end & episode["is_closed"].to_numpy()[own]
    parts = [course[at_end].assign(planned_day=-1, value=course["last_value"])]
    for planned, _ in PLANNED_WINDOWS:
        there = course[f"day_{planned}_value"].notna()
        parts.append(course[there].assign(planned_day=planned, value=course[f"day_{planned}_value"]))
    columns = ["episode", "measure", "side", "planned_day", "baseline_value", "value"]
    change = pd.concat([part[columns] for part in parts], ignore_index=True)
    own = change["episode"].to_numpy()
    change["change"] = (change["baseline_value"] - change["value"]) * BURDEN[change["measure"]]
    change["condition_id"] = episode["condition_id"].to_numpy()[own]
    change["care"] = episode["care"].to_numpy()[own]
    return change


def measure_summary(change: pd.DataFrame) -> pd.DataFrame:
    """Sums of both ends and of the change of every measure."""
    names = ["condition_id", "care", "side", "measure", "planned_day"]
    moments = {"baseline": change["baseline_value"], "value": change["value"], "change": change["change"]}
    counted = change[names].assign(n=1, **_moments(moments), worsened=(change["change"] < 0).astype(int))
    return _named(_summed(counted))


def response_summary(change: pd.DataFrame) -> pd.DataFrame:
    """Responders among those with room to respond, by rule."""
    parts = []
    for rule in CONTRACT.responder_rules:
        for number, measure in enumerate(MEASURES):
            applies = rule.measure_id == measure.measure_id or (
                rule.measure_id is None and rule.construct in (None, measure.construct)
            )
            own = measure.mcid.value if measure.mcid else None
            threshold = own if rule.kind == "mcid" else rule.threshold
            if not applies or threshold is None:
                continue
            rows = change[change["measure"] == number]
            if rule.kind == "percent":
                eligible = rows["baseline_value"] > 0
                responder = 100 * rows["change"] >= threshold * rows["baseline_value"]
            else:
                end = measure.possible.low if BURDEN[number] > 0 else measure.possible.high
                room = (rows["baseline_value"] - end * THOUSAND) * BURDEN[number]
                eligible, responder = room >= threshold * THOUSAND, rows["change"] >= threshold * THOUSAND
            names = ["condition_id", "care", "side", "measure", "planned_day"]
            counted = rows[names].assign(
                rule_id=rule.rule_id, eligible=eligible.astype(int), responders=(eligible & responder).astype(int)
            )
            parts.append(counted)
    return _named(_summed(pd.concat(parts, ignore_index=True)))


def _from_landmark(followed: pd.DataFrame, counted: pd.DataFrame, also: tuple[str, ...] = ()) -> pd.DataFrame:
    """Totals of everybody from day 0, and by care from the landmark day (arms of a trial from day 0)."""
    is_trial = followed["arm"].notna()
    counted = counted.assign(from_day=np.where(is_trial, 0, LANDMARK_DAY))
    last = followed["event_day"].fillna(followed["last_visit_day"])
    always, totals = ("from_day", *also), ("condition_id", "clinic_key", "care")
    return pd.concat(
        [
            _with_totals(counted.assign(from_day=0), CURVES, always=always, totals=totals),
            _with_totals(counted[is_trial | (last > LANDMARK_DAY)], CURVES_BY_CARE, always=always, totals=totals),
        ],
        ignore_index=True,
    )


def _moments(values: dict[str, pd.Series]) -> dict[str, pd.Series]:
    whole = {name: column.round().astype("int64") for name, column in values.items()}
    sums = {f"{name}_sum": column for name, column in whole.items()}
    return sums | {f"{name}_sum_squares": column * column for name, column in whole.items()}


def _summed(counted: pd.DataFrame) -> pd.DataFrame:
    always = tuple(name for name in ("measure", "planned_day", "rule_id") if name in counted)
    dimensions = ("condition_id", "care", "side")
    return _with_totals(counted, _subsets(dimensions), always=always, totals=dimensions)


def _named(summed: pd.DataFrame) -> pd.DataFrame:
    side = summed["side"].map(dict(enumerate(SIDES)))
    return summed.assign(measure_id=np.array(MEASURE_IDS)[summed["measure"]], side=side).drop(columns="measure")


def _subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [subset for size in range(len(names) + 1) for subset in combinations(names, size)]


def _with_totals(
    rows: pd.DataFrame,
    subsets: Iterable[tuple[str, ...]],
    always: tuple[str, ...] = (),
    totals: tuple[str, ...] = DIMENSIONS,
) -> pd.DataFrame:
    """Sum by the finest groups once, then add up these for every subset of the dimensions."""
    names = [*always, *totals]
    values = [name for name in rows.columns if name not in names]
    finest = rows.groupby(names, dropna=False, observed=True, sort=False)[values].sum().reset_index()
    for name in totals:
        finest[name] = finest[name].astype("object")
    parts = []
    for subset in subsets:
        keys = [*always, *subset]
        grouped = (
            finest.groupby(keys, dropna=False, sort=False)[values].sum().reset_index()
            if keys
            else (finest[values].sum().to_frame().T)
        )
        parts.append(grouped.assign(**{name: ALL[name] for name in totals if name not in subset}))
    return pd.concat(parts, ignore_index=True)[[*names, *values]]
