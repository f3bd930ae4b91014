"""Threat 42: a mini app that asks again and again locks its phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from support.phones import Host, Phone, context, open_host
from support.probe import create_probe

__all__ = ["context", "open_host"]

RELAY = {"recipient": ["bob@onechat.localhost"], "textMessage": "hello"}
# Asks as soon as it is answered; counts the answers by their code ("ok" if they have none).
LOOP = """([name, args]) => {
  window.codes = [];
  port.onmessage = ({ data }) => {
    codes.push(data.error ? data.error.code : "ok");
    if (codes.length < 50) call(name, args);
  };
  call(name, args);
}"""
FLOOD = """args => {
  window.codes = [];
  port.onmessage = ({ data }) => { codes.push(data.error ? data.error.code : "ok"); };
  for (let number = 0; number < 10000; number += 1) call("message.single.relay", args);
}"""


@pytest.fixture
def phone(open_host: Callable[..., Host]) -> Phone:
    phone = open_host(create_probe, query="alice").open_app(0)
    expect(phone.app.locator("body[data-connected]")).to_have_count(1)
    return phone


def start(phone: Phone, attack: str, argument: object) -> None:
    phone.app.locator("body").evaluate(f"(_, argument) => void ({attack})(argument)", argument)


@pytest.fixture(params=["pickers in a loop", "relays in a loop", "10,000 relays"])
def attacked(request: pytest.FixtureRequest, phone: Phone) -> Phone:
    if request.param == "pickers in a loop":
        start(phone, LOOP, ["user.selectContacts", {}])
    elif request.param == "relays in a loop":
        start(phone, LOOP, ["message.single.relay", RELAY])
    else:
        start(phone, FLOOD, RELAY)
    expect(phone.root.get_by_role("dialog")).to_be_visible()
    return phone


def test_back_leaves_with_one_click(attacked: Phone):
    """Back works while a sheet is open, and takes it along."""
    attacked.get("app-back").click()
    expect(attacked.root.get_by_role("dialog")).to_have_count(0)
    attacked.get("tab-chats").click()
    expect(attacked.get("new-chat").first).to_be_visible()


def test_close_ends_it_with_one_click(attacked: Phone):
    """So does Close; the app and all that it asked are gone."""
    attacked.get("app-close").click()
    expect(attacked.root.get_by_role("dialog")).to_have_count(0)
    expect(attacked.get("app-frame")).to_have_count(0)


def test_reload_loads_the_page_again(attacked: Phone):
    """So does Reload: the page that asked is gone, with its sheet."""
    attacked.get("app-reload").click()
    expect(attacked.app.locator("#loads")).to_have_text("2")
    expect(attacked.root.get_by_role("dialog")).to_have_count(0)


def test_three_cancels_stop_it(attacked: Phone):
    """After three cancels in a row the rest is refused by itself, the phone says so, and the person may undo it."""
    for _ in range(3):
        dialog = attacked.root.get_by_role("dialog").element_handle()
        attacked.root.get_by_role("button", name="Cancel").click()
        dialog.wait_for_element_state("hidden")
    expect(attacked.get("asking-stopped")).to_contain_text("Lunch")
    expect(attacked.root.get_by_role("dialog")).to_have_count(0)
    refused = "() => new Promise((done) => setInterval(() => codes.includes('refused') && done(true), 10))"
    assert attacked.app.locator("body").evaluate(refused)
    attacked.get("allow-asking").click()
    expect(attacked.get("asking-stopped")).to_have_count(0)
    attacked.call("user.selectContacts")
    expect(attacked.get("picker")).to_be_visible()


def test_a_confirmed_question_starts_the_count_again(phone: Phone):
    """Cancels count only in a row; an app that is answered now and then goes on."""
    for _ in range(3):
        for _ in range(2):
            phone.call("user.selectContacts")
            phone.get("picker-cancel").click()
            expect(phone.get("picker")).to_have_count(0)
        phone.call("user.selectContacts")
        phone.get("picker-item").filter(has_text="Bob").click()
        phone.get("picker-done").click()
        expect(phone.get("picker")).to_have_count(0)
    expect(phone.get("asking-stopped")).to_have_count(0)


def test_a_toast_leaves_the_title_bar_free(open_host: Callable[..., Host]):
    """Messages that come in over an app do not cover its buttons."""
    host = open_host(create_probe, query="alice")
    phone = host.open_app(0)
    body = {"thread": host.onechat.alice.jid, "text": "hi"}
    host.onechat.controls.call("POST", f"/phones/{host.onechat.bob.jid}/messages", body)
    expect(phone.get("toast")).to_be_visible()
    phone.get("app-back").click(timeout=3000)
    expect(phone.get("app-frame")).to_be_hidden()
