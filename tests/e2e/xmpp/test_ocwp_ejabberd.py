"""The chat plugin with ejabberd, which has no rosters of the sandbox's: all users are strangers to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from miniapp.sandbox.network.xmpp.accounts import Authority
from support.people import DOMAIN
from support.xmpp.ejabberd import Ejabberd
from support.xmpp.friend import SECONDS, Friend, Loop
from support.xmpp.ocwp_site import People, Site, Visitor

ALICE, BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))


@pytest.fixture
def ejabberd(people: People) -> Iterator[Ejabberd]:
    server = Ejabberd(DOMAIN)
    with Authority(people, port=server.accounts_port, secret=server.accounts_secret):
        yield server.start()
        server.stop()


@pytest.fixture
def site(ejabberd: Ejabberd) -> Iterator[Site]:
    site = Site(ejabberd.http, "/ws")
    yield site
    site.close()


def test_people_chat_and_it_stays(visit: Callable[..., Visitor], ejabberd: Ejabberd, loop: Loop) -> None:
    """Two people write, one accepts the other's group, and all of it is there after a reload and in another browser.

    Who has a vCard is found by its name.
    """
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.open(BOB)
    alice.write(BOB, "one")
    group = alice.create_group(members=[BOB], chatName="Lunch")
    alice.write(group, "all of you")
    bob.page.locator("ocwp-list .request").get_by_role("button", name="Accept").click()
    bob.expect_texts(group, "all of you")
    bob.open(ALICE)
    bob.expect_texts(ALICE, "one")
    bob.page.reload()
    bob.sign_in()
    bob.expect_texts(group, "all of you")
    again = visit("bob").sign_in()
    expect(again.page.locator("ocwp-list .row")).to_have_count(2)
    alice.write(BOB, "two")
    bob.expect_texts(ALICE, "one", "two")
    expect(again.page.locator("ocwp-list")).to_contain_text("two")
    expect(again.page.locator("ocwp-list .badge")).to_have_count(0)
    carol = Friend(loop, CAROL, "pw-carol", ejabberd.c2s).login()
    carol.ask(lambda stream: stream.plugin["xep_0054"].publish_vcard(card(stream, "Carol Lim"), timeout=SECONDS))
    alice.page.get_by_role("searchbox").fill("carol l")
    expect(alice.page.locator("ocwp-list .row .name")).to_have_text(["Carol Lim"])
    carol.logout()


def card(stream: Any, name: str) -> Any:
    made = stream.plugin["xep_0054"].make_vcard()
    made["FN"] = name
    return made
