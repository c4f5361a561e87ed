"""Settings, read once from the environment; every one has a default that needs no network."""

from __future__ import annotations

import os
from pathlib import Path

from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.publication.audiences import AUDIENCES

HOME_VARIABLE = "NEEDLEPOINT_HOME"
MEMORY_VARIABLE = "NEEDLEPOINT_MEMORY_LIMIT"
THREADS_VARIABLE = "NEEDLEPOINT_THREADS"
SIGN_OFF_VARIABLE = "NEEDLEPOINT_SIGN_OFF"
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


def audiences_to_sign_for() -> frozenset[str]:
    """Audiences that get a release only after somebody has signed it; none by default.

    Raises:
        InputProblem: an audience is not known. A misspelt one must not go unsigned.

    """
    named = frozenset(name for part in os.environ.get(SIGN_OFF_VARIABLE, "").split(",") if (name := part.strip()))
    known = [one.name for one in AUDIENCES]
    if named - set(known):
        raise InputProblem(
            "SETTING", SIGN_OFF_VARIABLE, "it names an audience that is none", f"Give some of {', '.join(known)}"
        )
    return named
