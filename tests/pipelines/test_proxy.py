"""The proxy before Dagster's web servers: who has no login, or comes from a page of another site, does not get through.

nginx itself runs, with the shipped file, before a web server that only counts what reaches it.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dashboards.chromium import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CONFIG = Path(__file__).parents[2] / "pipelines" / "deploy" / "nginx.conf"
ENGINEERS = "needlepoint.example.org"
REVIEWERS = "needlepoint-review.example.org"
LOGIN = {ENGINEERS: "engineer:one", REVIEWERS: "reviewer:two"}
NGINX, OPENSSL = shutil.which("nginx", path="/usr/sbin:/usr/bin:/bin"), shutil.which("openssl")
needs_nginx = pytest.mark.skipif(not (NGINX and OPENSSL), reason="no nginx or no openssl")
JSON = {"Content-Type": "application/json"}
SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Behind:
    """A web server that keeps the head of every request that reaches it."""

    port: int = field(default_factory=free_port)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def start(self) -> ThreadingHTTPServer:
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                seen.append((f"{self.command} {self.path}", dict(self.headers)))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
            setattr(Handler, f"do_{method}", Handler.answer)
        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@dataclass
class Proxy:
    """nginx with the shipped file, and what stands behind it."""

    port: int
    folder: Path
    behind: dict[str, Behind]

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], host: str = ENGINEERS, login: str | None = "own"
    ) -> http.client.HTTPResponse:
        """Send a request as a browser would, with the login of the host unless another is given."""
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 the certificate was made a second ago
        known = LOGIN.get(host) if login == "own" else login
        sent = {"Host": f"{host}:{self.port}"} | dict(headers)
        if known:
            sent["Authorization"] = f"Basic {base64.b64encode(known.encode()).decode()}"
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as connected,
        ):
            connection = http.client.HTTPConnection(host)
            connection.sock = connected
            connection.request(method, path, body="{}" if method == "POST" else None, headers=sent)
            answer = connection.getresponse()
            answer.close()
            return answer

    def reached(self, host: str = ENGINEERS) -> list[str]:
        """What has reached the web server since the last question."""
        found = [line for line, _ in self.behind[host].seen]
        self.behind[host].seen.clear()
        return found


def password_line(login: str) -> str:
    name, _, word = login.partition(":")
    digest = base64.b64encode(hashlib.sha1(word.encode()).digest()).decode()  # noqa: S324 what nginx reads everywhere
    return f"{name}:{{SHA}}{digest}\n"


def as_here(text: str, folder: Path, port: int, plain_port: int, behind: Mapping[str, Behind]) -> str:
    """The shipped file with ports and folders of this test; nothing else is changed."""
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen 80", f"listen 127.0.0.1:{plain_port}")
    text = text.replace("127.0.0.1:3000", f"127.0.0.1:{behind[ENGINEERS].port}")
    text = text.replace("127.0.0.1:3001", f"127.0.0.1:{behind[REVIEWERS].port}")
    return text.replace("/etc/nginx/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    behind = {ENGINEERS: Behind(), REVIEWERS: Behind()}
    servers = [one.start() for one in behind.values()]
    port = free_port()
    site = as_here(CONFIG.read_text(encoding="utf-8"), folder, port, free_port(), behind)
    (folder / "needlepoint-engineers.htpasswd").write_text(password_line(LOGIN[ENGINEERS]), encoding="utf-8")
    (folder / "needlepoint-reviewers.htpasswd").write_text(password_line(LOGIN[REVIEWERS]), encoding="utf-8")
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=needlepoint"
    files = ["-keyout", str(folder / "needlepoint.key"), "-out", str(folder / "needlepoint.crt")]
    subprocess.run([str(OPENSSL), *make.split(), *files], check=True, capture_output=True)  # noqa: S603 our words
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # its workers are another account, which cannot read a folder that is for its owner only
    main = f"user root;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    main += f"http {{\naccess_log off;\n{temporary}{site}}}\n"
    (folder / "nginx.conf").write_text(main, encoding="utf-8")
    started = subprocess.Popen(  # noqa: S603 our own file
        [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield Proxy(port, folder, behind)
    finally:
        started.terminate()
        started.wait(10)
        for server in servers:
            server.shutdown()
            server.server_close()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    pytest.fail("nginx does not listen")


@needs_nginx
@pytest.mark.parametrize("host", [ENGINEERS, REVIEWERS])
def test_own_pages_and_queries_get_through(proxy: Proxy, host: str) -> None:
    own = {"Origin": f"https://{host}:{proxy.port}", "Sec-Fetch-Site": "same-origin"}
    assert proxy.ask("GET", "/runs?view=all", {"Sec-Fetch-Site": "none"}, host).status == 200
    assert proxy.ask("POST", "/graphql", own | JSON, host).status == 200
    assert proxy.ask("GET", "/graphql", own | SOCKET, host).status == 200
    assert proxy.ask("POST", "/graphql", JSON, host).status == 200  # a program, which is no browser
    _, head = proxy.behind[host].seen[2]
    assert head["Upgrade"] == "websocket"
    assert all("Authorization" not in one for _, one in proxy.behind[host].seen)
    assert proxy.reached(host) == ["GET /runs?view=all", "POST /graphql", "GET /graphql", "POST /graphql"]


@needs_nginx
@pytest.mark.parametrize("login", [None, "engineer:wrong", "reviewer:two"])
def test_nobody_gets_through_without_the_login_of_this_server(proxy: Proxy, login: str | None) -> None:
    for method, path in (("GET", "/"), ("POST", "/graphql"), ("GET", "/server_info")):
        assert proxy.ask(method, path, JSON, login=login).status == 401
    assert proxy.reached() == []


QUERY = "?query=mutation%7BlaunchRun%7D"


@needs_nginx
@pytest.mark.parametrize("path", ["/graphql", "//graphql", "/%67raphql", "/./graphql", "/x/../graphql", "/graphql/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_no_query_by_any_other_method(proxy: Proxy, method: str, path: str) -> None:
    assert proxy.ask(method, path + QUERY, {}).status == 405
    assert proxy.reached() == []


@needs_nginx
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/graphql", ""])
def test_no_query_as_a_form_sends_it(proxy: Proxy, kind: str) -> None:
    assert proxy.ask("POST", "/graphql" + QUERY, {"Content-Type": kind}).status == 405
    assert proxy.reached() == []


@needs_nginx
@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{ENGINEERS}"},
        {"Origin": f"https://{ENGINEERS}.evil.example"},
        {"Origin": f"https://{REVIEWERS}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "anything"},
    ],
    ids=str,
)
def test_no_request_of_a_page_of_another_site(proxy: Proxy, foreign: dict[str, str]) -> None:
    assert proxy.ask("POST", "/graphql", JSON | foreign).status == 403
    assert proxy.ask("GET", "/graphql", SOCKET | foreign).status in (403, 405)
    assert proxy.ask("GET", "/runs", foreign).status == 403
    assert proxy.reached() == []


@needs_nginx
def test_socket_needs_a_page_that_opens_it(proxy: Proxy) -> None:
    assert proxy.ask("GET", "/graphql" + QUERY, SOCKET).status == 405
    assert proxy.reached() == []


@needs_nginx
def test_nothing_is_written_beside_queries(proxy: Proxy) -> None:
    assert proxy.ask("POST", "/report_asset_materialization/staging/visit", JSON).status == 403
    assert proxy.ask("DELETE", "/runs", {}).status == 403
    assert proxy.reached() == []


@needs_nginx
def test_other_names_get_no_answer(proxy: Proxy) -> None:
    with pytest.raises(ssl.SSLError):
        proxy.ask("GET", "/", {}, "other.example.org", LOGIN[ENGINEERS])
    with pytest.raises(http.client.RemoteDisconnected):
        proxy.ask("GET", "/", {"Host": "other.example.org"})
    assert proxy.reached() == []


@needs_nginx
def test_answers_forbid_frames_and_the_log_keeps_no_query(proxy: Proxy) -> None:
    answer = proxy.ask("GET", "/runs?secret=1", {})
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert answer.getheader("Strict-Transport-Security") == "max-age=31536000"
    log = (proxy.folder / "needlepoint.log").read_text(encoding="utf-8")
    assert 'engineer "GET /runs" 200' in log
    assert "secret" not in log
    proxy.reached()


ATTACK = """<!doctype html><title>evil</title>
<img src="{target}/graphql?query=mutation%7BlaunchRun%7D">
<form id="f" method="post" enctype="text/plain" target="t" action="{target}/graphql?query=mutation%7BlaunchRun%7D">
<input name="a"></form><iframe name="t"></iframe>
<script>
document.getElementById("f").submit();
fetch("{target}/graphql", {{method: "POST", mode: "no-cors", credentials: "include", body: "{{}}"}}).catch(() => 0)
  .then(() => new WebSocket("{target}/graphql".replace("http", "ws"), "graphql-ws"));
setTimeout(() => {{ document.title = "done"; }}, 1500);
</script>"""


@pytest.fixture
def evil() -> Iterator[Callable[[str], str]]:
    """A web server of somebody else, whose page sends to a target what it can; takes the target, gives the address."""
    pages: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages[-1])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    setattr(Handler, "do_GET", Handler.answer)  # noqa: B010 the name is not ours
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def serve(target: str) -> str:
            pages.append(ATTACK.format(target=target).encode())
            return f"http://evil.example:{server.server_port}/"

        yield serve
        server.shutdown()


@needs_nginx
@pytest.mark.browser
def test_page_of_another_site_in_a_browser_that_is_logged_in(proxy: Proxy, evil: Callable[[str], str]) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    name, _, word = LOGIN[ENGINEERS].partition(":")
    arguments = [*ARGUMENTS, "--host-resolver-rules=MAP *.example* 127.0.0.1"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        context = browser.new_context(ignore_https_errors=True, http_credentials={"username": name, "password": word})
        own = context.new_page()
        own.goto(f"https://{ENGINEERS}:{proxy.port}/")
        query = "{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}"
        assert own.evaluate(f"fetch('/graphql', {query}).then(answer => answer.status)") == 200
        assert "POST /graphql" in proxy.reached()

        def attack(target: str) -> list[str]:
            page = context.new_page()
            page.goto(evil(target))
            page.wait_for_function("document.title === 'done'", timeout=20_000)
            return [line for line in proxy.reached() if "graphql" in line]

        assert attack(f"https://{ENGINEERS}:{proxy.port}") == []
        # the same page is an attack: it reaches a web server that no proxy stands before
        found = attack(f"http://127.0.0.1:{proxy.behind[ENGINEERS].port}")
        browser.close()
    assert {f"GET /graphql{QUERY}", f"POST /graphql{QUERY}", "POST /graphql", "GET /graphql"} <= set(found)


def test_both_servers_have_the_same_rules() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    servers = re.findall(r"^server \{\n    listen 443 ssl;\n.*?^\}", text, re.MULTILINE | re.DOTALL)
    assert len(servers) == 2
    ours = re.sub(r" #.*", "", servers[0]).replace("engineers", "X").replace(ENGINEERS, "Y").replace(":3000", ":Z")
    theirs = servers[1].replace("reviewers", "X").replace(REVIEWERS, "Y").replace(":3001", ":Z")
    assert ours == theirs.replace('"Needlepoint review"', '"Needlepoint"')


def test_file_states_what_is_refused() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    for rule in ("auth_basic_user_file", "$needlepoint_foreign_site", "$needlepoint_foreign_origin", "return 405"):
        assert text.count(rule) >= 2, rule
    assert set(re.findall(r"proxy_pass http://([\d.]+):", text)) == {"127.0.0.1"}
