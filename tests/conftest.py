"""Fixtures that several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

import pipelines  # noqa: F401 - says how many threads linear algebra may use, before anything loads it

# Tests share two cores with other processes: how long an example takes says nothing
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; their licences forbid shipping, so tests skip where they are absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder
