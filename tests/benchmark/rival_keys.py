"""The rival, part 2: rules between rows and tables, on rows that are sound in themselves.

A row whose key repeats with other content is set aside with its twin; with the same content the first stays. A row
without a parent goes with it. Visits, episodes and patients are numbered by position once, so that ten million scores
are compared as whole numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rival_reading import is_one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from rival_reading import Faults

PARENTS = {
    "episode": ("patient_key", "patient"),
    "visit": ("episode_key", "episode"),
    "measurement": ("visit_key", "visit"),
    "treatment": ("visit_key", "visit"),
    "adverse_event": ("visit_key", "visit"),
    "precaution": ("patient_key", "patient"),
}
KEYS = {
    "patient": ["patient_key"],
    "episode": ["episode_key"],
    "visit": ["visit_key"],
    "measurement": ["visit_key", "measure_id", "side", "active_passive", "method"],
    "treatment": ["visit_key", "treatment_class"],
    "adverse_event": ["visit_key", "event_type"],
    "precaution": ["patient_key", "precaution_type"],
}
PARENT = "parent"
"""Column with the position of a row's parent in the parent's frame of current rows."""


def current_rows(tables: Mapping[str, pd.DataFrame], faults: Mapping[str, Faults]) -> dict[str, pd.DataFrame]:
    """Rows that passed every rule, parents first; what else was found is added to ``faults``."""
    current: dict[str, pd.DataFrame] = {}
    for name in ("patient", "episode", "visit", "measurement", "treatment", "adverse_event", "precaution"):
        if name in tables:
            current[name] = _current(name, tables, faults, current)
    return current


def _current(
    name: str, tables: Mapping[str, pd.DataFrame], faults: Mapping[str, Faults], current: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    frame, found = tables[name], faults[name]
    sound = ~found.bad
    if name in PARENTS:
        column, parent = PARENTS[name]
        position = pd.Index(current[parent][column]).get_indexer(frame[column])
        frame = frame.assign(**{PARENT: position})
    repeated, superseded = _repeats(name, frame, sound)
    found.add(f"{name}.key.unique", repeated)
    found.found[f"{name} superseded"] = np.flatnonzero(superseded)
    left = sound & ~repeated & ~superseded
    if name in PARENTS:
        orphan = left & (position < 0)
        found.add(f"{name}.{column}.reference", orphan)
        left &= ~orphan
    if name == "episode":
        late = left & _visited_after_discharge(frame, tables["visit"], faults["visit"])
        found.add("episode.discharge_day.after_last_visit", late)
        left &= ~late
    if name == "treatment":
        routine = current["episode"]["arm"].isna().to_numpy()[current["visit"][PARENT].to_numpy()]
        sham = left & is_one_of(frame["treatment_class"], ("sham",)) & np.append(routine, False)[position]
        found.add("treatment.treatment_class.sham_in_trials_only", sham)
        left &= ~sham
    return frame[left].reset_index(drop=True)


def _repeats(name: str, frame: pd.DataFrame, sound: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Sound rows whose key occurs again with other content, and later copies of rows with the same content."""
    suspect = np.flatnonzero(sound)[_key_numbers(name, frame[sound]).duplicated(keep=False).to_numpy()]
    repeated, superseded = np.zeros(len(frame), bool), np.zeros(len(frame), bool)
    if len(suspect):
        content = [column for column in frame.columns if column not in ("row_number", PARENT)]
        few = frame.iloc[suspect][content].astype("object")
        few = few.where(few.notna(), None)
        versions = few.drop_duplicates().groupby(KEYS[name], dropna=False, sort=False).size().rename("versions")
        count = few[KEYS[name]].merge(versions.reset_index(), how="left", on=KEYS[name])["versions"].to_numpy()
        truly = few.duplicated(KEYS[name], keep=False).to_numpy()
        repeated[suspect[(count > 1) & truly]] = True
        superseded[suspect[(count == 1) & few.duplicated(KEYS[name]).to_numpy()]] = True
    return repeated, superseded


def _key_numbers(name: str, frame: pd.DataFrame) -> pd.Series:
    """One value per row that is equal where the keys are equal; orphans may share one without reason."""
    first, *others = KEYS[name]
    if not others:
        return frame[first]
    number = frame[PARENT].to_numpy(dtype=np.int64)
    for column in others:
        codes = frame[column].cat
        number = number * (len(codes.categories) + 1) + np.asarray(codes.codes) + 1
    return pd.Series(number)


def _visited_after_discharge(episode: pd.DataFrame, visit: pd.DataFrame, found: Faults) -> NDArray[np.bool_]:
    care = is_one_of(visit["attendance"], ("attended",)) & ~is_one_of(visit["visit_type"], ("follow_up",))
    sound = ~found.bad & ~visit["visit_key"].duplicated(keep=False).to_numpy()
    last = visit[care & sound].groupby("episode_key", sort=False)["day_offset"].max()
    return episode["episode_key"].map(last).to_numpy() > episode["discharge_day"].to_numpy()
