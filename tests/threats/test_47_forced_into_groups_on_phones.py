"""Threat 47 on the host page: a stranger puts users into groups."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from support.people import ALICE, BOB, CAROL, DOMAIN
from support.xmpp.friend import SECONDS, Friend
from support.xmpp.host import Host, host, loop, start

__all__ = ["host", "loop", "start"]

TRAPS = [f"trap{number}@muc.{DOMAIN}" for number in range(4)]
TRIP = f"trip@muc.{DOMAIN}"


@pytest.fixture
def crowded(host: Host) -> Host:
    """A sandbox with so many users that a contact is whom one has written to."""
    for number in range(200):
        host.sandbox.store.users.add(f"Member {number}", f"member{number}@{DOMAIN}")
    return host


def make_member(friend: Friend, room: str) -> None:
    friend.join(room, friend.jid.partition("@")[0])
    friend.ask(lambda stream: stream.plugin["xep_0045"].set_affiliation(room, "member", jid=ALICE))


def test_a_stranger_only_asks(crowded: Host, eventually: Callable[..., None], browser: Browser) -> None:
    """A stranger's invitations of either kind are shown on the phone, to accept or decline; a contact's is followed."""
    host = crowded
    bob, carol = host.friend(BOB), host.friend(CAROL)
    host.type(ALICE, CAROL, "hello")
    page = browser.new_page()
    page.goto(f"{host.server.url}/?phones=alice")
    asked, threads = page.get_by_test_id("invitation"), page.get_by_test_id("thread")
    expect(threads).to_have_count(1)
    for number, room in enumerate(TRAPS):
        make_member(bob, room)
        if number == 0:
            bob._now(lambda room=room: bob.stream.plugin["xep_0249"].send_invitation(ALICE, room))
        elif number < 3:  # the last has made her a member, and does not say so
            bob._now(lambda room=room: bob.stream.plugin["xep_0045"].invite(room, ALICE))
    make_member(carol, TRIP)
    carol._now(lambda: carol.stream.plugin["xep_0045"].invite(TRIP, ALICE))
    expect(asked).to_have_count(4)
    expect(asked.first).to_contain_text("Bob Rahman invites you to")

    def groups() -> set[str]:
        return {group["jid"] for group in host.controls.call("GET", f"/phones/{ALICE}/groups")}

    eventually(lambda: TRIP in groups())
    assert not groups().intersection(TRAPS)
    page.locator(f'[data-group="{TRAPS[1]}"]').get_by_role("button", name="Decline").click()
    expect(asked).to_have_count(3)
    eventually(lambda: any(one.sender == TRAPS[1] and "declined" in one.text for one in bob.got))
    page.locator(f'[data-group="{TRAPS[0]}"]').get_by_role("button", name="Accept").click()
    expect(page.get_by_test_id("messages")).to_be_visible()
    assert groups().intersection(TRAPS) == {TRAPS[0]}
    bob.send(TRAPS[0], "welcome", "groupchat")
    expect(page.get_by_text("welcome").first).to_be_visible()

    streams = host.network.relay._streams
    streams.call(streams.hang_up(ALICE)).result(SECONDS)
    host.shown(ALICE)  # reads the archive, and the invitations in it, again
    assert {one["group"] for one in host.controls.call("GET", f"/phones/{ALICE}/invitations")} == set(TRAPS[2:])
    page.close()


def test_no_user_is_asked_about_an_invitation_of_their_own(crowded: Host, eventually: Callable[..., None]) -> None:
    """An invitation is kept in its sender's archive too, and is none for the sender."""

    def asked(jid: str) -> list[str]:
        return [one["group"] for one in crowded.controls.call("GET", f"/phones/{jid}/invitations")]

    bob, room = crowded.friend(BOB), f"nowhere@muc.{DOMAIN}"
    crowded.shown(ALICE)
    bob._now(lambda: bob.stream.plugin["xep_0249"].send_invitation(ALICE, room))
    eventually(lambda: asked(ALICE) == [room])
    crowded.shown(BOB)  # reads the archive
    assert asked(BOB) == []
