"""Settings, read once from the environment; every one has a default that needs no network."""

from __future__ import annotations

import os
from pathlib import Path

from assets.home import Home

HOME_VARIABLE = "NEEDLEPOINT_HOME"
MEMORY_VARIABLE = "NEEDLEPOINT_MEMORY_LIMIT"
THREADS_VARIABLE = "NEEDLEPOINT_THREADS"
DEFAULT_HOME = "needlepoint-home"
DEFAULT_MEMORY_LIMIT = "4GB"

OFFLINE = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def home_from_environment() -> Home:
    """Return the home this process works in, and keep Dagster and Great Expectations from calling anywhere."""
    os.environ.update(OFFLINE)
    threads = os.environ.get(THREADS_VARIABLE)
    return Home(
        path=Path(os.environ.get(HOME_VARIABLE, DEFAULT_HOME)).resolve(),
        memory_limit=os.environ.get(MEMORY_VARIABLE, DEFAULT_MEMORY_LIMIT),
        threads=int(threads) if threads else None,
    )
