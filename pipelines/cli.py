"""The ``needlepoint`` command: one function per verb.

Results go to standard output, progress to standard error. Exit codes: 0 done, 1 done but a blocking check failed
(nothing was published, the old release stays), 2 the call or the input cannot be used.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from pipelines.settings import HOME_VARIABLE, home_from_environment

if TYPE_CHECKING:
    from assets.deliveries.ledger import Delivery
    from assets.deliveries.profile import Profile
    from pipelines.runner import RunOutcome

UNUSABLE = 2
COLLECT_AFTER_OBJECTS = 100_000
"""Importing Dagster and Great Expectations makes objects that stay; looking for garbage among them costs a second."""
DEFAULT_PATIENTS = 6000
DEFAULT_SEED = 20260701

HOME_OPTION = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Where everything is kept. Default: ./needlepoint-home, or {HOME_VARIABLE}.",
)
PROFILE_OPTION = click.option(
    "--profile",
    "profile_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What the columns of the feed mean. Default: the canonical layout.",
)
PATIENTS_OPTION = click.option(
    "--patients", type=click.IntRange(1), default=DEFAULT_PATIENTS, show_default=True, help="Patients to simulate."
)
SEED_OPTION = click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="Seed of the simulation.")
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
FEEDS_ARGUMENT = click.argument("feeds", nargs=-1, required=True, type=click.Path(path_type=Path))


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

    _set_home(home)
    target = home_from_environment()
    profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
    with tempfile.TemporaryDirectory() as folder:
        _say(f"Simulating a network of clinics with {patients:,} patients")
        simulate_network(Path(folder), patients=patients, seed=seed, contract=CONTRACT)
        feeds = sorted(path for path in Path(folder).iterdir() if path.is_dir())
        outcome = run_all(target, feeds, profile, _say)
        target.path.joinpath("truth.json").write_bytes(Path(folder, "truth.json").read_bytes())
    _report(outcome, target.site / "index.html", as_json=as_json)


@cli.command()
@FEEDS_ARGUMENT
@HOME_OPTION
@PROFILE_OPTION
@JSON_OPTION
def run(feeds: tuple[Path, ...], home: Path | None, profile_path: Path | None, *, as_json: bool) -> None:
    """Read what is new in FEEDS (files or folders), check it, model it, publish it."""
    from pipelines.runner import run as run_all  # noqa: PLC0415

    _set_home(home)
    target = home_from_environment()
    outcome = run_all(target, feeds, _profile(profile_path), _say)
    _report(outcome, target.site / "index.html", as_json=as_json)


@cli.command()
@FEEDS_ARGUMENT
@PROFILE_OPTION
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Also write the result to this file.")
@JSON_OPTION
def check(feeds: tuple[Path, ...], profile_path: Path | None, report: Path | None, *, as_json: bool) -> None:
    """Say what would be refused or set aside in FEEDS, and why; change nothing."""
    from pipelines.preflight import preflight  # noqa: PLC0415

    findings = preflight(feeds, _profile(profile_path), home_from_environment())
    text = json.dumps(findings.as_dict(), indent=1) if as_json else findings.as_text()
    if report:
        report.write_text(text + "\n", encoding="utf-8")
    click.echo(text)
    sys.exit(findings.exit_code)


@cli.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
@PATIENTS_OPTION
@SEED_OPTION
@click.option("--format", "file_format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
def simulate(out: Path, patients: int, seed: int, file_format: Literal["csv", "parquet"]) -> None:
    """Write the feed of a simulated clinic network, with everything planted in truth.json."""
    from assets.simulation.network import simulate_network  # noqa: PLC0415

    simulate_network(out, patients=patients, seed=seed, file_format=file_format, contract=CONTRACT)
    click.echo(f"Wrote {out}; what was planted is in {out / 'truth.json'}")


@cli.command()
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail if a page is out of date.")
def docs(*, only_check: bool) -> None:
    """Write the data dictionary, the check catalogue, and the reference and JSON Schema of profiles."""
    from assets.contract.documents import documents  # noqa: PLC0415
    from assets.deliveries.profile_documents import documents as profile_documents  # noqa: PLC0415

    stale = []
    for path, text in (documents(CONTRACT) | profile_documents(CONTRACT)).items():
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


def main() -> None:
    """Run the command; a problem with the input is one sentence, not a traceback."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    try:
        cli()
    except InputProblem as problem:
        click.echo(f"needlepoint: {problem}", err=True)
        sys.exit(UNUSABLE)


def _set_home(home: Path | None) -> None:
    if home is not None:
        os.environ[HOME_VARIABLE] = str(home)


def _profile(path: Path | None) -> Profile:
    return load_profile(path or PROFILE_FOLDER / "canonical.yaml", CONTRACT)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _report(outcome: RunOutcome, page: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_dict(outcome, page), indent=1))
    else:
        for delivery in outcome.known:
            click.echo(f"{delivery.label}: read before, nothing to do ({delivery.state})")
        for delivery in outcome.read:
            click.echo(_line(delivery))
        for problem in outcome.not_landed:
            click.echo(f"Not read. {problem}")
        for problem in outcome.failed:
            click.echo(f"Failed. {problem}")
        for sentence in outcome.held:
            click.echo(f"Held back. {sentence}")
        for reason in outcome.held_by:
            click.echo(f"Not released. {reason}")
        if outcome.released:
            click.echo(f"Release {outcome.release} is in force. Open {page}")
        elif outcome.release:
            click.echo(f"Release {outcome.release} stays in force: {page}")
    sys.exit(outcome.exit_code)


def _line(delivery: Delivery) -> str:
    rows = f"{delivery.label}: {delivery.ingested:,} rows"
    if delivery.problem:
        return f"{rows}, {delivery.state}. {delivery.problem}"
    return f"{rows}, {delivery.set_aside:,} set aside on reading"


def _as_dict(outcome: RunOutcome, page: Path) -> dict[str, object]:
    return {
        "released": outcome.released,
        "release": outcome.release,
        "held": outcome.held,
        "held_by": outcome.held_by,
        "failed": [str(problem) for problem in outcome.failed],
        "site": str(page),
        "not_read": [{"code": problem.code, "problem": str(problem)} for problem in outcome.not_landed],
        "deliveries": [
            {
                "delivery_id": delivery.delivery_id,
                "label": delivery.label,
                "new": delivery in outcome.read,
                "state": delivery.state,
                "ingested": delivery.ingested,
                "out_of_scope": delivery.out_of_scope,
                "set_aside": delivery.set_aside,
                "rejected": delivery.rejected,
                "problem": delivery.problem,
            }
            for delivery in (*outcome.read, *outcome.known)
        ],
    }
