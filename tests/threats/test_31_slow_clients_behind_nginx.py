"""Threat 31, slow clients: Debian's nginx, with the very block of the deployment page, bears 200 of them."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress

import pytest

from support.calls import APP_ID, KEY, SESSION, USER
from support.faulthost import FaultHost
from support.nginx import NAME, nginx
from support.paths import ROOT
from support.servers import gunicorn

pytestmark = pytest.mark.system

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


@pytest.mark.parametrize("half", HALVES)
def test_200_slow_clients_delay_no_other_client(half: str) -> None:
    """While 200 clients are in the middle of a request, a login and every page are served by two processes of eight
    threads, through nginx as documented.

    Clients have an hour here: others must be served while the slow ones are still connected.
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
    """nginx cuts off clients that send nothing for as long as the block says, here a second."""
    url = "http://127.0.0.1:9"  # nothing listens there: the app has no part in it
    with nginx(url, "1s") as browser, browser.connect() as slow:
        slow.sendall(HALVES[half])
        with suppress(ConnectionError):  # of Debian 13's OpenSSL, which has to write while it reads
            while slow.recv(4096):
                pass


def test_what_is_too_large_ends_at_nginx() -> None:
    """A body above the documented limit never reaches the app."""
    with gunicorn({**SETTINGS, "ONECHAT_API_URL": "http://127.0.0.1:9/"}) as url, nginx(url) as browser:
        answer = browser.ask("POST", "/miniapp/session", "x" * (64 * 1024 + 1), Origin=f"https://{NAME}")
        assert answer.status == 413
        assert "nginx" in answer.headers["Server"]
