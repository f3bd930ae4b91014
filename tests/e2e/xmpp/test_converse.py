"""converse.js, the XMPP client for browsers that most sites use: what it shows and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from support.people import ALERTS, ALICE, BOB, CAROL, DOMAIN, LUNCH
from support.xmpp.converse_site import Converse, ConverseSite, expect_texts
from support.xmpp.host import Host

Eventually = Callable[..., None]


@pytest.fixture
def open_converse(browser: Browser, host: Host) -> Iterator[Callable[..., Converse]]:
    """`open_converse(jid, *groups)`: converse.js in a browser of that user, by a password of the sandbox's."""
    site = ConverseSite()
    opened: list[Converse] = []

    def login(jid: str, *groups: str) -> Converse:
        password = host.controls.call("POST", f"/_sandbox/users/{jid}/password")["password"]
        context = browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB")
        opened.append(Converse(context, site, jid, password, host.prosody.settings.websocket, *groups))
        return opened[-1]

    yield login
    for one in opened:
        one.page.context.close()
    site.close()


def test_it_gets_single_group_and_broadcast(
    host: Host, open_converse: Callable[..., Converse], eventually: Eventually
) -> None:
    """What a backend sends by REST shows in it, each once: alerts as announcements, apart from people and groups.

    Two people look on, as converse.js 14.0 shows only the first announcement of a session: for the second it makes
    another model of the same chat, which it then drops.
    """
    bob, carol = open_converse(BOB, LUNCH), open_converse(CAROL)
    host.api("singleMessage", jid=BOB, message="your lunch is ready")
    host.api("groupMessage", jid=LUNCH, message="menus for everybody")
    host.api("massBroadcast", domain=DOMAIN, message="fire drill at three")
    eventually(host.sent_on)
    group = bob.box(LUNCH)
    expect_texts(group, "menus for everybody")
    expect(group.locator(".chat-msg__author")).to_have_text("Lunch")
    expect_texts(bob.open_announcements(ALERTS), "your lunch is ready")
    expect_texts(carol.open_announcements(ALERTS), "fire drill at three")
    assert host.shown(BOB) == ["your lunch is ready", "menus for everybody", "fire drill at three"]


def test_what_is_written_in_it_shows_on_the_phones(
    host: Host, open_converse: Callable[..., Converse], eventually: Eventually
) -> None:
    """A message to a person and one to a group come to the phones of all they are for, once; answers come back."""
    bob = open_converse(BOB, LUNCH)
    assert host.shown(ALICE) == []  # opens the phone
    bob.write(LUNCH, "noon?")
    for jid in (ALICE, BOB, CAROL):
        eventually(lambda jid=jid: host.shown(jid, LUNCH) == ["noon?"])
    chat = bob.open_person(ALICE)
    bob.write(ALICE, "and you above all")
    eventually(lambda: host.shown(ALICE, BOB) == ["and you above all"])
    host.type(ALICE, BOB, "gladly")
    expect_texts(chat, "and you above all", "gladly")
    host.type(CAROL, LUNCH, "me too")
    expect_texts(bob.open_group(LUNCH), "noon?", "me too")
    assert host.shown(BOB) == ["noon?", "and you above all", "gladly", "me too"]
    assert host.shown(CAROL) == ["noon?", "me too"]


def test_what_came_before_it_logged_in(
    host: Host, open_converse: Callable[..., Converse], eventually: Eventually
) -> None:
    """An alert, a person's message and a group's are there at the login, each once, though no client was on."""
    host.api("singleMessage", jid=BOB, message="your lunch is ready")
    host.type(ALICE, BOB, "hello")
    host.api("groupMessage", jid=LUNCH, message="menus for everybody")
    eventually(host.sent_on)
    bob = open_converse(BOB, LUNCH)
    expect_texts(bob.box(LUNCH), "menus for everybody")
    expect_texts(bob.open_person(ALICE), "hello")
    expect_texts(bob.open_announcements(ALERTS), "your lunch is ready")
