"""The chat plugin in Debian's Firefox; all else about it is tested in Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from miniapp.sandbox.prosody import Prosody
from support.firefox import SECONDS, firefox
from support.people import DOMAIN
from support.xmpp.friend import Friend, Got, Loop
from support.xmpp.ocwp_site import Site

ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
SCRIPT = Path(__file__).with_name("firefox_chat.mjs")


def test_two_people_chat(chat_server: Prosody, site: Site, loop: Loop, eventually: Callable[..., None]) -> None:
    """OneChat's example logs in; what is written arrives, what comes back is shown, and the page's policy holds."""
    bob = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    with firefox(SCRIPT, url=site.url, usr=ALICE, pw="pw-alice", to=BOB, text="hello Bob") as page:
        eventually(lambda: page.has_ended or bob.got == [Got("chat", ALICE, "hello Bob")], SECONDS)
        bob.send(ALICE, "hello Alice")
        seen = page.seen()
    bob.logout()
    assert seen == {
        "statuses": [f"XMPP_CONNECTION_{status}" for status in ("CONNECTING", "CONNECTED", "CONNECTED_READY")],
        "texts": ["hello Bob", "hello Alice"],
        "errors": [],
        "breaks": [],
    }
