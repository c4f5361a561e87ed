"""Opens the warehouse of a kept release for reading, if this version of the program can read it right.

A warehouse is never upgraded: the next run builds a new one from the deliveries. What another version made is refused
in words where its tables are not those that this one knows.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.publication.release import current_release, read_manifest
from assets.warehouse.connection import WarehouseError, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.home import Home

WAREHOUSE = "warehouse.duckdb"
AGAIN = "Run `needlepoint run` with a feed, known or new: it builds the warehouse anew"


def is_of_our_contract(home: Home, release: str) -> bool:
    """Whether a kept release was made under the version of the contract that this program has."""
    return bool(read_manifest(home, release)["contract_version"] == CONTRACT.version)


@contextmanager
def kept_warehouse(home: Home, release: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse of a kept release; None: of the one in force.

    Raises:
        InputProblem: NO_RELEASE: there is none. OTHER_CODE: another version of this program made it, and its tables are
            not those of this one. WAREHOUSE: it cannot be opened.

    """
    named = release or current_release(home)
    if named is None or not (home.releases / named).is_dir():
        raise InputProblem("NO_RELEASE", str(home.path), "there is no release yet", "Run `needlepoint run FEED` first")
    where = f"releases/{named}/{WAREHOUSE}"
    if not is_of_our_contract(home, named):
        raise _other_code(where)
    try:
        connection = connect(
            home.releases / named / WAREHOUSE,
            home=home.path,
            read_only=True,
            memory_limit=home.memory_limit,
            threads=home.threads,
        )
    except WarehouseError:
        raise InputProblem(
            "WAREHOUSE", where, "it is gone, damaged, in use, or of another version of DuckDB", AGAIN
        ) from None
    with connection:
        try:
            yield connection
        except (duckdb.CatalogException, duckdb.BinderException):  # a table or a column that is not there
            raise _other_code(where) from None


def _other_code(where: str) -> InputProblem:
    return InputProblem("OTHER_CODE", where, "another version of this program made it", AGAIN)
