"""The pictures of docs/: `scripts/pictures` takes them. No test, so pytest runs this file only when it is named."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

import wsgi
from support.paths import ROOT
from support.phones import Host, Phone
from tests.e2e.browser.test_native_container import ANSWERS, native, onechat_server, profile, starter
from tests.e2e.browser.test_tutorial import Project, ask_on_the_phones, project

__all__ = ["native", "onechat_server", "profile", "project", "starter"]  # fixtures

DOCS = ROOT / "docs"
SIZE = {"width": 1180, "height": 900}


def test_sandbox(open_host: Callable[..., Host]) -> None:
    """Alice shares a message, Bob has answered in the group."""
    host = open_host(wsgi.create_app)
    host.page.set_viewport_size(SIZE)
    alice, bob = host.open_app(0), host.phone(1)
    alice.app.get_by_role("button", name="Choose people").click()
    for name in ("Bob", "Carol"):
        alice.get("picker-item").filter(has_text=name).click()
    alice.get("picker-done").click()
    alice.app.get_by_role("button", name="Start a group").click()
    alice.get("share-send").click()
    alice.app.get_by_role("button", name="Remind them").click()
    expect(alice.app.get_by_role("status")).to_have_text("The group has been reminded.")
    group = alice.app.locator("#group-jid").inner_text()
    alice.app.get_by_label("Your message").fill("Table by the window, 12:30. See you there!")
    alice.app.get_by_role("button", name="Ask each").click()
    expect(alice.get("share-send")).to_be_enabled()
    host.open_thread(1, group)
    expect(bob.get("message")).to_have_count(2)
    answer = {"thread": group, "text": "I'm in!"}
    host.onechat.controls.call("POST", f"/phones/{host.onechat.bob.jid}/messages", answer)
    expect(bob.get("message")).to_have_count(3)
    expect(host.page.get_by_test_id("toast")).to_have_count(0)
    host.page.screenshot(path=DOCS / "sandbox.png", animations="disabled")


def test_tutorial(project: Project, context: BrowserContext) -> None:
    """The poll, which Bob has voted in."""
    for section in (1, 2, 3, 4, 5):
        project.follow(section)
    page = ask_on_the_phones(project.dev, context)
    page.set_viewport_size(SIZE)
    alice = Phone(page.get_by_test_id("phone-0"))
    alice.get("app-reload").click()
    expect(alice.app.get_by_role("button", name="Noodles: 1")).to_be_visible()
    alice.app.get_by_role("button", name="Tell the group").scroll_into_view_if_needed()
    alice.app.get_by_role("heading", name="Where").hover()
    expect(page.get_by_test_id("toast")).to_have_count(0)
    page.screenshot(path=DOCS / "tutorial.png", animations="disabled")


def test_native(native, starter, profile, onechat_server) -> None:
    """The starter in WebKit, with a contact chosen."""
    profile["vCard"]["avatar"] = onechat_server.alice.avatar
    native.open(starter, profile, ANSWERS)
    native.until(f"document.body.innerText.includes('Hello, {onechat_server.alice.name}')")
    native.run("document.getElementById('choose').click()")
    native.until("document.getElementById('status').textContent == '1 person chosen.'")
    native.run("await new Promise((done) => setTimeout(done, 1000))")  # WebKit draws a little later
    native.screenshot(DOCS / "native.png")
