"""The rival, part 4: what became of each episode, by the rules of the domain reference (sections 4.1 to 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rival_keys import PARENT
from rival_scores import MEASURE_IDS, MEASURES, SIDES, THOUSAND, WAYS

from assets.contract import CONTRACT
from assets.contract.definitions import (
    AGE_BANDS,
    BASELINE_MUST_EXCEED_POINTS,
    CONTRALATERAL_WINDOW_DAYS,
    DETERIORATION,
    DISCHARGE_WINDOW_DAYS,
    REFERENCE_MINIMUM_PATIENTS,
)
from assets.contract.model import Better, Occasion

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rival_scores import Scores

    from assets.contract.model import RecoveryDefinition

CONDITIONS = [condition.condition_id for condition in CONTRACT.conditions]
OTHER_PAIN = ("nprs_avg24h", "nprs_current", "nprs_worst24h")
"""Asked in this order where the condition's own pain measure has no pair of scores (domain reference 1.1)."""
DETERIORATED = DETERIORATION.points * THOUSAND
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


def pain_occasions(scores: Scores, visits: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """Pain on each day after the baseline on which it was scored, by the measure the episode is judged by."""
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
    return occasion.groupby(["episode", "day"], as_index=False).max()  # of two scores on a day the worse counts


def relief_days(occasion: pd.DataFrame, episodes: int) -> dict[str, NDArray[np.float64]]:
    """Day on which pain first was low enough, per definition; NaN where it never was."""
    return {d.definition_id: _relief(occasion, d, episodes) for d in CONTRACT.definitions}


def _relief(occasion: pd.DataFrame, definition: RecoveryDefinition, episodes: int) -> NDArray[np.float64]:
    low = occasion["pain"] <= definition.pain_at_most * THOUSAND
    other_episode = occasion["episode"] != occasion["episode"].shift()
    run = (~low | other_episode).cumsum()
    inside = occasion[low].assign(run=run[low])
    inside["at_discharge"] = inside["day"].where(inside["discharge"])
    runs = inside.groupby(["episode", "run"]).agg(
        first=("day", "min"), final=("day", "max"), at_discharge=("at_discharge", "min")
    )
    held = runs["first"].where(runs["final"] - runs["first"] >= definition.sustained_days)
    reached = {
        Occasion.HELD: held,
        Occasion.DISCHARGE: runs["at_discharge"],
        Occasion.EITHER: held.fillna(runs["at_discharge"]),
    }[definition.occasion]
    return reached.groupby("episode").min().reindex(np.arange(episodes)).to_numpy(dtype="float64")


def motion(course: pd.DataFrame, episode: pd.DataFrame, judged: pd.DataFrame, patient: pd.DataFrame) -> pd.DataFrame:
    """The worse primary motion of each episode against its reference.

    The other side, if it is free of the complaint; else the published value or a lower median of such sides in the
    clinic's patients of that sex and age.
    """
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
    known = compared & ~_complaint_on(episode, np.where(affected == "left", "right", "left"), own)
    typical = _typical(rom[known & (side != affected)], rom, episode, patient)
    kept = ~compared | (side == affected)
    rom, known, typical = rom[kept], known[kept], typical[kept]
    reference = _other_side(rom, course, known)
    measure = rom["measure"].to_numpy()
    rom["reference"] = np.where(np.isnan(reference), np.fmin(REFERENCE[measure], typical), reference)
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


def _complaint_on(episode: pd.DataFrame, wanted: NDArray[np.object_], own: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether any episode of the patient for the same condition is about the wanted side, or about both."""
    group = episode.groupby([PARENT, "condition_id"], observed=True, sort=False).ngroup().to_numpy()
    side = episode["side"].astype("object").to_numpy()
    found = {}
    for name in ("left", "right"):
        has = np.zeros(group.max() + 1 if len(group) else 0, bool)
        has[group[(side == name) | (side == "bilateral")]] = True
        found[name] = has[group][own]
    return np.where(wanted == "left", found["left"], found["right"])


def _typical(
    free: pd.DataFrame, rom: pd.DataFrame, episode: pd.DataFrame, patient: pd.DataFrame
) -> NDArray[np.float64]:
    """Median of the sides that are free of the complaint, for each row of ``rom``; NaN where too few were measured."""
    keys = ["clinic", "measure", "way", "sex", "age"]
    clinic = episode["clinic_key"].astype("object").to_numpy()
    sex = patient["sex"].astype("object").where(patient["sex"] != "unknown").to_numpy()
    edges = [first for first, _ in AGE_BANDS]
    years = patient["age_years"].to_numpy(dtype="float64")
    age = np.where(np.isnan(years), np.nan, np.searchsorted(edges, years, side="right"))

    def grouped(rows: pd.DataFrame) -> pd.DataFrame:
        person = episode[PARENT].to_numpy()[rows["episode"]]
        named = {"clinic": clinic[rows["episode"]], "person": person, "sex": sex[person], "age": age[person]}
        return rows[["episode", "measure", "way"]].assign(**named)

    value = free["baseline_value"].fillna(free["last_value"])
    sides = grouped(free).assign(value=value)[value.notna()].dropna(subset=["sex", "age"])
    sides["key"] = episode["episode_key"].astype("object").to_numpy()[sides["episode"]]
    sides = sides.sort_values("key").drop_duplicates(["clinic", "person", "measure", "way"])
    medians = sides.groupby(keys)["value"].agg(["size", lambda v: np.sort(v.to_numpy())[(len(v) - 1) // 2]])
    medians.columns = pd.Index(["patients", "median"])
    medians = medians[medians["patients"] >= REFERENCE_MINIMUM_PATIENTS].reset_index()
    return grouped(rom).merge(medians, how="left", on=keys)["median"].to_numpy(dtype="float64")


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
    relief: dict[str, NDArray[np.float64]],
    occasion: pd.DataFrame,
) -> pd.DataFrame:
    """One row per episode: pain at both ends, responses, motion, and recovery by every definition."""
    scored_at_discharge = np.zeros(len(episode), bool)
    scored_at_discharge[occasion.loc[occasion["discharge"], "episode"]] = True
    kept = ["episode_key", "condition_id", "clinic_key", "care", "arm", "start_year", "is_closed"]
    frame = episode[[*kept, "visit_count", "last_visit_day"]].copy()
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
        day = pd.Series(relief[definition.definition_id])
        unpaired = last.isna() | (~scored_at_discharge & (definition.occasion is Occasion.DISCHARGE))
        if definition.rom_rule == "none":
            unmeasured, moves = pd.Series(np.zeros(len(frame), bool)), pd.Series(np.ones(len(frame), bool))
        elif definition.rom_rule == "reference_minus_mdc":
            unmeasured, moves = rom["last_value"].isna(), rom["last_value"] >= rom["reference"] - rom["mdc"]
        else:
            unmeasured = rom["last_value"].isna() | ~(rom["reference"] > 0)
            moves = 100 * rom["last_value"] >= definition.rom_share_percent * rom["reference"]
        reason = np.select(
            [~frame["is_closed"], baseline.isna(), ~has_room, unpaired, unmeasured],
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
