"""The ``needlepoint`` command: one function per verb.

Results go to standard output, progress to standard error. Exit codes: 0 done, 1 done but a blocking check failed
(nothing was published, the old release stays), 2 the call or the input cannot be used.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
from pathlib import Path
from typing import Literal

import click

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from pipelines.cli_alerts import alerts
from pipelines.cli_audit import audit
from pipelines.cli_chart import chart
from pipelines.cli_doctor import doctor
from pipelines.cli_options import (
    FEEDS_ARGUMENT,
    HOME_OPTION,
    JSON_OPTION,
    PATIENTS_OPTION,
    PROFILE_OPTION,
    SEED_OPTION,
    named_profile,
    say,
    set_home,
)
from pipelines.cli_publish import open_pages, publish, serve
from pipelines.cli_quarantine import quarantine
from pipelines.cli_releases import releases
from pipelines.cli_unlock import unlock
from pipelines.cli_upgrade import upgrade
from pipelines.outcome_text import say_outcome
from pipelines.settings import home_from_environment

UNUSABLE = 2
COLLECT_AFTER_OBJECTS = 100_000
"""Importing Dagster and Great Expectations makes objects that stay; looking for garbage among them costs a second."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="needlepoint")
def cli() -> None:
    """Outcome analytics for dry-needling and physical-therapy clinics."""


@cli.command()
@HOME_OPTION
@PATIENTS_OPTION
@SEED_OPTION
@JSON_OPTION
def demo(home: Path | None, patients: int, seed: int, *, as_json: bool) -> None:
    """Simulate a clinic network, run everything, and print where to look."""
    from assets.simulation.network import simulate_network  # noqa: PLC0415 each verb loads only what it needs
    from pipelines.runner import run as run_all  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    # nobody's privacy is at stake: with dates there are charts by month
    profile = load_profile(PROFILE_FOLDER / "canonical_dates.yaml", CONTRACT)
    with tempfile.TemporaryDirectory() as folder:
        say(f"Simulating a network of clinics with {patients:,} patients")
        simulate_network(Path(folder), patients=patients, seed=seed, contract=CONTRACT, dated=True)
        feeds = sorted(path for path in Path(folder).iterdir() if path.is_dir())
        outcome = run_all(target, feeds, profile, say)
        target.path.joinpath("truth.json").write_bytes(Path(folder, "truth.json").read_bytes())
    say_outcome(outcome, target.site / "index.html", as_json=as_json)


@cli.command()
@FEEDS_ARGUMENT
@HOME_OPTION
@PROFILE_OPTION
@JSON_OPTION
def run(feeds: tuple[Path, ...], home: Path | None, profile_name: str | None, *, as_json: bool) -> None:
    """Read what is new in FEEDS (files or folders), check it, model it, publish it."""
    from pipelines.runner import run as run_all  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    outcome = run_all(target, feeds, named_profile(profile_name, target), say)
    say_outcome(outcome, target.site / "index.html", as_json=as_json)


@cli.command()
@FEEDS_ARGUMENT
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Judge together with what this home holds, which is not changed. Default: the feeds by themselves.",
)
@PROFILE_OPTION
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the result to this file, as JSON or HTML by its ending.",
)
@JSON_OPTION
def check(
    feeds: tuple[Path, ...], home: Path | None, profile_name: str | None, report: Path | None, *, as_json: bool
) -> None:
    """Say what a run would refuse, hold back or set aside in FEEDS, and why; change nothing."""
    from pipelines.preflight import preflight  # noqa: PLC0415
    from pipelines.report import write_report  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    findings = preflight(feeds, named_profile(profile_name, target), target, against_home=home is not None)
    if report:
        write_report(findings, report)
    click.echo(json.dumps(findings.as_dict(), indent=1) if as_json else findings.as_text())
    sys.exit(findings.exit_code)


@cli.command()
@FEEDS_ARGUMENT
def profile(feeds: tuple[Path, ...]) -> None:
    """Draft a profile for FEEDS by looking at the data; what it cannot know, it asks in comments."""
    from assets.deliveries.profile.draft import draft  # noqa: PLC0415

    click.echo(draft(feeds), nl=False)


@cli.command()
@FEEDS_ARGUMENT
@PROFILE_OPTION
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The secret of the clinic.",
)
@click.option("--new-key", is_flag=True, help="Make the key file; keep it safe and away from the data.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to make, for what may be sent.",
)
@JSON_OPTION
def deidentify(
    feeds: tuple[Path, ...], profile_name: str | None, key_file: Path, out: Path, *, new_key: bool, as_json: bool
) -> None:
    """Make files that may be sent, on the clinic's own machine.

    Keys, ages, areas and dates are replaced; what the profile does not need is left out.
    """
    from assets.privacy.keys import new_key_file  # noqa: PLC0415
    from pipelines.deidentify import deidentify as make  # noqa: PLC0415

    found = named_profile(profile_name, home_from_environment())
    if new_key:
        new_key_file(key_file)
    report = make(feeds, found, key_file, out)
    click.echo(json.dumps(report.as_dict(), indent=1) if as_json else report.as_text())


@cli.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
@PATIENTS_OPTION
@SEED_OPTION
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Kind of the files.",
)
@click.option("--dates", "dated", is_flag=True, help="Add the dates of visits; read with --profile canonical_dates.")
def simulate(out: Path, patients: int, seed: int, file_format: Literal["csv", "parquet"], *, dated: bool) -> None:
    """Write the feed of a simulated clinic network, with everything planted in truth.json."""
    from assets.simulation.network import simulate_network  # noqa: PLC0415

    simulate_network(out, patients=patients, seed=seed, file_format=file_format, contract=CONTRACT, dated=dated)
    click.echo(f"Wrote {out}; what was planted is in {out / 'truth.json'}")


@cli.command()
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail if a page is out of date.")
def docs(*, only_check: bool) -> None:
    """Write the documents that are made of the code, as the data dictionary, the check catalogue, the failure codes."""
    from assets.contract.documents import documents  # noqa: PLC0415
    from assets.deliveries.profile.documents import documents as profile_documents  # noqa: PLC0415
    from assets.publication.audience_page import documents as audience_documents  # noqa: PLC0415
    from assets.quality.documents import documents as check_documents  # noqa: PLC0415
    from pipelines.failure_messages import documents as failure_documents  # noqa: PLC0415

    made = documents(CONTRACT) | check_documents(CONTRACT) | profile_documents(CONTRACT) | audience_documents()
    made |= failure_documents()
    stale = []
    for path, text in made.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not only_check:
            path.write_text(text, encoding="utf-8")
    for path in stale:
        click.echo(f"{'Out of date' if only_check else 'Wrote'}: {path.name}")
    if only_check and stale:
        click.echo("Run `needlepoint docs` and commit the result.", err=True)
        sys.exit(1)


for command in (alerts, audit, chart, doctor, open_pages, publish, quarantine, releases, serve, unlock, upgrade):
    cli.add_command(command)


def main() -> None:
    """Run the command; a problem with the input is one sentence, not a traceback."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    try:
        cli()
    except InputProblem as problem:
        click.echo(f"needlepoint: {problem.with_code}", err=True)
        sys.exit(UNUSABLE)
