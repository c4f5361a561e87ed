"""Real receivers of alerts on this machine: an HTTP server and a small SMTP server, each in a thread."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path


@dataclass
class Posted:
    """What an HTTP receiver got, and what it answers."""

    port: int = 0
    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?room=alerts"


@dataclass
class Mailbox:
    """What an SMTP receiver got. ``refuses`` are addresses it does not take; ``knows_nobody``: it takes no login."""

    port: int = 0
    refuses: tuple[str, ...] = ()
    knows_nobody: bool = False
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    secret_from: int | None = None
    """Number of verbs that were heard before TLS began; None if it never did."""


@contextmanager
def http_receiver(certificate: Path | None = None) -> Iterator[Posted]:
    """Listen on a free port until the test is over; over TLS with a certificate, whose file holds the key too."""
    got = Posted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            got.headers.append(dict(self.headers))
            got.paths.append(self.path)
            self.send_response(got.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        got.port = server.server_port
        if certificate:
            server.socket = _tls(certificate).wrap_socket(server.socket, server_side=True)
        with _running(server):
            yield got


class SmtpServer(socketserver.ThreadingTCPServer):
    """A server with one mailbox, which offers TLS if it has a certificate."""

    daemon_threads = True

    def __init__(self, box: Mailbox, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), SmtpHandler)
        self.box = box
        self.tls = _tls(certificate) if certificate else None
        box.port = self.server_address[1]


class SmtpHandler(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as smtplib asks for."""

    server: SmtpServer

    def handle(self) -> None:
        to, verb = "", ""
        self.answer("220 ready")
        while verb != "QUIT" and (line := self.rfile.readline()):
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            self.server.box.verbs.append(verb)
            if verb == "RCPT":
                to = rest.partition("<")[2].partition(">")[0]
            self.answer(*self.answers(verb, rest, to))
            if verb == "DATA":
                self.server.box.letters.append((to, self.letter()))
                self.answer("250 kept")
            if verb == "STARTTLS" and not self.becomes_secret():
                return

    def becomes_secret(self) -> bool:
        """Go on over TLS; False if the other side breaks off because of the certificate."""
        assert self.server.tls
        try:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        except OSError:
            return False
        self.setup()
        self.server.box.secret_from = len(self.server.box.verbs)
        return True

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server itself knows the socket without TLS only

    def answers(self, verb: str, rest: str, to: str) -> tuple[str, ...]:
        if verb == "EHLO":
            offer = self.server.tls and self.server.box.secret_from is None
            return "250-here", *(["250-STARTTLS"] if offer else []), "250 AUTH PLAIN"
        if verb == "AUTH":
            said = base64.b64decode(rest.rsplit(maxsplit=1)[-1]).decode()
            self.server.box.logins.append(said)
            return (f"535 not {said.split(chr(0))[-1]}" if self.server.box.knows_nobody else "235 welcome",)
        if verb == "RCPT" and to in self.server.box.refuses:
            return ("550 nobody of this name",)
        return ({"DATA": "354 go on", "QUIT": "221 bye", "STARTTLS": "220 go on"}.get(verb, "250 ok"),)

    def letter(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return message_from_bytes(b"".join(lines), policy=policy.default)

    def answer(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def smtp_receiver(certificate: Path | None = None) -> Iterator[Mailbox]:
    """Listen on a free port until the test is over; a certificate, whose file holds the key too, offers TLS."""
    box = Mailbox()
    with SmtpServer(box, certificate) as server, _running(server):
        yield box


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
