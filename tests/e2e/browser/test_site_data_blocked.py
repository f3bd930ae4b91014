"""The phones in a Chromium that blocks all site data: cookies, storage, locks."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from miniapp import MiniApp, login_required
from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.phones import Phone, add_app
from support.servers import serving

LINKED = "<!doctype html><title>{0}</title>{{{{ miniapp_script() }}}}<h1>{0}</h1><a href='/{1}'>On</a>"


@pytest.fixture
def page(browser_without_site_data: BrowserContext) -> Page:
    browser_without_site_data.set_default_timeout(20_000)
    return browser_without_site_data.pages[0]


def two_pages(settings: dict[str, Any]) -> Flask:
    """Two pages for users, each with a link to the other."""
    app = Flask(__name__)
    app.config.update(settings)
    MiniApp(app)

    @app.get("/")
    @login_required
    def one() -> str:
        return app.jinja_env.from_string(LINKED.format("One", "two")).render()

    @app.get("/two")
    @login_required
    def two() -> str:
        return app.jinja_env.from_string(LINKED.format("Two", "")).render()

    return app


def test_the_phones_work_and_a_link_keeps_the_launch(onechat_server: LocalOneChat, page: Page) -> None:
    """The page shows its phones; an app logs in by bearer, also on the page that a link leads to."""
    with serving(lambda port: two_pages(add_app(onechat_server, port, "Links"))):
        page.goto(f"{browser_url(onechat_server.url)}/?phones=alice,bob")
        assert page.evaluate("() => { try { return !!localStorage } catch { return 'blocked' } }") == "blocked"
        expect(page.get_by_test_id("live")).to_have_attribute("data-live", "open")
        phone = Phone(page.get_by_test_id("phone-0"))
        phone.get("tab-apps").click()
        phone.get("app").filter(has_text="Links").click()
        for heading in ("One", "Two", "One"):
            expect(phone.app.locator("h1")).to_have_text(heading)
            jid = "OC.app.ready.then((app) => [app.inHost, app.user.jid])"
            assert phone.app.locator("h1").evaluate(f"() => {jid}") == [True, onechat_server.alice.jid]
            phone.app.get_by_role("link", name="On").click()
