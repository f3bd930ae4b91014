"""A host page and a mini app's server, both fakes on real ports, and a browser page with them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from playwright.sync_api import Browser, Frame, Page

from miniapp import shim
from miniapp.settings import Settings
from support.servers import serving

HOST_PAGE = """<!doctype html><title>host</title><body><script>
let wanted, launch;
const frame = document.body.appendChild(document.createElement("iframe"));
const calls = [], connects = [];
let port, mute = false, answers = {};
addEventListener("message", (event) => {
  if (event.source !== frame.contentWindow || event.origin !== new URL(wanted).origin) return;
  connects.push(event.data);
  if (mute) return;
  const channel = new MessageChannel();
  port = channel.port1;
  port.onmessage = ({ data }) => {
    calls.push(data);
    const answer = answers[data.call];
    if (answer) port.postMessage(Object.assign({ id: data.id }, answer));
  };
  event.source.postMessage({ oc: 1, type: "port", id: event.data.id }, event.origin, [channel.port2]);
  if (launch) port.postMessage({ event: "launch", data: launch });
});
</script>"""

SESSIONS = {"s-alice-01": "alice@onechat.localhost", "s-bob-0001": "bob@onechat.localhost"}


class Server:
    """Serve a mini app's backend, as far as the shim needs it: `docs/routes.md`."""

    def __init__(self, port: int, host: str, variant: str, lifetime: int) -> None:
        self.origin = f"http://alice.onechat.localhost:{port}"
        self.cookies = True  # whether the browser's cookies are seen
        self.left: int | None = None  # what data-left says, if not the lifetime
        self.reach = "'self'"  # what the pages' policy lets them load
        self.away = ""  # where /away redirects to
        self.refusals: list[Response] = []  # the next answers of the session endpoint
        self.posts: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str, int]] = []  # method, path, status
        self.login: dict[str, str] = {}  # cookie or bearer → JID
        self.lifetime = lifetime
        self.lock = threading.Lock()
        settings = Settings(app_id="app-3f9c2b7e", container_origins=(host,), login_lifetime=lifetime)
        self.shim = shim.render(settings)
        if variant == "written":
            text = shim._source(settings.app_id, (host,), lifetime, small=False)
            self.shim = dataclasses.replace(self.shim, source=text, integrity=_integrity(text))
        self.app = Flask(__name__)
        self.app.add_url_rule("/miniapp/session", "session", self._session, methods=["POST", "DELETE"])
        self.app.add_url_rule("/api/me", "me", self._me, methods=["GET", "POST"])
        self.app.add_url_rule("/away", "away", lambda: Response(status=302, headers={"Location": self.away}))
        self.app.add_url_rule("/moving", "moving", self._moving)
        self.app.add_url_rule("/text", "text", self._text)
        self.app.add_url_rule("/", "page", self._page)
        self.app.add_url_rule("/to/here", "here", self._page)
        self.app.add_url_rule("/public", "public", self._public)
        self.app.add_url_rule("/native", "native", self._native)
        shim.register(self.app, self.shim)
        self.app.after_request(self._note)

    def _note(self, response: Response) -> Response:
        with self.lock:
            self.seen.append((request.method, request.path, response.status_code))
        return response

    def who(self) -> str | None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.login.get(bearer) or (self.cookies and self.login.get(request.cookies.get("login", ""))) or None

    def page(self, head: str, attributes: dict[str, str], body: str = "", status: int = 200) -> Response:
        nonce = secrets.token_urlsafe(16)
        if "Authorization" in request.headers:
            nonce = request.headers.get("X-OC-Nonce", nonce)
        tag = shim.script_tag(self.shim, nonce, attributes)
        html = f"<!doctype html><title>page</title>{head}{tag}<body>{body}".replace(
            "<script>", f'<script nonce="{nonce}">'
        )
        policy = f"default-src {self.reach}; script-src 'nonce-{nonce}'; object-src 'none'"
        return Response(html, status, {"Content-Security-Policy": policy, "Cache-Control": "no-store"}, "text/html")

    def _page(self) -> Response:
        jid = self.who()
        if jid is None:
            return self.page("", {"data-login": ""}, status=401)
        left = self.lifetime if self.left is None else self.left
        script = "addEventListener('oc:signedout', () => { document.title = 'signed out' })"
        body = f"<h1>{jid}</h1><script>{script}</script>"
        return self.page("", {"data-jid": jid, "data-left": str(left)}, body)

    def _moving(self) -> Response:
        if self.who() is None:
            return self.page("", {"data-login": ""}, status=401)
        return Response(status=302, headers={"Location": "/to/here"})

    def _public(self) -> Response:
        return self.page("", {})

    def _native(self) -> Response:
        """Return a page in which a container's code, `?with=`, runs before the page's own script, `?body=`."""
        return self.page(
            f"<script>{request.args['with']}</script>",
            {"data-login": ""} if "login" in request.args else {},
            f"<script>{request.args.get('body', '')}</script>",
        )

    def _text(self) -> Response:
        if self.who() is None:
            return self.page("", {"data-login": ""}, status=401)
        return Response("<script>document.title = 'ran'</script>", mimetype="text/plain")

    def _me(self) -> Response:
        jid = self.who()
        return jsonify(jid=jid, body=request.get_data(as_text=True)) if jid else Response(status=401)

    def _session(self) -> Response:
        if request.method == "DELETE":
            self.login.clear()
            return Response(status=204)
        body = request.get_json()
        with self.lock:
            self.posts.append(body)
            if self.refusals:
                return self.refusals.pop(0)
        jid = SESSIONS.get(body["sessionId"])
        if jid != body["jid"]:
            return self.refusal(401)
        key = secrets.token_urlsafe(8)
        self.login[key] = jid
        if body.get("bearer") is True:
            return jsonify(bearer=key, expiresIn=self.lifetime)
        response = Response(status=204)
        response.set_cookie("login", key, httponly=True, samesite="Lax")
        return response

    @staticmethod
    def refusal(status: int, **headers: str) -> Response:
        text = json.dumps({"error": {"code": "x", "message": f"The server says {status}.", "hint": "Do."}})
        return Response(text, status, headers, mimetype="application/json")


def _integrity(text: str) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()


class Phone:
    """Drive one browser context with the host page, and the mini app in its frame."""

    def __init__(self, page: Page, host: str, server: Server) -> None:
        self.page, self.host, self.server = page, host, server
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def data(self, who: str = "alice", **changes: Any) -> dict[str, Any]:
        session = next(key for key, jid in SESSIONS.items() if jid.startswith(who))
        return {
            "v": 1,
            "host": self.host,
            "app": {"id": "app-3f9c2b7e", "name": "Lunch"},
            "sessionId": session,
            "vCard": {"jid": SESSIONS[session], "userName": "Alicé Tan 陈", "avatar": "data:,"},
            "device": {"device": "iPhone 7", "os": "iOS 11.0", "screenWidth": "375", "screenHeight": "667"},
            **changes,
        }

    def url(self, path: str = "/public", data: dict[str, Any] | None = None) -> str:
        text = json.dumps(self.data() if data is None else data, ensure_ascii=False).encode()
        return f"{self.server.origin}{path}#oc={base64.urlsafe_b64encode(text).decode().rstrip('=')}"

    def open(
        self,
        path: str = "/public",
        data: dict[str, Any] | None = None,
        *,
        answers: Any = None,
        mute: bool = False,
        claim: dict[str, Any] | None = None,
    ) -> Frame:
        """Open the mini app at `path` in the host page's frame, with `claim` in the fragment, by default `data`."""
        data = self.data() if data is None else data
        self.page.goto(f"{self.host}/")
        self.page.evaluate("([a, m, d]) => { answers = a || {}; mute = m; launch = d; }", [answers, mute, data])
        self.page.evaluate(
            "(src) => new Promise((done) => { wanted = src; frame.onload = done; frame.src = src; })",
            self.url(path, claim or data),
        )
        return self.frame

    @property
    def frame(self) -> Frame:
        return self.page.frames[1]

    def calls(self) -> list[dict[str, Any]]:
        return list(self.page.evaluate("calls"))


def until(frame: Frame, condition: str) -> None:
    """Wait until `condition` is true in the frame. Playwright's own wait needs eval, which the pages forbid."""
    end = time.monotonic() + 10  # as long as expect() is given at most
    while not frame.evaluate(condition):
        assert time.monotonic() < end, condition


@pytest.fixture(scope="module")
def host_origin() -> Iterator[str]:
    """Return the host page's origin."""

    def make(port: int) -> Flask:
        app = Flask("host")
        app.add_url_rule("/", "host", lambda: Response(HOST_PAGE, mimetype="text/html"))
        app.add_url_rule("/favicon.ico", "icon", lambda: Response(status=204))
        return app

    with serving(make) as (_, port):
        yield f"http://onechat.localhost:{port}"


@pytest.fixture(params=["small", "written"])
def variant(request: pytest.FixtureRequest) -> str:
    """Return the script as it is served, or as it was written: both must behave the same."""
    return str(request.param)


@pytest.fixture
def lifetime() -> int:
    """Return the lifetime of a login in seconds."""
    return 300


@pytest.fixture
def server(host_origin: str, variant: str, lifetime: int) -> Iterator[Server]:
    """Run the mini app's backend."""
    made: list[Server] = []

    def make(port: int) -> Flask:
        made.append(Server(port, host_origin, variant, lifetime))
        return made[0].app

    with serving(make):
        yield made[0]


@pytest.fixture
def phone(browser: Browser, host_origin: str, server: Server) -> Iterator[Phone]:
    """Open a browser page with cookies and storage of its own."""
    context = browser.new_context()
    yield Phone(context.new_page(), host_origin, server)
    context.close()
