"""A web site with npm's converse.js, and actions on its page."""

from __future__ import annotations

import mimetypes
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, expect

from support.paths import ROOT

DIST = ROOT / "js/node_modules/converse.js/dist"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>converse.js</title>
<link rel="stylesheet" href="/dist/converse.min.css">
<script type="module" src="/dist/converse.min.js"></script></head><body></body></html>"""

# Of other hosts it asks for its sponsors' logos, which no test should.
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' data: ws://127.0.0.1:*"


class ConverseSite:
    """Serve the page at `url` on 127.0.0.1, with converse.js's own files."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = _file(urlsplit(self.path).path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", POLICY)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _file(path: str) -> tuple[str, bytes | None]:
    if path == "/":
        return "text/html", PAGE.encode()
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    file = (DIST / path.removeprefix("/dist/")).resolve()
    return kind, file.read_bytes() if file.is_relative_to(DIST) and file.is_file() else None


class Converse:
    """Drive converse.js of one user, logged in over WebSocket and in the groups `rooms`."""

    def __init__(
        self, context: BrowserContext, site: ConverseSite, jid: str, password: str, websocket: str, *rooms: str
    ) -> None:
        self.page: Page = context.new_page()
        self.page.goto(site.url)
        self.page.wait_for_function("() => window.converse?.initialize")
        self.page.evaluate(
            "(settings) => converse.initialize(settings)",
            {
                "jid": jid,
                "password": password,
                "authentication": "login",
                "auto_login": True,
                "websocket_url": websocket,
                "discover_connection_methods": False,  # by a look-up at the domain, which is no web site here
                "auto_join_rooms": [{"jid": room, "nick": jid.partition("@")[0]} for room in rooms],
                "assets_path": "/dist/",
                "view_mode": "fullscreen",
                "i18n": "en",
            },
        )
        self.page.locator(".open-chat").first.wait_for()  # the contacts: it is logged in
        for room in rooms:
            self.box(room).get_by_role("textbox").wait_for()  # and in the group

    def open_person(self, jid: str) -> Locator:
        self.page.locator(f'.open-chat[data-jid="{jid}"]').first.click()  # twice with something unread
        return self.box(jid)

    def open_group(self, jid: str) -> Locator:
        self.page.locator(f'.open-room[data-room-jid="{jid}"]').click()
        return self.box(jid)

    def open_announcements(self, jid: str) -> Locator:
        """Open the messages of a server, which converse.js lists apart from people and groups."""
        self.page.locator(f'.open-headline[data-headline-jid="{jid}"]').click()
        return self.box(jid)

    def box(self, jid: str) -> Locator:
        return self.page.locator(f'.chatbox[jid="{jid}"]')

    def write(self, jid: str, text: str) -> None:
        entry = self.box(jid).get_by_role("textbox")
        entry.fill(text)
        entry.press("Enter")


def expect_texts(box: Locator, *texts: str) -> None:
    expect(box.locator(".chat-msg__text")).to_have_text(list(texts))
