"""Dagster's settings and storage in a home: what must be so, what differs from the shipped file, the database."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipelines.dagster_settings import EMBEDDED, SERVER, is_of_earlier_version, settings_file
from pipelines.doctor_findings import Finding, good, note, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assets.home import Home

STORAGE = ("storage", "event_log_storage", "run_storage", "schedule_storage")
MUST = {
    "telemetry": "Dagster reports its use to its makers",
    "compute_logs": "what libraries print is kept, which may be values of rows",
}
CLOCK_SECONDS = 5
CONNECT_SECONDS = 5
HEARTBEATS = "daemon_heartbeats"
SILENT = timedelta(minutes=5)
"""Ten times what a daemon lets pass between two signs of life."""


def settings_of_dagster(home: Home) -> Iterator[Finding]:
    """``HOME/dagster/dagster.yaml``, which is copied once and then belongs to whoever keeps the installation."""
    named = os.environ.get("DAGSTER_HOME")
    if named and Path(named).resolve() != home.dagster:
        yield wrong(
            "DAGSTER_HOME is not the folder dagster of the home: the command line and the web server would not see "
            "each other's runs",
            f"Set DAGSTER_HOME={home.dagster}",
        )
    if not settings_file(home).exists():
        yield note("there are no settings of Dagster yet; the first run puts them there")
        return
    settings = _settings(home)
    if settings is None:
        yield wrong("dagster.yaml of the home cannot be read", f"Copy {EMBEDDED} or, on a server, {SERVER} over it")
        return
    if is_of_earlier_version(home):
        yield wrong(
            "dagster.yaml of the home is that of an earlier version of this program",
            "Stop Dagster's daemon and web server, call `needlepoint upgrade`, and start them again",
        )
        return
    yield from judged(settings)


def judged(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare settings with the shipped ones of the same kind of set-up."""
    template = SERVER if _is_postgres(settings) else EMBEDDED
    shipped = yaml.safe_load(template.read_text(encoding="utf-8"))
    differs = [name for name in shipped if name not in STORAGE and settings.get(name) != shipped[name]]
    for name in differs:
        if name in MUST:
            yield wrong(MUST[name], f"Copy `{name}` from {template} into dagster.yaml of the home")
    others = [name for name in differs if name not in MUST]
    missing = [name for name in others if name not in settings]
    if missing:
        yield wrong(
            f"dagster.yaml of the home lacks {', '.join(missing)}: a killed run may keep its place for good, "
            "or two runs may wait for each other",
            f"Copy what is missing from {template}, then start Dagster's daemon and web server again",
        )
    elif others:
        yield note(f"dagster.yaml differs from the shipped {template.name} in {', '.join(others)}", "Compare the two")
    if not differs:
        yield good("telemetry is off, output is not captured, settings are as shipped")


def postgres(home: Home) -> Iterator[Finding]:
    """Dagster's database and its daemon, where a server has them."""
    settings = _settings(home) or {}
    if not _is_postgres(settings):
        yield good("not used: Dagster keeps its records in files of the home")
        return
    parts = settings["storage"]["postgres"]["postgres_db"]
    unset = sorted(name for name in _variables(parts) if not os.environ.get(name))
    if unset:
        yield wrong(f"not set: {', '.join(unset)}", "Set them in the environment, as needlepoint.env does for services")
        return
    yield from _reached({name: _value(part) for name, part in parts.items() if name != "params"})


def _reached(parts: Mapping[str, Any]) -> Iterator[Finding]:
    import sqlalchemy as sa  # noqa: PLC0415 only servers need it

    place = f"{parts.get('hostname')}:{parts.get('port', 5432)}"
    url = sa.URL.create(
        parts.get("scheme", "postgresql"),
        parts.get("username"),
        parts.get("password"),
        parts.get("hostname"),
        int(parts.get("port", 5432)),
        parts.get("db_name"),
    )
    try:
        engine = sa.create_engine(url, connect_args={"connect_timeout": CONNECT_SECONDS}, poolclass=sa.NullPool)
        with engine.connect() as connection:
            theirs = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
            has_table = sa.inspect(connection).has_table(HEARTBEATS)
            said = connection.execute(sa.text(f"select body from {HEARTBEATS}")).scalars().all() if has_table else ()
    except ImportError:
        yield wrong("its driver is not installed", "Install the extra `server`: it is in requirements.lock.txt")
        return
    except sa.exc.SQLAlchemyError:  # its text may hold the account
        yield wrong(
            f"no connection to {place}",
            "Check that it runs, that NEEDLEPOINT_POSTGRES_* name it, and that the account and its password are right",
        )
        return
    yield good(f"connected to {place}")
    now = datetime.now(UTC)
    if abs((now - theirs).total_seconds()) > CLOCK_SECONDS:
        yield wrong(f"its clock at {place} is not that of this machine", "Let both keep network time")
    yield _daemon([json.loads(body)["timestamp"] for body in said], now)


def _daemon(heartbeats: Sequence[float], now: datetime) -> Finding:
    """Whether somebody runs schedules, sensors and the queue."""
    last = datetime.fromtimestamp(max(heartbeats), UTC) if heartbeats else None
    if last is not None and now - last < SILENT:
        return good("Dagster's daemon is at work")
    since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "and never was"
    return wrong(
        f"Dagster's daemon is not at work {since}: no schedule, sensor or waiting run starts",
        "Start it: `systemctl start needlepoint-daemon`, and look into its journal",
    )


def _settings(home: Home) -> dict[str, Any] | None:
    try:
        loaded = yaml.safe_load(settings_file(home).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return loaded if isinstance(loaded, dict) else None


def _is_postgres(settings: Mapping[str, Any]) -> bool:
    storage = settings.get("storage")
    return (
        isinstance(storage, dict)
        and isinstance(storage.get("postgres"), dict)
        and isinstance(storage["postgres"].get("postgres_db"), dict)
    )


def _variables(parts: Mapping[str, Any]) -> Iterator[str]:
    for part in parts.values():
        if isinstance(part, dict) and "env" in part:
            yield str(part["env"])


def _value(part: object) -> Any:  # noqa: ANN401 what stands in a YAML file
    return os.environ.get(str(part["env"])) if isinstance(part, dict) and "env" in part else part
