"""Every fault of a host, times every call: the right error, inside the deadline, with the truth of what may be done."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import formatdate

import pytest
import trustme
from calls import CALLS, client_of, failure, hasty, threads
from faulthost import BOMB, SUCCESS, Fault, FaultHost, Talk, answer, http

from miniapp import transport
from miniapp.errors import HostBusy, HostError, HostNonsense, HostRefused, HostUnreachable

HTML = b"<!doctype html><title>OneChat</title><h1>It works!</h1>"
ERROR = {"status": "Error", "description": "Unauthorized"}
WHOLE = http(200, SUCCESS)
HEAD = WHOLE[: WHOLE.index(b"{")]


@dataclass(frozen=True)
class Case:
    """One fault: what the host does, and the error that it must end in. `maybe_done`: what that error must say, None
    where it is a matter of microseconds.

    `waits`: only time ends it.
    """

    name: str
    host: Callable[[], AbstractContextManager[tuple[str, FaultHost | None]]]
    error: type[HostError]
    maybe_done: bool | None
    waits: bool = False


WAITING = ("hang", "drip", "chunks that never come")


def case(
    name: str, fault: Fault, error: type[HostError], maybe_done: bool | None = True, greet: Fault | None = None
) -> Case:
    @contextmanager
    def host() -> Iterator[tuple[str, FaultHost | None]]:
        with FaultHost(fault, greet=greet) as fault_host:
            yield fault_host.url, fault_host

    return Case(name, host, error, maybe_done, waits=name.startswith(WAITING))


@contextmanager
def refusing() -> Iterator[tuple[str, FaultHost | None]]:
    with socket.socket() as bound:  # and never listening: the port is ours, and nobody is there
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}", None


@contextmanager
def deaf() -> Iterator[tuple[str, FaultHost | None]]:
    with FaultHost(lambda talk: talk.hang(), greet=lambda talk: talk.hang()) as host:
        yield host.url.replace("http:", "https:"), host


@contextmanager
def plain_for_tls() -> Iterator[tuple[str, FaultHost | None]]:
    with FaultHost(greet=lambda talk: talk.send(WHOLE)) as host:
        yield host.url.replace("http:", "https:"), host


@contextmanager
def untrusted() -> Iterator[tuple[str, FaultHost | None]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with FaultHost(tls=context) as host:
        yield host.url, host


def cut(data: bytes) -> Fault:
    def fault(talk: Talk) -> None:
        talk.send(data)
        talk.sock.shutdown(socket.SHUT_RDWR)

    return fault


def then(data: bytes, end: Callable[[Talk], None]) -> Fault:
    def fault(talk: Talk) -> None:
        talk.send(data)
        end(talk)

    return fault


def flood(head: bytes, part: bytes) -> Fault:
    def fault(talk: Talk) -> None:
        talk.send(head)
        while not talk.over.is_set():
            talk.send(part)

    return fault


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

CASES = [
    # nothing left
    Case("refuse", refusing, HostUnreachable, False),
    Case("tls hangs", deaf, HostUnreachable, False, waits=True),
    Case("tls is plain", plain_for_tls, HostUnreachable, False),
    Case("tls untrusted", untrusted, HostUnreachable, False),
    # no whole answer
    case("reset at once", Talk.reset, HostUnreachable, None, greet=Talk.reset),
    case("reset before answer", Talk.reset, HostUnreachable),
    case("close before answer", cut(b""), HostUnreachable),
    case("hang before headers", Talk.hang, HostUnreachable),
    case("hang in headers", then(WHOLE[:30], Talk.hang), HostUnreachable),
    case("hang before body", then(HEAD, Talk.hang), HostUnreachable),
    case("drip headers", lambda talk: talk.drip(WHOLE), HostUnreachable),
    case("drip body", lambda talk: (talk.send(HEAD), talk.drip(WHOLE[len(HEAD) :]))[0], HostUnreachable),
    case("drip 100s", lambda talk: talk.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 99, 0.001), HostUnreachable),
    case("drip chunks", lambda talk: (talk.send(CHUNKED), talk.drip(b"1\r\n \r\n" * 99, 0.01))[0], HostUnreachable),
    case("reset in headers", then(WHOLE[:30], Talk.reset), HostUnreachable),
    case("close in headers", cut(WHOLE[:30]), HostNonsense),
    case("reset in body", then(WHOLE[:-5], Talk.reset), HostUnreachable),
    case("truncate", cut(WHOLE[:-5]), HostUnreachable),
    case("truncate chunks", cut(CHUNKED + b"10\r\n{"), HostUnreachable),
    case("chunks that never come", then(CHUNKED, Talk.hang), HostUnreachable),
    case("endless chunk line", flood(CHUNKED + b"1;", b"x" * 8192), HostUnreachable),
    case("500 html", answer(500, HTML), HostUnreachable),
    case("502 html", answer(502, HTML), HostUnreachable),
    case("503 error", answer(503, ERROR), HostUnreachable),
    case("500 success", answer(500, SUCCESS), HostUnreachable),
    # too many calls
    case("429", answer(429, ERROR), HostBusy, False),
    case("429 seconds", answer(429, HTML, "Retry-After: 7"), HostBusy, False),
    case("429 date", answer(429, b"", f"Retry-After: {formatdate(usegmt=True)}"), HostBusy, False),
    case("429 garbage", answer(429, b"", "Retry-After: soon"), HostBusy, False),
    # the host says no
    *(case(f"error {status}", answer(status, ERROR), HostRefused, False) for status in (200, 400, 401, 403, 404, 413)),
    case("error without words", answer(200, {"status": "Error"}), HostRefused, False),
    case("error with odd words", answer(400, {"status": "Error", "description": [1]}), HostRefused, False),
    case("401 empty", answer(401), HostRefused, False),
    case("403 html", answer(403, HTML), HostRefused, False),
    # nonsense
    case("html", answer(200, HTML), HostNonsense),
    case("empty", answer(200), HostNonsense),
    case("204", lambda talk: talk.send(b"HTTP/1.1 204 No Content\r\n\r\n"), HostNonsense),
    case("404 html", answer(404, HTML), HostNonsense),
    case("401 success", answer(401, SUCCESS), HostNonsense),
    case("429 success", answer(429, SUCCESS), HostNonsense),
    case("not utf-8", answer(200, b'{"status":"Success","description":"\xff"}'), HostNonsense),
    case("array", answer(200, b"[1]"), HostNonsense),
    case("other case", answer(200, {"status": "success"}), HostNonsense),
    case("no status", answer(200, {"description": "-", "isAuthenticated": True}), HostNonsense),
    case("deep", answer(200, b"[" * 50_000), HostNonsense),
    case("huge body", answer(200, b" " * 200_000), HostNonsense),
    case("endless body", flood(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 8192), HostNonsense),
    case("endless header", flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8192), HostNonsense),
    case("endless headers", flood(b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 512), HostNonsense),
    case("endless chunks", flood(CHUNKED, b"1\r\n \r\n" * 512), HostNonsense),
    case("odd chunk", then(CHUNKED + b"zz\r\n", Talk.hang), HostNonsense),
    case("gzip bomb", answer(200, BOMB, "Content-Encoding: gzip"), HostNonsense),
    case("gzip garbage", answer(200, b"\x1f\x8bgarbage", "Content-Encoding: gzip"), HostNonsense),
    case("not http", cut(b"SSH-2.0-OpenSSH_9.9\r\n"), HostNonsense),
    *(
        case(f"redirect {status}", answer(status, SUCCESS, "Location: http://127.0.0.1:9/"), HostNonsense)
        for status in (300, 301, 302, 303, 304, 305, 307, 308)
    ),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fault(case: Case, call: str) -> None:
    """Each fault ends each call in time, with its own error, which tells whether the call may have been carried out."""
    before = threads()
    with case.host() as (url, host), (hasty if case.waits else client_of)(url) as client:
        error = failure(client, call)
        assert type(error) is case.error
        assert error.call == call
        assert case.maybe_done in (None, error.maybe_done)
        assert error.hint or isinstance(error, HostRefused)
        if host is not None and ((case.maybe_done and call != "authenticateUser") or case.error is not HostUnreachable):
            assert len(host.requests) <= 1
    assert threads() == before


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        ("999999", 3600.0),
        (formatdate(0, usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 50, None),
        ("", None),
    ],
)
def test_retry_after(retry_after: str | None, expected: float | None) -> None:
    """The wait that the host asks for is passed on in seconds, within bounds, and None if it named none."""
    headers = [] if retry_after is None else [f"Retry-After: {retry_after}"]
    with FaultHost(answer(429, ERROR, *headers)) as host, client_of(host.url) as client:
        error = failure(client, "singleMessage")
    assert isinstance(error, HostBusy)
    assert error.retry_after == expected


def test_the_hosts_words_are_passed_on_short_and_without_control_characters() -> None:
    """A description reaches the log in one line of bounded length."""
    refuse = answer(400, {"status": "Error", "description": "no\r\nsuch\x1b[0m user " + "x" * 9999})
    with FaultHost(refuse) as host, client_of(host.url) as client:
        error = failure(client, "singleMessage")
    assert isinstance(error, HostRefused)
    assert error.status == 400
    assert error.description.startswith("no  such [0m user xxx")
    assert len(error.description) <= 200
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refuse", "the connection was refused"),
        ("tls hangs", "in time"),
        ("tls is plain", "TLS failed"),
        ("tls untrusted", "certificate is not trusted (unable to get local issuer certificate)"),
        ("hang before body", "in time"),
        ("reset before answer", "was closed"),
        ("not http", "is not HTTP"),
        ("redirect 302", "redirect"),
        ("gzip bomb", "compressed"),
        ("huge body", "longer than"),
    ],
)
def test_errors_say_what_happened(name: str, words: str) -> None:
    """An error's text names the cause."""
    (case,) = (case for case in CASES if case.name == name)
    with case.host() as (url, _), (hasty if case.waits else client_of)(url) as client:
        assert words in str(failure(client, "singleMessage"))


NO_WAY = {
    "its name was not found": socket.gaierror(socket.EAI_NONAME, "no such name"),
    os.strerror(errno.ENETUNREACH): OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),
}


@pytest.mark.parametrize("words", NO_WAY)
def test_a_host_to_which_there_is_no_way(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that the network doesn't lead to was surely not reached, and the error says why."""

    def getaddrinfo(*args: object) -> None:
        raise NO_WAY[words]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with client_of("https://onechat.invalid/api") as client:
        error = failure(client, "massBroadcast")
    assert isinstance(error, HostUnreachable)
    assert not error.maybe_done
    assert words in str(error)


def test_what_the_caller_is_handling_is_not_taken_for_the_cause() -> None:
    """A call made while another error is handled tells of its own."""
    with FaultHost(Talk.hang) as host, hasty(host.url) as client:
        try:
            raise ConnectionRefusedError
        except ConnectionRefusedError:
            assert "refused" not in str(failure(client, "singleMessage"))


def test_tls_that_is_trusted_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS, calls succeed and share a connection as they do without."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile() as trusted, FaultHost(tls=context) as host, client_of(host.url) as client:
        client.session.verify = trusted
        for _ in range(3):
            CALLS["singleMessage"](client)
        assert host.connections == 1
        host.fault = lambda talk: talk.drip(WHOLE)
        with hasty(host.url) as impatient:
            impatient.session.verify = trusted
            assert isinstance(failure(impatient, "singleMessage"), HostUnreachable)


def test_limits_leave_room_for_an_answer() -> None:
    """The largest body that counts fits into what is read from the wire, with headers and the marks of chunks."""
    body = b'{"status":"Success","description":"' + b"x" * (transport.ANSWER_MAX_BYTES - 37) + b'"}'
    assert len(body) == transport.ANSWER_MAX_BYTES
    with FaultHost(answer(200, body)) as host, client_of(host.url) as client:
        CALLS["singleMessage"](client)
        host.fault = answer(200, body + b" ")
        assert isinstance(failure(client, "singleMessage"), HostNonsense)


@pytest.mark.parametrize("fault", [answer(502, HTML), Talk.hang, Talk.reset, cut(b"SSH-2.0\r\n")])
def test_a_proxy_that_does_not_connect_has_sent_nothing(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a proxy is told before the connection to the host stands carries nothing of the call."""
    with FaultHost(fault) as proxy, hasty("https://127.0.0.1:9/api", trust_env=True) as client:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        error = failure(client, "massBroadcast")
        assert proxy.requests[0].line.startswith("CONNECT 127.0.0.1:9 ")
    assert isinstance(error, HostUnreachable)
    assert not error.maybe_done
