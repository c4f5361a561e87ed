"""De-identifies small feeds written in a test, and reads what comes out as a delivery."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Delivery, Ledger
from assets.deliveries.profile import load_profile
from assets.deliveries.reading import read_delivery
from assets.privacy.keys import new_key_file
from pipelines.deidentify import deidentify

if TYPE_CHECKING:
    from pathlib import Path

    from assets.privacy.deidentify_report import Report


@dataclass(frozen=True)
class Clinic:
    """A clinic's machine: a folder with a key, feeds and profiles."""

    folder: Path

    @property
    def key(self) -> Path:
        path = self.folder / "keys" / "key"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            new_key_file(path)
        return path

    def write(self, files: dict[str, bytes | str], feed: str = "feed") -> Path:
        folder = self.folder / feed
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    def profile(self, text: str) -> Path:
        path = self.folder / "profile.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def deidentify(self, *feeds: Path, profile: Path, out: str = "out") -> Report:
        return deidentify(feeds, load_profile(profile, CONTRACT), self.key, self.folder / out)

    def text(self, out: str = "out") -> str:
        """Everything that was written."""
        files = sorted(path for path in (self.folder / out).rglob("*") if path.is_file())
        return "\n".join(path.read_text(encoding="utf-8") for path in files)

    def read(self, out: str = "out") -> tuple[Delivery, Ledger]:
        """The output, read with its own profile as a run would."""
        profile = load_profile(self.folder / out / "profile.yaml", CONTRACT)
        ledger = Ledger(self.folder / f"lake of {out}")
        (sent,) = find_deliveries([self.folder / out], profile).sent
        delivery, _ = land(sent, profile, CONTRACT.version, ledger)
        return read_delivery(delivery, ledger, profile, profile.extend(CONTRACT)), ledger


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)
