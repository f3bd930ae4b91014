"""The sandbox's phones in MiniBrowser, WebKit's own browser: it keeps no cookie of frames; logins go by bearer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

import wsgi
from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.minibrowser import MiniBrowser, minibrowser
from support.native import display
from support.phones import add_app
from support.servers import serving

ALERT = "'/api/alerts', { method: 'POST', body: new URLSearchParams('message=Hi') }"


@pytest.fixture(params=[["--enable-itp"], []], ids=["ITP", "no ITP"])
def browser(request: pytest.FixtureRequest) -> Iterator[MiniBrowser]:
    with display() as environment, minibrowser(environment, *request.param) as browser:
        yield browser


def test_the_starter_works_on_a_phone(browser: MiniBrowser, onechat_server: LocalOneChat):
    """The starter logs in by bearer, greets, picks and sends; what it sends arrives on the other phone."""
    settings: dict[str, Any] = {}

    def make(port: int) -> Flask:
        settings.update(add_app(onechat_server, port, "Lunch"))
        return wsgi.create_app(settings)

    with serving(make):
        opened = f"open={settings['ONECHAT_APP_ID']}"
        browser.goto(f"{browser_url(onechat_server.url)}/?phones=alice,bob&{opened}")
        browser.enter("iframe")
        browser.until(f"document.body.innerText.includes('Hello, {onechat_server.alice.name}')")
        assert browser.run(f"return (await fetch({ALERT})).status") == 401
        assert browser.run(f"return (await OC.app.fetch({ALERT})).status") == 204
        browser.click("[data-ask=each]")
        browser.leave()
        browser.click(f"[data-testid=picker-item][data-jid='{onechat_server.bob.jid}']")
        # a sheet takes no click in its first half second
        browser.until("(deep('[data-testid=picker-done]')?.click(), !!deep('[data-testid=share]'))")
        browser.until("(deep('[data-testid=share-send]')?.click(), !deep('[data-testid=share]'))")
        browser.enter("iframe")
        browser.until("document.getElementById('status').textContent === 'Sent to 1 person.'")
        assert [message["text"] for message in onechat_server.messages(onechat_server.bob)] == ["Lunch at 12:30?"]
