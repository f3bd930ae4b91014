"""The admin portal in Chromium: what is pressed there happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from miniapp.sandbox import SandboxServer
from support.people import ADMIN, ALICE, LUNCH
from support.sandbox import server

__all__ = ["server"]

SIZES = [(1100, 800), (390, 844), (320, 568)]
PAGES = ["", "users", "groups", "sessions", "sent", "options"]
LONG = "W" * 100  # the longest name that is taken, and no place to break it


@pytest.fixture
def faults() -> list[str]:
    """What the page's console complained about."""
    return []


@pytest.fixture
def page(browser: Browser, server: SandboxServer, faults: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=server.page_url, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(15_000)  # a busy machine: many times what a page here takes
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def app_id(server: SandboxServer) -> str:
    """A registered app."""
    url = f"{server.page_url}/static/icon.svg"
    return server.sandbox.register(name="Lunch", icon=url, url=url, admin=ADMIN).app.app_id


def status(server: SandboxServer, app_id: str) -> str:
    return server.sandbox.store.apps.get(app_id).status


def test_an_app_is_registered_and_its_key_shown_once(page: Page, server: SandboxServer, faults: list[str]) -> None:
    """By keyboard alone: the form, the dialog with ID and key, and then the app in the list without its key."""
    page.goto("/portal/")
    form = page.get_by_role("form", name="Register an app")
    form.get_by_label("Name").fill("Lunch")
    form.get_by_label("URL", exact=True).fill("http://127.0.0.1:5000/")
    form.get_by_label("URL of its icon").fill(f"{server.page_url}/static/icon.svg")
    form.get_by_label("URL of its icon").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("App ID and API key")
    codes = dialog.locator("code")
    expect(codes).to_have_count(2)
    app_id, key = codes.all_inner_texts()
    app = server.sandbox.store.apps.by_key(key)
    assert app is not None
    assert app.app_id == app_id
    expect(dialog.get_by_role("button", name="Done")).to_be_focused()
    with page.expect_event("load"):
        page.keyboard.press("Enter")
    expect(page.get_by_test_id("app")).to_contain_text(app_id)
    assert key not in page.content()
    assert faults == []


def test_an_app_is_suspended_and_approved(page: Page, server: SandboxServer, app_id: str) -> None:
    """Each is one button, and the badge says what the app is."""
    page.goto("/portal/")
    page.get_by_role("button", name="Suspend Lunch").click()
    expect(page.locator(".badge")).to_have_text("suspended")
    assert status(server, app_id) == "suspended"
    page.get_by_role("button", name="Approve Lunch").click()
    expect(page.locator(".badge")).to_have_text("approved")
    assert status(server, app_id) == "approved"


def test_what_cant_be_undone_is_asked_first(page: Page, server: SandboxServer, app_id: str) -> None:
    """Removing an app asks; Escape and "Keep" keep it."""
    page.goto("/portal/")
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.get_by_role("button", name="Keep").click()):
        page.get_by_role("button", name="Remove Lunch").click()
        expect(page.get_by_role("dialog")).to_contain_text("Remove Lunch?")
        leave()
        expect(page.get_by_role("dialog")).to_be_hidden()
    assert status(server, app_id) == "approved"
    page.get_by_role("button", name="Remove Lunch").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_test_id("app")).to_have_count(0)
    assert server.sandbox.store.apps.all() == []


def test_a_user_is_renamed_and_made_an_admin(page: Page, server: SandboxServer) -> None:
    """The new name and the badge are there when the page comes back."""
    page.goto("/portal/users")
    alice = page.locator(f'[data-jid="{ALICE}"]')
    alice.get_by_text("Rename").click()
    alice.get_by_label("New name").fill("Alicia Tan")
    alice.get_by_role("button", name="Save").click()
    expect(alice.get_by_role("heading")).to_have_text("Alicia Tan")
    alice.get_by_role("button", name="Make admin").click()
    expect(alice.locator(".badge")).to_have_text("admin")
    user = server.sandbox.store.users.get(ALICE)
    assert (user.name, user.admin) == ("Alicia Tan", True)


def test_a_chat_password_is_issued_and_shown_once(page: Page, server: SandboxServer) -> None:
    """With the JID that goes with it; the older one stops working, which is asked first."""
    page.goto("/portal/users")
    page.get_by_role("button", name="Chat password for Alice Tan").click()
    page.get_by_role("dialog").get_by_role("button", name="Chat password").click()
    codes = page.get_by_role("dialog").locator("code")
    expect(codes).to_have_count(2)
    jid, password = codes.all_inner_texts()
    assert jid == ALICE
    assert server.sandbox.store.passwords.check(ALICE, password)
    with page.expect_event("load"):
        page.get_by_role("button", name="Done").click()
    assert password not in page.content()


def test_users_and_groups_are_found_by_name_and_jid(page: Page) -> None:
    """The portal lists every group with its JID and its members, and a search narrows both lists down."""
    page.goto("/portal/groups")
    expect(page.get_by_test_id("group")).to_have_count(2)
    lunch = page.locator(f'[data-jid="{LUNCH}"]')
    expect(lunch).to_contain_text("3 members")
    expect(lunch).to_contain_text("Alice Tan, Bob Rahman, Carol Lim")
    page.get_by_role("searchbox").fill("office")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_test_id("group")).to_have_count(1)
    page.goto("/portal/users")
    page.get_by_role("searchbox").fill("TAN")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_a_refusal_is_shown(page: Page, server: SandboxServer) -> None:
    """The sandbox's own words stand on the page, and what was typed is still there."""
    page.goto("/portal/users")
    form = page.get_by_role("form", name="Add a user")
    form.get_by_label("Name").fill("Another Alice")
    form.get_by_label("JID").fill(ALICE)
    form.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("a user with this JID already")
    expect(form.get_by_label("Name")).to_have_value("Another Alice")


def test_a_session_is_issued_shown_once_and_revoked(page: Page, server: SandboxServer) -> None:
    """What `miniapp register` asks for comes from here."""
    page.goto("/portal/sessions")
    page.get_by_role("button", name="Issue").click()
    session_id = page.get_by_role("dialog").locator("code").inner_text()
    assert server.sandbox.store.sessions.check(ADMIN, session_id)
    with page.expect_event("load"):
        page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".badge")).to_have_text("revoked")
    assert server.sandbox.store.sessions.check(ADMIN, session_id) is None
    assert session_id not in page.content()


def test_options_are_saved(page: Page, server: SandboxServer) -> None:
    """They hold from then on."""
    page.goto("/portal/options")
    page.get_by_label("New apps").select_option("by_hand")
    page.get_by_label("A new session lasts").fill("60")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("New apps")).to_have_value("by_hand")
    assert (server.sandbox.options.approve, server.sandbox.options.session_lifetime) == ("by_hand", 60)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}px")
def test_pages_fit_and_targets_are_large_enough(
    page: Page, server: SandboxServer, app_id: str, size: tuple[int, int], faults: list[str]
) -> None:
    """At each width nothing is cut off, and what can be pressed is 44 px high or more."""
    store = server.sandbox.store
    store.users.change(ALICE, name=LONG)
    store.users.change(ADMIN, name=LONG)
    store.apps.change(app_id, name=LONG, url=f"https://{'w' * 60}.example/{'w' * 300}")
    store.messages.create_group(ALICE, [ADMIN], LONG, f"{'w' * 200}@muc.onechat.localhost")
    store.sessions.issue(ALICE, app_id, 60)
    server.sandbox.network.direct(server.sandbox.sender(server.sandbox.store.apps.get(app_id)), ALICE, "x" * 300)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name in PAGES:
        page.goto(f"/portal/{name}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        outside = page.evaluate(
            """[...document.querySelectorAll("main *")]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().right > innerWidth)
            .map((one) => one.outerHTML)"""
        )
        assert outside == [], name
        if name == "users":
            page.get_by_role("button", name=f"Chat password for {LONG}").first.click()
            expect(page.get_by_role("dialog")).to_contain_text(LONG)
            assert page.evaluate("document.querySelector('dialog[open]').scrollWidth <= innerWidth - 32")
            page.keyboard.press("Escape")
        small = page.evaluate(
            """[...document.querySelectorAll("button, summary, select, input, nav a, a.button")]
            .filter((one) => one.offsetParent && one.type !== "checkbox" && one.getBoundingClientRect().height < 44)
            .map((one) => one.outerHTML)"""
        )
        assert small == [], name
    assert faults == []
