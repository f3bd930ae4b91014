"""Threat 8: the API key or a session ID gets into a log or an error page through an exception."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from flask import Flask

from miniapp import MiniApp
from miniapp.errors import HostBusy, HostError, HostNonsense, HostRefused, HostUnreachable, MiniAppError
from miniapp.onechat.client import OneChat
from miniapp.settings import Secret, Settings
from support.calls import APP_ID, CALLS, KEY, SESSION, client_of, failure
from support.faulthost import Fault, FaultHost, Talk, answer, http

CANARIES = (KEY, SESSION)


def echo(status: int) -> Fault:
    """A host that repeats in its words what it was sent."""

    def fault(talk: Talk) -> None:
        sent = [*talk.request.headers.values(), *json.loads(talk.request.body).values()]
        talk.send(http(status, {"status": "Error", "description": " ".join(s for s in sent if s in CANARIES)}))

    return fault


FAULTS = {
    HostUnreachable: Talk.reset,
    HostRefused: echo(401),
    HostBusy: echo(429),
    HostNonsense: answer(302, b"", f"Location: http://127.0.0.1:9/?{KEY}"),
}


def everything(thing: Any, seen: set[int]) -> Iterator[object]:
    """All that hangs on an exception: causes, contexts, attributes, arguments."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield thing
    if isinstance(thing, BaseException):
        for part in (thing.__cause__, thing.__context__, *thing.args):
            yield from everything(part, seen)
    for part in getattr(thing, "__dict__", {}).values():
        yield from everything(part, seen)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", FAULTS)
def test_errors_carry_no_secret(kind: type[HostError], call: str) -> None:
    """Neither an error, nor what hangs on it, nor its traceback with all local variables, shows a secret."""
    with FaultHost(FAULTS[kind]) as host, client_of(host.url) as client:
        error = failure(client, call)
    assert type(error) is kind
    assert error.__cause__ is None
    assert error.__context__ is None
    for thing in everything(error, set()):
        assert not type(thing).__module__.startswith(("requests", "urllib3", "http"))
        assert not any(canary in repr(thing) or canary in str(thing) for canary in CANARIES)
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "miniapp/onechat/client.py" in text
    assert not any(canary in text for canary in CANARIES)


@pytest.mark.parametrize("call", ["registerMiniApp", "authenticateUser"])
def test_errors_made_before_the_call_carry_no_secret(call: str) -> None:
    """A wrong argument beside a session ID doesn't show that session ID."""
    calls: dict[str, Callable[[OneChat], object]] = {
        "registerMiniApp": lambda client: client.register_mini_app(
            admin_jid="not a jid", session_id=SESSION, app_name="", app_icon="", app_url=""
        ),
        "authenticateUser": lambda client: client.authenticate_user("not a jid", SESSION),
    }
    with client_of("http://127.0.0.1:9") as client, pytest.raises(MiniAppError) as caught:
        calls[call](client)
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not any(canary in text for canary in CANARIES)


@pytest.mark.parametrize("call", CALLS)
def test_logs_carry_no_secret(
    call: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even every logger at DEBUG, and http.client told to print its headers, shows a secret."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(HTTPConnection, "debuglevel", 1)
    for fault in FAULTS.values():
        with FaultHost(fault) as host, client_of(host.url) as client:
            failure(client, call)
    assert "urllib3" in {record.name.partition(".")[0] for record in caplog.records}
    printed = "".join(capsys.readouterr())
    shown = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert not any(canary in shown + printed + caplog.text for canary in CANARIES)


def test_an_error_at_the_login_carries_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Error trackers record the local variables of every frame: none of ours has the session ID as plain text."""

    def fail(_client: OneChat) -> str:
        raise RuntimeError("broken")

    monkeypatch.setattr(OneChat, "_key", fail)
    app = Flask(__name__)
    key = "signs-nothing-outside-of-the-tests-0123456789"
    app.config.from_mapping(TESTING=True, SECRET_KEY=key, ONECHAT_APP_ID=APP_ID, ONECHAT_API_KEY=KEY)
    MiniApp(app)
    body = {"jid": "bob@onechat.net", "sessionId": SESSION}
    with pytest.raises(RuntimeError) as caught:
        app.test_client().post("/miniapp/session", json=body, headers={"Origin": "http://localhost"})
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in report.stack if "/miniapp/" in frame.filename]
    assert len(ours) > 4
    assert not any(canary in str(frame.locals) for frame in ours for canary in CANARIES)


def test_secrets_are_masked_wherever_they_are_shown() -> None:
    """The key is a text to use, and never one to see, in the settings' `repr` too."""
    key = Secret(KEY)
    assert key == KEY
    assert KEY not in repr(key) + repr({"apiKey": key}) + f"{[key]}"
    assert KEY not in repr(Settings(app_id="app-0001", api_key=key))
