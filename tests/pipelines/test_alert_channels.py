"""Channels of alerts against real receivers: an HTTP server and an SMTP server on this machine, and a file."""

from __future__ import annotations

import json
import shutil
import socket
import stat
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.deliveries.problems import InputProblem
from pipelines.alert_channels import File, Mail, Message, Unsent, Webhook, channels, trial_message
from pipelines.alert_channels import send as send_all
from pipelines.settings import PREFIX, SETTINGS
from tests.pipelines.receivers import http_receiver, smtp_receiver

if TYPE_CHECKING:
    from pipelines.alert_channels import Channel

MESSAGE = Message("home: 1 open", "Check visit.key.unique failed\nWhat to do", {"source": "needlepoint", "alerts": [1]})
SECRET = "s3cret-of-the-room"  # noqa: S105 a made-up one


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests start without channels, whatever the machine has set."""
    for one in SETTINGS:
        monkeypatch.delenv(one.name, raising=False)


def send(channel: Channel, message: Message, seconds: float = 30) -> None:
    """Send one message, or raise why not."""
    (why,) = send_all([(channel, message)], seconds)
    if why is not None:
        raise Unsent(why)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_webhook_gets_json_with_a_text_for_chats() -> None:
    with http_receiver() as got:
        send(Webhook(got.url, SECRET), MESSAGE)
    assert got.bodies == [MESSAGE.content | {"text": f"{MESSAGE.title}\n\n{MESSAGE.text}"}]
    assert got.paths == ["/hook?room=alerts"]
    assert got.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert got.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [302, 401, 404, 500])
def test_webhook_that_does_not_take_it_is_said_without_its_answer(status: int) -> None:
    with http_receiver() as got:
        got.status = status
        with pytest.raises(Unsent, match=f"it answered {status}"):
            send(Webhook(got.url), MESSAGE)
    assert len(got.bodies) == 1, "a redirect is not followed"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that nobody has signed, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    file = tmp_path_factory.mktemp("certificate") / "receiver.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=receiver -addext subjectAltName=IP:127.0.0.1 -keyout -"
    done = subprocess.run([openssl, *made.split()], capture_output=True, check=True)  # noqa: S603 our own words
    file.write_bytes(done.stdout)
    return file


def test_webhook_over_tls_only_to_whom_the_machine_trusts(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver(certificate) as got:
        secret = Webhook(got.url.replace("http:", "https:"), SECRET)
        with pytest.raises(Unsent, match="its certificate or its encryption cannot be used"):
            send(secret, MESSAGE)
        assert got.headers == [], "the token went nowhere"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send(secret, MESSAGE)
    assert got.headers[0]["Authorization"] == f"Bearer {SECRET}"


def test_mail_arrives_whole() -> None:
    with smtp_receiver() as box:
        send(Mail("ops@clinic.example", "needlepoint@clinic.example", "127.0.0.1", box.port), MESSAGE)
    ((to, letter),) = box.letters
    assert to == "ops@clinic.example"
    assert letter["Subject"] == "[needlepoint] home: 1 open"
    assert (letter["From"], letter["To"]) == ("needlepoint@clinic.example", "ops@clinic.example")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().splitlines() == MESSAGE.text.splitlines()
    assert box.logins == []


def test_mail_logs_in_on_this_machine() -> None:
    with smtp_receiver() as box:
        send(Mail("ops@clinic.example", "a@b.example", "127.0.0.1", box.port, "user", SECRET), MESSAGE)
    assert box.logins == [f"\0user\0{SECRET}"]
    assert len(box.letters) == 1


def test_refused_login_is_said_without_the_password_even_if_the_server_repeats_it() -> None:
    with smtp_receiver() as box:
        box.knows_nobody = True
        with pytest.raises(Unsent, match="it answered 535") as raised:
            send(Mail("ops@clinic.example", "a@b.example", "127.0.0.1", box.port, "user", SECRET), MESSAGE)
    assert box.letters == []
    assert SECRET not in str(raised.value)


@pytest.mark.usefixtures("elsewhere")
def test_password_is_not_sent_without_tls() -> None:
    with smtp_receiver() as box, pytest.raises(Unsent, match="a password is not sent without it"):
        send(Mail("ops@clinic.example", "a@b.example", "127.0.0.1", box.port, "user", SECRET), MESSAGE)
    assert (box.logins, box.letters) == ([], [])


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server on this machine is taken for one that is not."""
    monkeypatch.setattr("pipelines.alert_channels.THIS_MACHINE", ())


@pytest.mark.usefixtures("elsewhere")
def test_mail_over_starttls_says_nothing_before_it(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with smtp_receiver(certificate) as box:
        send(Mail("ops@clinic.example", "a@b.example", "127.0.0.1", box.port, "user", SECRET), MESSAGE)
    assert box.secret_from is not None
    assert box.verbs[: box.secret_from] == ["EHLO", "STARTTLS"]
    assert box.logins == [f"\0user\0{SECRET}"]
    assert [(to, letter["Subject"]) for to, letter in box.letters] == [
        ("ops@clinic.example", "[needlepoint] home: 1 open")
    ]


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("trusted", ["nobody", "another name"])
def test_mail_server_that_is_not_trusted_gets_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, trusted: str
) -> None:
    host = "127.0.0.1"
    if trusted == "another name":  # the certificate is trusted, but speaks of the address only
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        host = "localhost"
    with smtp_receiver(certificate) as box:
        with pytest.raises(Unsent, match="its certificate or its encryption cannot be used") as raised:
            send(Mail("ops@clinic.example", "a@b.example", host, box.port, "user", SECRET), MESSAGE)
        assert SECRET not in f"{raised.value} {raised.value.__cause__}"
    assert (box.logins, box.letters, box.secret_from) == ([], [], None)
    assert box.verbs == ["EHLO", "STARTTLS"]


@pytest.mark.usefixtures("elsewhere")
def test_letter_goes_to_no_untrusted_server_even_without_a_password(certificate: Path) -> None:
    with smtp_receiver(certificate) as box, pytest.raises(Unsent, match="its certificate"):
        send(Mail("ops@clinic.example", "a@b.example", "127.0.0.1", box.port), MESSAGE)
    assert box.letters == []


def test_refused_address_is_said() -> None:
    with smtp_receiver() as box:
        box.refuses = ("gone@clinic.example",)
        with pytest.raises(Unsent, match="it refused the address") as raised:
            send(Mail("gone@clinic.example", "a@b.example", "127.0.0.1", box.port), MESSAGE)
    assert "nobody of this name" not in str(raised.value)


def test_title_with_a_line_break_makes_no_second_header() -> None:
    planted = Message("home\nBcc: all@elsewhere.example", "text", {})
    with smtp_receiver() as box, pytest.raises(Unsent, match="ValueError"):
        send(Mail("ops@clinic.example", "a@b.example", "127.0.0.1", box.port), planted)
    assert box.letters == []


def test_file_grows_by_a_line_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    send(File(path), MESSAGE)
    send(File(path), MESSAGE)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [MESSAGE.content] * 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "channel",
    [
        Webhook(f"http://127.0.0.1:{free_port()}/{SECRET}"),
        Webhook(f"https://127.0.0.1:{free_port()}/{SECRET}"),
        Mail("ops@clinic.example", "a@b.example", "127.0.0.1", free_port(), "user", SECRET),
        File(Path("/nowhere") / SECRET / "alerts.jsonl"),
    ],
    ids=["http", "https", "mail", "file"],
)
def test_receiver_that_is_not_there_is_said_without_its_address(channel: Channel) -> None:
    with pytest.raises(Unsent) as raised:
        send(channel, MESSAGE)
    assert SECRET not in f"{raised.value} {channel.name} {raised.value.__cause__}"
    assert SECRET not in repr(channel) or isinstance(channel, File)


def test_receiver_that_never_answers_is_left_after_a_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begun = time.monotonic()
        with pytest.raises(Unsent, match=r"longer than 0\.2 seconds"):
            send(Webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/"), MESSAGE, seconds=0.2)
        assert time.monotonic() - begun < 5


def test_what_is_left_does_not_keep_the_process_alive() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        before = set(threading.enumerate())
        with pytest.raises(Unsent):
            send(Webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/"), MESSAGE, seconds=0.05)
        assert all(thread.daemon for thread in set(threading.enumerate()) - before)


def test_one_that_never_answers_does_not_keep_it_from_the_others(tmp_path: Path) -> None:
    with socket.socket() as silent, http_receiver() as got:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        to = (Webhook(address), Webhook(got.url), Webhook(address), File(tmp_path / "alerts.jsonl"))
        begun = time.monotonic()
        ends = send_all([(channel, MESSAGE) for channel in to], seconds=1)
        assert time.monotonic() - begun < 5
    assert ends == ["it took longer than 1 seconds", None, "it took longer than 1 seconds", None]


def test_no_setting_no_channel() -> None:
    assert channels() == ()


def test_channels_are_those_that_are_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = {
        "WEBHOOK": "https://chat.example:8443/hooks/abc",
        "WEBHOOK_TOKEN": SECRET,
        "EMAIL": " ops@clinic.example , night@clinic.example,",
        "FROM": "needlepoint@clinic.example",
        "SMTP": "mail.clinic.example:587",
        "SMTP_USER": "needlepoint",
        "SMTP_PASSWORD": SECRET,
        "FILE": str(tmp_path / "alerts.jsonl"),
    }
    for name, text in settings.items():
        monkeypatch.setenv(f"{PREFIX}ALERT_{name}", text)
    sender, account = "needlepoint@clinic.example", ("mail.clinic.example", 587, "needlepoint", SECRET)
    assert channels() == (
        Webhook("https://chat.example:8443/hooks/abc", SECRET),
        Mail("ops@clinic.example", sender, *account),
        Mail("night@clinic.example", sender, *account),
        File(tmp_path / "alerts.jsonl"),
    )
    assert not any(SECRET in one.name or "/hooks/" in one.name for one in channels())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"WEBHOOK": "chat.example/hook"}, "WEBHOOK"),
        ({"WEBHOOK": "file:///etc/passwd"}, "WEBHOOK"),
        ({"WEBHOOK": "https://user:word@chat.example/"}, "WEBHOOK"),
        ({"WEBHOOK": "https://chat.example:port/"}, "WEBHOOK"),
        ({"WEBHOOK": "https://chat.example/a\r\nX: y"}, "WEBHOOK"),
        ({"WEBHOOK": "https://[chat/"}, "WEBHOOK"),
        ({"WEBHOOK": "http://chat.example/", "WEBHOOK_TOKEN": SECRET}, "WEBHOOK"),
        ({"WEBHOOK": "https://chat.example/", "WEBHOOK_TOKEN": "a\nb"}, "WEBHOOK_TOKEN"),
        ({"EMAIL": "ops@clinic.example", "FROM": "a@b.example"}, "SMTP"),
        ({"EMAIL": "ops@clinic.example", "FROM": "a@b.example", "SMTP": "mail:x"}, "SMTP"),
        ({"EMAIL": "ops@clinic.example", "SMTP": "mail"}, "FROM"),
        ({"EMAIL": "ops", "FROM": "a@b.example", "SMTP": "mail"}, "EMAIL"),
        ({"EMAIL": "o@b\nBcc: x@y", "FROM": "a@b.example", "SMTP": "mail"}, "EMAIL"),
        ({"EMAIL": "ops@b.example", "FROM": "a@b.example", "SMTP": "mail", "SMTP_USER": "u"}, "SMTP_USER"),
    ],
)
def test_setting_that_cannot_be_used_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    for name, text in settings.items():
        monkeypatch.setenv(f"{PREFIX}ALERT_{name}", text)
    with pytest.raises(InputProblem) as raised:
        channels()
    assert (raised.value.code, raised.value.where) == ("SETTING", f"{PREFIX}ALERT_{named}")
    assert not any(text in str(raised.value) for text in settings.values() if len(text) > 4)


def test_message_of_a_test_says_that_it_is_one() -> None:
    made = trial_message("north", datetime(2026, 11, 26, 5, tzinfo=UTC))
    assert (made.title, made.content["alerts"]) == ("north: test", [])
