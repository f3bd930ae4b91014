"""A host on a real port that counts, for each recipient, the messages that it accepted."""

from __future__ import annotations

import json
import random
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

SUCCESS = b'{"status": "Success", "description": "-"}'
Answer = Callable[[str, str], tuple[int, bytes, str]]


def accept(call: str, to: str) -> tuple[int, bytes, str]:
    """Accept every message."""
    return 200, SUCCESS, ""


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        try:
            while line := self.rfile.readline():
                length = 0
                while (header := self.rfile.readline().strip().lower()) != b"":
                    if header.startswith(b"content-length:"):
                        length = int(header[15:])
                body = json.loads(self.rfile.read(length))
                call = line.split()[1].rpartition(b"/")[2].decode()
                status, answer, extra = self.server.stub.take(call, body.get("jid") or body["domain"])
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n{extra}\r\n"
                self.wfile.write(head.encode() + answer)
        except (OSError, ValueError):  # the one at the other end was killed
            pass


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    stub: Stub


class Stub:
    """Count calls: `accepted[jid]` messages were accepted for `jid`; `calls` has each call as `(call, jid)`.

    `answer(call, jid)` returns status, body and further headers. Each answer takes up to `slowness` seconds.
    """

    def __init__(self, answer: Answer = accept, *, slowness: float = 0.0, port: int = 0) -> None:
        self.answer = answer
        self.slowness = slowness
        self.accepted: Counter[str] = Counter()
        self.calls: list[tuple[str, str]] = []
        self._port = port
        self._more = threading.Condition()

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/onechat/api"

    @property
    def count(self) -> int:
        return sum(self.accepted.values())

    def take(self, call: str, to: str) -> tuple[int, bytes, str]:
        status, body, extra = self.answer(call, to)
        with self._more:
            self.calls.append((call, to))
            if status == 200 and body == SUCCESS:
                self.accepted[to] += 1
            self._more.notify_all()
        if self.slowness:
            time.sleep(random.uniform(0, self.slowness))  # a slow host: kills happen during its calls
        return status, body, extra

    def wait(self, count: int, timeout: float) -> bool:
        """Wait until `count` calls have come. Return whether they came in time."""
        with self._more:
            return self._more.wait_for(lambda: len(self.calls) >= count, timeout)
