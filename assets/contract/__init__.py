"""The contract: what the data are, stated once."""

from assets.contract.conditions import CONDITIONS
from assets.contract.definitions import DEFINITIONS, RESPONDER_RULES
from assets.contract.measures import MEASURES
from assets.contract.model import Contract
from assets.contract.statistic_catalogue import STATISTICS
from assets.contract.tables import TABLES

CONTRACT = Contract(
    version="2",
    tables=TABLES,
    measures=MEASURES,
    conditions=CONDITIONS,
    definitions=DEFINITIONS,
    responder_rules=RESPONDER_RULES,
    statistics=STATISTICS,
)

__all__ = ["CONTRACT"]
