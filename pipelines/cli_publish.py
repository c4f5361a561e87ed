"""``needlepoint publish``, ``serve`` and ``open``: bundles for audiences, and looking at pages on this machine."""

from __future__ import annotations

import datetime as dt
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.deliveries.problems import InputProblem
from assets.publication.audiences import AUDIENCES
from pipelines.cli_options import HOME_OPTION, say, set_home
from pipelines.settings import audiences_to_sign_for, home_from_environment

if TYPE_CHECKING:
    from assets.home import Home

BUNDLES = "bundles"
EVERY = "all"
INDEX = "index.html"
DEFAULT_PORT = 8050
LAST_PORT = 65535
BUNDLE_OPTION = click.option(
    "--bundle",
    metavar="NAME",
    help="A bundle in the home, as network or clinic/<code>. Default: the whole site of the installation.",
)


@click.command()
@HOME_OPTION
@click.option(
    "--audience",
    required=True,
    type=click.Choice([*(one.name for one in AUDIENCES), EVERY]),
    help="Who it is for; what each may have is in assets/publication/AUDIENCES.md.",
)
@click.option("--clinic", metavar="KEY", help="Only the bundle of this clinic.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Folder of the bundles. Default: {BUNDLES} in the home.",
)
def publish(home: Path | None, audience: str, clinic: str | None, out: Path | None) -> None:
    """Write a folder of pages for an audience, from the release in force; what was there before is replaced."""
    from assets.audit.sign_off import not_signed  # noqa: PLC0415 each verb loads only what it needs
    from assets.publication.bundles import write_bundles  # noqa: PLC0415
    from assets.publication.in_force import release_in_force  # noqa: PLC0415

    wanted = [one for one in AUDIENCES if audience in (one.name, EVERY)]
    if clinic is not None and not (len(wanted) == 1 and wanted[0].one_per_clinic):
        message = "--clinic belongs to an audience with one bundle per clinic"
        raise click.UsageError(message)
    set_home(home)
    target = home_from_environment()
    release = release_in_force(target, dt.datetime.now(dt.UTC).date())
    if release.meta.banner:
        say(release.meta.banner)
    to_sign_for = audiences_to_sign_for()
    why = not_signed(target, release.meta.release) if to_sign_for else ""
    unsigned = [f"{one.name}: {why}" for one in wanted if why and one.name in to_sign_for]
    ready = [one for one in wanted if not (why and one.name in to_sign_for)]
    made, not_made = write_bundles(release, ready, clinic, out or target.path / BUNDLES)
    for folder in made:
        click.echo(folder)
    for reason in (*unsigned, *not_made):
        click.echo(f"Not made. {reason}")
    sys.exit(1 if unsigned or not_made else 0)


@click.command()
@HOME_OPTION
@BUNDLE_OPTION
@click.option(
    "--port",
    type=click.IntRange(0, LAST_PORT),
    default=DEFAULT_PORT,
    show_default=True,
    help="On this machine only; 0 takes any that is free.",
)
def serve(home: Path | None, bundle: str | None, port: int) -> None:
    """Serve the pages to browsers on this machine, until interrupted."""
    from dashboards.serve import PageServer  # noqa: PLC0415

    set_home(home)
    folder = pages_folder(home_from_environment(), bundle)
    try:
        server = PageServer(folder, port)
    except OSError:
        raise InputProblem("PORT", f"port {port}", "it cannot be used", "Give another --port") from None
    with server:
        click.echo(f"{server.address} (stop with Ctrl-C)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Stopped")


@click.command("open")
@HOME_OPTION
@BUNDLE_OPTION
def open_pages(home: Path | None, bundle: str | None) -> None:
    """Open the pages in a browser, from disk; say where they are."""
    set_home(home)
    page = pages_folder(home_from_environment(), bundle) / INDEX
    click.echo(page)
    if not _shown(page):
        say("No browser can be opened here: open this file in one")


def pages_folder(home: Home, bundle: str | None) -> Path:
    """Return the folder of the site, or of a bundle of this home.

    Raises:
        InputProblem: it is not there.

    """
    folder = home.site if bundle is None else home.path / BUNDLES / bundle
    root = home.path if bundle is None else home.path / BUNDLES
    if folder.resolve().is_relative_to(root.resolve()) and (folder / INDEX).is_file():
        return folder
    if bundle is None:
        raise InputProblem("NO_RELEASE", str(home.path), "there is no release yet", "Run `needlepoint run` first")
    raise InputProblem("NO_BUNDLE", "--bundle", "no bundle of this name is in the home", "Run `needlepoint publish`")


def _shown(page: Path) -> bool:
    try:
        return webbrowser.open(page.as_uri())
    except webbrowser.Error:
        return False
