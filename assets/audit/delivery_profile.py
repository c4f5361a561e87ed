"""What every clinic sent night by night, counted: rows, codes, empty fields and scores, of new or changed rows only.

A feed that sends everything again every night says the same as one that sends what is new: a row that only repeats
what was said before under its key is not counted. The queries follow from the contract, so that a new column is watched
without being named here. All counts are exact; scores come as histograms and are no sums of floats.

Codes of rows below a visit are counted by visit: ten scores of one visit say "goniometer" together. Empty fields are
counted by row: a visit nearly always has some score without a rater, so that visits could not show that others lost it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.drift import ATTENDANCE, START_YEAR, check_id_of, is_watched_number, watched_codes, watched_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from assets.contract.model import Contract, Table

PROFILE_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "feature": pl.String(),
        "item": pl.String(),
        "clinic_key": pl.String(),
        "profile": pl.String(),
        "sent_on": pl.String(),
        "value": pl.Float64(),
        "n": pl.Int64(),
        "rows": pl.Int64(),
    }
)
"""One line per feature and night: ``rows`` of ``n`` have the property; histograms have one line per ``value``."""

NIGHT = "clinic_key, profile, sent_on"


def delivery_profile(connection: duckdb.DuckDBPyConnection, contract: Contract, window: pl.DataFrame) -> pl.DataFrame:
    """Count what the deliveries of ``window`` (delivery_id, profile, sent_on) said that was new."""
    if window.is_empty():
        return pl.DataFrame(schema=PROFILE_SCHEMA)
    connection.register("drift_window_frame", window)
    connection.execute("create or replace temp table drift_window as select * from drift_window_frame")
    connection.unregister("drift_window_frame")
    parts = []
    try:
        for table in contract.tables:
            connection.execute(f"create or replace temp table drift_row as {_said_anew(table)}")
            parts += [_counted(connection, query) for query in _features(contract, table)]
        for name, query in COURSES.items():
            connection.execute(f"create or replace temp table {name} as {query}")
        parts += [_counted(connection, query) for query in (SET_ASIDE, *OF_COURSES)]
    finally:
        for name in ("drift_row", *COURSES, "drift_window"):
            connection.execute(f"drop table if exists temp.{name}")
    return pl.concat(parts)


def _counted(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    kinds = {pl.Float64: "double", pl.Int64: "bigint", pl.String: "varchar"}
    columns = ", ".join(f"cast({name} as {kinds[type(kind)]}) as {name}" for name, kind in PROFILE_SCHEMA.items())
    counted: pl.DataFrame = connection.sql(f"select {columns} from ({query}) as counted").pl()
    return counted


def _said_anew(table: Table) -> str:
    """Rows of the window with their clinic: whether they say something new, and whether of a key that was known."""
    parent, counted, clinic = _placing(table)
    key = ", ".join(f"coalesce(sent.{name}, '')" for name in table.key)
    told = ", ".join(
        f"coalesce(cast(sent.{column.name} as varchar), '')"
        for column in table.columns
        if column.name not in table.key and not column.written_by_reader
    )
    return f"""
        with wanted as (
            select distinct sent.{table.key[0]} from lake.{table.name} as sent
            inner join drift_window on sent.delivery_id = drift_window.delivery_id
            where sent.accepted
        ), stated as (
            select sent.{", sent.".join(column.name for column in table.columns)},
                sent.delivery_id, sent.file, sent.row_number, concat_ws('|', {told}) as told,
                lag(concat_ws('|', {told})) over (
                    partition by {key}
                    order by delivery.extract_stamp, sent.delivery_id, sent.file, sent.row_number
                ) as told_before
            from lake.{table.name} as sent
            inner join wanted on sent.{table.key[0]} = wanted.{table.key[0]}
            inner join lake.delivery as delivery on sent.delivery_id = delivery.delivery_id
            where sent.accepted
        ), clinic as ({clinic})
        select stated.* exclude ({"clinic_key, " if table.name == "episode" else ""}told, told_before),
            clinic.clinic_key, drift_window.profile, drift_window.sent_on, {counted} as counted_key,
            stated.told_before is not null as is_known,
            coalesce(stated.told_before, '') <> stated.told as is_new
        from stated
        inner join drift_window on stated.delivery_id = drift_window.delivery_id
        inner join clinic on stated.{parent} = clinic.parent
    """


def _placing(table: Table) -> tuple[str, str, str]:
    """Column that leads to the clinic, what is counted once a night, and the clinics by that column."""
    row = "concat_ws('|', stated.delivery_id, stated.file, cast(stated.row_number as varchar))"
    if "clinic_key" in table.names or table.name == "visit":
        return "episode_key", row, CLINICS.format(parent="episode_key")
    if "visit_key" in table.names:
        return "visit_key", "stated.visit_key", CLINICS_OF_VISITS
    return "patient_key", row, CLINICS.format(parent="patient_key")


CLINICS = "select {parent} as parent, min(clinic_key) as clinic_key from lake.episode where accepted group by {parent}"
CLINICS_OF_VISITS = """
    select visit.visit_key as parent, min(episode.clinic_key) as clinic_key
    from lake.visit as visit
    inner join lake.episode as episode on visit.episode_key = episode.episode_key
    where visit.accepted and episode.accepted
    group by visit.visit_key
"""


def _features(contract: Contract, table: Table) -> Iterator[str]:
    rows = check_id_of(table.name)
    yield _line(rows, "volume", n="count(*)", rows="count(*)")
    yield _line(rows, "changed", n="count(*)", rows="count(case when is_known then 1 end)")
    yield _line(rows, "repeated", n="count(*)", rows="count(case when not is_new then 1 end)", where="true")
    units = "count(distinct counted_key)"
    for column in watched_columns(contract, table):
        check_id, name = check_id_of(table.name, column.name), column.name
        if not column.required:
            yield _line(check_id, "empty", n="count(*)", rows=f"count(case when {name} is null then 1 end)")
        if watched_codes(contract, table, column):
            yield _line(check_id, "unit", n=units, rows=units)
            yield _line(check_id, "code", item=name, rows=units, where=f"is_new and {name} is not null")
        if is_watched_number(column):
            yield _line(check_id, "level", value=name, rows="count(*)", where=f"is_new and {name} is not null")
    if table.name == "episode":
        yield _line(START_YEAR, "ahead", n="count(*)", rows=f"count(case when {AHEAD} then 1 end)")
    if table.name == "measurement":
        yield _line(f"{check_id_of('measurement', 'value')}.", "level", by="measure_id", value="value", rows="count(*)")


def _line(  # the columns of a line
    check_id: str,
    feature: str,
    *,
    item: str = "''",
    by: str = "''",
    value: str = "null",
    n: str = "0",
    rows: str,
    where: str = "is_new",
) -> str:
    groups = ", ".join(name for name in (item, by, value) if name not in ("''", "null"))
    return f"""
        select '{check_id}' || {by} as check_id, '{feature}' as feature, {item} as item, {NIGHT}, {value} as value,
            {n} as n, {rows} as rows
        from drift_row where {where} group by {NIGHT}{", " + groups if groups else ""}
    """


AHEAD = "start_year > year(cast(sent_on as date) + 1)"
"""The day of an extract is that of Greenwich: elsewhere it may be tomorrow."""

SET_ASIDE = f"""
    select finding.table_name || '.rows.drift' as check_id, 'set_aside' as feature, finding.check_id as item,
        origin.clinic_key, drift_window.profile, drift_window.sent_on, null as value, 0 as n, count(*) as rows
    from audit.quarantine_finding as finding
    inner join audit.quarantine_origin as origin
        on finding.delivery_id = origin.delivery_id and finding.file = origin.file
        and finding.row_number = origin.row_number and finding.table_name = origin.table_name
    inner join drift_window on finding.delivery_id = drift_window.delivery_id
    where finding.is_current and origin.clinic_key is not null
    group by finding.table_name, finding.check_id, {NIGHT}
"""

COURSES = {
    "drift_course": """
        with wanted as (
            select distinct visit.episode_key from staging.visit as visit
            inner join drift_window on visit.delivery_id = drift_window.delivery_id
        )
        select visit.visit_key, visit.episode_key, visit.day_offset, visit.attendance, visit.delivery_id,
            episode.clinic_key, episode.side as affected
        from staging.visit as visit
        inner join wanted on visit.episode_key = wanted.episode_key
        inner join staging.episode as episode on visit.episode_key = episode.episode_key
    """,
    "drift_score": """
        select score.visit_key, score.measure_id, score.side, coalesce(score.active_passive, '') as active_passive,
            coalesce(score.method, '') as method, score.value, score.delivery_id,
            course.episode_key, course.day_offset, course.clinic_key, course.affected
        from staging.measurement as score
        inner join drift_course as course on score.visit_key = course.visit_key
    """,
}
"""All visits of the episodes that the window speaks of, and their scores: what came before is compared with."""

OF_COURSES = (
    f"""
    with stepped as (
        select clinic_key, delivery_id,
            day_offset - lag(day_offset) over (partition by episode_key order by day_offset, visit_key) as step
        from drift_course
    )
    select 'visit.day_offset.drift' as check_id, 'step' as feature, '' as item, {NIGHT}, step as value, 0 as n,
        count(*) as rows
    from stepped inner join drift_window on stepped.delivery_id = drift_window.delivery_id
    where step is not null group by {NIGHT}, step
    """,
    f"""
    select 'visit.day_offset.drift' as check_id, 'first_day' as feature, '' as item, {NIGHT}, null as value,
        count(*) as n, count(case when day_offset = 0 then 1 end) as rows
    from drift_course inner join drift_window on drift_course.delivery_id = drift_window.delivery_id
    group by {NIGHT}
    """,
    f"""
    with written as (
        select distinct written.visit_key, drift_window.profile, drift_window.sent_on
        from (
            select visit_key, delivery_id from staging.measurement
            union all
            select visit_key, delivery_id from staging.treatment
        ) as written
        inner join drift_window on written.delivery_id = drift_window.delivery_id
    )
    select '{ATTENDANCE}' as check_id, 'bare' as feature, '' as item, clinic_key, drift_window.profile,
        drift_window.sent_on, null as value, count(*) as n, count(*) - count(written.visit_key) as rows
    from drift_course
    inner join drift_window on drift_course.delivery_id = drift_window.delivery_id
    left join written
        on drift_course.visit_key = written.visit_key and drift_window.profile = written.profile
        and drift_window.sent_on = written.sent_on
    where drift_course.attendance = 'attended' group by clinic_key, drift_window.profile, drift_window.sent_on
    """,
    f"""
    with stepped as (
        select clinic_key, delivery_id, measure_id,
            abs(value - lag(value) over (
                partition by episode_key, measure_id, side, active_passive, method order by day_offset, visit_key
            )) as step
        from drift_score
    )
    select 'measurement.value.drift.' || measure_id as check_id, 'step' as feature, '' as item, {NIGHT}, step as value,
        0 as n, count(*) as rows
    from stepped inner join drift_window on stepped.delivery_id = drift_window.delivery_id
    where step is not null group by measure_id, {NIGHT}, step
    """,
    f"""
    with gap as (
        select affected.clinic_key, affected.delivery_id, affected.measure_id, affected.value - other.value as gap
        from drift_score as affected
        inner join drift_score as other
            on affected.visit_key = other.visit_key and affected.measure_id = other.measure_id
            and affected.active_passive = other.active_passive and affected.method = other.method
            and other.side = case when affected.side = 'left' then 'right' else 'left' end
        where affected.side in ('left', 'right') and affected.side = affected.affected
    )
    select 'measurement.value.drift.' || measure_id as check_id, 'gap' as feature, '' as item, {NIGHT}, gap as value,
        0 as n, count(*) as rows
    from gap inner join drift_window on gap.delivery_id = drift_window.delivery_id
    group by measure_id, {NIGHT}, gap
    """,
)
