"""Threat 46: a sender hides one message behind another that has the same ID."""

from __future__ import annotations

from collections.abc import Callable

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_fixtures import chat_server, people, site, visit
from support.xmpp.ocwp_site import Visitor

__all__ = ["chat_server", "people", "site", "visit"]

ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))
TEXTS = ["the same", "the same", "another", "without an ID", "without an ID"]


def test_every_message_is_shown_once(visit: Callable[..., Visitor], chat_server: Prosody) -> None:
    """Messages of one ID, and those without any, are shown once each, live and after a reload, in groups too."""
    loop = Loop()
    alice = visit("alice").sign_in()
    group = alice.create_group(members=[BOB], chatName="Lunch")
    alice.open(BOB)
    bob = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    bob.join(group, "Bobby")
    for to, kind in ((ALICE, "chat"), (group, "groupchat")):
        for number, text in enumerate(TEXTS):
            named = "id='same'" if number < 3 else ""
            bob.stream.send_raw(f"<message to='{to}' type='{kind}' {named}><body>{text}</body></message>")
    for chat in (BOB, group):
        alice.expect_texts(chat, *TEXTS)
    alice.page.reload()
    alice.sign_in()
    for chat in (BOB, group):
        alice.expect_texts(chat, *TEXTS)
    bob.logout()
    loop.close()
