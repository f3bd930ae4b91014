"""15. Another site could frame our pages and have them clicked."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from miniapp import ConfigurationError, MiniApp
from support.apps import PAGE, create_app
from support.servers import serving


def test_only_the_container_may_frame_our_pages(onechat, browser: Browser):
    """In Chromium a page of the configured origin shows our page in a frame; one of another origin does not."""
    attackers: list[int] = []

    def framing(port: int) -> Flask:
        app = Flask("framing")
        app.add_url_rule("/", view_func=lambda: f"<iframe src='http://app.localhost:{attackers[0]}/public'></iframe>")
        return app

    with serving(framing) as (_, port):
        config = {
            **onechat.config,
            "ONECHAT_HEADERS": "app",
            "ONECHAT_CONTAINER_ORIGINS": f"http://host.localhost:{port}",
        }
        with serving(lambda _: create_app(config)) as (_, app_port):
            attackers.append(app_port)
            page = browser.new_page()
            page.goto(f"http://host.localhost:{port}/")
            expect(page.frame_locator("iframe").get_by_text("public")).to_be_visible()
            with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
                page.goto(f"http://evil.localhost:{port}/")
            expect(page.frame_locator("iframe").get_by_text("public")).to_have_count(0)
            page.close()


def test_by_default_no_other_origin_may_and_never_all(onechat):
    """Without container origins only our own pages may frame ours, and `*` is no origin."""
    app = create_app({**onechat.config, "ONECHAT_CONTAINER_ORIGINS": ""})
    assert "frame-ancestors 'self'" in app.test_client().get("/", headers=PAGE).headers["Content-Security-Policy"]
    for bad in ("*", "https://*.example", "https://a.example/path", "a.example"):
        other = Flask("other")
        other.config.update(onechat.config, ONECHAT_CONTAINER_ORIGINS=bad)
        with pytest.raises(ConfigurationError, match="ONECHAT_CONTAINER_ORIGINS"):
            MiniApp(other, env_file=None)
