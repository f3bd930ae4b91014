"""The host page in a browser: its phones, and the mini apps on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, expect

from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.servers import serving

SECONDS = 1000  # Playwright counts in milliseconds


@dataclass
class Phone:
    """Drive one phone of the host page, and the mini app in it."""

    root: Locator

    @property
    def app(self) -> FrameLocator:
        return self.root.frame_locator("iframe")

    def get(self, testid: str) -> Locator:
        return self.root.get_by_test_id(testid)

    def call(self, name: str, **args: Any) -> None:
        """Let the probe (probe.py) call a function of the bridge."""
        connected = self.app.locator("body[data-connected]")
        connected.evaluate("(_, [name, args]) => window.call(name, args)", [name, args])

    def answer(self) -> Any:
        """Return the newest answer that the probe got."""
        expect(self.app.locator("#answer")).not_to_be_empty()
        return json.loads(self.app.locator("#answer").inner_text())


@dataclass
class Host:
    """Drive the host page in a browser."""

    page: Page
    onechat: LocalOneChat
    app_name: str

    def phone(self, number: int) -> Phone:
        return Phone(self.page.get_by_test_id(f"phone-{number}"))

    def open_app(self, number: int) -> Phone:
        phone = self.phone(number)
        phone.get("tab-apps").click()
        phone.get("app").filter(has_text=self.app_name).click()
        return phone

    def open_thread(self, number: int, thread: str) -> Phone:
        phone = self.phone(number)
        for button in ("app-back", "back"):  # an open app or thread takes the whole screen
            if phone.get(button).count():
                phone.get(button).click()
        phone.get("tab-chats").click()
        phone.root.locator(f'[data-testid="thread"][data-thread="{thread}"]').click()
        return phone


def add_app(onechat: LocalOneChat, port: int, name: str) -> dict[str, Any]:
    """Register the app on `port` with the sandbox. Return its settings."""
    url = f"http://onechat.localhost:{port}/"
    app_id, api_key = onechat.register(name, url)
    return {**onechat.settings(app_id, api_key), "ONECHAT_PUBLIC_URL": ""}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15 * SECONDS)
    yield context
    context.close()


@pytest.fixture
def open_host(
    onechat_server: LocalOneChat, context: BrowserContext
) -> Iterator[Callable[[Callable[[dict[str, Any]], Flask]], Host]]:
    """Yield `open_host(create_app)`: it opens the host page with two phones and `create_app(settings)` as an app."""
    stack = []

    def opened(create_app: Callable[[dict[str, Any]], Flask], name: str = "Lunch", query: str = "alice,bob") -> Host:
        server = serving(lambda port: create_app(add_app(onechat_server, port, name)))
        stack.append(server)
        server.__enter__()
        page = context.new_page()
        page.goto(f"{browser_url(onechat_server.url)}/?phones={query}")
        return Host(page, onechat_server, name)

    yield opened
    for page in context.pages:
        page.close()
    for server in stack:
        server.__exit__(None, None, None)
