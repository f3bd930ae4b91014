"""A web site with the chat plugin: its files, its strict policy, and a connection to the server that can be cut."""

from __future__ import annotations

import json
import mimetypes
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, expect

from miniapp.sandbox.store.records import User
from support.paths import ROOT
from support.people import DOMAIN

BUILD = ROOT / "miniapp/sandbox/static/build/ocwp"
READY = "XMPP_CONNECTION_CONNECTED_READY"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/site.css"></head>
<body><main><h1>An ordinary page</h1><p>Text of the site.</p></main><div id="onechatContainer"></div>
<script src="/ocwp.js"></script><script src="/site.js"></script></body></html>"""

# What a site's own style sheet may say to every element; none of it may reach the plugin.
SITE_CSS = "body { font: 30px serif; color: red; text-align: center } button, p, input { all: unset; color: lime }"


class People:
    """Hold the accounts of the test. Each password is `pw-` and the name."""

    domain = DOMAIN

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.titles: dict[str, str] = {}
        self.checked = 0

    def people(self) -> list[User]:
        return [User(f"{name}@{DOMAIN}", self.titles.get(name, name.title()), "") for name in self.names]

    def exists(self, jid: str) -> bool:
        return jid.partition("@")[0] in self.names

    def check(self, jid: str, password: str) -> bool:
        self.checked += 1
        return self.exists(jid) and password == f"pw-{jid.partition('@')[0]}"


class Wire:
    """Forward a TCP port to another one, until it is cut."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.whole = True
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._deaf: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self.whole = False
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _shut(end)

    def freeze(self) -> None:
        """Forward nothing more on the open connections, and leave them open."""
        self._deaf.update(end for pair in self._pairs for end in pair)

    def mend(self) -> None:
        self.whole = True

    def close(self) -> None:
        self.cut()
        _shut(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self.whole:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if sink not in self._deaf:
                    sink.sendall(data)
        _shut(source)
        _shut(sink)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


class Site:
    """Serve a site on 127.0.0.1 whose pages may load only their own files and reach only the chat server."""

    def __init__(self, port: int, path: str = "/xmpp-websocket") -> None:
        self.wire = Wire(port)
        self.path = path
        self.upload = f"http://127.0.0.1:{port}"
        self.features: dict[str, bool] = {}
        self.pictures: list[str] = []
        self.trusted_types = "ocwp lit-html"
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = site._file(urlsplit(self.path).path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", site.policy)
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def policy(self) -> str:
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
            f"img-src 'self' data: {self.upload}; "
            f"connect-src 'self' ws://127.0.0.1:{self.wire.port} {self.upload}; "
            f"require-trusted-types-for 'script'; trusted-types {self.trusted_types}"
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.wire.close()

    def _file(self, path: str) -> tuple[str, bytes | None]:
        made: dict[str, Callable[[], str]] = {
            "/": lambda: PAGE,
            "/site.css": lambda: SITE_CSS,
            "/site.js": lambda: (
                "window.policyBreaks = []; document.addEventListener('securitypolicyviolation', "
                "(event) => window.policyBreaks.push(event.violatedDirective + ' ' + event.blockedURI));"
            ),
            "/config/config.json": self._config,
        }
        kind = mimetypes.guess_type(path)[0] or "text/html"
        if path in made:
            return kind, made[path]().encode()
        file = (BUILD / path.lstrip("/")).resolve()
        return kind, file.read_bytes() if file.is_relative_to(BUILD) and file.is_file() else None

    def _config(self) -> str:
        service = f"ws://127.0.0.1:{self.wire.port}{self.path}"
        return json.dumps(
            {
                "service": service,
                "domain": DOMAIN,
                "groups": f"muc.{DOMAIN}",
                "pictures": self.pictures,
                "features": self.features,
            }
        )


class Visitor:
    """Drive a page of the site in a browser."""

    def __init__(self, context: BrowserContext, site: Site, name: str) -> None:
        self.name = name
        self.jid = f"{name}@{DOMAIN}"
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(site.url)

    def init(self, **options: object) -> Visitor:
        """Call `ocwp.init` with `options`, and note every later status. Without sizes, the list has its room."""
        if "chatbox" not in options:
            options.setdefault("chatBox", {"outerPaddingLeft": 350})
        self.page.evaluate(
            """(options) => {
                window.statuses = [ocwp.getConnectionStatus()];
                ocwp.subscribeConnectionStatus((status) => window.statuses.push(status));
                return ocwp.init({ containerElement: document.getElementById("onechatContainer"), ...options });
            }""",
            options,
        )
        return self

    def sign_in(self, **options: object) -> Visitor:
        self.init(login={"usr": self.jid, "pw": f"pw-{self.name}"}, **options)
        return self.ready()

    def ready(self) -> Visitor:
        self.wait_status(READY)
        return self

    def wait_status(self, status: str) -> None:
        self.page.wait_for_function("(status) => ocwp.getConnectionStatus() === status", arg=status)

    @property
    def statuses(self) -> list[str]:
        """Return the statuses so far, without those that every start has."""
        return [status.removeprefix("XMPP_CONNECTION_") for status in self.page.evaluate("window.statuses")]

    def open(self, jid: str) -> Locator:
        """Open the box of the chat with `jid` by search."""
        search = self.page.get_by_role("searchbox")
        search.fill(jid)
        self.page.locator("ocwp-list").get_by_role("button", name=jid.partition("@")[0]).first.click()
        return self.box(jid)

    def box(self, jid: str) -> Locator:
        return self.page.locator(f'ocwp-box[data-jid="{jid}"]')

    def write(self, jid: str, text: str) -> None:
        entry = self.box(jid).get_by_role("textbox")
        entry.fill(text)
        entry.press("Enter")

    def texts(self, jid: str) -> list[str]:
        return self.box(jid).locator(".text").all_text_contents()

    def expect_texts(self, jid: str, *texts: str) -> None:
        expect(self.box(jid).locator(".text")).to_have_text(list(texts))

    def create_group(self, **options: object) -> str:
        jid: str = self.page.evaluate("(options) => ocwp.chat.group.create(options).then(({ jid }) => jid)", options)
        return jid


def act(visitor: Visitor, chat: str, text: str, action: str) -> None:
    """Choose `action` in the menu of the message with `text`."""
    message = visitor.box(chat).locator(".message").filter(has=visitor.page.locator(".text", has_text=text))
    message.hover()
    message.get_by_role("button", name="More about this message").click()
    message.get_by_role("group").get_by_role("button", name=action, exact=True).click()
