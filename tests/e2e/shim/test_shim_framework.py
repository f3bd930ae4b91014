"""The shim against the framework's own session endpoint and pages, without cookies."""

from __future__ import annotations

import base64
import json

from playwright.sync_api import expect

from support.apps import create_app
from support.servers import serving


def test_a_frame_without_cookies_gets_its_page_by_bearer(browser, host_origin, onechat, alice):
    """Where no cookie comes back, login, page and calls work by the bearer, under the 401 page's policy."""

    def make(port):
        app = create_app(onechat.config | {"ONECHAT_CONTAINER_ORIGINS": host_origin, "ONECHAT_HEADERS": "app"})
        onechat.connect(app)
        inner = app.wsgi_app

        def without_cookies(environ, start_response):
            environ.pop("HTTP_COOKIE", None)
            return inner(environ, start_response)

        app.wsgi_app = without_cookies
        return app

    with serving(make) as (_, port):
        data = {
            "v": 1,
            "host": host_origin,
            "app": {"id": onechat.config["ONECHAT_APP_ID"], "name": "Test"},
            "sessionId": onechat.session(alice),
            "vCard": {"jid": alice.jid, "userName": alice.name, "avatar": ""},
            "device": {"device": "", "os": "", "screenWidth": "", "screenHeight": ""},
        }
        text = base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
        context = browser.new_context()
        page = context.new_page()
        errors = []
        page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
        page.goto(host_origin)
        page.evaluate(
            "([src, data]) => { launch = data; wanted = src; frame.src = src; }",
            [f"http://alice.onechat.localhost:{port}/#oc={text}", data],
        )
        expect(page.frame_locator("iframe").locator("p")).to_have_text(alice.jid)
        frame = page.frames[1]
        assert frame.evaluate("OC.app.fetch('/plain').then((r) => r.text())") == alice.jid
        assert frame.evaluate("OC.app.signOut().then(() => OC.app.fetch('/plain')).then((r) => r.status)") == 401
        assert errors == []
        context.close()
