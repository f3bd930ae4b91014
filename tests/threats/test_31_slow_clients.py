"""Threat 31, slow clients: threads bear some of them, a proxy that buffers bears all; we ship both."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import requests

from miniapp.project import new as scaffold
from support.paths import ROOT
from support.servers import gunicorn

CONFIG = ROOT / "miniapp/templates/scaffold/gunicorn.conf.py"
SETTINGS = {
    "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests",
    "ONECHAT_APP_ID": "app-12345678",
    "ONECHAT_API_KEY": "key-12345678",
    "WEB_CONCURRENCY": 1,
    "WEB_THREADS": 8,
}
HALF_A_REQUEST = b"POST /miniapp/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"


def test_slow_clients_hold_a_thread_each_and_no_more():
    """With as many slow clients as threads less one, the configuration that we ship serves all others."""
    with gunicorn(SETTINGS, "--config", str(CONFIG)) as url, ExitStack() as slow, requests.Session() as session:
        session.trust_env = False
        address = (urlsplit(url).hostname, urlsplit(url).port)
        for _ in range(SETTINGS["WEB_THREADS"] - 1):
            slow.enter_context(socket.create_connection(address)).sendall(HALF_A_REQUEST)
        for _ in range(20):
            # A connection each: on a kept one the thread's turn would not be proven.
            assert session.get(f"{url}/healthz", headers={"Connection": "close"}, timeout=10).status_code == 200


def test_a_buffering_proxy_is_documented(tmp_path):
    """The deployment page has a proxy's configuration that takes requests in whole, and the project says to use one."""
    nginx, _ = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL)
    lines = {line.split("#")[0].strip() for line in nginx.splitlines()}
    assert {
        "proxy_request_buffering on;",
        "proxy_buffering on;",
        "client_header_timeout 10s;",
        "client_body_timeout 10s;",
        "proxy_set_header Host $http_host;",
        "proxy_next_upstream off;",
    } <= lines
    scaffold.create(tmp_path / "lunch", {})
    assert "proxy that buffers" in (tmp_path / "lunch/gunicorn.conf.py").read_text()
    assert "proxy that buffers" in (tmp_path / "lunch/README.md").read_text()
