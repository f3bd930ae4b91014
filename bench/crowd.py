"""The chat plugin among many people: a thousand contacts, a group of two hundred, five thousand messages in it.

Both plugins show every contact as a row. ocwp reads the newest page of each archive and one message of each contact
that the page lacks, after it is ready; older pages come while one scrolls. A message on the page costs its row and
nothing more, whether it is in view or not: what is out of view is drawn by no browser.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

from miniapp.sandbox.config import SandboxConfig
from miniapp.sandbox.server import SandboxServer
from miniapp.sandbox.store.records import Chat

from .browser import chromium
from .plugin import BARE, HEAD, OURS, THEIRS, site_with
from .report import Progress, Row, Table, interleaved

ALICE, GROUP = "alice@onechat.localhost", "crowd-1@muc.onechat.localhost"
PATIENCE = 180_000  # ms

# Seeds the account by Strophe, as a client of the person's would have: contacts, then messages in the group.
SEED_PAGE = HEAD + '<body><script src="/strophe.umd.min.js"></script></body></html>'
SEED = """({ jid, password, websocket, group, contacts, messages }) => new Promise((done, failed) => {
  const conn = new Strophe.Connection(websocket);
  conn.connect(jid, password, async (status) => {
    if (status !== Strophe.Status.CONNECTED) return;
    conn.send($pres());
    const iq = (stanza) => new Promise((resolve, reject) => conn.sendIQ(stanza, resolve, reject));
    for (let number = 0; number < contacts; number++) {
      const item = { jid: `person${number}@onechat.localhost`, name: `Person ${number}` };
      await iq($iq({ type: "set" }).c("query", { xmlns: "jabber:iq:roster" }).c("item", item));
    }
    let heard = 0;
    const hear = () => (++heard === messages && (conn.disconnect(), done()), true);
    conn.addHandler(hear, null, "message", "groupchat");
    const enter = $pres({ to: `${group}/alice` }).c("x", { xmlns: "http://jabber.org/protocol/muc" });
    conn.send(enter.c("history", { maxstanzas: "0" }));
    for (let number = 0; number < messages; number++) {
      const body = `Message ${number} of a long talk about lunch.`;
      conn.send($msg({ to: group, type: "groupchat", id: `m${number}` }).c("body").t(body));
    }
  });
})"""

# The longest time between two frames while the list is scrolled from its start to its end, in ms.
SCROLL = """(list) => new Promise((done) => {
  let last = performance.now(), longest = 0;
  const step = (list.scrollHeight - list.clientHeight) / 120;
  list.scrollTop = 0;
  const frame = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    list.scrollTop += step;
    if (list.scrollTop + list.clientHeight < list.scrollHeight - 1) requestAnimationFrame(frame);
    else done(longest);
  };
  requestAnimationFrame(frame);
})"""
ROWS = {OURS: "ocwp-list li", THEIRS: ".open-chat"}


def measure(quick: bool, progress: Progress) -> list[Table]:
    """The tables on the chat plugin among many people."""
    contacts, members, messages = (40, 20, 120) if quick else (1000, 200, 5000)
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder) / "seed.toml"
        seed.write_text(_people(contacts, members))
        with SandboxServer(SandboxConfig(xmpp="prosody", seed=seed)) as server, chromium() as browser:
            chat = server.sandbox.network.chat(ALICE)
            progress(f"seeding {contacts} contacts and {messages} messages")
            with site_with(BARE, chat, {"/seed": SEED_PAGE}) as site:
                page = browser.new_page()
                page.set_default_timeout(PATIENCE)
                page.goto(f"{site.url}/seed")
                given = {"jid": chat.jid, "password": chat.password, "websocket": chat.service, "group": GROUP}
                page.evaluate(SEED, {**given, "contacts": contacts, "messages": messages})
                page.close()
            heaps: dict[str, list[float]] = {OURS: [], THEIRS: []}

            def subject(name: str) -> Callable[[], float]:
                def shows() -> float:
                    with site_with(name, chat) as site:
                        page = _open(browser, site.url)
                        page.locator(ROWS[name]).nth(contacts - 1).wait_for(state="attached")
                        took = page.evaluate("performance.now()")
                        heaps[name].append(_heap(page))
                        page.context.close()
                    return float(took)

                return shows

            times = interleaved({name: subject(name) for name in ROWS}, 1 if quick else 3, progress)
            progress("scrolling")
            longest = [_scroll(browser, chat, messages) for _ in range(1 if quick else 3)]
    crowd = f"{contacts:,} contacts, a group of {members} with {messages:,} messages"
    return [
        Table(
            "A page with many contacts shows them",
            f"{crowd}. From the navigation of the page until the list has a row for each contact.",
            "ms",
            False,
            times,
            THEIRS,
            "no slower than converse.js",
        ),
        Table(
            "What it keeps in memory",
            f"{crowd}. JavaScript's heap at that moment, after a garbage collection.",
            "MiB",
            False,
            [Row(name, values) for name, values in heaps.items()],
            THEIRS,
            "no more than converse.js",
        ),
        Table(
            "A long chat is scrolled",
            f"All {messages:,} messages of the group loaded, then scrolled from the first to the last in 120 steps, "
            "one a frame: the longest time between two frames.",
            "ms",
            False,
            [Row(OURS, longest)],
            OURS,
            "no pause that is noticed: 100 ms",
        ),
    ]


def _people(contacts: int, members: int) -> str:
    names = ["alice", *(f"person{number}" for number in range(contacts))]
    users = "".join(f'[[users]]\nlocal = "{name}"\nname = "{name.title()}"\n' for name in names)
    listed = ", ".join(f'"{name}"' for name in names[:members])
    return f'{users}[[groups]]\nlocal = "crowd-1"\nname = "Crowd"\nowner = "alice"\nmembers = [{listed}]\n'


def _open(browser: Browser, url: str) -> Page:
    context = browser.new_context(viewport={"width": 1400, "height": 800}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    return page


def _heap(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / 2**20


def _scroll(browser: Browser, chat: Chat, messages: int) -> float:
    with site_with(OURS, chat) as site:
        page = _open(browser, site.url)
        page.locator("ocwp-list").get_by_role("button", name="Crowd").wait_for()
        page.evaluate("([jid, limit]) => ocwp.chat.messages(jid, { limit }).then(() => {})", [GROUP, messages])
        page.locator("ocwp-list").get_by_role("button", name="Crowd").click()
        page.locator("ocwp-thread .text").nth(messages - 1).wait_for()
        listed = page.locator("ocwp-thread .list")
        longest = listed.evaluate(SCROLL)
        page.context.close()
    return float(longest)
