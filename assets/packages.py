"""The packages whose versions may change a number or a page."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = (
    "dagster",
    "duckdb",
    "great-expectations",
    "lifelines",
    "numpy",
    "pandas",
    "plotly",
    "polars",
    "pyarrow",
    "scipy",
    "statsmodels",
)


def package_versions() -> dict[str, str]:
    """Version by name, that of Python first."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
