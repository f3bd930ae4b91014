"""A host on a real port of 127.0.0.1 that answers with faults. It uses plain sockets, so that any bytes can be sent."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from support.servers import reset_on_close

SUCCESS = {"status": "Success", "description": "-"}
BOMB = gzip.compress(b" " * (64 * 1024 * 1024), 9)  # 64 KiB that become 64 MiB


@dataclass
class Received:
    """Hold one complete request. `connection` is the number of its TCP connection."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def call(self) -> str:
        return self.line.split()[1].rpartition("/")[2]


class Talk:
    """Hold one connection during a fault. Waits end with `over`, so that no thread outlives the host."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.over = over
        self.request = Received("", {}, b"", 0)  # the latest

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, pause: float = 0.05) -> None:
        for i in range(len(data)):
            if self.over.wait(pause):
                return
            self.send(data[i : i + 1])

    def hang(self) -> None:
        self.over.wait()

    def reset(self) -> None:
        reset_on_close(self.sock)
        os.close(self.sock.detach())  # close() would wait for the file that reads the requests


Fault = Callable[[Talk], None]


def http(status: int, body: bytes | dict[str, Any] = b"", *headers: str, length: int | None = None) -> bytes:
    """Return the bytes of an answer. `length` is the value of Content-Length."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data) if length is None else length}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


def answer(status: int, body: bytes | dict[str, Any] = b"", *headers: str) -> Fault:
    """Make a fault that sends one whole answer."""
    return lambda talk: talk.send(http(status, body, *headers))


def succeed(talk: Talk) -> None:
    talk.send(http(200, {**SUCCESS, "isAuthenticated": True}))


@dataclass
class FaultHost:
    """Answer each request with `fault`; `requests` has the complete requests.

    `greet` is called on each new connection before the request is read, and may close it. `tls` adds TLS.
    """

    fault: Fault = succeed
    greet: Fault | None = None
    tls: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    peers: list[int] = field(default_factory=list)
    """The client's port of each connection, in order."""

    @property
    def connections(self) -> int:
        return len(self.peers)

    def settled(self) -> int:
        """Return the number of connections, with this one that we make, after all that waited were accepted."""
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            while last.getsockname()[1] not in self.peers:
                self._over.wait(0.001)
        return self.connections

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._closed = threading.Semaphore(0)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._talks: list[Talk] = []
        self._threads = [threading.Thread(target=self._accept, name="faulthost")]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for sock in (self._server, *(talk.sock for talk in self._talks)):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/onechat/api"

    def wait_closed(self) -> None:
        """Wait until one more connection has ended on this side."""
        assert self._closed.acquire(timeout=5), "the connection stays open"

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, peer = self._server.accept()
            except OSError:
                return
            self.peers.append(peer[1])
            talk = Talk(sock, self._over)
            self._talks.append(talk)
            thread = threading.Thread(target=self._serve, args=(talk, self.connections), name="faulthost")
            self._threads.append(thread)
            thread.start()

    def _serve(self, talk: Talk, number: int) -> None:
        with suppress(OSError, ValueError):  # the peer, which is the code under test, may close at any time
            if self.greet:
                self.greet(talk)
            if self.tls:
                talk.sock = self.tls.wrap_socket(talk.sock, server_side=True)
            with talk.sock.makefile("rb") as stream:
                while not self._over.is_set() and (request := _receive(stream, number)):
                    talk.request = request
                    self.requests.append(request)
                    self.fault(talk)
        talk.sock.close()
        self._closed.release()


def _receive(stream: Any, number: int) -> Received | None:
    line = stream.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while field_line := stream.readline().decode("latin-1").strip():
        name, _, value = field_line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Received(line, headers, stream.read(int(headers.get("content-length", 0))), number)
