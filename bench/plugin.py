"""The chat plugin on a web page: how much of it is loaded, and how soon it is connected.

Nearly all of ocwp's bytes are Strophe, Lit and its own interface, in one script: no icon font, no style sheet, no chunk
that comes later. It connects as soon as its configuration is there, and is drawn once it is connected, or after a tenth
of a second: the server's answers would wait for the drawing. Strophe alone, below both, is the limit: the page, a
script of a third of the size, and the server's exchanges in a row: opening a WebSocket, SASL, binding a resource.

Three calls that look free took most of what was above that limit: to split emoji by `Intl.Segmenter` loads the
browser's tables of all scripts, 25 ms before the page went on; each formatter of dates and numbers has its tables, 25
ms for six that were made ahead; and `Notification.permission` halts the page, 8 ms each time, until another process has
looked it up. What is left above the limit is evaluating the rest of the script, and two small files.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from playwright.sync_api import Browser

from miniapp.sandbox.config import SandboxConfig
from miniapp.sandbox.server import SandboxServer
from miniapp.sandbox.store.records import Chat

from .browser import ROOT, SECONDS, Site, chromium
from .report import Progress, Row, Table, interleaved

ALICE = "alice@onechat.localhost"
OURS, CORE, THEIRS, BARE, NOTHING = "ocwp", "ocwp without interface", "converse.js", "Strophe alone", "no chat"

MODULES = ROOT / "js/node_modules"
FOLDERS = {
    OURS: ROOT / "miniapp/sandbox/static/build/ocwp",
    CORE: ROOT / "miniapp/sandbox/static/build/ocwp",
    THEIRS: MODULES / "converse.js/dist",
    BARE: MODULES / "strophe.js/dist",
}

HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>A site</title>'
OUR_PAGE = (
    HEAD
    + """<body><h1>A site</h1><div id="chat"></div><script src="/ocwp.js"></script><script>
ocwp.subscribeConnectionStatus((status) => {
  if (status === "XMPP_CONNECTION_CONNECTED") window.connected = performance.now();
});
ocwp.init({
  containerElement: document.getElementById("chat"),
  chatBox: { outerPaddingLeft: 350 },
  login: { usr: %(jid)s, pw: %(password)s },
});
</script></body></html>"""
)
CORE_PAGE = OUR_PAGE.replace("ocwp.js", "ocwp-core.js").replace(
    'containerElement: document.getElementById("chat")', "ui: false"
)
THEIR_PAGE = (
    HEAD
    + """<link rel="stylesheet" href="/converse.min.css"><body><h1>A site</h1>
<script type="module" src="/converse.min.js"></script><script type="module">
converse.plugins.add("clock", {
  initialize() { this._converse.api.listen.on("connected", () => { window.connected = performance.now(); }); },
});
converse.initialize({
  jid: %(jid)s, password: %(password)s, authentication: "login", auto_login: true, websocket_url: %(websocket)s,
  discover_connection_methods: false, assets_path: "/", view_mode: "overlayed", i18n: "en",
  show_controlbox_by_default: true, whitelisted_plugins: ["clock"],
});
</script></body></html>"""
)
BARE_PAGE = (
    HEAD
    + """<body><h1>A site</h1><script src="/strophe.umd.min.js"></script><script>
new Strophe.Connection(%(websocket)s).connect(%(jid)s, %(password)s, (status) => {
  if (status === Strophe.Status.CONNECTED) window.connected = performance.now();
});
</script></body></html>"""
)
EMPTY_PAGE = HEAD + "<body><h1>A site</h1><script>window.connected = performance.now();</script></body></html>"
PAGES = {OURS: OUR_PAGE, CORE: CORE_PAGE, THEIRS: THEIR_PAGE, BARE: BARE_PAGE, NOTHING: EMPTY_PAGE}
NOTES = {
    OURS: "1 script, 2 small files; WebSocket, SASL PLAIN",
    CORE: "1 script, 1 small file; for a site that draws its own",
    THEIRS: "1 script, 1 style sheet; WebSocket, SASL PLAIN",
    BARE: "the limit: the library below both, connected, with no chat",
    NOTHING: "the same page with one line of script",
}
# What shows that the chat itself stands there: its contacts.
SHOWN = {OURS: "ocwp-list", CORE: "h1", THEIRS: "converse-chats .open-chat", BARE: "h1", NOTHING: "h1"}


def measure(quick: bool, progress: Progress) -> list[Table]:
    """The tables on the chat plugin."""
    with SandboxServer(SandboxConfig(xmpp="prosody")) as server, chromium() as browser:
        loaded: dict[str, Mapping[str, int]] = {}

        def subject(name: str) -> Callable[[], float]:
            def connects() -> float:
                took, loaded[name] = _connects(browser, name, server.sandbox.network.chat(ALICE))
                return took

            return connects

        times = interleaved({name: subject(name) for name in PAGES}, 1 if quick else 8, progress)
    sizes = [
        Row(
            name,
            [sum(files.values())],
            ", ".join(f"{path[1:]} {size}" for path, size in sorted(files.items(), key=lambda file: -file[1])[:4])
            + (f" and {len(files) - 4} more" if len(files) > 4 else ""),
        )
        for name, files in loaded.items()
        if name in FOLDERS
    ]
    return [
        Table(
            "What a page with a chat loads",
            "Every script, style sheet and other file that a page asks its own site for until the chat is connected, "
            "`gzip -9`, in bytes; the page itself is left out. converse.js is npm's, minified.",
            "bytes",
            False,
            sorted(sizes, key=lambda row: list(FOLDERS).index(row.name)),
            THEIRS,
            "a third or less of converse.js",
        ),
        Table(
            "A page with a chat connects",
            "Chromium, a fresh profile each round, from the navigation of the page until the chat says that the "
            "server knows the user: `XMPP_CONNECTION_CONNECTED`, and converse.js's event `connected`. Both by "
            "WebSocket at the sandbox's Prosody, as the same user.",
            "ms",
            False,
            [replace(row, note=NOTES[row.name]) for row in times],
            THEIRS,
            "a third or less of converse.js",
        ),
    ]


def site_with(name: str, chat: Chat, more: Mapping[str, str] = MappingProxyType({})) -> Site:
    """A site whose page has the chat `name`, logged in as `chat` says; `more` are further pages, by path."""
    values = {"jid": chat.jid, "password": chat.password, "websocket": chat.service}
    config = {"service": chat.service, "domain": "onechat.localhost", "groups": "muc.onechat.localhost"}
    page = PAGES[name] % {key: json.dumps(value) for key, value in values.items()}
    made = {"/": page, **({"/config/config.json": json.dumps(config)} if name in (OURS, CORE) else {}), **more}

    def find(path: str) -> tuple[str, bytes] | None:
        kind = mimetypes.guess_type(path)[0] or "text/html"
        if path in made:
            return kind, made[path].encode()
        if name not in FOLDERS:
            return None
        file = FOLDERS[name] / path.lstrip("/")
        return (kind, file.read_bytes()) if file.is_file() else None

    return Site(find)


def _connects(browser: Browser, name: str, chat: Chat) -> tuple[float, Mapping[str, int]]:
    with site_with(name, chat) as site:
        context = browser.new_context(viewport={"width": 1400, "height": 800}, locale="en-GB")
        context.set_default_timeout(SECONDS * 1000)
        try:
            tab = context.new_page()
            tab.goto(site.url)
            took = tab.wait_for_function("() => window.connected").json_value()
            sent = {path: size for path, size in site.sent.items() if path != "/"}
            tab.locator(SHOWN[name]).first.wait_for(state="attached")
        finally:
            context.close()
    return float(took), sent
