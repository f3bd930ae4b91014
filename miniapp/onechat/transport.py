"""One POST to the host and its answer, within a deadline: what `requests` alone doesn't promise.

Its time-outs are for one read of the socket each, so a host that drips a byte a second holds a thread for ever. Here
every wait (name, connection, TLS, sending, each read) gets only the time that is left of the call. A request that
failed also tells whether any of it may have left this machine, which decides whether it may be repeated.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, InvalidChunkLength, NewConnectionError, ProtocolError

ANSWER_MAX_BYTES = 64 * 1024
"""A documented answer is under 1 KiB; whoever sends this much is not OneChat."""
WIRE_MAX_BYTES = 3 * ANSWER_MAX_BYTES
"""What we read at most for one answer: its body, and room for headers and for the marks of chunks."""
CHUNK = 16 * 1024  # bytes of an answer that are looked at together
IDLE_MAX = 4.0
"""Seconds after which an idle connection is not used again. Common servers close theirs after 5: a request sent just
then is lost, and nobody can tell whether it was acted on."""
POOL_SIZE = 64
"""Idle connections kept: more than the threads of a usual worker, so that none is thrown away for want of a place."""


@dataclass(slots=True)
class Exchange:
    """The time that one call has, over all its attempts, and whether the latest attempt may have left this machine."""

    seconds: float
    sent: bool = False
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """The seconds that are left, negative after the end."""
        return self.ends - time.monotonic()

    def left(self) -> float:
        """Return the seconds that are left, for a time-out. Raises `TimeoutError` if there are none."""
        remaining = self.remaining
        if remaining <= 0:
            raise TimeoutError
        return remaining


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host answered. `fault` says why `body` was not taken, if it was not."""

    status: int
    body: bytes
    retry_after: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """That there was no answer, and `why`. `not_http`: there was something, but not HTTP."""

    why: str
    sent: bool
    not_http: bool = False
    untrusted: bool = False


# How the connection, deep inside urllib3 but in the same thread, learns of the call that it serves.
_current: ContextVar[Exchange] = ContextVar("miniapp_exchange")


def open_session(session: requests.Session | None, *, trust_env: bool, ca_file: str = "") -> requests.Session:
    """Return a requests session for `Target`: a new one, or `session` with the stock adapters replaced by `Adapter`.

    Adapters that the app mounted stay. `trust_env` is set: proxies and .netrc are obeyed only if it is true. With
    `ca_file`, certificates are checked by that file's.
    """
    session = session or requests.Session()
    session.trust_env = trust_env
    if ca_file:
        session.verify = ca_file
    adapter = Adapter(pool_maxsize=POOL_SIZE)
    for prefix, mounted in session.adapters.items():
        if type(mounted) is HTTPAdapter:
            session.adapters[prefix] = adapter
    return session


class Target:
    """A URL that calls are posted to, with the headers that they share. The request is prepared once."""

    def __init__(self, session: requests.Session, url: str, headers: Mapping[str, str]) -> None:
        self._session = session
        self._url = url
        self._headers = dict(headers)
        self._prepared: requests.PreparedRequest | None = None

    def post(self, body: bytes, timeouts: tuple[float, float], exchange: Exchange) -> Answer | Failure:
        """Return the outcome of one POST. `timeouts`: for the connection and for each read, in seconds.

        Never raises, and keeps no exception: those of `requests` carry the request, and so the API key.
        """
        handled = sys.exception()
        outer = _current.set(exchange)
        exchange.sent = False
        try:
            # Not by Session.send: it keeps the host's cookies, and reads the whole body of a redirect, however long.
            request = self._request().copy()
            request.body = body
            request.headers["Content-Length"] = str(len(body))
            options = self._session.merge_environment_settings(self._url, {}, True, None, None)
            adapter = self._session.get_adapter(self._url)
            exchange.sent = not isinstance(adapter, Adapter)  # another adapter may not say when something left
            with adapter.send(request, timeout=timeouts, **options) as response:  # type: ignore[arg-type]
                return _read(response.status_code, response.headers, response.iter_content(CHUNK), exchange)
        except Exception as error:
            return _failure(error, handled, exchange.sent)
        finally:
            _current.reset(outer)

    def _request(self) -> requests.PreparedRequest:
        if self._prepared is None:
            self._prepared = self._session.prepare_request(
                requests.Request("POST", self._url, headers=self._headers, data=b"")
            )
        return self._prepared


def _read(status: int, headers: Mapping[str, str], chunks: Iterable[bytes], exchange: Exchange) -> Answer:
    retry_after = headers.get("Retry-After")
    if 300 <= status < 400:
        return Answer(status, b"", fault="it is a redirect, and redirects are never followed")
    if headers.get("Content-Encoding", "identity") != "identity":
        return Answer(status, b"", retry_after, fault="it is compressed, which was not asked for")
    body = bytearray()
    for chunk in chunks:
        exchange.left()
        body += chunk
        if len(body) > ANSWER_MAX_BYTES:
            return Answer(status, b"", retry_after, fault=f"it is longer than {ANSWER_MAX_BYTES} bytes")
    return Answer(status, bytes(body), retry_after)


# --- what went wrong, in words ---


class _TooLong(OSError):
    """The answer is longer than `WIRE_MAX_BYTES`."""


# The first row that fits any link of the chain of errors counts. The last column: whether it means `Failure.not_http`.
_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, bool], ...] = (
    (_TooLong, f"its answer is longer than {WIRE_MAX_BYTES} bytes", True),
    (socket.gaierror, "its name was not found", False),
    (ssl.SSLCertVerificationError, "its certificate is not trusted", False),
    (ssl.SSLError, "TLS failed", False),
    (ConnectionRefusedError, "the connection was refused", False),
    (NewConnectionError, "", False),  # a ConnectTimeoutError by class, though no time-out: the system has words for it
    (ConnectTimeoutError, "no connection came about in time", False),
    (TimeoutError, "no whole answer came in time", False),
    (InvalidChunkLength, "its answer is not HTTP", True),
    ((ConnectionError, http.client.IncompleteRead), "the connection was closed before the whole answer came", False),
    (http.client.HTTPException, "its answer is not HTTP", True),
    (ProtocolError, "its answer broke off, or is not HTTP", False),
)


def _failure(error: Exception, handled: BaseException | None, sent: bool) -> Failure:
    """`error` in words. `handled` is what the caller of `Target.post` was handling: no part of this."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link is not handled:
        chain.append(link)
        link = link.__cause__ or link.__context__
    spoken = (link.strerror for link in chain if isinstance(link, OSError) and link.strerror)
    system = next(spoken, f"{type(error).__name__} was raised")
    for kinds, why, not_http in _REASONS:
        for link in chain:
            if isinstance(link, kinds):
                if isinstance(link, ssl.SSLCertVerificationError):
                    return Failure(f"{why} ({link.verify_message})", sent, untrusted=True)
                return Failure(why or system, sent, not_http and sent)
    return Failure(system, sent)


# --- the connection: deadline, limit, and the mark that something left ---


def _in_time(connect: Callable[[], socket.socket], seconds: float) -> socket.socket:
    """`connect()`, for `seconds` at most: looking up a name can't be interrupted, so a thread does it."""
    future: Future[socket.socket] = Future()

    def run() -> None:
        try:
            future.set_result(connect())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="miniapp-connect", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        future.add_done_callback(_close)
        raise


def _close(late: Future[socket.socket]) -> None:
    if late.exception() is None:
        late.result().close()


class _Reader(io.RawIOBase):
    """A socket's bytes, each read given only the time that is left, and no more than `WIRE_MAX_BYTES` of them."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = sock.gettimeout()
        self._budget = WIRE_MAX_BYTES
        self._exchange = _current.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._budget <= 0:
            raise _TooLong
        left = self._exchange.left()
        self._sock.settimeout(left if self._patience is None else min(self._patience, left))
        count = self._raw.readinto(buffer)
        self._budget -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))


class _Timed:
    """What both kinds of connection get: it goes before urllib3's class among the bases."""

    response_class: Any = _Response
    debuglevel = 0  # http.client's, if somebody sets it, prints every header
    sock: socket.socket | None
    timeout: float | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._process = os.getpid()
        self._used = time.monotonic()
        self._held: list[bytes] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the pool may hand out this connection again: alive, not idle for long, and not a parent process's."""
        fresh = time.monotonic() - self._used < IDLE_MAX and self._process == os.getpid()
        return fresh and bool(super().is_connected)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        exchange = _current.get()
        seconds = exchange.left() if self.timeout is None else min(self.timeout, exchange.left())
        try:
            sock = _in_time(super()._new_conn, seconds)  # type: ignore[misc]
        except TimeoutError:
            raise ConnectTimeoutError(self, "no connection in time") from None
        # For the TLS handshake, the whole of which this bounds. Not 0: that would mean not to wait at all.
        sock.settimeout(max(0.001, min(seconds, exchange.remaining)))
        return sock

    def connect(self) -> None:
        exchange = _current.get()
        try:
            super().connect()  # type: ignore[misc]
        finally:
            exchange.sent = False  # a CONNECT to a proxy carries nothing of the call
        self._process = os.getpid()

    def request(self, *args: Any, **kwargs: Any) -> None:
        # Head and body leave together: one after the other, they would wake the host twice, and cost us twice.
        self._held = []
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
        finally:
            held, self._held = self._held, None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        if self.sock is None:
            self.connect()
        assert self.sock is not None
        exchange = _current.get()
        self.sock.settimeout(exchange.left())
        exchange.sent = True
        super().send(data)  # type: ignore[misc]

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        self._used = time.monotonic()
        return response


class _PlainConnection(_Timed, HTTPConnection):
    pass


class _TLSConnection(_Timed, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Adapter(HTTPAdapter):
    """requests' adapter, with connections that keep to the `Exchange` they serve. Only for `Target`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool with connections that keep deadlines."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pool for a proxy, with connections that keep deadlines."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self.poolmanager.pool_classes_by_scheme
        return manager
