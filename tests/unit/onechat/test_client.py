"""The REST client against a host that behaves. `test_faults.py` has the hosts that don't."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from miniapp import contract
from miniapp.errors import ConfigurationError, HostNonsense, HostUnreachable, JIDError, MessageError, MiniAppError
from miniapp.onechat import transport
from miniapp.onechat.client import OneChat, Registration
from miniapp.settings import Secret, Settings
from support.calls import APP_ID, CALLS, GROUP, KEY, SESSION, USER, client_of, failure, hasty
from support.faulthost import SUCCESS, FaultHost, Talk, answer, http

REGISTERED = {**SUCCESS, "appId": "app-12345", "apiKey": "key-12345678", "isAuthenticated": True}


def register(client: OneChat, **instead: Any) -> Registration:
    fields = {
        "admin_jid": USER,
        "session_id": SESSION,
        "app_name": "Lunch",
        "app_icon": "i.png",
        "app_url": "https://a",
    }
    return client.register_mini_app(**{**fields, **instead})


def good(talk: Talk) -> None:
    talk.send(http(200, {**SUCCESS, "isAuthenticated": True}))


@pytest.fixture
def host() -> Iterator[FaultHost]:
    with FaultHost() as host:
        yield host


@pytest.fixture
def client(host: FaultHost) -> Iterator[OneChat]:
    with client_of(host.url) as client:
        yield client


@pytest.mark.parametrize("body", ["json", "form"])
@pytest.mark.parametrize("call", CALLS)
def test_each_call_sends_what_the_contract_documents(host: FaultHost, call: str, body: str) -> None:
    """Path, fields and the place of the API key are those of the contract, in JSON and as a form."""
    host.fault = answer(200, REGISTERED)
    with client_of(host.url, body=body) as client:
        host.requests.clear()
        if call == "authenticateUser":
            assert CALLS[call](client) is False  # for this host answers everything like registerMiniApp
        else:
            CALLS[call](client)
    (request,) = host.requests
    assert request.line == f"POST /onechat/api/{call} HTTP/1.1"
    if body == "json":
        assert request.headers["content-type"] == "application/json"
        fields = json.loads(request.body)
    else:
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        fields = {name: value for name, (value,) in parse_qs(request.body.decode(), strict_parsing=True).items()}
    assert list(fields) == [field.name for field in contract.CALLS[call].fields]
    assert request.headers.get(contract.APIKEY_HEADER) == (KEY if contract.CALLS[call].keyed else None)
    assert request.headers["accept-encoding"] == "identity"
    assert fields.get("apiKey", KEY) == KEY
    assert fields.get("sessionId", SESSION) == SESSION


def test_every_call_of_the_contract_has_its_method() -> None:
    """The calls that the tests know are the contract's, so a call added there is missed here."""
    assert set(CALLS) == set(contract.CALLS)


def test_jids_leave_in_canonical_form(host: FaultHost, client: OneChat) -> None:
    """The host is given the canonical JID, whatever the caller wrote."""
    client.send_message("Alice.Tan@OneChat.NET.", "Hi")
    client.send_group_message("ABC@MUC.onechat.net", "Hi")
    client.mass_broadcast("Hi", "OneChat.NET")
    client.mass_broadcast("Hi")
    client.authenticate_user("ALICE@onechat.net", SESSION)
    addressed = [json.loads(request.body) for request in host.requests]
    assert [fields.get("jid") or fields["domain"] for fields in addressed] == [
        "alice.tan@onechat.net",
        "abc@muc.onechat.net",
        "onechat.net",
        "onechat.net",
        "alice@onechat.net",
    ]


@pytest.mark.parametrize("message", ["Hi", "早安 🍜", "a\nb\tc", '"</script>\\', "x" * contract.MESSAGE_MAX_BYTES])
@pytest.mark.parametrize("body", ["json", "form"])
def test_messages_arrive_as_written(host: FaultHost, message: str, body: str) -> None:
    """Any text that is a message reaches the host unchanged, in JSON and as a form."""
    with client_of(host.url, body=body) as client:
        client.send_message(USER, message)
    sent = host.requests[0].body.decode()
    assert (json.loads(sent)["message"] if body == "json" else parse_qs(sent)["message"][0]) == message


def test_faulty_arguments_never_leave(host: FaultHost, client: OneChat) -> None:
    """A wrong JID, message, session ID or name is refused here, with an error that says what to do."""
    wrong = {
        JIDError: [
            lambda: client.send_message(GROUP, "Hi"),
            lambda: client.send_message(USER + "/phone", "Hi"),
            lambda: client.send_message("onechat.net", "Hi"),
            lambda: client.send_group_message(USER, "Hi"),
            lambda: client.mass_broadcast("Hi", USER),
            lambda: client.authenticate_user("", SESSION),
            lambda: client.authenticate_user(None, SESSION),  # type: ignore[arg-type]
        ],
        MessageError: [
            lambda: client.send_message(USER, ""),
            lambda: client.send_message(USER, "\0"),
            lambda: client.send_group_message(GROUP, "x" * (contract.MESSAGE_MAX_BYTES + 1)),
            lambda: client.mass_broadcast(None),  # type: ignore[arg-type]
        ],
        MiniAppError: [
            partial(register, client, **wrong)
            for wrong in (
                {"session_id": "short"},
                {"session_id": None},
                {"app_name": " "},
                {"app_name": "a\nb"},
                {"app_icon": "\ud800"},
                {"app_url": "x" * 65537},
                {"app_url": None},
            )
        ],
    }
    for error, calls in wrong.items():
        for call in calls:
            with pytest.raises(error) as caught:
                call()
            assert caught.value.hint
    assert host.requests == []


@pytest.mark.parametrize("session_id", ["", "short", "x" * 513, "with blank", "nul\0nul\0", "ünïcödé-", None, 12345678])
def test_what_cannot_be_a_session_id_is_not_asked_about(host: FaultHost, client: OneChat, session_id: str) -> None:
    """A session ID of an impossible form is no session, and the host is not asked."""
    assert client.authenticate_user(USER, session_id) is False
    assert host.requests == []


@pytest.mark.parametrize("call", ["massBroadcast", "singleMessage", "groupMessage", "authenticateUser"])
@pytest.mark.parametrize("wrong", [{"api_key": ""}, {"api_key": Secret("a\r\nb: c" * 3)}, {"app_id": ""}])
def test_calls_that_need_the_app_say_that_it_is_not_registered(
    host: FaultHost, call: str, wrong: dict[str, str]
) -> None:
    """Without an app ID and API key only registerMiniApp can be called; the others name the setting that lacks."""
    with client_of(host.url, **wrong) as client:
        with pytest.raises(ConfigurationError) as caught:
            CALLS[call](client)
        assert [problem.key for problem in caught.value.problems] == ["ONECHAT_" + next(iter(wrong)).upper()]
        host.fault = answer(200, REGISTERED)
        CALLS["registerMiniApp"](client)
    assert [request.call for request in host.requests] == ["registerMiniApp"]


def test_registration_gives_app_id_and_a_secret_key(host: FaultHost, client: OneChat) -> None:
    """What registerMiniApp answers comes back typed, the key in a form that doesn't show itself."""
    host.fault = answer(200, REGISTERED)
    registration = CALLS["registerMiniApp"](client)
    assert registration == Registration("app-12345", Secret("key-12345678"))
    assert "key-12345678" not in repr(registration)


@pytest.mark.parametrize(
    "extra",
    [{}, {"appId": "app-12345"}, {"appId": 1, "apiKey": "key-12345678"}, {"appId": "app-12345", "apiKey": "a b"}],
)
def test_registration_without_keys_is_nonsense(host: FaultHost, client: OneChat, extra: dict[str, object]) -> None:
    """A success without app ID and API key of the documented form is an error that says where to look."""
    host.fault = answer(200, {**SUCCESS, **extra})
    error = failure(client, "registerMiniApp")
    assert isinstance(error, HostNonsense)
    assert error.maybe_done
    assert "portal" in error.hint


def test_authenticate_path_is_a_setting(host: FaultHost) -> None:
    """OneChat's page prints authenticateUser under registerMiniApp's URL; the setting follows it."""
    with client_of(host.url, authenticate_path="registerMiniApp") as client:
        assert client.authenticate_user(USER, SESSION) is True
    assert host.requests[0].call == "registerMiniApp"
    assert json.loads(host.requests[0].body)["appId"] == APP_ID


def test_one_connection_serves_many_calls(host: FaultHost, client: OneChat) -> None:
    """Calls one after the other share a connection."""
    for _ in range(5):
        client.send_message(USER, "Hi")
    assert host.connections == 1


def test_chunked_answers_are_read_and_the_connection_kept(host: FaultHost, client: OneChat) -> None:
    """An answer in chunks is as good as one with a length."""
    body = json.dumps(SUCCESS).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    host.fault = lambda talk: talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    for _ in range(3):
        client.send_message(USER, "Hi")
    assert host.connections == 1


def test_a_connection_whose_answer_was_not_read_whole_is_not_used_again(host: FaultHost, client: OneChat) -> None:
    """What is left of a long answer or of a redirect's body never answers the next call."""
    for fault in (
        answer(200, b" " * 100_000),
        answer(302, b" " * 100_000, "Location: /"),
        answer(200, b"{}", "Content-Encoding: gzip"),
    ):
        host.fault = fault
        assert isinstance(failure(client, "singleMessage"), HostNonsense)
        before = host.connections
        host.fault = good
        client.send_message(USER, "Hi")
        assert host.connections == before + 1


def test_a_connection_that_the_host_closed_is_replaced_unseen(host: FaultHost, client: OneChat) -> None:
    """A host that closes idle connections costs no call, not even one that must not be repeated."""

    def once(talk: Talk) -> None:
        good(talk)
        talk.sock.shutdown(2)

    host.fault = once
    for _ in range(3):
        client.mass_broadcast("Hi")
        host.wait_closed()
    assert (len(host.requests), host.connections) == (3, 3)


def test_a_send_lost_with_its_connection_is_not_repeated(host: FaultHost, client: OneChat) -> None:
    """The host closes a used connection just as a message comes: it may have been read, so it is not sent twice."""
    client.send_message(USER, "first")
    host.fault = lambda talk: talk.sock.shutdown(2)
    error = failure(client, "singleMessage")
    assert isinstance(error, HostUnreachable)
    assert error.maybe_done
    assert len(host.requests) == 2


def test_verification_lost_with_its_connection_is_repeated(host: FaultHost, client: OneChat) -> None:
    """To ask twice whether a session is valid does no harm, so a broken connection is not an answer."""

    def flaky(talk: Talk) -> None:
        if len(host.requests) < 3:
            talk.sock.shutdown(2)
        else:
            good(talk)

    host.fault = flaky
    assert client.authenticate_user(USER, SESSION) is True
    assert len(host.requests) == 3


def test_a_send_that_never_left_is_repeated(host: FaultHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that fails before anything was sent is tried again, and the message arrives once."""
    real, failures = transport.HTTPConnection._new_conn, [ConnectionRefusedError, ConnectionRefusedError]

    def connect(self: object) -> object:
        if failures:
            raise failures.pop()
        return real(self)  # type: ignore[arg-type]

    monkeypatch.setattr(transport.HTTPConnection, "_new_conn", connect)
    with client_of(host.url) as client:
        client.send_message(USER, "Hi")
        assert len(host.requests) == 1
        failures.append(ConnectionRefusedError)
        client.session.close()
        error = failure(client, "massBroadcast")
        assert isinstance(error, HostUnreachable)
        assert not error.maybe_done
        assert len(host.requests) == 1


def test_a_connection_idle_for_long_is_not_used_again(
    host: FaultHost, client: OneChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that the host is about to close is closed by us first."""
    client.send_message(USER, "Hi")
    monkeypatch.setattr(transport, "IDLE_MAX", 0.0)
    client.send_message(USER, "Hi")
    assert host.connections == 2


def test_a_forked_process_opens_connections_of_its_own(
    host: FaultHost, client: OneChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes on one connection would read each other's answers."""
    client.send_message(USER, "Hi")
    monkeypatch.setattr("os.getpid", lambda: -1)
    client.send_message(USER, "Hi")
    client.send_message(USER, "Hi")
    assert host.connections == 2


def test_threads_share_a_client_without_mixing_answers(host: FaultHost, client: OneChat) -> None:
    """Many threads at once each get the answer to their own question, on connections that they share."""

    def only_even(talk: Talk) -> None:
        number = int(json.loads(talk.request.body)["jid"].partition("@")[0])
        talk.send(http(200, {**SUCCESS, "isAuthenticated": number % 2 == 0}))

    host.fault = only_even
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda number: client.authenticate_user(f"{number}@onechat.net", SESSION), range(400))
        )
    assert answers == [number % 2 == 0 for number in range(400)]
    assert host.connections <= 16


def test_a_call_leaves_in_one_piece(host: FaultHost, client: OneChat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body go out together: apart they would be two segments, and wake the host twice."""
    pieces, real = [], transport.HTTPConnection.send
    monkeypatch.setattr(transport.HTTPConnection, "send", lambda self, data: pieces.append(data) or real(self, data))
    client.send_message(USER, "Hi")
    assert len(pieces) == 1
    assert pieces[0].startswith(b"POST /onechat/api/singleMessage HTTP/1.1\r\n")
    assert pieces[0].endswith(b'"message": "Hi"}')


def test_a_client_that_was_closed_can_be_used_again(host: FaultHost, client: OneChat) -> None:
    """Closing ends the connections that are idle; the next call opens one."""
    client.send_message(USER, "Hi")
    client.close()
    client.send_message(USER, "Hi")
    assert (len(host.requests), host.connections) == (2, 2)


def test_settings_of_the_session_count_from_the_next_call_on(host: FaultHost, client: OneChat) -> None:
    """A proxy that the session gets later counts, although a connection was found before."""
    client.send_message(USER, "Hi")
    with FaultHost() as proxy:
        client.session.proxies["http"] = f"http://127.0.0.1:{proxy.port}"
        client.send_message(USER, "Hi")
        assert proxy.requests[0].line == f"POST {host.url}/singleMessage HTTP/1.1"
    assert len(host.requests) == 1


def test_the_hosts_cookies_are_not_kept(host: FaultHost, client: OneChat) -> None:
    """A cookie set in answer to one user's verification does not come along with the next."""
    host.fault = answer(200, SUCCESS, "Set-Cookie: user=alice; Path=/")
    client.send_message(USER, "Hi")
    client.send_message(USER, "Hi")
    assert "cookie" not in host.requests[1].headers


def test_a_session_of_the_users_own_gets_our_adapter(host: FaultHost) -> None:
    """A plain requests session keeps our deadline; an adapter that the user mounted stays."""
    mine = HTTPAdapter()

    class Mounted(HTTPAdapter):
        pass

    other = Mounted()
    session = requests.Session()
    session.mount("https://", mine)
    session.mount("https://other.example/", other)
    with OneChat(Settings(api_url=host.url, app_id=APP_ID, api_key=Secret(KEY)), session=session) as client:
        assert client.session is session
        assert isinstance(session.get_adapter(host.url), transport.Adapter)
        assert isinstance(session.get_adapter("https://a.example/"), transport.Adapter)
        assert session.get_adapter("https://other.example/x") is other
        client.send_message(USER, "Hi")


def test_an_adapter_of_the_user_serves_calls(host: FaultHost, client: OneChat) -> None:
    """A transport mounted into the session is used; what it doesn't say is taken for the worst."""

    class Broken(BaseAdapter):
        calls = 0

        def send(self, *args: object, **kwargs: object) -> requests.Response:
            self.calls += 1
            raise requests.ConnectionError

        def close(self) -> None:
            pass

    broken = Broken()
    client.session.mount(host.url, broken)
    error = failure(client, "singleMessage")
    assert isinstance(error, HostUnreachable)
    assert error.maybe_done
    assert broken.calls == 1
    assert host.requests == []


def test_a_name_that_takes_for_ever_to_look_up_does_not_hold_the_caller(
    host: FaultHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look-up of a name can't be interrupted, so the call goes on without it, and its thread ends when it can."""
    release = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *args: release.wait() and [])
    with hasty(host.url) as client:
        error = failure(client, "singleMessage")
    assert isinstance(error, HostUnreachable)
    assert not error.maybe_done
    waiting = [thread for thread in threading.enumerate() if thread.name == "miniapp-connect"]
    assert waiting
    release.set()
    for thread in waiting:
        thread.join(5)
        assert not thread.is_alive()


def test_a_connection_that_comes_too_late_is_closed(host: FaultHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call waits for it any more, so it must not stay open."""
    release, real = threading.Event(), transport.HTTPConnection._new_conn
    monkeypatch.setattr(transport.HTTPConnection, "_new_conn", lambda self: release.wait() and real(self))
    with hasty(host.url) as client:
        failure(client, "massBroadcast")
    release.set()
    host.wait_closed()
    assert (host.connections, host.requests) == (1, [])
