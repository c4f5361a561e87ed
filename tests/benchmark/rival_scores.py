"""The rival, part 3: which scores of an episode count.

Every score belongs to a series: one measure, on one side, for motions taken in one way, within one episode. Of each
series the first baseline score, the last score in care and the scores nearest to the planned days count. Of two scores
on one day the better is the baseline and the worse the outcome. Values are whole thousandths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rival_keys import PARENT
from rival_reading import is_one_of

from assets.contract import CONTRACT
from assets.contract.definitions import BASELINE_WINDOW_DAYS, LANDMARK_DAY, PLANNED_WINDOWS
from assets.contract.model import Better

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

THOUSAND = 1000
ROOM = 1 << 28
"""More than any score in thousandths; a day and a burden share one number, so that one minimum finds both."""
SIDES = ("bilateral", "left", "none", "right")
MOTIONS = ("active", "not_applicable", "passive", "unknown")
METHODS = ("app", "crom", "goniometer", "inclinometer", "questionnaire", "tape", "unknown")
MEASURES = CONTRACT.measures
MEASURE_IDS = [measure.measure_id for measure in MEASURES]
IS_MOTION = np.array([measure.construct == "rom" for measure in MEASURES])
BURDEN = np.array([1 if measure.better is Better.LOWER else -1 for measure in MEASURES])
WAYS = len(MOTIONS) * len(METHODS)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of attended visits: position of the visit, number of the measure, series and thousandths."""

    visit: NDArray[np.int64]
    measure: NDArray[np.int64]
    series: NDArray[np.int64]
    value: NDArray[np.int64]


def episodes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Episodes with the days on which their visits lie and the care they received."""
    episode, visit = tables["episode"].copy(), attended(tables)
    by_episode = visit.groupby(PARENT)["day_offset"]
    everyone = np.arange(len(episode))
    episode["visit_count"] = by_episode.size().reindex(everyone, fill_value=0).to_numpy()
    episode["last_visit_day"] = by_episode.max().reindex(everyone).to_numpy()
    treated = visit[visit["is_treated"]].groupby(PARENT)["day_offset"].min()
    needled = visit[visit["is_needled"]].groupby(PARENT)["day_offset"].min()
    episode["first_treatment_day"] = treated.reindex(everyone).to_numpy()
    in_time = needled.reindex(everyone).to_numpy() <= LANDMARK_DAY
    care = pd.Series(np.where(in_time, "dry_needling", "other_care"))
    arm = episode["arm"].astype("object")
    episode["care"] = arm.where(arm.notna(), care)
    episode["is_closed"] = ~is_one_of(episode["discharge_reason"], ("still_open",))
    return episode


def attended(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All current visits that took place; the index is the position among all current visits."""
    visit, treatment = tables["visit"], tables["treatment"]
    treated, needled = np.zeros(len(visit), bool), np.zeros(len(visit), bool)
    treated[treatment[PARENT]] = True
    needled[treatment.loc[is_one_of(treatment["treatment_class"], ("dry_needling",)), PARENT]] = True
    visit = visit.assign(is_treated=treated, is_needled=needled)
    return visit[is_one_of(visit["attendance"], ("attended",))]


def used_visits(tables: Mapping[str, pd.DataFrame], episode: pd.DataFrame) -> pd.DataFrame:
    """Attended visits with what their scores may be used for."""
    visit = attended(tables)
    own = episode.iloc[visit[PARENT]].reset_index(drop=True).set_axis(visit.index)
    day = visit["day_offset"]
    first_treatment = own["first_treatment_day"].fillna(day)
    discharge = own["discharge_day"]
    before_treatment = (day <= BASELINE_WINDOW_DAYS) & (day <= first_treatment)
    at_discharge = own["is_closed"] & ((visit["visit_type"] == "discharge") | (day == discharge))
    return visit.assign(
        day=day.astype(np.int64),
        is_baseline=before_treatment,
        is_outcome=day <= discharge.fillna(day),
        is_discharge=at_discharge,
    )


def scores_of(tables: Mapping[str, pd.DataFrame], visits: pd.DataFrame) -> Scores:
    """Scores of attended visits as numbers."""
    rows = tables["measurement"]
    place = np.full(len(tables["visit"]), -1)
    place[visits.index] = np.arange(len(visits))
    visit = place[rows[PARENT].to_numpy()]
    there = visit >= 0
    visit = visit[there]
    measure = _codes(rows["measure_id"], MEASURE_IDS)[there]
    side = _codes(rows["side"], SIDES)[there]
    motion = _codes(rows["active_passive"], MOTIONS)[there]
    method = _codes(rows["method"], METHODS)[there]
    way = np.where(IS_MOTION[measure], motion * len(METHODS) + method, 0)
    episode = visits[PARENT].to_numpy()[visit]
    series = ((episode * len(MEASURES) + measure) * len(SIDES) + side) * WAYS + way
    value = np.rint(rows["value"].to_numpy()[there] * THOUSAND).astype(np.int64)
    return Scores(visit, measure, series, value)


def courses(scores: Scores, visits: pd.DataFrame) -> pd.DataFrame:
    """One row per series: day and value at baseline, at the end and at the planned days (NaN where there is none)."""
    day = visits["day"].to_numpy()[scores.visit]
    burden = scores.value * BURDEN[scores.measure]
    forward = day * ROOM + burden + ROOM // 2
    found = {}
    first = visits["is_baseline"].to_numpy()[scores.visit]
    found["baseline"] = _extreme(scores.series[first], forward[first], "min")
    last = visits["is_outcome"].to_numpy()[scores.visit]
    found["last"] = _extreme(scores.series[last], forward[last], "max")
    for planned, tolerance in PLANNED_WINDOWS:
        near = np.flatnonzero(np.abs(day - planned) <= tolerance)
        distance = 2 * np.abs(day[near] - planned) + (day[near] > planned)
        found[f"day_{planned}"] = _extreme(scores.series[near], distance * ROOM - burden[near] + ROOM // 2, "min")
    course = pd.DataFrame(found)
    series = course.index.to_numpy()
    rest, way = np.divmod(series, WAYS)
    rest, side = np.divmod(rest, len(SIDES))
    episode, measure = np.divmod(rest, len(MEASURES))
    unpacked = {"episode": episode, "measure": measure, "side": side, "way": way}
    for name, packed in course.items():
        day_part, burden_part = np.divmod(packed.to_numpy(), ROOM)
        sign = BURDEN[measure] * (-1 if str(name).startswith("day_") else 1)
        unpacked[f"{name}_day"] = day_part
        unpacked[f"{name}_value"] = (burden_part - ROOM // 2) * sign
    return pd.DataFrame(unpacked, index=course.index)


def _extreme(series: NDArray[np.int64], packed: NDArray[np.int64], which: str) -> pd.Series:
    return pd.Series(packed).groupby(series, sort=False).agg(which)


def _codes(column: pd.Series, codes: list[str] | tuple[str, ...]) -> NDArray[np.int64]:
    """Positions in a code list; what is empty is the last one (unknown)."""
    places = pd.Index(codes).get_indexer(column.cat.categories)
    return np.append(places, len(codes) - 1)[np.asarray(column.cat.codes)]
