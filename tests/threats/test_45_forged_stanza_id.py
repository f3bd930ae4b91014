"""Threat 45: a message claims a place in the archive, and the chat plugin loses messages or logs in all the time."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

from playwright.sync_api import expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_fixtures import chat_server, people, site, visit
from support.xmpp.ocwp_site import People, Site, Visitor

__all__ = ["chat_server", "people", "site", "visit"]

ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))
FORGED = (
    f"<message xmlns='jabber:client' type='chat' to='{ALICE}'><body>forged</body>"
    f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ALICE}' id='bogus'/></message>"
)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_nothing_is_lost_after_a_forged_id(
    visit: Callable[..., Visitor],
    site: Site,
    chat_server: Prosody,
    people: People,
    eventually: Callable[..., None],
) -> None:
    """Prosody 0.12 leaves a forged ID in. After a cut, all 120 missed messages come, with one login."""
    loop = Loop()

    def bob() -> Friend:
        return Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()

    alice = visit("alice").sign_in()
    alice.open(BOB)
    friend = bob()
    friend.stream.send_raw(FORGED)
    alice.expect_texts(BOB, "forged")
    site.wire.cut()
    killed = chat_server.pid
    os.kill(killed, signal.SIGKILL)  # so that no session can be resumed
    eventually(lambda: chat_server.pid != killed and listens(chat_server.ports.c2s))
    friend = bob()
    for number in range(120):
        friend.send(ALICE, f"missed {number}")
    friend.ask(lambda stream: stream.plugin["xep_0199"].send_ping(DOMAIN))
    before = people.checked
    site.wire.mend()
    alice.ready()
    expect(alice.box(BOB).locator(".text")).to_have_count(121)
    assert alice.texts(BOB) == ["forged", *(f"missed {number}" for number in range(120))]
    assert people.checked == before + 1
    friend.logout()
    loop.close()
