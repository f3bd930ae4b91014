"""A reset leaves nothing from before it: what began before can write nothing after, and phones look again."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import request

from miniapp.sandbox import SandboxConfig, SandboxServer
from miniapp.sandbox.store import Store
from miniapp.sandbox.store.records import Conflict
from miniapp.sandbox.web.events import EventHub
from support.people import ADMIN, ALICE, BOB

SECONDS = 20.0  # for a request to come in; on a busy machine too
DOMAIN = "onechat.localhost"


@pytest.fixture
def entered() -> threading.Event:
    return threading.Event()


@pytest.fixture
def server(entered: threading.Event) -> Iterator[SandboxServer]:
    """A sandbox on a port; `entered` is set once a request with a body has begun."""
    running = SandboxServer(SandboxConfig())

    @running.app.before_request
    def _tell() -> None:
        if request.content_length:
            entered.set()

    with running:
        yield running


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/phones/{ALICE}/messages", {"thread": BOB, "text": "before"}),
        (f"/phones/{ALICE}/relay", {"recipient": [BOB], "textMessage": "before"}),
        (f"/phones/{ALICE}/relay", {"invitees": [BOB], "textMessage": "before"}),
        ("/_sandbox/users", {"name": "Frank Ho"}),
        ("/_sandbox/sessions", {"jid": ALICE}),
        ("/_sandbox/apps", {"name": "x", "icon": "http://localhost/i", "url": "http://localhost/", "admin": ADMIN}),
    ],
)
def test_a_request_that_began_before_a_reset_changes_nothing_after_it(
    server: SandboxServer, entered: threading.Event, path: str, body: dict[str, Any]
) -> None:
    """A request whose body is still on its way when the reset comes is refused with 409."""
    whole = json.dumps(body).encode()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    client.putrequest("POST", path)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(whole)),
        "X-Sandbox-Token": server.token,
    }.items():
        client.putheader(name, value)
    client.endheaders(whole[:5])
    assert entered.wait(SECONDS)
    server.sandbox.reset()
    client.send(whole[5:])
    answer = client.getresponse()
    assert answer.status == 409
    assert b"reset" in answer.read()
    client.close()
    store = server.sandbox.store
    assert store.messages.history(BOB, None, None, 10) == []
    assert len(store.messages.groups()) == 2
    assert len(store.users.all()) == 6
    assert (store.apps.all(), store.sessions.all()) == ([], [])


def test_a_task_of_before_is_refused_until_it_ends() -> None:
    """What `enter` began can't write once the store was reset by another thread; what begins later can."""
    store = Store(domain=DOMAIN)
    store.enter()
    resetting = threading.Thread(target=store.reset)
    resetting.start()
    resetting.join()
    with pytest.raises(Conflict, match="reset"):
        store.users.add("Frank Ho")
    store.leave()
    assert store.users.add("Frank Ho")
    store.close()


class TestEvents:
    def hub(self) -> EventHub:
        return EventHub()

    def names(self, stream: Iterator[str], count: int) -> list[str]:
        return [next(stream).split("event: ")[1].split("\n")[0] for _ in range(count)]

    def test_a_stream_that_comes_back_gets_nothing_of_before(self) -> None:
        """A page that resumes after a reset is told to look again instead of what it missed."""
        hub = self.hub()
        hub.publish("message", "before")
        hub.publish("message", "before")
        hub.forget()
        hub.publish("state")
        stream = hub.stream("1", lambda: False)
        next(stream)
        assert self.names(stream, 2) == ["state", "threads"]

    def test_a_stream_that_is_behind_sends_nothing_of_before(self) -> None:
        """A stream in the midst of several events skips the rest once they are forgotten."""
        hub = self.hub()
        stream = hub.stream("0", lambda: False)
        for _ in range(3):
            hub.publish("message", "before")
        next(stream)
        assert self.names(stream, 1) == ["message"]
        hub.forget()
        hub.publish("state")
        assert self.names(stream, 2) == ["state", "threads"]

    def test_a_stream_that_is_up_to_date_just_goes_on(self) -> None:
        """It has missed nothing, and gets what comes after the reset."""
        hub = self.hub()
        hub.publish("message", "before")
        stream = hub.stream("1", lambda: False)
        next(stream)
        hub.forget()
        hub.publish("reload")
        assert self.names(stream, 1) == ["reload"]
