"""The host page by itself: chats, sheets, sessions, reloads, setup. The mini app speaks the bridge by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.phones import Host, Phone
from support.probe import create_probe

ENTER_OF_COMPOSITION = """(field, isComposing) => field.dispatchEvent(new KeyboardEvent("keydown", {
  key: "Enter", keyCode: 229, isComposing, bubbles: true, composed: true, cancelable: true }))"""


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host(create_probe)


@pytest.fixture
def say(onechat_server: LocalOneChat) -> Callable[[str, str, str], None]:
    """`say(sender, thread, text)`: a message typed on a phone that this browser doesn't show."""

    def typed(sender: str, thread: str, text: str) -> None:
        onechat_server.controls.call("POST", f"/phones/{sender}/messages", {"thread": thread, "text": text})

    return typed


def call(phone: Phone, name: str, **args: Any) -> None:
    phone.app.locator("body[data-connected]").evaluate("(_, [name, args]) => window.call(name, args)", [name, args])


def answer(phone: Phone) -> Any:
    """The newest answer that the mini app's page got."""
    expect(phone.app.locator("#answer")).not_to_be_empty()
    return json.loads(phone.app.locator("#answer").inner_text())


def test_a_message_shows_live_on_the_other_phone(host: Host):
    """A banner and badges while the thread is closed; a press on the banner opens it and clears them."""
    alice, bob = host.phone(0), host.phone(1)
    alice.get("new-chat").click()
    alice.get("picker-item").filter(has_text="Bob").click()
    alice.get("picker-done").click()
    alice.get("composer").fill("Are you there?")
    alice.get("composer").press("Enter")
    expect(bob.get("toast")).to_contain_text("Are you there?")
    expect(bob.get("unread-all")).to_contain_text("1")
    bob.get("toast").click()
    expect(bob.get("message")).to_contain_text("Are you there?")
    bob.get("composer").fill("Yes.")
    bob.get("send").click()
    expect(alice.get("message").last).to_contain_text("Yes.")
    bob.get("back").click()
    expect(bob.get("thread")).to_have_count(1)
    expect(bob.get("unread")).to_have_count(0)


def test_a_message_is_text_with_links_never_html(host: Host, say: Callable[[str, str, str], None]):
    """Markup shows as it was typed; web addresses become links that tell nothing to where they lead."""
    alice, bob = host.onechat.alice.jid, host.onechat.bob.jid
    text = "<img src=x onerror=document.title='owned'> https://example.com/a?b=1. javascript:alert(1)"
    say(bob, alice, text)
    phone = host.open_thread(0, bob)
    expect(phone.get("text")).to_have_text(text)
    link = phone.get("message").locator("a")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "https://example.com/a?b=1")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    assert host.page.title() == "OneChat sandbox"


def test_an_enter_that_ends_a_composition_sends_nothing(host: Host, say: Callable[[str, str, str], None]):
    """In the order of Chromium, and in Safari's: compositionend, then the key with the code 229."""
    alice, bob = host.onechat.alice.jid, host.onechat.bob.jid
    say(bob, alice, "What is it called?")
    phone = host.open_thread(0, bob)
    composer = phone.get("composer")
    composer.fill("寿司")
    for composing in (True, False):
        composer.evaluate(ENTER_OF_COMPOSITION, composing)
    composer.press_sequentially("です")
    composer.press("Enter")
    expect(phone.get("message")).to_have_count(2)
    expect(composer).to_have_value("")
    assert [message["text"] for message in host.onechat.messages(bob)] == ["What is it called?", "寿司です"]


def test_older_messages_load_on_the_way_up(host: Host, say: Callable[[str, str, str], None]):
    """A thread begins at its newest page; scrolling up brings the rest and keeps the place."""
    alice, bob = host.onechat.alice.jid, host.onechat.bob.jid
    for number in range(1, 121):
        say(bob, alice, f"Note {number}.")
    phone = host.open_thread(0, bob)
    expect(phone.get("message")).to_have_count(50)
    expect(phone.get("message").last).to_be_in_viewport()
    for count in (100, 120):
        top = phone.get("message").first
        top_id = top.get_attribute("data-id")
        phone.get("messages").evaluate("list => list.scrollTop = 0")
        expect(phone.get("message")).to_have_count(count)
        expect(phone.root.locator(f'[data-testid="message"][data-id="{top_id}"]')).to_be_in_viewport()
    expect(phone.get("message").first).to_contain_text("Note 1.")


def test_the_picker_searches_and_keeps_its_limit(host: Host):
    """By keyboard: search, pick up to the limit and no further, confirm; the page gets those JIDs."""
    phone = host.open_app(0)
    call(phone, "user.selectContacts", maxNumberOfSelection=2)
    expect(phone.get("picker-search")).to_be_focused()
    phone.get("picker-search").fill("car")
    expect(phone.get("picker-item")).to_have_count(1)
    host.page.keyboard.press("Tab")
    host.page.keyboard.press("Space")
    phone.get("picker-search").fill("")
    expect(phone.get("picker-count")).to_contain_text("1 of 2")
    items = phone.get("picker-item")
    items.filter(has_text="Bob").click()
    items.filter(has_text="Dave").click(force=True)  # it says that it is disabled
    expect(items.filter(has_text="Dave")).to_have_attribute("aria-checked", "false")
    phone.get("picker-done").click()
    assert sorted(answer(phone)["value"]) == ["bob@onechat.localhost", "carol@onechat.localhost"]


def test_a_cancelled_picker_gives_nothing(host: Host):
    """Escape answers with no contacts, and gives the focus back to the page."""
    phone = host.open_app(0)
    call(phone, "user.selectContacts")
    expect(phone.get("picker")).to_be_visible()
    host.page.keyboard.press("Escape")
    assert answer(phone) == {"id": 1, "ok": True, "value": []}
    expect(phone.get("picker")).to_have_count(0)


def test_a_sheet_keeps_the_focus_and_gives_it_back(host: Host):
    """Tab goes around inside the sheet; after it, the button that opened it has the focus again."""
    phone = host.phone(0)
    phone.get("new-chat").focus()
    host.page.keyboard.press("Enter")
    expect(phone.get("picker-search")).to_be_focused()
    host.page.keyboard.press("Shift+Tab")
    expect(phone.get("picker-cancel")).to_be_focused()
    host.page.keyboard.press("Tab")
    expect(phone.get("picker-search")).to_be_focused()
    host.page.keyboard.press("Escape")
    expect(phone.get("new-chat")).to_be_focused()


def test_calls_are_asked_one_after_the_other(host: Host):
    """Two relays at once are two sheets in turn, each answered on its own."""
    phone = host.open_app(0)
    for text in ("first", "second"):
        call(phone, "message.single.relay", recipient=["bob@onechat.localhost"], textMessage=text)
    expect(phone.get("share-text")).to_have_text("first")
    phone.get("share-cancel").click()
    expect(phone.get("share-text")).to_have_text("second")
    assert answer(phone)["error"]["code"] == "cancelled"
    phone.get("share-send").click()
    expect(phone.app.locator("#answer")).to_have_text('{"id":2,"ok":true,"value":null}')
    expect(host.phone(1).get("toast")).to_contain_text("second")


def test_a_refused_relay_tells_the_page_why(host: Host):
    """An unknown recipient: the page gets the host's own words and a code, and the person is not asked."""
    phone = host.open_app(0)
    call(phone, "message.single.relay", recipient=["nobody@onechat.localhost"], textMessage="hello")
    refusal = answer(phone)
    expect(phone.get("share")).to_have_count(0)
    assert refusal["ok"] is False
    assert refusal["error"]["code"] == "refused"
    assert "nobody@onechat.localhost" in refusal["error"]["message"]


def test_a_closed_app_takes_its_questions_along(host: Host):
    """When the page behind a sheet reloads, the sheet goes: no page waits for its answer."""
    phone = host.open_app(0)
    call(phone, "message.single.relay", recipient=["bob@onechat.localhost"], textMessage="hello")
    expect(phone.get("share")).to_be_visible()
    phone.app.locator("body").evaluate("() => location.reload()")
    expect(phone.get("share")).to_have_count(0)
    assert host.onechat.messages(host.onechat.bob) == []


def test_an_ended_session_can_be_renewed_without_a_reload(host: Host):
    """The phone says that the session has ended; "New session" brings other launch data to the running page."""
    phone = host.open_app(0)
    before = phone.app.locator("#session").inner_text()
    phone.app.locator("body").evaluate("() => (window.stays = true)")
    host.onechat.revoke(host.onechat.alice)
    phone.get("new-session").click()
    expect(phone.app.locator("#session")).not_to_have_text(before)
    expect(phone.get("session-ended")).to_have_count(0)
    assert phone.app.locator("body").evaluate("() => window.stays") is True


def test_a_running_page_reloads_when_the_code_changes(host: Host):
    """The page that has a bridge loads itself again, and stays the same user's."""
    phone = host.open_app(0)
    session = phone.app.locator("body[data-connected] #session").inner_text()
    host.onechat.controls.reload()
    expect(phone.app.locator("#loads")).to_have_text("2")
    expect(phone.app.locator("body[data-connected] #session")).to_have_text(session)


def test_a_page_without_a_bridge_is_opened_again(host: Host):
    """A page that shows an error has no bridge: the phone says so, and opens the app again once its code changed."""
    phone = host.open_app(0)
    expect(phone.app.locator("body[data-connected]")).to_be_visible()
    expect(phone.root.get_by_text("Opening")).to_have_count(0)  # its page is loaded: the next load is another page's
    phone.app.locator("body").evaluate("() => (location.href = '/broken')")
    expect(phone.app.locator("h1")).to_have_text("Traceback")
    expect(phone.get("no-bridge")).to_be_visible()
    expect(phone.get("no-bridge")).to_contain_text(f"ONECHAT_CONTAINER_ORIGINS name {browser_url(host.onechat.url)}?")
    host.onechat.controls.reload()
    expect(phone.app.locator("body[data-connected]")).to_be_visible()
    expect(phone.get("no-bridge")).to_have_count(0)


def test_the_page_comes_back_after_the_stream_broke(host: Host, say: Callable[[str, str, str], None]):
    """While no events come the page says so; once they do, what was missed is there."""
    events = "**/phones/events"
    host.page.route(events, lambda route: route.abort())
    host.page.reload()
    live = host.page.get_by_test_id("live")
    expect(live).to_have_attribute("data-live", "reconnecting")
    expect(host.phone(0).get("tab-chats")).to_be_visible()
    say(host.onechat.bob.jid, host.onechat.alice.jid, "Missed you.")
    host.page.unroute(events)
    expect(live).to_have_attribute("data-live", "open")
    expect(host.phone(0).get("thread")).to_contain_text("Missed you.")


def test_phones_are_added_set_up_and_kept(host: Host):
    """A third phone, another user and device: after a reload they are as they were."""
    page = host.page
    page.get_by_test_id("add-phone").click()
    third = host.phone(2)
    third.get("user").select_option(label="Erin Goh")
    third.get("device").select_option("pixel-8")
    third.get("phone-theme").click()
    host.phone(1).get("remove-phone").click()
    expect(page.locator("oc-phone")).to_have_count(2)
    page.goto(page.url.partition("?")[0])
    second = host.phone(1)
    expect(second.get("user").locator("option:checked")).to_have_text("Erin Goh")
    expect(second.get("device")).to_have_value("pixel-8")
    expect(second.get("screen")).to_have_attribute("data-theme", "dark")


def test_a_new_group_begins_with_its_first_message(host: Host):
    """Members, then a message: the thread opens, and the others have it."""
    phone = host.phone(0)
    phone.get("new-group").click()
    for name in ("Bob", "Carol"):
        phone.get("picker-item").filter(has_text=name).click()
    phone.get("picker-done").click()
    phone.get("first-message-text").fill("Hello, both of you.")
    phone.get("first-message-send").click()
    expect(phone.get("message")).to_contain_text("Hello, both of you.")
    expect(host.phone(1).get("toast")).to_contain_text("Hello, both of you.")


@pytest.fixture
def themed(browser: Browser) -> Iterator[BrowserContext]:
    # Playwright's own emulation would overrule the frame's colour scheme: "null" leaves the matter to Chromium.
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="null")
    yield context
    context.close()


def test_a_phones_theme_reaches_the_mini_app(themed: BrowserContext, host: Host):
    """Light and dark on the phone are light and dark for the page in it, at once."""
    page = themed.new_page()
    page.goto(host.page.url)
    phone = Host(page, host.onechat, host.app_name).open_app(0)
    scheme = phone.app.locator("#scheme")
    themes = ["light", "dark"] if scheme.inner_text() == "light" else ["dark", "light"]
    for theme in (*themes, themes[0]):
        expect(phone.get("screen")).to_have_attribute("data-theme", theme)
        expect(scheme).to_have_text(theme)
        phone.get("phone-theme").click()


def test_a_narrow_page_shows_one_phone_at_a_time(host: Host):
    """At phone width the phones take turns, and the hidden one goes on receiving."""
    page = host.page
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_test_id("phone-0")).to_be_visible()
    expect(page.get_by_test_id("phone-1")).to_be_hidden()
    alice = host.open_app(0)
    call(alice, "message.single.relay", recipient=["bob@onechat.localhost"], textMessage="Over here")
    alice.get("share-send").click()
    page.get_by_test_id("switch-1").click()
    expect(page.get_by_test_id("phone-0")).to_be_hidden()
    expect(host.phone(1).get("thread")).to_contain_text("Over here")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_page_from_before_the_sandboxs_start_loads_itself_again(host: Host, browser: Browser):
    """Its token is void. It reloads by itself, once; if that doesn't help, it leaves the matter to the person."""
    loads: list[str] = []
    page = browser.new_page()
    page.on("request", lambda it: it.is_navigation_request() and it.frame == page.main_frame and loads.append(it.url))
    page.route("**/phones/events", lambda route: route.fulfill(status=401, json={}))
    page.goto(host.page.url, wait_until="commit")  # before the page's own reload, which would fail a longer wait
    expect(page.get_by_role("alert")).to_contain_text("The sandbox was started again.")
    expect(page.get_by_role("button", name="Reload this page")).to_be_visible()
    assert len(loads) == 2
    page.close()
