"""Messages as they come from an XMPP server and its archives."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from miniapp.sandbox.network.xmpp import inbound
from miniapp.sandbox.network.xmpp.channel import Archived

ALICE, BOB = "alice@onechat.localhost", "bob@onechat.localhost"
INVITATIONS = [
    "<x xmlns='jabber:x:conference' jid='trap@muc.onechat.localhost'/>",
    f"<x xmlns='http://jabber.org/protocol/muc#user'><invite from='{BOB}'/></x>",
]


def message(inner: str, attributes: str = "") -> ET.Element:
    return ET.fromstring(
        f"<message xmlns='jabber:client' type='chat' from='{BOB}/1' to='{ALICE}' {attributes}>{inner}</message>"
    )


@pytest.mark.parametrize("invitation", INVITATIONS)
def test_an_archived_invitation_is_no_message(invitation: str) -> None:
    """An invitation with a text, read from the archive, is not shown as its sender's message."""
    body = "<body>Come in</body>"
    assert inbound.from_archive(Archived("1", "", message(body)), ALICE) is not None
    assert inbound.from_archive(Archived("1", "", message(body + invitation)), ALICE) is None


def test_the_servers_own_archive_id_counts() -> None:
    """A live message has the ID that its owner's archive gave to it last, whatever its sender wrote there or as ID."""
    ids = "".join(
        f"<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{id_}'/>"
        for by, id_ in ((ALICE, "forged"), (ALICE, "7"), (BOB, "8"))
    )
    news = inbound.direct(message(f"<body>hi</body>{ids}", "id='1'"), ALICE)
    assert news is not None
    assert (news.owner, news.archive_id, news.stanza_id) == (ALICE, "7", "1")
    unnamed = inbound.direct(message("<body>hi</body>"), ALICE)
    assert unnamed is not None
    assert (unnamed.archive_id, unnamed.stanza_id) == ("", "")
