"""Two browsers as two users: what one writes, does and reads shows at the other."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.ocwp_site import Visitor, act

Visit = Callable[..., Visitor]
ALICE, BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))

ENTER_OF_COMPOSITION = """(field, isComposing) => field.dispatchEvent(new KeyboardEvent("keydown", {
  key: "Enter", keyCode: 229, isComposing, bubbles: true, composed: true, cancelable: true }))"""

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture
def pair(visit: Visit) -> tuple[Visitor, Visitor]:
    """Alice and Bob, each with the chat with the other open."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.open(BOB)
    bob.open(ALICE)
    return alice, bob


def test_messages_go_both_ways_as_text(pair: tuple[Visitor, Visitor]) -> None:
    """What is written is shown as it was written, markup, emoji and line breaks included."""
    alice, bob = pair
    texts = ["<img src=x onerror=alert(1)>", "a & b 😀", "]]></body>", "two\nlines"]
    for text in texts:
        alice.write(BOB, text)
    bob.expect_texts(ALICE, *texts)
    bob.write(ALICE, "yes")
    alice.expect_texts(BOB, *texts, "yes")
    bob.expect_texts(ALICE, *texts, "yes")
    assert bob.box(ALICE).locator("img").count() == 0


def test_only_web_addresses_become_links(pair: tuple[Visitor, Visitor]) -> None:
    """An http address is a link that tells its target nothing; a script is text."""
    alice, bob = pair
    alice.write(BOB, "see https://example.com/a. or javascript:alert(1)")
    link = bob.box(ALICE).locator(".text a")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "https://example.com/a")
    expect(link).to_have_attribute("rel", re.compile("noopener noreferrer"))


def test_typing_shows_and_ends(pair: tuple[Visitor, Visitor]) -> None:
    """While one types the other sees it; emptied, it is gone."""
    alice, bob = pair
    entry = alice.box(BOB).get_by_role("textbox")
    entry.fill("hel")
    expect(bob.box(ALICE).get_by_text("Alice is typing")).to_be_visible()
    entry.fill("")
    expect(bob.box(ALICE).get_by_text("Alice is typing")).to_be_hidden()


def test_sent_delivered_read(visit: Visit) -> None:
    """A message is sent while the other is away, delivered when they come, read when they look."""
    alice = visit("alice").sign_in()
    alice.open(BOB)
    alice.write(BOB, "are you there?")
    state = alice.box(BOB).locator("[data-delivery]")
    expect(state).to_have_attribute("data-delivery", "sent")
    bob = visit("bob").sign_in()
    expect(state).to_have_attribute("data-delivery", "delivered")
    bob.open(ALICE)
    expect(state).to_have_attribute("data-delivery", "read")


def test_unread_messages_are_counted_and_read_in_all_tabs(visit: Visit) -> None:
    """Unread messages are counted in the list; reading them in one tab clears the count in the other."""
    bob, again = visit("bob").sign_in(), visit("bob").sign_in()
    alice = visit("alice").sign_in()
    alice.open(BOB)
    alice.write(BOB, "one")
    alice.write(BOB, "two")
    for tab in (bob, again):
        expect(tab.page.locator("ocwp-list .badge")).to_have_text("2")
    bob.open(ALICE)
    for tab in (bob, again):
        expect(tab.page.locator("ocwp-list .badge")).to_have_count(0)


def test_reading_counts_everywhere_without_a_request_for_markers(visit: Visit, chat_server: Prosody) -> None:
    """A message that asks for no marker, read in one browser, is read in the other too, and after a new login."""
    loop = Loop()
    alice = Friend(loop, ALICE, "pw-alice", chat_server.ports.c2s).login()
    bob, again = visit("bob").sign_in(), visit("bob").sign_in()
    alice.send(BOB, "one")
    for browser in (bob, again):
        expect(browser.page.locator("ocwp-list .badge")).to_have_text("1")
    bob.open(ALICE)
    for browser in (bob, again, visit("bob").sign_in()):
        expect(browser.page.locator("ocwp-list")).to_contain_text("one")
        expect(browser.page.locator("ocwp-list .badge")).to_have_count(0)
    alice.logout()
    loop.close()


def test_several_tabs_show_the_same(visit: Visit) -> None:
    """What is written in one tab stands in the other, once."""
    alice, again, bob = visit("alice").sign_in(), visit("alice").sign_in(), visit("bob").sign_in()
    for tab in (alice, again):
        tab.open(BOB)
    bob.open(ALICE)
    alice.write(BOB, "from the first tab")
    again.write(BOB, "from the second")
    bob.write(ALICE, "to both")
    for tab in (alice, again):
        expect(tab.box(BOB).locator(".text")).to_have_count(3)
        assert sorted(tab.texts(BOB)) == ["from the first tab", "from the second", "to both"]


def test_drafts_and_boxes_survive_a_reload(visit: Visit) -> None:
    """A draft and the open boxes are there again after closing the box, and after a reload with the same person."""
    alice = visit("alice").sign_in()
    alice.open(BOB).get_by_role("textbox").fill("not finished")
    alice.box(BOB).get_by_role("button", name="Close").click()
    expect(alice.open(BOB).get_by_role("textbox")).to_have_value("not finished")
    alice.page.reload()
    alice.sign_in()
    expect(alice.box(BOB).get_by_role("textbox")).to_have_value("not finished")


def test_logout_leaves_nothing_behind(pair: tuple[Visitor, Visitor]) -> None:
    """After a logout page and session storage have nothing of the chats; no storage ever has the password."""
    alice, _ = pair
    alice.write(BOB, "secret")
    alice.box(BOB).get_by_role("textbox").fill("half a secret")
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    assert "pw-alice" not in alice.page.evaluate(kept)
    alice.page.evaluate("ocwp.logout()")
    alice.wait_status("XMPP_CONNECTION_IDLE")
    expect(alice.page.locator("ocwp-box")).to_have_count(0)
    assert "secret" not in alice.page.evaluate(kept)
    assert alice.page.evaluate("sessionStorage.length") == 0


def test_files_are_sent_by_upload(pair: tuple[Visitor, Visitor]) -> None:
    """A picture is shown at the other side, another file as a named link; what can't be sent is refused in words."""
    alice, bob = pair
    box = alice.box(BOB)
    box.locator("input[type=file]").set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": PIXEL})
    picture = bob.box(ALICE).get_by_role("img", name="Picture from Alice")
    expect(picture).to_be_visible()
    bob.page.wait_for_function("(image) => image.naturalWidth === 1", arg=picture.element_handle())
    box.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(box.get_by_role("alert")).to_have_text("This picture can't be read.")
    menu = {"name": "The menu (1).pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    box.locator("input[type=file]").set_input_files(menu)
    link = bob.box(ALICE).get_by_role("link", name="The-menu-1.pdf")
    expect(link).to_be_visible()
    assert bob.page.request.get(str(link.get_attribute("href"))).body() == b"%PDF-1.4"
    large = {"name": "large.bin", "mimeType": "", "buffer": bytes(11 * 1024 * 1024)}
    box.locator("input[type=file]").set_input_files(large)
    expect(box.get_by_role("alert")).to_have_text("The file is too large: at most 10 MB.")


def test_emoji_go_in_where_the_cursor_is(pair: tuple[Visitor, Visitor]) -> None:
    """The picker puts an emoji into the text; Escape closes it, wherever the focus is."""
    alice, bob = pair
    box = alice.box(BOB)
    box.get_by_role("textbox").fill("good ")
    box.get_by_role("button", name="Emoji").click()
    box.get_by_role("button", name="👍", exact=True).click()
    box.get_by_role("button", name="👍", exact=True).press("Escape")
    expect(box.get_by_role("textbox")).to_be_focused()
    box.get_by_role("button", name="Emoji").click()
    box.get_by_role("button", name="Emoji").press("Escape")
    expect(box.get_by_role("textbox")).to_be_focused()
    expect(box.get_by_role("button", name="👍", exact=True)).to_have_count(0)
    box.get_by_role("textbox").press("Enter")
    bob.expect_texts(ALICE, "good 👍")


def test_an_enter_that_ends_a_composition_sends_nothing(pair: tuple[Visitor, Visitor]) -> None:
    """In Safari's order the key comes after compositionend, and only its code tells it apart."""
    alice, bob = pair
    entry = alice.box(BOB).get_by_role("textbox")
    entry.fill("寿司")
    for composing in (True, False):
        entry.evaluate(ENTER_OF_COMPOSITION, composing)
    entry.press_sequentially("です")
    entry.press("Enter")
    bob.expect_texts(ALICE, "寿司です")


def test_a_message_that_is_too_long_is_refused(pair: tuple[Visitor, Visitor]) -> None:
    """More than 4096 bytes stay in the entry, with the reason."""
    alice, _ = pair
    alice.write(BOB, "é" * 2049)
    expect(alice.box(BOB).get_by_role("alert")).to_have_text("The message is too long.")
    expect(alice.box(BOB).locator(".text")).to_have_count(0)


def test_search_finds_people_and_strangers(visit: Visit) -> None:
    """The search finds contacts by part of a name, offers an unknown JID, and says when there is no match."""
    alice = visit("alice").sign_in()
    search, rows = alice.page.get_by_role("searchbox"), alice.page.locator("ocwp-list li")
    search.fill("car")
    expect(rows.filter(has_text="Carol")).to_be_visible()
    search.fill("eve@elsewhere.example")
    expect(rows).to_have_text(re.compile("Write to eve@elsewhere.example"))
    search.fill("no body")
    expect(alice.page.get_by_text("Nobody by that name.")).to_be_visible()


def test_presence_comes_and_goes(visit: Visit) -> None:
    """A contact is online while signed in, and offline at once after the logout, and after the page is left."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    row = alice.page.locator(f'ocwp-list [data-jid="{BOB}"]')
    expect(row).to_contain_text("Online")
    bob.page.evaluate("ocwp.logout()")
    expect(row).to_contain_text("Offline")
    bob.page.evaluate("ocwp.login('bob', 'pw-bob')")
    expect(row).to_contain_text("Online")
    bob.page.reload()
    expect(row).to_contain_text("Offline")


@pytest.mark.parametrize("old", [False, True])
def test_notifications_come_after_consent_only(visit: Visit, old: bool) -> None:
    """The page asks for notifications only when the bell is pressed; then a message in no open box makes one.

    So it is in a browser whose Permissions API knows nothing of notifications.
    """
    bob = visit("bob", permissions=["notifications"])
    if old:
        bob.page.evaluate(
            "() => { navigator.permissions.query = async () => { throw new TypeError('notifications') } }"
        )
    bob.page.evaluate(
        "() => { window.shown = []; window.Notification = class { static permission = 'granted';"
        "static requestPermission = async () => { window.asked = true; return 'granted' };"
        "constructor(title, { body, tag }) { window.shown.push([title, body, tag]) } } }"
    )
    bob.sign_in()
    alice = visit("alice").sign_in()
    alice.open(BOB)
    alice.write(BOB, "before")
    expect(bob.page.locator("ocwp-list .badge")).to_have_text("1")
    assert bob.page.evaluate("[window.asked, window.shown.length]") == [None, 0]
    bob.page.get_by_role("button", name="Notify me of new messages").click()
    alice.write(BOB, "after")
    bob.page.wait_for_function("() => window.shown.length === 1")
    assert bob.page.evaluate("window.shown[0].slice(0, 2)") == ["Alice", "after"]


@pytest.mark.parametrize("kind", ["direct", "group"])
def test_messages_are_answered_changed_and_reacted_to(
    visit: Visit, chat_server: Prosody, kind: str, eventually: Callable[..., None]
) -> None:
    """Both sides show the same, also after a reload; a client that knows none of it shows quotations and new texts."""
    loop = Loop()
    other = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    if kind == "group":
        here = there = alice.create_group(members=[BOB], chatName="Lunch")
        bob.page.locator("ocwp-list").get_by_role("button", name="Lunch").click()
        other.join(here, "another bob")
    else:
        here, there = BOB, ALICE
        alice.open(BOB)
        bob.open(ALICE)
    alice.write(here, "noon?")
    bob.expect_texts(there, "noon?")
    act(bob, there, "noon?", "React with 👍")
    act(alice, here, "noon?", "React with 👍")
    for side, chat in ((alice, here), (bob, there)):
        chip = side.box(chat).locator(".reactions button")
        expect(chip).to_have_text("👍 2")
        expect(chip).to_have_attribute("aria-pressed", "true")
    bob.box(there).locator(".reactions button").click()
    expect(alice.box(here).locator(".reactions button")).to_have_text("👍 1")
    act(bob, there, "noon?", "Reply")
    expect(bob.box(there).get_by_role("textbox")).to_be_focused()
    bob.write(there, "yes, gladly")
    expect(alice.box(here).locator("blockquote")).to_have_text(re.compile(r"You\s*noon\?"))
    act(alice, here, "noon?", "Edit")
    expect(alice.box(here).get_by_role("textbox")).to_have_value("noon?")
    alice.write(here, "one o'clock?")
    expect(bob.box(there).locator(".message").first).to_contain_text("edited")
    alice.write(here, "wrong chat")
    bob.expect_texts(there, "one o'clock?", "yes, gladly", "wrong chat")
    act(alice, here, "wrong chat", "Delete")
    for reloaded in (False, True):
        for side, chat in ((alice, here), (bob, there)):
            if reloaded:
                side.page.reload()
                side.sign_in()
            side.expect_texts(chat, "one o'clock?", "yes, gladly", "This message was deleted.")
            expect(side.box(chat).locator(".reactions button")).to_have_text("👍 1")
            expect(side.box(chat).locator("blockquote")).to_contain_text("one o'clock?")
    expected = ["noon?", "one o'clock?", "wrong chat"]
    eventually(lambda: [text for text in other.texts(None) if text in expected] == expected, 10)
    other.logout()
    loop.close()


def test_a_person_is_blocked_and_muted(visit: Visit) -> None:
    """A blocked person's messages don't come, in no tab; those of a muted one are not counted among all."""
    alice, again, bob = visit("alice").sign_in(), visit("alice").sign_in(), visit("bob").sign_in()
    bob.open(ALICE)
    box = alice.open(BOB)
    details = box.get_by_role("button", name="Details of Bob")
    details.click()
    box.get_by_role("button", name="Block", exact=True).click()
    expect(box).to_contain_text("You have blocked Bob.")
    bob.write(ALICE, "are you there?")
    expect(bob.box(ALICE)).to_contain_text("Not sent")
    again.open(BOB)
    expect(again.box(BOB)).to_contain_text("You have blocked Bob.")
    box.get_by_role("button", name="Unblock").click()
    box.get_by_role("button", name="Mute", exact=True).click()
    details.click()
    expect(again.box(BOB).get_by_role("textbox")).to_be_visible()
    box.get_by_role("button", name="Close").click()
    again.box(BOB).get_by_role("button", name="Close").click()
    bob.write(ALICE, "and now?")
    for tab in (alice, again):
        expect(tab.page.locator(f'ocwp-list [data-jid="{BOB}"] .badge')).to_have_text("1")
    assert alice.page.evaluate("[ocwp.unread(), ocwp.unread('bob')]") == [0, 1]
    assert again.page.evaluate("[ocwp.unread(), ocwp.unread('bob')]") == [1, 1]


def test_a_chat_is_searched(pair: tuple[Visitor, Visitor]) -> None:
    """Only messages with all of the words are shown; Escape shows all of them again."""
    alice, _ = pair
    for text in ("Lunch at noon", "the MENU of noon", "and more"):
        alice.write(BOB, text)
    box = alice.box(BOB)
    box.get_by_role("button", name="Search this chat").click()
    search = box.get_by_role("searchbox", name="Search this chat")
    expect(search).to_be_focused()
    search.fill("noon menu")
    alice.expect_texts(BOB, "the MENU of noon")
    search.fill("none of them")
    expect(box).to_contain_text("No message has these words.")
    search.press("Escape")
    alice.expect_texts(BOB, "Lunch at noon", "the MENU of noon", "and more")
    expect(box.get_by_role("textbox")).to_be_focused()


def test_two_enters_in_a_row_send_once(pair: tuple[Visitor, Visitor]) -> None:
    """The field is empty before the next frame is drawn."""
    alice, bob = pair
    entry = alice.box(BOB).get_by_role("textbox")
    entry.fill("once")
    entry.evaluate("""async (field) => {
        for (let press = 0; press < 2; press++) {
            const enter = { key: "Enter", bubbles: true, composed: true, cancelable: true };
            field.dispatchEvent(new KeyboardEvent("keydown", enter));
            for (let turn = 0; turn < 10; turn++) await null; // microtasks, no frame
        }
    }""")
    alice.write(BOB, "twice")
    bob.expect_texts(ALICE, "once", "twice")
