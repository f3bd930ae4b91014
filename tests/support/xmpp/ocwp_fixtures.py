"""Fixtures of the chat plugin's tests; conftest.py has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from miniapp.sandbox.prosody import Prosody
from support.xmpp.ocwp_site import People, Site, Visitor

DESKTOP = {"width": 1400, "height": 800}


@pytest.fixture
def people() -> People:
    return People("alice", "bob", "carol", "dave")


@pytest.fixture
def chat_server(people: People) -> Iterator[Prosody]:
    with Prosody(people) as prosody:
        yield prosody


@pytest.fixture
def site(chat_server: Prosody) -> Iterator[Site]:
    site = Site(chat_server.ports.http)
    yield site
    site.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Yield `visit("alice")`: it opens the site in a browser of hers. No page may fail or break its policy."""
    visitors: list[Visitor] = []

    def open_page(name: str, **context: Any) -> Visitor:
        context.setdefault("viewport", DESKTOP)
        context.setdefault("locale", "en-GB")
        visitors.append(Visitor(browser.new_context(**context), site, name))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        breaks = visitor.page.evaluate("window.policyBreaks")
        visitor.page.context.close()
        assert visitor.errors == []
        assert breaks == []
