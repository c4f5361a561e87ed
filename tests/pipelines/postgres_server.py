"""A real PostgreSQL of the distribution's packages, on loopback and for as long as a test lasts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""
PASSWORD = "ofThisTestOnly"  # noqa: S105 the database lives for a few seconds
START_SECONDS = 120


def free_port() -> int:
    """A port of this machine that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres_server() -> Iterator[dict[str, str]]:
    """An empty database; gives the settings that lead to it. It lies where its account can enter."""
    with tempfile.TemporaryDirectory(prefix="needlepoint-test-") as name:
        folder = Path(name)
        if ACCOUNT:
            shutil.chown(folder, ACCOUNT)
        secret = folder / "secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        make = [_program("initdb"), "--no-sync", "--auth=scram-sha-256", "--username=needlepoint"]
        _run([*make, f"--pwfile={secret}", "--pgdata", str(folder / "data")])
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [_program("pg_ctl"), "--wait", "--silent", "--pgdata", str(folder / "data")]
        _run([*control, "--log", str(folder / "log"), "--options", options, "start"])
        parts = {"HOST": "127.0.0.1", "PORT": str(port), "DB": "postgres", "USER": "needlepoint", "PASSWORD": PASSWORD}
        try:
            yield {f"NEEDLEPOINT_POSTGRES_{part}": text for part, text in parts.items()}
        finally:
            _run([*control, "--mode=immediate", "stop"])


def _program(name: str) -> str:
    """A program of the package, which are not always on the path; the newest version."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        pytest.skip("no PostgreSQL")
    return found


def _run(command: list[str]) -> None:
    subprocess.run(  # noqa: S603 our own command
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=ACCOUNT,
        cwd="/",
        timeout=START_SECONDS,
    )
