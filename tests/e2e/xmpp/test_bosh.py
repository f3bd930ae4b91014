"""BOSH (XEP-0124): the chat plugin where WebSocket is not to be had."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.ocwp_site import Visitor

Visit = Callable[..., Visitor]
ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))


@pytest.fixture
def over_bosh(visit: Visit, chat_server: Prosody) -> Callable[[str], Visitor]:
    """`over_bosh("alice")`: the plugin of that user, with the server's BOSH endpoint as its configured service."""

    def login(name: str) -> Visitor:
        visitor = visit(name)
        config = {"service": chat_server.bosh_url, "domain": DOMAIN, "groups": f"muc.{DOMAIN}"}
        visitor.page.route("**/config/config.json", lambda route: route.fulfill(json=config))
        visitor.page.on("websocket", lambda socket: visitor.errors.append(f"a WebSocket to {socket.url}"))
        return visitor.sign_in()

    return login


def test_messages_go_both_ways(visit: Visit, over_bosh: Callable[[str], Visitor]) -> None:
    """Alice over BOSH and Bob over WebSocket write to each other, directly and in a group."""
    alice, bob = over_bosh("alice"), visit("bob").sign_in()
    assert alice.statuses == ["IDLE", "CONNECTING", "CONNECTED", "CONNECTED_READY"]
    alice.open(BOB)
    alice.write(BOB, "hello")
    bob.open(ALICE)
    bob.expect_texts(ALICE, "hello")
    bob.write(ALICE, "hello yourself")
    alice.expect_texts(BOB, "hello", "hello yourself")
    group = alice.create_group(members=[BOB], chatName="Lunch")
    alice.write(group, "noon?")
    bob.page.locator("ocwp-list").get_by_role("button", name="Lunch").click()
    bob.expect_texts(group, "noon?")
    bob.write(group, "yes")
    alice.expect_texts(group, "noon?", "yes")
