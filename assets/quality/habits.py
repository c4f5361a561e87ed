"""What a release says about how its data came about: one sentence per group or delivery, with share and n."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

HABITS = """
    select title, clinic_key, recorder_key, shown, n, limit_percent
    from audit.behaviour
    inner join reference.quality_check using (check_id)
    where is_flagged
    order by check_id, clinic_key, recorder_key nulls first
"""
VOLUMES = """
    select label, delivery_volume.ingested, twice_usual, other_deliveries
    from audit.delivery_volume
    inner join lake.delivery using (delivery_id)
    where is_unusual
    order by label, delivery_id
"""


def reported_habits(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Sentences for the terminal of whoever may see keys of clinics and therapists; never for a page.

    Groups in ``audit.behaviour`` have at least 20 cases. ``connection`` reads a warehouse.
    """
    habits = [
        f"{clinic or 'no clinic'}{', ' + recorder if recorder else ''}: {title}: not so in {shown:,} of {n:,} cases "
        f"({100 * shown // n}%, limit {limit}%)"
        for title, clinic, recorder, shown, n, limit in connection.execute(HABITS).fetchall()
    ]
    volumes = [
        f"{label}: {rows:,} rows, usual are {twice // 2:,} (median of {others:,} other deliveries of this source)"
        for label, rows, twice, others in connection.execute(VOLUMES).fetchall()
    ]
    return (*habits, *volumes)
