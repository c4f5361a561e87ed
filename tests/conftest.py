"""Fixtures that several rooms share."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.cli import (
    COLLECT_AFTER_OBJECTS,
)  # before numpy: `pipelines` says how many threads linear algebra may use

# A worker lives long and holds the libraries and many tests: each sweep over all of it costs a tenth of a pipeline run
gc.set_threshold(COLLECT_AFTER_OBJECTS)

# Tests share two cores with other processes: how long an example takes says nothing
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

SHARED = Path(__file__).resolve().parents[2] / "shared"
DEAREST = (
    *("tests/pipelines/test_server", "tests/pipelines/test_end_to_end", "tests/pipelines/test_bad_inputs"),
    *("tests/pipelines/test_kills", "tests/privacy/attack/", "tests/dashboards/test_bars"),
    *("tests/pipelines/", "tests/dashboards/"),
)
"""Where the tests that take longest are, the longest first: the many short ones fill up what is left at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the dearest files; a file stays in its own order."""
    items.sort(key=lambda item: next((n for n, place in enumerate(DEAREST) if item.nodeid.startswith(place)), 99))


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: some tests wait for a server, a browser or a process of their own."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; their licences forbid shipping, so tests skip where they are absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder
