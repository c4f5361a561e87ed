"""What needs no statistics: a delivery that is overdue, another number of files, clinics in strange company.

Or an episode that begins in a year after its extract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.drift import ARRIVAL, COMPANY, FEWEST_NIGHTS, FILES, START_YEAR

if TYPE_CHECKING:
    from datetime import date

SERIES = ["clinic_key", "profile"]
SAME_WEEKDAYS = 4
"""Who sent on this weekday for so many weeks sends on it."""
FACT_SCHEMA = pl.Schema(
    {
        "clinic_key": pl.String(),
        "profile": pl.String(),
        "check_id": pl.String(),
        "feature": pl.String(),
        "item": pl.String(),
        "direction": pl.String(),
        "is_found": pl.Boolean(),
    }
)


def drift_facts(sent: pl.DataFrame) -> pl.DataFrame:
    """Judge every clinic and source with enough deliveries; one row for each fact."""
    dated = sent.with_columns(day=pl.col("extract_stamp").str.slice(0, 10).str.to_date("%Y-%m-%d"))
    every_day = sorted(set(dated["day"].to_list()))
    rows: list[tuple[str, str, str, str, str, str, bool]] = []
    for (clinic, profile), own in sorted(dated.group_by(SERIES), key=lambda group: group[0]):
        days = sorted(set(own["day"].to_list()))
        if len(days) <= FEWEST_NIGHTS:
            continue
        named, ordered = (str(clinic), str(profile)), own.sort("extract_stamp", "delivery_id")
        rows.append((*named, ARRIVAL, "arrival", "", "overdue", _is_overdue(days, every_day)))
        rows.append((*named, FILES, "files", "", *_files(ordered)))
        company = _new_company(dated, ordered["delivery_id"].last(), str(clinic))
        rows.append((*named, COMPANY, "company", company, "new", bool(company)))
    return pl.DataFrame(rows, schema=FACT_SCHEMA, orient="row")


def years_ahead(latest: pl.DataFrame) -> pl.DataFrame:
    """Judge the counts of the latest nights: whether any new episode begins in a year that has not come."""
    ahead = latest.filter(pl.col("check_id") == START_YEAR)
    return ahead.select(
        *SERIES,
        "check_id",
        "feature",
        "item",
        direction=pl.lit("later"),
        is_found=pl.col("rows") > 0,
    )


def _is_overdue(days: list[date], every_day: list[date]) -> bool:
    """Whether the clinic is silent on the latest day of deliveries although it always sent on such days."""
    latest, own = every_day[-1], set(days)
    if latest in own:
        return False
    before = [day for day in every_day[:-1] if day > days[0]]
    same = [day for day in before if day.weekday() == latest.weekday()]
    recent, weekly = before[-FEWEST_NIGHTS:], same[-SAME_WEEKDAYS:]
    return (len(recent) == FEWEST_NIGHTS and own.issuperset(recent)) or (
        len(weekly) == SAME_WEEKDAYS and own.issuperset(weekly)
    )


def _files(own: pl.DataFrame) -> tuple[str, bool]:
    *before, latest = own.group_by("delivery_id", maintain_order=True).first()["file_count"].to_list()
    usual = set(before[-FEWEST_NIGHTS:])
    return ("fewer" if latest < min(usual) else "more"), len(usual) == 1 and latest not in usual


def _new_company(sent: pl.DataFrame, delivery_id: object, clinic: str) -> str:
    """A clinic of long standing that this delivery names together with ``clinic`` for the first time, or nothing."""
    named = sent.filter(pl.col("episode_rows") > 0)
    latest = named.filter(pl.col("delivery_id") == delivery_id)
    others = set(latest["clinic_key"].to_list()) - {clinic}
    if not others:
        return ""
    own = named.filter(pl.col("clinic_key") == clinic, pl.col("delivery_id") != delivery_id)
    met = named.join(own.select("delivery_id").unique(), on="delivery_id", how="semi")["clinic_key"].unique().to_list()
    known = sent.group_by("clinic_key").agg(days=pl.col("day").n_unique()).filter(pl.col("days") > FEWEST_NIGHTS)
    return min(others - set(met) & set(known["clinic_key"].to_list()), default="")
