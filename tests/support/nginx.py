"""Debian's nginx with the server block of the deployment page, and a browser's connections to it."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from support.paths import ROOT

NAME = "lunch.example"  # as in the block
PATIENCE = 30.0  # seconds, for what takes milliseconds: the tests share the machine


def configuration(folder: Path, gunicorn_url: str, timeout: str, below_prefix: bool) -> str:
    """Return an nginx configuration with the page's server block, with the paths of this test.

    A Unix socket replaces port 443, which may be taken. `timeout` replaces the ten seconds that clients have.
    """
    block, prefix = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL)
    exchanges = {
        "server 127.0.0.1:8000;": f"server {gunicorn_url.removeprefix('http://')};",
        "listen 443 ssl;": f"listen unix:{folder}/nginx.sock ssl;",
        "/etc/ssl/lunch.example.crt": f"{folder}/tls.crt",
        "/etc/ssl/lunch.example.key": f"{folder}/tls.key",
        "client_header_timeout 10s;": f"client_header_timeout {timeout};",
        "client_body_timeout 10s;": f"client_body_timeout {timeout};",
    }
    if below_prefix:
        exchanges["    location / {\n        proxy_pass http://miniapp;\n    }\n"] = prefix
    for theirs, ours in exchanges.items():
        assert block.count(theirs) == 1, theirs
        block = block.replace(theirs, ours)
    return (
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n"
        f"uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n{block} }}\n"
    )


class Browser:
    """Connect to nginx as a browser does to port 443."""

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

    @contextmanager
    def asking(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one request on a new connection. Return the connection, from which the answer is to be read."""
        connection = http.client.HTTPSConnection(NAME)
        connection.sock = self.connect()
        try:
            connection.request(method, path, body, headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        """Send one request. Return its answer, with the body in `text`."""
        with self.asking(method, path, body, **headers) as answer:
            answer.text = answer.read().decode()
            return answer


@contextmanager
def nginx(gunicorn_url: str, timeout: str = "10s", *, below_prefix: bool = False) -> Iterator[Browser]:
    """Run Debian's nginx in front of `gunicorn_url`. Yield a browser for it."""
    with tempfile.TemporaryDirectory(prefix="miniapp-nginx-", dir="/tmp") as name:  # a socket's path must be short
        folder, authority = Path(name), trustme.CA()
        certificate = authority.issue_cert(NAME)
        certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")
        certificate.private_key_pem.write_to_path(folder / "tls.key")
        (folder / "nginx.conf").write_text(configuration(folder, gunicorn_url, timeout, below_prefix))
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
