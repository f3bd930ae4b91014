"""What the sandbox does to a connection itself: see that the other side has gone, cut it off, let it hang."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CONNECTION = "miniapp.connection"  # the key of the client's connection in the WSGI environment
HANG_LIMIT = 60.0  # seconds; past the longest deadline that a client is likely to have
_POLL = 0.2  # seconds within which a hanging call sees that its client has gone


def connection(environ: WSGIEnvironment) -> socket.socket | None:
    """Return the client's connection, or None if the app is called in-process."""
    return cast("socket.socket | None", environ.get(CONNECTION))


def is_gone(client: socket.socket | None) -> bool:
    """Return whether the client has closed the connection. In-process it never has."""
    if client is None:
        return False
    try:
        with selectors.DefaultSelector() as selector:  # select() itself ends at file descriptor 1023
            selector.register(client, selectors.EVENT_READ)
            return bool(selector.select(0)) and not client.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True


class Reset(Response):
    """Answers by cutting the connection off. In-process it raises ConnectionResetError to the caller of the app."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = connection(environ)
        if client is not None:
            # Lingering for 0 s makes closing send RST instead of FIN.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with socket.socket() as nothing:  # in its place, for the server to close: it would shut this one down first
                os.dup2(nothing.fileno(), client.fileno(), inheritable=False)
        raise _cut_off("The sandbox was told to cut this call off.")


class Hang(Response):
    """Answers not at all until `released`, the client's going or `HANG_LIMIT`. In-process it raises TimeoutError."""

    def __init__(self, released: threading.Event, **options: Any) -> None:
        super().__init__(**options)
        self._released = released

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = connection(environ)
        if client is None:
            raise TimeoutError("The sandbox was told to let this call hang; in-process nobody could end it.")
        for _ in range(int(HANG_LIMIT / _POLL)):
            if self._released.wait(_POLL) or is_gone(client):
                break
        raise _cut_off("The sandbox let this call hang, as it was told.")


def _cut_off(why: str) -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, why)  # by the number the server knows it for no fault of its own
