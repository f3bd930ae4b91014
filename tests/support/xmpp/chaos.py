"""Chaos for the chat plugin: three people write while connections, pages and the server fail at random.

`test_ocwp_chaos.py` is the short form, `scripts/soak chat` the long one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import TimeoutError as TookTooLong

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_site import READY, People, Site, Visitor

NAMES = ("alice", "bob", "carol")
TABS = {"alice": 2, "bob": 1, "carol": 1}

FIRST_WAIT_MS, LONGEST_WAIT_MS, SPREAD = 1_000, 60_000, 0.75
"""Bounds and spread of the wait before a client reconnects, as in js/ocwp's link.ts."""
CLOCK_MS = 50
"""Milliseconds by which a browser's timers may fire early, as its clock is coarse."""

BLOWS = 0.25
"""Share of the message bursts that a blow follows: at most times some connection is broken."""

END_MS = 180_000
"""Milliseconds for all clients to settle at the end: the longest back-off, a silence to notice, a busy machine."""

# Notes each attempt to connect, with the time, before any script of the page runs.
NOTE_ATTEMPTS = """
window.chaos = [];
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) { window.chaos.push([performance.now(), "attempt"]); super(...given); }
};
"""
NOTE_STATUSES = "void ocwp.on('status', (status) => window.chaos.push([performance.now(), status]))"
SEND = "([chat, text]) => ocwp.chat.send(chat, text).id"
DELIVERED = """([chat, id]) => ocwp.chat.messages(chat, { limit: 20 }).then((all) =>
    all.some((one) => one.id === id && !["sending", "failed"].includes(one.delivery)))"""
READY_NOW = f"() => ocwp.getConnectionStatus() === '{READY}'"
SENT = """(chat) => ocwp.chat.messages(chat, { limit: 1e6 }).then((all) =>
    all.every((one) => one.delivery !== "sending"))"""
SAME = """([chat, ids]) => ocwp.chat.messages(chat, { limit: 1e6 }).then((all) =>
    JSON.stringify(all.map((one) => one.id)) === JSON.stringify(ids))"""
SHOWN = "(chat) => ocwp.chat.messages(chat, { limit: 1e6 }).then((all) => all.map((one) => one.id))"


@dataclass
class Chaos:
    """Hold the results of a run."""

    seed: int
    seconds: float
    messages: dict[str, int] = field(default_factory=dict)
    """Number of messages by chat."""
    blows: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    logins: int = 0
    torn: int = 0
    """Messages that a kill of the server left in their sender's archive alone."""
    problems: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        return asdict(self)


class Tab(Visitor):
    """Drive one page of a person, which is reloaded at times."""

    def __init__(self, context: BrowserContext, site: Site, name: str, number: int) -> None:
        super().__init__(context, site, name)
        self.site, self.title = site, f"{name} {number}"
        self.loads: list[list[tuple[float, str]]] = []
        self.start()

    def start(self) -> None:
        self.page.evaluate(NOTE_STATUSES)
        self.init(login={"usr": self.jid, "pw": f"pw-{self.name}"})

    def reload(self) -> None:
        self.keep_notes()
        self.page.reload()
        self.start()

    def keep_notes(self) -> None:
        self.loads.append([(at, what) for at, what in self.page.evaluate("window.chaos")])

    def shown(self, chat: str) -> list[str]:
        return list(self.page.evaluate(SHOWN, chat))


def too_many_logins(notes: list[tuple[float, str]]) -> list[str]:
    """Return the attempts of one page that came before their back-off was over."""
    found: list[str] = []
    failures, failed_at, trying = 0, 0.0, False
    for at, what in notes:
        if what == "attempt":
            if trying:
                found.append(f"an attempt at {at:.0f} ms beside another")
            due = failed_at + SPREAD * wait_ms(failures) - CLOCK_MS
            if at < due:
                found.append(f"attempt at {at:.0f} ms, {failures} failures before it, not due until {due:.0f} ms")
            trying = True
        elif what == READY:
            failures, trying = 0, False
        elif what.endswith(("CONNFAIL", "DISCONNECTED")):
            failures, failed_at, trying = failures + 1, at, False
        elif what.endswith(("AUTHFAIL", "ERROR")):
            found.append(f"{what} at {at:.0f} ms")
    return found


def wait_ms(failures: int) -> float:
    """Return the least wait before an attempt after so many failures in a row: 0 before the first."""
    return min(FIRST_WAIT_MS * 2 ** (failures - 2), LONGEST_WAIT_MS) if failures > 1 else 0


class Scene:
    """Hold the people, their pages, and one group. `blow` and `write` do something at random."""

    def __init__(self, browser: Browser, server: Prosody, seed: int) -> None:
        self.random = random.Random(seed)
        self.server = server
        self.result = Chaos(seed, 0)
        self.written: dict[str, list[str]] = {}
        self.by: dict[str, str] = {}
        self.killed = 0
        self.sites: list[Site] = []
        self.tabs: list[Tab] = []
        self._cut: dict[Site, int] = {}
        for name in NAMES:
            self.sites.append(site := Site(server.ports.http))
            context = browser.new_context(viewport={"width": 1400, "height": 800}, locale="en-GB")
            context.add_init_script(NOTE_ATTEMPTS)
            self.tabs += [Tab(context, site, name, number + 1) for number in range(TABS[name])]
        for tab in self.tabs:
            tab.ready()
        others = [f"{name}@{DOMAIN}" for name in NAMES[1:]]
        self.group = self.tabs[0].create_group(members=others, chatName="Chaos")
        for tab in self.tabs:
            tab.page.evaluate("(jid) => ocwp.chat.open(jid)", self.group)
            tab.box(self.group).get_by_role("textbox").wait_for()

    def step(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.write()
        for site, steps in list(self._cut.items()):
            self._cut[site] = steps - 1
            if steps == 0:
                del self._cut[site]
                site.wire.mend()
        if self.random.random() < BLOWS:
            self.blow()

    def write(self) -> None:
        tab = self.random.choice(self.tabs)
        to = self.random.choice([self.group, *(f"{name}@{DOMAIN}" for name in NAMES if name != tab.name)])
        chat = "group" if to == self.group else " and ".join(sorted((tab.name, to.partition("@")[0])))
        written = self.written.setdefault(chat, [])
        message = tab.page.evaluate(SEND, [to, f"{tab.title}: {len(written)}"])
        written.append(message)
        self.by[message] = tab.name
        with suppress(TookTooLong):  # a message that can't be delivered now does not hold up the others
            tab.page.wait_for_function(DELIVERED, arg=[to, message], timeout=self.random.uniform(10, 400))

    def blow(self) -> None:
        kind = self.random.choices(("cut", "blink", "freeze", "kill", "reload"), (4, 4, 2, 3, 4))[0]
        site, tab = self.random.choice(self.sites), self.random.choice(self.tabs)
        if kind == "cut":
            site.wire.cut()
            self._cut[site] = self.random.randint(0, 12)
        elif kind == "blink":
            site.wire.cut()
            if site not in self._cut:
                site.wire.mend()
        elif kind == "freeze":
            site.wire.freeze()
        elif kind == "kill":
            if self.server.pid == self.killed:
                return  # it has not started again yet
            self.killed = self.server.pid
            try:
                os.kill(self.killed, signal.SIGKILL)
            except ProcessLookupError:
                return  # it ended by itself, as a port was not free yet, and is started once more
        else:
            tab.reload()
        self.result.blows[kind] = self.result.blows.get(kind, 0) + 1

    def settle(self) -> None:
        """Repair everything, and wait until every client has sent its messages."""
        for site in self.sites:
            site.wire.mend()
        for tab in self.tabs:
            tab.page.wait_for_function(READY_NOW, timeout=END_MS)
        for tab in self.tabs:
            for chat, jid in self.chats_of(tab.name).items():
                if not self.becomes(tab, SENT, jid):
                    self.result.problems.append(f"{tab.title}: {chat} has something unsent")

    def becomes(self, tab: Tab, condition: str, arg: object) -> bool:
        """Return whether the condition holds in time. After the first problem, the time is short."""
        try:
            tab.page.wait_for_function(condition, arg=arg, timeout=5_000 if self.result.problems else END_MS)
        except TookTooLong:
            return False
        return True

    def chats_of(self, name: str) -> dict[str, str]:
        """Return the JIDs of a person's chats by their names."""
        pairs = {" and ".join(pair): pair for pair in combinations(NAMES, 2) if name in pair}
        other = {chat: next(one for one in pair if one != name) for chat, pair in pairs.items()}
        return {"group": self.group, **{chat: f"{one}@{DOMAIN}" for chat, one in other.items()}}

    def compare(self, loop: Loop) -> None:
        """Compare every archive with what was written, and every client with its person's archive."""
        say = self.result.problems.append
        archives = self.archives(loop)
        for (name, chat), archived in archives.items():
            there = {*archived}
            torn = [one for one in self.written.get(chat, []) if one not in there and self.by[one] != name]
            # Prosody stores a message for its sender, then for its recipient: a kill between leaves it with the sender.
            torn = torn[: self.result.blows.get("kill", 0)] if chat != "group" else []
            self.result.torn += len(torn)
            expected = [one for one in self.written.get(chat, []) if one not in torn]
            for problem in differences(expected, archived):
                say(f"{name}'s archive of {chat}: {problem}")
            for tab in self.tabs:
                if tab.name != name:
                    continue
                jid = self.chats_of(name)[chat]
                if self.becomes(tab, SAME, [jid, archived]):
                    continue
                shown = tab.shown(jid)
                for problem in differences(archived, shown):
                    say(f"{tab.title}: {chat}: {problem}")
                at = next((at for at, ids in enumerate(zip(shown, archived, strict=False)) if len({*ids}) > 1), None)
                if sorted(shown) == sorted(archived) and at is not None:
                    say(f"{tab.title}: {chat}: another order from message {at} of {len(shown)}")

    def archives(self, loop: Loop) -> dict[tuple[str, str], list[str]]:
        """Return the IDs in the server's archives, by person and chat."""
        found: dict[tuple[str, str], list[str]] = {}
        for name in NAMES:
            friend = Friend(loop, f"{name}@{DOMAIN}", f"pw-{name}", self.server.ports.c2s).login()
            for chat, jid in self.chats_of(name).items():
                found[name, chat] = archive(friend, jid, group=chat == "group")
            friend.logout()
        return found

    def count(self) -> None:
        for tab in self.tabs:
            tab.keep_notes()
            for notes in tab.loads:
                self.result.attempts += sum(what == "attempt" for _, what in notes)
                self.result.logins += sum(what == "XMPP_CONNECTION_CONNECTED" for _, what in notes)
                self.result.problems += [f"{tab.title}: {problem}" for problem in too_many_logins(notes)]
            breaks = tab.page.evaluate("window.policyBreaks")
            self.result.problems += [f"{tab.title}: {problem}" for problem in [*tab.errors, *breaks]]
        self.result.messages = {chat: len(ids) for chat, ids in sorted(self.written.items())}

    def close(self) -> None:
        for tab in self.tabs:
            tab.page.context.close()
        for site in self.sites:
            site.close()


def archive(friend: Friend, jid: str, *, group: bool) -> list[str]:
    """Return the IDs of the texts in the server's archive of one chat, oldest first."""
    where = {"jid": jid} if group else {"with_jid": jid}

    async def read(stream: Any) -> list[str]:
        found = [one["mam_result"]["forwarded"]["stanza"] async for one in stream.plugin["xep_0313"].iterate(**where)]
        return [message["id"] for message in found if message["body"]]

    return list(friend.ask(read, 120))


def differences(expected: list[str], got: list[str]) -> list[str]:
    wanted, had = Counter(expected), Counter(got)
    missing, more = (wanted - had).total(), (had - wanted).total()
    return [
        f"{count} of {len(expected)} messages {what}"
        for count, what in ((missing, "missing"), (more, "too many"))
        if count
    ]


def run(browser: Browser, seed: int, seconds: float, pause: float = 0, say: Callable[[str], object] = print) -> Chaos:
    """Let three people write for so long, with pauses between bursts. The same seed gives the same blows."""
    say(f"chaos: seed {seed}")
    with ExitStack() as stack:
        server = stack.enter_context(Prosody(People(*NAMES)))
        loop = Loop()
        stack.callback(loop.close)
        scene = Scene(browser, server, seed)
        stack.callback(scene.close)
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            scene.step()
            scene.tabs[0].page.wait_for_timeout(pause * 1000)
        scene.result.seconds = round(time.monotonic() - began)
        scene.settle()
        scene.compare(loop)
        scene.count()
        say(f"chaos: {json.dumps(scene.result.record())}")
        return scene.result
