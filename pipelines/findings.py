"""What a pre-flight found, as values, as text for a terminal and as JSON. Never a value of a row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.ledger import Delivery, State
from assets.quality.quarantine import STATUS_WORDS, TO_DO, Status

if TYPE_CHECKING:
    from assets.deliveries.problems import InputProblem

FATES = ("accepted", "quarantined", "superseded", "rejected", "out_of_scope")
FATE_WORDS = {
    "accepted": "accepted",
    "quarantined": "set aside",
    "superseded": "replaced by another row of the same key",
    "rejected": "refused with the delivery",
    "out_of_scope": "not selected by the profile",
}
VERDICT_WORDS = {
    State.ACCEPTED: "accepted",
    State.HELD: "held",
    State.REJECTED: "refused",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Rows of one file that violate one check. ``not_in_feed``: the rows they belong to are not in the feed."""

    file: str
    check_id: str
    column: str
    rows: int
    first_row: int
    status: str
    not_in_feed: bool
    sentence: str
    remedy: str

    @property
    def is_to_do(self) -> bool:
        """Whether somebody has to correct these rows."""
        return self.status in TO_DO and not self.not_in_feed

    @property
    def where(self) -> str:
        """The first row, in words."""
        return f"row {self.first_row}" if self.rows == 1 else f"first in row {self.first_row}"


@dataclass(frozen=True, slots=True)
class Notice:
    """A check that warns: how many of what it looked at, and where the first is if it is about rows.

    ``groups``: of a check of how data came about, each clinic or recorder it is about, with share and number.
    """

    check_id: str
    sentence: str
    evaluated: int
    violated: int
    remedy: str
    file: str | None = None
    first_row: int | None = None
    groups: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the rows looked at, from 0 to 1."""
        return self.violated / self.evaluated if self.evaluated else 0.0

    @property
    def words(self) -> str:
        """How many, of how many, where."""
        where = "" if self.first_row is None else f", first in {self.file} row {self.first_row}"
        return f"{self.violated:,} of {self.evaluated:,} ({self.share:.1%}){where}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What would become of one delivery. ``is_known``: the home has read it before, a run would do nothing."""

    delivery: Delivery
    is_known: bool
    fates: dict[str, int]
    lines: tuple[Line, ...] = ()
    notices: tuple[Notice, ...] = ()
    unmapped: tuple[dict[str, object], ...] = ()
    rows_not_in_feed: int = 0

    @property
    def verdict(self) -> str:
        """In words."""
        words = VERDICT_WORDS[self.delivery.state]
        return f"was {words} when it was read; a run does nothing" if self.is_known else f"would be {words}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What would happen to a feed.

    ``notices`` and ``held_by`` are of the release: all accepted deliveries together. ``entries`` has one line for each
    row and check that sets it aside.
    """

    deliveries: tuple[Finding, ...]
    not_landed: tuple[InputProblem, ...] = ()
    notices: tuple[Notice, ...] = ()
    held_by: tuple[str, ...] = ()
    is_against_home: bool = False
    entries: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def all_refused(self) -> bool:
        """Whether nothing of the feed could be used."""
        return all(finding.delivery.state is State.REJECTED for finding in self.deliveries)

    @property
    def exit_code(self) -> int:
        """0 a run would publish (also with rows set aside), 1 a blocking check would hold it, 2 nothing can be used."""
        if self.held_by or any(finding.delivery.state is State.HELD for finding in self.deliveries):
            return 1
        return 2 if self.all_refused else 0

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "exit_code": self.exit_code,
            "against_home": self.is_against_home,
            "held_by": list(self.held_by),
            "not_read": [{"code": problem.code, "problem": str(problem)} for problem in self.not_landed],
            "warnings": [_notice(notice) for notice in self.notices],
            "deliveries": [_finding(finding) for finding in self.deliveries],
        }

    def as_text(self) -> str:
        """For people."""
        lines = [f"Not read. {problem.with_code}" for problem in self.not_landed]
        for finding in self.deliveries:
            lines += _text(finding)
        lines += [f"Warning on all deliveries together: {_said(notice)}" for notice in self.notices]
        lines += [f"Would not be released: held by {reason}" for reason in self.held_by]
        return "\n".join(lines)


def _finding(finding: Finding) -> dict[str, object]:
    delivery = finding.delivery
    return {
        "delivery_id": delivery.delivery_id,
        "label": delivery.label,
        "state": delivery.state.value,
        "known": finding.is_known,
        "ingested": delivery.ingested,
        **finding.fates,
        "set_aside": finding.fates["quarantined"],
        "not_in_feed": finding.rows_not_in_feed,
        "refused": delivery.problem if delivery.state is State.REJECTED else None,
        "problem_code": delivery.problem_code,
        "problem": delivery.problem,
        "checks": [asdict(line) for line in finding.lines],
        "warnings": [_notice(notice) for notice in finding.notices],
        "unmapped_codes": list(finding.unmapped),
    }


def _notice(notice: Notice) -> dict[str, object]:
    return {**asdict(notice), "share": round(notice.share, 6)}


def _text(finding: Finding) -> list[str]:
    delivery = finding.delivery
    fates = ", ".join(f"{number:,} {FATE_WORDS[fate]}" for fate, number in finding.fates.items() if number)
    lines = [f"{delivery.label}: {finding.verdict}. {delivery.ingested:,} rows{f': {fates}' if fates else ''}"]
    if delivery.problem:
        lines.append(f"  {delivery.problem_code}: {delivery.problem}")
    for line in (line for line in finding.lines if not line.not_in_feed):
        column = f", column {line.column}" if line.column else ""
        lines.append(f"  {line.file}: {line.rows:,} x {line.check_id} ({line.where}){column}")
        status = "" if line.is_to_do else f" Status: {STATUS_WORDS[Status(line.status)]}."
        lines.append(f"    {line.sentence} {line.remedy}.{status}")
    apart = [line for line in finding.lines if line.not_in_feed]
    if apart:
        lines.append("  Not in this feed (judged without a home; name it with --home to judge against what it holds):")
        lines += [f"    {line.file}: {line.rows:,} x {line.check_id} ({line.where})" for line in apart]
    for code in finding.unmapped:
        what = "codes not shown" if code["code"] is None else f"code {code['code']}"
        lines.append(f"  {code['file']}: {what} of {code['column']}: {code['rows']:,} rows {code['fate']}")
    lines += [f"  Warning: {_said(notice)}" for notice in finding.notices]
    return lines


def _said(notice: Notice) -> str:
    groups = f" {'; '.join(notice.groups)}." if notice.groups else ""
    return f"{notice.check_id}: {notice.words}.{groups} {notice.sentence}"
