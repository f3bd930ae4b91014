"""Three people in one group: two with the chat plugin in browsers, one with another maker's client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_fixtures import DESKTOP
from support.xmpp.ocwp_site import Site, Visitor, Wire

Visit = Callable[..., Visitor]
Eventually = Callable[..., None]
BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("bob", "carol"))


@pytest.fixture
def carol(loop: Loop, chat_server: Prosody) -> Iterator[Friend]:
    carol = Friend(loop, CAROL, "pw-carol", chat_server.ports.c2s).login()
    yield carol
    carol.logout()


@pytest.fixture
def bob(browser: Browser, chat_server: Prosody) -> Iterator[tuple[Visitor, Wire]]:
    """Bob in a browser, and a connection to the server that only he uses."""
    own = Site(chat_server.ports.http)
    visitor = Visitor(browser.new_context(viewport=DESKTOP, locale="en-GB"), own, "bob").sign_in()
    yield visitor, own.wire
    visitor.page.context.close()
    own.close()
    assert visitor.errors == []


class Lunch:
    """The group of Alice, who makes it, Bob and Carol; each has its chat open."""

    def __init__(self, alice: Visitor, bob: Visitor, carol: Friend, eventually: Eventually) -> None:
        self._alice, self._bob, self._carol, self._eventually = alice, bob, carol, eventually
        self._written: list[str] = []
        self.jid = alice.create_group(members=[BOB, CAROL], chatName="Lunch")
        eventually(lambda: carol.invited == [self.jid])
        carol.join(self.jid, "Carol")
        bob.page.locator("ocwp-list").get_by_role("button", name="Lunch").click()
        bob.box(self.jid).get_by_role("textbox").wait_for()

    def all_write(self, text: str) -> None:
        """Each writes without waiting for what the others wrote."""
        for visitor in (self._alice, self._bob):
            visitor.write(self.jid, f"{visitor.name}: {text}")
        self._carol.send(self.jid, f"carol: {text}", "groupchat")
        self._written += [f"{name}: {text}" for name in ("alice", "bob", "carol")]

    def expect_one_conversation(self) -> None:
        """All three have every text once, in one order, in which each writer's are as they were written."""
        self._eventually(lambda: len(self._carol.texts("groupchat")) >= len(self._written))
        order = self._carol.texts("groupchat")
        assert sorted(order) == sorted(self._written)
        for name in ("alice", "bob", "carol"):
            assert [t for t in order if t.startswith(name)] == [t for t in self._written if t.startswith(name)]
        for visitor in (self._alice, self._bob):
            expect(visitor.box(self.jid).locator('[data-delivery="sending"]')).to_have_count(0)
            visitor.expect_texts(self.jid, *order)


def test_three_people_see_one_conversation(
    visit: Visit, bob: tuple[Visitor, Wire], carol: Friend, eventually: Eventually
) -> None:
    """Each writes, in turn and all at once: the three see every message once, in the same order."""
    alice = visit("alice").sign_in()
    lunch = Lunch(alice, bob[0], carol, eventually)
    for number in range(5):
        lunch.all_write(f"at once {number}")
    lunch.expect_one_conversation()
    for number in range(3):
        lunch.all_write(f"in turn {number}")
        lunch.expect_one_conversation()


def test_one_of_three_is_cut_off_for_a_while(
    visit: Visit, bob: tuple[Visitor, Wire], carol: Friend, eventually: Eventually
) -> None:
    """What all write while one browser's connection is cut is there for all when it is back: nothing lost or twice."""
    alice = visit("alice").sign_in()
    visitor, wire = bob
    lunch = Lunch(alice, visitor, carol, eventually)
    lunch.all_write("before")
    lunch.expect_one_conversation()
    wire.cut()
    visitor.wait_status("XMPP_CONNECTION_CONNFAIL")
    for number in range(3):
        lunch.all_write(f"meanwhile {number}")
    expect(visitor.box(lunch.jid).locator('[data-delivery="sending"]')).to_have_count(3)
    expect(alice.box(lunch.jid).locator(".text")).to_have_count(3 + 6)
    wire.mend()
    visitor.ready()
    lunch.expect_one_conversation()
    lunch.all_write("after")
    lunch.expect_one_conversation()
    assert alice.statuses == ["IDLE", "CONNECTING", "CONNECTED", "CONNECTED_READY"]
