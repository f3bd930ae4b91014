"""Threat 35: the sandbox is reached from another machine, or by a page through DNS rebinding."""

from __future__ import annotations

import http.client
import itertools
import socket
from collections.abc import Callable

import pytest
from flask import Flask

from miniapp.errors import MiniAppError
from miniapp.sandbox import Sandbox, SandboxServer
from support.people import ALICE, BOB
from support.sandbox import Caller, Registered, register

PATHS = ["/", "/portal/", "/phones/state", "/_sandbox/state", "/static/portal.js", "/nowhere", "/onechat/api/x"]
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:8700",
    "localhost.evil.example",
    "onechat.localhost.evil.example",
    "evilonechat.localhost",
    "alice.onechat.localhost",
    "127.0.0.1.evil.example",
    "169.254.169.254",
    "[::2]",
    "0.0.0.0",
    "localhost,evil.example",
    "localhost evil.example",
    "localhost@evil.example",
    "localhost:x",
    ":8700",
    "\xff",
]
OWN_HOSTS = ["localhost", "127.0.0.1", "[::1]", "onechat.localhost", "OneChat.LocalHost:8700", "127.0.0.1:1", "[::1]:1"]


@pytest.mark.parametrize("name", FOREIGN_HOSTS)
def test_a_foreign_host_name_is_400(call: Caller, name: str) -> None:
    """Whatever a rebound name asks for, even with the token, it gets nothing."""
    headers = {"Host": name, "X-Sandbox-Token": call.token}
    for path, method in itertools.product(PATHS, ("GET", "POST")):
        answer = call.client.open(path, method=method, headers=headers, content_type="application/json")
        assert answer.status_code == 400
        assert call.token not in answer.text


@pytest.mark.parametrize("name", OWN_HOSTS)
def test_its_own_names_are_answered(call: Caller, name: str) -> None:
    """Loopback by name and address, and the name that browsers use."""
    answer = call.client.get("/phones/state", headers={"Host": name, "X-Sandbox-Token": call.token})
    assert answer.status_code == 200


def test_more_names_by_configuration(make: Callable[..., Flask]) -> None:
    """`trusted_hosts` adds exactly what it lists."""
    app = make(trusted_hosts=("Sandbox.test",))
    token = {"X-Sandbox-Token": Caller(app).token}
    assert app.test_client().get("/phones/state", headers={"Host": "sandbox.test:80", **token}).status_code == 200
    assert app.test_client().get("/phones/state", headers={"Host": "x.sandbox.test", **token}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/phones/state", "/phones/events", "/_sandbox/state", "/_sandbox/sent", "/_sandbox/x"]
)
def test_the_controls_need_the_token(call: Caller, path: str) -> None:
    """None, an empty one, a wrong one and one that begins right are 401."""
    for token in (None, "", "x", call.token[:-1], call.token + "x"):
        headers = {} if token is None else {"X-Sandbox-Token": token}
        assert call.client.get(path, headers=headers).status_code == 401


def test_secrets_are_random(make: Callable[..., Flask]) -> None:
    """No two sandboxes, apps or sessions share a secret, and each is long enough not to be guessed."""
    calls = [Caller(make()) for _ in range(3)]
    tokens = [call.token for call in calls]
    keys = [register(call).api_key for call in calls]
    sessions = [call.post("/_sandbox/sessions", {"jid": BOB})["sessionId"] for call in calls]
    for secrets in (tokens, keys, sessions):
        assert len(set(secrets)) == 3
        assert all(len(secret) >= 32 for secret in secrets)


def test_it_listens_on_loopback_only(server: SandboxServer) -> None:
    """The socket is bound to 127.0.0.1, and this machine's other addresses have no listener."""
    assert server._server is not None
    assert server._server.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), 1)
    with pytest.raises(MiniAppError):
        SandboxServer(host="0.0.0.0")


def test_a_rebound_name_is_refused_on_the_wire(server: SandboxServer) -> None:
    """With a real request, by its Host header or by an absolute URL."""
    for target, host in (("/phones/state", "evil.example"), ("http://evil.example/phones/state", "localhost")):
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        client.putrequest("GET", target, skip_host=True)
        client.putheader("Host", host)
        client.putheader("X-Sandbox-Token", server.token)
        client.endheaders()
        assert client.getresponse().status == 400
        client.close()


def test_there_is_no_debugger(app: Flask, host: Sandbox, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """No console, and a failure of the sandbox itself shows no traceback."""
    assert not app.debug
    assert call("GET", "/console").status_code == 404
    assert call("GET", "/?__debugger__=yes&cmd=resource&f=debugger.js").headers["Content-Type"].startswith("text/html")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CANARY")

    monkeypatch.setattr(host.store.users, "page", broken)
    for path in ("/phones/state", "/portal/users"):
        answer = call("GET", path)
        assert answer.status_code == 500
        assert "CANARY" not in answer.text


def test_no_other_client_can_use_an_apps_session(call: Caller, lunch: Registered) -> None:
    """The launch data goes to the host page alone: without the token there is none."""
    answer = call.client.post(f"/phones/{ALICE}/launch", json={"appId": lunch.app_id})
    assert answer.status_code == 401
