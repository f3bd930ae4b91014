"""The sandbox on a real port, in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import LISTEN_QUEUE, ThreadedWSGIServer, WSGIRequestHandler

from ..errors import MiniAppError
from .app import create_sandbox
from .config import HOST_NAME, SandboxConfig
from .fields import is_loopback
from .state import sandbox_of

log = logging.getLogger("miniapp.sandbox.server")


class SandboxServer:
    """A sandbox that listens on `host` and `port` (0: any free one) from `start()` to `stop()`, or within `with`.

    It is for this machine alone, and refuses any other `host` unless `force` is given; what it is then called by must
    be among the configuration's `trusted_hosts`. A `listener`, a socket that listens on `host` already, is taken over.
    `app`, `sandbox`, `token` and, once it listens, `port`, `url` (for programs) and `page_url` (for browsers) say the
    rest.
    """

    def __init__(
        self,
        config: SandboxConfig | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        force: bool = False,
        listener: socket.socket | None = None,
    ) -> None:
        if not force and not is_loopback(host):
            raise MiniAppError(
                "The sandbox listens on this machine only: whoever reaches it can read and send as anybody.",
                hint="Leave the host at 127.0.0.1.",
                code="host",
            )
        self.app = create_sandbox(config)
        self.sandbox = sandbox_of(self.app)
        self.token = self.sandbox.config.token
        self.host = host
        self.port = listener.getsockname()[1] if listener else port
        self._listener = listener
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where programs reach it. Not every system's resolver knows `*.localhost`."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 (not bound)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def page_url(self) -> str:
        """Where browsers open it, and what mini apps know as their container's origin."""
        return f"http://{HOST_NAME}:{self.port}"

    def start(self) -> Self:
        """Listen. Raises OSError if the port is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Werkzeug would print and exit where the port is taken, so the socket is ours.
        try:
            listener = self._listener or socket.create_server(
                (self.host, self.port), family=family, backlog=LISTEN_QUEUE
            )
        except OSError:
            self.sandbox.close()  # an XMPP server may be running already
            raise
        self._listener = None
        with listener:
            self._server = _Server(self.host, self.port, self.app, fd=listener.fileno())
        self.port = self._server.port
        # Stopping waits for one round of this poll at most.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="onechat-sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop at once: open streams end, hanging calls are cut off, idle connections are closed."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self.sandbox.faults.clear()
            self.sandbox.events.close()
            self._server.hang_up()
            self._server.server_close()
            self._server = self._thread = None
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Handler(WSGIRequestHandler):
    # Headers and body are written apart; Nagle's algorithm could hold the second back for 40 ms.
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        self.close_connection = True  # or a connection that was to be cut off would be read from again

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = self.path.partition("?")[0]  # a query may hold what is nobody's business
        log.info("%s %s %s", self.command, path.encode("unicode_escape").decode(), code)

    def log(self, type: str, message: str, *args: Any) -> None:
        log.log(logging.getLevelNamesMapping().get(type.upper(), logging.INFO), message, *args)


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, app: Any, fd: int) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(host, port, app, handler=_Handler, fd=fd)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._open_lock:
            clients = list(self._open)
        for client in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
