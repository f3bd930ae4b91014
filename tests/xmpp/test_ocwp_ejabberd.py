"""The chat plugin with ejabberd, which has no rosters of the sandbox's: everybody is a stranger to everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from miniapp.sandbox.network.accounts import Authority
from xmpp.ejabberd import Ejabberd
from xmpp.ocwp_site import DOMAIN, People, Site, Visitor

pytestmark = pytest.mark.browser

ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))


@pytest.fixture
def site(people: People) -> Iterator[Site]:
    server = Ejabberd(DOMAIN)
    with Authority(people, port=server.accounts_port, secret=server.accounts_secret):
        server.start()
        site = Site(server.http, "/ws")
        yield site
        site.close()
        server.stop()


def test_people_chat_and_it_stays(visit: Callable[..., Visitor]) -> None:
    """Two people write, one accepts the other's group, and all of it is there after a reload and in another browser."""
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
