"""Which rows of later deliveries are about a new period, and which are late or correct what was known.

The cut is drawn for each clinic where what was known of it ends: at the day of the newest extract that had rows of it,
or behind that day if it had visits of the day itself.

1. Where visits have real dates, a visit on or after the cut is new. What hangs on a visit goes with it.
2. Without dates, a visit of an episode that was not known is new, and so is one after the last known day of its
   episode. Nobody can tell a late record of an unknown episode from a new one there.
3. An episode or patient that was not known is new if everything of it is.
4. The row of a known episode that was open and is now closed is new, unless its last day lies before the cut.
5. Every other row is late, corrects a row, takes one back, or says again what was known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from assets.deliveries.ledger import Delivery

    Rows = Callable[[Delivery, str], pl.LazyFrame | None]
    """Accepted rows of a delivery of a table; None: it has none."""

DATED = "limited_data_set"
OPEN = "still_open"
OF_VISIT = ("measurement", "treatment", "adverse_event")
OF_PATIENT = ("patient", "precaution")
TABLES = ("episode", "visit", *OF_VISIT, *OF_PATIENT)
VISIT = {
    "visit_key": pl.String(),
    "episode_key": pl.String(),
    "day_offset": pl.Int64(),
    "calendar_day": pl.Int64(),
}
EPISODE = {
    "episode_key": pl.String(),
    "patient_key": pl.String(),
    "clinic_key": pl.String(),
    "discharge_reason": pl.String(),
    "discharge_day": pl.Int64(),
    "discharge_calendar_day": pl.Int64(),
}
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class NewPeriod:
    """Keys whose rows of later deliveries are new: of visits, patients, and episodes, whose own row alone is meant."""

    visits: pl.Series
    episodes: pl.Series
    patients: pl.Series

    @property
    def is_empty(self) -> bool:
        """Whether nothing is new."""
        return self.visits.is_empty() and self.episodes.is_empty() and self.patients.is_empty()

    def without(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows of a canonical table that are not about the new period."""
        if table == "episode":
            return rows.filter(~pl.col("episode_key").is_in(self.episodes.implode()))
        if table in OF_PATIENT:
            return rows.filter(~pl.col("patient_key").is_in(self.patients.implode()))
        return rows.filter(~pl.col("visit_key").is_in(self.visits.implode()))


def new_period(known: Sequence[Delivery], later: Sequence[Delivery], rows: Rows) -> NewPeriod:
    """Find what the deliveries ``later`` say about a period of which ``known`` say nothing.

    Args:
        known: accepted deliveries, in the order in which later rows replace earlier ones.
        later: accepted deliveries that came since, in that order.
        rows: reads the accepted rows of a delivery.

    """
    known_visits, later_visits = (_gathered(part, "visit", VISIT, rows) for part in (known, later))
    known_episodes, later_episodes = (_gathered(part, "episode", EPISODE, rows) for part in (known, later))
    episodes = pl.concat([known_episodes, later_episodes])
    places = episodes.group_by("episode_key").agg(pl.col("clinic_key", "patient_key").last())
    visits = _judged(later_visits, known_visits, known_episodes, places, _cuts(known, known_visits, places))
    news = visits.filter("is_new").get_column("visit_key").unique()
    begun = _begun(later_episodes, known_episodes, visits)
    closed = _closed(later_episodes, known_episodes, visits, known_visits, places, known)
    new_episodes = pl.concat([begun, closed]).unique()
    patients = _patients(known, later, rows, known_episodes, later_episodes, begun)
    return NewPeriod(news, new_episodes, patients)


def _gathered(deliveries: Sequence[Delivery], table: str, schema: dict[str, pl.DataType], rows: Rows) -> pl.DataFrame:
    """The named columns of all deliveries together, with whether their calendar is the real one."""
    parts = [pl.DataFrame(schema={**schema, "delivery_id": pl.String(), "is_dated": pl.Boolean()})]
    for delivery in deliveries:
        found = rows(delivery, table)
        if found is not None:
            parts.append(
                found.select(
                    *(pl.col(name).cast(dtype) for name, dtype in schema.items()),
                    delivery_id=pl.lit(delivery.delivery_id),
                    is_dated=pl.lit(delivery.privacy_mode == DATED),
                ).collect()
            )
    return pl.concat(parts)


def _cuts(known: Sequence[Delivery], visits: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """The first day of the new period of each clinic with dates."""
    stamps = pl.DataFrame(
        [(delivery.delivery_id, _day(delivery.extract_stamp)) for delivery in known],
        schema={"delivery_id": pl.String(), "extract": pl.Int64()},
        orient="row",
    )
    return (
        visits.filter("is_dated")
        .join(places, on="episode_key")
        .join(stamps, on="delivery_id")
        .with_columns(newest=pl.col("extract").max().over("clinic_key"))
        .filter(pl.col("newest").is_null() | (pl.col("calendar_day") <= pl.col("newest")))
        .group_by("clinic_key")
        .agg(cut=pl.max_horizontal(pl.col("newest").first(), pl.col("calendar_day").max() + 1))
    )


def _day(stamp: str) -> int | None:
    return (dt.date.fromisoformat(stamp[:10]) - EPOCH).days if stamp else None


def _judged(
    later: pl.DataFrame, known: pl.DataFrame, known_episodes: pl.DataFrame, places: pl.DataFrame, cuts: pl.DataFrame
) -> pl.DataFrame:
    """Visits of the later deliveries with ``is_new``."""
    last = known.group_by("episode_key").agg(
        last_offset=pl.col("day_offset").max(), last_calendar=pl.col("calendar_day").max()
    )
    is_known = pl.col("episode_key").is_in(known_episodes.get_column("episode_key").unique().implode())
    went_on = (pl.col("day_offset") > pl.col("last_offset")) | (pl.col("calendar_day") > pl.col("last_calendar"))
    by_date = pl.when("is_dated").then(pl.col("calendar_day") >= pl.col("cut"))
    return (
        later.join(places, on="episode_key", how="left")
        .join(cuts, on="clinic_key", how="left")
        .join(last, on="episode_key", how="left")
        .with_columns(is_new=pl.coalesce(by_date, pl.when(is_known).then(went_on).otherwise(pl.lit(value=True))))
        .with_columns(pl.col("is_new").fill_null(value=False))
    )


def _begun(later: pl.DataFrame, known: pl.DataFrame, visits: pl.DataFrame) -> pl.Series:
    """Episodes that were not known and have no visit before the cut."""
    earlier = visits.filter(~pl.col("is_new")).get_column("episode_key").unique()
    keys = later.get_column("episode_key").unique()
    is_known = keys.is_in(known.get_column("episode_key").implode())
    return keys.filter(~is_known & ~keys.is_in(earlier.implode()))


def _closed(
    later: pl.DataFrame,
    known: pl.DataFrame,
    visits: pl.DataFrame,
    known_visits: pl.DataFrame,
    places: pl.DataFrame,
    deliveries: Sequence[Delivery],
) -> pl.Series:
    """Known open episodes that the later deliveries close, on or after the cut as far as anybody can tell."""
    is_open = pl.col("discharge_reason").is_null() | (pl.col("discharge_reason") == OPEN)
    was_open = known.group_by("episode_key").agg(pl.col("discharge_reason").last()).filter(is_open)
    first = (
        pl.concat([known_visits, visits.select(known_visits.columns)])
        .filter("is_dated")
        .group_by("episode_key")
        .agg(first_day=pl.col("calendar_day").min())
    )
    cuts = _cuts(deliveries, known_visits, places)
    ended = pl.coalesce("discharge_calendar_day", pl.col("first_day") + pl.col("discharge_day"))
    return (
        later.group_by("episode_key")
        .last()
        .filter(~is_open)
        .join(was_open, on="episode_key", how="semi")
        .join(first, on="episode_key", how="left")
        .join(cuts, on="clinic_key", how="left")
        .filter((ended >= pl.col("cut")).fill_null(value=True))
        .get_column("episode_key")
    )


def _patients(
    known: Sequence[Delivery],
    later: Sequence[Delivery],
    rows: Rows,
    known_episodes: pl.DataFrame,
    later_episodes: pl.DataFrame,
    begun: pl.Series,
) -> pl.Series:
    """Patients who were not known and of whom no episode is late."""
    patients = {part: _keys(deliveries, rows) for part, deliveries in (("known", known), ("later", later))}
    late = later_episodes.filter(~pl.col("episode_key").is_in(begun.implode()))
    kept = pl.concat([patients["known"], *(part.get_column("patient_key") for part in (known_episodes, late))]).unique()
    return patients["later"].filter(~patients["later"].is_in(kept.implode()))


def _keys(deliveries: Iterable[Delivery], rows: Rows) -> pl.Series:
    parts = [pl.Series("patient_key", [], pl.String())]
    for delivery in deliveries:
        found = rows(delivery, "patient")
        if found is not None:
            parts.append(found.select("patient_key").collect().get_column("patient_key"))
    return pl.concat(parts).unique()
