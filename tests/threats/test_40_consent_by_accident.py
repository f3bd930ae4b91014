"""Threat 40: a key or a click that was meant for something else confirms what a mini app asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from support.phones import Host, Phone, open_host
from support.probe import create_probe

__all__ = ["context", "open_host"]

BOB = "bob@onechat.localhost"
RELAY = {"recipient": [BOB], "textMessage": "hello"}


@pytest.fixture
def context(browser: Browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, has_touch=True)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    host = open_host(create_probe)
    host.page.clock.install()
    return host


def stop_the_clock(page: Page) -> None:
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


def sent(host: Host) -> list[str]:
    return [message["text"] for message in host.onechat.messages(host.onechat.bob)]


def asks_on(phone: Phone, event: str) -> None:
    """Let the mini app ask for a relay whenever `event` happens in its page."""
    phone.app.locator("body[data-connected]").evaluate(
        "(_, [event, args]) => void addEventListener(event, () => call('message.single.relay', args))", [event, RELAY]
    )


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_keys_meant_for_the_page_confirm_nothing(host: Host, key: str):
    """A relay that opens while the person presses keys in the page, eight times a second, is not sent."""
    phone = host.open_app(0)
    asks_on(phone, "keydown")
    phone.app.locator("#field").click()
    for _ in range(16):
        host.page.keyboard.press(key, delay=60)
        host.page.wait_for_timeout(65)  # how fast the person types
    expect(phone.get("share")).to_be_visible()
    assert sent(host) == []


def test_a_key_held_down_confirms_nothing(host: Host):
    """Neither do the repeats of a key pressed before the sheet came, nor its release, on any of its buttons."""
    phone = host.open_app(0)
    asks_on(phone, "keydown")
    phone.app.locator("#field").click()
    host.page.keyboard.down("Enter")
    expect(phone.get("share")).to_be_visible()
    for _ in range(5):
        host.page.keyboard.down("Enter")
    expect(phone.get("share-send")).to_be_enabled()
    phone.get("share-send").focus()
    for _ in range(5):
        host.page.keyboard.down("Enter")
    host.page.keyboard.up("Enter")
    expect(phone.get("share")).to_be_visible()
    assert sent(host) == []


@pytest.mark.parametrize("gap", [60, 150, 300])
def test_a_double_click_confirms_nothing(host: Host, gap: int):
    """The second click of a double click that opened the sheet lands where Send is, and sends nothing."""
    phone = host.open_app(0)
    phone.call("message.single.relay", **RELAY)
    send = phone.get("share-send").bounding_box()
    phone.get("share-cancel").click()
    assert send is not None
    asks_on(phone, "mousedown")
    x, y = send["x"] + send["width"] / 2, send["y"] + send["height"] / 2
    host.page.mouse.click(x, y)
    host.page.wait_for_timeout(gap)  # how fast the person clicks
    host.page.mouse.click(x, y, click_count=2)
    expect(phone.get("share")).to_be_visible()
    assert sent(host) == []
    phone.get("share-send").click()
    expect(host.phone(1).get("toast")).to_contain_text("hello")
    assert sent(host) == ["hello"]


def test_nothing_confirms_in_the_first_half_second(host: Host):
    """Send is visibly inert then: mouse, touch, Enter and Space do nothing, nor does a press that began before."""
    page = host.page
    phone = host.open_app(0)
    stop_the_clock(page)
    phone.call("message.single.relay", **RELAY)
    send = phone.get("share-send")
    expect(send).to_be_visible()
    box = send.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def press() -> None:
        page.mouse.click(x, y)
        page.mouse.dblclick(x, y)
        page.touchscreen.tap(x, y)
        for key in ("Enter", "Space"):
            send.evaluate("button => button.focus()")
            page.keyboard.press(key)
        send.evaluate("button => button.click()")

    press()
    page.clock.run_for(480)
    expect(send).to_be_disabled()
    assert send.evaluate("button => getComputedStyle(button).opacity") != "1"
    press()
    page.mouse.move(x, y)
    page.mouse.down()
    page.clock.run_for(40)
    page.mouse.up()
    expect(send).to_be_enabled()
    expect(phone.get("share")).to_be_visible()
    assert sent(host) == []
    page.mouse.click(x, y)
    expect(phone.get("share")).to_have_count(0)
    expect(host.phone(1).get("toast")).to_contain_text("hello")
    assert sent(host) == ["hello"]


def test_the_focus_is_not_on_send(host: Host):
    """A sheet that opens has the focus itself; in the picker its search has it."""
    phone = host.open_app(0)
    phone.app.locator("#field").click()
    phone.call("message.single.relay", **RELAY)
    expect(phone.get("share").get_by_role("dialog")).to_be_focused()
    phone.get("share-cancel").click()
    phone.call("user.selectContacts")
    expect(phone.get("picker-search")).to_be_focused()


def test_the_picker_discloses_nothing_by_accident(host: Host):
    """Done does nothing for half a second, as Send."""
    page = host.page
    phone = host.open_app(0)
    stop_the_clock(page)
    phone.call("user.selectContacts")
    phone.get("picker-item").filter(has_text="Bob").click()
    phone.get("picker-done").click(force=True)
    expect(phone.get("picker")).to_be_visible()
    expect(phone.app.locator("#answer")).to_be_empty()
    page.clock.run_for(520)
    phone.get("picker-done").click()
    assert phone.answer()["value"] == [BOB]


def test_a_double_click_on_next_creates_no_group(host: Host):
    """The new group's own sheets settle, too, one after the other."""
    page = host.page
    phone = host.phone(0)
    phone.get("new-group").click()
    phone.get("picker-item").filter(has_text="Carol").click()
    stop_the_clock(page)
    phone.get("picker-done").click()
    phone.get("first-message-text").fill("hello")
    phone.get("first-message-send").click(force=True)
    expect(phone.get("first-message")).to_be_visible()
    page.clock.run_for(520)
    phone.get("first-message-send").click()
    expect(phone.get("message")).to_contain_text("hello")


class TestBackground:
    """What an app asks for while the person does not see it waits until they do."""

    def test_after_back(self, host: Host):
        """No sheet comes over the list of apps; it comes when the person returns."""
        phone = host.open_app(0)
        expect(phone.app.locator("body[data-connected]")).to_be_visible()
        frame = host.page.frames[-1]
        phone.get("app-back").click()
        frame.evaluate("args => call('message.single.relay', args)", RELAY)
        phone.get("tab-chats").click()
        phone.get("new-chat").click()
        expect(phone.get("picker")).to_be_visible()
        host.page.keyboard.press("Escape")
        expect(phone.get("share")).to_have_count(0)
        phone.get("tab-apps").click()
        phone.get("app").filter(has_text="Lunch").click()
        phone.get("share-send").click()
        expect(host.phone(1).get("toast")).to_contain_text("hello")

    def test_behind_a_chat(self, host: Host):
        """A chat that came in front hides an open sheet; it has to settle again when the app is back."""
        phone = host.open_app(0)
        phone.call("message.single.relay", **RELAY)
        expect(phone.get("share-send")).to_be_enabled()
        body = {"thread": host.onechat.alice.jid, "text": "Are you there?"}
        host.onechat.controls.call("POST", f"/phones/{BOB}/messages", body)
        phone.get("toast").click()
        expect(phone.get("composer")).to_be_visible()
        expect(phone.get("share")).to_have_count(0)
        phone.get("back").click()
        phone.get("tab-apps").click()
        page = host.page
        stop_the_clock(page)
        phone.get("app").filter(has_text="Lunch").click()
        expect(phone.get("share-send")).to_be_disabled()
        page.clock.resume()
        expect(phone.get("share-send")).to_be_enabled()

    def test_on_a_phone_that_is_not_shown(self, host: Host):
        """On a narrow page the other phone is in front."""
        page = host.page
        page.set_viewport_size({"width": 390, "height": 844})
        phone = host.open_app(0)
        expect(phone.app.locator("body[data-connected]")).to_be_visible()
        frame = page.frames[-1]
        page.get_by_test_id("switch-1").click()
        expect(page.get_by_test_id("phone-0")).to_be_hidden()
        frame.evaluate("args => call('message.single.relay', args)", RELAY)
        host.phone(1).get("new-chat").click()
        expect(host.phone(1).get("picker-search")).to_be_focused()
        expect(phone.get("share")).to_have_count(0)
        page.keyboard.press("Escape")
        page.get_by_test_id("switch-0").click()
        expect(phone.get("share")).to_be_visible()

    def test_on_a_phone_out_of_sight(self, host: Host):
        """A sheet on a phone that the page has scrolled away does not settle until it is in sight."""
        page = host.page
        phone = host.open_app(1)
        expect(phone.app.locator("body[data-connected]")).to_be_visible()
        page.set_viewport_size({"width": 700, "height": 900})
        page.get_by_test_id("add-phone").click()
        page.locator("main").evaluate("main => main.scrollTo(0, 0)")
        stop_the_clock(page)
        phone.call("message.single.relay", **RELAY)
        expect(phone.get("share")).to_have_count(1)
        page.clock.run_for(2000)
        expect(phone.get("share-send")).to_be_disabled()
        phone.root.scroll_into_view_if_needed()
        expect(phone.get("share-send")).to_be_in_viewport()
        page.clock.resume()
        expect(phone.get("share-send")).to_be_enabled()


def test_a_sheet_takes_no_keys_from_another_phone(host: Host):
    """The person who types on one phone goes on typing there when an app on another phone asks for something."""
    alice, bob = host.open_app(0), host.phone(1)
    bob.get("new-chat").click()
    bob.get("picker-search").press_sequentially("al")
    alice.call("user.selectContacts")
    expect(alice.get("picker")).to_be_visible()
    host.page.keyboard.type("ice")
    expect(bob.get("picker-search")).to_have_value("alice")
