"""Threat 20: no text becomes markup on its way to an XMPP client, and no text breaks the stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from miniapp.errors import MessageError
from miniapp.sandbox import SandboxConfig, SandboxServer
from miniapp.sandbox.network import Sender
from support.waiting import until
from support.xmpp.friend import Friend, Got, Loop

pytestmark = pytest.mark.system

DOMAIN = "onechat.localhost"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
FROM_ALICE, FROM_APP = Sender(ALICE, "Alice"), Sender(f"alerts.{DOMAIN}", "<x/>\"'&")

MARKUP = [
    "]]></body>",
    "</body></message><message to='carol@onechat.localhost'><body>hi",
    "<!--",
    "&lt;&#0;",
    "<?xml?>",
    "a\nb",
]


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxConfig(xmpp="prosody")) as server:
        yield server


@pytest.fixture
def bob(server: SandboxServer) -> Iterator[Friend]:
    loop = Loop()
    password = server.sandbox.store.passwords.issue(BOB)
    friend = Friend(loop, BOB, password, server.sandbox.network.relay._server.ports.c2s).login()
    yield friend
    friend.logout()
    loop.close()


def test_markup_stays_text(server: SandboxServer, bob: Friend) -> None:
    """Each text arrives as one message with that text, from a person and from the host."""
    for text in MARKUP:
        server.sandbox.network.direct(FROM_ALICE, BOB, text)
        server.sandbox.network.direct(FROM_APP, BOB, text)
    until(lambda: len(bob.got) >= 2 * len(MARKUP))
    assert len(bob.got) == 2 * len(MARKUP)
    for sender in (FROM_ALICE, FROM_APP):  # each has a stream of its own, and there is no order between the two
        came = [got for got in bob.got if got.sender == sender.jid]
        assert came == [Got("chat", sender.jid, text) for text in MARKUP]


@pytest.mark.parametrize("text", ["nul\0", "vt\x0b", "\ufffe", "\ud800"])
def test_what_is_not_xml_is_refused(server: SandboxServer, text: str) -> None:
    """It is refused before anything is queued."""
    with pytest.raises(MessageError):
        server.sandbox.network.direct(FROM_ALICE, BOB, text)
    assert server.sandbox.store.stanzas.waiting(1) == []
