"""Blocks as frames with the columns of the contract: numbers become keys, codes and scores."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.model import SCORE_DECIMALS, SCORE_DIGITS, ColumnType
from assets.simulation import parameters as p
from assets.simulation.care import REASONS
from assets.simulation.draws import keys, optional_integers, texts
from assets.simulation.motion import HUNDREDTHS
from assets.simulation.people import ABSENT, NOT_ASKED, POPULATIONS, YES_NO_UNKNOWN
from assets.simulation.treatments import CLASSES, EVENTS, TWITCH
from assets.simulation.visits import ATTENDANCE, KINDS

if TYPE_CHECKING:
    from assets.contract.model import Column, Table
    from assets.simulation.block import Block
    from assets.simulation.clinics import Network
    from assets.simulation.course import Flags, Integers

SIDES = ("left", "right", "none", None)
KEY_DIGITS, VISIT_DIGITS = 8, 9
PATIENT_PREFIX, EPISODE_PREFIX, VISIT_PREFIX = "P", "E", "V"
DATE = "calendar_day"
FIRST_DATE = dt.date(p.FIRST_YEAR, 1, 1)
"""Day 0 of the simulated period."""


def column_type(column: Column, *, typed: bool) -> pl.DataType:
    """How a delivery stores a column: as text, or with its type (Parquet)."""
    if column.type is ColumnType.INTEGER:
        return pl.Int32()
    if column.type is ColumnType.SCORE and typed:
        return pl.Decimal(SCORE_DIGITS, SCORE_DECIMALS)
    return pl.String()


def delivered_columns(table: Table, *, dated: bool) -> tuple[str, ...]:
    """Columns of a delivered file: the canonical layout, and the date of the visit in a delivery with dates."""
    return (*table.layout, DATE) if dated and DATE in table.names else table.layout


class Renderer:
    """Turns blocks into the frames that one records system delivers."""

    def __init__(self, network: Network, *, typed: bool, dated: bool = False) -> None:
        """Prepare the code lists; ``typed`` stores scores as decimals, ``dated`` adds the dates of visits."""
        self._network = network
        self._typed = typed
        self._dated = dated
        contract = network.contract
        self._measures = [measure.measure_id for measure in contract.measures]
        self._units = [measure.unit for measure in contract.measures]
        self._active = ["passive" if measure.measure_id in p.PASSIVE else "active" for measure in contract.measures]
        self._methods = [_method(measure.measure_id, measure.construct, measure.unit) for measure in contract.measures]
        self._therapists = [f"{c.key}-T{number + 1}" for c in network.clinics for number in range(c.therapists)]
        self._first_therapist = np.cumsum([0, *(c.therapists for c in network.clinics)])[:-1]
        low = round(min(measure.possible.low for measure in contract.measures) * HUNDREDTHS)
        high = round(max(measure.possible.high for measure in contract.measures) * HUNDREDTHS)
        self._lowest = low
        self._values = pl.Series([f"{value / HUNDREDTHS:g}" for value in range(low, high + 1)], dtype=pl.String)
        if typed:
            self._values = self._values.cast(pl.Decimal(SCORE_DIGITS, SCORE_DECIMALS))

    def render(self, block: Block) -> list[dict[str, pl.DataFrame]]:
        """Frames by table, one dictionary per records system."""
        visit_keys = keys(VISIT_PREFIX, block.visits.number, VISIT_DIGITS)
        order = self._measurement_order(block)
        return [self._render_source(block, source, visit_keys, order) for source in range(len(self._network.sources))]

    def _render_source(
        self, block: Block, source: int, visit_keys: pl.Series, order: dict[str, Integers]
    ) -> dict[str, pl.DataFrame]:
        clinic_source = self._network.clinic_source
        patient_here = clinic_source[block.patients.clinic] == source
        episode_here = clinic_source[block.episodes.clinic] == source
        visit_here = episode_here[block.visits.episode]
        columns = {
            "patient": self._patients(block, np.flatnonzero(patient_here)),
            "episode": self._episodes(block, np.flatnonzero(episode_here)),
            "visit": self._visits(block, np.flatnonzero(visit_here), visit_keys),
            "measurement": self._measurements(
                {name: values[visit_here[order["visit"]]] for name, values in order.items()}, visit_keys
            ),
            "treatment": _treatments(block, visit_here, visit_keys),
            "adverse_event": _events(block, visit_here, visit_keys),
            "precaution": _precautions(block, patient_here),
        }
        contract = self._network.contract
        return {
            name: as_delivered(contract.table(name), data, typed=self._typed, dated=self._dated)
            for name, data in columns.items()
        }

    def _patients(self, block: Block, rows: Integers) -> dict[str, pl.Series]:
        patients = block.patients
        return {
            "patient_key": keys(PATIENT_PREFIX, patients.number[rows], KEY_DIGITS),
            "sex": texts(tuple(p.SEX), patients.sex[rows]),
            "age_years": pl.Series(patients.age[rows].astype(np.int32)),
            "zip3": texts(tuple(p.ZIP3), patients.zip3[rows]),
            "population": texts(POPULATIONS, patients.population[rows]),
        }

    def _episodes(self, block: Block, rows: Integers) -> dict[str, pl.Series]:
        episodes, care = block.episodes, block.care
        therapist = self._first_therapist[episodes.clinic] + episodes.therapist
        return {
            "episode_key": keys(EPISODE_PREFIX, episodes.number[rows], KEY_DIGITS),
            "patient_key": keys(PATIENT_PREFIX, block.patients.number[episodes.patient[rows]], KEY_DIGITS),
            "clinic_key": texts([c.key for c in self._network.clinics], episodes.clinic[rows]),
            "therapist_key": texts(self._therapists, therapist[rows]),
            "condition_id": texts(self._network.conditions, episodes.condition[rows]),
            "side": texts(SIDES, episodes.side_recorded[rows]),
            "start_year": pl.Series(episodes.start_year[rows].astype(np.int32)),
            "symptom_duration": texts((*p.DURATION, "unknown"), episodes.duration_recorded[rows]),
            "surgery_count": pl.Series(episodes.surgery[rows].astype(np.int32)),
            "comorbidity_count": pl.Series(episodes.comorbidity[rows].astype(np.int32)),
            "fear_avoidance": texts(YES_NO_UNKNOWN, episodes.fear_recorded[rows]),
            "prior_episode": texts(YES_NO_UNKNOWN, episodes.prior[rows]),
            "payer": texts(tuple(p.PAYER), episodes.payer[rows]),
            "discharge_day": optional_integers(care.discharge_day[rows], care.closed[rows]),
            "discharge_reason": texts(REASONS, care.reason[rows]),
        }

    def _visits(self, block: Block, rows: Integers, visit_keys: pl.Series) -> dict[str, pl.Series]:
        visits = block.visits
        attended = visits.attended[rows]
        return {
            "visit_key": visit_keys.gather(rows),
            "episode_key": keys(EPISODE_PREFIX, block.episodes.number[visits.episode[rows]], KEY_DIGITS),
            "day_offset": pl.Series(visits.day[rows].astype(np.int32)),
            "visit_type": texts(KINDS, visits.kind[rows]),
            "attendance": texts(ATTENDANCE, visits.attendance[rows]),
            "adverse_events_asked": texts((*YES_NO_UNKNOWN, None), np.where(attended, visits.asked[rows], -1)),
            **self._dates(block, rows),
        }

    def _dates(self, block: Block, rows: Integers) -> dict[str, pl.Series]:
        """ISO dates of visits, in a delivery with dates."""
        if not self._dated:
            return {}
        names = [(FIRST_DATE + dt.timedelta(days=day)).isoformat() for day in range(p.PERIOD_DAYS + 1)]
        return {DATE: texts(names, block.episodes.start_day[block.visits.episode[rows]] + block.visits.day[rows])}

    def _measurement_order(self, block: Block) -> dict[str, Integers]:
        """All scores as parallel arrays, ordered by visit; within a visit in the order in which they were drawn."""
        scores = block.scores
        lengths = [len(score.visit) for score in scores]
        visit = np.concatenate([score.visit for score in scores])
        order = np.argsort(visit.astype(np.int32), kind="stable")
        own = self._first_therapist[block.episodes.clinic] + block.episodes.therapist
        team = np.array([c.therapists for c in self._network.clinics])[block.episodes.clinic]
        colleague = self._first_therapist[block.episodes.clinic] + (block.episodes.therapist + 1) % team
        episode = block.visits.episode
        rater = np.concatenate(
            [
                np.full(len(score.visit), -1)
                if score.other_rater is None
                else np.where(score.other_rater, colleague[episode[score.visit]], own[episode[score.visit]])
                for score in scores
            ]
        )
        measure = np.repeat([self._measures.index(score.measure_id) for score in scores], lengths)
        side = np.repeat([score.side for score in scores], lengths)
        value = np.concatenate([score.value for score in scores])
        return {
            "visit": visit[order],
            "measure": measure[order],
            "side": side[order],
            "rater": rater[order],
            "value": value[order],
        }

    def _measurements(self, rows: dict[str, Integers], visit_keys: pl.Series) -> dict[str, pl.Series]:
        asked = rows["rater"] < 0
        last = len(self._measures)
        return {
            "visit_key": visit_keys.gather(rows["visit"]),
            "measure_id": texts(self._measures, rows["measure"]),
            "side": texts(SIDES, rows["side"]),
            "active_passive": texts([*self._active, "not_applicable"], np.where(asked, last, rows["measure"])),
            "method": texts(self._methods, rows["measure"]),
            "rater_key": texts([*self._therapists, None], rows["rater"]),
            "value": self._values.gather(rows["value"] - self._lowest),
            "unit": texts(self._units, rows["measure"]),
        }


def as_delivered(table: Table, data: dict[str, pl.Series], *, typed: bool, dated: bool = False) -> pl.DataFrame:
    """A frame with the columns of the delivered file of ``table``; those without data are empty."""
    rows = len(next(iter(data.values())))
    return pl.DataFrame(
        [
            data[column.name].cast(column_type(column, typed=typed)).alias(column.name)
            if column.name in data
            else pl.Series(column.name, [None], dtype=column_type(column, typed=typed)).new_from_index(0, rows)
            for column in map(table.column, delivered_columns(table, dated=dated))
        ]
    )


def _treatments(block: Block, visit_here: Flags, visit_keys: pl.Series) -> dict[str, pl.Series]:
    treatments = block.treatments
    rows = np.flatnonzero(visit_here[treatments.visit])
    needling = treatments.needles[rows] >= 0
    return {
        "visit_key": visit_keys.gather(treatments.visit[rows]),
        "treatment_class": texts(CLASSES, treatments.treatment[rows]),
        "minutes": pl.Series(treatments.minutes[rows].astype(np.int32)),
        "needle_count": optional_integers(treatments.needles[rows], needling),
        "muscle_count": optional_integers(treatments.muscles[rows], needling),
        "technique": texts((*p.TECHNIQUE, None), treatments.technique[rows]),
        "ltr_elicited": texts((*TWITCH, None), treatments.twitch[rows]),
    }


def _events(block: Block, visit_here: Flags, visit_keys: pl.Series) -> dict[str, pl.Series]:
    events = block.events
    rows = np.flatnonzero(visit_here[events.visit])
    return {
        "visit_key": visit_keys.gather(events.visit[rows]),
        "event_type": texts(EVENTS, events.event[rows]),
        "severity": texts(("minor", "major"), events.major[rows].astype(np.int64)),
        "duration_hours": pl.Series(events.hours[rows].astype(np.int32)),
        "resolved": texts(tuple(p.RESOLVED), events.resolved[rows]),
        "related": texts(tuple(p.RELATED), events.related[rows]),
    }


def _precautions(block: Block, patient_here: Flags) -> dict[str, pl.Series]:
    patient, kind = np.nonzero((block.patients.precautions != NOT_ASKED) & patient_here[:, None])
    return {
        "patient_key": keys(PATIENT_PREFIX, block.patients.number[patient], KEY_DIGITS),
        "precaution_type": texts(tuple(p.PRECAUTIONS), kind),
        "present": texts(YES_NO_UNKNOWN, block.patients.precautions[patient, kind] - ABSENT),
    }


def _method(measure_id: str, construct: str, unit: str) -> str:
    if construct != "rom":
        return "questionnaire"
    if unit == "cm":
        return "tape"
    return next((method for start, method in p.METHODS if measure_id.startswith(start)), "goniometer")
