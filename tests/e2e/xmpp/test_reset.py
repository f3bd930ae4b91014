"""A reset leaves nothing from before it: not in the store, not on the XMPP server, not on the phones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from slixmpp.exceptions import IqError

from miniapp.sandbox.network import Network
from miniapp.sandbox.network.xmpp.credentials import Credentials
from miniapp.sandbox.network.xmpp.relay import XMPPRelay
from miniapp.sandbox.prosody import Prosody
from miniapp.sandbox.store import Store
from support.paths import ROOT
from support.people import ALICE, BOB, CAROL, DAVE, DOMAIN, ERIN, LUNCH, SEEDED
from support.xmpp.friend import SECONDS, Friend, Loop
from support.xmpp.host import Host

Eventually = Callable[..., None]

COOKS = f"cooks-1@muc.{DOMAIN}"


@pytest.fixture
def host(reachable: Path, start: Callable[..., Host]) -> Host:
    return start(xmpp_directory=reachable / "xmpp")  # which is asked for first, so it is removed last


def is_on_the_server(friend: Friend, room: str) -> bool:
    """Whether the XMPP server has the room."""
    try:
        friend.ask(lambda stream: stream.plugin["xep_0030"].get_info(jid=room, timeout=SECONDS))
    except IqError as error:
        return str(error.condition) != "item-not-found"
    return True


def test_nothing_from_just_before_a_reset_is_there_after_it(host: Host, eventually: Eventually) -> None:
    """What is under way when a reset comes is gone: groups, messages, archives, what waits for people offline."""
    bob, dave = host.friend(BOB), host.friend(DAVE)
    bob.join(LUNCH, "Bobby")
    made = host.network.create_group(ALICE, [DAVE], "Cooks")
    for number in range(5):  # of all this, nothing is waited for
        bob.send(ERIN, f"before {number}")
        bob.send(LUNCH, f"before {number}", "groupchat")
        host.api("groupMessage", jid=LUNCH, message=f"before {number}")
        host.api("massBroadcast", domain=DOMAIN, message=f"before {number}")
        host.type(ALICE, made.jid, f"before {number}")
    dave.try_to_join(COOKS, "Davey")
    host.controls.call("POST", "/_sandbox/reset")

    assert {group.jid for group in host.network.groups()} == SEEDED
    erin = host.friend(ERIN)
    for room in (COOKS, made.jid):
        assert not is_on_the_server(erin, room)
    host.type(ALICE, ERIN, "after")
    host.type(ALICE, LUNCH, "after")
    eventually(host.sent_on)
    again = host.friend(BOB)
    eventually(lambda: erin.texts() == ["after"])
    assert erin.archive() == ["after"]
    assert again.archive() == []
    again.join(LUNCH, "Bobby")
    assert again.archive(LUNCH) == ["after"]
    assert {jid: host.shown(jid) for jid in (ALICE, BOB, CAROL, DAVE, ERIN)} == {
        ALICE: ["after", "after"],
        BOB: ["after"],
        CAROL: ["after"],
        DAVE: [],
        ERIN: ["after"],
    }
    assert {group.jid for group in host.network.groups()} == SEEDED


def test_a_room_that_the_relay_looks_at_during_a_reset_stays_away(
    loop: Loop, reachable: Path, eventually: Eventually
) -> None:
    """The relay that has just heard of a new room when a reset comes does not write it down once the store is empty."""
    looking, go_on = threading.Event(), threading.Event()

    async def settle() -> None:
        looking.set()
        await asyncio.to_thread(go_on.wait)

    store = Store(domain=DOMAIN)
    credentials = Credentials(store)
    prosody = Prosody(credentials, directory=reachable / "xmpp")
    relay = XMPPRelay(store, prosody, credentials, settle=settle)
    network = Network(store, relay)
    network.start()
    streams = relay._streams
    assert streams is not None
    dave = Friend(loop, DAVE, credentials.sign(DAVE), prosody.ports.c2s).login()
    try:
        dave.join(COOKS, "Davey")
        assert looking.wait(SECONDS)

        def empty() -> None:
            store.reset()
            go_on.set()
            eventually(
                lambda: COOKS in [group.jid for group in store.messages.groups()] or not streams._thread.is_alive()
            )

        network.reset(empty)
        assert {group.jid for group in store.messages.groups()} == SEEDED
    finally:
        go_on.set()
        dave.logout()
        network.close()
        store.close()


def test_clients_are_told_that_rooms_are_gone(host: Host, eventually: Eventually) -> None:
    """A reset destroys rooms before it ends streams, so that no client comes back to one and makes it again."""
    dave = host.friend(DAVE)
    dave.join(COOKS, "Davey")
    destroyed: list[str] = []
    dave.stream.add_event_handler(f"muc::{COOKS}::self-presence", lambda presence: destroyed.append(presence["type"]))
    host.controls.call("POST", "/_sandbox/reset")
    eventually(lambda: "unavailable" in destroyed)
    eventually(lambda: not dave.stream.is_connected())


def test_news_of_a_user_from_before_a_reset_changes_nothing_after_it(host: Host) -> None:
    """A seeded user who was removed just before a reset is back, and the server is not told otherwise afterwards."""
    frank = host.sandbox.store.users.add("Frank Ho")
    host.controls.call("POST", "/_sandbox/reset")
    host.network.user_removed(ALICE)
    host.network.user_changed(frank)
    alice = host.friend(ALICE)
    assert frank.jid not in alice.stream.client_roster


@pytest.mark.parametrize("seed", ["[[users]]\nname = 5\n", "no toml"])
def test_a_reset_that_fails_leaves_everything_working(
    start: Callable[..., Host], tmp_path: Path, eventually: Eventually, seed: str
) -> None:
    """With a seed that became unusable the store stays as it was, and messages still go both ways."""
    file = tmp_path / "seed.toml"
    file.write_text((ROOT / "miniapp" / "sandbox" / "seed.toml").read_text())
    host = start(xmpp_directory=tmp_path / "xmpp", seed=file)
    made = host.network.create_group(ALICE, [BOB], "Cooks")
    file.write_text(seed)
    answer = host.controls.session.post(
        f"{host.server.url}/_sandbox/reset", json={}, headers={"X-Sandbox-Token": host.server.token}, timeout=60
    )
    assert answer.status_code == 500
    assert str(file) in answer.json()["error"]["message"]
    assert {group.jid for group in host.network.groups()} == {*SEEDED, made.jid}
    bob = host.friend(BOB)
    host.type(ALICE, BOB, "still here")
    eventually(lambda: bob.texts() == ["still here"])
