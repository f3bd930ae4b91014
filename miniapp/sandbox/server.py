"""The sandbox on a real port, in a thread of its own."""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from contextlib import closing, suppress
from types import TracebackType
from typing import Any, Self

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HTTPConnection
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Gateway_10, Server
from flask import Flask
from werkzeug.wsgi import ClosingIterator

from .. import contract
from ..errors import Code, MiniAppError
from ..hosts import is_loopback
from .config import HOST_NAME, SandboxConfig
from .web.app import create_sandbox
from .web.connection_faults import CONNECTION
from .web.state import sandbox_of

BACKLOG = 128  # connections that wait to be accepted; 200 users who log in at once come within milliseconds
THREADS = 4  # at the start; more come as they are needed
SPARE_MAX = 16  # threads that wait for work; each more ends. The pages of a browser ask for about as much at once
THREADS_MAX = 1024  # streams and hanging calls at once; a stack of 8 MB each is address space, not memory
READ_BYTES = 64 * 1024  # at once, of what is thrown away
STAY_MS = 100  # that a thread waits for the next request of its connection: to change threads takes as long as a call
IDLE_SECONDS = 75  # for a connection without a request, as nginx has it: longer than clients keep one
POLL_SECONDS = 0.05  # within which a stop is seen
STOP_SECONDS = 1  # for requests that are being answered; streams and hanging calls have been ended by then
HEADER_MAX_BYTES = 64 * 1024  # of one request's headers; gunicorn takes 8 KB a line, 100 lines
DRAIN_MAX_BYTES = 16 * contract.BODY_MAX_BYTES  # a longer body gets a bare 413, not our words

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
                code=Code.HOST,
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
        try:
            listener = self._listener or socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except OSError:
            self.sandbox.close()  # an XMPP server may be running already
            raise
        self._listener = None
        # Headers and body are written apart; Nagle's algorithm would hold the second back for 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server = _Server(listener, self.app)
        self._server.prepare()
        self.port = self._server.bind_addr[1]
        self._thread = threading.Thread(target=self._server.serve, name="onechat-sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop at once: open streams end, hanging calls are cut off, idle connections are closed."""
        if self._server is not None and self._thread is not None:
            self.sandbox.faults.clear()
            self.sandbox.events.close()
            self._server.requests.hang_up()
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Gateway(Gateway_10):
    """WSGI for one request, whose connection the app may look at and cut off (wire.py)."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[CONNECTION] = self.req.conn.socket
        return environ

    def respond(self) -> None:
        # cheroot's own leaves a response without a body, and its file, open if the reader has gone.
        app = self.req.server.wsgi_app
        with closing(ClosingIterator(app(self.env, self.start_response))) as response:
            for data in filter(None, response):
                self.write(data)
            self.req.ensure_headers_sent()
        path = self.env["PATH_INFO"].encode("unicode_escape").decode()  # the query may hold what is nobody's business
        log.info("%s %s %s", self.env["REQUEST_METHOD"], path, self.req.status[:3].decode())
        with suppress(MaxSizeExceeded):
            while self.req.rfile.read(READ_BYTES):  # a body that nobody read would be taken for the next request
                pass


class _Connection(HTTPConnection):
    """A client that makes one request after the other keeps its thread, which is handed on only once it pauses."""

    def communicate(self) -> bool:
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        try:
            while super().communicate():  # type: ignore[no-untyped-call]
                if not (self.rfile.has_data() or waiting.poll(STAY_MS)):
                    return True
            return False
        finally:
            self.server.requests.free()

    def close(self) -> None:
        """Throw away what a reader who has gone did not take: Python 3.13 reports a writer that can't be flushed."""
        with suppress(OSError):
            self.socket.settimeout(0)  # no wait for a reader that has stopped reading
            self.wfile.close()
        super().close()


class _Threads(ThreadPool):
    """As many threads as are needed: a page's stream of events and a call that hangs keep one each."""

    def __init__(self, server: Server) -> None:
        super().__init__(server, min=THREADS, max=THREADS_MAX)
        self._taken = 0  # by connections, those that a thread is about to take included, which cheroot's `idle` isn't
        self._counting = threading.Lock()

    def put(self, obj: Any) -> None:
        with self._counting:
            self._taken += 1
            if self._taken > self._staying():
                self.grow(1)
        super().put(obj)

    def free(self) -> None:
        """Take note that a thread is through with its connection."""
        with self._counting:
            self._taken -= 1
            spare = self._staying() - self._taken
            if spare > SPARE_MAX:
                # cheroot counts those that are about to end as part of what is asked for
                self.shrink(len(self._pending_shutdowns) + spare - SPARE_MAX)  # type: ignore[attr-defined]

    def _staying(self) -> int:
        """Return the number of threads but for those that are about to end."""
        return len(self._threads) - len(self._pending_shutdowns)  # type: ignore[attr-defined]

    def hang_up(self) -> None:
        """End what every thread reads or writes."""
        for thread in list(self._threads):  # type: ignore[attr-defined]  # which the stub leaves out
            if (connection := thread.conn) is not None:
                with suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)

    def _spawn_worker(self) -> WorkerThread:
        worker = WorkerThread(self.server)  # type: ignore[no-untyped-call]
        worker.daemon = True  # a process that ends without `stop()` is not held up
        worker.start()
        while not worker.ready:  # which takes microseconds; cheroot itself looks every 0.1 s
            time.sleep(0)
        return worker


class _Server(Server):
    requests: _Threads
    ConnectionClass = _Connection
    expiration_interval = POLL_SECONDS
    keep_alive_conn_limit = THREADS_MAX
    timeout = IDLE_SECONDS
    max_request_header_size = HEADER_MAX_BYTES
    max_request_body_size = DRAIN_MAX_BYTES

    def __init__(self, listener: socket.socket, app: Flask) -> None:
        super().__init__(listener.getsockname()[:2], app, request_queue_size=BACKLOG, shutdown_timeout=STOP_SECONDS)
        self._listener = listener
        self.gateway = _Gateway
        self.requests = _Threads(self)

    def bind(self, *_family: int) -> None:
        self.socket = self._listener  # cheroot's own would stay open where the port is taken

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(level, msg, exc_info=traceback)
