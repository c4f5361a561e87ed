"""What goes wrong with a whole night: faults of an export, of a system or of habits, that no single row shows.

Each damages the files of one delivery before it is sent. Every row may still be possible: that is the difference to
``faults``, which breaks one rule in one row.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.simulation.nights import OF_VISIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.random import Generator

    from assets.simulation.nights import Tables

PAIN = pl.col("measure_id").str.starts_with("nprs")
DEGREES = pl.col("unit") == "deg"
VALUE = pl.col("value").cast(pl.Float64)
KEYS = ("patient_key", "episode_key", "visit_key")
HALF, TENTH = 0.5, 0.1
INCH_CM = 2.54
LOGIN_PAGE = b"<!DOCTYPE html>\n<html><body><h1>Your session has ended</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery about to be sent.

    ``folder`` holds its files, ``yesterday`` what the system sent the night before, ``earlier`` all it sent before;
    ``other_clinic`` is a clinic of another system.
    """

    folder: Path
    yesterday: Tables
    earlier: Tables
    other_clinic: str
    rng: Generator

    def rows(self, table: str) -> pl.DataFrame:
        """The rows of a table as text."""
        return pl.read_csv(self.folder / f"{table}.csv", infer_schema=False)

    def replace(self, table: str, rows: pl.DataFrame) -> None:
        """Send other rows instead."""
        rows.write_csv(self.folder / f"{table}.csv")


@dataclass(frozen=True, slots=True)
class NightFault:
    """One way in which a night goes wrong. ``title`` says what happened at the source."""

    name: str
    title: str
    damage: Callable[[Sending], None]


def night_faults() -> tuple[NightFault, ...]:
    """Every fault of a whole night."""
    return (*_of_files(), *_of_volume(), *_of_codes(), *_of_blanks(), *_of_scores(), *_of_time_and_keys())


def _of_files() -> tuple[NightFault, ...]:
    return (
        NightFault("delivery_missing", "Nothing was sent", lambda sending: shutil.rmtree(sending.folder)),
        NightFault("sent_again", "The export of the night before was sent again", _sent_again),
        NightFault(
            "visits_file_missing", "visit.csv was left out", lambda sending: (sending.folder / "visit.csv").unlink()
        ),
        NightFault(
            "events_file_missing",
            "adverse_event.csv, which may be left out, was left out",
            lambda sending: (sending.folder / "adverse_event.csv").unlink(),
        ),
        NightFault("file_truncated", "The upload of measurement.csv broke off", _bytes("measurement", _first_half)),
        NightFault("file_empty", "patient.csv has no byte", _bytes("patient", lambda _: b"")),
        NightFault("login_page", "patient.csv is the page of a session that ended", _bytes("patient", _login_page)),
        NightFault(
            "delimiter_changed",
            "visit.csv is separated by semicolons",
            _bytes("visit", lambda text: text.replace(b",", b";")),
        ),
        NightFault(
            "encoding_changed",
            "visit.csv is in UTF-16",
            _bytes("visit", lambda text: text.decode().encode("utf-16")),
        ),
        NightFault("header_in_the_middle", "Two exports were joined, header and all", _bytes("measurement", _joined)),
        NightFault("column_renamed", "attendance is called status now", _header("visit", "attendance", "status")),
        NightFault(
            "column_missing", "measurement.csv has no unit", _edited("measurement", lambda rows, _: rows.drop("unit"))
        ),
        NightFault(
            "column_added",
            "visit.csv has a column more",
            _edited("visit", lambda rows, _: rows.with_columns(room=pl.lit("3"))),
        ),
        NightFault(
            "names_added",
            "patient.csv names the patients",
            _edited("patient", lambda rows, _: rows.with_columns(last_name=pl.lit("Example"))),
        ),
    )


def _of_volume() -> tuple[NightFault, ...]:
    return (
        NightFault("half_the_visits", "Every second visit is missing, with all that belongs to it", _half_the_visits),
        NightFault("everything_twice", "A second copy came along under other keys", _everything_twice),
        NightFault("every_score_twice", "measurement.csv holds every line twice", _edited("measurement", _twice)),
        NightFault("no_scores", "measurement.csv has a header and no line", _edited("measurement", _none)),
        NightFault("no_treatments", "treatment.csv has a header and no line", _edited("treatment", _none)),
        NightFault("no_episodes", "episode.csv has a header and no line", _edited("episode", _none)),
        NightFault("no_events", "adverse_event.csv has a header and no line", _edited("adverse_event", _none)),
    )


def _of_codes() -> tuple[NightFault, ...]:
    return (
        NightFault("code_unknown", "Men are M no longer but male", _recoded("patient", "sex", {"M": "male"})),
        NightFault("codes_unknown", "Every visit type is a number now", _set("visit", pl.lit("3").alias("visit_type"))),
        NightFault(
            "code_replaced",
            "Goals met is exported as plateau",
            _recoded("episode", "discharge_reason", {"goals_met": "plateau"}),
        ),
        NightFault(
            "code_never_used",
            "Dry needling is exported as acupuncture, a code this clinic never used",
            _recoded("treatment", "treatment_class", {"dry_needling": "acupuncture"}),
        ),
        NightFault(
            "code_vanished",
            "Visits that did not take place are left out",
            _edited("visit", lambda rows, _: rows.filter(pl.col("attendance") == "attended")),
        ),
        NightFault(
            "attendance_constant",
            "Every visit is attended",
            _set("visit", pl.lit("attended").alias("attendance")),
        ),
        NightFault(
            "condition_constant",
            "Every episode is neck pain",
            _set("episode", pl.lit("neck_pain").alias("condition_id")),
        ),
        NightFault("columns_swapped", "sex stands under population and population under sex", _swapped),
        NightFault("all_left", "Every sided score is of the left", _set("measurement", _left_where_sided())),
        NightFault(
            "sides_swapped",
            "Left is exported as right and right as left",
            _recoded("measurement", "side", {"left": "right", "right": "left"}),
        ),
    )


def _of_blanks() -> tuple[NightFault, ...]:
    return (
        NightFault(
            "duration_half_empty", "Half of the symptom durations are empty", _blanked("episode", "symptom_duration")
        ),
        NightFault("rater_half_empty", "Half of the raters are empty", _blanked("measurement", "rater_key")),
        NightFault("twitch_half_empty", "Half of the twitch answers are empty", _blanked("treatment", "ltr_elicited")),
        NightFault(
            "asked_empty",
            "Nobody was asked for unwanted events",
            _set("visit", pl.lit(None, pl.String).alias("adverse_events_asked")),
        ),
        NightFault("value_tenth_empty", "A tenth of the scores is empty", _blanked("measurement", "value", TENTH)),
        NightFault(
            "value_missing_code",
            "A tenth of the scores is 999, for not measured",
            _blanked("measurement", "value", TENTH, "999"),
        ),
    )


def _of_scores() -> tuple[NightFault, ...]:
    return (
        NightFault("pain_in_tens", "Pain is sent in millimetres of a line of 10 cm", _scored(PAIN, VALUE * 10)),
        NightFault("pain_halved", "Pain is sent on a scale to 5", _scored(PAIN, (VALUE / 2).floor())),
        NightFault(
            "pain_two_up", "Every pain score is two points higher", _scored(PAIN, (VALUE + 2).clip(upper_bound=10))
        ),
        NightFault("pain_turned", "10 stands for no pain", _scored(PAIN, 10 - VALUE)),
        NightFault("pain_copied", "Pain is carried over from the visit before", _copied),
        NightFault("pain_constant", "Every pain score is 5", _scored(PAIN, pl.lit(5.0))),
        NightFault(
            "index_in_points",
            "The Oswestry index is sent in points, not in percent",
            _scored(pl.col("measure_id") == "odi", (VALUE / 2).floor()),
        ),
        NightFault("motion_halved", "Every motion reads half", _scored(DEGREES, (VALUE / 2).round())),
        NightFault(
            "motion_in_inches",
            "Centimetres are sent as inches",
            _scored(pl.col("unit") == "cm", (VALUE / INCH_CM).round(1)),
        ),
        NightFault(
            "motion_to_tens", "Every motion is rounded to ten degrees", _scored(DEGREES, (VALUE / 10).round() * 10)
        ),
        NightFault("scores_shuffled", "Scores stand beside the wrong patients", _edited("measurement", _shuffled)),
    )


def _of_time_and_keys() -> tuple[NightFault, ...]:
    later = (pl.col("day_offset").cast(pl.Int64) + 7).cast(pl.String).alias("day_offset")
    ahead = (pl.col("start_year").cast(pl.Int64) + 1).cast(pl.String).alias("start_year")
    return (
        NightFault("days_shifted", "Every visit is a week late", _set("visit", later)),
        NightFault("year_ahead", "Every episode begins a year later", _set("episode", ahead)),
        NightFault("other_clinic", "The episodes are those of another clinic", _other_clinic),
        NightFault("keys_recycled", "New patients get the keys of old ones", _recycled),
        NightFault(
            "keys_renewed",
            "Visits name episodes by new numbers",
            _set("visit", ("N" + pl.col("episode_key")).alias("episode_key")),
        ),
    )


def _edited(table: str, how: Callable[[pl.DataFrame, Generator], pl.DataFrame]) -> Callable[[Sending], None]:
    def damage(sending: Sending) -> None:
        sending.replace(table, how(sending.rows(table), sending.rng))

    return damage


def _set(table: str, *columns: pl.Expr) -> Callable[[Sending], None]:
    return _edited(table, lambda rows, _: rows.with_columns(*columns))


def _recoded(table: str, column: str, codes: dict[str, str]) -> Callable[[Sending], None]:
    return _set(table, pl.col(column).replace(codes))


def _scored(which: pl.Expr, value: pl.Expr) -> Callable[[Sending], None]:
    text = value.cast(pl.String).str.strip_suffix(".0")
    return _set("measurement", pl.when(which).then(text).otherwise("value").alias("value"))


def _blanked(table: str, column: str, share: float = HALF, by: str | None = None) -> Callable[[Sending], None]:
    def how(rows: pl.DataFrame, rng: Generator) -> pl.DataFrame:
        chosen = pl.Series(rng.permutation(rows.height) < share * rows.height)
        return rows.with_columns(pl.when(chosen).then(pl.lit(by, pl.String)).otherwise(column).alias(column))

    return _edited(table, how)


def _bytes(table: str, how: Callable[[bytes], bytes]) -> Callable[[Sending], None]:
    def damage(sending: Sending) -> None:
        path = sending.folder / f"{table}.csv"
        path.write_bytes(how(path.read_bytes()))

    return damage


def _header(table: str, old: str, new: str) -> Callable[[Sending], None]:
    return _bytes(table, lambda text: text.replace(old.encode(), new.encode(), 1))


def _first_half(text: bytes) -> bytes:
    return text[: len(text) // 2]


def _login_page(_: bytes) -> bytes:
    return LOGIN_PAGE


def _joined(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    middle = len(lines) // 2
    return b"".join([*lines[:middle], lines[0], *lines[middle:]])


def _twice(rows: pl.DataFrame, _: Generator) -> pl.DataFrame:
    return pl.concat([rows, rows])


def _none(rows: pl.DataFrame, _: Generator) -> pl.DataFrame:
    return rows.clear()


def _left_where_sided() -> pl.Expr:
    return pl.when(pl.col("side") == "right").then(pl.lit("left")).otherwise("side").alias("side")


def _swapped(sending: Sending) -> None:
    rows = sending.rows("patient")
    sending.replace("patient", rows.with_columns(sex=pl.col("population"), population=pl.col("sex")))


def _shuffled(rows: pl.DataFrame, rng: Generator) -> pl.DataFrame:
    seed = int(rng.integers(2**31))
    return rows.with_columns(pl.col("value").shuffle(seed).over("measure_id"))


def _sent_again(sending: Sending) -> None:
    for table, rows in sending.yesterday.items():
        sending.replace(table, rows)


def _half_the_visits(sending: Sending) -> None:
    visits = sending.rows("visit")
    kept = visits.filter(pl.Series(sending.rng.permutation(visits.height) % 2 == 0))
    sending.replace("visit", kept)
    for table in OF_VISIT:
        sending.replace(table, sending.rows(table).join(kept, on="visit_key", how="semi", maintain_order="left"))


def _everything_twice(sending: Sending) -> None:
    for path in sorted(sending.folder.iterdir()):
        rows = sending.rows(path.stem)
        copy = rows.with_columns((pl.col(name) + "-b") for name in rows.columns if name in KEYS)
        sending.replace(path.stem, pl.concat([rows, copy]))


def _copied(sending: Sending) -> None:
    """Every pain score is that of the same question at the visit before; first scores stay."""
    order = pl.col("day_offset").cast(pl.Int64)
    before = sending.earlier["measurement"].filter(PAIN).join(sending.earlier["visit"], on="visit_key")
    latest = before.sort(order).group_by("episode_key", "measure_id").agg(pl.col("value").last().alias("copied"))
    rows = sending.rows("measurement")
    episodes = sending.rows("visit").select("visit_key", "episode_key")
    found = rows.join(episodes, on="visit_key", how="left", maintain_order="left").join(
        latest, on=["episode_key", "measure_id"], how="left", maintain_order="left"
    )
    sending.replace("measurement", found.with_columns(value=pl.coalesce("copied", "value")).select(rows.columns))


def _other_clinic(sending: Sending) -> None:
    sending.replace("episode", sending.rows("episode").with_columns(clinic_key=pl.lit(sending.other_clinic)))


def _recycled(sending: Sending) -> None:
    patients = sending.rows("patient")["patient_key"]
    old = sending.earlier["patient"]["patient_key"].sample(patients.len(), seed=int(sending.rng.integers(2**31)))
    keys = dict(zip(patients, old, strict=True))
    for table in ("patient", "episode", "precaution"):
        rows = sending.rows(table)
        sending.replace(table, rows.with_columns(pl.col("patient_key").replace(keys)))
