"""Reads small deliveries written in a test."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Delivery, Ledger
from assets.deliveries.profile import Profile, load_profile
from assets.deliveries.reading import read_delivery

if TYPE_CHECKING:
    from pathlib import Path

    from assets.contract.model import Contract

MEASUREMENT_PROFILE = """
profile: scores
version: 1
description: Measurements only
privacy_mode: safe_harbor
files:
  - {match: "*.csv", tables: [{table: measurement, fields: same_names}]}
"""
HEADER = "visit_key,measure_id,side,active_passive,method,rater_key,value,unit"


def score_row(
    visit_key: str = "V1",
    measure_id: str = "nprs_avg24h",
    side: str = "none",
    active_passive: str = "not_applicable",
    method: str = "questionnaire",
    rater_key: str = "R1",
    value: str = "5",
    unit: str = "points",
) -> str:
    """One line of a measurement file."""
    return f"{visit_key},{measure_id},{side},{active_passive},{method},{rater_key},{value},{unit}"


@dataclass(frozen=True)
class Reading:
    """A delivery after reading."""

    delivery: Delivery
    ledger: Ledger
    contract: Contract

    @property
    def folder(self) -> Path:
        return self.ledger.folder(self.delivery.delivery_id)

    def rows(self, table: str) -> pl.DataFrame:
        """Every canonical row of a table, in file order."""
        rows = pl.read_parquet(sorted((self.folder / "rows").glob(f"{table}.*.parquet")))
        return rows.sort("file", "row_number", maintain_order=True)

    def quarantined(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(sorted((self.folder / "quarantined").glob(f"{table}.*.parquet")))

    @property
    def faults(self) -> list[tuple[int, str]]:
        """Row number and check id of every row set aside."""
        lines = pl.read_parquet(self.folder / "quarantined" / "violation.parquet")
        return sorted(lines.select("row_number", "check_id").rows())

    @property
    def record(self) -> str:
        """What the ledger keeps."""
        return (self.folder / "delivery.json").read_text(encoding="utf-8")


class Reader:
    """Writes files, lands them and reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder / "lake")
        self._feeds = 0

    def profile(self, text: str) -> Profile:
        path = self.folder / "profile.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return load_profile(path, CONTRACT)

    def write(self, files: dict[str, bytes | str]) -> Path:
        """A new folder with these files."""
        self._feeds += 1
        feed = self.folder / f"feed-{self._feeds}"
        feed.mkdir()
        for name, content in files.items():
            (feed / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return feed

    def feed(self, feed: Path, profile: Profile) -> Reading:
        contract = profile.extend(CONTRACT)
        (sent,) = find_deliveries([feed], profile).sent
        delivery, _ = land(sent, profile, CONTRACT.version, self.ledger)
        return Reading(read_delivery(delivery, self.ledger, profile, contract), self.ledger, contract)

    def files(self, files: dict[str, bytes | str], profile: str = MEASUREMENT_PROFILE) -> Reading:
        return self.feed(self.write(files), self.profile(profile))

    def scores(self, *lines: str, header: str = HEADER) -> Reading:
        """Read a measurement file of these lines."""
        return self.files({"scores.csv": "\n".join((header, *lines)) + "\n"})

    def text(self, content: bytes | str) -> Reading:
        """Read a measurement file of exactly this content."""
        return self.files({"scores.csv": content})


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture(scope="session")
def header() -> str:
    return HEADER


@pytest.fixture(scope="session")
def row() -> type[str]:
    """``score_row``: one line of a measurement file."""
    return score_row  # type: ignore[return-value]
