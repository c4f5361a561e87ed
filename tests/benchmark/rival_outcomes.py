"""The rival, part 4: what became of each episode, by the rules of the domain reference (sections 4.1 to 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rival_keys import PARENT
from rival_scores import MEASURE_IDS, MEASURES, SIDES, THOUSAND, WAYS

from assets.contract import CONTRACT
from assets.contract.definitions import (
    BASELINE_MUST_EXCEED_POINTS,
    CONTRALATERAL_WINDOW_DAYS,
    DISCHARGE_WINDOW_DAYS,
)
from assets.contract.model import Better

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rival_scores import Scores

CONDITIONS = [condition.condition_id for condition in CONTRACT.conditions]
OTHER_PAIN = ("nprs_avg24h", "nprs_current", "nprs_worst24h")
"""Asked in this order where the condition's own pain measure has no pair of scores (domain reference 1.1)."""
DETERIORATED = 2 * THOUSAND
ALPHABETICAL = np.argsort(np.argsort(MEASURE_IDS))
REFERENCE = np.array([m.reference.value * THOUSAND if m.reference else np.nan for m in MEASURES])
MDC = np.array([m.mdc.value * THOUSAND if m.mdc else 0.0 for m in MEASURES])
MCID = np.array([m.mcid.value * THOUSAND if m.mcid else np.nan for m in MEASURES])


def pain(course: pd.DataFrame, episode: pd.DataFrame) -> pd.DataFrame:
    """Pain at both ends by the first measure in order that has both, else by the first that has a baseline."""
    order = np.full((len(CONDITIONS), len(MEASURES)), np.nan)
    for row, condition in enumerate(CONTRACT.conditions):
        names = [condition.pain_measure, *(name for name in OTHER_PAIN if name != condition.pain_measure)]
        order[row, [MEASURE_IDS.index(name) for name in names]] = np.arange(len(names))
    own = course["episode"].to_numpy()
    condition = pd.Index(CONDITIONS).get_indexer(episode["condition_id"])
    candidate = course.assign(order=order[condition[own], course["measure"]])
    candidate = candidate[candidate["order"].notna() & candidate["baseline_day"].notna()]
    discharge = episode["discharge_day"].to_numpy()[candidate["episode"]]
    last = candidate["last_day"]
    near_end = ~(last < discharge - DISCHARGE_WINDOW_DAYS)
    pair = (last > candidate["baseline_day"]) & near_end
    candidate = candidate.assign(pair=pair, last_value=candidate["last_value"].where(pair))
    best = candidate.sort_values(["episode", "pair", "order"], ascending=[True, False, True]).drop_duplicates("episode")
    found = best.set_index("episode")[["measure", "baseline_day", "baseline_value", "last_value"]]
    return found.reindex(np.arange(len(episode)))


def relief_days(
    scores: Scores, visits: pd.DataFrame, judged: pd.DataFrame
) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Day on which pain first stayed low enough, per limit and days it has to hold; NaN where it never did."""
    episode = visits[PARENT].to_numpy()[scores.visit]
    day = visits["day"].to_numpy()[scores.visit]
    counts = (scores.measure == judged["measure"].to_numpy()[episode]) & (
        day > judged["baseline_day"].to_numpy()[episode]
    )
    counts &= visits["is_outcome"].to_numpy()[scores.visit]
    occasion = pd.DataFrame(
        {
            "episode": episode[counts],
            "day": day[counts],
            "pain": scores.value[counts],
            "discharge": visits["is_discharge"].to_numpy()[scores.visit[counts]],
        }
    )
    occasion = occasion.groupby(["episode", "day"], as_index=False).max()  # of two scores on a day the worse counts
    limits = {(d.pain_at_most, d.sustained_days) for d in CONTRACT.definitions}
    return {limit: _relief(occasion, *limit, len(judged)) for limit in sorted(limits)}


def _relief(occasion: pd.DataFrame, at_most: int, sustained: int, episodes: int) -> NDArray[np.float64]:
    low = occasion["pain"] <= at_most * THOUSAND
    other_episode = occasion["episode"] != occasion["episode"].shift()
    run = (~low | other_episode).cumsum()
    inside = occasion[low].assign(run=run[low])
    inside["at_discharge"] = inside["day"].where(inside["discharge"])
    runs = inside.groupby(["episode", "run"]).agg(
        first=("day", "min"), final=("day", "max"), at_discharge=("at_discharge", "min")
    )
    reached = runs["first"].where(runs["final"] - runs["first"] >= sustained, runs["at_discharge"])
    return reached.groupby("episode").min().reindex(np.arange(episodes)).to_numpy(dtype="float64")


def motion(course: pd.DataFrame, episode: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """The worse primary motion of each episode against its reference: the other side, else the published value."""
    condition = pd.Index(CONDITIONS).get_indexer(episode["condition_id"])
    primary = np.zeros((len(CONDITIONS), len(MEASURES)), bool)
    for row, known in enumerate(CONTRACT.conditions):
        for name in known.rom_measures:
            measure = MEASURE_IDS.index(name)
            primary[row, measure] = MEASURES[measure].better is Better.HIGHER
    one_sided = np.array([known.sided for known in CONTRACT.conditions])
    sided = np.array([measure.sided for measure in MEASURES])

    rom = course[primary[condition[course["episode"]], course["measure"]]].copy()
    own = rom["episode"].to_numpy()
    start = rom["baseline_day"].fillna(pd.Series(judged["baseline_day"].to_numpy()[own], rom.index)).fillna(0)
    later = rom["last_day"] > start
    for name in ("last_day", "last_value"):
        rom[name] = rom[name].where(later)
    affected = episode["side"].astype("object").to_numpy()[own]
    compared = one_sided[condition[own]] & sided[rom["measure"]] & np.isin(affected, ("left", "right"))
    side = np.array(SIDES, dtype=object)[rom["side"]]
    kept = ~compared | (side == affected)
    rom, compared = rom[kept], compared[kept]
    reference = _other_side(rom, course, compared)
    measure = rom["measure"].to_numpy()
    rom["reference"] = np.where(np.isnan(reference), REFERENCE[measure], reference)
    rom["mdc"] = MDC[measure]
    rom = rom[rom["reference"].notna() & (rom["last_value"].notna() | rom["baseline_value"].notna())].copy()

    below = rom["reference"].where(rom["reference"] != 0)
    for name in ("baseline", "last"):
        rom[f"{name}_permille"] = np.trunc(rom[f"{name}_value"] * THOUSAND / below)
    decisive = rom["last_value"].fillna(rom["baseline_value"])
    rom["share"] = rom["last_permille"].fillna(rom["baseline_permille"])
    rom["lead"] = decisive - rom["reference"]
    rom["name"] = ALPHABETICAL[rom["measure"]]
    rom["when"] = -rom["last_day"].fillna(-1)
    rom["is_old"] = rom["last_day"].isna()
    latest = rom.sort_values(["episode", "name", "side", "when", "share", "lead", "way"])
    latest = latest.drop_duplicates(["episode", "name", "side"])
    worst = latest.sort_values(["episode", "is_old", "share", "lead", "name", "side"]).drop_duplicates("episode")
    for name in ("baseline_permille", "last_permille"):
        worst[name] = worst[name].clip(0, THOUSAND).where(worst["reference"] > 0)
    columns = ["reference", "mdc", "last_value", "baseline_permille", "last_permille"]
    return worst.set_index("episode")[columns].reindex(np.arange(len(episode)))


def _other_side(rom: pd.DataFrame, course: pd.DataFrame, compared: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Score of the opposite side, taken the same way within 14 days; NaN where there is none."""
    left, right = SIDES.index("left"), SIDES.index("right")
    side = rom["side"].to_numpy()
    opposite = rom.index.to_numpy() + (np.where(side == left, right, left) - side) * WAYS
    place = course.index.get_indexer(opposite)
    place[~compared] = -1
    there = course.iloc[place]
    found = place >= 0
    last_near = (there["last_day"].to_numpy() - rom["last_day"].to_numpy()).__abs__() <= CONTRALATERAL_WINDOW_DAYS
    first_near = (there["baseline_day"].to_numpy() - rom["baseline_day"].to_numpy()).__abs__() <= (
        CONTRALATERAL_WINDOW_DAYS
    )
    no_last = rom["last_day"].isna().to_numpy()
    value = np.full(len(rom), np.nan)
    value = np.where(found & last_near, there["last_value"].to_numpy(), value)
    return np.where(found & no_last & first_near, there["baseline_value"].to_numpy(), value)


def outcomes(
    episode: pd.DataFrame,
    judged: pd.DataFrame,
    rom: pd.DataFrame,
    relief: dict[tuple[int, int], NDArray[np.float64]],
) -> pd.DataFrame:
    """One row per episode: pain at both ends, responses, motion, and recovery by every definition."""
    frame = episode[["episode_key", "condition_id", "clinic_key", "care", "start_year", "is_closed"]].copy()
    baseline, last = judged["baseline_value"], judged["last_value"]
    change = baseline - last
    mcid = np.append(MCID, np.nan)[judged["measure"].fillna(len(MCID)).astype(int)]
    frame["baseline"], frame["last"], frame["change"] = baseline, last, change
    frame["is_pair"] = change.notna()
    frame["mcid_eligible"] = frame["is_pair"] & (baseline >= mcid)
    frame["mcid_responder"] = frame["mcid_eligible"] & (change >= mcid)
    frame["percent_eligible"] = frame["is_pair"] & (baseline > 0)
    frame["responder_30"] = frame["percent_eligible"] & (10 * change >= 3 * baseline)
    frame["responder_50"] = frame["percent_eligible"] & (2 * change >= baseline)
    frame["deteriorated"] = last - baseline >= DETERIORATED
    frame["rom_baseline"], frame["rom_last"] = rom["baseline_permille"], rom["last_permille"]

    has_room = baseline > BASELINE_MUST_EXCEED_POINTS * THOUSAND
    for definition in CONTRACT.definitions:
        day = pd.Series(relief[definition.pain_at_most, definition.sustained_days])
        if definition.rom_rule == "none":
            unmeasured, moves = pd.Series(np.zeros(len(frame), bool)), pd.Series(np.ones(len(frame), bool))
        elif definition.rom_rule == "reference_minus_mdc":
            unmeasured, moves = rom["last_value"].isna(), rom["last_value"] >= rom["reference"] - rom["mdc"]
        else:
            unmeasured = rom["last_value"].isna() | ~(rom["reference"] > 0)
            moves = 100 * rom["last_value"] >= definition.rom_share_percent * rom["reference"]
        reason = np.select(
            [~frame["is_closed"], baseline.isna(), ~has_room, last.isna(), unmeasured],
            ["open", "no_baseline", "baseline_too_low", "no_comparable_pair", "rom_not_measured"],
            "",
        )
        frame[f"reason {definition.definition_id}"] = reason
        frame[f"recovered {definition.definition_id}"] = (reason == "") & day.notna() & moves
        if definition.is_default:
            event = day.where(moves & has_room)
            unclear = unmeasured & (frame["is_closed"] | day.notna())
            frame["event_kind"] = np.select(
                [~has_room, event.notna(), unclear, frame["is_closed"]], ["", "recovered", "unknown", "left"], "open"
            )
            left = episode["discharge_day"].fillna(episode["last_visit_day"])
            frame["event_day"] = np.select(
                [frame["event_kind"] == kind for kind in ("recovered", "left", "open")],
                [event, left, episode["last_visit_day"]],
                np.nan,
            )
    return frame
