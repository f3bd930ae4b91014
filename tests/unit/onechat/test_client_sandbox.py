"""The REST client against the sandbox, which shares no parser with it: two readings of one contract must agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from miniapp.errors import HostBusy, HostError, HostNonsense, HostRefused, HostUnreachable
from miniapp.onechat.client import OneChat
from miniapp.settings import Settings
from miniapp.testing.onechat import LocalOneChat

pytestmark = pytest.mark.slow

CALLS = ("massBroadcast", "singleMessage", "groupMessage", "registerMiniApp", "authenticateUser")


def client_of(onechat: LocalOneChat, **settings: Any) -> OneChat:
    config = {key: value for key, value in onechat.config.items() if key.startswith("ONECHAT_")}
    client = OneChat(Settings.read({**config, **{f"ONECHAT_{key.upper()}": value for key, value in settings.items()}}))
    if onechat._adapter is not None:
        client.session.mount(onechat.url, onechat._adapter)
    return client


@pytest.fixture(params=["in process, json", "in process, form", "on a port, json", "on a port, form"])
def onechat_and_client(request: pytest.FixtureRequest) -> Iterator[tuple[LocalOneChat, OneChat]]:
    where, _, body = request.param.partition(", ")
    onechat = request.getfixturevalue("onechat" if where == "in process" else "onechat_server")
    with client_of(onechat, body=body) as client:
        yield onechat, client


def group_of(onechat: LocalOneChat) -> str:
    return str(onechat.controls.state()["groups"][0]["jid"])


def make(call: str, client: OneChat, onechat: LocalOneChat) -> object:
    return {
        "massBroadcast": lambda: client.mass_broadcast("To all 🍜"),
        "singleMessage": lambda: client.send_message(onechat.alice.jid, "To one"),
        "groupMessage": lambda: client.send_group_message(group_of(onechat), "To some"),
        "registerMiniApp": lambda: client.register_mini_app(
            admin_jid=onechat.admin.jid,
            session_id=onechat.session(onechat.admin),
            app_name="Lunch",
            app_icon="https://lunch.example/icon.svg",
            app_url="https://lunch.example/",
        ),
        "authenticateUser": lambda: client.authenticate_user(onechat.alice.jid, onechat.session(onechat.alice)),
    }[call]()


def test_messages_arrive(onechat_and_client: tuple[LocalOneChat, OneChat]) -> None:
    """What the client sends to one, to a group and to all is on Alice's phone, as it was written."""
    onechat, client = onechat_and_client
    for call in ("singleMessage", "groupMessage", "massBroadcast"):
        make(call, client, onechat)
    sent = [(entry["call"], entry["text"]) for entry in onechat.sent()]
    assert sent == [("singleMessage", "To one"), ("groupMessage", "To some"), ("massBroadcast", "To all 🍜")]
    texts = [message["text"] for message in onechat.messages(onechat.alice)]
    assert {"To one", "To all 🍜"} <= set(texts)


def test_only_the_users_own_session_is_verified(onechat_and_client: tuple[LocalOneChat, OneChat]) -> None:
    """A session is its user's alone, until it expires or is revoked."""
    onechat, client = onechat_and_client
    session_id = onechat.session(onechat.alice)
    assert client.authenticate_user(onechat.alice.jid, session_id) is True
    assert client.authenticate_user(onechat.alice.jid.upper(), session_id) is True
    assert client.authenticate_user(onechat.bob.jid, session_id) is False
    assert client.authenticate_user(onechat.alice.jid, session_id + "x") is False
    onechat.revoke(onechat.alice)
    assert client.authenticate_user(onechat.alice.jid, session_id) is False
    session_id = onechat.session(onechat.bob)
    onechat.expire(onechat.bob)
    assert client.authenticate_user(onechat.bob.jid, session_id) is False


def test_a_registered_app_can_call(onechat_and_client: tuple[LocalOneChat, OneChat]) -> None:
    """The app ID and API key that registration gives serve the other calls."""
    onechat, client = onechat_and_client
    registration = make("registerMiniApp", client, onechat)
    with client_of(onechat, app_id=registration.app_id, api_key=registration.api_key) as registered:  # type: ignore[attr-defined]
        assert make("authenticateUser", registered, onechat) is True


@pytest.mark.parametrize("errors", ["as_http", "as_200"])
@pytest.mark.parametrize("call", [call for call in CALLS if call != "registerMiniApp"])
def test_a_foreign_key_is_refused(onechat: LocalOneChat, call: str, errors: str) -> None:
    """`Unauthorized` is a refusal with the host's word for it, whether it comes with 401 or with 200."""
    onechat.controls.call("PATCH", "/_sandbox/options", {"errors": errors})
    with client_of(onechat, api_key="nobody-has-this-key") as client, pytest.raises(HostRefused) as caught:
        make(call, client, onechat)
    assert caught.value.description == "Unauthorized"
    assert caught.value.status == (401 if errors == "as_http" else 200)
    assert not caught.value.maybe_done


@pytest.mark.parametrize("errors", ["as_http", "as_200"])
def test_unknown_addressees_are_refused_with_a_reason(onechat: LocalOneChat, errors: str) -> None:
    """A user or group that the host doesn't have is named in its refusal."""
    onechat.controls.call("PATCH", "/_sandbox/options", {"errors": errors})
    with client_of(onechat) as client:
        for send, to in (
            (client.send_message, f"nobody@{onechat.domain}"),
            (client.send_group_message, f"none@muc.{onechat.domain}"),
        ):
            with pytest.raises(HostRefused) as caught:
                send(to, "Hi")
            assert "jid" in caught.value.description


def test_the_printed_path_of_authenticate_works_too(onechat: LocalOneChat) -> None:
    """authenticateUser under registerMiniApp's URL, as OneChat's page prints it, is answered the same."""
    with client_of(onechat, authenticate_path="registerMiniApp") as client:
        assert make("authenticateUser", client, onechat) is True
        assert client.authenticate_user(onechat.bob.jid, onechat.session(onechat.alice)) is False


FAULTS: dict[str, tuple[Any, type[HostError], bool]] = {
    "error": ("error", HostRefused, False),
    "busy": ("busy", HostBusy, False),
    "gateway's page": ("html", HostUnreachable, True),
    "page": ({"status": 200, "body": "<!doctype html><h1>Welcome</h1>"}, HostNonsense, True),
    "reset": ("reset", HostUnreachable, True),
    "hang": ("hang", HostUnreachable, True),
    "503": ({"status": 503}, HostUnreachable, True),
    "teapot": ({"status": 418, "body": {"status": "Error", "description": "I'm a teapot"}}, HostRefused, False),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", ["onechat", "onechat_server"])
def test_faults_that_the_sandbox_plays(request: pytest.FixtureRequest, where: str, fault: str, call: str) -> None:
    """Each failure that can be ordered of the sandbox ends each call in its own error."""
    onechat: LocalOneChat = request.getfixturevalue(where)
    how, error, maybe_done = FAULTS[fault]
    onechat.fail(call, 3, how)
    with (
        client_of(onechat, connect_timeout=1, read_timeout=0.2, deadline=1) as client,
        pytest.raises(HostError) as caught,
    ):
        make(call, client, onechat)
    assert type(caught.value) is error
    assert caught.value.maybe_done is maybe_done
    onechat.controls.call("POST", "/_sandbox/reset")  # lets go of what hangs
