"""Settings, read from the environment; every one has a default that needs no network.

``SETTINGS`` is the one list of them. The table in README.md and the file ``pipelines/deploy/needlepoint.env`` for a
server follow it, which a test holds, and ``needlepoint doctor`` names what is set and stands in no list.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from assets.deliveries.problems import InputProblem
from assets.home import KEEP_RELEASES, Home
from assets.home_format import check_home
from assets.publication.audiences import AUDIENCES

PREFIX = "NEEDLEPOINT_"
HOME_VARIABLE = "NEEDLEPOINT_HOME"
MEMORY_VARIABLE = "NEEDLEPOINT_MEMORY_LIMIT"
THREADS_VARIABLE = "NEEDLEPOINT_THREADS"
KEEP_VARIABLE = "NEEDLEPOINT_KEEP_RELEASES"
RELEASE_TIMES_VARIABLE = "NEEDLEPOINT_RELEASE_TIMES"
DEFAULT_RELEASE_TIMES = "0 6 * * *"
SIGN_OFF_VARIABLE = "NEEDLEPOINT_SIGN_OFF"
ALERT_WEBHOOK_VARIABLE = "NEEDLEPOINT_ALERT_WEBHOOK"
ALERT_TOKEN_VARIABLE = "NEEDLEPOINT_ALERT_WEBHOOK_TOKEN"  # noqa: S105 the name of a variable
ALERT_EMAIL_VARIABLE = "NEEDLEPOINT_ALERT_EMAIL"
ALERT_FROM_VARIABLE = "NEEDLEPOINT_ALERT_FROM"
ALERT_SMTP_VARIABLE = "NEEDLEPOINT_ALERT_SMTP"
ALERT_SMTP_USER_VARIABLE = "NEEDLEPOINT_ALERT_SMTP_USER"
ALERT_SMTP_PASSWORD_VARIABLE = "NEEDLEPOINT_ALERT_SMTP_PASSWORD"  # noqa: S105 the name of a variable
ALERT_FILE_VARIABLE = "NEEDLEPOINT_ALERT_FILE"
ALERT_DIGEST_VARIABLE = "NEEDLEPOINT_ALERT_DIGEST_HOURS"
ALERT_STALE_VARIABLE = "NEEDLEPOINT_ALERT_STALE_DAYS"
DEFAULT_STALE_DAYS = 4
"""A night's extract is three days old after a weekend."""
DEFAULT_HOME = "needlepoint-home"
DEFAULT_MEMORY_LIMIT = "4GB"
MEMORY_SIZE = re.compile(r"\d+(\.\d+)? ?([KMGT]i?B)", re.IGNORECASE)

PRIVATE_UMASK = 0o077
"""What this program writes others may not read, whatever the account's own umask; bundles are opened on purpose."""
OFFLINE = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment. ``shown_default`` is what stands in documents where it is not set.

    A secret has no default and is never printed. ``is_server``: only Dagster on PostgreSQL reads it.
    """

    name: str
    meaning: str
    shown_default: str
    is_secret: bool = False
    is_server: bool = False


SETTINGS = (
    Setting(HOME_VARIABLE, "where everything is kept", f"`./{DEFAULT_HOME}`"),
    Setting(MEMORY_VARIABLE, "memory DuckDB may use before it spills", f"`{DEFAULT_MEMORY_LIMIT}`"),
    Setting(THREADS_VARIABLE, "threads DuckDB may use; results do not depend on it", "all"),
    Setting(KEEP_VARIABLE, "releases that stay after a new one (`needlepoint releases prune`)", str(KEEP_RELEASES)),
    Setting(
        RELEASE_TIMES_VARIABLE,
        "when Dagster builds a release, if anything has changed: the five fields of cron, in UTC",
        f"`{DEFAULT_RELEASE_TIMES}`",
    ),
    Setting(
        SIGN_OFF_VARIABLE,
        "audiences, as `network,public`, that get a release only after it was signed (`needlepoint audit sign`)",
        "none",
    ),
    Setting(
        ALERT_WEBHOOK_VARIABLE,
        "address that gets alerts as JSON by HTTP POST, with a field `text` as chat programs show it",
        "none",
        is_secret=True,
    ),
    Setting(ALERT_TOKEN_VARIABLE, "its token (`Authorization: Bearer`); sent over https only", "none", is_secret=True),
    Setting(ALERT_EMAIL_VARIABLE, "addresses that get alerts, with commas between", "none"),
    Setting(ALERT_FROM_VARIABLE, "address that alerts come from", "none"),
    Setting(ALERT_SMTP_VARIABLE, "mail server, as `host:port`; TLS where it offers it, from the start on 465", "none"),
    Setting(ALERT_SMTP_USER_VARIABLE, "account at the mail server", "none"),
    Setting(ALERT_SMTP_PASSWORD_VARIABLE, "its password; sent over TLS only", "none", is_secret=True),
    Setting(ALERT_FILE_VARIABLE, "file that gets a line of JSON per message", "none"),
    Setting(ALERT_DIGEST_VARIABLE, "hours between messages; urgent alerts do not wait. 0: all at once", "0"),
    Setting(
        ALERT_STALE_VARIABLE,
        "days after which a silent source is stale, if that is unusual, and deliveries are old in Dagster",
        str(DEFAULT_STALE_DAYS),
    ),
    Setting("NEEDLEPOINT_POSTGRES_HOST", "machine of Dagster's PostgreSQL", "none", is_server=True),
    Setting("NEEDLEPOINT_POSTGRES_PORT", "its port", "none", is_server=True),
    Setting("NEEDLEPOINT_POSTGRES_DB", "its database", "none", is_server=True),
    Setting("NEEDLEPOINT_POSTGRES_USER", "its account", "none", is_server=True),
    Setting("NEEDLEPOINT_POSTGRES_PASSWORD", "the account's password", "none", is_secret=True, is_server=True),
)


def value(name: str) -> str | None:
    """What a variable is set to; one that is empty is not set, for compose files pass empty ones on."""
    return os.environ.get(name, "").strip() or None


def home_from_environment() -> Home:
    """Return the home this process works in, and keep Dagster and Great Expectations from calling anywhere.

    Raises:
        InputProblem: SETTING: a setting cannot be read. HOME_FORMAT: another version of this program wrote the home,
            and it would be misread.

    """
    home = configured_home()
    check_home(home)
    return home


def configured_home() -> Home:
    """Return the home that the settings name, whoever wrote it; for those who look at it from outside.

    Raises:
        InputProblem: SETTING: a setting cannot be read.

    """
    os.environ.update(OFFLINE)
    os.umask(PRIVATE_UMASK)
    memory = value(MEMORY_VARIABLE) or DEFAULT_MEMORY_LIMIT
    if not MEMORY_SIZE.fullmatch(memory):
        raise InputProblem("SETTING", MEMORY_VARIABLE, "it is no size of memory", "Give one as 4GB or 800MB")
    return Home(
        path=Path(value(HOME_VARIABLE) or DEFAULT_HOME).resolve(),
        memory_limit=memory,
        threads=_counted(THREADS_VARIABLE, "threads"),
        keep_releases=_counted(KEEP_VARIABLE, "releases") or KEEP_RELEASES,
    )


def _counted(name: str, what: str) -> int | None:
    number = value(name)
    if number and not (number.isascii() and number.isdigit() and int(number)):
        raise InputProblem("SETTING", name, f"it is no number of {what}", "Give a whole number from 1 on")
    return int(number) if number else None


def unknown_settings() -> tuple[str, ...]:
    """Names of the environment that look like settings and are none, which is how a misspelt one goes unseen."""
    known = {setting.name for setting in SETTINGS}
    return tuple(sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known))


def audiences_to_sign_for() -> frozenset[str]:
    """Audiences that get a release only after somebody has signed it; none by default.

    Raises:
        InputProblem: an audience is not known. A misspelt one must not go unsigned.

    """
    named = frozenset(name for part in (value(SIGN_OFF_VARIABLE) or "").split(",") if (name := part.strip()))
    known = [one.name for one in AUDIENCES]
    if named - set(known):
        raise InputProblem(
            "SETTING", SIGN_OFF_VARIABLE, "it names an audience that is none", f"Give some of {', '.join(known)}"
        )
    return named
