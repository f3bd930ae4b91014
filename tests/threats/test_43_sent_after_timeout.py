"""Threat 43: a message goes out after the page was told that there was no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Route, expect

from miniapp import MiniApp
from miniapp.shim import CALL_SECONDS
from support.phones import Host, Phone, context, open_host

__all__ = ["context", "open_host"]

ASK = """() => {
  const recipient = JSON.stringify(["bob@onechat.localhost"]);
  const say = (word) => { document.querySelector("output").textContent = word; };
  OC.message.single.relay({
    recipient, textMessage: "hello", success: () => say("sent"), fail: ({ code }) => say(code),
  });
}"""


def create_app(settings: dict[str, Any]) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(settings)
    MiniApp(app, env_file=None)
    page = "<!doctype html><title>Lunch</title>{{ miniapp_script() }}<link rel=icon href=data:,><output></output>"
    app.add_url_rule("/", "page", lambda: render_template_string(page))
    return app


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    host = open_host(create_app)
    host.page.clock.install()
    return host


@pytest.fixture
def phone(host: Host) -> Phone:
    """A phone on which a mini app, with our shim, has asked to send a message."""
    phone = host.open_app(0)
    phone.app.locator("body").evaluate("() => OC.app.ready")
    phone.app.locator("body").evaluate(ASK)
    expect(phone.get("share-send")).to_be_enabled()
    return phone


def sent(host: Host) -> list[str]:
    return [message["text"] for message in host.onechat.messages(host.onechat.bob)]


def test_the_sheet_ends_with_the_call(host: Host, phone: Phone):
    """When the page is told `timeout`, the sheet is gone and nothing was sent; the phone says so."""
    host.page.clock.fast_forward(CALL_SECONDS * 1000)
    expect(phone.app.locator("output")).to_have_text("timeout")
    expect(phone.get("share")).to_have_count(0)
    assert sent(host) == []


def test_a_send_under_way_is_answered_truthfully(host: Host, phone: Phone):
    """Sent just before the sheet's end, with an answer that comes after it: the page is told `sent`."""
    held: list[Route] = []
    host.page.route("**/relay", lambda route: held.append(route))
    host.page.clock.fast_forward((CALL_SECONDS - 20) * 1000)
    phone.get("share-send").click()
    expect(phone.get("share-send")).to_have_text("Sending…")
    host.page.clock.fast_forward(8_000)
    expect(phone.app.locator("output")).to_be_empty()
    held[0].continue_()
    expect(phone.app.locator("output")).to_have_text("sent")
    assert sent(host) == ["hello"]


@pytest.mark.parametrize("leave", ["location.reload()", "location.href = 'about:blank'", "location.href = '/gone'"])
def test_a_page_that_goes_away_takes_its_sheet_back(host: Host, phone: Phone, leave: str):
    """No page waits for the answer any more."""
    phone.app.locator("body").evaluate(f"() => {{ {leave} }}")
    expect(phone.get("share")).to_have_count(0, timeout=1500)
    assert sent(host) == []
