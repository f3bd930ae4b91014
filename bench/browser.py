"""Debian's Chromium, and a site on loopback for it: what the benchmarks of pages share."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
SECONDS = 30  # for anything that is waited for: far more than it takes, on a busy machine too

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = [
    "--no-sandbox",  # Chromium's sandbox can't start as root in a container
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@cache
def zipped(content: bytes) -> bytes:
    """`content` as a careful site has it compressed, once for all."""
    return gzip.compress(content, 9, mtime=0)


Find = Callable[[str], tuple[str, bytes] | None]
"""The content type and body of a path, or None."""


class Site:
    """Serves what `find` finds, compressed and to be cached for good, at `url`; `sent` has each body's size by path."""

    def __init__(self, find: Find) -> None:
        self.sent: dict[str, int] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are written apart

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                kind, body = site._body(path, find)
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store" if kind == "text/html" else "max-age=31536000, immutable")
                if body:
                    self.send_header("Content-Encoding", "gzip")
                    site.sent[path] = len(body)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._ready: dict[str, tuple[str, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _body(self, path: str, find: Find) -> tuple[str, bytes]:
        if path not in self._ready:
            found = find(path)
            self._ready[path] = (found[0], zipped(found[1])) if found else ("text/plain", b"")
        return self._ready[path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
