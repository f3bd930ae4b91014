"""What ocwp can do with messages, in clients that know other parts of it: converse.js and profanity."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.converse_site import Converse, ConverseSite
from support.xmpp.ocwp_site import Visitor, act
from support.xmpp.terminal import Terminal, terminal

__all__ = ["terminal"]
BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("bob", "carol"))


def test_others_understand_what_they_lack(
    browser: Browser,
    chat_server: Prosody,
    visit: Callable[..., Visitor],
    terminal: Terminal,
    eventually: Callable[..., None],
) -> None:
    """A reply has its quotation, an edit its new text; what was deleted is followed by a sentence, if it stays."""
    alice = visit("alice").sign_in()
    group = alice.create_group(members=[BOB, CAROL], chatName="Lunch")
    eventually(lambda: "Profanity" in terminal.screen())
    terminal.type(f"/connect {CAROL} server 127.0.0.1 port {chat_server.ports.c2s} tls disable")
    eventually(lambda: "Enter password" in terminal.screen())
    terminal.type("pw-carol")
    eventually(lambda: "logged in successfully" in terminal.screen())
    terminal.type(f"/join {group} nick Carol")
    eventually(lambda: "Lunch" in terminal.screen())
    site = ConverseSite()
    websocket = f"ws://127.0.0.1:{chat_server.ports.http}/xmpp-websocket"
    converse = Converse(browser.new_context(), site, BOB, "pw-bob", websocket, group)
    alice.write(group, "noon?")
    act(alice, group, "noon?", "React with 👍")
    act(alice, group, "noon?", "Reply")
    alice.write(group, "or at one?")
    act(alice, group, "or at one?", "Edit")
    alice.write(group, "or at two?")
    alice.write(group, "wrong chat")
    act(alice, group, "wrong chat", "Delete")
    alice.write(group, "sorry")
    eventually(lambda: "alice: sorry" in terminal.screen())
    screen = terminal.screen().splitlines()
    said = [line[11:60].strip() for line in screen if re.match(r"[\d:]{8} [-+] |\s+or at two", line)]
    assert said == [
        "alice: noon?",
        "alice: > noon?",
        "or at two?",
        "alice: wrong chat",
        "*alice retracted a previous message, but it's uns",
        "alice: sorry",
    ]
    texts = converse.box(group).locator(".chat-msg__text")
    # converse.js 14 looks for what a group deletes by its sender's ID, and finds nothing by the group's.
    expect(texts).to_have_text(["noon?", "or at two?", "wrong chat", "sorry"])
    expect(converse.box(group).locator(".chat-msg").nth(0)).to_contain_text("👍")
    expect(converse.box(group).locator(".chat-msg").nth(1)).to_contain_text("noon?")
    converse.page.context.close()
    site.close()
