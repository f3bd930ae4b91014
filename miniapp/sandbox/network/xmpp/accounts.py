"""The sandbox as an XMPP server's authority for accounts: who there is, and whose password is right.

The server asks over HTTP, on loopback, with a shared secret:

    POST /people                          {"alice": {"name": "Alice Tan", "picture": {"type", "data"}}, …}
    POST /exists  {"user"}                {"ok": true}
    POST /check   {"user", "password"}    {"ok": true}

`user` is the local part of a JID; `data` is base64, and a picture that is elsewhere has a `url` instead. Prosody asks
by modules of ours, other servers by `extauth`.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import unquote_to_bytes

from ...store.records import User

BODY_MAX = 8192  # bytes; the longest user name and password that XMPP allows are 1023 each, escaped at worst sixfold
SECONDS = 5.0  # for a request to come in whole; the server is on this machine

log = logging.getLogger("miniapp.sandbox.accounts")


class Accounts(Protocol):
    """Who may log in."""

    domain: str

    def people(self) -> list[User]:
        """Everybody."""

    def exists(self, jid: str) -> bool:
        """Return whether there is a user `jid`."""

    def check(self, jid: str, password: str) -> bool:
        """Return whether the user `jid` may log in with `password`."""


class Authority:
    """Answers an XMPP server's questions about `accounts`, from `start()` to `stop()` or within `with`.

    `url` is where, `secret` what the server has to show.
    """

    def __init__(self, accounts: Accounts, *, port: int = 0, secret: str | None = None) -> None:
        self.accounts = accounts
        self.secret = secret or secrets.token_urlsafe(24)
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the server asks."""
        assert self._server is not None, "the authority has not been started"
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        """Listen on 127.0.0.1. Raises OSError if the port is taken."""
        self._server = _Server(self)
        # Stopping waits for one round of this poll at most.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="xmpp-accounts", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return what the question `path` is answered with; None if there is no such question."""
        if path == "/people":
            return {person.jid.partition("@")[0]: person_shape(person) for person in self.accounts.people()}
        jid = f"{body.get('user')}@{self.accounts.domain}"
        if path == "/exists":
            return {"ok": self.accounts.exists(jid)}
        if path == "/check":
            return {"ok": self.accounts.check(jid, str(body.get("password", "")))}
        return None


def person_shape(person: User) -> dict[str, Any]:
    """Return what a server is told of a person."""
    kind, comma, data = person.avatar.removeprefix("data:").partition(",")
    if not comma or not person.avatar.startswith("data:"):
        return {"name": person.name, "picture": {"url": person.avatar}}
    kind, _, encoding = kind.partition(";")
    packed = data if encoding == "base64" else base64.b64encode(unquote_to_bytes(data)).decode()
    return {"name": person.name, "picture": {"type": kind, "data": packed}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        super().__init__(("127.0.0.1", authority._port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a question about accounts broke off", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SECONDS

    def do_POST(self) -> None:
        authority = self.server.authority
        shown = self.headers.get("Authorization", "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(shown, f"Bearer {authority.secret}".encode()):
            return self._reply(401, {"error": "The shared secret is missing or wrong."})
        try:
            length = int(self.headers.get("Content-Length", "0"))
            body = json.loads(self.rfile.read(length) or b"{}") if 0 <= length <= BODY_MAX else None
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return self._reply(400, {"error": "The body is not a small JSON object."})
        answer = authority.answer(self.path, body)
        return self._reply(404 if answer is None else 200, answer or {})

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: there is one line for each login in the server's own log."""
