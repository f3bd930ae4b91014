"""The plugin on a stranger's page: place and size, looks, keyboard and screen reader, and what it leaves alone."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error, Route, expect

from miniapp.sandbox.prosody import Prosody
from support.paths import ROOT
from support.people import DOMAIN
from support.xmpp.ocwp_site import BUILD, People, Site, Visitor, act

Visit = Callable[..., Visitor]
ALICE, BOB, CAROL, DAVE = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol", "dave"))
AXE = ROOT / "js/node_modules/axe-core/axe.min.js"
PHONE = {"width": 390, "height": 780}


def rectangle(visitor: Visitor, jid: str) -> dict[str, float]:
    box = visitor.box(jid).bounding_box()
    assert box is not None
    return dict(box)


def filled(visit: Visit, **context: Any) -> tuple[Visitor, str]:
    """Alice with two boxes and a group open, and something in each."""
    options = context.pop("options", {})
    bob = visit("bob").sign_in()
    alice = visit("alice", **context).sign_in(**options)
    group = alice.create_group(members=[BOB, CAROL], chatName="Lunch")
    alice.write(group, "Noon at the corner? https://example.com/menu")
    if alice.page.viewport_size and alice.page.viewport_size["width"] > 600:
        for jid in (CAROL, BOB):
            alice.open(jid)
        alice.write(CAROL, "Are you coming, too?")
        alice.write(BOB, "Hello Bob 👋")
    bob.page.locator("ocwp-list").get_by_role("button", name="Lunch").click()
    bob.write(group, "Yes, gladly. I'll bring the others.")
    expect(alice.box(group).locator(".text").last).to_contain_text("gladly")
    return alice, group


def test_nothing_global_but_ocwp(visit: Visit) -> None:
    """The script adds one name to the page's globals, and nothing to its elements' styles."""
    page = visit("alice").page
    names = "() => Object.getOwnPropertyNames(window)"
    page.goto("about:blank")
    before = set(page.evaluate(names))
    page.add_script_tag(path=BUILD / "ocwp.js")
    assert set(page.evaluate(names)) - before == {"ocwp"}
    page.go_back()


def test_the_documented_names_are_there(visit: Visit) -> None:
    """`ocwp` has OneChat's documented functions and variables; version and date are integers."""
    page = visit("alice").page
    kinds = page.evaluate(
        "[ocwp.init, ocwp.login, ocwp.logout, ocwp.chat.group.create, ocwp.getConnectionStatus,"
        " ocwp.subscribeConnectionStatus, ocwp.unsubscribeConnectionStatus].map((one) => typeof one)"
    )
    assert kinds == ["function"] * 7
    assert page.evaluate("ocwp.getConnectionStatus()") == "XMPP_CONNECTION_IDLE"
    assert page.evaluate("Number.isInteger(ocwp.VERSION) && /^20\\d{6}$/.test(ocwp.BUILD_DATE)")


def test_the_module_has_the_same_names(site: Site, visit: Visit) -> None:
    """`import * as ocwp from "ocwp.mjs"` gives what the global has."""
    site.trusted_types += " 'allow-duplicates'"  # this page has both
    page = visit("alice").page
    assert page.evaluate(
        "async () => Object.keys(await import('/ocwp.mjs')).sort().join() === Object.keys(ocwp).sort().join()"
    )


def test_the_size() -> None:
    """All of it, Strophe and Lit included, is at most 70 KB gzipped."""
    assert len(gzip.compress((BUILD / "ocwp.js").read_bytes(), 9)) <= 70_000


@pytest.mark.parametrize("spelling", ["chatBox", "chatbox"])
def test_boxes_stand_as_the_site_says(visit: Visit, spelling: str) -> None:
    """Sizes, margins and paddings count in both spellings of the option, as numbers and as text in pixels."""
    sizes = {
        "marginLeft": 10,
        "marginRight": "20px",
        "minWidth": 300,
        "minHeight": 220,
        "maxHeight": 400,
        "outerPaddingLeft": "360px",
        "outerPaddingRight": 40,
    }
    alice = visit("alice").sign_in(**{spelling: sizes})
    alice.open(BOB)
    alice.open(CAROL)
    bob, carol = rectangle(alice, BOB), rectangle(alice, CAROL)
    assert carol["x"] + carol["width"] == 1400 - 40 - 20
    assert carol["x"] - (bob["x"] + bob["width"]) == 10 + 20
    assert (bob["width"], bob["height"]) == (300, 220)
    assert bob["y"] + bob["height"] == 800
    for number in range(30):
        alice.write(BOB, f"line {number}")
    expect(alice.box(BOB).locator(".text")).to_have_count(30)
    assert rectangle(alice, BOB)["height"] == 400


def test_the_documented_defaults(visit: Visit) -> None:
    """A box opens 250 wide and 100 high, right of the 350 pixels of the left bar. The list is a button there."""
    alice = visit("alice").sign_in(chatBox={})
    launcher, listed = alice.page.get_by_role("button", name="Chats", exact=True), alice.page.locator("ocwp-list")
    expect(launcher).to_be_visible()
    expect(listed).to_have_count(0)
    launcher.click()
    alice.open(BOB)
    expect(alice.box(BOB).get_by_role("log").get_by_role("status")).to_have_count(0)  # that it looks for older ones
    box = rectangle(alice, BOB)
    assert (box["width"], box["height"]) == (250, 100)
    place = listed.bounding_box()
    assert place is not None
    assert place["x"] + place["width"] <= 350
    assert place["y"] >= 80


def test_the_list_stays_as_it_was_left(visit: Visit) -> None:
    """Over a reload the list is open or closed as it was, whether the site keeps room for it or not."""
    alice = visit("alice").sign_in(chatBox={})
    alice.page.get_by_role("button", name="Chats", exact=True).click()
    alice.page.reload()
    alice.sign_in(chatBox={})
    alice.page.get_by_role("button", name="Hide chats").click()
    alice.page.reload()
    alice.sign_in(chatBox={"outerPaddingLeft": 350})
    expect(alice.page.get_by_role("button", name="Chats", exact=True)).to_be_visible()
    expect(alice.page.locator("ocwp-list")).to_have_count(0)


def test_people_sign_in_where_the_site_wants_it(visit: Visit) -> None:
    """The form is behind the button, comes back after a wrong password, and one can sign out again."""
    alice = visit("alice").init(chatBox={}, signIn=True)
    page = alice.page
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("User name or JID")).to_be_focused()
    page.get_by_label("User name or JID").fill("alice")
    for password in ("wrong", "pw-alice"):
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        if password == "wrong":
            expect(page.get_by_text("Signing in failed")).to_be_visible()
            expect(page.get_by_label("User name or JID")).to_have_value(ALICE)
    alice.ready()
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    alice.wait_status("XMPP_CONNECTION_IDLE")
    expect(page.get_by_label("Password")).to_have_value("")


def test_boxes_without_room_are_tabs(visit: Visit) -> None:
    """Of three boxes on a narrow page the one used last is open, the others are tabs with their unread counts."""
    alice = visit("alice", viewport={"width": 800, "height": 700}).sign_in()
    for jid in (BOB, CAROL, DAVE):
        alice.open(jid)
    expect(alice.page.locator("ocwp-box")).to_have_count(1)
    expect(alice.box(DAVE)).to_be_visible()
    bob = visit("bob").sign_in()
    bob.open(ALICE)
    bob.write(ALICE, "hello")
    tab = alice.page.locator(f'.tab[data-jid="{BOB}"]')
    expect(tab).to_contain_text("1 unread message")
    tab.get_by_role("button", name="Bob").first.click()
    expect(alice.box(BOB).locator(".text")).to_have_text("hello")
    expect(alice.page.locator(f'.tab[data-jid="{DAVE}"]')).to_be_visible()


def test_boxes_are_resized_by_pointer_and_keys(visit: Visit) -> None:
    """Dragging the corner or pressing arrow keys there resizes a box within the site's limits; it stays so."""
    alice = visit("alice").sign_in()
    alice.open(BOB)
    alice.box(BOB).get_by_role("slider").press("ArrowLeft")
    before = rectangle(alice, BOB)
    assert before["width"] == 270
    alice.page.mouse.move(before["x"] + 3, before["y"] + 3)
    alice.page.mouse.down()
    alice.page.mouse.move(before["x"] - 97, before["y"] - 197, steps=4)
    alice.page.mouse.up()
    after = rectangle(alice, BOB)
    assert (after["width"], after["height"]) == (370, before["height"] + 200)
    for _ in range(40):
        alice.box(BOB).get_by_role("slider").press("ArrowUp")
    assert rectangle(alice, BOB)["height"] == 600
    alice.page.reload()
    alice.sign_in()
    assert rectangle(alice, BOB)["width"] == 370


def test_on_a_phone_it_takes_the_screen(visit: Visit) -> None:
    """On a phone there is a button at first; the list and each chat take the whole screen, and there are ways back."""
    alice = visit("alice", viewport=PHONE, has_touch=True, is_mobile=True).sign_in()
    expect(alice.page.locator("ocwp-list")).to_have_count(0)
    alice.page.get_by_role("button", name="Chats").click()
    alice.open(BOB)
    assert rectangle(alice, BOB) == {"x": 0, "y": 0, **PHONE}
    alice.box(BOB).get_by_role("button", name="Back").click()
    expect(alice.page.locator("ocwp-list")).to_be_visible()
    alice.page.get_by_role("button", name="Hide chats").click()
    expect(alice.page.get_by_role("button", name="Chats")).to_be_focused()


def test_the_whole_way_by_keyboard(visit: Visit) -> None:
    """By keys alone: search, open, write, close; the focus is always somewhere sensible."""
    alice = visit("alice").sign_in()
    keys = alice.page.keyboard
    alice.page.get_by_role("searchbox").focus()
    keys.type("bob")
    keys.press("Tab")
    keys.press("Enter")
    entry = alice.box(BOB).get_by_role("textbox")
    expect(entry).to_be_focused()
    keys.type("by keys")
    keys.press("Shift+Enter")
    keys.type("alone")
    keys.press("Enter")
    alice.expect_texts(BOB, "by keys\nalone")
    keys.press("Escape")
    expect(alice.page.locator("ocwp-box")).to_have_count(0)
    expect(alice.page.locator(f'.tab[data-jid="{BOB}"]').get_by_role("button", name="Bob").first).to_be_focused()


def test_right_to_left(visit: Visit) -> None:
    """In a right-to-left locale all is mirrored: the list stands right, boxes begin left; its words are shown."""
    alice = visit("alice").sign_in(locale={"path": "locale/", "default": "arSA"})
    alice.page.get_by_role("searchbox").fill(BOB)
    alice.page.locator("ocwp-list li button").first.click()
    box, listed = rectangle(alice, BOB), alice.page.locator("ocwp-list").bounding_box()
    assert listed is not None
    assert box["x"] < listed["x"]
    assert listed["x"] + listed["width"] == 1400 - 5
    expect(alice.page.get_by_role("heading", name="المحادثات")).to_be_visible()


@pytest.mark.parametrize(("locale", "name"), [("arSA", "Bartholomew " * 6), ("enGB", "بارثولوميو " * 6)])
def test_a_long_name_loses_its_end(visit: Visit, people: People, chat_server: Prosody, locale: str, name: str) -> None:
    """A name of the other direction than the page's shows its beginning."""
    people.titles["bob"] = name
    chat_server.tell(changed=people.people())
    alice = visit("alice").sign_in(locale={"default": locale})
    alice.page.get_by_role("searchbox").fill(BOB)
    shown = alice.page.locator(f'ocwp-list [data-jid="{BOB}"] .name')
    expect(shown).to_contain_text(name.split()[0])
    start = shown.evaluate("""(name) => {
        const range = new Range();
        range.setStart([...name.childNodes].find((node) => node instanceof Text), 0);
        range.setEnd(range.startContainer, 1);
        const [first, whole] = [range.getBoundingClientRect(), name.getBoundingClientRect()];
        return first.left >= whole.left - 1 && first.right <= whole.right + 1;
    }""")
    assert start


def test_a_name_stands_where_the_page_begins(visit: Visit) -> None:
    """On an Arabic page a Latin name is at the right, beside its picture."""
    alice = visit("alice").sign_in(locale={"default": "arSA"})
    name = alice.page.locator(f'ocwp-list [data-jid="{BOB}"] .name')
    expect(name).to_have_text("Bob")
    gap = name.evaluate("""(name) => {
        const range = new Range();
        range.selectNodeContents(name);
        return name.getBoundingClientRect().right - range.getBoundingClientRect().right;
    }""")
    assert abs(gap) < 1


def test_strings_missing_from_a_locale_are_english(visit: Visit) -> None:
    """A site's own locale file may leave out keys: those are English."""
    alice = visit("alice")
    alice.page.route("**/locale/own.json", lambda route: route.fulfill(json={"chats": "Talk"}))
    alice.sign_in(locale={"default": "own"})
    expect(alice.page.get_by_role("heading", name="Talk")).to_be_visible()
    expect(alice.page.get_by_role("searchbox", name="Search people and groups")).to_be_visible()


def test_it_connects_while_the_words_are_on_their_way(visit: Visit) -> None:
    """Only the drawing waits for the locale."""
    alice = visit("alice")
    asked: list[Route] = []
    alice.page.route("**/locale/own.json", lambda route: asked.append(route))
    alice.page.evaluate(
        """(login) => {
            const containerElement = document.getElementById("onechatContainer");
            ocwp.init({ containerElement, login, locale: { default: "own" } });
        }""",
        {"usr": alice.jid, "pw": "pw-alice"},
    )
    alice.ready()
    expect(alice.page.locator("ocwp-root")).to_have_count(0)
    asked.pop().fulfill(json={"chats": "Talk"})
    expect(alice.page.get_by_role("button", name="Talk")).to_be_visible()


def test_dark_and_the_sites_colours(visit: Visit) -> None:
    """It is dark where the visitor's system is, and takes the site's colours from custom properties."""
    alice = visit("alice", color_scheme="dark").sign_in()
    surface = (
        "() => getComputedStyle(document.querySelector('ocwp-root').shadowRoot.querySelector('ocwp-list')"
        ".shadowRoot.querySelector('section')).backgroundColor"
    )
    assert alice.page.evaluate(surface) == "rgb(21, 28, 34)"
    alice.page.emulate_media(color_scheme="light")
    alice.page.wait_for_function(f"() => ({surface})() === 'rgb(255, 255, 255)'")
    alice.page.evaluate("document.body.style.setProperty('--ocwp-surface', 'rgb(1, 2, 3)')")
    assert alice.page.evaluate(surface) == "rgb(1, 2, 3)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_axe_finds_nothing(visit: Visit, scheme: str, width: int) -> None:
    """axe-core finds no fault in the list, boxes, menus, a group's details and the form for a new group."""
    alice, group = filled(visit, viewport={"width": width, "height": 800}, color_scheme=scheme)
    alice.page.evaluate(AXE.read_text())

    def check() -> None:
        result = alice.page.evaluate("() => axe.run('ocwp-root', { resultTypes: ['violations'] })")
        assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in result["violations"]] == []

    check()
    act(alice, group, "Yes, gladly", "React with 👍")
    act(alice, group, "Yes, gladly", "Reply")
    alice.box(group).get_by_role("textbox").press_sequentially("@")
    alice.box(group).get_by_role("button", name="More about this message").last.click()
    expect(alice.box(group).get_by_role("option")).to_have_count(2)
    check()
    alice.box(group).get_by_role("button", name="Search this chat").click()
    alice.box(group).get_by_role("button", name="Details of Lunch").click()
    expect(alice.box(group).get_by_role("listitem")).to_have_count(3)
    check()
    if width > 600:
        alice.page.get_by_role("button", name="New group").click()
        check()


def test_an_element_of_the_sites_is_filled(visit: Visit) -> None:
    """In a container with a size of its own the chat stays inside it."""
    alice = visit("alice")
    alice.page.evaluate(
        "() => Object.assign(document.getElementById('onechatContainer').style, "
        "{ position: 'absolute', left: '100px', top: '50px', width: '900px', height: '500px' })"
    )
    alice.sign_in()
    alice.open(BOB)
    box = rectangle(alice, BOB)
    assert box["x"] + box["width"] == 100 + 900 - 5
    assert box["y"] + box["height"] == 50 + 500


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"confPath": "nowhere/"}, "Is confPath or locale.path right"),
        ({"locale": {"default": "../evil"}}, "locale.default is a name"),
        ({"chatBox": {"minWidth": "wide"}}, "chatBox.minWidth must be a number of pixels"),
        ({"containerElement": None}, "needs containerElement"),
    ],
)
def test_what_a_site_must_mend_is_said(visit: Visit, options: dict[str, object], says: str) -> None:
    """A wrong path, name, size or element rejects with what is wrong, and says so in the console."""
    alice = visit("alice")
    said: list[str] = []
    alice.page.on("console", lambda line: said.append(line.text))
    with pytest.raises(Error, match=says):
        alice.init(**options)
    assert any(says in line for line in said)


def test_a_service_in_clear_is_refused(visit: Visit, site: Site) -> None:
    """Credentials don't go to a `ws:` service of another machine."""
    alice = visit("alice")
    alice.page.route(
        "**/config.json", lambda route: route.fulfill(json={"service": "ws://chat.example.com/ws", "domain": DOMAIN})
    )
    with pytest.raises(Error, match="must be a wss: or https: address"):
        alice.init()
