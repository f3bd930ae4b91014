"""Windows that a mini app opens from its phone: payment and login popups, and links to pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, render_template_string
from playwright.sync_api import expect

from miniapp import MiniApp, login_required
from support.phones import Host
from support.servers import serving

PAGE = """<!doctype html>{{ miniapp_script() }}<h1>{{ current_user.jid }}</h1>
<button onclick="popup = window.open('{{ provider }}/pay')">Pay</button>
<a href="/more" target="_blank">More</a>
<a href="/more" target="_blank" rel="noopener">Alone</a>
<output></output>
<script>
  addEventListener("message", (event) => { document.querySelector("output").textContent = event.data; });
</script>"""
# A bank's page in a frame leaves it by target=_top, as it does after 3-D Secure.
PROVIDER = {
    "pay": "<iframe src=/bank></iframe>",
    "bank": "<a href=/done target=_top>Confirm</a>",
    "done": """Thank you<script>
      let moved = "moved";
      try { opener.parent.location = "/stolen"; } catch { moved = "kept"; }
      opener.postMessage("paid, " + moved, "*");
    </script>""",
}


@pytest.fixture
def provider() -> Iterator[str]:
    """A payment provider, on an origin of its own."""

    def make(port: int) -> Flask:
        app = Flask("provider")
        app.add_url_rule("/<any(pay, bank, done):page>", "page", lambda page: PROVIDER[page])
        return app

    with serving(make) as (_, port):
        yield f"http://localhost:{port}"


@pytest.fixture
def make_app(provider: str) -> Callable[[dict[str, Any]], Flask]:
    def make(settings: dict[str, Any]) -> Flask:
        app = Flask(__name__)
        app.config.update(settings)
        MiniApp(app, env_file=None)

        @app.get("/")
        @app.get("/more")
        @login_required
        def page() -> str:
            return render_template_string(PAGE, provider=provider)

        return app

    return make


def test_a_popup_answers_its_opener(open_host: Callable[..., Host], make_app: Callable[[dict[str, Any]], Flask]):
    """A payment page in a window of its own is no part of the phone's sandbox, reports back, and moves no phone."""
    host = open_host(make_app)
    phone = host.open_app(0)
    with host.page.context.expect_page() as opened:
        phone.app.get_by_role("button", name="Pay").click()
    popup = opened.value
    popup.frame_locator("iframe").get_by_role("link", name="Confirm").click()
    expect(popup.get_by_text("Thank you")).to_be_visible()
    expect(phone.app.locator("output")).to_have_text("paid, kept")
    assert phone.app.locator("body").evaluate("() => popup !== null && !popup.closed")
    popup.close()
    expect(phone.root).to_be_visible()
    assert host.page.url.startswith(host.onechat.url.replace("127.0.0.1", "onechat.localhost"))


def without_cookies(make: Callable[[dict[str, Any]], Flask]) -> Callable[[dict[str, Any]], Flask]:
    def made(settings: dict[str, Any]) -> Flask:
        app = make(settings)

        @app.after_request
        def block(response: Response) -> Response:
            response.headers.remove("Set-Cookie")
            return response

        return app

    return made


@pytest.mark.parametrize("cookies", [True, False], ids=["cookies", "no cookies"])
def test_links_to_new_windows_lead_to_protected_pages(
    cookies: bool, open_host: Callable[..., Host], make_app: Callable[[dict[str, Any]], Flask]
):
    """The page in the new window is logged in, and its bridge is the phone's, whether or not cookies are kept."""
    host = open_host(make_app if cookies else without_cookies(make_app))
    phone = host.open_app(0)
    with host.page.context.expect_page() as opened:
        phone.app.get_by_role("link", name="More").click()
    window = opened.value
    expect(window.get_by_role("heading")).to_have_text(host.onechat.alice.jid)
    window.evaluate("void OC.user.selectContacts().then((jids) => { document.title = jids; })")
    phone.get("picker-item").filter(has_text="Bob").click()
    phone.get("picker-done").click()
    expect(window).to_have_title(host.onechat.bob.jid)


def test_a_link_that_wants_no_opener_uses_the_cookie(
    open_host: Callable[..., Host], make_app: Callable[[dict[str, Any]], Flask]
):
    """With rel=noopener the new window has no bridge; the login cookie is the same."""
    host = open_host(make_app)
    phone = host.open_app(0)
    with host.page.context.expect_page() as opened:
        phone.app.get_by_role("link", name="Alone").click()
    expect(opened.value.get_by_role("heading")).to_have_text(host.onechat.alice.jid)
