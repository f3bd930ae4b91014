"""profanity, an XMPP client of Debian's, in a terminal: what it shows and what it sends."""

from __future__ import annotations

from collections.abc import Callable

from support.people import ALICE, BOB, DOMAIN, LUNCH
from support.xmpp.host import Host
from support.xmpp.terminal import Terminal, terminal

Eventually = Callable[..., None]


__all__ = ["terminal"]


def test_profanity_gets_and_sends(host: Host, terminal: Terminal, eventually: Eventually) -> None:
    """Single, group and broadcast messages of a backend show in it; what is typed in it shows on the phones."""
    password = host.controls.call("POST", f"/_sandbox/users/{BOB}/password")["password"]
    eventually(lambda: "Profanity" in terminal.screen())
    terminal.type(f"/connect {BOB} server 127.0.0.1 port {host.prosody.ports.c2s} tls disable")
    eventually(lambda: "Enter password" in terminal.screen())
    terminal.type(password)
    eventually(lambda: "logged in successfully" in terminal.screen())

    host.api("singleMessage", jid=BOB, message="Your lunch is ready")
    host.api("massBroadcast", domain=DOMAIN, message="Fire drill at three")
    terminal.type(f"/msg alerts.{DOMAIN}")
    eventually(lambda: "Your lunch is ready" in terminal.screen() and "Fire drill at three" in terminal.screen())

    terminal.type(f"/join {LUNCH}")  # shows the group, which its bookmark has joined at the login
    eventually(lambda: "Lunch club" in terminal.screen())
    host.api("groupMessage", jid=LUNCH, message="Menus for everybody")
    eventually(lambda: "Lunch: Menus for everybody" in terminal.screen())
    terminal.type("thank you all")
    eventually(lambda: host.shown(ALICE, LUNCH) == ["Menus for everybody", "thank you all"])
    terminal.type("/win 1")
    terminal.type(f"/msg {ALICE} and you above all")
    eventually(lambda: host.shown(ALICE, BOB) == ["and you above all"])
    assert password not in terminal.screen()
