"""Threat 3: a mini app that sees a session ID presents it to another one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.people import BOB
from support.sandbox import Caller, Registered, register


def authenticated(call: Caller, app: Registered, session_id: str) -> str:
    """What the host says of Bob's session to `app`."""
    body = {"jid": BOB, "sessionId": session_id, "appId": app.app_id, "apiKey": app.api_key}
    return str(call.api("authenticateUser", body)[1]["isAuthenticated"])


@pytest.fixture
def other(call: Caller) -> Registered:
    return register(call, "Other", "http://127.0.0.1:6000/")


def test_a_host_wide_session_is_good_for_every_app(
    call: Caller, lunch: Registered, other: Registered, session: Callable[..., str]
) -> None:
    """OneChat documents no audience, so by default the sandbox has none either: one app's ID works at another.

    No mini app can tell a replayed ID from an own one; a short login lifetime is all that is in its hands.
    """
    issued_for_lunch = session(BOB, lunch.app_id)
    assert authenticated(call, lunch, issued_for_lunch) == "True"
    assert authenticated(call, other, issued_for_lunch) == "True"


def test_a_session_of_one_app_is_refused_to_others(
    call: Caller, lunch: Registered, other: Registered, session: Callable[..., str]
) -> None:
    """In the mode `app` an ID is good for the app it was issued for alone; one issued for none is for no app."""
    call.patch("/_sandbox/options", {"sessions": "app"})
    issued_for_lunch = session(BOB, lunch.app_id)
    assert authenticated(call, lunch, issued_for_lunch) == "True"
    assert authenticated(call, other, issued_for_lunch) == "False"
    assert authenticated(call, lunch, session(BOB)) == "False"
