"""The app's process under `miniapp dev`: loads the app, serves it, and ends when its supervisor does.

It is started before the supervisor knows the settings, so that the framework is loaded by the time they come:

    supervisor → child   {"app": "wsgi", "debugger": true, "hosts": […], "environment": {…}}; "ended": "…" has a page
                        with this text shown in the app's place
    child → supervisor   {"ok": true, "name": "Lunch", "icon": "/static/icon.svg"} or {"ok": false, "error": "…"}

One line of JSON each, over a socket pair. Its end of file, brought even by a SIGKILL of the supervisor, ends the child.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import flask.cli
from flask import Flask
from flask.cli import NoAppException, ScriptInfo
from werkzeug.debug import DebuggedApplication
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.serving import WSGIRequestHandler, make_server

from .. import MiniApp  # noqa: F401 - what most of the app's start would be spent on, loaded ahead of it

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ICONS = ("icon.svg", "icon.png", "favicon.svg", "favicon.ico")


def main(channel_fd: int, listener_fd: int) -> None:
    """Run the app and answer to the supervisor, until its standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    # The supervisor started us with SIGINT held back, lest Ctrl-C break off the imports above with a traceback.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    channel = socket.socket(fileno=channel_fd)
    lines = channel.makefile("r", encoding="utf-8")
    first = lines.readline()
    if not first:
        return
    threading.Thread(target=_end_with_supervisor, args=(lines,), daemon=True).start()
    orders = json.loads(first)
    os.environ.update(orders["environment"])
    app, answer = _load(orders)
    with socket.socket(fileno=listener_fd) as listener:
        host, port = listener.getsockname()[:2]
        server = make_server(
            host, port, OwnHosts(app, orders["hosts"]), threaded=True, fd=listener_fd, request_handler=_Requests
        )
    channel.sendall(json.dumps(answer).encode() + b"\n")
    server.serve_forever()


def _end_with_supervisor(lines: Iterable[str]) -> None:
    for _ in lines:
        pass
    os._exit(0)  # at once: this is not the main thread, and nobody waits for us any more


def _load(orders: dict[str, Any]) -> tuple[WSGIApplication, dict[str, Any]]:
    """Return the app, or a page that shows why there is none."""
    if "ended" in orders:
        return _Broken(orders["ended"], "The app has stopped"), {"ok": False, "error": orders["ended"]}
    try:
        app = ScriptInfo(app_import_path=orders["app"]).load_app()
        _refuse_foreign_host(app, orders["environment"])
    except (Exception, SystemExit) as error:
        report = _report(error)
        print(report, file=sys.stderr, flush=True)
        last = report.strip().splitlines()[-1] if report.strip() else type(error).__name__
        return _Broken(report), {"ok": False, "error": last}
    answer = {"ok": True, "name": app.config.get("APP_NAME"), "icon": _icon(app)}
    return (DebuggedApplication(app, evalex=True) if orders["debugger"] else app), answer


def _report(error: BaseException) -> str:
    """Return the app's own part of the traceback, without the frames of Flask's loader and ours before it."""
    if isinstance(error, NoAppException | SystemExit):
        return str(error)
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, flask.cli.__file__):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _refuse_foreign_host(app: Flask, environment: dict[str, str]) -> None:
    """`app.config` comes before the environment, so an app may still name a real OneChat: then it is not served."""
    state = app.extensions.get("miniapp")
    if state is not None and state.settings.api_url != environment["ONECHAT_API_URL"]:
        raise SystemExit(
            "The app's own configuration sets ONECHAT_API_URL, so it would call another OneChat than the sandbox.\n"
            "Take ONECHAT_* out of app.config: set them in the environment or in .env, which `miniapp dev` overrides."
        )


def _icon(app: Flask) -> str | None:
    if app.static_folder is None:
        return None
    found = (name for name in ICONS if (Path(app.static_folder) / name).is_file())
    return next((f"{app.static_url_path}/{name}" for name in found), None)


class OwnHosts:
    """Refuses requests whose Host is none of `hosts`: another site's name that was made to point here."""

    def __init__(self, app: WSGIApplication, hosts: list[str]) -> None:
        self.app = app
        self.hosts = hosts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if host_is_trusted(environ.get("HTTP_HOST"), self.hosts):
            return self.app(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"miniapp dev answers to the names of this machine's loopback only.\n"]


class _Requests(WSGIRequestHandler):
    """One line for each request, without the query: it may hold what is nobody's business."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = self.path.partition("?")[0].encode("unicode_escape").decode()
        status = str(code if isinstance(code, str) else int(code))
        colour = {"4": "yellow", "5": "red"}.get(status[0])
        click.secho(f"{self.command} {path} {status}", fg=colour, dim=colour is None, err=True)


_STYLE = (
    ":root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif } body { margin: 1.5rem }"
    "h1 { font-size: 1.25rem } pre { font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere }"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


class _Broken:
    """Answers every request with the report on why there is no app."""

    def __init__(self, report: str, title: str = "The app could not be loaded") -> None:
        self.page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
            f"<h1>{title}</h1><p>This page loads again when a file changes.</p>"
            f"<pre>{escape(report)}</pre></html>"
        ).encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'"),
        ]
        start_response("500 Internal Server Error", headers)
        return [self.page]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
