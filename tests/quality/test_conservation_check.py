"""The check that no row was lost: an account that adds up passes, one that does not fails."""

from __future__ import annotations

import duckdb
import pytest

from assets.quality.history import unbalanced_deliveries


@pytest.mark.parametrize(("accepted", "unbalanced"), [(7, 0), (6, 1), (8, 1)])
def test_a_lost_or_doubled_row_is_found(accepted: int, unbalanced: int) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema audit")
        connection.execute(
            "create table audit.conservation as select * from (values (10, ?::integer, 1, 2, 0), (5, 0, 0, 0, 5)) "
            "as rows (ingested, accepted, quarantined, superseded, rejected)",
            [accepted],
        )
        assert unbalanced_deliveries(connection) == (2, unbalanced)
