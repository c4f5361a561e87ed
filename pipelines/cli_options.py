"""Options that several verbs share, and what they mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, find_profile, load_profile
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from assets.deliveries.profile import Profile
    from assets.home import Home

DEFAULT_PATIENTS = 6000
DEFAULT_SEED = 20260701

HOME_OPTION = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Where everything is kept. Default: ./needlepoint-home, or {HOME_VARIABLE}.",
)
PROFILE_OPTION = click.option(
    "--profile",
    "profile_name",
    help="What the columns of the feed mean: a file, or the name of a profile of the home or of a shipped one. "
    "Default: the canonical layout.",
)
PATIENTS_OPTION = click.option(
    "--patients", type=click.IntRange(1), default=DEFAULT_PATIENTS, show_default=True, help="Patients to simulate."
)
SEED_OPTION = click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="Seed of the simulation.")
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
FEEDS_ARGUMENT = click.argument("feeds", nargs=-1, required=True, type=click.Path(path_type=Path))


def set_home(home: Path | None) -> None:
    """Work in this home, if one is named."""
    if home is not None:
        os.environ[HOME_VARIABLE] = str(home)


def named_profile(name: str | None, home: Home) -> Profile:
    """A profile by its file or by its name."""
    if name is None:
        return load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    if Path(name).suffix in (".yaml", ".yml") or "/" in name:
        return load_profile(Path(name), CONTRACT)
    return find_profile(name, home.profiles, CONTRACT)


def say(text: str) -> None:
    """Report progress, to standard error."""
    click.echo(text, err=True)
