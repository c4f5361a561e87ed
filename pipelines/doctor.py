"""``needlepoint doctor``: what is wrong with an installation, and what to do about it. Nothing is changed.

One function per thing that is looked at. Each says what it found, good or not, so that the list also tells what was
looked at; one that cannot look says that, and the others go on.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assets.audit.ledger import entries
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import left_deliveries
from assets.home_format import check_home
from assets.publication.release import current_release
from pipelines.alert_channels import channels
from pipelines.alert_sources import LONGEST_RUN
from pipelines.alerting import whole_number
from pipelines.doctor_dagster import postgres, settings_of_dagster
from pipelines.doctor_findings import Finding, good, looked, note, wrong
from pipelines.doctor_packages import packages, python
from pipelines.landing_folder import unreadable
from pipelines.one_writer import holder
from pipelines.release_times import release_times
from pipelines.settings import (
    ALERT_DIGEST_VARIABLE,
    ALERT_STALE_VARIABLE,
    DEFAULT_STALE_DAYS,
    audiences_to_sign_for,
    configured_home,
    unknown_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.home import Home

OTHERS = 0o077
SECRETS = Path("/etc/needlepoint/needlepoint.env")
LEAST_BYTES = 1_000_000_000
RELEASES_OF_ROOM = 3
"""The next release, its copies in bundles and evidence pack, and what DuckDB spills meanwhile."""
CLOCK_SECONDS = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOWN = 3


def examine() -> tuple[Finding, ...]:
    """Look at everything. Where the settings do not even name a home, none is looked at."""
    machine = (
        ("python", python),
        ("packages", packages),
        ("settings", settings),
        ("secrets", secrets),
        ("alerts", alerts),
        ("chromium", chromium),
    )
    found = [finding for topic, look in machine for finding in looked(topic, look)]
    try:
        home = configured_home()
    except InputProblem:  # the look at the settings has said it
        return tuple(found)
    inside = (
        ("permissions", permissions),
        ("dagster", settings_of_dagster),
        ("postgresql", postgres),
        ("clock", clock),
        ("writer", writer),
        ("landing", landing),
        ("deliveries", deliveries),
    )
    for topic, look_at in (("home", home_folder), ("disk", disk), *(inside if home.path.is_dir() else ())):
        found += looked(topic, partial(look_at, home))
    return tuple(found)


def settings() -> Iterator[Finding]:
    """Variables of the environment: each can be read, and none is misspelt."""
    configured_home()
    audiences_to_sign_for()
    release_times()
    unknown = unknown_settings()
    if unknown:
        yield wrong(f"set, but no setting: {', '.join(unknown)}", "Compare with the table of settings in the README")
    else:
        yield good("every setting can be read")


def secrets() -> Iterator[Finding]:
    """The file of a server that holds its passwords."""
    if not SECRETS.exists():
        yield good(f"there is no {SECRETS}, which only servers have")
    elif SECRETS.stat().st_mode & OTHERS:
        yield wrong(f"every account may read {SECRETS}", f"Call `chmod 600 {SECRETS}` and change the passwords in it")
    else:
        yield good(f"{SECRETS} is for its owner only")


def alerts() -> Iterator[Finding]:
    """Whether anybody hears of a failure."""
    whole_number(ALERT_DIGEST_VARIABLE, 0)
    whole_number(ALERT_STALE_VARIABLE, DEFAULT_STALE_DAYS)
    number = len(channels())
    if number:
        yield good(f"alerts go to {number} {'receiver' if number == 1 else 'receivers'}")
    else:
        yield note("nobody is told when something fails", "Set a receiver; `needlepoint alerts test` tries it")


def chromium() -> Iterator[Finding]:
    """A browser without a window, which only the tests of the pages use."""
    if any(shutil.which(name) for name in BROWSERS):
        yield good("Chromium is here")
    else:
        yield note("there is no Chromium: the tests of the pages are skipped, nothing else needs it")


def home_folder(home: Home) -> Iterator[Finding]:
    """Where everything is kept, and whether this version of the program may read it."""
    if not home.path.exists():
        yield note(f"{home.path} is not there yet; the first run makes it")
    elif not home.path.is_dir():
        yield wrong(f"{home.path} is no folder", "Name another home")
    else:
        check_home(home)
        release = current_release(home)
        yield good(f"{home.path}, " + (f"release {release} is in force" if release else "without a release yet"))


def permissions(home: Home) -> Iterator[Finding]:
    """The home is for its owner only, belongs to this account throughout, and can be written."""
    found = list(_permissions(home))
    yield from found or (good("the home is for this account only"),)


def _permissions(home: Home) -> Iterator[Finding]:
    mode = home.path.stat().st_mode
    if mode & OTHERS:
        yield wrong(f"others on this machine may open the home ({mode & 0o777:04o})", f"Call `chmod 700 {home.path}`")
    if not os.access(home.path, os.W_OK | os.X_OK):
        yield wrong("this account may not write to the home", "Call Needlepoint as the account that owns the home")
    # deliveries and releases, and not each of their files: there may be a great many
    parts = [*home.path.glob("*"), *home.path.glob("*/*")]
    foreign = sorted({_part(home, path) for path in parts if path.lstat().st_uid != home.path.stat().st_uid})
    if foreign:
        yield wrong(
            f"parts of the home belong to another account, in {', '.join(foreign[:SHOWN])}",
            f"Somebody ran a verb as another account. Give all of {home.path} to its owner with `chown -R`",
        )


def _part(home: Home, path: Path) -> str:
    return path.relative_to(home.path).parts[0]


def disk(home: Home) -> Iterator[Finding]:
    """Room for the next release."""
    place = next(folder for folder in (home.path, *home.path.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    release = home.current.resolve() if home.current.is_symlink() else None
    size = sum(path.lstat().st_size for path in release.rglob("*")) if release and release.is_dir() else 0
    needed = max(LEAST_BYTES, RELEASES_OF_ROOM * size)
    said = f"{free / 1e9:,.1f} GB are free, {needed / 1e9:,.1f} GB are wanted for the next release"
    if free < needed:
        yield wrong(said, "Make room, or give the home a larger disk; `needlepoint releases prune` drops old releases")
    else:
        yield good(said)


def clock(home: Home) -> Iterator[Finding]:
    """The clock agrees with that of the disk, and does not lie before what was already written."""
    with tempfile.NamedTemporaryFile(dir=home.path, prefix=".doctor-") as probe:
        apart = abs(Path(probe.name).stat().st_mtime - time.time())
    written = entries(home.path)
    now = datetime.now(UTC)
    if apart > CLOCK_SECONDS:
        yield wrong("the disk of the home has another time than this machine", "Let both keep network time")
    elif written and datetime.fromisoformat(written[-1].at) > now + timedelta(seconds=CLOCK_SECONDS):
        yield wrong(
            "the last entry of the ledger lies in the future: the clock went back", "Set the clock of this machine"
        )
    else:
        yield good(f"it is {now:%Y-%m-%d %H:%M} UTC, and the disk agrees; everything is kept in UTC")


def writer(home: Home) -> Iterator[Finding]:
    """Who writes to the home."""
    who = holder(home)
    yield note(f"a run is writing to the home: {who}") if who else good("no run is writing")


def landing(home: Home) -> Iterator[Finding]:
    """What has arrived in the landing folder and can be read by nobody."""
    found = [problem for _, problem in unreadable(home)]
    if not found:
        yield good("everything in the landing folder can be read")
    for problem in found[:SHOWN]:
        yield wrong(f"not landed, {problem.code}: {problem.where}: {problem.what}", problem.remedy)
    if found[SHOWN:]:
        yield wrong(f"{len(found) - SHOWN} more could not be landed", "Look again when these are mended")


def deliveries(home: Home) -> Iterator[Finding]:
    """Deliveries whose reading began and never ended; those that a run may still be at are none."""
    left = left_deliveries(home.ledger)
    late = [one for one in left if not one.landed_at or _age(one.landed_at) > LONGEST_RUN]
    named = ", ".join(one.label for one in (late or left)[:SHOWN])
    if not left:
        yield good("none was left half read")
    elif not late or holder(home):
        yield note(
            f"{len(left)} not read to the end yet: {named}",
            "If no run is at it or waits for its turn, call `needlepoint unlock` and run the same feed again",
        )
    else:
        yield wrong(
            f"{len(late)} left half read: {named}",
            "Call `needlepoint unlock`, then run the same feed again, and look at the failed run in Dagster",
        )


def _age(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment)
