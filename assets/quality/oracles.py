"""A check stated in full by hand: what must hold between relations of the warehouse, as two queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.contract.checks import Check, Kind, Stage, new_check
from assets.contract.model import Severity

if TYPE_CHECKING:
    from assets.contract.model import Contract


@dataclass(frozen=True, slots=True)
class Oracle:
    """What must hold.

    ``name`` is the id of the check, ``relation`` what it is about. ``violated`` lists what contradicts it by keys,
    ``evaluated`` returns how much was looked at. A failure is critical: the number would be wrong.
    """

    name: str
    stage: Stage
    kind: Kind
    relation: str
    title: str
    sentence: str
    violated: str
    evaluated: str
    column: str | None = None

    def check(self, contract: Contract) -> Check:
        """Return the check, with the threshold in force."""
        return new_check(
            contract,
            self.name,
            self.stage,
            self.kind,
            self.relation,
            self.column,
            self.title,
            self.sentence,
            Severity.CRITICAL,
            self.kind.upper(),
            violated_sql=self.violated,
            evaluated_sql=self.evaluated,
        )


def either_way(one: str, other: str) -> str:
    """Rows that only one of two queries has."""
    queries = f"with one as (\n{one}\n),\nother as (\n{other}\n)\n"
    return f"{queries}(from one except all from other)\nunion all\n(from other except all from one)"


def rows_of(relation: str, where: str = "") -> str:
    """How many rows a relation has."""
    return f"select count(*) from {relation}" + (f" where {where}" if where else "")
