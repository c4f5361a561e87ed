"""What a run did: filled while it goes on, written down when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.deliveries.ledger import Delivery, State

if TYPE_CHECKING:
    from assets.deliveries.problems import InputProblem


@dataclass(slots=True)
class RunOutcome:
    """What a call to ``run`` or a run of Dagster's daemon did. ``release`` is the release in force afterwards.

    ``held_by`` is what keeps the release back, ``held_checks`` the checks among that, ``not_landed`` what could not
    become a delivery, ``failed`` what went wrong for no reason in the data. None of them delays another delivery.
    ``is_broken``: a step failed, not a check. ``steps`` are the seconds that each step took, all deliveries together.
    """

    known: list[Delivery] = field(default_factory=list)
    read: list[Delivery] = field(default_factory=list)
    released: bool = False
    release: str | None = None
    held_by: list[str] = field(default_factory=list)
    held_checks: list[str] = field(default_factory=list)
    not_landed: list[InputProblem] = field(default_factory=list)
    failed: list[InputProblem] = field(default_factory=list)
    is_broken: bool = False
    steps: dict[str, float] = field(default_factory=dict)

    @property
    def held(self) -> list[str]:
        """Sentences about deliveries that a blocking check keeps out of the release."""
        return [f"{one.label}: {one.problem}" for one in (*self.read, *self.known) if one.state is State.HELD]

    @property
    def exit_code(self) -> int:
        """0 done, 1 a delivery or the release is held back, 2 nothing of the input could be used."""
        if self.held or self.held_by or self.failed:
            return 1
        refused = [delivery.state is State.REJECTED for delivery in (*self.read, *self.known)]
        refused += [True for _ in self.not_landed]
        return 2 if refused and all(refused) else 0
