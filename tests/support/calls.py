"""The five calls of the client under test, as data, and clients to make them with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from miniapp.errors import MiniAppError
from miniapp.onechat.client import OneChat
from miniapp.settings import Secret, Settings

APP_ID = "app-0001"
KEY = "canary-api-key-7f3a"
SESSION = "canary-session-91c2"
USER = "6581234567@onechat.net"
GROUP = "abcdef-123456@muc.onechat.net"
DEADLINE = (
    1.0  # seconds: long beside a call on loopback, on a busy machine too, short beside a person who runs the tests
)

CALLS: dict[str, Callable[[OneChat], Any]] = {
    "massBroadcast": lambda client: client.mass_broadcast("Hi"),
    "singleMessage": lambda client: client.send_message(USER, "Hi"),
    "groupMessage": lambda client: client.send_group_message(GROUP, "Hi"),
    "registerMiniApp": lambda client: client.register_mini_app(
        admin_jid=USER,
        session_id=SESSION,
        app_name="Lunch",
        app_icon="https://a.example/i.png",
        app_url="https://a.example",
    ),
    "authenticateUser": lambda client: client.authenticate_user(USER, SESSION),
}


def client_of(url: str, **settings: Any) -> OneChat:
    """Make a client with the default time-outs. On a busy machine, shorter ones also end calls that get an answer."""
    return OneChat(Settings(**{"api_url": url, "app_id": APP_ID, "api_key": Secret(KEY), **settings}))


def hasty(url: str, **settings: Any) -> OneChat:
    """Make a client with short time-outs, for hosts that never answer."""
    return client_of(url, **{"connect_timeout": 0.8, "read_timeout": 0.8, "deadline": DEADLINE, **settings})


def failure(client: OneChat, call: str) -> MiniAppError:
    """Return the error that `call` raises, at most two seconds after its deadline."""
    start = time.monotonic()
    with pytest.raises(MiniAppError) as caught:
        CALLS[call](client)
    assert time.monotonic() - start < client.settings.deadline + 2.0
    return caught.value


def threads() -> int:
    """Return the number of threads, once those that opened a connection have ended."""
    for thread in threading.enumerate():
        if thread.name == "miniapp-connect":
            thread.join(5)
    return threading.active_count()
