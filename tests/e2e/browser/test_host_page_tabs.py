"""The host page in Chromium, by itself: many tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from miniapp.sandbox import SandboxServer
from miniapp.sandbox.network import Sender
from support.people import ALICE, BOB
from support.sandbox import server

__all__ = ["server"]

TABS = 12


@pytest.fixture
def context(browser: Browser, server: SandboxServer) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=server.page_url)
    context.set_default_timeout(30_000)  # a busy machine: many times what a page here takes
    yield context
    context.close()


def hears(page: Page, text: str) -> None:
    """The page's first phone has a message with this text."""
    expect(page.get_by_test_id("phone-0").get_by_test_id("thread")).to_contain_text(text, timeout=30_000)


def test_twelve_tabs_work(
    context: BrowserContext, server: SandboxServer, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    """All tabs of a browser share one stream of events; when the tab that has it is closed, another takes over."""
    network, bob = server.sandbox.network, Sender(BOB, "Bob Rahman")
    pages = []
    for _ in range(TABS):
        pages.append(context.new_page())
        pages[-1].goto("/?phones=alice")
        expect(pages[-1].get_by_test_id("live")).to_have_attribute("data-live", "open")
    network.direct(bob, ALICE, "Can all of you hear me?")
    for page in pages:
        hears(page, "Can all of you hear me?")
        expect(page.get_by_test_id("live")).to_have_attribute("data-live", "open")
    eventually(lambda: server.sandbox.events.open_streams == 1)
    while len(pages) > 1:
        pages.pop().close()
        network.direct(bob, ALICE, f"{len(pages)} left")
        hears(pages[0], f"{len(pages)} left")


def test_a_tab_without_locks_has_a_stream_of_its_own(context: BrowserContext, server: SandboxServer) -> None:
    """Where the browser blocks locks or channels, as it does without site data, the page works all the same."""
    context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    page = context.new_page()
    page.goto("/?phones=alice")
    expect(page.get_by_test_id("live")).to_have_attribute("data-live", "open")
    server.sandbox.network.direct(Sender(BOB, "Bob Rahman"), ALICE, "Hello")
    hears(page, "Hello")
