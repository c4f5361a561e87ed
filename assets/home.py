"""Where everything of one installation lives on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.ledger import Ledger
from assets.deliveries.problems import InputProblem
from assets.home_format import mark_home

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_FOLDER = 0o700
KEEP_RELEASES = 5


@dataclass(frozen=True, slots=True)
class Home:
    """The home folder: lake, releases, Dagster's storage, and the two names people open.

    ``memory_limit`` and ``threads`` bound DuckDB (None: its own choice for threads). ``keep_releases`` is how many
    releases stay after a new one, the one in force among them.
    """

    path: Path
    memory_limit: str
    threads: int | None = None
    keep_releases: int = KEEP_RELEASES

    @property
    def lake(self) -> Path:
        """Immutable deliveries."""
        return self.path / "lake"

    @property
    def ledger(self) -> Ledger:
        """The records of the deliveries."""
        return Ledger(self.lake)

    @property
    def landing(self) -> Path:
        """Folders watched by the sensor: one per profile."""
        return self.path / "landing"

    @property
    def profiles(self) -> Path:
        """Profiles of this installation."""
        return self.path / "profiles"

    @property
    def releases(self) -> Path:
        """Kept releases."""
        return self.path / "releases"

    @property
    def building(self) -> Path:
        """The release being built; nobody reads it."""
        return self.releases / ".building"

    @property
    def current(self) -> Path:
        """The one pointer: a link to the release in force."""
        return self.path / "current"

    @property
    def site(self) -> Path:
        """The site in force."""
        return self.path / "site"

    @property
    def warehouse(self) -> Path:
        """The warehouse in force."""
        return self.path / "warehouse.duckdb"

    @property
    def dagster(self) -> Path:
        """Dagster's own storage."""
        return self.path / "dagster"

    def create(self) -> None:
        """Make the folders, readable by their owner only, the two names that follow the pointer, and ``home.json``.

        Raises:
            InputProblem: HOME: the folder cannot be made or written. HOME_FORMAT: another version of this program wrote
                the home, and it would be misread.

        """
        try:
            for folder in (self.path, self.lake, self.landing, self.profiles, self.releases, self.dagster):
                folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            for link, target in ((self.site, "current/site"), (self.warehouse, "current/warehouse.duckdb")):
                if not link.is_symlink():
                    link.symlink_to(target)
            mark_home(self)
        except OSError:
            raise InputProblem(
                "HOME", str(self.path), "this folder cannot be written", "Check its permissions or give another --home"
            ) from None
