"""The script that a mini app's page loads to reach its host: how large it is, and how soon it is of use.

The shim is rendered for one app, has what OneChat documents and no more, and speaks to its host over a MessagePort:
what peers spend on validation libraries and on functions that a page does not use, it never had. The time of a first
opening goes to loading the page twice and to the host's answer on the session, which no other SDK waits for: each of
theirs leaves the login to the app. After that, most of the time is Chromium's own, to start a frame.
"""

from __future__ import annotations

import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Flask, Response, render_template_string, request
from playwright.sync_api import BrowserContext
from werkzeug.serving import WSGIRequestHandler, make_server

import wsgi
from miniapp import MiniApp, login_required
from miniapp.sandbox.server import SandboxServer
from miniapp.testing.controls import Controls, browser_url, settings_for

from .browser import ROOT, SECONDS, chromium, zipped
from .report import Progress, Row, Table, interleaved

OURS = "onechat-miniapp"
ALICE = "alice@onechat.localhost"

# The least that gets a page its user, as each package's own guide has it.
PEERS = {
    "@telegram-apps/sdk": """
        import { init, initDataUser, miniAppReady, restoreInitData } from "@telegram-apps/sdk";
        init(); restoreInitData(); miniAppReady(); use(initDataUser());""",
    "@line/liff": """
        import liff from "@line/liff/core";
        import GetProfile from "@line/liff/get-profile";
        liff.use(new GetProfile());
        liff.init({ liffId: "1234567890-AbcdEfgh" }).then(() => liff.getProfile()).then(use);""",
    "@farcaster/miniapp-sdk": """
        import { sdk } from "@farcaster/miniapp-sdk";
        sdk.actions.ready().then(() => sdk.context).then((context) => use(context.user));""",
    "@discord/embedded-app-sdk": """
        import { DiscordSDK } from "@discord/embedded-app-sdk";
        const sdk = new DiscordSDK("1");
        sdk.ready().then(() => sdk.commands.authenticate({})).then((answer) => use(answer.user));""",
    "@microsoft/teams-js": """
        import { app } from "@microsoft/teams-js";
        app.initialize().then(app.getContext).then((context) => use(context.user));""",
}

# Telegram's client gives its launch data in the fragment; the SDK takes it from there without asking anybody.
TELEGRAM = (
    "tgWebAppPlatform=web&tgWebAppVersion=8.0&tgWebAppThemeParams=%7B%7D&tgWebAppData="
    "user%3D%257B%2522id%2522%253A1%252C%2522first_name%2522%253A%2522Alice%2522%257D%26auth_date%3D1%26hash%3Dx%26signature%3Dx"
)
READY_ALONE = ("@telegram-apps/sdk",)
"""The peers that need no host to come to their user."""

# `use` is called with the user. A first opening has a reload in it, so the time is counted from the first document's
# beginning, which sessionStorage keeps over the reload.
CLOCK = """<script>
const clock = () => performance.timeOrigin + performance.now() - sessionStorage.began;
const use = (user) => { window.user = user; window.ready = clock(); };</script>"""
OUR_PAGE = (
    '<!doctype html><html lang="en"><title>Lunch</title>'
    + CLOCK
    + "{{ miniapp_script() }}<script>OC.app.ready.then((app) => use(app.user));</script><h1>Lunch</h1></html>"
)
PEER_PAGE = (
    '<!doctype html><html lang="en"><title>Lunch</title>'
    + CLOCK
    + '<script src="/peer.js?{name}"></script><script>window.evaluated = clock();</script><h1>Lunch</h1></html>'
)


def measure(quick: bool, progress: Progress) -> list[Table]:
    """The tables on the shim."""
    bundles = {name: _bundle(source) for name, source in PEERS.items()}
    with _sandbox() as (sandbox, settings):
        starter = wsgi.create_app(settings).test_client()
        shim = starter.get("/miniapp/oc.js").data
        sizes = [Row(OURS, [len(zipped(shim))], f"{len(shim)} bytes before gzip")]
        sizes += [
            Row(name, [len(zipped(bundle))], f"{len(bundle)} bytes before gzip") for name, bundle in bundles.items()
        ]
        return [
            Table(
                "The shim's size",
                "`gzip -9` of `oc.js` as the starter serves it, beside what esbuild makes of the least that gets a "
                "page its user with each SDK: `--bundle --minify`, with tree shaking; of LIFF only the modules needed.",
                "bytes",
                False,
                sizes,
                OURS,
                "at most 5 KB",
            ),
            *_times(sandbox, settings, bundles, 1 if quick else 5, progress),
        ]


def _bundle(source: str) -> bytes:
    esbuild = ROOT / "bench/node_modules/.bin/esbuild"
    options = ["--bundle", "--minify", "--format=iife", "--target=es2020", "--log-level=error"]
    done = subprocess.run(
        [str(esbuild), *options], cwd=ROOT / "bench", input=source.encode(), stdout=subprocess.PIPE, check=True
    )
    return done.stdout


@contextmanager
def _sandbox() -> Iterator[tuple[SandboxServer, dict[str, Any]]]:
    with SandboxServer() as server:
        yield server, {"SECRET_KEY": secrets.token_urlsafe(32), **_settings(server, 1, "Starter")}


def _settings(server: SandboxServer, port: int, name: str = "Lunch") -> dict[str, str]:
    """The settings of an app on `port` that the sandbox now knows."""
    controls = Controls(server.url, server.token)
    state = controls.state()
    url = f"http://onechat.localhost:{port}/"
    admin = next(user["jid"] for user in state["users"] if user["admin"])
    added = controls.add_app(name=name, icon=url + "icon.svg", url=url, admin=admin)
    known = settings_for(
        server.url, domain=state["domain"], app_id=added["appId"], api_key=added["apiKey"], public_url=""
    )
    return {**known, "ONECHAT_PUBLIC_URL": ""}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def _apps(
    sandbox: SandboxServer, settings: dict[str, Any], bundles: dict[str, bytes]
) -> Iterator[tuple[int, list[str]]]:
    """One Flask app that serves the page of every subject: its port, and what it has been asked for."""
    late: list[Flask] = []
    server = make_server("127.0.0.1", 0, lambda *wsgi: late[0](*wsgi), threaded=True, request_handler=_Quiet)
    app = Flask(__name__)
    app.config.from_mapping(settings | _settings(sandbox, server.server_port))
    MiniApp(app)
    asked: list[str] = []

    @app.before_request
    def note() -> None:
        if request.path not in ("/empty", "/icon.svg"):
            asked.append(f"{request.method} {request.path}")

    numbers = {str(number): name for number, name in enumerate(bundles)}

    @app.get("/")
    @login_required
    def ours() -> str:
        return render_template_string(OUR_PAGE)

    @app.get("/peer.js")
    def script() -> Response:
        answer = Response(bundles[numbers[request.query_string.decode()]], content_type="text/javascript")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer

    @app.get("/peer/<name>")
    def peer(name: str) -> str:
        return PEER_PAGE.replace("{name}", name)

    @app.get("/empty")
    def empty() -> str:
        return '<!doctype html><link rel="icon" href="data:,"><title>A host</title>'

    late.append(app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _times(
    sandbox: SandboxServer, settings: dict[str, Any], bundles: dict[str, bytes], rounds: int, progress: Progress
) -> list[Table]:
    names = [OURS, *bundles]
    again: dict[str, list[float]] = {OURS: [], **{name: [] for name in bundles}}
    heard: dict[str, tuple[list[str], list[str]]] = {}
    with chromium() as browser, _apps(sandbox, settings, bundles) as (port, asked):

        def opened(name: str) -> float:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.set_default_timeout(SECONDS * 1000)
            context.add_init_script("sessionStorage.began = sessionStorage.began || performance.timeOrigin;")
            number = names.index(name) - 1  # of the peers
            try:
                first, counted = _open(context, sandbox, port, name, number), len(asked)
                second = _open(context, sandbox, port, name, number)
            finally:
                context.close()
            heard[name] = asked[:counted], asked[counted:]
            asked.clear()
            again[name].append(second)
            return first

        rows = interleaved({name: partial(opened, name) for name in names}, rounds, progress)

    def noted(row: Row, which: int) -> Row:
        until = "ready" if row.name in (OURS, *READY_ALONE) else "script evaluated: it needs its host to be ready"
        return replace(row, note=f"{until}; {', '.join(heard[row.name][which])}")

    how = (
        "Chromium, a fresh profile each round, from the navigation of the frame. Ours is opened on a phone of the "
        "sandbox's host page, until `OC.app.ready` resolves; a peer in a frame of an empty page, until it has its "
        "user or, where it can't come that far without its host, until its script has been evaluated. One Flask app "
        "serves all pages; the note has each request that came to it."
    )
    seconds = [Row(name, values) for name, values in again.items()]
    return [
        Table(
            "A mini app opens for the first time",
            how + " Ours has logged the user in by then: the 401 page, one POST, the page.",
            "ms",
            False,
            [noted(row, 0) for row in rows],
            OURS,
            "one round trip for the login",
        ),
        Table(
            "It opens again",
            how + " The script is in the cache, and the login is there.",
            "ms",
            False,
            [noted(row, 1) for row in seconds],
            OURS,
            "no round trip but the page",
        ),
    ]


def _open(context: BrowserContext, sandbox: SandboxServer, port: int, name: str, number: int) -> float:
    """Milliseconds until the page of `name` is of use, in a new tab of `context`."""
    tab = context.new_page()
    if name == OURS:
        tab.goto(f"{browser_url(sandbox.url)}/?phones=alice")
        phone = tab.get_by_test_id("phone-0")
        phone.get_by_test_id("tab-apps").click()
        phone.get_by_test_id("app").filter(has_text="Lunch").click()
    else:
        tab.goto(f"http://onechat.localhost:{port}/empty")
        tab.evaluate(
            "(url) => { document.body.append(Object.assign(document.createElement('iframe'), { src: url })); }",
            f"http://alice.onechat.localhost:{port}/peer/{number}#{TELEGRAM}",
        )
    tab.frame_locator("iframe").get_by_role("heading", name="Lunch").wait_for()
    frame = next(frame for frame in tab.frames if frame != tab.main_frame)
    mark = "ready" if name in (OURS, *READY_ALONE) else "evaluated"
    took = frame.wait_for_function(f"() => window.{mark}").json_value()
    assert name != OURS or frame.evaluate("window.user.jid") == ALICE
    tab.close()
    return float(took)
