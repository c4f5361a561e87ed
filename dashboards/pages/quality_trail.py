"""The audit trail of the quality page, if its site has one: a heat map of runs, cards, and fields of the panel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.pages import quality_audit, quality_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.pages.parts import Card, Cell, State
    from dashboards.pages.quality_heat import Results
    from dashboards.published import Published, Row


@dataclass(frozen=True)
class Trail:
    """What the frames of ``assets.publication.quality_log`` say; nothing where a site has none of them."""

    published: Published
    is_there: bool
    results: Results | None
    delta: Mapping[str, list[Row]] = field(default_factory=dict)
    decisions: Mapping[str, list[Row]] = field(default_factory=dict)

    def heat_cards(self, states: Mapping[str, State]) -> list[Card]:
        """The heat map of runs; ``states`` by the places of the filters."""
        if self.results is None:
            return []
        spec = states["0|0"].plots[quality_runs.CARD]
        return [quality_runs.card(self.results, self.published.rows("check_run"), spec)]

    def cards(self) -> list[Card]:
        """What changed, what was decided, who signed, where the ledger stands."""
        return quality_audit.cards(self.published) if self.is_there else []

    def rows(self, titles: Mapping[str, str]) -> dict[str, list[list[Cell]]]:
        """Rows of these cards; ``titles`` by check."""
        return quality_audit.rows(self.published, titles) if self.is_there else {}

    def words(self, check_id: str) -> dict[str, str]:
        """Fields of the panel about one check."""
        if not self.is_there:
            return {}
        ran = self.results.named(check_id) if self.results else []
        return {
            "check.runs": quality_runs.words(ran),
            "check.strip": quality_runs.strip(ran),
            "check.delta": quality_audit.delta_words(self.delta.get(check_id, [])),
            "check.decided": quality_audit.decided_words(self.decisions.get(check_id, [])),
        }


def trail_of(published: Published) -> Trail:
    """Return the trail of a site."""
    return Trail(
        published,
        quality_audit.is_there(published),
        quality_runs.results_of(published),
        _by_check(published.rows("check_delta")),
        _by_check(published.rows("decision")),
    )


def _by_check(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["check_id"] is not None:
            found.setdefault(row["check_id"], []).append(row)
    return found
