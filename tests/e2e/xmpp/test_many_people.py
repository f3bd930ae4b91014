"""More people than fit into every roster: 200."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from miniapp.sandbox.prosody import Prosody
from support.people import ALICE, BOB, CAROL, DOMAIN, ERIN
from support.xmpp.friend import SECONDS, Friend, Loop
from support.xmpp.ocwp_site import People

Eventually = Callable[..., None]
Login = Callable[[str], Friend]
FORM = "{jabber:x:data}"


@pytest.fixture
def people() -> People:
    """As many people as fit."""
    return People("alice", "bob", "carol", "dave", "erin", *(f"member{number:03}" for number in range(195)))


@pytest.fixture
def login(chat_server: Prosody, loop: Loop) -> Iterator[Login]:
    friends: list[Friend] = []

    def begin(jid: str) -> Friend:
        friends.append(Friend(loop, jid, f"pw-{jid.partition('@')[0]}", chat_server.ports.c2s).login())
        return friends[-1]

    yield begin
    for friend in friends:
        friend.logout()


def roster(friend: Friend) -> dict[str, tuple[str, str]]:
    """All contacts in the roster of `friend`, with subscription and name."""
    answer = friend.ask(lambda stream: stream.make_iq_get("jabber:iq:roster").send(timeout=SECONDS))
    items = answer.xml.iter("{jabber:iq:roster}item")
    return {item.get("jid"): (item.get("subscription"), item.get("name")) for item in items}


def sees(friend: Friend, jid: str) -> bool:
    return bool(friend.stream.client_roster.presence(jid))


def found(friend: Friend, **fields: str) -> list[str]:
    """Whom a search finds (XEP-0055)."""

    def ask(stream: Any) -> Any:
        iq = stream.make_iq_set(ito=DOMAIN)
        query = ElementTree.SubElement(iq.xml, "{jabber:iq:search}query")
        form = ElementTree.SubElement(query, f"{FORM}x", type="submit")
        for name, value in fields.items():
            ElementTree.SubElement(ElementTree.SubElement(form, f"{FORM}field", var=name), f"{FORM}value").text = value
        return iq.send(timeout=SECONDS)

    items = friend.ask(ask).xml.iter(f"{FORM}item")
    return [item.findtext(f"{FORM}field[@var='jid']/{FORM}value") for item in items]


def test_one_more_than_fit(chat_server: Prosody, people: People, login: Login, eventually: Eventually) -> None:
    """Rosters keep whom one has written to, and come to hold others so; a stranger's message makes no contact."""
    alice, bob = login(ALICE), login(BOB)
    everybody = roster(alice)
    assert len(everybody) == 199
    alice.send(BOB, "hello")
    alice.send(CAROL, "are you there?")
    bob.send(ALICE, "hello yourself")
    eventually(lambda: alice.texts() == ["hello yourself"])
    people.names.append("zoe")
    chat_server.tell(changed=people.people()[-1:])
    assert roster(alice) == everybody  # she is online still
    for friend in (alice, bob):
        friend.logout()

    alice, bob, carol = login(ALICE), login(BOB), login(CAROL)
    assert roster(alice) == {BOB: ("both", "Bob"), CAROL: ("none", "Carol")}
    assert (roster(bob), roster(carol)) == ({ALICE: ("both", "Alice")}, {})
    eventually(lambda: sees(alice, BOB) and sees(bob, ALICE))
    assert not sees(alice, CAROL)
    carol.send(ALICE, "here I am")
    eventually(lambda: sees(alice, CAROL) and sees(carol, ALICE))
    assert (roster(alice)[CAROL], roster(carol)) == (("both", "Carol"), {ALICE: ("both", "Alice")})

    people.titles["bob"] = "Robert"
    chat_server.tell(changed=[user for user in people.people() if user.jid == BOB])
    eventually(lambda: alice.stream.client_roster[BOB]["name"] == "Robert")
    assert (roster(alice)[BOB], BOB in roster(carol)) == (("both", "Robert"), False)

    assert found(carol, fn="MEMBER01*") == [f"member01{number}@{DOMAIN}" for number in range(10)]
    assert found(carol, user="erin") == [ERIN]
    assert found(carol, fn="rob", user="alice") == found(carol, fn=" ", nick="Bob") == []
    assert len(found(carol, user="m")) == 50
