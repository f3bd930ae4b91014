"""Groups: made by OneChat's function or by hand, and what their members can do."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_site import People, Visitor

Visit = Callable[..., Visitor]
ALICE, BOB, CAROL, DAVE = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol", "dave"))
UUID = "6f1c3e9a-2b7d-4c5e-8f90-a1b2c3d4e5f6"

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def open_group(visitor: Visitor, name: str) -> None:
    visitor.page.locator("ocwp-list").get_by_role("button", name=re.compile(name)).click()


def test_a_group_reaches_its_members(visit: Visit) -> None:
    """A group made by OneChat's function shows at its members by name, and each reads what the others write."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    group = alice.create_group(
        members=[ALICE, BOB, BOB, CAROL], chatName="Lunch", chatAvatar=f"data:image/png;base64,{PIXEL}"
    )
    assert re.fullmatch(rf"[0-9a-f-]{{36}}@muc\.{DOMAIN}", group)
    expect(alice.box(group).locator("header ocwp-avatar img")).to_be_visible()
    alice.write(group, "noon?")
    open_group(bob, "Lunch")
    bob.expect_texts(group, "noon?")
    bob.write(group, "yes")
    alice.expect_texts(group, "noon?", "yes")
    expect(alice.box(group).locator(".from")).to_have_text("Bob")
    expect(alice.box(group)).to_contain_text("3 members")
    expect(alice.box(group).locator("[data-delivery]").first).to_have_attribute("data-delivery", "read")
    expect(bob.box(group).locator("ocwp-avatar img").first).to_be_visible()
    carol = visit("carol").sign_in()
    open_group(carol, "Lunch")
    carol.expect_texts(group, "noon?", "yes")


def test_a_group_of_a_known_id_is_opened(visit: Visit, people: People) -> None:
    """The UUID of an existing group opens it, and invites no member twice; another member opens it too."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    options = {"members": [BOB], "chatName": "Lunch", "chatJid": UUID}
    group = alice.create_group(**options)
    assert group == f"{UUID}@muc.{DOMAIN}"
    alice.write(group, "hello")
    open_group(bob, "Lunch")
    bob.expect_texts(group, "hello")
    alice.box(group).get_by_role("button", name="Close").click()
    assert alice.create_group(**{**options, "members": [CAROL]}) == group
    alice.expect_texts(group, "hello")
    assert bob.create_group(**{**options, "members": [ALICE]}) == group
    carol = visit("carol").sign_in()
    expect(carol.page.locator(f'ocwp-list [data-jid="{BOB}"]')).to_be_visible()
    expect(carol.page.locator("ocwp-list").get_by_text("Lunch")).to_have_count(0)


def test_a_group_without_a_name_has_the_locales(visit: Visit) -> None:
    """A group without a name gets the generic one of the locale's file."""
    alice = visit("alice").sign_in(locale={"default": "deDE"})
    group = alice.create_group(members="bob")  # one person alone is taken as a list of one
    expect(alice.box(group).get_by_role("heading")).to_have_text("Gruppenchat")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"members": []}, "at least one person other than the creator"),
        ({"members": [ALICE]}, "at least one person other than the creator"),
        ({}, "at least one person other than the creator"),
        ({"members": ["not a jid"]}, "a member is not a JID"),
        ({"members": {"bob": True}}, "members must be an array of JIDs"),
        ({"members": [BOB], "chatJid": "lunch"}, "chatJid must be a UUID"),
    ],
)
def test_what_makes_no_group_is_rejected(visit: Visit, options: dict[str, object], says: str) -> None:
    """Too few members, or what is none, or an ID that is no UUID reject, saying so."""
    alice = visit("alice").sign_in()
    with pytest.raises(Error, match=says):
        alice.create_group(**options)


@pytest.mark.parametrize(("picture", "says"), [("/none.png", "/none.png answers 404"), ("/ocwp.js", "no picture")])
def test_a_picture_that_fails_is_left_out(visit: Visit, picture: str, says: str) -> None:
    """The group is made without it, and the answer says why."""
    alice = visit("alice").sign_in()
    group = alice.page.evaluate(
        "(options) => ocwp.chat.group.create(options)", {"members": [BOB], "chatAvatar": picture}
    )
    assert says in group["avatarError"]
    expect(alice.box(group["jid"]).get_by_role("textbox")).to_be_visible()


def test_the_owner_makes_admins_and_removes_members(visit: Visit) -> None:
    """An admin can remove members, and who was removed sees that the group is closed."""
    alice, bob, carol = (visit(name).sign_in() for name in ("alice", "bob", "carol"))
    group = alice.create_group(members=[BOB, CAROL], chatName="Lunch")
    open_group(bob, "Lunch")
    open_group(carol, "Lunch")
    alice.box(group).get_by_role("button", name="Details of Lunch").click()
    row = alice.box(group).get_by_role("listitem").filter(has_text="Bob")
    row.get_by_role("button", name="Make admin").click()
    expect(row).to_contain_text("Admin")
    bob.box(group).get_by_role("button", name="Details of Lunch").click()
    bob.box(group).get_by_role("button", name="Remove Carol from the group").click()
    expect(bob.box(group).get_by_role("listitem")).to_have_count(2)
    expect(carol.box(group)).to_contain_text("no longer in it")


def test_members_invite_rename_and_leave(visit: Visit) -> None:
    """The owner renames the group and changes its picture, a member invites another, and who leaves has left."""
    alice, bob, dave = (visit(name).sign_in() for name in ("alice", "bob", "dave"))
    group = alice.create_group(members=[BOB], chatName="Lunch")
    box = alice.box(group)
    box.get_by_role("button", name="Details of Lunch").click()
    box.get_by_label("Name of the group").fill("Dinner")
    box.get_by_role("button", name="Rename").click()
    expect(box.get_by_role("heading", level=2)).to_have_text("Dinner")
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(PIXEL)}
    box.locator("ocwp-details input[type=file]").set_input_files(picture)
    expect(box.locator("header ocwp-avatar img")).to_be_visible()
    box.get_by_label("Name or JID").fill("Dave")
    box.get_by_role("button", name="Invite").click()
    expect(box.get_by_role("listitem")).to_have_text([re.compile(name) for name in ("Alice", "Bob", "Dave")])
    open_group(dave, "Dinner")
    open_group(bob, "Dinner")
    bob.box(group).get_by_role("button", name="Details of Dinner").click()
    bob.box(group).get_by_role("button", name="Leave group").click()
    expect(bob.box(group).get_by_role("alert")).to_contain_text("Leave this group?")
    bob.box(group).get_by_role("button", name="Leave group").click()
    expect(bob.page.locator("ocwp-list").get_by_text("Dinner")).to_have_count(0)
    bob.page.reload()
    bob.sign_in()
    expect(bob.page.locator("ocwp-list").get_by_text("Dinner")).to_have_count(0)


def test_a_group_made_by_hand(visit: Visit) -> None:
    """The form makes a group of the people that are ticked, and opens it."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.page.get_by_role("button", name="New group").click()
    alice.page.get_by_label("Name of the group").fill("Running")
    alice.page.get_by_role("checkbox", name="Bob").check()
    alice.page.get_by_role("button", name="Create").click()
    expect(alice.page.locator("ocwp-box").get_by_role("heading")).to_have_text("Running")
    open_group(bob, "Running")


def test_groups_and_their_history_come_back(visit: Visit) -> None:
    """After a reload a member is in the group again, with what was written in the meantime."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    group = alice.create_group(members=[BOB], chatName="Lunch")
    alice.write(group, "one")
    open_group(bob, "Lunch")
    bob.expect_texts(group, "one")
    bob.page.goto("about:blank")
    alice.write(group, "two")
    bob.page.go_back()
    bob.sign_in()
    bob.expect_texts(group, "one", "two")


def test_a_reset_is_a_reset(visit: Visit, chat_server: Prosody) -> None:
    """After the server was emptied no group or message of before is there, on an open page and after a reload."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    group = alice.create_group(members=[BOB], chatName="Lunch")
    alice.write(group, "old")
    open_group(bob, "Lunch")
    alice.open(BOB)
    alice.write(BOB, "old")
    bob.open(ALICE)
    bob.expect_texts(ALICE, "old")
    expect(alice.box(BOB).locator("[data-delivery]")).to_have_attribute("data-delivery", "read")
    chat_server.renew(lambda: None)
    for visitor in (alice, bob):
        visitor.ready()
        expect(visitor.box(group)).to_have_count(0)
    expect(alice.box(BOB).locator(".text")).to_have_count(0)
    bob.write(ALICE, "new")
    alice.expect_texts(BOB, "new")
    alice.page.reload()
    alice.sign_in()
    alice.expect_texts(BOB, "new")
    expect(alice.page.locator("ocwp-list").get_by_text("Lunch")).to_have_count(0)


def test_five_hundred_messages_of_history(visit: Visit, chat_server: Prosody) -> None:
    """A chat opens at its end; scrolling up loads all 500 messages page by page, in order, each once."""
    loop = Loop()
    bob = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    for number in range(500):
        bob.send(ALICE, f"message {number}")
    # The answer comes behind 500 messages that the server writes into its archive.
    bob.ask(lambda stream: stream.plugin["xep_0199"].send_ping(DOMAIN, timeout=60), seconds=60)
    bob.logout()
    loop.close()
    alice = visit("alice").sign_in()
    alice.open(BOB)
    texts = alice.box(BOB).locator(".text")
    expect(texts.last).to_have_text("message 499")
    expect(texts.last).to_be_in_viewport()
    history = alice.box(BOB).locator(".list")
    while (count := texts.count()) < 500:
        history.evaluate("(list) => { list.scrollTop = 0; }")
        expect(texts).not_to_have_count(count)
    expect(alice.box(BOB).get_by_text("The beginning of this chat")).to_be_visible()
    assert alice.texts(BOB) == [f"message {number}" for number in range(500)]


def test_a_group_of_two_hundred(visit: Visit, people: People, chat_server: Prosody) -> None:
    """In a group with 200 people in it one still writes and reads, and sees who belongs to it."""
    names = [f"member{number:03}" for number in range(198)]
    people.names += names
    chat_server.tell(changed=[user for user in people.people() if user.jid.startswith("member")])
    loop = Loop()
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.page.get_by_role("searchbox").fill("Ber19")  # no user is in another's roster, so the server has to find them
    expect(alice.page.locator("ocwp-list .row .name")).to_have_text([f"Member19{number}" for number in range(8)])
    group = alice.create_group(members=[BOB, *(f"{name}@{DOMAIN}" for name in names)], chatName="Everybody")
    friends = [Friend(loop, f"{name}@{DOMAIN}", f"pw-{name}", chat_server.ports.c2s) for name in names[:20]]

    async def enter() -> None:
        for friend in friends:
            await friend._login()
            await friend.stream.plugin["xep_0045"].join_muc_wait(group, friend.jid.partition("@")[0], maxstanzas=0)

    asyncio.run_coroutine_threadsafe(enter(), loop.loop).result(60)
    alice.write(group, "hello all")
    expect(alice.box(group).locator('[data-delivery="sending"]')).to_have_count(0)
    friends[0].send(group, "hello alice", "groupchat")
    # Alice is a stranger to Bob.
    bob.page.locator("ocwp-list .request").get_by_role("button", name="Accept").click()
    bob.expect_texts(group, "hello all", "hello alice")
    expect(bob.box(group)).to_contain_text("200 members")
    for friend in friends:
        friend.logout()
    loop.close()


def test_members_are_mentioned(visit: Visit) -> None:
    """After an @ the members are offered, by keys alone; who is mentioned sees it, the others don't."""
    alice, bob, carol = (visit(name).sign_in() for name in ("alice", "bob", "carol"))
    group = alice.create_group(members=[BOB, CAROL], chatName="Lunch")
    open_group(bob, "Lunch")
    open_group(carol, "Lunch")
    entry = alice.box(group).get_by_role("textbox")
    entry.press_sequentially("Ask @")
    expect(alice.box(group).locator("[role=option] .words")).to_have_text(["Bob", "Carol"])
    entry.press_sequentially("c")
    expect(alice.box(group).locator("[role=option] .words")).to_have_text(["Carol"])
    entry.press("Enter")
    expect(entry).to_have_value("Ask @Carol ")
    entry.press("Enter")
    for visitor, times in ((carol, 1), (bob, 0)):
        visitor.expect_texts(group, "Ask @Carol")
        expect(visitor.box(group).locator(".mention")).to_have_count(times)
