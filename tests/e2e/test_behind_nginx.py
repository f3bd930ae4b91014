"""An app with WebSockets and an event stream behind Debian's nginx, set up as docs/deploy.md says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection, Request, TextMessage

from support.calls import APP_ID, KEY, SESSION, USER
from support.faulthost import FaultHost
from support.nginx import NAME, Browser, nginx
from support.recipes import source
from support.servers import gunicorn

ORIGIN = f"https://{NAME}"
SETTINGS = {
    "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests",
    "ONECHAT_APP_ID": APP_ID,
    "ONECHAT_API_KEY": KEY,
}
APP = """
import threading

from flask import Response, render_template_string, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

from miniapp import login_required

app = create_app()
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0, x_prefix={prefix})
more = threading.Event()


@app.get("/")
@login_required
def home():
    return render_template_string("{{{{ miniapp_script() }}}} " + url_for("stream"))


@app.get("/stream")
@login_required
def stream():
    def events():
        yield "data: first\\n\\n"
        more.wait(60)
        yield "data: last\\n\\n"
    return Response(events(), mimetype="text/event-stream", headers={{"X-Accel-Buffering": "no"}})


@app.post("/more")
@login_required
def go_on():
    more.set()
    return "", 204
"""


@pytest.fixture(scope="module", params=["", "/lunch"], ids=["root", "prefix"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    """A browser for the app behind nginx, and the prefix below which the app is."""
    folder: Path = tmp_path_factory.mktemp("lunch")
    (folder / "wsgi.py").write_text(source("Flask-SocketIO") + APP.format(prefix=int(bool(request.param))))
    threads = ("--worker-class", "gthread", "--workers", "1", "--threads", "20")
    with FaultHost() as host:
        settings = {**SETTINGS, "ONECHAT_API_URL": host.url}
        with (
            gunicorn(settings, *threads, folder=folder) as url,
            nginx(url, below_prefix=bool(request.param)) as browser,
        ):
            yield browser, request.param


@pytest.fixture(scope="module")
def cookie(served: tuple[Browser, str]) -> str:
    browser, prefix = served
    body = json.dumps({"jid": USER, "sessionId": SESSION})
    answer = browser.ask(
        "POST", f"{prefix}/miniapp/session", body, **{"Content-Type": "application/json"}, Origin=ORIGIN
    )
    assert answer.status == 204
    assert "Secure" in answer.headers["Set-Cookie"]
    return answer.headers["Set-Cookie"].partition(";")[0]


def test_pages_link_below_the_prefix(served, cookie) -> None:
    """The framework's script and the app's own links are where nginx passes them on."""
    browser, prefix = served
    page = browser.ask("GET", f"{prefix}/", Cookie=cookie)
    assert page.status == 200
    assert f'src="{prefix}/miniapp/oc.js?v=' in page.text
    assert f"{prefix}/stream" in page.text
    assert browser.ask("GET", f"{prefix}/miniapp/oc.js").status == 200
    assert browser.ask("GET", f"{prefix}/").status == 401


def test_an_event_stream_arrives_event_by_event(served, cookie) -> None:
    """The first event is there while the second does not exist yet."""
    browser, prefix = served
    with browser.asking("GET", f"{prefix}/stream", Cookie=cookie) as stream:
        assert stream.readline() == b"data: first\n"
        assert browser.ask("POST", f"{prefix}/more", "", Cookie=cookie, Origin=ORIGIN).status == 204
        assert stream.read() == b"\ndata: last\n\n"


def test_a_websocket_is_its_users(served, cookie) -> None:
    """Flask-SocketIO, as docs/flask-extensions.md has it, knows who is at the other end."""
    browser, prefix = served
    with browser.connect() as connection:
        websocket = WSConnection(ConnectionType.CLIENT)
        messages: list[str] = []

        def send(event: Request | TextMessage) -> None:
            connection.sendall(websocket.send(event))

        def receive() -> str:
            while not messages:
                websocket.receive_data(connection.recv(4096) or None)
                for event in websocket.events():
                    assert not isinstance(event, RejectConnection), event
                    messages.append("" if isinstance(event, AcceptConnection) else event.data)
            return messages.pop(0)

        target = f"{prefix}/socket.io/?EIO=4&transport=websocket"
        send(
            Request(
                host=NAME, target=target, extra_headers=[(b"Cookie", cookie.encode()), (b"Origin", ORIGIN.encode())]
            )
        )
        assert receive() == ""
        assert receive().startswith("0{")  # Engine.IO's greeting
        send(TextMessage(data="40"))
        assert receive().startswith("40{")  # Socket.IO's
        send(TextMessage(data='42["order","soup"]'))
        assert receive() == f'42["ordered","soup for {USER}"]'


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_websocket_from_elsewhere_is_refused(served, cookie, origin: str) -> None:
    """Another site's page can't open a socket with the user's login."""
    browser, prefix = served
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    target = f"{prefix}/socket.io/?EIO=4&transport=websocket"
    assert browser.ask("GET", target, Cookie=cookie, Origin=origin, **upgrade, **key).status == 400
