"""The starter's page in a phone's own container: `window.OC` is native here, and has what OneChat documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import wsgi
from miniapp.testing.onechat import LocalOneChat
from support.phones import SECONDS, add_app
from support.servers import serving

SIZES = [(320, 568), (390, 844), (1280, 800)]  # the smallest phone that is still used, a usual one, a computer
SCHEMES = ["light", "dark"]
GROUP = "abcdef-123456@muc.onechat.localhost"

# `picks` and `refusal` are the test's to set; `picks` undefined: the person has not chosen yet.
NATIVE = """
window.picks = ["bob@onechat.localhost", "carol@onechat.localhost"];
window.relayed = [];
window.asked = 0;
const relay = (answer) => (call) => {
  relayed.push(call);
  window.refusal ? call.fail(window.refusal) : call.success(answer);
};
window.OC = {
  user: {
    getSessionID: () => %(session)s,
    deviceInfo: () => '{"device":"iPhone 7","os":"iOS 11.0","screenWidth":"","screenHeight":""}',
    getVCard: () => JSON.stringify({jid: %(jid)s, userName: "Alice Tan", avatar: "..."}),
    selectContacts: (call) => {
      asked += 1;
      window.picks && call.success(JSON.stringify(window.picks));
    },
  },
  message: {single: {relay: relay()}, group: {relay: relay("%(group)s")}},
};
"""

OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(onechat_server: LocalOneChat, browser: Browser) -> Iterator[OpenPage]:
    """`open_page(width, height, scheme)`: the page, with Alice logged in; she is its admin."""
    alice = onechat_server.alice.jid
    contexts = []

    def make_app(port):
        return wsgi.create_app({**add_app(onechat_server, port, "Lunch"), "ADMIN_JIDS": alice})

    with serving(make_app) as (_, port):

        def opened(width: int = 390, height: int = 844, scheme: str = "light") -> Page:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            contexts.append(context)
            context.set_default_timeout(15 * SECONDS)
            session = json.dumps(onechat_server.session(alice))
            context.add_init_script(NATIVE % {"session": session, "jid": json.dumps(alice), "group": GROUP})
            page = context.new_page()
            page.goto(f"http://onechat.localhost:{port}/")
            expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Alice Tan")
            return page

        yield opened
        for context in contexts:
            context.close()


def status(page: Page, state: str) -> Locator:
    """The status line, once it is in `state`."""
    expect(page.get_by_role("status")).to_have_attribute("data-state", state)
    return page.get_by_role("status")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def start_group(page: Page) -> None:
    press(page, "Choose people")
    press(page, "Start a group")
    expect(page.get_by_role("heading", name="Your group")).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits(open_page: OpenPage, width: int, height: int, scheme: str):
    """With everything open nothing is wider than the screen, and every control is at least 44 px each way."""
    page = open_page(width, height, scheme)
    start_group(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for control in page.locator("button:visible, textarea:visible, label.check:visible").all():
        box = control.bounding_box()
        assert box["width"] >= 44, control.inner_text()
        assert box["height"] >= 44, control.inner_text()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_text_has_contrast(open_page: OpenPage, scheme: str):
    """Every text stands out from its ground by 4.5 to 1 (WCAG 1.4.3), in both schemes."""
    page = open_page(scheme=scheme)
    start_group(page)
    page.evaluate("window.refusal = {code: 'refused', message: 'No.', hint: ''}")
    press(page, "Ask each")
    status(page, "failed")
    faint = page.evaluate("""() => {
      const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = (text) => {
        const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = rgb(text).map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = (node) => {
        const colour = getComputedStyle(node).backgroundColor;
        return rgb(colour)[3] === 0 && node.parentElement ? ground(node.parentElement) : colour;
      };
      const hasText = (node) => Array.from(node.childNodes).some((child) => child.nodeType === 3 && child.data.trim());
      const shown = Array.from(document.querySelectorAll("body *")).filter((node) => node.getClientRects().length);
      return shown.filter(hasText).map((node) => {
        const [low, high] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => a - b);
        return [(high + 0.05) / (low + 0.05), node.textContent];
      }).filter(([contrast]) => contrast < 4.5);
    }""")
    assert faint == []


def test_every_control_has_a_name(open_page: OpenPage):
    """A screen reader finds a name for each control, one main heading, and no level left out."""
    page = open_page()
    start_group(page)
    snapshot = page.locator("body").aria_snapshot()
    controls = [
        line.strip() for line in snapshot.splitlines() if line.strip().startswith(("- button", "- textbox", "- check"))
    ]
    assert len(controls) > 10
    assert all('"' in line for line in controls), snapshot
    levels = page.evaluate("Array.from(document.querySelectorAll('h1,h2,h3'), (h) => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_the_keyboard_is_enough(open_page: OpenPage):
    """By Tab and Enter alone a message goes out, people are taken off again, and the focus shows and is never lost."""
    page = open_page()
    for _ in range(5):  # the message, three suggestions, then the people
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose people")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    status(page, "done")
    page.get_by_role("button", name="Remove carol@onechat.localhost").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add people")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Sent to 1 person.")
    assert page.evaluate("JSON.parse(relayed[0].recipient)") == ["bob@onechat.localhost"]


def test_a_suggestion_fills_the_message(open_page: OpenPage):
    """A suggestion is put into the message, where it can be changed before it is sent."""
    page = open_page()
    press(page, "Coffee")
    expect(page.get_by_label("Your message")).to_have_value("Coffee at three?")
    expect(page.get_by_label("Your message")).to_be_focused()


def test_it_is_busy_until_onechat_answers(open_page: OpenPage):
    """While the person chooses, the page says so, and a second tap starts nothing more."""
    page = open_page()
    page.evaluate("delete window.picks")
    choose = page.get_by_role("button", name="Choose people")
    choose.click()
    expect(status(page, "busy")).to_have_text("Choosing people…")
    expect(choose).to_have_attribute("aria-busy", "true")
    choose.click()
    assert page.evaluate("asked") == 1


def test_choosing_no_contact_is_no_failure(open_page: OpenPage):
    """Who closes the picker without choosing is told that nothing was sent, and nothing is."""
    page = open_page()
    page.evaluate("window.picks = []")
    press(page, "Ask each")
    expect(status(page, "idle")).to_have_text("Nothing was sent.")
    assert page.evaluate("relayed.length") == 0


def test_a_refusal_is_shown(open_page: OpenPage):
    """What OneChat says when it refuses a message is on the page, and the button can be pressed again."""
    page = open_page()
    page.evaluate("window.refusal = 'You are not in this group any more.'")
    press(page, "Start a group")
    expect(status(page, "failed")).to_contain_text("You are not in this group any more.")
    expect(page.get_by_role("heading", name="Your group")).to_be_hidden()
    page.evaluate("delete window.refusal")
    press(page, "Start a group")
    status(page, "done")


def test_a_failure_of_the_server_is_shown_with_its_hint(open_page: OpenPage, onechat_server: LocalOneChat):
    """Where the server's alert fails, the page has its reason and what to do."""
    page = open_page()
    page.get_by_label("Your message").fill("x\u0007")
    press(page, "Remind me")
    failed = status(page, "failed")
    expect(failed).to_contain_text("a character that XMPP can't carry")
    expect(failed).to_contain_text("Send 1 to 4096 bytes of text.")
    assert onechat_server.sent() == []


def test_the_group_is_remembered(open_page: OpenPage):
    """The group that the page has started is still there after a reload, and can be written to."""
    page = open_page()
    start_group(page)
    page.reload()
    expect(page.get_by_text(GROUP)).to_be_visible()
    press(page, "Write")
    expect(page.get_by_role("status")).to_have_text("Sent to the group.")
    assert page.evaluate("relayed[0].groupJid") == GROUP


def test_everyone_is_told_only_when_ticked(open_page: OpenPage, onechat_server: LocalOneChat):
    """An announcement needs its tick, so that no slip of a finger writes to everyone."""
    page = open_page()
    page.get_by_label("Announcement").fill("Soup for all")
    press(page, "Tell everyone")
    assert page.evaluate("document.querySelector('[type=checkbox]').matches(':invalid:focus')")
    assert onechat_server.sent() == []
    page.get_by_label("Yes, send it to everyone").check()
    press(page, "Tell everyone")
    expect(page.get_by_role("status")).to_have_text("Everyone has been told.")
    assert [sent["text"] for sent in onechat_server.sent("massBroadcast")] == ["Soup for all"]


def test_the_scrollbar_has_the_pages_colours(open_page: OpenPage):
    """In both schemes: Firefox would draw a white one beside a dark page in a phone's frame."""
    seen = {}
    for scheme in SCHEMES:
        seen[scheme] = open_page(scheme=scheme).evaluate(
            """() => {
              const [page, body] = [document.documentElement, document.body].map((one) => getComputedStyle(one));
              return [page.scrollbarColor, body.backgroundColor];
            }"""
        )
    for colours, ground in seen.values():
        assert colours.endswith(ground)
    assert seen["light"] != seen["dark"]
