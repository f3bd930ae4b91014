"""Threat 19: a URL given at registration makes the host call an address of the attacker's choice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.people import ADMIN, ALICE
from support.sandbox import Caller

REFUSED = [
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://[::ffff:127.0.0.1]/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://[::ffff:169.254.169.254]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.example/",
    "http://10.0.0.1/",
    "http://[fe80::1]/",
    "http://0.0.0.0/",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
    "https://user:pw@lunch.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:70/",
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example/",
    "https:evil.example",
    "https://",
    "https://lunch.example:99999/",
    "https://lunch.example:x/",
    "https://lun ch.example/",
    "https://lunch.example/\r\nHost: evil.example",
    "https://lunch.example\\@evil.example/",
    "https://lunch.example/\0",
    "https://lunch.example/#oc=x",
    "https://-.example/",
    "https://" + "a" * 3000 + ".example/",
    "",
]
ACCEPTED = [
    "https://lunch.example/",
    "https://lunch.example:8443/m/app?lang=en",
    "https://169.254.169.254/",  # for browsers alone: this code makes no call to it
    "https://rebind.example/",
    "http://127.0.0.1:5000/",
    "http://[::1]:5000/",
    "http://localhost:5000/",
    "http://lunch.onechat.localhost:5000/",
]


class Connections:
    """Every address that this process connects to or looks up, while it watches."""

    def __init__(self) -> None:
        self.seen: list[Any] | None = None
        sys.addaudithook(self._hook)  # it cannot be removed: once for the module

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is not None and event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
            self.seen.append((event, arguments))


@pytest.fixture(scope="module")
def watcher() -> Connections:
    return Connections()


@pytest.fixture
def connections(watcher: Connections) -> Iterator[list[Any]]:
    watcher.seen = []
    yield watcher.seen
    watcher.seen = None


def register(call: Caller, session_id: str, url: str, icon: str) -> int:
    """HTTP status of a registration at the REST API."""
    body = {"adminJid": ADMIN, "sessionId": session_id, "appName": "x", "appIcon": icon, "appUrl": url}
    return call.api("registerMiniApp", body)[0]


@pytest.mark.parametrize("url", REFUSED)
def test_what_hides_where_it_leads_is_refused(
    call: Caller, session: Callable[..., str], connections: list[Any], url: str
) -> None:
    """As URL or as icon, at the REST API and the controls: refused, and no connection made to find out."""
    admin = session(ADMIN)
    assert register(call, admin, url, "https://lunch.example/i.png") == 400
    assert register(call, admin, "https://lunch.example/", url) == 400
    for body in ({"url": url, "icon": "https://lunch.example/i"}, {"url": "https://lunch.example/", "icon": url}):
        assert call("POST", "/_sandbox/apps", {"name": "x", "admin": ADMIN, **body}).status_code == 400
    assert call.get("/_sandbox/state")["apps"] == []
    assert connections == []


@pytest.mark.parametrize("url", ACCEPTED)
def test_nothing_is_fetched_ever(call: Caller, session: Callable[..., str], connections: list[Any], url: str) -> None:
    """Registered, listed, shown in the portal and launched: the sandbox itself never connects or looks up a name."""
    assert register(call, session(ADMIN), url, url) == 200
    (app,) = call.get("/_sandbox/state")["apps"]
    call.patch(f"/_sandbox/apps/{app['appId']}", {"url": url, "icon": url})
    call.post(f"/phones/{ALICE}/launch", {"appId": app["appId"]})
    call.get("/phones/state")
    assert call("GET", "/portal/").status_code == 200
    assert connections == []
