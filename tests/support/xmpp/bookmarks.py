"""The groups in an account's bookmarks (XEP-0402), and checks of them."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

from slixmpp.exceptions import IqError

from support.people import ALICE, BOB, CAROL, DAVE, LUNCH, SEEDED
from support.xmpp.friend import SECONDS, Friend
from support.xmpp.host import Host

Eventually = Callable[..., None]

PUBSUB = "http://jabber.org/protocol/pubsub"
BOOKMARKS = "urn:xmpp:bookmarks:1"


def bookmarks(friend: Friend) -> dict[str, tuple[str | None, str | None]]:
    """Return name and nickname of the rooms that the account's bookmarks join automatically."""

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


def check_groups(host: Host, eventually: Eventually) -> None:
    """Check that a new member finds the group at the next login: a seeded group, and one that a phone made."""
    bob = host.friend(BOB)
    eventually(lambda: LUNCH in bookmarks(bob))
    assert set(bookmarks(bob)) <= SEEDED
    made = host.network.create_group(ALICE, [DAVE], "Cooks")
    dave = host.friend(DAVE)
    eventually(lambda: bookmarks(dave).get(made.jid) == ("Cooks", None))


def check_reset(host: Host, eventually: Eventually) -> None:
    """Check that a reset takes the groups that it removes out of the accounts."""
    assert set(bookmarks(host.friend(DAVE))) - SEEDED
    host.controls.call("POST", "/_sandbox/reset")
    dave = host.friend(DAVE)
    eventually(lambda: set(bookmarks(dave)) <= SEEDED)
    carol = host.friend(CAROL)
    eventually(lambda: LUNCH in bookmarks(carol))
