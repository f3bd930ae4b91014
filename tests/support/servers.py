"""Mini apps on real ports of 127.0.0.1: by Werkzeug in this process, by gunicorn in other processes."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from support.paths import ROOT


def reset_on_close(sock: socket.socket) -> None:
    """Send the peer of `sock` a reset when it is closed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Log nothing: a failing test shows what it saw."""


@contextmanager
def serving(make_app: Callable[[int], Flask]) -> Iterator[tuple[Flask, int]]:
    """Serve `make_app(port)` on a free port."""
    late: list[Flask] = []

    def app(*wsgi: Any) -> Iterator[bytes]:
        # Werkzeug may leave a response open whose reader went away; a generator that is dropped closes it.
        with closing(ClosingIterator(late[0](*wsgi))) as response:
            yield from (data for data in response)  # by itself, `yield from` would close it too

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    try:
        late.append(make_app(server.server_port))
        thread.start()
        yield late[0], server.server_port
    finally:
        if late:
            server.shutdown()
            thread.join()
        server.server_close()


@dataclass(frozen=True)
class Gunicorn:
    """Describe a running gunicorn: its URL, its master process, and the output lines of all its processes."""

    url: str
    pid: int
    said: list[str]


@contextmanager
def gunicorn_process(
    settings: Mapping[str, Any], *arguments: str, folder: Path = ROOT, app: str = "wsgi:app"
) -> Iterator[Gunicorn]:
    """Run `app` of `folder` under gunicorn, on a free port. Its environment has only `settings`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *arguments, app],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **{key: str(value) for key, value in settings.items()}},
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"Listening at: (https?://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise RuntimeError("gunicorn did not start:\n" + "".join(said))
        # Somebody has to read on, or gunicorn stops once the pipe is full.
        reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        reader.start()
        yield Gunicorn(found[1], process.pid, said)
    finally:
        process.terminate()
        process.wait(30)
        if found:
            reader.join()
        process.stderr.close()


@contextmanager
def gunicorn(settings: Mapping[str, Any], *arguments: str, folder: Path = ROOT, app: str = "wsgi:app") -> Iterator[str]:
    """Run a gunicorn as `gunicorn_process` does. Yield its URL."""
    with gunicorn_process(settings, *arguments, folder=folder, app=app) as running:
        yield running.url
