"""Fixtures of the sandbox's tests: a fresh sandbox in memory, callers of its routes, a registered app."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from miniapp.sandbox import Sandbox, SandboxConfig, SandboxServer, create_sandbox, sandbox_of
from support.people import ADMIN, ORIGIN


class Clock:
    """Keep the time, which tests move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """Call the sandbox's routes in this process, at the host name that browsers use, with the token."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = sandbox_of(app).config.token

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"X-Sandbox-Token": self.token, **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        return self.client.open(path, method=method, base_url=ORIGIN, headers=headers, **options)

    def get(self, path: str) -> Any:
        return self._good(self("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        return self._good(self("POST", path, {} if body is None else body))

    def patch(self, path: str, body: Any) -> Any:
        return self._good(self("PATCH", path, body))

    def delete(self, path: str) -> Any:
        return self._good(self("DELETE", path))

    def api(self, call: str, body: Any = None, key: str | None = None, **options: Any) -> tuple[int, dict[str, Any]]:
        """Make a REST call as a mini app's backend does, without the token. Return HTTP status and body."""
        if body is not None:
            options["json"] = body
        headers = {**({"apikey": key} if key is not None else {}), **options.pop("headers", {})}
        answer = self.client.post(f"/onechat/api/{call}", base_url=ORIGIN, headers=headers, **options)
        assert answer.mimetype == "application/json"
        return answer.status_code, json.loads(answer.text)

    def _good(self, answer: TestResponse) -> Any:
        assert answer.status_code in (200, 204), answer.text
        return answer.json if answer.data else None


@dataclass(frozen=True)
class Registered:
    app_id: str
    api_key: str


def register(call: Caller, name: str = "Lunch", url: str = "http://127.0.0.1:5000/") -> Registered:
    """Register an app by the controls."""
    app = call.post(
        "/_sandbox/apps", {"name": name, "icon": "http://127.0.0.1:5000/icon.svg", "url": url, "admin": ADMIN}
    )
    return Registered(app["appId"], app["apiKey"])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make() -> Iterator[Callable[..., Flask]]:
    """Make sandboxes, and close them at the end."""
    apps: list[Flask] = []

    def create(**config: Any) -> Flask:
        apps.append(create_sandbox(SandboxConfig(**config)))
        return apps[-1]

    yield create
    for app in apps:
        sandbox_of(app).close()


@pytest.fixture
def app(make: Callable[..., Flask], clock: Clock) -> Flask:
    return make(clock=clock)


@pytest.fixture
def host(app: Flask) -> Sandbox:
    return sandbox_of(app)


@pytest.fixture
def call(app: Flask) -> Caller:
    return Caller(app)


@pytest.fixture
def lunch(call: Caller) -> Registered:
    return register(call)


@pytest.fixture
def session(call: Caller) -> Callable[..., str]:
    """Issue a session and return its ID."""

    def issue(jid: str, app_id: str | None = None) -> str:
        return str(call.post("/_sandbox/sessions", {"jid": jid, "appId": app_id})["sessionId"])

    return issue


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running
