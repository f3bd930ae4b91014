"""Groups are in their members' accounts (XEP-0402), so that any client lists them after its login."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from slixmpp.exceptions import IqError

from support.people import ALICE, BOB, DAVE, DOMAIN, LUNCH
from support.xmpp.bookmarks import BOOKMARKS, PUBSUB, bookmarks, check_groups, check_reset
from support.xmpp.friend import SECONDS, Friend
from support.xmpp.host import Host

Eventually = Callable[..., None]


def publish(friend: Friend, room: str, nick: str) -> None:
    """Bookmark `room` as a client does."""

    async def write(stream):
        iq = stream.make_iq_set()
        root = ET.Element(f"{{{PUBSUB}}}pubsub")
        node = ET.SubElement(root, f"{{{PUBSUB}}}publish", {"node": BOOKMARKS})
        item = ET.SubElement(node, f"{{{PUBSUB}}}item", {"id": room})
        conference = ET.SubElement(item, f"{{{BOOKMARKS}}}conference", {"autojoin": "true", "name": "Old"})
        ET.SubElement(conference, f"{{{BOOKMARKS}}}nick").text = nick
        iq.append(root)
        await iq.send(timeout=SECONDS)

    friend.ask(write)


def affiliate(friend: Friend, room: str, jid: str, how: str) -> None:
    friend.ask(lambda stream: stream.plugin["xep_0045"].set_affiliation(room, jid=jid, affiliation=how))


def test_members_have_their_groups_bookmarked(host: Host, eventually: Eventually) -> None:
    """On our own Prosody, from the start to after a reset."""
    check_groups(host, eventually)
    check_reset(host, eventually)


def test_bookmarks_follow_a_group_that_a_client_makes(host: Host, eventually: Eventually) -> None:
    """Its members find it, those who are put out no longer do, and what a client put into a bookmark stays."""
    bob, dave = host.friend(BOB), host.friend(DAVE)
    room = f"3f2504e0-4f89-41d3-9a0c-0305e82c3301@muc.{DOMAIN}"
    publish(bob, room, "Bobby")
    bob.join(room, "Bobby")
    affiliate(bob, room, DAVE, "member")
    eventually(lambda: room in bookmarks(dave))
    eventually(lambda: bookmarks(bob)[room][1] == "Bobby" and bookmarks(bob)[room][0] != "Old")
    affiliate(bob, room, DAVE, "none")
    eventually(lambda: room not in bookmarks(dave))
    bob.ask(lambda stream: stream.plugin["xep_0045"].destroy(room))
    eventually(lambda: room not in bookmarks(bob))


def test_bookmarks_are_not_for_others_to_write(host: Host) -> None:
    """Only the host's component acts in the name of users."""
    bob = host.friend(BOB)
    before = bookmarks(bob)
    alice = host.friend(ALICE)

    async def write(stream):
        iq = stream.make_iq_set(ito=BOB)
        root = ET.Element(f"{{{PUBSUB}}}pubsub")
        node = ET.SubElement(root, f"{{{PUBSUB}}}retract", {"node": BOOKMARKS})
        ET.SubElement(node, f"{{{PUBSUB}}}item", {"id": LUNCH})
        iq.append(root)
        await iq.send(timeout=SECONDS)

    with pytest.raises(IqError):
        alice.ask(write)
    assert bookmarks(bob) == before
