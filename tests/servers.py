"""Mini apps on real ports of 127.0.0.1: by Werkzeug in this process, by gunicorn in others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

ROOT = Path(__file__).parent.parent


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing: a failing test shows what it saw."""


@contextmanager
def serving(make_app: Callable[[int], Flask]) -> Iterator[tuple[Flask, int]]:
    """`make_app(port)` on a free port."""
    late: list[Flask] = []
    server = make_server("127.0.0.1", 0, lambda *wsgi: late[0](*wsgi), threaded=True, request_handler=_Quiet)
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


@contextmanager
def gunicorn(settings: Mapping[str, Any], *arguments: str) -> Iterator[str]:
    """The starter under gunicorn, on a free port, with nothing but `settings` in its environment: its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *arguments, "wsgi:app"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **{key: str(value) for key, value in settings.items()}},
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise RuntimeError("gunicorn did not start:\n" + "".join(said))
        # Somebody has to read on, or gunicorn stops once the pipe is full.
        reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        reader.start()
        yield found[1]
    finally:
        process.terminate()
        process.wait(30)
        if found:
            reader.join()
        process.stderr.close()
