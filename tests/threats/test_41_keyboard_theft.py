"""Threat 41: a mini app's frame takes the focus and reads what the person types elsewhere on the host page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Frame, Locator, expect

from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.firefox import firefox
from support.phones import Host, Phone, add_app, context, open_host
from support.probe import create_probe
from support.servers import serving

__all__ = ["context", "open_host"]

WORD = "correct horse"
THEFTS = ["field.focus()", "window.focus()", "window.focus(); field.focus(); field.select()"]


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host(create_probe)


def frame_of(phone: Phone) -> Frame:
    expect(phone.app.locator("body[data-connected]")).to_have_count(1)
    frame = phone.get("app-frame").element_handle().content_frame()
    assert frame is not None
    return frame


def steal(frame: Frame, theft: str = THEFTS[0]) -> list[str]:
    """Let the page in `frame` take the focus, 20 times a second. The list fills with the keys that it gets."""
    keys: list[str] = []
    told = re.compile("key: (.*)")
    frame.page.on("console", lambda message: keys.extend(told.findall(message.text)))
    frame.evaluate(
        """theft => {
          addEventListener("keydown", ({ key }) => console.log("key: " + key));
          const take = () => new Function("field", theft)(document.getElementById("field"));
          setInterval(take, 50);
        }""",
        theft,
    )
    return keys


def most(theft: str) -> int:
    """How many letters a thief may get: one before each time that it is seen, and `window.focus()` takes two."""
    return 1 + theft.count("window")


def type_word(host: Host) -> None:
    """Type a word to wherever the keyboard leads, ten letters a second.

    The time between two keys is the host page's own: where the machine is busy, keys don't overtake the page.
    """
    for letter in WORD:
        host.page.keyboard.type(letter)
        host.page.evaluate("() => new Promise(resolve => setTimeout(resolve, 100))")


def types(host: Host, into: Locator, lost: int = 1) -> None:
    """Type a word into a field that has the keyboard: all but `lost` letters arrive at least."""
    expect(into).to_be_focused()
    type_word(host)
    assert len(into.input_value()) >= len(WORD) - lost


@pytest.mark.parametrize("theft", THEFTS)
def test_from_a_composer(host: Host, theft: str):
    """The app in front on one phone gets a letter at most of what is typed on another, and its phone says so."""
    host.onechat.controls.call(
        "POST", f"/phones/{host.onechat.alice.jid}/messages", {"thread": host.onechat.bob.jid, "text": "hi"}
    )
    alice = host.open_app(0)
    frame = frame_of(alice)
    bob = host.open_thread(1, host.onechat.alice.jid)
    bob.get("composer").click()
    keys = steal(frame, theft)
    types(host, bob.get("composer"), most(theft))
    assert len(keys) <= most(theft)
    expect(alice.get("notice")).to_contain_text("Lunch")


def test_while_the_pointer_rests_over_the_frame(host: Host):
    """A pointer that lies over the frame without a press does not put the person into it."""
    bob = host.phone(1)
    bob.get("new-chat").click()
    alice = host.open_app(0)
    frame = frame_of(alice)
    alice.get("app-frame").hover()
    bob.get("picker-search").focus()
    keys = steal(frame)
    types(host, bob.get("picker-search"))
    assert len(keys) <= 1


@pytest.mark.parametrize("theft", THEFTS)
def test_from_the_background(host: Host, theft: str):
    """An app that was left is not drawn and gets no key; it keeps running."""
    alice = host.open_app(0)
    frame = frame_of(alice)
    alice.get("app-back").click()
    expect(alice.get("app-frame")).to_be_hidden()
    alice.get("tab-chats").click()
    alice.get("new-chat").click()
    keys = steal(frame, theft)
    types(host, alice.get("picker-search"))
    assert len(keys) <= 1


@pytest.mark.parametrize("theft", THEFTS)
def test_from_its_own_sheet(host: Host, theft: str):
    """Nor does an app get what the person looks for in the picker that it opened; one that persists is stopped."""
    alice = host.open_app(0)
    frame = frame_of(alice)
    alice.app.locator("#field").click()
    alice.call("user.selectContacts")
    expect(alice.get("picker-search")).to_be_focused()
    keys = steal(frame, theft)
    type_word(host)
    assert len(keys) <= most(theft)
    expect(alice.get("notice")).to_contain_text("Lunch")


def test_on_a_phone_that_is_not_shown(host: Host):
    """On a narrow page the phones behind the one that shows get no key."""
    page = host.page
    page.set_viewport_size({"width": 390, "height": 844})
    frame = frame_of(host.open_app(0))
    page.get_by_test_id("switch-1").click()
    bob = host.phone(1)
    bob.get("new-chat").click()
    keys = steal(frame, "window.focus(); field.focus()")
    types(host, bob.get("picker-search"))
    assert len(keys) <= 1


class TestInvited:
    """Whom the person lets in may type."""

    def test_by_a_press(self, host: Host):
        """A press into the frame leads the keyboard there, and nothing is said of it."""
        alice = host.open_app(0)
        frame_of(alice)
        host.phone(1).get("tab-profile").click()
        alice.app.locator("#field").click()
        host.page.keyboard.type(WORD)
        expect(alice.app.locator("#field")).to_have_value(WORD)
        expect(alice.get("notice")).to_have_count(0)

    def test_a_press_from_a_composer_reaches_the_page(self, host: Host):
        """Playwright shows the host page no pointer over frames: the press counts, though the keyboard stays."""
        alice = host.open_app(0)
        frame = frame_of(alice)
        frame.evaluate("void (button.onclick = () => { document.title = 'pressed'; })")
        bob = host.phone(1)
        bob.get("new-chat").click()
        bob.get("picker-search").press_sequentially("a")
        alice.app.locator("#button").click()
        assert frame.title() == "pressed"
        expect(alice.get("notice")).to_have_count(0)

    def test_from_one_apps_page_to_another(self, host: Host):
        """A press leads from frame to frame."""
        alice, bob = host.open_app(0), host.open_app(1)
        for phone in (alice, bob, alice):
            frame_of(phone)
            host.page.wait_for_timeout(600)  # the way from phone to phone
            phone.app.locator("#field").click()
            phone.app.locator("#field").fill("")
            host.page.keyboard.type(WORD)
            expect(phone.app.locator("#field")).to_have_value(WORD)
            expect(phone.get("notice")).to_have_count(0)

    def test_by_tab(self, host: Host):
        """Tab leads from the app's title bar into its page."""
        alice = host.open_app(0)
        frame_of(alice)
        alice.get("app-close").focus()
        host.page.keyboard.press("Tab")
        expect(alice.app.locator("#field")).to_be_focused()
        host.page.keyboard.type(WORD)
        expect(alice.app.locator("#field")).to_have_value(WORD)

    def test_the_app_in_front_after_it_was_opened(self, host: Host):
        """An app may put the focus into its first field, and move it on while the person is in its page."""
        alice = host.open_app(0)
        frame = frame_of(alice)
        frame.evaluate("document.getElementById('field').focus()")
        expect(alice.app.locator("#field")).to_be_focused()
        host.page.keyboard.type(WORD)
        expect(alice.app.locator("#field")).to_have_value(WORD)
        frame.evaluate("document.getElementById('button').focus(); document.getElementById('field').focus()")
        host.page.keyboard.type("!")
        expect(alice.app.locator("#field")).to_have_value(WORD + "!")
        expect(alice.get("notice")).to_have_count(0)

    def test_back_from_a_sheet(self, host: Host):
        """A sheet of its own gives the keyboard back to the page that the person was in."""
        alice = host.open_app(0)
        frame = frame_of(alice)
        alice.app.locator("#field").click()
        frame.evaluate("window.keys = ''; void addEventListener('keydown', ({ key }) => { keys += key; })")
        alice.call("user.selectContacts")
        expect(alice.get("picker-search")).to_be_focused()
        host.page.keyboard.press("Escape")
        expect(alice.get("picker")).to_have_count(0)
        expect(alice.get("app-frame")).to_be_focused()
        host.page.keyboard.type(WORD)
        frame.wait_for_function("word => keys === word", arg=WORD)
        expect(alice.get("notice")).to_have_count(0)


@pytest.mark.system
def test_in_firefox(onechat_server: LocalOneChat) -> None:
    """In Firefox, too, a thief gets one letter at most, its phone names it, and a press leads into the frame."""
    script = Path(__file__).with_name("firefox_keyboard.mjs")
    with serving(lambda port: create_probe(add_app(onechat_server, port, "Lunch"))) as (_, port):
        url = f"{browser_url(onechat_server.url)}/?phones=alice,bob"
        with firefox(script, url=url, port=str(port), word=WORD) as page:
            seen = page.seen()
    assert seen["search"] in (WORD, WORD[1:])
    assert len(seen["stolen"]) <= 1
    assert "Lunch" in seen["notice"]
    assert seen["background"] == {"search": WORD, "stolen": ""}
    assert seen["field"] == WORD
