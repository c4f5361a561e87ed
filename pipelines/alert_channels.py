"""Where alerts go: a webhook, addresses by e-mail, a file. Each is set by the environment; without one, nowhere.

A channel sends a whole message or raises ``Unsent``. What it raises says why in our words: neither an address with a
secret in it nor what the other side answered is repeated.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from assets.audit.ledger import PRIVATE_FILE
from assets.deliveries.problems import InputProblem
from pipelines.settings import (
    ALERT_EMAIL_VARIABLE,
    ALERT_FILE_VARIABLE,
    ALERT_FROM_VARIABLE,
    ALERT_SMTP_PASSWORD_VARIABLE,
    ALERT_SMTP_USER_VARIABLE,
    ALERT_SMTP_VARIABLE,
    ALERT_TOKEN_VARIABLE,
    ALERT_WEBHOOK_VARIABLE,
    value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from urllib.parse import SplitResult

ANSWER_SECONDS = 10
"""How long each step of a channel may take."""
WHOLE_SECONDS = 30
"""How long all channels may take: one that answers letter by letter must not hold up a run. Dagster gives a minute."""
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
SMTP_PORT, SMTPS_PORT = 25, 465
OK = range(200, 300)
WORDS: dict[type[Exception], str] = {
    smtplib.SMTPRecipientsRefused: "it refused the address",
    TimeoutError: "it did not answer in time",
    ssl.SSLError: "its certificate or its encryption cannot be used",
    ConnectionError: "it refused or broke the connection",
    PermissionError: "it may not be written",
}
T = TypeVar("T")


class Unsent(Exception):  # noqa: N818 an outcome that is expected, not an error of the program
    """A message that did not go out; the text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: ``title`` in one line, ``text`` for people, ``content`` for machines."""

    title: str
    text: str
    content: dict[str, Any]


class Channel(Protocol):
    """A way to tell somebody. ``name`` stays the same from run to run and holds no secret."""

    @property
    def name(self) -> str:
        """What this channel is called."""
        ...

    def send(self, message: Message) -> None:
        """Send it, or raise ``Unsent``, ``OSError`` or ``HTTPException``."""
        ...


@dataclass(frozen=True, slots=True)
class Webhook:
    """JSON over HTTP. ``text`` is a field of it, so that chat programs show it as it comes."""

    url: str = field(repr=False)
    token: str | None = field(repr=False, default=None)

    @property
    def name(self) -> str:
        """Named without the address: its path is often the secret."""
        return "webhook"

    def send(self, message: Message) -> None:
        """Post it once; redirects are not followed, for a token would go with them."""
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            body = json.dumps(message.content | {"text": f"{message.title}\n\n{message.text}"}).encode()
            connection.request("POST", _target(parts), body, headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        if status not in OK:
            why = f"it answered {status}"
            raise Unsent(why)


@dataclass(frozen=True, slots=True)
class Mail:
    """E-mail to one address, so that one that is refused keeps nothing from the others."""

    to: str
    sender: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(repr=False, default=None)

    @property
    def name(self) -> str:
        """Named by the address."""
        return f"mail {self.to}"

    def send(self, message: Message) -> None:
        """Hand it to the mail server, encrypted unless the server is on this machine or offers no TLS.

        A password goes over TLS only, or stays on this machine.
        """
        secure = ssl.create_default_context()
        is_here = self.host in THIS_MACHINE
        smtp = (
            smtplib.SMTP_SSL(self.host, self.port, timeout=ANSWER_SECONDS, context=secure)
            if self.port == SMTPS_PORT
            else smtplib.SMTP(self.host, self.port, timeout=ANSWER_SECONDS)
        )
        with smtp:
            smtp.ehlo()
            is_secret = self.port == SMTPS_PORT
            if not is_secret and not is_here and smtp.has_extn("starttls"):
                smtp.starttls(context=secure)
                is_secret = True
            if self.user and self.password:
                if not (is_secret or is_here):
                    why = "it offers no TLS, and a password is not sent without it"
                    raise Unsent(why)
                smtp.login(self.user, self.password)
            smtp.send_message(self._letter(message))

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"] = f"[needlepoint] {message.title}"
        letter["From"] = self.sender
        letter["To"] = self.to
        letter["Date"] = formatdate()
        letter["Message-ID"] = make_msgid(domain=self.sender.partition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        return letter


@dataclass(frozen=True, slots=True)
class File:
    """One line of JSON per message, for a program that watches a file."""

    path: Path

    @property
    def name(self) -> str:
        """There is one."""
        return "file"

    def send(self, message: Message) -> None:
        """Add a line; the file is readable by its owner only."""
        line = json.dumps(message.content, sort_keys=True).encode() + b"\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def trial_message(installation: str, now: datetime) -> Message:
    """What shows that a channel works."""
    text = "This is a test. Alerts of this installation arrive here."
    content = {
        "source": "needlepoint",
        "installation": installation,
        "at": now.isoformat(timespec="seconds"),
        "title": "test",
        "alerts": [],
    }
    return Message(f"{installation}: test", text, content)


def send(messages: Sequence[tuple[Channel, Message]], seconds: float = WHOLE_SECONDS) -> list[str | None]:
    """Send each channel its message, all at once, and return for each None, or why it did not go out."""
    ended: list[list[str | None]] = [[] for _ in messages]
    # what still runs when the time is up is left to end by itself; it must not keep the process alive
    senders = [
        threading.Thread(target=lambda pair, end: end.append(_sent(*pair)), args=(pair, end), daemon=True)
        for pair, end in zip(messages, ended, strict=True)
    ]
    for sender in senders:
        sender.start()
    until = time.monotonic() + seconds
    for sender in senders:
        sender.join(max(0.0, until - time.monotonic()))
    return [end[0] if end else f"it took longer than {seconds:g} seconds" for end in ended]


def _sent(channel: Channel, message: Message) -> str | None:
    """None, or why it did not go out."""
    try:
        channel.send(message)
    except (Unsent, OSError, HTTPException, ValueError) as error:
        return _why(error)
    return None


def _why(error: Exception) -> str:
    """In our words: what the other side said may repeat what was sent to it."""
    if isinstance(error, Unsent):
        return str(error)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    words = next((words for kind, words in WORDS.items() if isinstance(error, kind)), "it cannot be reached or written")
    return f"{words} ({type(error).__name__})"


def channels() -> tuple[Channel, ...]:
    """Every channel that is set.

    Raises:
        InputProblem: SETTING: a setting cannot be used. It names the variable and never what it is set to.

    """
    return tuple(_channels())


def _channels() -> Iterator[Channel]:
    url, token = value(ALERT_WEBHOOK_VARIABLE), value(ALERT_TOKEN_VARIABLE)
    if url:
        yield _webhook(url, token)
    addresses = value(ALERT_EMAIL_VARIABLE)
    if addresses:
        yield from _mails([part for one in addresses.split(",") if (part := one.strip())])
    path = value(ALERT_FILE_VARIABLE)
    if path:
        yield File(Path(path).resolve())


def _webhook(url: str, token: str | None) -> Webhook:
    parts = _usable(ALERT_WEBHOOK_VARIABLE, lambda: urlsplit(url))
    port = _usable(ALERT_WEBHOOK_VARIABLE, lambda: parts.port)
    is_url = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and port != 0
    if not is_url or not url.isascii() or not url.isprintable() or " " in url:
        raise _unusable(ALERT_WEBHOOK_VARIABLE, "it is no address of a web server", "Give https://host/path")
    if token and not (token.isascii() and token.isprintable()):
        raise _unusable(ALERT_TOKEN_VARIABLE, "it holds what cannot be sent", "Give letters, digits and signs of ASCII")
    if token and parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        raise _unusable(ALERT_WEBHOOK_VARIABLE, "a token is not sent without TLS", "Give an address that is https://")
    return Webhook(url, token)


def _mails(addresses: list[str]) -> Iterator[Mail]:
    sender, server = value(ALERT_FROM_VARIABLE), value(ALERT_SMTP_VARIABLE)
    user, password = value(ALERT_SMTP_USER_VARIABLE), value(ALERT_SMTP_PASSWORD_VARIABLE)
    if not server:
        raise _unusable(ALERT_SMTP_VARIABLE, "there is no mail server to send with", "Give host:port")
    parts = _usable(ALERT_SMTP_VARIABLE, lambda: urlsplit(f"//{server}"))
    port = _usable(ALERT_SMTP_VARIABLE, lambda: parts.port)
    if not parts.hostname or "@" in server or parts.path:
        raise _unusable(ALERT_SMTP_VARIABLE, "it is no mail server", "Give host:port")
    if not (sender and _is_address(sender)):
        raise _unusable(ALERT_FROM_VARIABLE, "it is no address", "Give the address that alerts come from")
    if bool(user) != bool(password):
        raise _unusable(ALERT_SMTP_USER_VARIABLE, "one of account and password is missing", "Give both or none")
    for address in addresses:
        if not _is_address(address):
            raise _unusable(ALERT_EMAIL_VARIABLE, "one of them is no address", "Give addresses with commas between")
        yield Mail(address, sender, parts.hostname, port or SMTP_PORT, user, password)


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return (
        bool(name and at and host) and text.isascii() and text.isprintable() and not set(text) & set(' <>",;@') - {"@"}
    )


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _usable(variable: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except ValueError:
        raise _unusable(variable, "it cannot be read", "See the settings in README.md") from None


def _unusable(variable: str, what: str, remedy: str) -> InputProblem:
    return InputProblem("SETTING", variable, what, remedy)
