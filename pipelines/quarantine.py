"""``needlepoint quarantine``: what is set aside in the release in force, as a summary and as fix lists.

Fix lists name file, row, column, rule and what to do. Values are only read when they are asked for, on the machine that
holds them anyway.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.landing import PROFILE_NAME
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import load_profile
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.publication.kept_warehouse import kept_warehouse
from assets.quality.guidance import Guidance
from assets.quality.quarantine import STATUS_WORDS, TO_DO, Status
from pipelines.quarantine_values import with_values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from assets.home import Home

ENTRIES = """
select
    delivery_id, delivery_label as label, file, row_number, table_name, check_id, reason, sentence, status, clinic_key,
    coalesce(clinic_key, delivery_label, delivery_id) as clinic, corrected_by, waived_until, missing_parent
from audit.quarantine
order by clinic, delivery_id, file, row_number, table_name, check_id
"""
HEADER = ("delivery", "delivery_id", "file", "row", "column", "rule", "what_to_do", "check_id", "status")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
WARNING = "The fix lists hold values of patients' rows: keep them on this machine and delete them when you are done"


@dataclass(frozen=True, slots=True)
class Summary:
    """Entries by clinic, delivery, check and status, and totals by status over all that was asked for."""

    groups: pl.DataFrame
    totals: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {"totals": self.totals, "groups": self.groups.to_dicts()}

    def as_text(self) -> str:
        """For people."""
        lines = [f"{number:,} {STATUS_WORDS[Status(status)]}" for status, number in self.totals.items()]
        lines = lines or ["Nothing is set aside."]
        place = None
        for row in self.groups.iter_rows(named=True):
            if (row["clinic"], row["label"]) != place:
                place = (row["clinic"], row["label"])
                lines.append(f"{row['clinic']} ({row['label']}, {row['delivery_id']})")
            lines.append(
                f"  {row['file']}: {row['entries']:,} x {row['check_id']} (first in row {row['first_row']}), "
                f"{row['status']}. {row['sentence']}"
            )
        return "\n".join(lines)


def quarantine_entries(home: Home, statuses: Collection[str] = (), clinic: str | None = None) -> pl.DataFrame:
    """Entries of the release in force; all statuses if none is named.

    Raises:
        InputProblem: NO_RELEASE: there is none yet. CLINIC: no delivery is of this clinic. OTHER_CODE or WAREHOUSE: the
            warehouse is of another version or cannot be opened.

    """
    with kept_warehouse(home) as connection:
        entries: pl.DataFrame = connection.sql(ENTRIES).pl()
    if clinic is not None:
        of_clinic = entries.filter((pl.col("clinic") == clinic) | (pl.col("label") == clinic))
        if of_clinic.is_empty():
            raise InputProblem(
                "CLINIC",
                "quarantine",
                "nothing was set aside of a clinic or delivery of this name",
                "Names are in the list without --clinic",
            )
        entries = of_clinic
    return entries.filter(pl.col("status").is_in(list(statuses))) if statuses else entries


def summarise(entries: pl.DataFrame) -> Summary:
    """Group entries for a person."""
    keys = ("clinic", "label", "delivery_id", "file", "check_id", "status")
    groups = (
        entries.sort("row_number")
        .group_by(*keys, maintain_order=True)
        .agg(
            pl.len().alias("entries"),
            pl.col("row_number").min().alias("first_row"),
            pl.col("sentence").first(),
        )
        .sort(*keys, nulls_last=True)
    )
    counts = dict(entries.group_by("status").len().iter_rows())
    return Summary(groups, {status.value: counts[status.value] for status in Status if status.value in counts})


def export_fix_lists(home: Home, out: Path, *, values: bool, say: Callable[[str], None]) -> list[Path]:
    """Write one CSV file for each clinic with what is still to be done, and return the files.

    Args:
        home: where the release is.
        out: folder to write to; it is made if need be.
        values: also write what stands in the column. ``say`` is then told what that means.
        say: takes a sentence for standard error.

    Raises:
        InputProblem: there is no release, or the folder cannot be written.

    """
    entries = quarantine_entries(home, TO_DO)
    header: tuple[str, ...] = HEADER
    if values:
        say(WARNING)
        header = (*HEADER, "value")
        with kept_warehouse(home) as connection:
            entries = with_values(
                connection, extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger)), entries
            )
    guides = {delivery_id: _guidance(home, delivery_id) for delivery_id in entries["delivery_id"].unique()}
    written: list[Path] = []
    taken: set[str] = set()
    try:
        out.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        for (clinic,), rows in entries.group_by("clinic", maintain_order=True):
            path = out / f"fix-list-{file_name(str(clinic), taken)}.csv"
            path.touch(mode=PRIVATE_FILE)
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(header)
                writer.writerows(_fix_lines(rows, guides, values=values))
            written.append(path)
    except OSError:
        raise InputProblem(
            "OUT", str(out), "this folder cannot be written", "Check its permissions or give another --out"
        ) from None
    return written


def _guidance(home: Home, delivery_id: str) -> Guidance:
    profile = load_profile(home.ledger.folder(delivery_id) / PROFILE_NAME, CONTRACT)
    return Guidance(profile.extend(CONTRACT), profile)


def _fix_lines(rows: pl.DataFrame, guides: dict[str, Guidance], *, values: bool) -> Iterator[list[str]]:
    for row in rows.iter_rows(named=True):
        advice = guides[row["delivery_id"]].of(row["check_id"], row["file"])
        missing = row["missing_parent"]
        what = f"Send the {missing} it belongs to, which no delivery holds" if missing else advice.remedy
        cells = [
            row["label"] or "",
            row["delivery_id"],
            row["file"],
            str(row["row_number"]),
            advice.column,
            advice.sentence,
            what,
            row["check_id"],
            STATUS_WORDS[Status(row["status"])],
        ]
        if values:
            cells.append(row["value"] or "")
        yield [_disarmed(cell) for cell in cells]


def _disarmed(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def file_name(clinic: str, taken: set[str]) -> str:
    """A clinic's name as part of a file name; two clinics never share one, whatever the file system."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", clinic).strip("_")[:60] or "clinic"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.lower())
    return name
