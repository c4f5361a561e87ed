"""A web server for one folder of pages on this machine: standard library, loopback only, and nothing but files.

The pages open from disk as well; this is for browsers that show no files.
"""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dashboards.pages.frame import POLICY

if TYPE_CHECKING:
    from pathlib import Path
    from socket import socket

ADDRESS = "127.0.0.1"
HOST_NAMES = frozenset(("127.0.0.1", "localhost"))
INDEX = "index.html"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
OTHER_KIND = "application/octet-stream"
VERSIONED = re.compile(r"plotly-[0-9][0-9.]*\.min\.js")
"""Files whose name changes with their content, so that a browser need never ask for them again."""
KEEP, ASK = "public, max-age=31536000, immutable", "no-cache"
OWN_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


class PageServer(ThreadingHTTPServer):
    """Serves the files of one folder. The folder may be a link, which is followed anew for every request."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        """Listen on the loopback address; port 0 takes any that is free.

        Raises:
            OSError: the port is taken or may not be used.

        """
        self.folder = folder
        super().__init__((ADDRESS, port), _Handler)

    @property
    def address(self) -> str:
        """Where to point a browser."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Say nothing: a browser that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version = "needlepoint"
    sys_version = ""
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"
    timeout = 30

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Keep quiet: what somebody looked at is nobody's business."""

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        super().end_headers()

    def _answer(self, *, with_body: bool) -> None:
        # a page of somebody else whose name leads here must not read these
        if (self.headers.get("Host") or "").partition(":")[0] not in HOST_NAMES:
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        path = asked_file(self.server.folder, self.path)
        content = _content(path) if path else None
        if path is None or content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", KINDS.get(path.suffix, OTHER_KIND))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", KEEP if VERSIONED.fullmatch(path.name) else ASK)
        self.send_header("Content-Security-Policy", f"{_policy(path, content)}; frame-ancestors 'none'")
        self.end_headers()
        if with_body:
            self.wfile.write(content)


def asked_file(folder: Path, target: str) -> Path | None:
    """Return the file that a request asks for; None if there is none in the folder.

    A folder is its index page, and nothing lists files. Hidden names, and links that lead out, are not there.
    """
    try:
        parts = [part for part in unquote(urlsplit(target).path, errors="strict").split("/") if part]
        if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        root = folder.resolve(strict=True)
        path = root.joinpath(*parts).resolve(strict=True)
        if path.is_dir():
            path = (path / INDEX).resolve(strict=True)
    except (OSError, ValueError):
        return None
    return path if path.is_file() and path.is_relative_to(root) else None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _policy(path: Path, content: bytes) -> str:
    """Return the policy that a page states itself, for the header; anything else gets that of the pages."""
    found = OWN_POLICY.search(content.decode("utf-8", "replace")) if path.suffix == ".html" else None
    return html.unescape(found[1]) if found else POLICY
