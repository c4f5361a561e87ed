"""The local server gives the files of one folder, to this machine only, and nothing else."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING

import pytest

from dashboards.pages.frame import POLICY
from dashboards.serve import ADDRESS, PageServer, asked_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN_POLICY = "default-src 'none'; style-src 'sha256-abc='"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True)
    (site / "assets").mkdir()
    (site / "evidence" / "one").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (site / ".hidden").write_text("secret")
    (site / "index.html").write_text("<title>Overview</title>")
    (site / "data" / "recovery.js").write_text("window.DASH={};")
    (site / "assets" / "plotly-4.1.1.min.js").write_text("plotly")
    (site / "assets" / "app.js").write_text("engine")
    stated = OWN_POLICY.replace("'", "&#x27;")
    (site / "evidence" / "one" / "index.html").write_text(
        f'<meta http-equiv="Content-Security-Policy" content="{stated}">'
    )
    (site / "out").symlink_to(tmp_path)
    (site / "outside.txt").symlink_to(tmp_path / "secret.txt")
    return site


@pytest.fixture
def server(folder: Path) -> Iterator[PageServer]:
    with PageServer(folder, 0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(
    server: PageServer, path: str, method: str = "GET", host: str | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(ADDRESS, server.server_port, timeout=5)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"{ADDRESS}:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_pages_come_with_their_walls(server: PageServer) -> None:
    answer, content = ask(server, "/")
    assert (answer.status, content) == (200, b"<title>Overview</title>")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == f"{POLICY}; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_page_with_a_policy_of_its_own_keeps_it(server: PageServer) -> None:
    answer, _ = ask(server, "/evidence/one/")
    assert answer.headers["Content-Security-Policy"] == f"{OWN_POLICY}; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/assets/plotly-4.1.1.min.js", True), ("/assets/app.js", False), ("/data/recovery.js?v=1", False)],
)
def test_only_files_with_a_version_in_their_name_are_kept(server: PageServer, path: str, *, kept: bool) -> None:
    answer, _ = ask(server, path)
    assert answer.status == 200
    assert ("immutable" in answer.headers["Cache-Control"]) is kept
    assert answer.headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    [
        *("/data/", "/assets", "/nothing.html", "/.hidden", "/out/secret.txt", "/outside.txt", "/../secret.txt"),
        *(
            "/%2e%2e/secret.txt",
            "/data/..%2f..%2fsecret.txt",
            "/..%5csecret.txt",
            "/index.html%00",
            "/%ff",
            "//etc/passwd",
        ),
    ],
)
def test_nothing_outside_and_no_list_of_files(server: PageServer, path: str) -> None:
    answer, content = ask(server, path)
    assert answer.status == 404
    assert b"secret" not in content
    assert b"root" not in content


def test_another_name_for_this_machine_is_refused(server: PageServer) -> None:
    assert ask(server, "/", host="localhost:1")[0].status == 200
    assert ask(server, "/", host="evil.example")[0].status == 403


def test_nothing_can_be_sent_here(server: PageServer) -> None:
    assert ask(server, "/", method="POST")[0].status == 501


def test_a_head_has_no_content(server: PageServer) -> None:
    answer, content = ask(server, "/index.html", method="HEAD")
    assert (answer.status, content, answer.headers["Content-Length"]) == (200, b"", "23")


def test_only_this_machine_can_reach_it(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_new_release_is_served_without_starting_again(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    link = tmp_path / "site"
    link.symlink_to("old")
    assert (found := asked_file(link, "/")) is not None
    assert found.read_text() == "old"
    link.unlink()
    link.symlink_to("new")
    assert (found := asked_file(link, "/")) is not None
    assert found.read_text() == "new"
