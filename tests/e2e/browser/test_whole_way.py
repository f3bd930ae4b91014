"""The main job: a mini app on two phones, as two users, with messages that arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

import wsgi
from support.phones import Host


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host(wsgi.create_app)


def test_two_phones_are_two_verified_users(host: Host):
    """The same app greets Alice on one phone and Bob on the other, each by a login of their own."""
    for number, user in enumerate((host.onechat.alice, host.onechat.bob)):
        phone = host.open_app(number)
        expect(phone.app.get_by_role("heading", level=1)).to_have_text(f"Hello, {user.name}")
        expect(phone.app.get_by_text(user.jid)).to_be_visible()
        expect(phone.app.get_by_text("iPhone")).to_be_visible()


def ask(host: Host, button: str, *names: str) -> None:
    """Alice chooses people in the picker and presses `button`; the share sheet is open then."""
    phone = host.open_app(0)
    phone.app.get_by_label("Your message").fill("Noodles at one?")
    phone.app.get_by_role("button", name="Choose people").click()
    for name in names:
        phone.get("picker-item").filter(has_text=name).click()
    phone.get("picker-done").click()
    phone.app.get_by_role("button", name=button).click()
    expect(phone.get("share-text")).to_have_text("Noodles at one?")


def test_a_shared_message_arrives_on_the_other_phone(host: Host):
    """Alice picks Bob and sends; it shows on Bob's phone at once, in his chat with Alice."""
    ask(host, "Ask each", "Bob")
    expect(host.phone(1).get("toast")).to_have_count(0)
    host.phone(0).get("share-send").click()
    expect(host.phone(0).app.get_by_role("status")).to_have_text("Sent to 1 person.")
    expect(host.phone(1).get("unread-all")).to_contain_text("1")
    bob = host.open_thread(1, host.onechat.alice.jid)
    expect(bob.get("message")).to_contain_text("Noodles at one?")
    expect(bob.get("thread-title")).to_have_text(host.onechat.alice.name)


def test_a_closed_share_sheet_sends_nothing(host: Host):
    """The page learns of Cancel, and no message is sent."""
    ask(host, "Ask each", "Bob")
    host.phone(0).get("share-cancel").click()
    expect(host.phone(0).app.get_by_role("status")).not_to_have_text("Waiting for OneChat…")
    expect(host.phone(0).app.get_by_role("status")).not_to_contain_text("Sent")
    assert host.onechat.messages(host.onechat.bob) == []


def test_a_group_is_made_and_the_backend_reminds_it(host: Host):
    """A group with Bob has the message and then the app's own reminder, on both phones."""
    ask(host, "Start a group", "Bob", "Carol")
    host.phone(0).get("share-send").click()
    app = host.phone(0).app
    expect(app.get_by_role("status")).to_contain_text("2 people and you")
    group = app.locator("#group-jid").inner_text()
    assert "@muc." in group
    app.get_by_role("button", name="Remind them").click()
    expect(app.get_by_role("status")).to_have_text("The group has been reminded.")
    for number in (0, 1):
        phone = host.open_thread(number, group)
        expect(phone.get("message").filter(has_text="reminds you: Noodles at one?")).to_be_visible()
        expect(phone.get("message").filter(has_text="Noodles at one?").first).to_be_visible()


def test_the_backend_alerts_its_user(host: Host):
    """An alert of the app's server shows among the user's alerts, and on no other phone."""
    phone = host.open_app(0)
    phone.app.get_by_role("button", name="Remind me").click()
    expect(phone.app.get_by_role("status")).to_have_text("Look into your alerts.")
    alerts = host.open_thread(0, f"alerts.{host.onechat.domain}")
    expect(alerts.get("message")).to_contain_text("Lunch at 12:30?")
    assert host.onechat.messages(host.onechat.bob) == []


def test_an_admin_tells_everyone(open_host: Callable[..., Host]):
    """Only the admin sees the announcement's form; it reaches phones that are open, and those opened later, once."""
    host = open_host(lambda settings: wsgi.create_app({**settings, "ADMIN_JIDS": "alice@onechat.localhost"}))
    bob = host.open_app(1)
    expect(bob.app.get_by_role("heading", name="Alerts")).to_be_visible()
    expect(bob.app.get_by_label("Announcement")).to_have_count(0)
    alice = host.open_app(0)
    alice.app.get_by_label("Announcement").fill("The kitchen is closed today.")
    alice.app.get_by_label("Yes, send it to everyone").check()
    alice.app.get_by_role("button", name="Tell everyone").click()
    expect(alice.app.get_by_role("status")).to_have_text("Everyone has been told.")
    alerts = f"alerts.{host.onechat.domain}"
    expect(host.open_thread(1, alerts).get("message")).to_have_count(1)
    carol = next(user for user in host.onechat.users.values() if user.name.startswith("Carol"))
    host.phone(1).get("user").select_option(carol.jid)
    expect(host.open_thread(1, alerts).get("message")).to_contain_text("The kitchen is closed today.")
    for user in host.onechat.users.values():
        assert [message["text"] for message in host.onechat.messages(user)] == ["The kitchen is closed today."]


def test_people_chat_without_any_app(host: Host):
    """What Bob types arrives with Alice, live, and her answer with him."""
    host.phone(1).get("new-chat").first.click()
    host.phone(1).get("picker-item").filter(has_text="Alice").click()
    if host.phone(1).get("picker-done").count():
        host.phone(1).get("picker-done").click()
    host.phone(1).get("composer").fill("Hello Alice")
    host.phone(1).get("send").click()
    alice = host.open_thread(0, host.onechat.bob.jid)
    expect(alice.get("message")).to_contain_text("Hello Alice")
    alice.get("composer").fill("Hello <b>Bob</b>")
    alice.get("composer").press("Enter")
    expect(host.phone(1).get("message").filter(has_text="Hello <b>Bob</b>")).to_be_visible()


def test_a_revoked_session_is_renewed_by_hand(host: Host):
    """When the host ends a user's sessions the phone says so and opens the app with a new one."""
    phone = host.open_app(0)
    expect(phone.app.get_by_role("heading", level=1)).to_be_visible()
    host.onechat.revoke(host.onechat.alice)
    phone.get("new-session").click()
    expect(phone.get("session-ended")).to_have_count(0)
    phone.get("app-reload").click()
    expect(phone.app.get_by_role("heading", level=1)).to_have_text("Hello, Alice Tan")
