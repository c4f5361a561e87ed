"""Fixtures that several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; their licences forbid shipping, so tests skip where they are absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder
