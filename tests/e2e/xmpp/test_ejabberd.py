"""The same network over another operator's server: Debian's ejabberd, reached by settings alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from slixmpp.exceptions import IqError

from miniapp.sandbox.network.xmpp.server import ServerSettings
from support.people import ALERTS, ALICE, BOB, CAROL, DAVE, DOMAIN, ERIN, LUNCH
from support.xmpp.bookmarks import check_groups, check_reset
from support.xmpp.ejabberd import Ejabberd
from support.xmpp.friend import SECONDS, Got
from support.xmpp.host import Host

Eventually = Callable[..., None]


@pytest.fixture
def ejabberd() -> Iterator[Ejabberd]:
    server = Ejabberd(DOMAIN).start()
    yield server
    server.stop()


@pytest.fixture
def host(start: Callable[..., Host], ejabberd: Ejabberd) -> Host:
    return start(
        xmpp=ServerSettings(
            domain=DOMAIN,
            component_port=ejabberd.component,
            component_secret=ejabberd.secret,
            c2s_port=ejabberd.c2s,
            c2s_tls="none",
            websocket=f"ws://127.0.0.1:{ejabberd.http}/ws",
            bosh=f"http://127.0.0.1:{ejabberd.http}/bosh",
            accounts_port=ejabberd.accounts_port,
            accounts_secret=ejabberd.accounts_secret,
        )
    )


def test_messages_go_both_ways(host: Host, eventually: Eventually) -> None:
    """Single, group and broadcast reach a client; what it writes shows on the phones; groups and archives work."""
    bob = host.friend(BOB)
    eventually(lambda: LUNCH in host.network.relay._streams._alerts.rooms().nicknames)
    bob.join(LUNCH, "Bobby")
    host.api("singleMessage", jid=BOB, message="one")
    host.api("groupMessage", jid=LUNCH, message="all of you")
    host.api("massBroadcast", domain=DOMAIN, message="everybody")
    host.type(ALICE, BOB, "hello")
    eventually(lambda: len(bob.got) == 4)
    assert Counter(bob.got) == Counter(
        [
            Got("chat", ALERTS, "one"),
            Got("groupchat", f"{LUNCH}/Lunch", "all of you"),
            Got("chat", ALERTS, "everybody"),
            Got("chat", ALICE, "hello"),
        ]
    )
    bob.send(ALICE, "hello yourself")
    bob.send(LUNCH, "noon?", "groupchat")
    eventually(lambda: host.shown(ALICE, BOB) == ["hello", "hello yourself"])
    eventually(lambda: host.shown(CAROL, LUNCH) == ["all of you", "noon?"])
    bob.send(ERIN, "for later")
    eventually(lambda: host.shown(ERIN, BOB) == ["for later"])
    dave = host.friend(DAVE)
    eventually(lambda: dave.texts() == ["everybody"])


def test_what_was_on_its_way_during_a_login_is_shown(
    host: Host, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ejabberd asks whether an offline user exists, and keeps the message without another question."""
    bob = host.friend(BOB)
    accounts = host.network.relay._credentials
    exists, asked, logged_in = accounts.exists, threading.Event(), threading.Event()

    def late(jid: str) -> bool:
        if jid == ERIN and not asked.is_set():
            asked.set()
            logged_in.wait(4)  # the program that asks for ejabberd has 5 s of patience
        return bool(exists(jid))

    monkeypatch.setattr(accounts, "exists", late)
    bob.send(ERIN, "meanwhile")
    assert asked.wait(10)
    assert host.shown(ERIN, BOB) == []
    logged_in.set()
    eventually(lambda: host.shown(ERIN, BOB) == ["meanwhile"])


def test_accounts_are_the_sandboxs(host: Host) -> None:
    """A wrong password, and a user who was removed, are refused by the server."""
    password = host.controls.call("POST", f"/_sandbox/users/{BOB}/password")["password"]
    with pytest.raises(PermissionError):
        host.friend(BOB, "wrong")
    host.friend(BOB, password)
    chat = host.controls.call("POST", f"/phones/{CAROL}/chat")
    host.friend(CAROL, chat["password"])
    with pytest.raises(PermissionError):
        host.friend(BOB, chat["password"])
    host.controls.call("DELETE", f"/_sandbox/users/{BOB}")
    with pytest.raises(PermissionError):
        host.friend(BOB, password)


def test_who_is_removed_is_put_out(host: Host, eventually: Eventually) -> None:
    """A removed user loses the open connections, even while the host's own connection is down."""
    friends = [host.friend(jid) for jid in (ALICE, BOB, CAROL)]
    alice, bob, carol = (friend.stream for friend in friends)
    host.controls.call("DELETE", f"/_sandbox/users/{BOB}")
    eventually(lambda: not bob.is_connected())
    streams = host.network.relay._streams
    streams._loop.call_soon_threadsafe(streams._alerts.channel._stream.abort)
    eventually(lambda: not streams.is_up)
    host.controls.call("DELETE", f"/_sandbox/users/{CAROL}")
    eventually(lambda: not carol.is_connected())
    host.api("singleMessage", jid=ALICE, message="still there?")
    eventually(lambda: friends[0].texts() == ["still there?"])
    assert alice.is_connected()


def test_a_reset_shows_nothing_from_before(host: Host, eventually: Eventually) -> None:
    """Groups are gone from the server, clients are put out, and what the server keeps for people shows nowhere."""
    bob = host.friend(BOB)
    made = host.network.create_group(ALICE, [BOB], "Cooks")
    eventually(lambda: made.jid in host.network.relay._streams._alerts.rooms().nicknames)
    bob.send(ALICE, "before")
    host.api("singleMessage", jid=ERIN, message="before")
    host.type(ALICE, made.jid, "before")
    host.controls.call("POST", "/_sandbox/reset")
    eventually(lambda: not bob.stream.is_connected())
    assert made.jid not in [group.jid for group in host.network.groups()]
    host.type(ALICE, ERIN, "after")
    eventually(host.sent_on)
    erin = host.friend(ERIN)
    with pytest.raises(IqError, match="item-not-found"):
        erin.ask(lambda stream: stream.plugin["xep_0030"].get_info(jid=made.jid, timeout=SECONDS))
    assert host.shown(ERIN) == ["after"]
    assert host.shown(ALICE) == ["after"]


def test_what_was_accepted_while_it_was_away_is_sent_once(
    host: Host, ejabberd: Ejabberd, eventually: Eventually
) -> None:
    """Killed and started again, it gets everything that was accepted, each once."""
    expected = []
    for number in range(30):
        if number == 10:
            ejabberd.kill()
        host.api("singleMessage", jid=BOB, message=f"alert {number}")
        host.type(ALICE, BOB, f"direct {number}")
        expected += [f"alert {number}", f"direct {number}"]
    ejabberd.start()
    eventually(host.sent_on, 60)
    assert Counter(host.friend(BOB).archive()) == Counter(expected)
    assert host.shown(BOB) == expected


def test_members_have_their_groups_bookmarked(host: Host, eventually: Eventually) -> None:
    """The sandbox logs in as each member to write the groups into the account, from the start to after a reset."""
    check_groups(host, eventually)
    check_reset(host, eventually)
