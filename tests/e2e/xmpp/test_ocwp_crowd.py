"""Two hundred people present in one group, and the chat plugin among them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.crowd import Crowd
from support.xmpp.friend import Loop
from support.xmpp.ocwp_site import People, Visitor

PRESENT = 200
WRITERS = 20
SECONDS = 120.0  # for each to be told of each other, which is 40,000 stanzas; on a busy machine too


def test_two_hundred_people_present_at_once(
    visit: Callable[..., Visitor], people: People, chat_server: Prosody, loop: Loop, eventually: Callable[..., None]
) -> None:
    """Each of 200 gets what is written in the plugin, which shows all of them as present.

    What 20 of them write at the same time stands in the plugin as for all others: each once, in one order.
    """
    names = [f"member{number:03}" for number in range(PRESENT)]
    people.names += names
    chat_server.tell(changed=[user for user in people.people() if user.jid.startswith("member")])
    alice = visit("alice").sign_in()
    jids = [f"{name}@{DOMAIN}" for name in names]
    group = alice.create_group(members=jids, chatName="Everybody")
    crowd = Crowd(jids, chat_server.ports.c2s)
    loop.do(crowd.enter(group), SECONDS)

    alice.write(group, "hello all")
    eventually(lambda: all(member.texts == ["hello all"] for member in crowd.members), SECONDS)

    box = alice.box(group)
    box.get_by_role("button", name="Details of Everybody").click()
    expect(box.get_by_role("heading", name="201 members")).to_be_visible()
    expect(box.locator('ocwp-details ocwp-avatar[presence="online"]')).to_have_count(PRESENT + 1)
    box.get_by_role("button", name="Back").click()

    loop.do(crowd.write(crowd.members[:: PRESENT // WRITERS], "hello from"), SECONDS)
    alice.write(group, "what a crowd")
    expect(box.locator(".text").get_by_text("what a crowd")).to_be_visible()
    count = 1 + WRITERS + 1
    expect(box.locator(".text")).to_have_count(count)
    eventually(lambda: all(len(member.texts) == count for member in crowd.members), SECONDS)
    order = crowd.members[0].texts
    assert len(set(order)) == count
    assert [member.name for member in crowd.members if member.texts != order] == []
    alice.expect_texts(group, *order)  # once her own has come back from the group
    loop.do(crowd.leave(), SECONDS)
