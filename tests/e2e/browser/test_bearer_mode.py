"""A mini app whose frame keeps no cookies: the login and the bridge outlive the page that writes itself again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from playwright.sync_api import expect

import wsgi
from support.phones import Host


def without_cookies(settings: dict[str, Any]) -> Flask:
    """The starter, as in a browser that blocks cookies in frames."""
    app = wsgi.create_app(settings)

    @app.after_request
    def block(response: Response) -> Response:
        response.headers.remove("Set-Cookie")
        return response

    return app


def test_the_bridge_outlives_the_pages_own_writing(open_host: Callable[..., Host]):
    """The frame's load fires a second time when the page is written; its port still answers, so calls go on."""
    host = open_host(without_cookies)
    phone = host.open_app(0)
    expect(phone.app.get_by_role("heading", level=1)).to_have_text(f"Hello, {host.onechat.alice.name}")
    phone.app.get_by_role("button", name="Choose people").click()
    # longer than a page has to connect: one that is taken for gone would lose its picker
    host.page.wait_for_function(
        "(since) => performance.now() > since + 3000", arg=host.page.evaluate("performance.now()")
    )
    expect(phone.get("no-bridge")).to_have_count(0)
    phone.get("picker-item").filter(has_text="Bob").click()
    phone.get("picker-done").click()
    expect(phone.app.get_by_text("Bob")).to_be_visible()
