"""Threat 31, slow clients: Debian's nginx, with the very block of the deployment page, bears 200 of them."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trustme
from calls import APP_ID, KEY, SESSION, USER
from faulthost import FaultHost
from servers import gunicorn

ROOT = Path(__file__).parents[2]
NAME = "lunch.example"  # as in the block
SLOW = 200
SETTINGS = {
    "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests",
    "ONECHAT_APP_ID": APP_ID,
    "ONECHAT_API_KEY": KEY,
    "ONECHAT_PUBLIC_URL": f"https://{NAME}",
    "WEB_CONCURRENCY": 2,
}
HALVES = {
    "headers": f"GET / HTTP/1.1\r\nHost: {NAME}\r\nX-".encode(),
    "body": (  # of a kind that the app reads to its end
        f"POST /miniapp/session HTTP/1.1\r\nHost: {NAME}\r\nOrigin: https://{NAME}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode(),
}
PATIENCE = 30.0  # seconds, for what takes milliseconds: the tests share the machine


def documented() -> str:
    """The block of the deployment page."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL)
    return block


def configuration(folder: Path, gunicorn_url: str, timeout: str) -> str:
    """The block, with places of this test in the stead of those of a server, inside of what Debian has around it.

    A Unix socket stands for port 443, which may be taken; `timeout` for the ten seconds that clients have.
    """
    block = documented()
    for theirs, ours in {
        "server 127.0.0.1:8000;": f"server {gunicorn_url.removeprefix('http://')};",
        "listen 443 ssl;": f"listen unix:{folder}/nginx.sock ssl;",
        "/etc/ssl/lunch.example.crt": f"{folder}/tls.crt",
        "/etc/ssl/lunch.example.key": f"{folder}/tls.key",
        "client_header_timeout 10s;": f"client_header_timeout {timeout};",
        "client_body_timeout 10s;": f"client_body_timeout {timeout};",
    }.items():
        assert block.count(theirs) == 1, theirs
        block = block.replace(theirs, ours)
    return (
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n"
        f"uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n{block} }}\n"
    )


class Browser:
    """Connects to nginx as a browser does to port 443."""

    def __init__(self, authority: trustme.CA, path: Path) -> None:
        self._path = str(path)
        self._tls = ssl.create_default_context()
        authority.configure_trust(self._tls)

    def connect(self) -> ssl.SSLSocket:
        plain = socket.socket(socket.AF_UNIX)
        try:
            plain.settimeout(PATIENCE)
            plain.connect(self._path)
            return self._tls.wrap_socket(plain, server_hostname=NAME)
        except OSError:
            plain.close()
            raise

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        """One request, on a connection of its own."""
        connection = http.client.HTTPSConnection(NAME)
        connection.sock = self.connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()


@contextmanager
def nginx(gunicorn_url: str, timeout: str = "10s") -> Iterator[Browser]:
    """Debian's nginx before `gunicorn_url`: a browser for it."""
    with tempfile.TemporaryDirectory(prefix="miniapp-nginx-", dir="/tmp") as name:  # a socket's path must be short
        folder, authority = Path(name), trustme.CA()
        certificate = authority.issue_cert(NAME)
        certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")
        certificate.private_key_pem.write_to_path(folder / "tls.key")
        (folder / "nginx.conf").write_text(configuration(folder, gunicorn_url, timeout))
        with (folder / "log").open("wb") as log:
            command = ["nginx", "-p", name, "-c", folder / "nginx.conf", "-e", "stderr"]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            browser = Browser(authority, folder / "nginx.sock")
            ends = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < ends:
                try:
                    browser.connect().close()
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    continue
            else:
                pytest.fail("nginx did not start:\n" + (folder / "log").read_text())
            yield browser
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.mark.parametrize("half", HALVES)
def test_200_slow_clients_hold_nobody_up(half: str) -> None:
    """While 200 clients are in the middle of a request, a login and every page are served by two processes of eight
    threads, through nginx as documented.

    Clients have an hour here: nobody is to be served only since the slow ones were thrown out.
    """
    config = str(ROOT / "miniapp/templates/scaffold/gunicorn.conf.py")
    with FaultHost() as host, ExitStack() as stack:
        settings = {**SETTINGS, "ONECHAT_API_URL": host.url}
        browser = stack.enter_context(nginx(stack.enter_context(gunicorn(settings, "--config", config)), "1h"))
        for _ in range(SLOW):
            stack.enter_context(browser.connect()).sendall(HALVES[half])
        body = json.dumps({"jid": USER, "sessionId": SESSION})
        json_headers = {"Content-Type": "application/json", "Origin": f"https://{NAME}"}
        login = browser.ask("POST", "/miniapp/session", body, **json_headers)
        assert login.status == 204
        cookie = login.headers["Set-Cookie"]
        assert "Secure" in cookie
        for _ in range(20):
            assert browser.ask("GET", "/", Cookie=cookie.partition(";")[0]).status == 200


@pytest.mark.parametrize("half", HALVES)
def test_slow_clients_are_not_waited_for_for_ever(half: str) -> None:
    """Whoever sends nothing for as long as the block says, here a second, is cut off by nginx."""
    url = "http://127.0.0.1:9"  # nobody is there: the app has no part in it
    with nginx(url, "1s") as browser, browser.connect() as slow:
        slow.sendall(HALVES[half])
        while slow.recv(4096):
            pass


def test_what_is_too_large_ends_at_nginx() -> None:
    """A body above the documented limit never reaches the app."""
    with gunicorn({**SETTINGS, "ONECHAT_API_URL": "http://127.0.0.1:9/"}) as url, nginx(url) as browser:
        answer = browser.ask("POST", "/miniapp/session", "x" * (64 * 1024 + 1), Origin=f"https://{NAME}")
        assert answer.status == 413
        assert "nginx" in answer.headers["Server"]
