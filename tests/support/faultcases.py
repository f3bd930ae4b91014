"""All faults of a host that the tests know, as data: what the host does, and which error a call raises."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import formatdate

import trustme

from miniapp.errors import HostBusy, HostError, HostNonsense, HostRefused, HostUnreachable
from support.faulthost import BOMB, SUCCESS, Fault, FaultHost, Talk, answer, http

HTML = b"<!doctype html><title>OneChat</title><h1>It works!</h1>"
ERROR = {"status": "Error", "description": "Unauthorized"}
WHOLE = http(200, SUCCESS)
HEAD = WHOLE[: WHOLE.index(b"{")]


@dataclass(frozen=True)
class Case:
    """Describe one fault: what the host does, and the error that a call must raise.

    `maybe_done` is what that error must say, None if either value is right. `waits`: only a time-out ends the call.
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
