"""Threat 47: a stranger puts people into groups, or is taken for a person when a group passes on an invitation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_fixtures import chat_server, site, visit
from support.xmpp.ocwp_site import People, Visitor

__all__ = ["chat_server", "site", "visit"]

ALICE = f"alice@{DOMAIN}"


@pytest.fixture
def people() -> People:
    """More than 200 people: no user is in another's roster without asking."""
    return People("alice", "carol", "eve", *(f"member{number}" for number in range(200)))


def invite(friend: Friend, room: str, *, directly: bool) -> None:
    friend.join(room, friend.jid.partition("@")[0])
    muc, direct = friend.stream.plugin["xep_0045"], friend.stream.plugin["xep_0249"]
    friend.ask(lambda _: muc.set_affiliation(room, "member", jid=ALICE))
    if directly:
        friend._now(lambda: direct.send_invitation(ALICE, room))
    else:
        friend._now(lambda: muc.invite(room, ALICE))


def test_a_stranger_only_asks(visit: Callable[..., Visitor], chat_server: Prosody) -> None:
    """A stranger's 20 invitations are shown, to accept or decline, and none is followed; a contact's is."""
    loop = Loop()
    alice_too, eve, carol = (
        Friend(loop, f"{name}@{DOMAIN}", f"pw-{name}", chat_server.ports.c2s).login()
        for name in ("alice", "eve", "carol")
    )
    alice_too.ask(lambda stream: stream.update_roster(carol.jid))
    alice = visit("alice").sign_in()
    for number in range(20):
        invite(eve, f"trap{number}@muc.{DOMAIN}", directly=number % 2 == 0)
    invite(carol, f"lunch@muc.{DOMAIN}", directly=False)
    chats, asked = alice.page.locator("ocwp-list li .row"), alice.page.locator("ocwp-list .request")
    expect(asked).to_have_count(20)
    expect(asked.first).to_contain_text("invites you to a group")
    joined = alice.page.locator(f'ocwp-list [data-jid$="@muc.{DOMAIN}"]')
    expect(joined).to_have_count(1)
    expect(joined).to_have_attribute("data-jid", f"lunch@muc.{DOMAIN}")
    expect(chats).to_have_count(2)  # the group, and Carol among the contacts
    asked.first.get_by_role("button", name="Decline").click()
    expect(asked).to_have_count(19)
    asked.first.get_by_role("button", name="Accept").click()
    expect(joined).to_have_count(2)
    expect(asked).to_have_count(18)
    for friend in (alice_too, eve, carol):
        friend.logout()
    loop.close()
