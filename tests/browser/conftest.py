"""The whole of it in Debian's Chromium: a sandbox, a mini app beside it, and the host page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from phones import SECONDS, Host, add_app
from playwright.sync_api import Browser, BrowserContext
from servers import serving

from miniapp.controls import browser_url
from miniapp.testing.onechat import LocalOneChat


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
    """`open_host(create_app)`: the host page with two phones, and `create_app(settings)` among its apps."""
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


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
