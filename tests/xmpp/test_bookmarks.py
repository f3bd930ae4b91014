"""Groups are in their members' accounts (XEP-0402), so that any client lists them after its login."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from slixmpp.exceptions import IqError

from .friend import SECONDS, Friend
from .host import ALICE, BOB, CAROL, DAVE, DOMAIN, LUNCH, Host
from .test_reset import SEEDED

Eventually = Callable[..., None]

PUBSUB = "http://jabber.org/protocol/pubsub"
BOOKMARKS = "urn:xmpp:bookmarks:1"


def bookmarks(friend: Friend) -> dict[str, tuple[str | None, str | None]]:
    """Name and nickname of the rooms that the account's bookmarks have joined at once."""

    async def read(stream):
        iq = stream.make_iq_get()
        root = ET.Element(f"{{{PUBSUB}}}pubsub")
        ET.SubElement(root, f"{{{PUBSUB}}}items", {"node": BOOKMARKS})
        iq.append(root)
        try:
            return (await iq.send(timeout=SECONDS)).xml
        except IqError:  # there are none yet
            return ET.Element("none")

    found = {}
    for item in friend.ask(read).iter(f"{{{PUBSUB}}}item"):
        conference = item.find(f"{{{BOOKMARKS}}}conference")
        assert conference.get("autojoin") == "true"
        found[item.get("id")] = (conference.get("name"), conference.findtext(f"{{{BOOKMARKS}}}nick"))
    return found


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


def check_groups(host: Host, eventually: Eventually) -> None:
    """Whoever becomes a member finds the group at the next login: one that was seeded, or that a phone made."""
    bob = host.friend(BOB)
    eventually(lambda: LUNCH in bookmarks(bob))
    assert set(bookmarks(bob)) <= SEEDED
    made = host.network.create_group(ALICE, [DAVE], "Cooks")
    dave = host.friend(DAVE)
    eventually(lambda: bookmarks(dave).get(made.jid) == ("Cooks", None))


def check_reset(host: Host, eventually: Eventually) -> None:
    """A reset takes the groups that it removes out of the accounts."""
    assert set(bookmarks(host.friend(DAVE))) - SEEDED
    host.controls.call("POST", "/_sandbox/reset")
    dave = host.friend(DAVE)
    eventually(lambda: set(bookmarks(dave)) <= SEEDED)
    carol = host.friend(CAROL)
    eventually(lambda: LUNCH in bookmarks(carol))


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
