"""Dagster's settings of one machine: a shipped file that is put into a home and then belongs to whoever keeps it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assets.home import Home

DEPLOY = Path(__file__).parent / "deploy"
EMBEDDED, SERVER = DEPLOY / "dagster.yaml", DEPLOY / "server.yaml"
EDITIONS = (
    "b7ed4c104d16c111b2023f29ba819e9f7b7a6fbbbf4bbaefadf2a8bf9dc9c8b0",
    "d38ba45ef4db26647aaa7c4e9b88110e6a52e492303926883a84f948bd92b29a",
    "256480f0f116c31d0434fddf06708f75ea10ee7a70a2debf23bcda2bbeea2c09",
    "6e4bbe00e6363e8c4f67bb30c739db9a7c43284f2ef9ee0397ba06fe678053b6",
)
"""SHA-256 of ``dagster.yaml`` as each version of this program shipped it, the present one last."""


def settings_file(home: Home) -> Path:
    """Where a home has its settings of Dagster."""
    return home.dagster / "dagster.yaml"


def put_settings(home: Home) -> None:
    """Give a home that has none the settings of one machine."""
    if not settings_file(home).exists():
        shutil.copyfile(EMBEDDED, settings_file(home))


def is_of_earlier_version(home: Home) -> bool:
    """Whether an earlier version of this program put the settings there and nobody has changed them since."""
    digest = hashlib.sha256(settings_file(home).read_bytes()).hexdigest()
    return digest in EDITIONS[:-1]


def renew_settings(home: Home) -> bool:
    """Replace settings of an earlier version that nobody has changed; return whether it was so.

    The caller is the only writer of the home.
    """
    if not (settings_file(home).exists() and is_of_earlier_version(home)):
        return False
    incoming = home.dagster / ".dagster.yaml"
    shutil.copyfile(EMBEDDED, incoming)
    incoming.replace(settings_file(home))
    return True
