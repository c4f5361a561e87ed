"""What disclosure control has to know of a table: which column counts whom, and what follows from what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

ALL_VALUES: Mapping[str, str | None] = {
    "condition_id": None,
    "clinic_key": None,
    "care": "any",
    "period": "all",
    "side": None,
}
"""Coordinates along which tables have margins -> the value that stands for all. Any other coordinate only tells
groups apart, and its null means that the table does not tell them apart."""


@dataclass(frozen=True, slots=True)
class Count:
    """What an integer column counts. The same universe at the same place is the same group, in whatever table.

    ``universe`` names who is counted, e.g. "closed" or "recovered". The keys of the table are coordinates of the place,
    under their own name or that in ``renamed`` (key -> coordinate, which wins over a key of that name). ``at`` gives
    coordinates that the keys do not give, or give otherwise: it wins over both, and None takes a key away. A coordinate
    in neither has its value for all. The values of the key columns ``by`` are filled into ``universe``, each as
    ``names`` has it; these columns are then no coordinates. ``is_spare``: no group that needs protection, and hidden
    where that protects one at less cost than hiding further groups.
    """

    universe: str
    at: Mapping[str, str | int | None] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    is_spare: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """A count that is the sum of others: counts of the same row, or one column over the values of a key.

    ``Sum("n", ("at_risk", "recovered_so_far", "left_so_far"))``: ``n`` is their sum in each row. A count that the row
    does not show is named by a ``Count``, which stands at the place of the row: if no table shows it, it is not known
    to anybody, but the sum still ties those that are. ``Sum("n", over="band_id", part="episodes")``: ``n`` is the sum
    of ``episodes`` over the rows that differ in ``band_id`` only. ``where`` restricts either kind to rows with these
    values in a key.

    Raises:
        ValueError: neither or both of the two kinds.

    """

    total: str | Count
    parts: tuple[str | Count, ...] = ()
    over: str | None = None
    part: str | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a sum of nothing."""
        if bool(self.parts) == (self.over is not None) or (self.over is None) != (self.part is None):
            message = f"the sum {self.total} needs either parts, or a key and the part that is added up over it"
            raise ValueError(message)


class Disclosable(Protocol):
    """A table as disclosure control sees it.

    ``groups`` are the count columns with the size of the group a row is about, ``subgroups`` those about a part of
    it -> the numbers resting on that part. ``ratios``: share column -> its numerator and denominator columns.
    ``mixed``: share column -> the counts that make its numerator, with their weights, and its denominator.
    ``decimals``: printed precision of a float column where it is not 2. ``finish`` makes the words that depend on
    what is hidden; it runs last.
    """

    @property
    def keys(self) -> Mapping[str, pl.DataType]: ...  # noqa: D102 - said above, as with all of them
    @property
    def numbers(self) -> Mapping[str, pl.DataType]: ...  # noqa: D102
    @property
    def groups(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def subgroups(self) -> Mapping[str, tuple[str, ...]]: ...  # noqa: D102
    @property
    def counts(self) -> Mapping[str, Count]: ...  # noqa: D102
    @property
    def ratios(self) -> Mapping[str, tuple[str, str]]: ...  # noqa: D102
    @property
    def mixed(self) -> Mapping[str, tuple[Mapping[str, int], str]]: ...  # noqa: D102
    @property
    def decimals(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def sums(self) -> tuple[Sum, ...]: ...  # noqa: D102
    @property
    def finish(self) -> Callable[[pl.DataFrame], pl.DataFrame] | None: ...  # noqa: D102
