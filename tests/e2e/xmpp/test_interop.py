"""What goes between phones, mini apps' backends and XMPP clients of other people's making."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable

import pytest

from support.people import ADMIN, ALERTS, ALICE, BOB, CAROL, DAVE, DOMAIN, ERIN, LUNCH
from support.xmpp.friend import Got
from support.xmpp.host import Host

Eventually = Callable[..., None]


def test_a_client_gets_single_group_and_broadcast(host: Host, eventually: Eventually) -> None:
    """What a backend sends by REST reaches a real client, each once, as alerts that tell from people."""
    bob = host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    host.api("singleMessage", jid=BOB, message="one")
    host.api("groupMessage", jid=LUNCH, message="all of you")
    host.api("massBroadcast", domain=DOMAIN, message="everybody")
    eventually(lambda: len(bob.got) == 3)
    assert sorted(bob.got) == [
        Got("chat", ALERTS, "everybody"),
        Got("chat", ALERTS, "one"),
        Got("groupchat", f"{LUNCH}/Lunch", "all of you"),
    ]
    eventually(host.sent_on)
    assert len(bob.got) == 3
    assert host.shown(BOB) == ["one", "all of you", "everybody"]


def test_what_a_client_writes_shows_on_the_phones(host: Host, eventually: Eventually) -> None:
    """A direct and a group message of another client come live, in the right threads, once, and in order."""
    bob = host.friend(BOB)
    assert host.shown(ALICE) == []  # opens the phone
    bob.send(ALICE, "hello")
    eventually(lambda: host.shown(ALICE, BOB) == ["hello"])
    bob.join(LUNCH, "Bobby")
    bob.send(LUNCH, "noon?", "groupchat")
    for jid in (ALICE, BOB, CAROL):
        eventually(lambda jid=jid: host.shown(jid, LUNCH) == ["noon?"])
    assert host.shown(BOB) == ["hello", "noon?"]
    first, second = host.controls.call("GET", f"/phones/{ALICE}/messages")
    assert (first["from"]["name"], first["kind"], second["from"]["jid"]) == ("Bob Rahman", "direct", BOB)
    assert first["id"] < second["id"]


def test_what_a_phone_sends_reaches_clients(host: Host, eventually: Eventually) -> None:
    """Recipients' clients get it, the sender's own other clients a copy, and the phones show it once."""
    alice, bob = host.friend(ALICE), host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    host.type(ALICE, BOB, "hello")
    host.type(ALICE, LUNCH, "noon?")
    eventually(lambda: len(bob.got) == 2 and len(alice.got) == 1)
    assert bob.got == [Got("chat", ALICE, "hello"), Got("groupchat", f"{LUNCH}/Alice Tan", "noon?")]
    assert alice.got == [Got("sent", ALICE, "hello")]
    assert host.shown(ALICE) == host.shown(BOB) == ["hello", "noon?"]


def test_a_phone_catches_up_when_it_opens(host: Host, eventually: Eventually) -> None:
    """What came while a phone was closed is there when it is looked at, once, with the time it was sent."""
    alice = host.friend(ALICE)
    for number in range(120):  # more than one page of an archive
        alice.send(ERIN, f"{number}")
    host.api("singleMessage", jid=ERIN, message="alert")
    eventually(host.sent_on)
    alice.ask(lambda stream: stream.plugin["xep_0199"].ping(DOMAIN))
    shown = [message.text for message in host.network.history(ERIN, limit=200)]
    assert shown[0] == "alert"
    assert shown[1:] == [f"{number}" for number in range(120)]
    assert host.shown(ERIN) == shown


def test_offline_users_get_a_broadcast_when_they_come(host: Host, eventually: Eventually) -> None:
    """A client that logs in later has it from the server, once."""
    host.api("massBroadcast", domain=DOMAIN, message="fire drill")
    eventually(host.sent_on)
    erin = host.friend(ERIN)
    eventually(lambda: erin.texts() == ["fire drill"])


def test_new_groups_invite_their_members(host: Host, eventually: Eventually) -> None:
    """A group that a phone makes is a room that its members' clients are invited into, and no other user may enter."""
    dave = host.friend(DAVE)
    made = host.network.create_group(ALICE, [DAVE], "Cooks")
    eventually(lambda: dave.invited == [made.jid])
    dave.join(made.jid, "Dave")
    dave.send(made.jid, "hello cooks", "groupchat")
    eventually(lambda: host.shown(ALICE, made.jid) == ["hello cooks"])
    bob = host.friend(BOB)
    bob.try_to_join(made.jid, "Bob")
    eventually(lambda: bob.errors == ["registration-required"])


def test_a_group_that_a_client_makes_is_one_on_the_phones(host: Host, eventually: Eventually) -> None:
    """A room made by another client, named and with members, shows on the phones as a group, and takes messages."""
    room = f"3f2504e0-4f89-41d3-9a0c-0305e82c3301@muc.{DOMAIN}"
    bob = host.friend(BOB)
    bob.join(room, "Bobby")

    async def furnish(stream):
        muc = stream.plugin["xep_0045"]
        form = await muc.get_room_config(room)
        form.set_values({"muc#roomconfig_roomname": "Chess"})
        await muc.set_room_config(room, form)
        await muc.set_affiliation(room, jid=CAROL, affiliation="member")

    bob.ask(furnish)
    eventually(lambda: [(g.name, g.owner, g.members) for g in host.network.groups(CAROL) if g.jid == room] == [
        ("Chess", BOB, (BOB, CAROL))
    ])  # fmt: skip
    host.type(CAROL, room, "your move")
    eventually(lambda: "your move" in bob.texts("groupchat"))
    host.api("groupMessage", jid=room, message="time is up")
    eventually(lambda: "time is up" in bob.texts("groupchat"))


def test_rooms_are_named_and_hold_their_members(host: Host, eventually: Eventually) -> None:
    """A client sees the group's name and, as a member, gets in."""
    bob = host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    info = bob.ask(lambda stream: stream.plugin["xep_0030"].get_info(LUNCH))
    assert [identity[3] for identity in info["disco_info"]["identities"]] == ["Lunch club"]
    assert {"muc_membersonly", "muc_persistent", "muc_nonanonymous"} <= set(info["disco_info"]["features"])


def test_people_are_the_sandboxs(host: Host, eventually: Eventually) -> None:
    """Names and pictures come from the sandbox, follow a change, and are in every roster."""
    bob = host.friend(BOB)
    assert bob.stream.client_roster[ALICE]["name"] == "Alice Tan"
    host.controls.call("PATCH", f"/_sandbox/users/{ALICE}", {"name": "Alice Lim"})
    eventually(lambda: bob.stream.client_roster[ALICE]["name"] == "Alice Lim")
    card = bob.ask(lambda stream: stream.plugin["xep_0054"].get_vcard(ALICE))["vcard_temp"]
    assert card["FN"] == "Alice Lim"
    assert card["PHOTO"]["TYPE"] == "image/svg+xml"
    assert b"<svg" in base64.b64decode(card["PHOTO"].xml.findtext("{vcard-temp}BINVAL"))


def test_new_users_log_in_and_removed_ones_are_put_out(host: Host, eventually: Eventually) -> None:
    """A user who was added can log in and be written to; one who was removed is cut off and can't come back."""
    new = host.controls.call("POST", "/_sandbox/users", {"name": "Frank Ho"})["jid"]
    frank = host.friend(new)
    host.api("singleMessage", jid=new, message="welcome")
    eventually(lambda: frank.texts() == ["welcome"])
    bob = host.friend(BOB)
    bob.ask(lambda stream: stream.update_roster(new, name="Frank"))  # kept in Bob's own roster
    bob.logout()
    host.controls.call("DELETE", f"/_sandbox/users/{new}")
    eventually(lambda: not frank.stream.is_connected())
    with pytest.raises(PermissionError):
        frank.login()
    assert ADMIN in host.friend(BOB).stream.client_roster
    assert new not in host.friends[-1].stream.client_roster


def test_alerts_take_no_answers(host: Host, eventually: Eventually) -> None:
    """Who answers an alert is told that no person reads it."""
    bob = host.friend(BOB)
    bob.send(ALERTS, "thanks")
    eventually(lambda: bob.errors == ["not-allowed"])


def test_two_clients_of_one_person_and_the_phone_agree(host: Host, eventually: Eventually) -> None:
    """What one client of a person sends shows on the person's phone and the other client, once each."""
    first, second = host.friend(ALICE), host.friend(ALICE)
    assert host.shown(ALICE) == []
    first.send(BOB, "from my desk")
    eventually(lambda: host.shown(ALICE, BOB) == ["from my desk"])
    eventually(lambda: second.got == [Got("sent", ALICE, "from my desk")])
    assert host.shown(BOB, ALICE) == ["from my desk"]


def test_ids_of_senders_identify_nothing(host: Host, eventually: Eventually) -> None:
    """Equal messages of one ID or of none are each shown once, live and from archives, to sender, recipient, group."""
    bob = host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    assert host.shown(ALICE) == host.shown(BOB) == []  # opens the phones
    for to, kind in ((ALICE, "chat"), (ERIN, "chat"), (LUNCH, "groupchat")):
        for named in ("id='same'", "id='same'", "", ""):
            bob.stream.send_raw(f"<message to='{to}' type='{kind}' {named}><body>hi</body></message>")
    threads = ((ALICE, BOB), (ALICE, LUNCH), (BOB, ALICE), (BOB, ERIN), (ERIN, BOB), (CAROL, LUNCH))

    def shown() -> list[list[str]]:
        return [host.shown(jid, thread) for jid, thread in threads]

    eventually(lambda: shown() == [["hi"] * 4] * 6)
    streams = host.network.relay._streams
    for jid in (ALICE, BOB, ERIN):
        streams.call(streams.hang_up(jid)).result(10)
    assert shown() == [["hi"] * 4] * 6  # each phone has read its archive again


def test_texts_arrive_unchanged(host: Host, eventually: Eventually) -> None:
    """Markup, emoji and the longest text are the same at the other end, both ways."""
    texts = ["]]></body>&amp;<x/>", "🍜 麺", " padded ", "x" * 4096, "two\nlines"]
    alice, bob = host.friend(ALICE), host.friend(BOB)
    assert host.shown(BOB) == []
    for text in texts:
        alice.send(BOB, text)
    eventually(lambda: host.shown(BOB) == texts)
    for text in texts:
        host.type(CAROL, BOB, text)
    eventually(lambda: bob.texts("chat")[-5:] == texts)


def test_a_reset_empties_the_server_too(host: Host, eventually: Eventually) -> None:
    """After a reset the phones show nothing of before, users who were added are gone, and the seeded groups work."""
    bob = host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    new = host.controls.call("POST", "/_sandbox/users", {"name": "Frank Ho"})["jid"]
    bob.send(ALICE, "before")
    bob.send(LUNCH, "before", "groupchat")
    eventually(lambda: sorted(host.shown(ALICE)) == ["before", "before"])
    made = host.network.create_group(ALICE, [DAVE], "Cooks")
    eventually(lambda: made.jid in host.network.relay._streams._alerts.rooms().nicknames)
    host.controls.call("POST", "/_sandbox/reset")
    assert host.shown(ALICE) == []
    assert new not in [user["jid"] for user in host.controls.state()["users"]]
    eventually(lambda: made.jid not in host.network.relay._streams._alerts.rooms().nicknames)
    again = host.friend(BOB)
    host.type(ALICE, LUNCH, "after")
    eventually(host.sent_on)
    again.join(LUNCH, "Bobby")
    again.send(LUNCH, "after all", "groupchat")
    eventually(lambda: host.shown(ALICE) == ["after", "after all"])


def test_no_member_is_lost_while_a_group_is_made(
    host: Host, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members come in one after the other; a look at the room in between changes nothing, and one follows."""
    alerts = host.network.relay._streams._alerts
    affiliate, looks, seen = alerts._affiliate, Counter[str](), []
    look = alerts.adopt

    async def counted(room: str) -> None:
        await look(room)
        looks[room] += 1

    async def slowly(room: str, affiliations: dict[str, str]) -> None:
        for jid, affiliation in affiliations.items():
            await affiliate(room, {jid: affiliation})
            await alerts.adopt(room)
            found = host.sandbox.store.messages.find_group(room)
            seen.append(found is not None and len(found.members))

    monkeypatch.setattr(alerts, "adopt", counted)
    monkeypatch.setattr(alerts, "_affiliate", slowly)
    made = host.network.create_group(ALICE, [BOB, CAROL], "Cooks")
    eventually(lambda: looks[made.jid] > 3)
    assert seen == [3, 3, 3]
    assert {group.jid for group in host.sandbox.store.messages.groups(CAROL)} >= {made.jid}


def test_a_chat_login_of_a_phone_is_good_for_its_user(host: Host, eventually: Eventually) -> None:
    """What `/phones/{jid}/chat` gives logs only this user in, over the address it names."""
    chat = host.controls.call("POST", f"/phones/{ALICE}/chat")
    assert (chat["jid"], chat["expiresIn"]) == (ALICE, 300)
    assert chat["service"] == f"ws://127.0.0.1:{host.prosody.ports.http}/xmpp-websocket"
    host.friend(ALICE, chat["password"])
    with pytest.raises(PermissionError):
        host.friend(BOB, chat["password"])


def test_a_name_with_an_emoji_writes_to_groups(host: Host, eventually: Eventually) -> None:
    """Servers refuse most emoji in a nickname. An app and a person with one in the name write to a group without it."""
    bob = host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    app = host.controls.add_app(name="Café ☕", icon="http://localhost/i.svg", url="http://localhost/c", admin=ADMIN)
    host._key = app["apiKey"]
    host.api("groupMessage", jid=LUNCH, message="Coffee is ready")
    host.controls.call("PATCH", f"/_sandbox/users/{ALICE}", {"name": "🦊 Alice 🦊"})
    host.type(ALICE, LUNCH, "Coming")
    eventually(lambda: len(bob.got) == 2)
    assert sorted(bob.got) == [
        Got("groupchat", f"{LUNCH}/Alice", "Coming"),
        Got("groupchat", f"{LUNCH}/Café", "Coffee is ready"),
    ]
    assert host.shown(CAROL, LUNCH) == ["Coffee is ready", "Coming"]
