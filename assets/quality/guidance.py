"""What a clinic is told about a check: the rule, its own name of the column, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.contract.checks import Kind, delivery_checks, release_checks
from assets.deliveries.emitters import emitters_of
from assets.deliveries.landing import source_of
from assets.quality.quarantine import remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.checks import Check
    from assets.contract.model import Contract
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.profile import Profile

MOST_COLUMNS = 4
"""Of a wide file more columns may be meant than anybody reads; then the contract's name stands for all of them."""


@dataclass(frozen=True, slots=True)
class Advice:
    """``column`` is the clinic's own name, empty for a rule about whole rows."""

    sentence: str
    column: str
    remedy: str


class Guidance:
    """Advice for the files of one profile."""

    def __init__(self, contract: Contract, profile: Profile) -> None:
        """Use a contract with what the profile adds."""
        found = [check for table in contract.tables for check in delivery_checks(contract, table)]
        self._checks = {check.check_id: check for check in (*found, *release_checks(contract))}
        self._contract = contract
        self._profile = profile
        self._emitters: dict[str, tuple[Emitter, ...]] = {}

    def of(self, check_id: str, file: str | None) -> Advice:
        """Advice for the rows of a file that violate a check; the check's id stands for one that is not known."""
        check = self._checks.get(check_id)
        if check is None:
            return Advice(check_id, "", "Look at the row at the source")
        column = self._column(check, file) if file else check.column or ""
        return Advice(check.sentence, column, remedy(check, column))

    def _column(self, check: Check, file: str) -> str:
        if file not in self._emitters:
            self._emitters[file] = emitters_of(source_of(file, self._profile), self._contract)
        names = list(dict.fromkeys(self._source_columns(check, self._emitters[file])))
        return ", ".join(names) if 0 < len(names) <= MOST_COLUMNS else check.column or ""

    def _source_columns(self, check: Check, emitters: tuple[Emitter, ...]) -> Iterator[str]:
        wanted = self._contract.table(check.table).key if check.kind is Kind.UNIQUE else (check.column,)
        for emitter in emitters:
            measure = emitter.fields.get("measure_id")
            other = measure is not None and measure.constant not in (None, check.measure_id)
            if emitter.table.name != check.table or (check.measure_id and other):
                continue
            for name in wanted:
                source = emitter.fields.get(name or "")
                if source is not None:
                    yield from (source.column,) if source.column else source.columns
