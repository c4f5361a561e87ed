"""Everything models and statistics read, put into a warehouse: what was delivered and decided, and the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.deliveries.reading_history import history_frame
from assets.deliveries.state import delivery_frame, extended_contract, row_files, settled_deliveries, violation_frame
from assets.quality.rebases import REBASES, rebase_frame
from assets.quality.waivers import WAIVERS, waiver_frame
from assets.warehouse.lake import create_lake
from assets.warehouse.reference import write_reference

if TYPE_CHECKING:
    import duckdb

    from assets.contract.model import Contract
    from assets.home import Home


def load_lake(connection: duckdb.DuckDBPyConnection, home: Home) -> Contract:
    """Create the schemas ``lake`` and ``reference`` and return the contract with what the profiles add.

    Raises:
        InputProblem: a line of the waivers or of the rebases cannot be used.

    """
    deliveries = settled_deliveries(home.ledger)
    contract = extended_contract(CONTRACT, home.ledger, deliveries)
    write_reference(connection, contract)
    create_lake(
        connection,
        contract,
        {table.name: row_files(home.ledger, deliveries, table.name) for table in contract.tables},
        source_rows=row_files(home.ledger, deliveries, "source_row"),
        deliveries=delivery_frame(deliveries),
        violations=violation_frame(home.ledger, deliveries),
        withdrawals=row_files(home.ledger, deliveries, "withdrawal"),
        reading_history=history_frame(home.ledger, deliveries),
        waivers=waiver_frame(WAIVERS.read(home.path)),
        rebases=rebase_frame(REBASES.read(home.path)),
    )
    return contract
